//! `power_lambda`: the exponent of a power transform that makes numbers most like a normal distribution.

use super::CATEGORY;
use crate::column::View;
use crate::error::Error;
use crate::kernel::power_transform::{boxcox, yeo_johnson};
use crate::kernel::transcendental::{ln_one, log1p_one};
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Exponents that are looked at first: the best of them and its neighbours hold the greatest likelihood between them.
const GRID: std::ops::RangeInclusive<i32> = -20..=20;

/// Distance of two exponents of the grid.
const GRID_STEP: f64 = 0.25;

/// Steps of the search between two exponents; each leaves 62 % of the range.
const STEPS: usize = 60;

/// The share of a range at which the golden section stands.
const GOLDEN: f64 = 0.618_033_988_749_894_8;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("power_lambda", CATEGORY, "The lambda under which the power transform of a list of numbers is most likely normal.")
        .note("method => 'yeo-johnson' (the default) or 'box-cox', whose numbers must be above 0. Nulls and NaN do not count; NULL below two different numbers.")
        .note("The likelihood is greatest between -5 and 5, found by golden section; where it is flat the last digits of lambda are those of rounding. Source: Box and Cox, 1964; Yeo and Johnson, 2000.")
        .example("round(power_lambda([1, 2, 4, 8, 16, 32], method => 'box-cox'), 6)", "0.0")
        .example("power_lambda([7, 7])", "NULL")
        .overload(
            [exact("x", Type::list(Type::Float64)), exact("method", Type::Text).or(Literal::new(Value::from("yeo-johnson")))],
            |arguments| {
                let is_box_cox = match arguments.constant_text(1)? {
                    "yeo-johnson" => false,
                    "box-cox" => true,
                    other => {
                        let problem = format!("is \"{other}\"; expected 'yeo-johnson' or 'box-cox'");
                        return Err(Error::argument(arguments.function, 2, problem));
                    }
                };
                let function = arguments.function.to_owned();
                Ok(Bound::strict(Type::Float64, move |arguments, rows, output, _| {
                    rows.for_each(|row| {
                        let numbers = numbers_of(&arguments[0], row);
                        if is_box_cox && let Some(number) = numbers.iter().find(|number| **number <= 0.0) {
                            let problem = format!("holds {number}; the transform of Box and Cox takes numbers above 0");
                            let function = function.clone();
                            return output.fail(row, || Error::argument(function, 1, problem));
                        }
                        match most_likely(&numbers, is_box_cox) {
                            Some(lambda) => output.fixed::<f64>()[row] = lambda,
                            None => output.set_null(row),
                        }
                    });
                    Ok(())
                }))
            },
        )
        .cost(Cost::Parse)
}

fn numbers_of(view: &View<'_>, row: usize) -> Vec<f64> {
    let list = view.list();
    let (child, values) = (list.child(), list.child().fixed::<f64>());
    let present = list.range(row).filter(|&at| child.is_valid(at));
    present.map(|at| values.get(at)).filter(|number| !number.is_nan()).collect()
}

fn most_likely(numbers: &[f64], is_box_cox: bool) -> Option<f64> {
    let first = numbers.first()?;
    if numbers.iter().all(|number| number == first) {
        return None;
    }
    // What the likelihood takes besides the variance does not depend on lambda.
    let logarithms: f64 = numbers
        .iter()
        .map(|&number| if is_box_cox { ln_one(number) } else { log1p_one(number.abs()).copysign(number) })
        .sum();
    let mut search = Search {
        numbers,
        logarithms,
        is_box_cox,
        lambdas: Vec::new(),
        transformed: vec![0.0; numbers.len()],
    };
    let mut best = (f64::NEG_INFINITY, 0.0);
    for step in GRID {
        let lambda = f64::from(step) * GRID_STEP;
        let likelihood = search.likelihood(lambda);
        if likelihood > best.0 {
            best = (likelihood, lambda);
        }
    }
    best.0.is_finite().then(|| search.between(best.1 - GRID_STEP, best.1 + GRID_STEP))
}

struct Search<'a> {
    numbers: &'a [f64],
    logarithms: f64,
    is_box_cox: bool,
    lambdas: Vec<f64>,
    transformed: Vec<f64>,
}

impl Search<'_> {
    /// The logarithm of the likelihood, up to a constant. Sums run in the order of the list.
    fn likelihood(&mut self, lambda: f64) -> f64 {
        self.lambdas.clear();
        self.lambdas.resize(self.numbers.len(), lambda);
        match self.is_box_cox {
            true => boxcox(self.numbers, &self.lambdas, &mut self.transformed),
            false => yeo_johnson(self.numbers, &self.lambdas, &mut self.transformed),
        }
        let count = self.numbers.len() as f64;
        let mean = self.transformed.iter().sum::<f64>() / count;
        let variance =
            self.transformed.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        let likelihood = (lambda - 1.0) * self.logarithms - count / 2.0 * ln_one(variance);
        if variance > 0.0 && likelihood.is_finite() { likelihood } else { f64::NEG_INFINITY }
    }

    /// The exponent of the greatest likelihood in a range that has one summit.
    fn between(&mut self, mut low: f64, mut high: f64) -> f64 {
        let (mut left, mut right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        let (mut of_left, mut of_right) = (self.likelihood(left), self.likelihood(right));
        for _ in 0..STEPS {
            if of_left >= of_right {
                (high, right, of_right) = (right, left, of_left);
                left = high - GOLDEN * (high - low);
                of_left = self.likelihood(left);
            } else {
                (low, left, of_left) = (left, right, of_right);
                right = low + GOLDEN * (high - low);
                of_right = self.likelihood(right);
            }
        }
        (low + high) / 2.0
    }
}

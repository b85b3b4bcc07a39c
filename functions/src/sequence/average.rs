//! Averages that weigh the latest values most.

use super::CATEGORY;
use crate::error::Error;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

/// A weighted average under construction: each value weighs `1 - alpha` of the one behind it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WeightedAverage {
    sum: f64,
    weight: f64,
}

impl WeightedAverage {
    /// Adds the value that comes next.
    #[inline]
    pub fn add(&mut self, value: f64, alpha: f64) {
        self.sum = self.sum * (1.0 - alpha) + value;
        self.weight = self.weight * (1.0 - alpha) + 1.0;
    }

    /// The average, if there was a value.
    pub fn result(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// Whether a smoothing factor is one; 0 makes a plain average.
pub(crate) fn is_factor(alpha: f64) -> bool {
    (0.0..=1.0).contains(&alpha)
}

pub(super) fn function() -> ScalarFunction {
    let list = parameter("list", Pattern::List(Box::new(Pattern::Exact(Type::Float64))));
    ScalarFunction::new("seq_ew_avg", CATEGORY, "Exponentially weighted average of a sequence, oldest first.")
        .note("The newest value weighs 1, each before it 1 - alpha of the next. Null values are left out, as if they were not there.")
        .note("alpha 0 or null gives the plain average; outside of 0 to 1 is an error. Null without values.")
        .note("The mean of pandas ewm(alpha, adjust=True, ignore_na=True), and ew_avg of OpenMLDB. Over rows: `ew_avg(x, alpha)`.")
        .example("seq_ew_avg([1.0, 2.0], 0.5)", "1.6666666666666667")
        .overload([list, exact("alpha", Type::Float64)], |_| Ok(bind()))
}

/// Not strict: a null factor makes a plain average.
fn bind() -> Bound {
    Bound::null_aware(Type::Float64, |arguments, rows, output, _| {
        let (lists, factors) = (&arguments[0], &arguments[1]);
        rows.for_each(|row| {
            if lists.is_null(row) {
                return output.set_null(row);
            }
            let alpha = if factors.is_valid(row) { factors.fixed::<f64>().get(row) } else { 0.0 };
            if !is_factor(alpha) {
                let problem = format!("is {alpha}; expected a factor from 0 to 1");
                return output.fail(row, || Error::argument("seq_ew_avg", 2, problem));
            }
            let list = lists.list();
            let (child, values) = (list.child(), list.child().fixed::<f64>());
            let mut average = WeightedAverage::default();
            list.range(row)
                .filter(|&at| child.is_valid(at))
                .for_each(|at| average.add(values.get(at), alpha));
            match average.result() {
                Some(average) => output.fixed::<f64>()[row] = average,
                None => output.set_null(row),
            }
        });
        Ok(())
    })
}

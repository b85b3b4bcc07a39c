//! var, stddev, skewness, kurtosis, covar, corr, regr: statistics of one or two float columns.

use super::reproducible::{Finish, Statistic, bound, in_blocks};
use crate::aggregate::AggregateFunction;
use crate::column::{Fixed, View};
use crate::kernel::reproducible::{
    Comoments, Moments, NarrowComoments, NarrowMoments, NarrowPowerSums, PowerSums, Reproducible,
};
use crate::signature::exact;
use crate::types::Type;

pub(super) fn functions() -> Vec<AggregateFunction> {
    let mut functions = spreads();
    functions.extend(shapes());
    functions.extend(pairs());
    functions
}

fn one<S: Statistic>(
    name: &str,
    summary: &str,
    finish: Finish<S::State>,
    example: (&str, &str),
) -> AggregateFunction {
    AggregateFunction::new(name, "aggregate", summary)
        .overload([exact("value", Type::Float64)], move |_| Ok(bound::<S>(finish)))
        .note("Nulls are skipped. The bits do not depend on the order of the rows or the number of threads.")
        .example(example.0, example.1)
}

fn two(
    name: &str,
    summary: &str,
    finish: Finish<NarrowComoments>,
    example: (&str, &str),
) -> AggregateFunction {
    AggregateFunction::new(name, "aggregate", summary)
        .overload([exact("y", Type::Float64), exact("x", Type::Float64)], move |_| Ok(bound::<Pairs>(finish)))
        .note("Rows with a null in either argument are skipped. The bits do not depend on the order of the rows.")
        .example(example.0, example.1)
}

/// The statistic if there are at least this many rows.
fn from<N: crate::kernel::reproducible::Narrow>(
    state: &Reproducible<N>,
    rows: u64,
    value: f64,
) -> Option<f64> {
    (state.rows() >= rows).then_some(value)
}

fn spreads() -> Vec<AggregateFunction> {
    vec![
        one::<Spread>(
            "var_samp",
            "Sample variance: squared distances to the mean over n - 1; null below two values.",
            |state| from(state, 2, state.variance(1)),
            ("var_samp(42)", "NULL"),
        )
        .alias("variance"),
        one::<Spread>(
            "var_pop",
            "Population variance: squared distances to the mean over n.",
            |state| from(state, 1, state.variance(0)),
            ("var_pop(42)", "0.0"),
        ),
        one::<Spread>(
            "stddev_samp",
            "Square root of the sample variance.",
            |state| from(state, 2, state.standard_deviation(1)),
            ("stddev_samp(42)", "NULL"),
        )
        .alias("stddev"),
        one::<Spread>(
            "stddev_pop",
            "Square root of the population variance.",
            |state| from(state, 1, state.standard_deviation(0)),
            ("stddev_pop(42)", "0.0"),
        ),
        one::<Spread>(
            "sem",
            "Standard error of the mean: population deviation over the square root of n.",
            |state: &Moments| from(state, 1, state.standard_deviation(0) / (state.rows() as f64).sqrt()),
            ("sem(42)", "0.0"),
        ),
    ]
}

fn shapes() -> Vec<AggregateFunction> {
    vec![
        one::<Shape>(
            "skewness",
            "Adjusted Fisher-Pearson skewness; null below three values, NaN for a constant.",
            |state: &PowerSums| from(state, 3, state.skewness()),
            ("skewness(42)", "NULL"),
        ),
        one::<Shape>(
            "kurtosis",
            "Excess kurtosis with bias correction; null below four values, NaN for a constant.",
            |state| from(state, 4, state.kurtosis()),
            ("kurtosis(42)", "NULL"),
        ),
        one::<Shape>(
            "kurtosis_pop",
            "Excess kurtosis without bias correction; null below two values, NaN for a constant.",
            |state| from(state, 2, state.population_kurtosis()),
            ("kurtosis_pop(42)", "NULL"),
        ),
    ]
}

fn pairs() -> Vec<AggregateFunction> {
    let slope = |state: &Comoments| {
        let deviations = state.deviations();
        (deviations.xx != 0.0).then(|| deviations.xy / deviations.xx)
    };
    vec![
        two(
            "covar_samp",
            "Sample covariance; null below two rows.",
            |state| from(state, 2, state.covariance(1)),
            ("covar_samp(1, 2)", "NULL"),
        ),
        two(
            "covar_pop",
            "Population covariance.",
            |state| from(state, 1, state.covariance(0)),
            ("covar_pop(1, 2)", "0.0"),
        ),
        two(
            "corr",
            "Pearson correlation; NaN where a side is constant, null without rows.",
            |state| from(state, 1, state.correlation()),
            ("corr(1, 2)", "nan"),
        ),
        two(
            "regr_slope",
            "Slope of the least-squares line through (x, y).",
            slope,
            ("regr_slope(1, 2)", "NULL"),
        ),
        two(
            "regr_sxx",
            "Sum of squared deviations of x.",
            |state| from(state, 1, state.deviations().xx),
            ("regr_sxx(1, 2)", "0.0"),
        ),
        two(
            "regr_syy",
            "Sum of squared deviations of y.",
            |state| from(state, 1, state.deviations().yy),
            ("regr_syy(1, 2)", "0.0"),
        ),
        two(
            "regr_sxy",
            "Sum of products of deviations of x and y.",
            |state| from(state, 1, state.deviations().xy),
            ("regr_sxy(1, 2)", "0.0"),
        ),
        two("regr_avgx", "Mean of x.", |state| from(state, 1, state.means().0), ("regr_avgx(1, 2)", "2.0")),
        two("regr_avgy", "Mean of y.", |state| from(state, 1, state.means().1), ("regr_avgy(1, 2)", "1.0")),
        two(
            "regr_intercept",
            "Intercept of the least-squares line through (x, y).",
            |state| {
                let (deviations, (x, y)) = (state.deviations(), state.means());
                (deviations.xx != 0.0).then(|| y - deviations.xy / deviations.xx * x)
            },
            ("regr_intercept(1, 2)", "NULL"),
        ),
        two(
            "regr_r2",
            "Coefficient of determination of the least-squares line.",
            |state| {
                let deviations = state.deviations();
                let fit = deviations.xy * deviations.xy / (deviations.xx * deviations.yy);
                match (deviations.xx, deviations.yy) {
                    (0.0, _) => None,
                    (_, 0.0) => Some(1.0),
                    _ => (state.rows() > 0).then_some(fit),
                }
            },
            ("regr_r2(1, 2)", "NULL"),
        ),
    ]
}

/// Sums of values and squares.
struct Spread;

impl Statistic for Spread {
    type State = NarrowMoments;
    type Input<'a> = Fixed<'a, f64>;

    fn input<'a>(arguments: &[View<'a>]) -> Fixed<'a, f64> {
        arguments[0].fixed()
    }

    #[inline(always)]
    fn row(input: Fixed<'_, f64>, row: usize) -> f64 {
        input.get(row)
    }

    fn add_all(state: &mut Moments, input: Fixed<'_, f64>, rows: usize) {
        match input.flat() {
            Some(values) => state.add_slice(&values[..rows]),
            None => (0..rows).for_each(|row| state.add(input.get(row))),
        }
    }

    fn add_rows(state: &mut Moments, input: Fixed<'_, f64>, rows: &[u32]) {
        in_blocks(rows, |row| input.get(row), |values| state.add_slice(values));
    }
}

/// Sums of powers 1 to 4.
struct Shape;

impl Statistic for Shape {
    type State = NarrowPowerSums;
    type Input<'a> = Fixed<'a, f64>;

    fn input<'a>(arguments: &[View<'a>]) -> Fixed<'a, f64> {
        arguments[0].fixed()
    }

    #[inline(always)]
    fn row(input: Fixed<'_, f64>, row: usize) -> f64 {
        input.get(row)
    }
}

/// Sums of two columns, their squares and their products. The arguments are y and x, in SQL's order.
struct Pairs;

impl Statistic for Pairs {
    type State = NarrowComoments;
    type Input<'a> = (Fixed<'a, f64>, Fixed<'a, f64>);

    fn input<'a>(arguments: &[View<'a>]) -> Self::Input<'a> {
        (arguments[1].fixed(), arguments[0].fixed())
    }

    #[inline(always)]
    fn row((x, y): Self::Input<'_>, row: usize) -> (f64, f64) {
        (x.get(row), y.get(row))
    }

    fn add_all(state: &mut Comoments, (x, y): Self::Input<'_>, rows: usize) {
        match (x.flat(), y.flat()) {
            (Some(x), Some(y)) => state.add_slices(&x[..rows], &y[..rows]),
            _ => (0..rows).for_each(|row| state.add((x.get(row), y.get(row)))),
        }
    }
}

//! Scaling by statistics that are given: of a fit, or of another table.
//!
//! The systems that the names come from agree but where a column is constant, and whether to clip; `compat` chooses.

use super::CATEGORY;
use super::number_forms::{number_bound, number_forms};
use crate::error::{Error, Result};
use crate::kernel::transcendental::sigmoid_one;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("standard_scale", CATEGORY, "(x - mean) / std, or that of each element of a list.")
        .note("Where std is 0: compat => 'sklearn' (the default) or 'nvtabular' gives x - mean, 'tft' or 'torcharrow' x itself, 'spark' 0.")
        .note("A FLOAT is computed in DOUBLE and rounded once. Null elements stay null.")
        .example("standard_scale(7, 5, 2)", "1.0")
        .example("standard_scale([1.0, 3.0], 2, 0)", "[-1.0, 1.0]")
        .example("standard_scale(7, 5, 0, compat => 'tft')", "7.0");
    registry.register_scalar(number_forms(function, &["mean", "std"], &[compat()], standard));
    let function = ScalarFunction::new("min_max_scale", CATEGORY, "(x - low) / (high - low), or that of each element of a list.")
        .note("With clip => true, and with compat => 'bigquery', the result is held between 0 and 1.")
        .note("Where low = high: compat => 'sklearn' (the default) or 'bigquery' gives x - low, 'tft' or 'torcharrow' sigmoid(x), 'spark' 0.5, 'nvtabular' x / (2 * x).")
        .note("A FLOAT is computed in DOUBLE and rounded once. Null elements stay null.")
        .example("min_max_scale(2, 1, 5)", "0.25")
        .example("min_max_scale([0.0, 9.0], 1, 5, clip => true)", "[0.0, 1.0]");
    let clip = exact("clip", Type::Boolean).or(Literal::new(Value::Boolean(false)));
    registry.register_scalar(number_forms(function, &["low", "high"], &[clip, compat()], min_max));
    let function =
        ScalarFunction::new("max_abs_scale", CATEGORY, "x / magnitude, or that of each element of a list.")
            .note(
                "The magnitude is the largest absolute value of the column; where it is 0, x stays as it is.",
            )
            .example("max_abs_scale(-3, 4)", "-0.75");
    registry.register_scalar(number_forms(function, &["magnitude"], &[], |arguments| {
        Ok(number_bound(arguments, |x, [magnitude]: [f64; 1]| x / divisor(magnitude)))
    }));
    let function = ScalarFunction::new(
        "robust_scale",
        CATEGORY,
        "(x - median) / (high - low) for two quantiles, or that of each element of a list.",
    )
    .note("Where both quantiles are equal: x - median. compat => 'spark', RobustScaler of Spark as it comes, subtracts no median, and gives 0 there.")
    .example("robust_scale(5, 2, 1, 4)", "1.0");
    registry.register_scalar(number_forms(function, &["median", "low", "high"], &[compat()], robust));
}

fn compat() -> Parameter {
    exact("compat", Type::Text).or(Literal::new(Value::from("sklearn")))
}

/// A spread of 0 divides by 1.
#[inline(always)]
fn divisor(spread: f64) -> f64 {
    if spread == 0.0 { 1.0 } else { spread }
}

fn unknown(arguments: &Arguments<'_>, position: usize, given: &str, known: &str) -> Error {
    Error::argument(arguments.function, position + 1, format!("is \"{given}\"; expected {known}"))
}

fn standard(arguments: &Arguments<'_>) -> Result<Bound> {
    Ok(match arguments.constant_text(3)? {
        "sklearn" | "nvtabular" => {
            number_bound(arguments, |x, [mean, std]: [f64; 2]| (x - mean) / divisor(std))
        }
        "tft" | "torcharrow" => {
            number_bound(arguments, |x, [mean, std]: [f64; 2]| if std == 0.0 { x } else { (x - mean) / std })
        }
        "spark" => number_bound(
            arguments,
            |x, [mean, std]: [f64; 2]| {
                if std == 0.0 { 0.0 } else { (x - mean) / std }
            },
        ),
        other => {
            let known = "'sklearn', 'nvtabular', 'tft', 'torcharrow' or 'spark'";
            return Err(unknown(arguments, 3, other, known));
        }
    })
}

fn robust(arguments: &Arguments<'_>) -> Result<Bound> {
    Ok(match arguments.constant_text(4)? {
        "sklearn" => {
            number_bound(arguments, |x, [median, low, high]: [f64; 3]| (x - median) / divisor(high - low))
        }
        "spark" => number_bound(arguments, |x, [_, low, high]: [f64; 3]| {
            x * if high == low { 0.0 } else { 1.0 / (high - low) }
        }),
        other => return Err(unknown(arguments, 4, other, "'sklearn' or 'spark'")),
    })
}

fn min_max(arguments: &Arguments<'_>) -> Result<Bound> {
    let Some(clip) = arguments.constant(3)?.as_bool() else {
        return Err(Error::argument(arguments.function, 4, "must be true or false, not NULL"));
    };
    match arguments.constant_text(4)? {
        "sklearn" => Ok(min_max_bound(arguments, clip, |x, low| x - low)),
        "bigquery" => Ok(min_max_bound(arguments, true, |x, low| x - low)),
        "tft" | "torcharrow" => Ok(min_max_bound(arguments, clip, |x, _| sigmoid_one(x))),
        "spark" => Ok(min_max_bound(arguments, clip, |_, _| 0.5)),
        "nvtabular" => Ok(min_max_bound(arguments, clip, |x, _| x / (2.0 * x))),
        other => {
            let known = "'sklearn', 'bigquery', 'tft', 'torcharrow', 'spark' or 'nvtabular'";
            Err(unknown(arguments, 4, other, known))
        }
    }
}

/// `of_constant` is the result for a column whose bounds are equal.
fn min_max_bound(
    arguments: &Arguments<'_>,
    clip: bool,
    of_constant: impl Fn(f64, f64) -> f64 + Copy + Send + Sync + 'static,
) -> Bound {
    let scale = move |x: f64, [low, high]: [f64; 2]| {
        // Both are computed and one is taken, so that the loop has no branch.
        let (constant, scaled) = (of_constant(x, low), (x - low) / (high - low));
        if low == high { constant } else { scaled }
    };
    if clip {
        number_bound(arguments, move |x, bounds| held(scale(x, bounds)))
    } else {
        number_bound(arguments, scale)
    }
}

/// Between 0 and 1; written with comparisons that are false for NaN, which stays.
#[inline(always)]
fn held(x: f64) -> f64 {
    let raised = if x < 0.0 { 0.0 } else { x };
    if raised > 1.0 { 1.0 } else { raised }
}

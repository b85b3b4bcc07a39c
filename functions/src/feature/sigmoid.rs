//! `sigmoid`, its inverse `logit`, and logarithms that start at 0.

use super::CATEGORY;
use super::elements::over_elements;
use super::number_forms::{number_bound, number_forms};
use crate::kernel::transcendental as kernel;
use crate::lanes::slice;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new(
        "sigmoid",
        CATEGORY,
        "1 / (1 + e to the minus x), or that of each element of a list.",
    )
    .note("A FLOAT is computed in DOUBLE and rounded once.")
    .example("sigmoid(0)", "0.5");
    registry.register_scalar(number_forms(function, &[], &[], |arguments| {
        Ok(match &arguments.types[0] {
            Type::Float32 => Bound::lanes(Type::Float32, slice(kernel::sigmoid_f32)),
            Type::Float64 => Bound::lanes(Type::Float64, slice(kernel::sigmoid)),
            list if list.element() == Some(&Type::Float32) => {
                over_elements(list, Type::Float32, kernel::sigmoid_f32)
            }
            list => over_elements(list, Type::Float64, kernel::sigmoid),
        })
    }));
    let function = ScalarFunction::new("logit", CATEGORY, "ln(x / (1 - x)), the inverse of sigmoid, or that of each element of a list.")
        .note("-inf for 0, inf for 1, NaN outside of them. With epsilon, x is first held between epsilon and 1 - epsilon.")
        .note("A FLOAT is computed in DOUBLE and rounded once.")
        .example("logit(0.5)", "0.0")
        .example("logit(0, 0.5)", "0.0");
    let function =
        number_forms(function, &[], &[], |arguments| Ok(number_bound(arguments, |x, []: [f64; 0]| logit(x))));
    registry.register_scalar(number_forms(function, &["epsilon"], &[], |arguments| {
        Ok(number_bound(arguments, |x, [epsilon]: [f64; 1]| logit(hold(x, epsilon))))
    }));
    let function = ScalarFunction::new(
        "signed_log1p",
        CATEGORY,
        "log1p of the magnitude, with the sign of x, or that of each element of a list.",
    )
    .example("signed_log1p(0)", "0.0");
    registry.register_scalar(number_forms(function, &[], &[], |arguments| {
        Ok(number_bound(arguments, |x, []: [f64; 0]| kernel::log1p_one(x.abs()).copysign(x)))
    }));
    let function = ScalarFunction::new(
        "log1p_clip",
        CATEGORY,
        "log1p of a number that is raised to 0 first, or that of each element of a list.",
    )
    .note("The dense recipe of click logs: 0 for negative numbers; NaN stays NaN.")
    .example("log1p_clip(-2)", "0.0")
    .example("log1p_clip([0.0, -1.0])", "[0.0, 0.0]");
    registry.register_scalar(number_forms(function, &[], &[], |arguments| {
        Ok(number_bound(arguments, |x, []: [f64; 0]| kernel::log1p_one(if x < 0.0 { 0.0 } else { x })))
    }));
}

#[inline(always)]
fn logit(x: f64) -> f64 {
    kernel::ln_one(x / (1.0 - x))
}

/// Comparisons that are false for NaN, which stays.
#[inline(always)]
fn hold(x: f64, epsilon: f64) -> f64 {
    let raised = if x < epsilon { epsilon } else { x };
    if raised > 1.0 - epsilon { 1.0 - epsilon } else { raised }
}

//! The power transforms of Box and Cox and of Yeo and Johnson.

use super::CATEGORY;
use super::number_forms::{number_bound, number_forms};
use crate::kernel::transcendental::{expm1_one, ln_one, log1p_one};
use crate::registry::Registry;
use crate::scalar::ScalarFunction;

pub(super) fn register(registry: &mut Registry) {
    let summary =
        "(x to the power lambda - 1) / lambda, and ln(x) for lambda 0; of a list that of each element.";
    let function = ScalarFunction::new("boxcox", CATEGORY, summary)
        .note("NaN for x below 0. A FLOAT is computed in DOUBLE and rounded once. Source: Box and Cox, 1964.")
        .example("boxcox(4, 0.5)", "2.0")
        .example("boxcox(1, 0)", "0.0");
    registry.register_scalar(number_forms(function, &["lambda"], &[], |arguments| {
        Ok(number_bound(arguments, |x, [lambda]: [f64; 1]| boxcox(x, lambda)))
    }));
    let summary = "The Box-Cox transform extended to negative numbers; of a list that of each element.";
    let function = ScalarFunction::new("yeo_johnson", CATEGORY, summary)
        .note("For x >= 0 it is boxcox(x + 1, lambda), below 0 it is -boxcox(1 - x, 2 - lambda). Source: Yeo and Johnson, 2000.")
        .example("yeo_johnson(3, 1)", "3.0")
        .example("yeo_johnson(-3, 1)", "-3.0");
    registry.register_scalar(number_forms(function, &["lambda"], &[], |arguments| {
        Ok(number_bound(arguments, |x, [lambda]: [f64; 1]| yeo_johnson(x, lambda)))
    }));
}

/// Computed from the logarithm by `expm1`, which loses no digits for a small lambda.
#[inline(always)]
fn of_logarithm(logarithm: f64, lambda: f64) -> f64 {
    if lambda == 0.0 { logarithm } else { expm1_one(lambda * logarithm) / lambda }
}

#[inline(always)]
fn boxcox(x: f64, lambda: f64) -> f64 {
    // At 0 with a lambda above 0 the logarithm is -inf and the result -1 / lambda, as it should be.
    of_logarithm(ln_one(x), lambda)
}

/// Below 0 the argument and lambda are mirrored and the result is turned, so that one formula is computed and not two.
#[inline(always)]
fn yeo_johnson(x: f64, lambda: f64) -> f64 {
    let (magnitude, lambda, sign) = if x < 0.0 { (-x, 2.0 - lambda, -1.0) } else { (x, lambda, 1.0) };
    sign * of_logarithm(log1p_one(magnitude), lambda)
}

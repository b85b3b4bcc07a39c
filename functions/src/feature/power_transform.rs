//! The power transforms of Box and Cox and of Yeo and Johnson.

use super::CATEGORY;
use crate::kernel::transcendental::{expm1_one, ln_one, log1p_one};
use crate::lanes::binary;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        function("boxcox", "(x to the power lambda - 1) / lambda, and ln(x) for lambda 0.", boxcox)
            .note("NaN for x below 0. Source: Box and Cox, 1964.")
            .example("boxcox(4, 0.5)", "2.0")
            .example("boxcox(1, 0)", "0.0"),
    );
    registry.register_scalar(
        function("yeo_johnson", "The Box-Cox transform extended to negative numbers.", yeo_johnson)
            .note("For x >= 0 it is boxcox(x + 1, lambda), below 0 it is -boxcox(1 - x, 2 - lambda). Source: Yeo and Johnson, 2000.")
            .example("yeo_johnson(3, 1)", "3.0")
            .example("yeo_johnson(-3, 1)", "-3.0"),
    );
}

fn function(name: &str, summary: &str, function: fn(f64, f64) -> f64) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .overload([exact("x", Type::Float32), exact("lambda", Type::Float32)], move |_| {
            let single = move |x: f32, lambda: f32| function(f64::from(x), f64::from(lambda)) as f32;
            Ok(Bound::lanes(Type::Float32, binary(single)))
        })
        .overload([exact("x", Type::Float64), exact("lambda", Type::Float64)], move |_| {
            Ok(Bound::lanes(Type::Float64, binary(function)))
        })
}

/// Computed from the logarithm by `expm1`, which loses no digits for a small lambda.
fn of_logarithm(logarithm: f64, lambda: f64) -> f64 {
    if lambda == 0.0 { logarithm } else { expm1_one(lambda * logarithm) / lambda }
}

fn boxcox(x: f64, lambda: f64) -> f64 {
    // At 0 with a lambda above 0 the logarithm is -inf and the result -1 / lambda, as it should be.
    of_logarithm(ln_one(x), lambda)
}

fn yeo_johnson(x: f64, lambda: f64) -> f64 {
    if x < 0.0 { -of_logarithm(log1p_one(-x), 2.0 - lambda) } else { of_logarithm(log1p_one(x), lambda) }
}

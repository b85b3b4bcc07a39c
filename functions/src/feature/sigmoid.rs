//! `sigmoid`, its inverse `logit`, and the softened sign `signed_log1p`.

use super::CATEGORY;
use crate::kernel::transcendental as kernel;
use crate::lanes::{binary, slice, unary};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("sigmoid", CATEGORY, "1 / (1 + e to the minus x).")
            .note("A FLOAT is computed in DOUBLE and rounded once.")
            .example("sigmoid(0)", "0.5")
            .overload([exact("x", Type::Float32)], |_| {
                Ok(Bound::lanes(Type::Float32, slice(kernel::sigmoid_f32)))
            })
            .overload([exact("x", Type::Float64)], |_| {
                Ok(Bound::lanes(Type::Float64, slice(kernel::sigmoid)))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new("logit", CATEGORY, "ln(x / (1 - x)), the inverse of sigmoid.")
            .note("-inf for 0, inf for 1, NaN outside of them. With epsilon, x is first held between epsilon and 1 - epsilon.")
            .example("logit(0.5)", "0.0")
            .example("logit(0, 0.5)", "0.0")
            .overload([exact("x", Type::Float32)], |_| {
                Ok(Bound::lanes(Type::Float32, unary(|x: f32| logit(f64::from(x)) as f32)))
            })
            .overload([exact("x", Type::Float64)], |_| Ok(Bound::lanes(Type::Float64, unary(logit))))
            .overload([exact("x", Type::Float32), exact("epsilon", Type::Float32)], |_| {
                let function = |x: f32, epsilon: f32| {
                    let (x, epsilon) = (f64::from(x), f64::from(epsilon));
                    logit(hold(x, epsilon)) as f32
                };
                Ok(Bound::lanes(Type::Float32, binary(function)))
            })
            .overload([exact("x", Type::Float64), exact("epsilon", Type::Float64)], |_| {
                Ok(Bound::lanes(Type::Float64, binary(|x: f64, epsilon: f64| logit(hold(x, epsilon)))))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new("signed_log1p", CATEGORY, "log1p of the magnitude, with the sign of x.")
            .example("signed_log1p(0)", "0.0")
            .overload([exact("x", Type::Float32)], |_| {
                Ok(Bound::lanes(Type::Float32, unary(|x: f32| kernel::log1p_f32_one(x.abs()).copysign(x))))
            })
            .overload([exact("x", Type::Float64)], |_| {
                Ok(Bound::lanes(Type::Float64, unary(|x: f64| kernel::log1p_one(x.abs()).copysign(x))))
            }),
    );
}

fn logit(x: f64) -> f64 {
    kernel::ln_one(x / (1.0 - x))
}

/// Comparisons that are false for NaN, which stays.
fn hold(x: f64, epsilon: f64) -> f64 {
    let raised = if x < epsilon { epsilon } else { x };
    if raised > 1.0 - epsilon { 1.0 - epsilon } else { raised }
}

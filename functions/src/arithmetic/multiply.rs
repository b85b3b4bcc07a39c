//! The operator `*`.

use super::integer::{self, Operation};
use super::{CATEGORY, decimal, temporal};
use crate::kernel::whole_arithmetic::Multiply;
use crate::lanes::{Arithmetic, arithmetic};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

impl Operation for Multiply {
    const SYMBOL: &'static str = "*";
    const OPERATOR: Arithmetic = Arithmetic::Multiply;
}

pub(super) fn function() -> ScalarFunction {
    let function =
        ScalarFunction::new("*", CATEGORY, "Product of two numbers, or of an interval and a number.")
            .alias("multiply")
            .note("Integers keep their type, and overflow is an error; floats follow IEEE 754.")
            .note("A decimal product has the digits and the scale of both operands together, at most 38.")
            .example("6 * 7", "42")
            .example("1.5 * 2", "3.0")
            .example("interval 1 month * 1.5", "1 month 15 days");
    let function = integer::forms::<Multiply>(function)
        .overload([exact("left", Type::Float32), exact("right", Type::Float32)], |_| {
            Ok(Bound::lanes(Type::Float32, arithmetic::<f32>(Arithmetic::Multiply)))
        })
        .overload([exact("left", Type::Float64), exact("right", Type::Float64)], |_| {
            Ok(Bound::lanes(Type::Float64, arithmetic::<f64>(Arithmetic::Multiply)))
        });
    temporal::product_forms(decimal::product_forms(function))
}

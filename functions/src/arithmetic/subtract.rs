//! The operator `-` between two operands.

use super::integer::{self, Operation};
use super::{CATEGORY, decimal, temporal};
use crate::kernel::whole_arithmetic::Subtract;
use crate::lanes::{Arithmetic, arithmetic};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

impl Operation for Subtract {
    const SYMBOL: &'static str = "-";
    const OPERATOR: Arithmetic = Arithmetic::Subtract;
}

pub(super) fn function() -> ScalarFunction {
    let function = ScalarFunction::new("-", CATEGORY, "Difference of two numbers, dates or timestamps.")
        .alias("subtract")
        .note("Integers keep their type, and overflow is an error; floats follow IEEE 754.")
        .note("DATE - DATE is a number of days, TIMESTAMP - TIMESTAMP an interval of days and time.")
        .example("1 - 2", "-1")
        .example("date '2024-03-01' - date '2024-02-01'", "29")
        .example("timestamp '2024-01-02 12:00:00' - timestamp '2024-01-01 10:00:00'", "1 day 02:00:00");
    let function = integer::forms::<Subtract>(function)
        .overload([exact("left", Type::Float32), exact("right", Type::Float32)], |_| {
            Ok(Bound::lanes(Type::Float32, arithmetic::<f32>(Arithmetic::Subtract)))
        })
        .overload([exact("left", Type::Float64), exact("right", Type::Float64)], |_| {
            Ok(Bound::lanes(Type::Float64, arithmetic::<f64>(Arithmetic::Subtract)))
        });
    temporal::difference_forms(decimal::sum_forms(function, "-", true))
}

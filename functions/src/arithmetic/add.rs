//! The operator `+`.

use super::integer::{self, Operation};
use super::{CATEGORY, decimal, temporal};
use crate::kernel::whole_arithmetic::Add;
use crate::lanes::{Arithmetic, arithmetic};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

impl Operation for Add {
    const SYMBOL: &'static str = "+";
    const OPERATOR: Arithmetic = Arithmetic::Add;
}

pub(super) fn function() -> ScalarFunction {
    let function = ScalarFunction::new(
        "+",
        CATEGORY,
        "Sum of two numbers; a date, time or timestamp moved by an interval or by days.",
    )
    .alias("add")
    .note("Integers keep their type, and overflow is an error; floats follow IEEE 754.")
    .note("A decimal sum has the larger scale and one digit more; DATE + INTERVAL is a TIMESTAMP.")
    .note("Months are added first and clip to the last day of the month, then days, then time.")
    .example("1 + 2", "3")
    .example("1.5 + 2", "3.5")
    .example("date '2024-01-31' + interval 1 month", "2024-02-29 00:00:00");
    let function = integer::forms::<Add>(function)
        .overload([exact("left", Type::Float32), exact("right", Type::Float32)], |_| {
            Ok(Bound::lanes(Type::Float32, arithmetic::<f32>(Arithmetic::Add)))
        })
        .overload([exact("left", Type::Float64), exact("right", Type::Float64)], |_| {
            Ok(Bound::lanes(Type::Float64, arithmetic::<f64>(Arithmetic::Add)))
        });
    temporal::sum_forms(decimal::sum_forms(function, "+", false))
}

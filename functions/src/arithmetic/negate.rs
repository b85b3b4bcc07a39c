//! The operator `-` before an operand.

use arrow::datatypes::IntervalMonthDayNano;

use super::{CATEGORY, checked_unary};
use crate::cast::text::write_interval;
use crate::error::Error;
use crate::lanes::{Outcome, partial_unary, unary};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

macro_rules! integer_forms {
    ($function:expr, $($rust:ty => $variant:ident),*) => {
        $function$(.overload([exact("x", Type::$variant)], |_| {
            let error = |x: $rust| out_of_range(format!("-({x})"), Type::$variant);
            Ok(Bound::lanes(Type::$variant, checked_unary(<$rust>::overflowing_neg, error)))
        }))*
    };
}

pub(super) fn function() -> ScalarFunction {
    let function = ScalarFunction::new("negate", CATEGORY, "The number or interval with the opposite sign.")
        .note("The least integer of a type, and every unsigned integer but 0, has no negative: an error.")
        .example("negate(5)", "-5")
        .example("-(1.5)", "-1.5");
    // Expands to one form for each integer type.
    integer_forms!(
        function, i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64
    )
    .overload([exact("x", Type::Float32)], |_| Ok(Bound::lanes(Type::Float32, unary(|x: f32| -x))))
    .overload([exact("x", Type::Float64)], |_| Ok(Bound::lanes(Type::Float64, unary(|x: f64| -x))))
    .overload([parameter("x", Pattern::Decimal)], |arguments| {
        let kernel = match arguments.types[0].is_narrow_decimal() {
            true => unary(i64::wrapping_neg),
            false => unary(i128::wrapping_neg),
        };
        Ok(Bound::lanes(arguments.types[0].clone(), kernel))
    })
    .overload([exact("x", Type::Interval)], |_| {
        let function = |x: IntervalMonthDayNano| {
            let parts = (x.months.checked_neg(), x.days.checked_neg(), x.nanoseconds.checked_neg());
            match parts {
                (Some(months), Some(days), Some(nanoseconds)) => {
                    Outcome::Value(IntervalMonthDayNano::new(months, days, nanoseconds))
                }
                _ => Outcome::Failed,
            }
        };
        let error = |x: IntervalMonthDayNano| {
            let mut text = String::from("-");
            // Writing to a String cannot fail.
            let _ = write_interval(x, &mut text);
            out_of_range(text, Type::Interval)
        };
        Ok(Bound::lanes(Type::Interval, partial_unary(function, error)))
    })
}

fn out_of_range(detail: String, target: Type) -> Error {
    Error::OutOfRange { operation: "negate", detail, target }
}

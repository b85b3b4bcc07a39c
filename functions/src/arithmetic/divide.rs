//! The operators `/`, `//` and `%`.

use super::{CATEGORY, decimal, overflow, temporal};
use crate::error::Error;
use crate::lanes::{Arithmetic, Outcome, arithmetic, binary, over_digits, partial_binary};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

pub(super) fn divide() -> ScalarFunction {
    let function = ScalarFunction::new(
        "/",
        CATEGORY,
        "Quotient of two numbers as a float, or an interval divided by a number.",
    )
    .note("Integers and decimals are divided as DOUBLE; a zero divisor gives infinity or NaN, by IEEE 754.")
    .example("7 / 2", "3.5")
    .example("1 / 0", "inf");
    let function = function
        .overload([exact("left", Type::Float32), exact("right", Type::Float32)], |_| {
            Ok(Bound::lanes(Type::Float32, arithmetic::<f32>(Arithmetic::Divide)))
        })
        .overload([exact("left", Type::Float64), exact("right", Type::Float64)], |_| {
            Ok(Bound::lanes(Type::Float64, arithmetic::<f64>(Arithmetic::Divide)))
        });
    temporal::quotient_forms(function)
}

fn by_zero(operation: &'static str) -> Error {
    Error::DivisionByZero { operation }
}

macro_rules! integer_forms {
    ($function:expr, $symbol:literal, $method:ident, $($rust:ty => $variant:ident),*) => {
        $function$(.overload([exact("left", Type::$variant), exact("right", Type::$variant)], |_| {
            Ok(Bound::lanes(
                Type::$variant,
                partial_binary(
                    |a: $rust, b: $rust| a.$method(b).map_or(Outcome::Failed, Outcome::Value),
                    |a, b| match b {
                        0 => by_zero($symbol),
                        b => overflow($symbol, a, b, Type::$variant),
                    },
                ),
            ))
        }))*
    };
}

// Expands to one form for each integer type, which fails where the method answers `None`.
macro_rules! all_integer_forms {
    ($function:expr, $symbol:literal, $method:ident) => {
        integer_forms!(
            $function, $symbol, $method, i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16,
            u32 => UInt32, u64 => UInt64
        )
    };
}

pub(super) fn divide_whole() -> ScalarFunction {
    let function = ScalarFunction::new("//", CATEGORY, "Quotient of two integers, cut toward zero.")
        .alias("divide")
        .note("A zero divisor is an error, also for floats, whose quotient is not cut.")
        .note("Overflow (the least integer divided by -1) is an error.")
        .example("7 // 2", "3")
        .example("-7 // 2", "-3");
    let mut function = all_integer_forms!(function, "//", checked_div);
    // No integer type holds both of a pair of 64-bit integers that differ in sign.
    for pair in [[Type::HUGEINT, Type::HUGEINT], [Type::UInt64, Type::Int64], [Type::Int64, Type::UInt64]] {
        let [left, right] = pair;
        function = function.overload([exact("left", left), exact("right", right)], |_| {
            let divide = |a: i128, b: i128| a.checked_div(b).map_or(Outcome::Failed, Outcome::Value);
            Ok(Bound::lanes(
                Type::HUGEINT,
                over_digits::<i128>(partial_binary(divide, |_, _| by_zero("//")), [true; 2], false),
            ))
        });
    }
    function
        .overload([exact("left", Type::Float32), exact("right", Type::Float32)], |_| {
            Ok(Bound::lanes(
                Type::Float32,
                partial_binary(
                    |a: f32, b: f32| if b == 0.0 { Outcome::Failed } else { Outcome::Value(a / b) },
                    |_, _| by_zero("//"),
                ),
            ))
        })
        .overload([exact("left", Type::Float64), exact("right", Type::Float64)], |_| {
            Ok(Bound::lanes(
                Type::Float64,
                partial_binary(
                    |a: f64, b: f64| if b == 0.0 { Outcome::Failed } else { Outcome::Value(a / b) },
                    |_, _| by_zero("//"),
                ),
            ))
        })
}

pub(super) fn remainder() -> ScalarFunction {
    let function =
        ScalarFunction::new("%", CATEGORY, "Remainder of a division, with the sign of the dividend.")
            .alias("mod")
            .note("A zero divisor is an error for integers and decimals, and gives NaN for floats.")
            .note("positive_modulus has the sign of the divisor.")
            .example("7 % 3", "1")
            .example("-7 % 3", "-1");
    let function = all_integer_forms!(function, "%", checked_rem)
        .overload([exact("left", Type::Float32), exact("right", Type::Float32)], |_| {
            Ok(Bound::lanes(Type::Float32, binary(|a: f32, b: f32| a % b)))
        })
        .overload([exact("left", Type::Float64), exact("right", Type::Float64)], |_| {
            Ok(Bound::lanes(Type::Float64, binary(|a: f64, b: f64| a % b)))
        });
    decimal::remainder_forms(function)
}

//! Factorials, divisors and bit counts.

use super::CATEGORY;
use crate::arithmetic::checked_unary;
use crate::error::Error;
use crate::lanes::{Lane, Outcome, partial_binary, unary};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Largest number whose factorial has at most 38 digits.
const FACTORIAL_MAX: i32 = 33;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("factorial", CATEGORY, "Product of the whole numbers up to x.")
            .note("Numbers below 0 and above 33 are errors.")
            .example("factorial(5)", "120")
            .overload([exact("x", Type::Int32)], |_| {
                let function = |x: i32| (factorial(x).unwrap_or(0), factorial(x).is_none());
                Ok(Bound::lanes(
                    Type::HUGEINT,
                    checked_unary(function, |x| out_of_range("factorial", x, Type::HUGEINT)),
                ))
            }),
    );
    registry.register_scalar(
        pair("gcd", "Greatest common divisor of two integers.", |a, b| i128::try_from(gcd(a, b)).ok())
            .alias("greatest_common_divisor")
            .note("Never negative; gcd(0, 0) is 0.")
            .example("gcd(12, 18)", "6"),
    );
    registry.register_scalar(
        pair("lcm", "Least common multiple of two integers.", |a, b| match gcd(a, b) {
            0 => Some(0),
            divisor => i128::try_from((a.unsigned_abs() / divisor).checked_mul(b.unsigned_abs())?).ok(),
        })
        .alias("least_common_multiple")
        .note("Never negative; 0 if one of them is 0.")
        .example("lcm(4, 6)", "12"),
    );
    registry.register_scalar(
        ScalarFunction::new("binom", CATEGORY, "Number of ways to choose k of n things.")
            .note("0 where k is below 0 or above n; a negative n and results of more than 38 digits are errors.")
            .example("binom(5, 2)", "10")
            .overload([exact("n", Type::Int32), exact("k", Type::Int32)], |_| {
                let function = |n: i32, k: i32| binom(n, k).map_or(Outcome::Failed, Outcome::Value);
                let error = |n: i32, k: i32| out_of_range("binom", format!("binom({n}, {k})"), Type::HUGEINT);
                Ok(Bound::lanes(Type::HUGEINT, partial_binary(function, error)))
            }),
    );
    let function =
        ScalarFunction::new("bit_count", "bit", "Number of set bits.").example("bit_count(7)", "3");
    let function = bits_form(function, Type::Int8, |x: i8| x.count_ones());
    let function = bits_form(function, Type::Int16, |x: i16| x.count_ones());
    let function = bits_form(function, Type::Int32, |x: i32| x.count_ones());
    let function = bits_form(function, Type::Int64, |x: i64| x.count_ones());
    let function = bits_form(function, Type::UInt8, |x: u8| x.count_ones());
    let function = bits_form(function, Type::UInt16, |x: u16| x.count_ones());
    let function = bits_form(function, Type::UInt32, |x: u32| x.count_ones());
    let function = bits_form(function, Type::UInt64, |x: u64| x.count_ones());
    registry.register_scalar(bits_form(function, Type::HUGEINT, |x: i128| x.count_ones()));
}

fn factorial(x: i32) -> Option<i128> {
    (0..=FACTORIAL_MAX).contains(&x).then(|| (1..=i128::from(x)).product())
}

/// Pascal's number, by the product that stays whole after each factor.
fn binom(n: i32, k: i32) -> Option<i128> {
    if n < 0 {
        return None;
    }
    if k < 0 || k > n {
        return Some(0);
    }
    let limit = crate::cast::decimal::limit(38);
    let mut value = 1i128;
    for step in 1..=i128::from(k.min(n - k)) {
        value = value.checked_mul(i128::from(n) - step + 1)? / step;
        if value >= limit {
            return None;
        }
    }
    Some(value)
}

/// Euclid's algorithm on magnitudes.
fn gcd(a: i128, b: i128) -> u128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        // Division in 64 bits costs a fraction of that in 128.
        (a, b) = match (u64::try_from(a), u64::try_from(b)) {
            (Ok(narrow), Ok(divisor)) => (b, u128::from(narrow % divisor)),
            _ => (b, a % b),
        };
    }
    a
}

/// A function of two integers, as BIGINT and as HUGEINT.
fn pair(name: &'static str, summary: &str, function: fn(i128, i128) -> Option<i128>) -> ScalarFunction {
    let limit = crate::cast::decimal::limit(38);
    ScalarFunction::new(name, CATEGORY, summary)
        .overload([exact("a", Type::Int64), exact("b", Type::Int64)], move |_| {
            let narrow = move |a: i64, b: i64| {
                let value = function(a.into(), b.into()).and_then(|value| i64::try_from(value).ok());
                value.map_or(Outcome::Failed, Outcome::Value)
            };
            let error = move |a: i64, b: i64| out_of_range(name, format!("{name}({a}, {b})"), Type::Int64);
            Ok(Bound::lanes(Type::Int64, partial_binary(narrow, error)))
        })
        .overload([exact("a", Type::HUGEINT), exact("b", Type::HUGEINT)], move |_| {
            let wide = move |a: i128, b: i128| {
                let value = function(a, b).filter(|&value| value < limit);
                value.map_or(Outcome::Failed, Outcome::Value)
            };
            let error =
                move |a: i128, b: i128| out_of_range(name, format!("{name}({a}, {b})"), Type::HUGEINT);
            Ok(Bound::lanes(Type::HUGEINT, partial_binary(wide, error)))
        })
}

fn bits_form<T: Lane>(
    function: ScalarFunction,
    data_type: Type,
    count: impl Fn(T) -> u32 + Copy + Send + Sync + 'static,
) -> ScalarFunction {
    function.overload([exact("x", data_type)], move |_| {
        Ok(Bound::lanes(Type::Int8, unary(move |x: T| count(x) as i8)))
    })
}

fn out_of_range(operation: &'static str, detail: impl std::fmt::Display, target: Type) -> Error {
    Error::OutOfRange { operation, detail: detail.to_string(), target }
}

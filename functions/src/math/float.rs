//! Tests and steps of floats, and the remainders of division toward minus infinity.

use super::CATEGORY;
use super::round::Round;
use crate::date::calendar::{is_finite_date, is_finite_timestamp};
use crate::lanes::{Lane, binary, unary};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{TimeUnit, Type};

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        test("isnan", "True for NaN.", f32::is_nan, f64::is_nan).example("isnan('nan'::double)", "true"),
    );
    let infinite =
        test("isinf", "True for infinite numbers, dates and timestamps.", f32::is_infinite, f64::is_infinite);
    registry.register_scalar(
        temporal(infinite, |days| !is_finite_date(days), |ticks| !is_finite_timestamp(ticks))
            .example("isinf('-inf'::double)", "true"),
    );
    let finite = test(
        "isfinite",
        "True for numbers, dates and timestamps that are neither infinite nor NaN.",
        f32::is_finite,
        f64::is_finite,
    );
    registry.register_scalar(
        temporal(finite, is_finite_date, is_finite_timestamp).example("isfinite(1.5)", "true"),
    );
    registry.register_scalar(
        test(
            "signbit",
            "True if the sign is minus, also of -0.",
            f32::is_sign_negative,
            f64::is_sign_negative,
        )
        .example("signbit(-0.0)", "false")
        .example("signbit('-0.0'::double)", "true"),
    );
    registry.register_scalar(
        ScalarFunction::new("nextafter", CATEGORY, "The next float after x in the direction of y.")
            .example("nextafter(1::double, 2)", "1.0000000000000002")
            .overload([exact("x", Type::Float32), exact("y", Type::Float32)], |_| {
                Ok(Bound::lanes(Type::Float32, binary(next_single)))
            })
            .overload([exact("x", Type::Float64), exact("y", Type::Float64)], |_| {
                Ok(Bound::lanes(Type::Float64, binary(next_double)))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new("even", CATEGORY, "The next even number away from zero.")
            .example("even(2.9)", "4.0")
            .overload([exact("x", Type::Float64)], |_| {
                let function = |x: f64| ((x.abs().up() / 2.0).up() * 2.0).copysign(x);
                Ok(Bound::lanes(Type::Float64, unary(function)))
            }),
    );
    registry.register_scalar(
        pair(
            "fdiv",
            "Quotient rounded down to a whole number.",
            |x, y| (x / y).down(),
            |x, y| (x / y).down(),
        )
        .example("fdiv(-7, 2)", "-4.0"),
    );
    registry.register_scalar(
        pair(
            "fmod",
            "Remainder of fdiv, with the sign of the divisor.",
            |x, y| x - y * (x / y).down(),
            |x, y| x - y * (x / y).down(),
        )
        .example("fmod(-7, 2)", "1.0"),
    );
    registry.register_scalar(
        single("degrees", "Radians as degrees.", |x| x * (180.0 / std::f64::consts::PI))
            .example("degrees(pi())", "180.0"),
    );
    registry.register_scalar(
        single("radians", "Degrees as radians.", |x| x * (std::f64::consts::PI / 180.0))
            .example("radians(180)", "3.141592653589793"),
    );
}

fn test(name: &str, summary: &str, on_single: fn(f32) -> bool, on_double: fn(f64) -> bool) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .overload([exact("x", Type::Float32)], move |_| Ok(Bound::lanes(Type::Boolean, unary(on_single))))
        .overload([exact("x", Type::Float64)], move |_| Ok(Bound::lanes(Type::Boolean, unary(on_double))))
}

fn temporal(
    function: ScalarFunction,
    on_date: fn(i32) -> bool,
    on_timestamp: fn(i64) -> bool,
) -> ScalarFunction {
    fn form<T: Lane>(function: ScalarFunction, data_type: Type, test: fn(T) -> bool) -> ScalarFunction {
        function.overload([exact("x", data_type)], move |_| Ok(Bound::lanes(Type::Boolean, unary(test))))
    }
    let mut function = form(function, Type::Date, on_date);
    for unit in [TimeUnit::Microsecond, TimeUnit::Nanosecond, TimeUnit::Millisecond, TimeUnit::Second] {
        function = form(function, Type::Timestamp(unit), on_timestamp);
    }
    form(function, Type::TimestampTz, on_timestamp)
}

fn pair(
    name: &str,
    summary: &str,
    on_single: fn(f32, f32) -> f32,
    on_double: fn(f64, f64) -> f64,
) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .overload([exact("x", Type::Float32), exact("y", Type::Float32)], move |_| {
            Ok(Bound::lanes(Type::Float32, binary(on_single)))
        })
        .overload([exact("x", Type::Float64), exact("y", Type::Float64)], move |_| {
            Ok(Bound::lanes(Type::Float64, binary(on_double)))
        })
}

fn single(name: &str, summary: &str, function: fn(f64) -> f64) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .overload([exact("x", Type::Float64)], move |_| Ok(Bound::lanes(Type::Float64, unary(function))))
}

fn next_single(x: f32, y: f32) -> f32 {
    match x.partial_cmp(&y) {
        Some(std::cmp::Ordering::Less) => x.next_up(),
        Some(std::cmp::Ordering::Greater) => x.next_down(),
        Some(std::cmp::Ordering::Equal) => y,
        None => f32::NAN,
    }
}

fn next_double(x: f64, y: f64) -> f64 {
    match x.partial_cmp(&y) {
        Some(std::cmp::Ordering::Less) => x.next_up(),
        Some(std::cmp::Ordering::Greater) => x.next_down(),
        Some(std::cmp::Ordering::Equal) => y,
        None => f64::NAN,
    }
}

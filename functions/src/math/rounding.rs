//! `round`, `round_even`, `ceil`, `floor` and `trunc`.

use super::CATEGORY;
use super::round::Round;
use crate::arithmetic::checked_unary;
use crate::cast::decimal::power_of_ten;
use crate::error::{Error, Result};
use crate::lanes::{Lane, Outcome, binary, over_digits, partial_binary, unary};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

/// Which neighbour a number goes to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Direction {
    HalfAway,
    HalfEven,
    Up,
    Down,
    TowardZero,
}

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("ceil", CATEGORY, "The next whole number above.")
        .alias("ceiling")
        .note("A decimal keeps its precision and loses its scale.")
        .example("ceil(1.2)", "2");
    registry.register_scalar(whole_forms(function, Direction::Up));
    let function = ScalarFunction::new("floor", CATEGORY, "The next whole number below.")
        .note("A decimal keeps its precision and loses its scale.")
        .example("floor(-1.5)", "-2");
    registry.register_scalar(whole_forms(function, Direction::Down));
    let function =
        ScalarFunction::new("trunc", CATEGORY, "The number cut toward zero, at a number of decimal places.")
            .note("Places count from the point; negative ones count to the left of it.")
            .example("trunc(-1.9)", "-1")
            .example("trunc(1299, -2)", "1200");
    registry.register_scalar(places_forms(
        whole_integers(whole_forms(function, Direction::TowardZero), true),
        Direction::TowardZero,
    ));
    let function = ScalarFunction::new("round", CATEGORY, "The nearest number at a number of decimal places, halves away from zero.")
        .note("Places count from the point; negative ones count to the left of it. Of a decimal they must be constant.")
        .note("A float is multiplied by the power of ten, rounded and divided again, all as DOUBLE or FLOAT.")
        .example("round(2.5)", "3")
        .example("round(1.25, 1)", "1.3")
        .example("round(1250, -2)", "1300");
    registry.register_scalar(places_forms(
        whole_integers(whole_forms(function, Direction::HalfAway), false),
        Direction::HalfAway,
    ));
    let function = ScalarFunction::new(
        "round_even",
        CATEGORY,
        "The nearest number at a number of decimal places, halves to the even neighbour.",
    )
    .alias("roundbankers")
    .example("round_even(2.5, 0)", "2");
    registry.register_scalar(places_forms(function, Direction::HalfEven));
}

fn round_float<T: Round>(direction: Direction, x: T) -> T {
    match direction {
        Direction::HalfAway => x.half_away(),
        Direction::HalfEven => x.half_even(),
        Direction::Up => x.up(),
        Direction::Down => x.down(),
        Direction::TowardZero => x.toward_zero(),
    }
}

/// The form of one argument over floats and decimals.
fn whole_forms(function: ScalarFunction, direction: Direction) -> ScalarFunction {
    function
        .overload([exact("x", Type::Float32)], move |_| {
            Ok(Bound::lanes(Type::Float32, float_kernel::<f32>(direction)))
        })
        .overload([exact("x", Type::Float64)], move |_| {
            Ok(Bound::lanes(Type::Float64, float_kernel::<f64>(direction)))
        })
        .overload([parameter("x", Pattern::Decimal)], move |arguments| bind_decimal(arguments, 0, direction))
}

// The direction is decided before the loop.
fn float_kernel<T: Round + Lane>(direction: Direction) -> std::sync::Arc<dyn crate::lanes::LaneKernel> {
    match direction {
        Direction::HalfAway => unary(|x: T| x.half_away()),
        Direction::HalfEven => unary(|x: T| x.half_even()),
        Direction::Up => unary(|x: T| x.up()),
        Direction::Down => unary(|x: T| x.down()),
        Direction::TowardZero => unary(|x: T| x.toward_zero()),
    }
}

/// Whole numbers stay as they are.
fn whole_integers(function: ScalarFunction, keeps_unsigned: bool) -> ScalarFunction {
    let function = unchanged::<i8>(
        unchanged::<i16>(unchanged::<i32>(unchanged::<i64>(function, Type::Int64), Type::Int32), Type::Int16),
        Type::Int8,
    );
    let function = unchanged::<u64>(function, Type::UInt64);
    if !keeps_unsigned {
        return function;
    }
    unchanged::<u8>(unchanged::<u16>(unchanged::<u32>(function, Type::UInt32), Type::UInt16), Type::UInt8)
}

fn unchanged<T: Lane>(function: ScalarFunction, data_type: Type) -> ScalarFunction {
    function.overload([exact("x", data_type.clone())], move |_| {
        Ok(Bound::lanes(data_type.clone(), unary(|x: T| x)))
    })
}

/// The forms with a number of places.
fn places_forms(function: ScalarFunction, direction: Direction) -> ScalarFunction {
    let places = || exact("places", Type::Int32);
    let function = function
        .overload([exact("x", Type::Float32), places()], move |_| {
            Ok(Bound::lanes(
                Type::Float32,
                binary(move |x: f32, places: i32| at_places(direction, f64::from(x), places) as f32),
            ))
        })
        .overload([exact("x", Type::Float64), places()], move |arguments| {
            bind_float_places(arguments, direction)
        })
        .overload([parameter("x", Pattern::Decimal), places()], move |arguments| {
            let places = arguments.constant(1)?.as_i64();
            bind_decimal(arguments, places.unwrap_or(0), direction)
        });
    let function =
        integer_places::<i8>(integer_places::<i16>(function, Type::Int16, direction), Type::Int8, direction);
    let function = integer_places::<i32>(
        integer_places::<i64>(function, Type::Int64, direction),
        Type::Int32,
        direction,
    );
    let function = integer_places::<u64>(function, Type::UInt64, direction);
    if direction != Direction::TowardZero {
        // The other unsigned integers become BIGINT, since rounding up may leave them.
        return function;
    }
    let function = integer_places::<u8>(
        integer_places::<u16>(function, Type::UInt16, direction),
        Type::UInt8,
        direction,
    );
    integer_places::<u32>(function, Type::UInt32, direction)
}

fn bind_float_places(arguments: &Arguments<'_>, direction: Direction) -> Result<Bound> {
    // With a known number of places the power of ten is found once, and the loop vectorizes.
    if let Some(places @ 0..=22) = arguments.known(1).and_then(|value| value.as_i64()) {
        let unit = power_of_ten(places as u32) as f64;
        let function = move |x: f64, _: i32| scaled(direction, x, unit);
        return Ok(Bound::lanes(Type::Float64, binary(function)));
    }
    Ok(Bound::lanes(Type::Float64, binary(move |x: f64, places: i32| at_places(direction, x, places))))
}

#[inline(always)]
fn scaled(direction: Direction, x: f64, unit: f64) -> f64 {
    let rounded = round_float(direction, x * unit) / unit;
    if rounded.is_finite() { rounded } else { x }
}

fn at_places(direction: Direction, x: f64, places: i32) -> f64 {
    if places >= 0 {
        return scaled(direction, x, unit_of(places));
    }
    let unit = unit_of(-places.max(-400));
    let rounded = round_float(direction, x / unit) * unit;
    match (x.is_finite(), rounded.is_finite()) {
        (false, _) => x,
        (true, false) => 0.0,
        (true, true) => rounded,
    }
}

/// The double nearest to a power of ten; beyond the type it is infinite.
fn unit_of(places: i32) -> f64 {
    match u32::try_from(places) {
        Ok(places @ 0..=38) => power_of_ten(places) as f64,
        Ok(places @ 39..=308) => format!("1e{places}").parse().unwrap_or(f64::INFINITY),
        _ => f64::INFINITY,
    }
}

/// A decimal keeps its precision; its scale becomes the number of places, at least 0.
fn bind_decimal(arguments: &Arguments<'_>, places: i64, direction: Direction) -> Result<Bound> {
    let Type::Decimal(precision, scale) = arguments.types[0] else {
        return Err(Error::internal("a decimal form without a decimal"));
    };
    let kept = places.clamp(0, i64::from(scale)) as i8;
    let result = Type::Decimal(precision, kept);
    let dropped = u32::try_from(i64::from(scale) - places.max(-40)).unwrap_or(0);
    // The kernels read the first input alone: the number of places is in them.
    let kernel = match dropped {
        0 => unary(|x: i128| x),
        39.. => unary(|_: i128| 0i128),
        _ => {
            let unit = power_of_ten(dropped);
            let shown = u32::try_from(-places).map_or(1, power_of_ten);
            unary(move |x: i128| round_whole(direction, x, unit).wrapping_mul(shown))
        }
    };
    let is_narrow = result.is_narrow_decimal();
    let kernel = if is_narrow { over_digits::<i128>(kernel, [true, false], true) } else { kernel };
    Ok(Bound::lanes(result, kernel))
}

/// The multiple of `unit` that the direction chooses, divided by it.
fn round_whole(direction: Direction, x: i128, unit: i128) -> i128 {
    let (quotient, rest) = (x / unit, x % unit);
    let away = quotient + x.signum();
    let twice = rest.unsigned_abs() * 2;
    let unit = unit.unsigned_abs();
    match direction {
        Direction::TowardZero => quotient,
        Direction::Up if rest > 0 => quotient + 1,
        Direction::Down if rest < 0 => quotient - 1,
        Direction::Up | Direction::Down => quotient,
        Direction::HalfAway if twice >= unit => away,
        Direction::HalfEven if twice > unit || (twice == unit && quotient % 2 != 0) => away,
        Direction::HalfAway | Direction::HalfEven => quotient,
    }
}

fn integer_places<T>(function: ScalarFunction, data_type: Type, direction: Direction) -> ScalarFunction
where
    T: Lane + Into<i128> + TryFrom<i128> + std::fmt::Display,
{
    function.overload([exact("x", data_type.clone()), exact("places", Type::Int32)], move |arguments| {
        let target = data_type.clone();
        let error = move |x: T, places: i32| Error::OutOfRange {
            operation: "round",
            detail: format!("{x} at {places} places"),
            target: target.clone(),
        };
        if arguments.known(1).and_then(|value| value.as_i64()).is_some_and(|places| places >= 0) {
            let kernel = checked_unary(|x: T| (x, false), |_| Error::internal("rounding to fractions fails"));
            return Ok(Bound::lanes(data_type.clone(), kernel));
        }
        let function = move |x: T, places: i32| {
            let digits = u32::try_from(-i64::from(places)).unwrap_or(0).min(38);
            let unit = power_of_ten(digits);
            let rounded = round_whole(direction, x.into(), unit).checked_mul(unit);
            rounded.and_then(|value| T::try_from(value).ok()).map_or(Outcome::Failed, Outcome::Value)
        };
        Ok(Bound::lanes(data_type.clone(), partial_binary(function, error)))
    })
}

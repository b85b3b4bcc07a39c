//! Casts from and to decimals; half of the last digit rounds away from zero.

use half::f16;

use super::Mode;
use super::conversion::{partial, total};
use super::number::{Integer, round_half_even};
use crate::scalar::Bound;
use crate::types::Type;

/// Most digits that fit 64 bits, where division costs a fraction of what it costs in 128.
pub(crate) const NARROW_PRECISION: u8 = Type::NARROW_DIGITS;

/// Ten to a power from 0 to 38.
pub(crate) const fn power_of_ten(exponent: u32) -> i128 {
    10i128.pow(exponent)
}

/// Scale as a power; negative scales have no casts.
fn digits_after_point(scale: i8) -> Option<u32> {
    u32::try_from(scale).ok().filter(|&scale| scale <= 38)
}

/// First magnitude that a precision does not hold.
pub(crate) fn limit(precision: u8) -> i128 {
    power_of_ten(u32::from(precision.min(38)))
}

/// The cast of whole numbers to a decimal: the unscaled value, and whether it does not fit.
pub(super) fn from_whole(
    precision: u8,
    scale: i8,
) -> Option<impl Fn(i128) -> (i128, bool) + Copy + Send + Sync> {
    let digits = digits_after_point(scale)?;
    let unit = power_of_ten(digits);
    let whole_limit = power_of_ten(u32::from(precision).saturating_sub(digits));
    Some(move |value: i128| (value.wrapping_mul(unit), value >= whole_limit || value <= -whole_limit))
}

/// The cast of doubles to a decimal.
pub(super) fn from_double(
    precision: u8,
    scale: i8,
) -> Option<impl Fn(f64) -> (i128, bool) + Copy + Send + Sync> {
    let unit = power_of_ten(digits_after_point(scale)?) as f64;
    let limit = limit(precision) as f64;
    // HUGEINT rounds as the other integers do.
    let is_integer = precision == 38 && scale == 0;
    Some(move |value: f64| {
        let rounded = if is_integer { round_half_even(value) } else { (value * unit).round() };
        (rounded as i128, !(rounded > -limit && rounded < limit))
    })
}

/// Divides and rounds half away from zero.
#[inline(always)]
pub(crate) fn divide_rounding(value: i128, divisor: i128) -> i128 {
    let half = divisor / 2;
    (if value < 0 { value - half } else { value + half }) / divisor
}

/// As [`divide_rounding`] for values and divisors of at most 18 digits.
#[inline(always)]
fn divide_rounding_narrow(value: i64, divisor: i64) -> i64 {
    let half = divisor / 2;
    (if value < 0 { value.wrapping_sub(half) } else { value.wrapping_add(half) }) / divisor
}

/// Casts between narrow decimals, and from them to doubles, that need no more than 64 bits; `None` for all others.
pub(super) fn narrow(from: &Type, to: &Type) -> Option<Bound> {
    let &Type::Decimal(precision, scale) = from else { return None };
    let digits = digits_after_point(scale)?;
    if !from.is_narrow_decimal() {
        return None;
    }
    match to {
        Type::Float64 if digits <= 18 => {
            let unit = power_of_ten(digits) as f64;
            Some(total(to, move |value: i64| value as f64 / unit))
        }
        &Type::Decimal(target_precision, target_scale) => {
            let added = digits_after_point(target_scale)?.checked_sub(digits)?;
            let fits = u32::from(precision) + added <= u32::from(target_precision);
            let factor = i64::try_from(power_of_ten(added)).ok()?;
            (fits && to.is_narrow_decimal()).then(|| total(to, move |value: i64| value.wrapping_mul(factor)))
        }
        _ => None,
    }
}

pub(super) fn from_decimal(
    from: &Type,
    (precision, scale): (u8, i8),
    to: &Type,
    mode: Mode,
) -> Option<Bound> {
    let unit = power_of_ten(digits_after_point(scale)?);
    Some(match to {
        Type::Boolean => total(to, |value: i128| value != 0),
        Type::Int8 => to_integer::<i8>(from, precision, unit, to, mode),
        Type::Int16 => to_integer::<i16>(from, precision, unit, to, mode),
        Type::Int32 => to_integer::<i32>(from, precision, unit, to, mode),
        Type::Int64 => to_integer::<i64>(from, precision, unit, to, mode),
        Type::UInt8 => to_integer::<u8>(from, precision, unit, to, mode),
        Type::UInt16 => to_integer::<u16>(from, precision, unit, to, mode),
        Type::UInt32 => to_integer::<u32>(from, precision, unit, to, mode),
        Type::UInt64 => to_integer::<u64>(from, precision, unit, to, mode),
        Type::Float16 => partial(from, to, mode, move |value: i128| {
            let narrowed = f16::from_f64(to_double(value, unit));
            (narrowed, narrowed.is_infinite())
        }),
        Type::Float32 => total(to, move |value: i128| to_double(value, unit) as f32),
        Type::Float64 => total(to, move |value: i128| to_double(value, unit)),
        &Type::Decimal(target_precision, target_scale) => {
            return between(from, (precision, scale), to, (target_precision, target_scale), mode);
        }
        _ => return None,
    })
}

fn to_integer<R: Integer>(from: &Type, precision: u8, unit: i128, to: &Type, mode: Mode) -> Bound {
    if unit == 1 {
        return partial(from, to, mode, |value: i128| R::narrow(value));
    }
    if precision <= NARROW_PRECISION {
        let unit = unit as i64;
        return partial(from, to, mode, move |value: i128| {
            R::narrow(i128::from(divide_rounding_narrow(value as i64, unit)))
        });
    }
    partial(from, to, mode, move |value: i128| R::narrow(divide_rounding(value, unit)))
}

/// Powers of ten up to this one are exact as doubles.
const EXACT_UNIT: i128 = power_of_ten(22);

/// The double nearest to an unscaled value divided by its unit, a power of ten.
#[inline(always)]
pub(crate) fn to_double(value: i128, unit: i128) -> f64 {
    if value.unsigned_abs() <= 1 << 53 && unit <= EXACT_UNIT {
        // A quotient of two exact doubles is rounded once.
        return value as f64 / unit as f64;
    }
    nearest_quotient(value, unit)
}

/// Units up to this one leave a quotient of at least 57 bits, with 64 behind the point, to values of more than 53.
const SHORT_UNIT: u128 = 10u128.pow(18);

/// [`to_double`] where one of the two is no double.
fn nearest_quotient(value: i128, unit: i128) -> f64 {
    let (digits, unit) = (value.unsigned_abs(), unit.unsigned_abs());
    if unit > SHORT_UNIT || digits <= 1 << 53 {
        return format!("{value}e-{}", unit.ilog10()).parse().unwrap_or(f64::NAN);
    }
    // The bits of the quotient that decide the rounding; the last one is set where any bit behind it is.
    let (whole, rest) = (digits / unit, digits % unit);
    let magnitude = if whole >> 63 != 0 {
        (whole | u128::from(rest != 0)) as f64
    } else {
        let shifted = rest << 64;
        let bits = (whole << 64) | (shifted / unit) | u128::from(!shifted.is_multiple_of(unit));
        bits as f64 / 2f64.powi(64)
    };
    if value < 0 { -magnitude } else { magnitude }
}

fn between(
    from: &Type,
    (precision, scale): (u8, i8),
    to: &Type,
    (target_precision, target_scale): (u8, i8),
    mode: Mode,
) -> Option<Bound> {
    let (digits, target_digits) = (digits_after_point(scale)?, digits_after_point(target_scale)?);
    if target_digits >= digits {
        let factor = power_of_ten(target_digits - digits);
        let value_limit = power_of_ten(u32::from(target_precision).saturating_sub(target_digits - digits));
        if u32::from(precision) + (target_digits - digits) <= u32::from(target_precision) {
            return Some(total(to, move |value: i128| value.wrapping_mul(factor)));
        }
        return Some(partial(from, to, mode, move |value: i128| {
            (value.wrapping_mul(factor), value >= value_limit || value <= -value_limit)
        }));
    }
    let factor = power_of_ten(digits - target_digits);
    let limit = limit(target_precision);
    if precision <= NARROW_PRECISION {
        let factor = factor as i64;
        return Some(partial(from, to, mode, move |value: i128| {
            let rounded = i128::from(divide_rounding_narrow(value as i64, factor));
            (rounded, rounded >= limit || rounded <= -limit)
        }));
    }
    Some(partial(from, to, mode, move |value: i128| {
        let rounded = divide_rounding(value, factor);
        (rounded, rounded >= limit || rounded <= -limit)
    }))
}

//! Integers, decimals and floats from text.

use std::str::FromStr;

use crate::cast::decimal::{limit, power_of_ten};

/// Integers that text is read as.
pub trait ParsedInteger: TryFrom<i128> + Copy {
    /// The value of a short run of digits, which always fits 64 bits.
    fn of_digits(value: i64) -> Option<Self>;
}

macro_rules! parsed_integers {
    ($($rust:ty),*) => {
        $(impl ParsedInteger for $rust {
            #[inline]
            fn of_digits(value: i64) -> Option<Self> { value.try_into().ok() }
        })*
    };
}
// One entry expands to the impl of `ParsedInteger` for one primitive.
parsed_integers!(i8, i16, i32, i64, u8, u16, u32, u64);

/// An integer: digits with single underscores between them, a fraction (half rounds away from zero)
/// or an exponent, hexadecimal after `0x` or binary after `0b`; blanks around it are ignored.
pub fn integer<T: ParsedInteger>(text: &str) -> Option<T> {
    if let Some(value) = short_digits(text.as_bytes()) {
        return T::of_digits(value);
    }
    T::try_from(long_integer(trim(text))?).ok()
}

fn long_integer(trimmed: &str) -> Option<i128> {
    match trimmed.get(..2) {
        Some("0x" | "0X") => of_radix(&trimmed[2..], 16),
        Some("0b" | "0B") => of_radix(&trimmed[2..], 2),
        _ => scaled(trimmed, 0),
    }
}

/// An optional minus and 1 to 18 digits, nothing else: the common case.
#[inline]
fn short_digits(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

fn of_radix(digits: &str, radix: u32) -> Option<i128> {
    if digits.starts_with(['+', '-']) {
        return None;
    }
    i128::from_str_radix(&without_underscores(digits)?, radix).ok()
}

/// A decimal, unscaled: as [`integer`] with `scale` digits after the point, half rounds away from zero.
pub fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let limit = limit(precision);
    let value = if scale == 0 { long_integer(trim(text)) } else { scaled(trim(text), i32::from(scale)) };
    value.filter(|value| (-limit + 1..limit).contains(value))
}

/// A float: digits with single underscores between them, a fraction, an exponent, `inf`, `infinity`
/// or `nan`; blanks around it are ignored. A magnitude beyond the type is infinite.
pub fn float<T: FromStr>(text: &str) -> Option<T> {
    let trimmed = trim(text);
    if trimmed.contains('_') {
        return without_underscores(trimmed)?.parse().ok();
    }
    trimmed.parse().ok()
}

fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_ascii_whitespace() || character == '\u{b}')
}

/// Removes underscores, each of which must stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let between_digits = |position: usize| {
        let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_hexdigit);
        position > 0 && digit(bytes.get(position - 1)) && digit(bytes.get(position + 1))
    };
    let misplaced =
        bytes.iter().enumerate().any(|(position, &byte)| byte == b'_' && !between_digits(position));
    (!misplaced).then(|| text.replace('_', ""))
}

/// Digits, point and exponent as a whole number of units of ten to the minus `scale`.
fn scaled(text: &str, scale: i32) -> Option<i128> {
    if text.contains('_') {
        return scaled(&without_underscores(text)?, scale);
    }
    let bytes = text.as_bytes();
    let (negative, bytes) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mark = bytes.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = match mark {
        Some(mark) => (&bytes[..mark], std::str::from_utf8(&bytes[mark + 1..]).ok()?.parse::<i32>().ok()?),
        None => (bytes, 0),
    };
    let (value, fraction_digits) = mantissa_value(mantissa)?;
    let shift = scale.checked_add(exponent)?.checked_sub(fraction_digits)?;
    let magnitude = if value == 0 {
        0
    } else if shift >= 0 {
        value.checked_mul(power_of_ten(u32::try_from(shift).ok().filter(|&shift| shift <= 38)?))?
    } else {
        match u32::try_from(-shift) {
            Ok(digits @ 0..=38) => {
                let divisor = power_of_ten(digits);
                value / divisor + i128::from(value % divisor >= divisor - divisor / 2)
            }
            _ => 0,
        }
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// The digits without their point, and how many of them were after it. Digits after the point that
/// do not fit 38 are dropped, which no rounding to a scale of at most 37 sees.
fn mantissa_value(bytes: &[u8]) -> Option<(i128, i32)> {
    let (mut value, mut fraction_digits, mut after_point, mut any) = (0i128, 0, false, false);
    for &byte in bytes {
        match byte {
            b'0'..=b'9' => {
                any = true;
                let digit = i128::from(byte - b'0');
                match value.checked_mul(10).and_then(|value| value.checked_add(digit)) {
                    Some(longer) => {
                        value = longer;
                        fraction_digits += i32::from(after_point);
                    }
                    None if after_point => {}
                    None => return None,
                }
            }
            b'.' if !after_point => after_point = true,
            _ => return None,
        }
    }
    any.then_some((value, fraction_digits))
}

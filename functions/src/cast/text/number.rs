//! Floats and decimals as text.

use std::fmt;

/// Powers of ten outside of this range are written with an exponent.
const POSITIONAL_EXPONENTS: std::ops::Range<i32> = -4..16;

/// Most significant digits of a shortest `f64`.
const DIGITS_MAX: usize = 17;

/// Writes the shortest text that reads back as the same `f32`.
///
/// # Errors
/// What `out` reports.
pub fn write_f32(value: f32, out: &mut dyn fmt::Write) -> fmt::Result {
    if !value.is_finite() || value == 0.0 {
        return write_special(f64::from(value), out);
    }
    let mut buffer = [0; lexical_core::BUFFER_SIZE];
    let text = lexical_core::write(value.abs(), &mut buffer);
    write_digits(value < 0.0, text, out)
}

/// Writes the shortest text that reads back as the same `f64`: `1.0`, `0.0001`, `1e-05`, `1.5e+300`, `nan`, `-inf`.
///
/// # Errors
/// What `out` reports.
pub fn write_f64(value: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    if !value.is_finite() || value == 0.0 {
        return write_special(value, out);
    }
    let mut buffer = [0; lexical_core::BUFFER_SIZE];
    let text = lexical_core::write(value.abs(), &mut buffer);
    write_digits(value < 0.0, text, out)
}

/// The sign of a NaN is not shown, since it differs between processors.
fn write_special(value: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    out.write_str(if value.is_nan() {
        "nan"
    } else if value == 0.0 {
        if value.is_sign_negative() { "-0.0" } else { "0.0" }
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    })
}

/// Lays out the digits of `text`, a positive number in any notation.
fn write_digits(negative: bool, text: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    let (digits, length, exponent) = scientific(text);
    let digits = std::str::from_utf8(&digits[..length]).unwrap_or("0");
    if negative {
        out.write_char('-')?;
    }
    if !POSITIONAL_EXPONENTS.contains(&exponent) {
        out.write_str(&digits[..1])?;
        if digits.len() > 1 {
            out.write_char('.')?;
            out.write_str(&digits[1..])?;
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        return write!(out, "e{sign}{:02}", exponent.unsigned_abs());
    }
    if exponent < 0 {
        out.write_str("0.")?;
        write_zeros((-exponent - 1) as usize, out)?;
        return out.write_str(digits);
    }
    let whole = exponent as usize + 1;
    if digits.len() > whole {
        out.write_str(&digits[..whole])?;
        out.write_char('.')?;
        return out.write_str(&digits[whole..]);
    }
    out.write_str(digits)?;
    write_zeros(whole - digits.len(), out)?;
    out.write_str(".0")
}

/// Significant digits without zeros at either end, their number, and the power of ten of the first.
fn scientific(text: &[u8]) -> ([u8; DIGITS_MAX], usize, i32) {
    let mut digits = [b'0'; DIGITS_MAX];
    let (mut length, mut exponent, mut after_point, mut started) = (0, -1, false, false);
    let mark = text.iter().position(|&byte| byte == b'e').unwrap_or(text.len());
    for &byte in &text[..mark] {
        if byte == b'.' {
            after_point = true;
            continue;
        }
        started |= byte != b'0';
        if !after_point && started {
            exponent += 1;
        } else if after_point && !started {
            exponent -= 1;
        }
        if started && length < DIGITS_MAX {
            digits[length] = byte;
            length += 1;
        }
    }
    while length > 1 && digits[length - 1] == b'0' {
        length -= 1;
    }
    let written = text.get(mark + 1..).and_then(|rest| std::str::from_utf8(rest).ok()?.parse::<i32>().ok());
    (digits, length.max(1), exponent + written.unwrap_or(0))
}

fn write_zeros(count: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    (0..count).try_for_each(|_| out.write_char('0'))
}

/// Writes an unscaled decimal with `scale` digits after the point; where all digits are after it, no
/// zero stands before it.
///
/// # Errors
/// What `out` reports.
pub fn write_decimal(value: i128, precision: u8, scale: i8, out: &mut dyn fmt::Write) -> fmt::Result {
    let Ok(scale @ 1..=38) = u32::try_from(scale) else {
        write!(out, "{value}")?;
        return if value == 0 { Ok(()) } else { write_zeros(usize::from(scale.min(0).unsigned_abs()), out) };
    };
    let unit = 10u128.pow(scale);
    let magnitude = value.unsigned_abs();
    if value < 0 {
        out.write_char('-')?;
    }
    if u32::from(precision) > scale {
        write!(out, "{}", magnitude / unit)?;
    }
    write!(out, ".{:0width$}", magnitude % unit, width = scale as usize)
}

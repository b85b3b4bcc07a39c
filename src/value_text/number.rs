//! Integers, floats and decimals as text.

use std::fmt::{Display, LowerExp, Write};

/// Powers of ten outside of this range are written with an exponent.
const POSITIONAL_EXPONENTS: std::ops::Range<i32> = -4..16;

/// Appends an integer.
pub(super) fn write_integer<T: Display>(value: T, text: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{value}");
}

/// Appends the shortest text that reads back as the same `f32`.
pub(super) fn write_f32(value: f32, text: &mut String) {
    write_float(value, f64::from(value), text);
}

/// Appends the shortest text that reads back as the same `f64`.
pub(super) fn write_f64(value: f64, text: &mut String) {
    write_float(value, value, text);
}

/// `1.0`, `0.0001`, `1e-05`, `1.5e+300`, `nan`, `-inf`.
fn write_float<T: Display + LowerExp>(value: T, wide: f64, text: &mut String) {
    if wide.is_nan() {
        return text.push_str("nan");
    }
    if wide.is_infinite() {
        return text.push_str(if wide > 0.0 { "inf" } else { "-inf" });
    }
    let start = text.len();
    let _ = write!(text, "{value:e}");
    let mark = text[start..].find('e').map_or(text.len(), |position| start + position);
    let exponent: i32 = text[mark..].trim_start_matches('e').parse().unwrap_or(0);
    if POSITIONAL_EXPONENTS.contains(&exponent) {
        text.truncate(start);
        let _ = write!(text, "{value}");
        if !text[start..].contains('.') {
            text.push_str(".0");
        }
        return;
    }
    text.truncate(mark);
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(text, "e{sign}{:02}", exponent.unsigned_abs());
}

/// Appends an unscaled decimal with `scale` digits after the point.
pub(super) fn write_decimal(value: i128, scale: usize, text: &mut String) {
    let digits = value.unsigned_abs().to_string();
    if value < 0 {
        text.push('-');
    }
    if scale == 0 {
        return text.push_str(&digits);
    }
    let whole = digits.len().saturating_sub(scale);
    if whole == 0 {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', scale - digits.len()));
        return text.push_str(&digits);
    }
    text.push_str(&digits[..whole]);
    text.push('.');
    text.push_str(&digits[whole..]);
}

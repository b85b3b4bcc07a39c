//! Numbers written in a form: digits first, then sign, prefix and filling.

use std::fmt::Write;

use super::template::{Align, Form};
use crate::column::TextBuilder;

/// Appends digits with what goes around them.
pub fn write_number(is_negative: bool, prefix: &str, digits: &str, form: &Form, out: &mut TextBuilder<'_>) {
    let sign = if is_negative { Some('-') } else { form.sign };
    let grouped;
    let digits = match form.separator {
        Some(separator) => {
            grouped = with_separators(digits, separator);
            &grouped
        }
        None => digits,
    };
    let length = usize::from(sign.is_some()) + prefix.len() + digits.chars().count();
    let missing = form.width.saturating_sub(length);
    let zeros = form.pads_with_zeros && form.align.is_none();
    let (before, after) = if zeros { (0, 0) } else { split(missing, form.align.unwrap_or(Align::Right)) };
    fill(out, form.fill, before);
    if let Some(sign) = sign {
        out.push(sign);
    }
    out.push_str(prefix);
    if zeros {
        fill(out, '0', missing);
    }
    out.push_str(digits);
    fill(out, form.fill, after);
}

/// Appends a text, cut to the precision, in its field.
pub fn write_in_field(text: &str, form: &Form, out: &mut TextBuilder<'_>) {
    let cut =
        form.precision.and_then(|most| text.char_indices().nth(most)).map_or(text.len(), |(end, _)| end);
    let text = &text[..cut];
    let missing = form.width.saturating_sub(text.chars().count());
    let (before, after) = split(missing, form.align.unwrap_or(Align::Left));
    fill(out, form.fill, before);
    out.push_str(text);
    fill(out, form.fill, after);
}

fn split(missing: usize, align: Align) -> (usize, usize) {
    match align {
        Align::Left => (0, missing),
        Align::Center => (missing / 2, missing - missing / 2),
        Align::Right => (missing, 0),
    }
}

fn fill(out: &mut TextBuilder<'_>, c: char, count: usize) {
    (0..count).for_each(|_| out.push(c));
}

/// A separator before every third digit of the whole part.
fn with_separators(digits: &str, separator: char) -> String {
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    let mut grouped = String::with_capacity(digits.len() + whole / 3);
    for (position, c) in digits.chars().enumerate() {
        if position > 0 && position < whole && (whole - position).is_multiple_of(3) {
            grouped.push(separator);
        }
        grouped.push(c);
    }
    grouped
}

/// Digits of a magnitude in the conversion's notation; without one the shortest that read back the same.
pub fn float_digits(magnitude: f64, form: &Form) -> String {
    let precision = form.precision.unwrap_or(6);
    let digits = match (form.conversion.map(|c| c.to_ascii_lowercase()), form.precision) {
        _ if !magnitude.is_finite() => if magnitude.is_nan() { "nan" } else { "inf" }.into(),
        (None, None) => {
            let mut shortest = String::new();
            // Writing into a string does not fail.
            let _ = crate::cast::text::write_f64(magnitude, &mut shortest);
            shortest
        }
        (Some('f'), _) => format!("{magnitude:.precision$}"),
        (Some('e'), _) => scientific(magnitude, precision),
        _ => general(magnitude, precision.max(1), form.is_alternate),
    };
    if form.conversion.is_some_and(|c| c.is_ascii_uppercase()) { digits.to_ascii_uppercase() } else { digits }
}

/// `1.234500e+03`: an exponent has a sign and at least two digits.
fn scientific(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// Significant digits: fixed notation from 1e-4 up to the precision, else scientific; zeros at the end go.
fn general(magnitude: f64, precision: usize, keeps_zeros: bool) -> String {
    let text = scientific(magnitude, precision - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
    let power: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |digits: &str| {
        let cut = digits.contains('.') && !keeps_zeros;
        if cut { digits.trim_end_matches('0').trim_end_matches('.').to_owned() } else { digits.to_owned() }
    };
    if (-4..precision as i32).contains(&power) {
        let decimals = usize::try_from(precision as i32 - 1 - power).unwrap_or(0);
        trimmed(&format!("{magnitude:.decimals$}"))
    } else {
        format!("{}e{exponent}", trimmed(digits))
    }
}

/// Digits of a magnitude in the base of the conversion, and the prefix of that base.
pub fn integer_digits(magnitude: u128, form: &Form) -> (&'static str, String) {
    let mut digits = String::new();
    // Writing into a string does not fail.
    let (prefix, _) = match form.conversion {
        Some('x') => ("0x", write!(digits, "{magnitude:x}")),
        Some('X') => ("0X", write!(digits, "{magnitude:X}")),
        Some('o') => ("0", write!(digits, "{magnitude:o}")),
        Some('b') => ("0b", write!(digits, "{magnitude:b}")),
        Some('B') => ("0B", write!(digits, "{magnitude:b}")),
        _ => ("", write!(digits, "{magnitude}")),
    };
    (if form.is_alternate { prefix } else { "" }, digits)
}

//! JSON values without parts as values of a type.

use super::document::{Json, Kind};
use super::transform::shown;
use super::write::write_json;
use crate::cast::number::round_half_even;
use crate::cast::parse;
use crate::column::{Output, WritableFixed};
use crate::date::zone::Zone;
use crate::types::Type;

/// The first value of a row that did not fit, where anybody asks.
pub struct Problems {
    is_asked: bool,
    first: Option<String>,
}

impl Problems {
    /// Nothing noted yet; without `is_asked` nothing ever is.
    pub fn new(is_asked: bool) -> Self {
        Self { is_asked, first: None }
    }

    /// Notes a problem.
    pub fn note(&mut self, problem: impl FnOnce() -> String) {
        if self.is_asked && self.first.is_none() {
            self.first = Some(problem());
        }
    }

    /// The first problem.
    pub fn first(self) -> Option<String> {
        self.first
    }
}

/// Writes a value; one that does not fit becomes null and is noted.
pub fn write_scalar(
    node: Json<'_, '_>,
    data_type: &Type,
    output: &mut Output,
    row: usize,
    problems: &mut Problems,
) {
    let written = match data_type {
        Type::Boolean => boolean(node).map(|value| output.boolean().set(row, value)),
        Type::Int8 => write(output, row, integer::<i8>(node)),
        Type::Int16 => write(output, row, integer::<i16>(node)),
        Type::Int32 => write(output, row, integer::<i32>(node)),
        Type::Int64 => write(output, row, integer::<i64>(node)),
        Type::UInt8 => write(output, row, integer::<u8>(node)),
        Type::UInt16 => write(output, row, integer::<u16>(node)),
        Type::UInt32 => write(output, row, integer::<u32>(node)),
        Type::UInt64 => write(output, row, integer::<u64>(node)),
        Type::Float32 => write(output, row, float(node).map(|value| value as f32)),
        Type::Float64 => write(output, row, float(node)),
        Type::Decimal(precision, scale) => {
            let digits = decimal(node, *precision, *scale);
            match data_type.is_narrow_decimal() {
                true => write(output, row, digits.map(|digits| digits as i64)),
                false => write(output, row, digits),
            }
        }
        Type::Text => {
            match node.kind() {
                Kind::Text(text) => output.text().set(row, text),
                _ => output.text().build(row, |builder| write_json(node, builder)),
            }
            Some(())
        }
        Type::Binary => {
            match node.kind() {
                Kind::Text(text) => output.bytes().set(row, text.as_bytes()),
                _ => output.bytes().set(row, shown(node).as_bytes()),
            }
            Some(())
        }
        Type::Date => write(output, row, text(node).and_then(parse::date)),
        Type::Time => write(output, row, text(node).and_then(parse::time)),
        Type::Timestamp(unit) => {
            write(output, row, text(node).and_then(|text| parse::timestamp(text, *unit)))
        }
        Type::TimestampTz => write(output, row, text(node).and_then(|text| parse::instant(text, Zone::UTC))),
        Type::Interval => write(output, row, text(node).and_then(parse::interval)),
        _ => None,
    };
    if written.is_none() {
        problems.note(|| format!("{} is no {data_type}", shown(node)));
        output.set_null(row);
    }
}

fn write<T: WritableFixed>(output: &mut Output, row: usize, value: Option<T>) -> Option<()> {
    output.fixed::<T>()[row] = value?;
    Some(())
}

fn text<'text>(node: Json<'_, 'text>) -> Option<&'text str> {
    if let Kind::Text(text) = node.kind() { Some(text) } else { None }
}

fn boolean(node: Json<'_, '_>) -> Option<bool> {
    match node.kind() {
        Kind::Boolean(value) => Some(value),
        Kind::Signed(_) => Some(true),
        Kind::Unsigned(value) => Some(value != 0),
        Kind::Float(value) => Some(value != 0.0),
        Kind::Text(text) => parse::boolean(text),
        _ => None,
    }
}

fn integer<T: TryFrom<i128> + Copy>(node: Json<'_, '_>) -> Option<T> {
    let value = match node.kind() {
        Kind::Boolean(value) => i128::from(value),
        Kind::Signed(value) => i128::from(value),
        Kind::Unsigned(value) => i128::from(value),
        // Conversion saturates, and no type is as wide as 128 bits, so what is out of range stays so.
        Kind::Float(value) if !value.is_nan() => round_half_even(value) as i128,
        Kind::Text(text) => parse::decimal(text, 38, 0)?,
        _ => return None,
    };
    T::try_from(value).ok()
}

fn float(node: Json<'_, '_>) -> Option<f64> {
    match node.kind() {
        Kind::Boolean(value) => Some(f64::from(u8::from(value))),
        Kind::Signed(value) => Some(value as f64),
        Kind::Unsigned(value) => Some(value as f64),
        Kind::Float(value) => Some(value),
        Kind::Text(text) => parse::float(text),
        _ => None,
    }
}

fn decimal(node: Json<'_, '_>, precision: u8, scale: i8) -> Option<i128> {
    let whole = |value: i128| {
        let unscaled = value.checked_mul(10i128.checked_pow(u32::try_from(scale).ok()?)?)?;
        (unscaled.unsigned_abs() < 10u128.checked_pow(u32::from(precision))?).then_some(unscaled)
    };
    match node.kind() {
        Kind::Boolean(value) => whole(i128::from(value)),
        Kind::Signed(value) => whole(i128::from(value)),
        Kind::Unsigned(value) => whole(i128::from(value)),
        // The shortest digits of the number are the ones that the text had.
        Kind::Float(value) => parse::decimal(&value.to_string(), precision, scale),
        Kind::Text(text) => parse::decimal(text, precision, scale),
        _ => None,
    }
}

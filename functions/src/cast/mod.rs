//! Casts between types: one bound function of one argument for each pair.
//!
//! A value that does not fit fails its row; under TRY_CAST it becomes null instead. Inside lists,
//! structs and maps TRY_CAST makes only the element null.

mod blob;
pub(crate) mod calendar;
pub(crate) mod conversion;
pub(crate) mod decimal;
pub(crate) mod invoke;
mod nested;
mod nested_text;
pub(crate) mod number;
pub(crate) mod parse;
pub mod text;

use crate::column::WritableFixed;
use crate::date::zone::Zone;
use crate::error::{Error, Result};
use crate::scalar::{Bound, Settings};
use crate::types::Type;

pub use text::{format_value, format_value_in};

/// What every cast is told besides its types.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    /// Values that do not fit become null instead of failing.
    pub is_try: bool,
    /// Zone in which instants are read and shown.
    pub zone: Zone,
}

/// Binds `CAST(x AS to)`, or `TRY_CAST` with `is_try`, for an argument of type `from`.
///
/// Casts between fixed-width types are lane kernels. A cast to the same type copies.
///
/// # Errors
/// [`Error::Unsupported`] if there is no cast between these types; an unknown time zone in `settings`.
pub fn bind_cast(from: &Type, to: &Type, is_try: bool, settings: &Settings) -> Result<Bound> {
    bind(from, to, Mode { is_try, zone: Zone::of_name(&settings.time_zone)? })
}

pub(crate) fn bind(from: &Type, to: &Type, mode: Mode) -> Result<Bound> {
    if from == to {
        return Ok(Bound::strict(to.clone(), |arguments, rows, output, _| {
            output.copy_rows(&arguments[0], &rows);
            Ok(())
        }));
    }
    let bound = match (from, to) {
        (Type::Null, _) => Some(Bound::null_aware(to.clone(), |_, rows, output, _| {
            rows.for_each(|row| output.set_null(row));
            Ok(())
        })),
        (_, Type::Null) => None,
        (Type::Text, Type::Binary) => Some(blob::from_text(mode)),
        (Type::Text, _) if to.is_nested() => nested_text::bind(to, mode)?,
        (Type::Text, _) => parse_text(to, mode),
        (_, Type::Text) => Some(to_text(mode)),
        _ if is_number(from) && is_number(to) => number::bind(from, to, mode),
        _ if from.is_nested() => nested::bind(from, to, mode)?,
        _ => calendar::bind(from, to, mode),
    };
    bound.ok_or_else(|| Error::Unsupported {
        what: format!("{to} as the target of a cast from {from}"),
        right: "cast to VARCHAR first, or use a function that says how to convert".into(),
    })
}

fn is_number(data_type: &Type) -> bool {
    data_type.is_numeric() || *data_type == Type::Boolean
}

fn to_text(mode: Mode) -> Bound {
    Bound::strict(Type::Text, move |arguments, rows, output, _| {
        let mut writer = output.text();
        rows.for_each(|row| {
            // Writing to a text under construction cannot fail.
            let _ = writer.build(row, |text| format_value_in(&arguments[0], row, mode.zone, text));
        });
        Ok(())
    })
}

fn parse_text(to: &Type, mode: Mode) -> Option<Bound> {
    let zone = mode.zone;
    Some(match to {
        Type::Boolean => Bound::strict(Type::Boolean, move |arguments, rows, output, _| {
            let texts = arguments[0].text();
            rows.for_each(|row| match parse::boolean(texts.get(row)) {
                Some(value) => output.boolean().set(row, value),
                None => refuse(output, row, mode.is_try, || text_error(texts.get(row), &Type::Boolean, "")),
            });
            Ok(())
        }),
        Type::Int8 => parse_fixed(to, mode, parse::integer::<i8>),
        Type::Int16 => parse_fixed(to, mode, parse::integer::<i16>),
        Type::Int32 => parse_fixed(to, mode, parse::integer::<i32>),
        Type::Int64 => parse_fixed(to, mode, parse::integer::<i64>),
        Type::UInt8 => parse_fixed(to, mode, parse::integer::<u8>),
        Type::UInt16 => parse_fixed(to, mode, parse::integer::<u16>),
        Type::UInt32 => parse_fixed(to, mode, parse::integer::<u32>),
        Type::UInt64 => parse_fixed(to, mode, parse::integer::<u64>),
        Type::Float16 => parse_fixed(to, mode, |text| parse::float::<f32>(text).map(half::f16::from_f32)),
        Type::Float32 => parse_fixed(to, mode, parse::float::<f32>),
        Type::Float64 => parse_fixed(to, mode, parse::float::<f64>),
        &Type::Decimal(precision, scale) if to.is_narrow_decimal() => parse_fixed(to, mode, move |text| {
            parse::decimal(text, precision, scale).map(|digits| digits as i64)
        }),
        &Type::Decimal(precision, scale) => {
            parse_fixed(to, mode, move |text| parse::decimal(text, precision, scale))
        }
        Type::Date => parse_fixed(to, mode, parse::date),
        Type::Time => parse_fixed(to, mode, parse::time),
        &Type::Timestamp(unit) => parse_fixed(to, mode, move |text| parse::timestamp(text, unit)),
        Type::TimestampTz => parse_fixed(to, mode, move |text| parse::instant(text, zone)),
        Type::Interval => parse_fixed(to, mode, parse::interval),
        _ => return None,
    })
}

fn parse_fixed<T: WritableFixed>(
    to: &Type,
    mode: Mode,
    parse: impl Fn(&str) -> Option<T> + Send + Sync + 'static,
) -> Bound {
    let target = to.clone();
    Bound::strict(to.clone(), move |arguments, rows, output, _| {
        let texts = arguments[0].text();
        rows.for_each(|row| match parse(texts.get(row)) {
            Some(value) => output.fixed::<T>()[row] = value,
            None => refuse(output, row, mode.is_try, || {
                text_error(texts.get(row), &target, expected_form(&target))
            }),
        });
        Ok(())
    })
}

/// What a text should look like, for messages.
fn expected_form(to: &Type) -> &'static str {
    match to {
        Type::Date => "; expected a day of the calendar as YYYY-MM-DD",
        Type::Time => "; expected HH:MM:SS[.ffffff]",
        Type::Timestamp(_) => "; expected YYYY-MM-DD HH:MM[:SS[.ffffff]] within the range of the type",
        Type::TimestampTz => "; expected YYYY-MM-DD HH:MM[:SS[.ffffff]] and an offset or a zone",
        Type::Interval => "; expected numbers with units, such as 1 day 02:00:00",
        _ => "",
    }
}

pub(crate) fn refuse(
    output: &mut crate::column::Output,
    row: usize,
    is_try: bool,
    error: impl FnOnce() -> Error,
) {
    if is_try {
        output.set_null(row);
    } else {
        output.fail(row, error);
    }
}

pub(crate) fn text_error(text: &str, to: &Type, reason: &'static str) -> Error {
    Error::Cast { value: format!("\"{text}\""), from: Type::Text, to: to.clone(), reason }
}

#[cfg(test)]
mod tests;

//! Values of every type as text, as `CAST(value AS VARCHAR)` shows them.

mod calendar;
mod nested;
mod number;

use std::fmt;

use crate::column::{Data, View};
use crate::date::zone::Zone;
use crate::types::{TimeUnit, Type};

pub use calendar::{write_date, write_interval, write_time, write_timestamp};
pub use number::{write_decimal, write_f32, write_f64};

/// Writes the value of one row as `CAST(value AS VARCHAR)` gives it; a null is written `NULL`.
///
/// - Floats are the shortest text that reads back as the same value: `1.0`, `1e+20`, `nan`, `-inf`.
/// - Lists are `[1, 2]`, structs `{'a': 1}`, maps `{k=v}`; text inside them is quoted where it could be misread.
/// - Timestamps with a zone are shown in UTC; [`format_value_in`] takes another zone.
///
/// # Errors
/// What `out` reports.
pub fn format_value(view: &View<'_>, row: usize, out: &mut impl fmt::Write) -> fmt::Result {
    format_value_in(view, row, Zone::UTC, out)
}

/// As [`format_value`], with timestamps with a zone shown in `zone`.
///
/// # Errors
/// What `out` reports.
pub fn format_value_in(view: &View<'_>, row: usize, zone: Zone, out: &mut impl fmt::Write) -> fmt::Result {
    write_value(view, row, zone, out)
}

// Nested values recurse through a trait object, so that one copy of the body serves every writer.
fn write_value(view: &View<'_>, row: usize, zone: Zone, out: &mut dyn fmt::Write) -> fmt::Result {
    if view.is_null(row) {
        return out.write_str("NULL");
    }
    let index = view.value_index(row);
    match view.data {
        Data::Null => out.write_str("NULL"),
        Data::Boolean(bits) => out.write_str(if bits.get(index) { "true" } else { "false" }),
        Data::Int8(values) => write!(out, "{}", values[index]),
        Data::Int16(values) => write!(out, "{}", values[index]),
        Data::Int32(values) if *view.data_type == Type::Date => write_date(values[index], out),
        Data::Int32(values) => write!(out, "{}", values[index]),
        Data::Int64(values) => write_64_bits(view.data_type, values[index], zone, out),
        Data::UInt8(values) => write!(out, "{}", values[index]),
        Data::UInt16(values) => write!(out, "{}", values[index]),
        Data::UInt32(values) => write!(out, "{}", values[index]),
        Data::UInt64(values) => write!(out, "{}", values[index]),
        Data::Float16(values) => write_f32(values[index].to_f32(), out),
        Data::Float32(values) => write_f32(values[index], out),
        Data::Float64(values) => write_f64(values[index], out),
        Data::Int128(values) => match view.data_type {
            Type::Decimal(precision, scale) => write_decimal(values[index], *precision, *scale, out),
            _ => write!(out, "{}", values[index]),
        },
        Data::Interval(values) => write_interval(values[index], out),
        Data::Bytes(bytes) if *view.data_type == Type::Binary => write_bytes(bytes.get(index), out),
        Data::Bytes(_) => out.write_str(view.text().get(row)),
        Data::List(_) if matches!(view.data_type, Type::Map(..)) => nested::write_map(view, row, zone, out),
        Data::List(_) | Data::FixedList { .. } => nested::write_list(view, row, zone, out),
        Data::Struct(_) => nested::write_struct(view, row, zone, out),
    }
}

fn write_64_bits(data_type: &Type, value: i64, zone: Zone, out: &mut dyn fmt::Write) -> fmt::Result {
    match data_type {
        Type::Decimal(precision, scale) => write_decimal(i128::from(value), *precision, *scale, out),
        Type::Time => write_time(value, out),
        Type::Timestamp(unit) => write_timestamp(value, *unit, out),
        Type::TimestampTz => {
            let Some(local) = zone.to_local(value) else {
                return write_timestamp(value, TimeUnit::Microsecond, out);
            };
            calendar::write_timestamp_with(local, TimeUnit::Microsecond, out, |out| {
                calendar::write_offset(zone.offset_at(value), out)
            })
        }
        _ => write!(out, "{value}"),
    }
}

/// Printable ASCII as it is, everything else as `\xHH`.
fn write_bytes(bytes: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    for &byte in bytes {
        match byte {
            b'\\' | b'\'' | b'"' | 0..=31 | 127..=255 => write!(out, "\\x{byte:02X}")?,
            printable => out.write_char(char::from(printable))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

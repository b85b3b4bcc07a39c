//! JSON written as text: nodes of a parsed text, and values of columns.

use std::fmt::Write;

use super::document::{Json, Kind};
use crate::column::{Data, TextBuilder, View};
use crate::types::Type;

/// Appends a node without blanks.
pub fn write_json(node: Json<'_, '_>, out: &mut TextBuilder<'_>) {
    // Writing into a builder does not fail.
    let _ = match node.kind() {
        Kind::Null => out.write_str("null"),
        Kind::Boolean(value) => write!(out, "{value}"),
        Kind::Signed(value) => write!(out, "{value}"),
        Kind::Unsigned(value) => write!(out, "{value}"),
        Kind::Float(value) => write_float(value, out),
        Kind::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        Kind::Array(_) => {
            write_sequence(out, ['[', ']'], node.elements(), |element, out| write_json(element, out));
            Ok(())
        }
        Kind::Object(_) => {
            write_sequence(out, ['{', '}'], node.fields(), |(name, value), out| {
                write_text(name, out);
                out.push(':');
                write_json(value, out);
            });
            Ok(())
        }
    };
}

/// Appends items with commas between them, in brackets.
pub fn write_sequence<T>(
    out: &mut TextBuilder<'_>,
    brackets: [char; 2],
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut TextBuilder<'_>),
) {
    out.push(brackets[0]);
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(brackets[1]);
}

/// The shortest digits that read back as the same number, without an exponent from 1e-6 to below 1e21.
pub fn write_float(value: f64, out: &mut impl Write) -> std::fmt::Result {
    let magnitude = value.abs();
    if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        write!(out, "{value:e}")
    } else if value.fract() == 0.0 {
        write!(out, "{value:.1}")
    } else {
        write!(out, "{value}")
    }
}

/// Appends a text in quotes, with the escape sequences that JSON demands.
pub fn write_text(text: &str, out: &mut TextBuilder<'_>) {
    out.push('"');
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[done..at]);
        done = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            control => {
                // Writing into a builder does not fail.
                let _ = write!(out, "\\u{control:04X}");
            }
        }
    }
    out.push_str(&text[done..]);
    out.push('"');
}

/// Appends a value of a column; a null is `null`, and what JSON has no form for is text.
pub fn write_value(view: &View<'_>, row: usize, out: &mut TextBuilder<'_>) {
    if view.is_null(row) {
        return out.push_str("null");
    }
    let index = view.value_index(row);
    let written = match (view.data, view.data_type) {
        (Data::Float16(values), _) => write_float(values[index].to_f64(), out),
        (Data::Float32(values), _) => write_float(f64::from(values[index]), out),
        (Data::Float64(values), _) => write_float(values[index], out),
        (Data::Int64(values), Type::Decimal(_, scale)) if *scale > 0 => {
            write_float(values[index] as f64 / 10f64.powi(i32::from(*scale)), out)
        }
        (Data::Int128(values), Type::Decimal(_, scale)) if *scale > 0 => {
            write_float(values[index] as f64 / 10f64.powi(i32::from(*scale)), out)
        }
        (Data::Bytes(_), Type::Text) => {
            write_text(view.text().get(row), out);
            Ok(())
        }
        (Data::List(_), Type::Map(..)) => {
            write_map(view, row, out);
            Ok(())
        }
        (Data::List(_) | Data::FixedList { .. }, _) => {
            let list = view.list();
            write_sequence(out, ['[', ']'], list.range(row), |place, out| {
                write_value(list.child(), place, out)
            });
            Ok(())
        }
        (Data::Struct(_), Type::Struct(fields)) => {
            write_sequence(out, ['{', '}'], fields.iter().enumerate(), |(position, field), out| {
                write_text(&field.name, out);
                out.push(':');
                write_value(&view.field(position), row, out);
            });
            Ok(())
        }
        (_, Type::Boolean) => crate::cast::format_value(view, row, out),
        (_, number) if number.is_numeric() => crate::cast::format_value(view, row, out),
        _ => {
            let mut text = String::new();
            let written = crate::cast::format_value(view, row, &mut text);
            write_text(&text, out);
            written
        }
    };
    // Writing into a builder does not fail.
    let _ = written;
}

fn write_map(view: &View<'_>, row: usize, out: &mut TextBuilder<'_>) {
    let entries = view.list();
    let (keys, values) = (entries.child().field(0), entries.child().field(1));
    write_sequence(out, ['{', '}'], entries.range(row), |place, out| {
        if *keys.data_type == Type::Text {
            write_text(keys.text().get(place), out);
        } else {
            let mut key = String::new();
            // Writing into a string does not fail.
            let _ = crate::cast::format_value(&keys, place, &mut key);
            write_text(&key, out);
        }
        out.push(':');
        write_value(&values, place, out);
    });
}

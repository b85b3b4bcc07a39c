//! Values as DuckDB prints them.

use crate::types::Type;
use crate::value::Value;

/// The value as SQL text.
pub fn show(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Boolean(value) => value.to_string(),
        Value::Float32(bits) => float(&format!("{:?}", f32::from_bits(bits.0))),
        Value::Float64(bits) => float(&format!("{:?}", f64::from_bits(bits.0))),
        Value::Decimal(digits, _, scale) => decimal(digits.0, *scale),
        Value::Text(text) => text.clone(),
        Value::Binary(bytes) => bytes.iter().map(|&byte| escaped(byte)).collect(),
        Value::Date(days) => {
            let date = chrono::DateTime::from_timestamp(i64::from(*days) * 86_400, 0);
            date.map_or(String::new(), |date| date.format("%Y-%m-%d").to_string())
        }
        Value::List(_, values) | Value::FixedList(_, values) => {
            let items: Vec<_> = values.iter().map(nested).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Struct(fields, _) => {
            let is_row = fields.iter().all(|(name, _)| name.is_empty());
            let items: Vec<_> = fields
                .iter()
                .map(
                    |(name, value)| {
                        if is_row { nested(value) } else { format!("'{name}': {}", nested(value)) }
                    },
                )
                .collect();
            if is_row { format!("({})", items.join(", ")) } else { format!("{{{}}}", items.join(", ")) }
        }
        Value::Map(_, _, entries) => {
            let items: Vec<_> =
                entries.iter().map(|(key, value)| format!("{}={}", nested(key), nested(value))).collect();
            format!("{{{}}}", items.join(", "))
        }
        other => other.as_i64().map_or_else(|| integer(other), |value| value.to_string()),
    }
}

fn integer(value: &Value) -> String {
    match value {
        Value::UInt64(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

fn float(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => {
            format!("{digits}e+{exponent}").replace(".0e", "e")
        }
        _ => text.replace("NaN", "nan"),
    }
}

fn decimal(digits: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    if scale == 0 {
        return digits.to_string();
    }
    let text = format!("{:0width$}", digits.unsigned_abs(), width = scale + 1);
    let sign = if digits < 0 { "-" } else { "" };
    format!("{sign}{}.{}", &text[..text.len() - scale], &text[text.len() - scale..])
}

fn escaped(byte: u8) -> String {
    match byte {
        b' '..=b'~' if !matches!(byte, b'\'' | b'"' | b'\\') => char::from(byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    }
}

/// Text inside lists and structs is quoted where it would otherwise be ambiguous.
fn nested(value: &Value) -> String {
    let plain = show(value);
    let is_quotable = matches!(value.data_type(), Type::Text | Type::Binary | Type::Timestamp(_));
    let ambiguous = plain.is_empty()
        || plain.eq_ignore_ascii_case("null")
        || plain.starts_with(' ')
        || plain.ends_with(' ')
        || plain.contains(['\'', '"', '\\', '[', ']', '{', '}', '(', ')', ',', '=', ':']);
    if is_quotable && ambiguous {
        format!("'{}'", plain.replace('\\', "\\\\").replace('\'', "\\'"))
    } else {
        plain
    }
}

//! Values in the names of directories: `year=2020/month=01/x.parquet`.

use std::path::Path;

use hypostyle_functions::{Type, Value};

use crate::text_value::{iso_date, iso_timestamp, signed};

/// The directory name that stands for null.
const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Name and text of a partition column of one file; `None` is null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionValue {
    /// Name of the column.
    pub name: String,
    /// Value as text.
    pub text: Option<String>,
}

/// The partition values that the directories of a path name, outermost first.
pub fn partitions_of(path: &Path) -> Vec<PartitionValue> {
    let Some(directory) = path.parent() else { return Vec::new() };
    directory
        .components()
        .filter_map(|component| {
            let (name, value) = component.as_os_str().to_str()?.split_once('=')?;
            let text = (value != NULL_VALUE).then(|| decoded(value));
            (!name.is_empty()).then(|| PartitionValue { name: decoded(name), text })
        })
        .collect()
}

/// The directory of a value of a partition column; `None` is null.
pub fn partition_directory(name: &str, text: Option<&str>) -> String {
    let value = text.map_or_else(|| NULL_VALUE.to_owned(), encoded);
    format!("{}={value}", encoded(name))
}

/// The narrowest type of all values of a partition column: dates, timestamps, integers or text.
pub fn partition_type<'a>(values: impl Iterator<Item = Option<&'a str>> + Clone) -> Type {
    let all = |test: &dyn Fn(&[u8]) -> bool| {
        let mut texts = values.clone().flatten().peekable();
        texts.peek().is_some() && texts.all(|text| test(text.as_bytes()))
    };
    if all(&|text| iso_date(text).is_some()) {
        Type::Date
    } else if all(&|text| iso_timestamp(text).is_some()) {
        Type::TIMESTAMP
    } else if all(&|text| signed(text).is_some()) {
        Type::Int64
    } else {
        Type::Text
    }
}

/// A partition value as a value of its column's type; null if it has none.
pub fn partition_value(text: Option<&str>, data_type: &Type) -> Value {
    let Some(text) = text else { return Value::Null };
    let bytes = text.as_bytes();
    match data_type {
        Type::Date => iso_date(bytes).map_or(Value::Null, Value::Date),
        Type::Timestamp(unit) => {
            iso_timestamp(bytes).map_or(Value::Null, |(micros, _)| Value::Timestamp(micros, *unit))
        }
        Type::Int64 => signed(bytes).map_or(Value::Null, Value::Int64),
        _ => Value::text(text),
    }
}

/// A name without characters that mean something in a path: they become percent codes.
fn encoded(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

/// A name with its percent codes taken out.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while position < bytes.len() {
        let code = bytes.get(position + 1..position + 3).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if bytes[position] == b'%' => {
                plain.push(byte);
                position += 3;
            }
            _ => {
                plain.push(bytes[position]);
                position += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_name_values() {
        let values =
            partitions_of(Path::new("t/year=2020/city=New%20York/k=__HIVE_DEFAULT_PARTITION__/x=1.parquet"));
        let pairs: Vec<_> = values.iter().map(|value| (value.name.as_str(), value.text.as_deref())).collect();
        assert_eq!(pairs, [("year", Some("2020")), ("city", Some("New York")), ("k", None)]);
    }

    #[test]
    fn written_names_are_read_back() {
        for text in ["plain", "a/b c=0", "50% Köln", "..", ""] {
            let directory = partition_directory("k=1", Some(text));
            assert!(!directory.contains('/'), "{directory}");
            let path = Path::new(&directory).join("data_0.parquet");
            let expected = PartitionValue { name: "k=1".into(), text: Some(text.into()) };
            assert_eq!(partitions_of(&path), [expected]);
        }
        assert_eq!(partition_directory("k", None), "k=__HIVE_DEFAULT_PARTITION__");
    }

    #[test]
    fn types_are_those_of_all_values() {
        let of = |texts: &[&str]| partition_type(texts.iter().map(|text| Some(*text)));
        assert_eq!(of(&["1", "02"]), Type::Int64);
        assert_eq!(of(&["1", "x"]), Type::Text);
        assert_eq!(of(&["2020-01-01", "2020-01-02"]), Type::Date);
    }
}

//! Names of types, as the structures of JSON give them: `DECIMAL(10,2)`, `INTEGER[]`, `MAP(VARCHAR, DOUBLE)`.

use crate::error::{Error, Result};
use crate::types::{Field, TimeUnit, Type};

/// Reads the name of a type.
///
/// # Errors
/// [`Error::User`] if there is no type of that name.
pub fn parse_type(name: &str) -> Result<Type> {
    let mut reader = NameReader { rest: name };
    match reader.data_type() {
        Some(data_type) if reader.rest.trim().is_empty() => Ok(data_type),
        _ => Err(Error::user(format!("there is no type '{name}'"))),
    }
}

/// The type whose name a text begins with, and the length of the name.
#[cfg(test)]
pub fn leading_type(text: &str) -> Option<(Type, usize)> {
    let mut reader = NameReader { rest: text };
    let data_type = reader.data_type()?;
    Some((data_type, text.len() - reader.rest.len()))
}

struct NameReader<'a> {
    rest: &'a str,
}

impl<'a> NameReader<'a> {
    fn accept(&mut self, symbol: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(symbol)?;
        Some(())
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        if let Some(inside) = rest.strip_prefix('"') {
            let (word, after) = inside.split_once('"')?;
            self.rest = after;
            return Some(word);
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        self.rest = after;
        (!word.is_empty()).then_some(word)
    }

    fn data_type(&mut self) -> Option<Type> {
        let word = self.word()?.to_ascii_uppercase();
        let mut found = match word.as_str() {
            "DECIMAL" | "NUMERIC" => self.decimal()?,
            "MAP" => {
                self.accept('(')?;
                let key = self.data_type()?;
                self.accept(',')?;
                let value = self.data_type()?;
                self.accept(')')?;
                Type::map(key, value)
            }
            "STRUCT" => self.fields()?,
            simple => simple_type(simple)?,
        };
        while self.accept('[').is_some() {
            found = match self.word() {
                Some(size) => Type::fixed_list(found, size.parse().ok().filter(|size| *size > 0)?),
                None => Type::list(found),
            };
            self.accept(']')?;
        }
        Some(found)
    }

    fn decimal(&mut self) -> Option<Type> {
        if self.accept('(').is_none() {
            return Some(Type::Decimal(18, 3));
        }
        let precision: u8 = self.word()?.parse().ok()?;
        let scale: i8 = if self.accept(',').is_some() { self.word()?.parse().ok()? } else { 0 };
        self.accept(')')?;
        ((1..=38).contains(&precision) && (0..=precision as i8).contains(&scale))
            .then_some(Type::Decimal(precision, scale))
    }

    fn fields(&mut self) -> Option<Type> {
        self.accept('(')?;
        let mut fields = Vec::new();
        loop {
            let name = self.word()?;
            fields.push(Field::new(name, self.data_type()?));
            if self.accept(',').is_none() {
                self.accept(')')?;
                return Some(Type::Struct(fields));
            }
        }
    }
}

fn simple_type(name: &str) -> Option<Type> {
    Some(match name {
        "NULL" => Type::Null,
        "BOOLEAN" | "BOOL" => Type::Boolean,
        "TINYINT" | "INT1" => Type::Int8,
        "SMALLINT" | "INT2" | "SHORT" => Type::Int16,
        "INTEGER" | "INT" | "INT4" => Type::Int32,
        "BIGINT" | "INT8" | "LONG" => Type::Int64,
        "UTINYINT" => Type::UInt8,
        "USMALLINT" => Type::UInt16,
        "UINTEGER" => Type::UInt32,
        "UBIGINT" => Type::UInt64,
        "HUGEINT" => Type::HUGEINT,
        "HALF" | "FLOAT2" => Type::Float16,
        "FLOAT" | "REAL" | "FLOAT4" => Type::Float32,
        "DOUBLE" | "FLOAT8" => Type::Float64,
        "VARCHAR" | "TEXT" | "STRING" | "CHAR" | "BPCHAR" => Type::Text,
        "BLOB" | "BYTEA" | "BINARY" | "VARBINARY" => Type::Binary,
        "DATE" => Type::Date,
        "TIME" => Type::Time,
        "TIMESTAMP" | "DATETIME" => Type::TIMESTAMP,
        "TIMESTAMP_S" => Type::Timestamp(TimeUnit::Second),
        "TIMESTAMP_MS" => Type::Timestamp(TimeUnit::Millisecond),
        "TIMESTAMP_NS" => Type::Timestamp(TimeUnit::Nanosecond),
        "TIMESTAMPTZ" => Type::TimestampTz,
        "INTERVAL" => Type::Interval,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_types_show_are_read() {
        let shown = [
            Type::Int32,
            Type::Decimal(10, 2),
            Type::list(Type::list(Type::Text)),
            Type::fixed_list(Type::Float32, 3),
            Type::map(Type::Text, Type::list(Type::Float64)),
            Type::Struct(vec![Field::new("a b", Type::Int64), Field::new("c", Type::Boolean)]),
        ];
        for data_type in shown {
            assert_eq!(parse_type(&data_type.to_string()), Ok(data_type));
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        for name in ["NOPE", "DECIMAL(99,1)", "INTEGER[", "MAP(VARCHAR)", "INTEGER x", ""] {
            assert!(parse_type(name).is_err(), "{name}");
        }
    }
}

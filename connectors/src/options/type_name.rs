//! Names of types in options, such as `DECIMAL(10, 2)` and `STRUCT(a INTEGER, b VARCHAR[])`.

use hypostyle_functions::{Field, TimeUnit, Type};

/// Reads the name of a type.
///
/// # Errors
/// What is not known, and where it stands.
pub fn parse_type(text: &str) -> Result<Type, String> {
    let mut reader = Reader { rest: text.trim() };
    let data_type = reader.data_type()?;
    match reader.rest.trim() {
        "" => Ok(data_type),
        rest => Err(format!("\"{rest}\" is left over behind the type in \"{text}\"")),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn data_type(&mut self) -> Result<Type, String> {
        let name = self.word().to_ascii_uppercase();
        let mut data_type = match name.as_str() {
            "STRUCT" | "ROW" => self.structure()?,
            "MAP" => {
                self.expect('(')?;
                let key = self.data_type()?;
                self.expect(',')?;
                let value = self.data_type()?;
                self.expect(')')?;
                Type::map(key, value)
            }
            "DECIMAL" | "NUMERIC" | "DEC" => self.decimal()?,
            name => simple(name, self)?,
        };
        while self.take('[') {
            let size = self.word();
            data_type = match (size.as_str(), size.parse::<usize>()) {
                ("", _) => Type::list(data_type),
                (_, Ok(size)) => Type::fixed_list(data_type, size),
                _ => return Err(format!("\"{size}\" is not the size of a list")),
            };
            self.expect(']')?;
        }
        Ok(data_type)
    }

    fn structure(&mut self) -> Result<Type, String> {
        self.expect('(')?;
        let mut fields = Vec::new();
        loop {
            let name = if self.take('"') { self.until_quote()? } else { self.word() };
            fields.push(Field::new(name, self.data_type()?));
            if !self.take(',') {
                break;
            }
        }
        self.expect(')')?;
        Ok(Type::Struct(fields))
    }

    fn decimal(&mut self) -> Result<Type, String> {
        if !self.take('(') {
            return Ok(Type::Decimal(18, 3));
        }
        let number =
            |word: String| word.parse::<u8>().map_err(|_| format!("\"{word}\" is not a number of digits"));
        let precision = number(self.word())?;
        let scale = if self.take(',') { number(self.word())? } else { 0 };
        self.expect(')')?;
        match i8::try_from(scale) {
            Ok(scale) if (1..=38).contains(&precision) && scale as u8 <= precision => {
                Ok(Type::Decimal(precision, scale))
            }
            _ => Err(format!(
                "DECIMAL({precision},{scale}) has more than 38 digits or more behind the point than in all"
            )),
        }
    }

    fn word(&mut self) -> String {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|character: char| !character.is_alphanumeric() && character != '_');
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word.to_owned()
    }

    fn until_quote(&mut self) -> Result<String, String> {
        let (name, rest) = self.rest.split_once('"').ok_or("a quote is not closed")?;
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn take(&mut self, character: char) -> bool {
        match self.rest.trim_start().strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, character: char) -> Result<(), String> {
        if self.take(character) {
            Ok(())
        } else {
            Err(format!("'{character}' is missing before \"{}\"", self.rest))
        }
    }

    /// The words behind TIME or TIMESTAMP that say whether there is a zone.
    fn with_zone(&mut self) -> bool {
        let mut ahead = Reader { rest: self.rest };
        let words = [ahead.word(), ahead.word(), ahead.word()].map(|word| word.to_ascii_uppercase());
        match words.each_ref().map(String::as_str) {
            [kind @ ("WITH" | "WITHOUT"), "TIME", "ZONE"] => {
                self.rest = ahead.rest;
                kind == "WITH"
            }
            _ => false,
        }
    }
}

fn simple(name: &str, reader: &mut Reader<'_>) -> Result<Type, String> {
    Ok(match name {
        "BOOLEAN" | "BOOL" | "LOGICAL" => Type::Boolean,
        "TINYINT" | "INT1" => Type::Int8,
        "SMALLINT" | "INT2" | "SHORT" | "INT16" => Type::Int16,
        "INTEGER" | "INT" | "INT4" | "SIGNED" | "INT32" => Type::Int32,
        "BIGINT" | "INT8" | "LONG" | "INT64" => Type::Int64,
        "HUGEINT" | "INT128" => Type::HUGEINT,
        "UTINYINT" | "UINT8" => Type::UInt8,
        "USMALLINT" | "UINT16" => Type::UInt16,
        "UINTEGER" | "UINT32" => Type::UInt32,
        "UBIGINT" | "UINT64" => Type::UInt64,
        "HALF" | "FLOAT16" => Type::Float16,
        "FLOAT" | "REAL" | "FLOAT4" | "FLOAT32" => Type::Float32,
        "DOUBLE" | "FLOAT8" | "FLOAT64" => {
            let mut ahead = Reader { rest: reader.rest };
            if ahead.word().eq_ignore_ascii_case("precision") {
                reader.rest = ahead.rest;
            }
            Type::Float64
        }
        "VARCHAR" | "TEXT" | "STRING" | "CHAR" | "BPCHAR" | "JSON" | "UUID" | "ENUM" => {
            // VARCHAR(10) is VARCHAR: lengths are not checked.
            if reader.take('(') {
                reader.word();
                reader.expect(')')?;
            }
            Type::Text
        }
        "BLOB" | "BYTEA" | "BINARY" | "VARBINARY" => Type::Binary,
        "DATE" => Type::Date,
        "TIME" => {
            reader.with_zone();
            Type::Time
        }
        "TIMESTAMP" | "DATETIME" => {
            if reader.with_zone() {
                Type::TimestampTz
            } else {
                Type::TIMESTAMP
            }
        }
        "TIMESTAMP_S" => Type::Timestamp(TimeUnit::Second),
        "TIMESTAMP_MS" => Type::Timestamp(TimeUnit::Millisecond),
        "TIMESTAMP_US" => Type::TIMESTAMP,
        "TIMESTAMP_NS" => Type::Timestamp(TimeUnit::Nanosecond),
        "TIMESTAMPTZ" => Type::TimestampTz,
        "INTERVAL" => Type::Interval,
        other => {
            return Err(format!(
                "\"{other}\" is not a type; BIGINT, DOUBLE, VARCHAR, DATE and TIMESTAMP are"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_printed() {
        for name in [
            "BIGINT",
            "DECIMAL(10,2)",
            "VARCHAR[]",
            "FLOAT[768]",
            "STRUCT(a INTEGER, b VARCHAR[])",
            "MAP(VARCHAR, DOUBLE)",
            "TIMESTAMP WITH TIME ZONE",
            "TIMESTAMP",
        ] {
            assert_eq!(parse_type(name).unwrap().to_string().replace('"', ""), name);
        }
        assert_eq!(parse_type("varchar(10)").unwrap(), Type::Text);
        assert!(parse_type("NUMBER").is_err());
        assert!(parse_type("BIGINT x").is_err());
    }
}

//! Where SQL text comes from, and names as SQL writes them.

use std::io::Read;
use std::path::Path;

use crate::arguments::SqlArguments;
use crate::error::{Error, Result};

/// The SQL text of a command line.
///
/// # Errors
/// The file or standard input cannot be read, or is not UTF-8.
pub(crate) fn read(arguments: &SqlArguments) -> Result<String> {
    match (&arguments.sql, &arguments.file) {
        (Some(sql), _) if sql != "-" => Ok(sql.clone()),
        (None, Some(file)) => read_file(file),
        _ => read_file(Path::new("-")),
    }
}

/// The SQL text of a file; `-` is standard input.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_file(path: &Path) -> Result<String> {
    let read = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    read.map_err(|error| Error::file("cannot read", path, error))
}

/// The bytes of a file; `-` is standard input.
///
/// # Errors
/// The file or standard input cannot be read.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| Error::file("cannot read", path, error))
}

/// A name in double quotes.
pub(crate) fn sql_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in single quotes.
pub(crate) fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What FROM takes: the name of a table as it is, everything else as the path of files.
pub(crate) fn table_reference(table: &str) -> String {
    let is_name = table.chars().all(|character| character.is_alphanumeric() || character == '_');
    if is_name && !Path::new(table).exists() { sql_identifier(table) } else { sql_text(table) }
}

#[cfg(test)]
mod tests {
    use super::{sql_identifier, sql_text, table_reference};

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(sql_text("it's"), "'it''s'");
        assert_eq!(sql_identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(table_reference("trips"), "\"trips\"");
        assert_eq!(table_reference("data/*.parquet"), "'data/*.parquet'");
    }
}

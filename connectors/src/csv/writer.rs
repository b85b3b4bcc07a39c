//! Writes batches as CSV.

use std::path::Path;

use bumpalo::Bump;
use hypostyle_functions::cast::format_value;
use hypostyle_functions::column::{Column, View};
use hypostyle_functions::{Schema, Type};

use crate::batch::views;
use crate::error::Result;
use crate::input::Compression;
use crate::output::{Encoded, Target};

/// Bytes gathered before they are handed on.
const BUFFER_BYTES: usize = 64 << 10;

/// What a user can choose of a written file.
#[derive(Debug, Clone)]
pub struct CsvWriteOptions {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that need it.
    pub quote: u8,
    /// Before a quote inside a quoted field.
    pub escape: u8,
    /// Whether the first record holds names.
    pub header: bool,
    /// Text of a null.
    pub null_text: String,
    /// Whether every field is quoted.
    pub quote_all: bool,
    /// Compression; by the name of the file if not stated.
    pub compression: Option<Compression>,
}

impl Default for CsvWriteOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            escape: b'"',
            header: true,
            null_text: String::new(),
            quote_all: false,
            compression: None,
        }
    }
}

/// Writes one file. Dropped before [`CsvWriter::finish`], it leaves nothing behind.
pub struct CsvWriter {
    output: Encoded,
    options: CsvWriteOptions,
    types: Vec<Type>,
    buffer: Vec<u8>,
    /// Text of the value that is being written.
    text: String,
}

impl CsvWriter {
    /// Opens `path` and writes the header.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create(path: &Path, schema: &Schema, options: CsvWriteOptions) -> Result<Self> {
        let output = Encoded::new(Target::create(path)?, options.compression)?;
        let mut buffer = Vec::with_capacity(BUFFER_BYTES * 2);
        if options.header {
            for (index, field) in schema.fields.iter().enumerate() {
                if index > 0 {
                    buffer.push(options.delimiter);
                }
                put_text(&mut buffer, field.name.as_bytes(), &options);
            }
            buffer.push(b'\n');
        }
        let types = schema.fields.iter().map(|field| field.data_type.clone()).collect();
        Ok(Self { output, options, types, buffer, text: String::new() })
    }

    /// Adds rows of the schema's columns.
    ///
    /// # Errors
    /// The system's refusal, such as a full disk.
    pub fn write(&mut self, columns: &[Column], rows: usize) -> Result<()> {
        let bump = Bump::new();
        let views = views(columns, &self.types, &bump);
        for row in 0..rows {
            for (index, view) in views.iter().enumerate() {
                if index > 0 {
                    self.buffer.push(self.options.delimiter);
                }
                put_value(view, row, &mut self.buffer, &mut self.text, &self.options);
            }
            self.buffer.push(b'\n');
            if self.buffer.len() >= BUFFER_BYTES {
                self.output.put(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }

    /// Writes the rest and gives the file its name.
    ///
    /// # Errors
    /// The system's refusal; nothing is left behind then.
    pub fn finish(mut self) -> Result<()> {
        self.output.put(&self.buffer)?;
        self.output.commit()
    }
}

/// One field, as the cast to text shows the value.
fn put_value(
    view: &View<'_>,
    row: usize,
    buffer: &mut Vec<u8>,
    text: &mut String,
    options: &CsvWriteOptions,
) {
    if view.is_null(row) {
        buffer.extend_from_slice(options.null_text.as_bytes());
        return;
    }
    match view.data_type {
        Type::Text => put_text(buffer, view.text().get(row).as_bytes(), options),
        Type::Int64 => {
            let mut digits = [0; lexical_core::BUFFER_SIZE];
            let digits = lexical_core::write(view.fixed::<i64>().get(row), &mut digits);
            if options.quote_all {
                put_text(buffer, digits, options)
            } else {
                buffer.extend_from_slice(digits)
            }
        }
        _ => {
            text.clear();
            // Writing to a string does not fail.
            let _ = format_value(view, row, text);
            put_text(buffer, text.as_bytes(), options);
        }
    }
}

/// A field, quoted if it would otherwise be read as something else: it holds a delimiter, a quote, a line end or
/// spaces at its ends, or it looks like a null.
fn put_text(buffer: &mut Vec<u8>, text: &[u8], options: &CsvWriteOptions) {
    let special =
        |&byte: &u8| byte == options.delimiter || byte == options.quote || byte == b'\n' || byte == b'\r';
    let edge = |byte: Option<&u8>| byte == Some(&b' ');
    let must_quote = options.quote_all
        || text == options.null_text.as_bytes()
        || text.iter().any(special)
        || edge(text.first())
        || edge(text.last())
        || text.first() == Some(&b'#');
    if !must_quote {
        buffer.extend_from_slice(text);
        return;
    }
    buffer.push(options.quote);
    for &byte in text {
        if byte == options.quote || byte == options.escape {
            buffer.push(options.escape);
        }
        buffer.push(byte);
    }
    buffer.push(options.quote);
}

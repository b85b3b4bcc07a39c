//! Writes batches as CSV.

use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Error, Place, Result};
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
    buffer: Vec<u8>,
}

impl CsvWriter {
    /// Opens `path` and writes the header.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create(path: &Path, schema: &Schema, options: CsvWriteOptions) -> Result<Self> {
        let output = Encoded::new(Target::create(path)?, options.compression)?;
        let mut writer = Self { output, options, buffer: Vec::with_capacity(BUFFER_BYTES * 2) };
        if writer.options.header {
            for (index, field) in schema.fields().iter().enumerate() {
                if index > 0 {
                    writer.buffer.push(writer.options.delimiter);
                }
                put_text(&mut writer.buffer, field.name().as_bytes(), &writer.options);
            }
            writer.buffer.push(b'\n');
        }
        Ok(writer)
    }

    /// Adds rows.
    ///
    /// # Errors
    /// The system's refusal, such as a full disk, or a value without a text form.
    pub fn write(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        let place = Place::file(self.output.path().display().to_string());
        let fields = columns.iter().map(Column::new).collect::<Result<Vec<_>, _>>();
        let fields = fields.map_err(|error| Error::corrupt(place.clone(), error.to_string()))?;
        for row in 0..rows {
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    self.buffer.push(self.options.delimiter);
                }
                field.put(row, &mut self.buffer, &self.options);
            }
            self.buffer.push(b'\n');
            if self.buffer.len() >= BUFFER_BYTES {
                self.hand_on()?;
            }
        }
        Ok(())
    }

    /// Writes the rest and gives the file its name.
    ///
    /// # Errors
    /// The system's refusal; nothing is left behind then.
    pub fn finish(mut self) -> Result<()> {
        self.hand_on()?;
        self.output.commit()
    }

    fn hand_on(&mut self) -> Result<()> {
        self.output.put(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// A column by the way its values are written.
enum Column<'a> {
    Text(&'a arrow::array::StringViewArray),
    Int64(&'a arrow::array::Int64Array),
    Float64(&'a arrow::array::Float64Array),
    Other(&'a dyn Array, ArrayFormatter<'a>),
}

const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_date_format(Some("%Y-%m-%d"))
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f+00"))
    .with_time_format(Some("%H:%M:%S%.f"));

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self, arrow::error::ArrowError> {
        Ok(match array.data_type() {
            DataType::Utf8View => Self::Text(array.as_string_view()),
            DataType::Int64 => Self::Int64(array.as_primitive()),
            DataType::Float64 => Self::Float64(array.as_primitive()),
            _ => Self::Other(array, ArrayFormatter::try_new(array, &FORMAT)?),
        })
    }

    fn put(&self, row: usize, buffer: &mut Vec<u8>, options: &CsvWriteOptions) {
        let array: &dyn Array = match self {
            Self::Text(array) => *array,
            Self::Int64(array) => *array,
            Self::Float64(array) => *array,
            Self::Other(array, _) => *array,
        };
        if array.is_null(row) {
            buffer.extend_from_slice(options.null_text.as_bytes());
            return;
        }
        match self {
            Self::Text(array) => put_text(buffer, array.value(row).as_bytes(), options),
            Self::Int64(array) => put_number(buffer, array.value(row), options),
            Self::Float64(array) => put_text(buffer, float_text(array.value(row)).as_bytes(), options),
            Self::Other(_, formatter) => {
                put_text(buffer, formatter.value(row).to_string().as_bytes(), options)
            }
        }
    }
}

fn put_number(buffer: &mut Vec<u8>, value: i64, options: &CsvWriteOptions) {
    let mut digits = [0; lexical_core::BUFFER_SIZE];
    let text = lexical_core::write(value, &mut digits);
    if options.quote_all { put_text(buffer, text, options) } else { buffer.extend_from_slice(text) }
}

fn float_text(value: f64) -> String {
    if value.is_nan() {
        "nan".into()
    } else if value.is_infinite() {
        if value > 0.0 { "inf".into() } else { "-inf".into() }
    } else {
        format!("{value:?}")
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

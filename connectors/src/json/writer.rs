//! Writes batches as JSON: an object per line, or one array of objects.

use std::path::Path;

use bumpalo::Bump;
use hypostyle_functions::cast::format_value;
use hypostyle_functions::column::{Column, View};
use hypostyle_functions::{Schema, Type};

use super::text::write_string;
use crate::batch::views;
use crate::error::Result;
use crate::input::Compression;
use crate::output::{Encoded, Target};

/// Bytes gathered before they are handed on.
const BUFFER_BYTES: usize = 64 << 10;

/// What a user can choose of a written file.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonWriteOptions {
    /// One array of objects instead of one object per line.
    pub array: bool,
    /// Compression; by the name of the file if not stated.
    pub compression: Option<Compression>,
}

/// Writes one file. Dropped before [`JsonWriter::finish`], it leaves nothing behind.
pub struct JsonWriter {
    output: Encoded,
    options: JsonWriteOptions,
    /// The keys of a row, quoted and with their colons.
    keys: Vec<String>,
    types: Vec<Type>,
    buffer: String,
    rows: u64,
}

impl JsonWriter {
    /// Opens `path` for rows of `schema`.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create(path: &Path, schema: &Schema, options: JsonWriteOptions) -> Result<Self> {
        let keys = schema.fields.iter().map(|field| quoted_key(&field.name)).collect();
        let types = schema.fields.iter().map(|field| field.data_type.clone()).collect();
        let output = Encoded::new(Target::create(path)?, options.compression)?;
        let buffer = if options.array { String::from("[") } else { String::new() };
        Ok(Self { output, options, keys, types, buffer, rows: 0 })
    }

    /// Adds rows of the schema's columns.
    ///
    /// # Errors
    /// The system's refusal, such as a full disk.
    pub fn write(&mut self, columns: &[Column], rows: usize) -> Result<()> {
        let bump = Bump::new();
        let views = views(columns, &self.types, &bump);
        for row in 0..rows {
            if self.options.array {
                self.buffer.push_str(if self.rows == 0 { "\n\t" } else { ",\n\t" });
            }
            self.rows += 1;
            self.buffer.push('{');
            for (index, (key, view)) in self.keys.iter().zip(&views).enumerate() {
                if index > 0 {
                    self.buffer.push(',');
                }
                self.buffer.push_str(key);
                put_value(view, row, &mut self.buffer);
            }
            self.buffer.push('}');
            if !self.options.array {
                self.buffer.push('\n');
            }
            if self.buffer.len() >= BUFFER_BYTES {
                self.output.put(self.buffer.as_bytes())?;
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
        if self.options.array {
            self.buffer.push_str("\n]\n");
        }
        self.output.put(self.buffer.as_bytes())?;
        self.output.commit()
    }
}

fn quoted_key(name: &str) -> String {
    let mut key = String::new();
    write_string(name, &mut key);
    key.push(':');
    key
}

/// One value. Numbers and truth values are bare, nested values arrays and objects, and everything else is the
/// text that the cast to text gives. JSON has no NaN and no infinities: they are null.
fn put_value(view: &View<'_>, row: usize, text: &mut String) {
    if view.is_null(row) {
        text.push_str("null");
        return;
    }
    match view.data_type {
        Type::Text => write_string(view.text().get(row), text),
        Type::Float32 if !view.fixed::<f32>().get(row).is_finite() => text.push_str("null"),
        Type::Float64 if !view.fixed::<f64>().get(row).is_finite() => text.push_str("null"),
        Type::Float16 if !view.fixed::<half::f16>().get(row).is_finite() => text.push_str("null"),
        bare if bare.is_numeric() || *bare == Type::Boolean => {
            let start = text.len();
            // Writing to a string does not fail.
            let _ = format_value(view, row, text);
            // A decimal without digits before its point has none in text, and one in JSON.
            let digits = start + usize::from(text[start..].starts_with('-'));
            if text[digits..].starts_with('.') {
                text.insert(digits, '0');
            }
        }
        Type::List(_) | Type::FixedList(..) => {
            let list = view.list();
            let range = list.range(row);
            text.push('[');
            for element in range.clone() {
                if element > range.start {
                    text.push(',');
                }
                put_value(list.child(), element, text);
            }
            text.push(']');
        }
        Type::Struct(fields) => {
            text.push('{');
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(&field.name, text);
                text.push(':');
                put_value(&view.field(index), row, text);
            }
            text.push('}');
        }
        Type::Map(..) => put_map(view, row, text),
        _ => {
            let mut shown = String::new();
            let _ = format_value(view, row, &mut shown);
            write_string(&shown, text);
        }
    }
}

fn put_map(view: &View<'_>, row: usize, text: &mut String) {
    let entries = view.list();
    let (keys, values) = (entries.child().field(0), entries.child().field(1));
    let range = entries.range(row);
    text.push('{');
    for entry in range.clone() {
        if entry > range.start {
            text.push(',');
        }
        let mut key = String::new();
        // Writing to a string does not fail.
        let _ = format_value(&keys, entry, &mut key);
        write_string(&key, text);
        text.push(':');
        put_value(&values, entry, text);
    }
    text.push('}');
}

//! A CSV file: dialect, names and types found out once, then read block by block.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hypostyle_functions::{Field, Schema, Type};

use super::convert::ColumnFormat;
use super::dialect::Dialect;
use super::reader::{CsvReader, Shared};
use super::shape::{SAMPLE_ROWS, Sample, Shape, no_text_form, null_texts};
use super::sniff::{Stated, sniff};
use crate::error::{Place, Result};
use crate::input::{Blocks, Compression, SampledFile, open_stream, sample_limit};
use crate::text_value::Pattern;

/// Bytes read to find out dialect and types.
const SAMPLE_BYTES: usize = 4 << 20;
/// Longest record, unless stated.
const RECORD_BYTES_MAX: usize = 16 << 20;

/// What to do with a record that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadRows {
    /// Fail, with file, line and column.
    #[default]
    Fail,
    /// Leave it out.
    Skip,
    /// Read as null what does not fit, and what is missing.
    Null,
}

/// What a user can state of a file; the rest is found out.
#[derive(Debug, Clone, Default)]
pub struct CsvOptions {
    /// Delimiter, quote, escape, comment.
    pub stated: Stated,
    /// Whether the first record holds names.
    pub header: Option<bool>,
    /// Names of the columns, in place of a header's.
    pub names: Vec<String>,
    /// Types of columns by name.
    pub types: Vec<(String, Type)>,
    /// Names and types of all columns: nothing is found out.
    pub columns: Vec<(String, Type)>,
    /// Every column is text.
    pub all_text: bool,
    /// Lines before the first record.
    pub skip_lines: usize,
    /// Texts that are null; without any, the empty text.
    pub null_texts: Vec<String>,
    /// Pattern of dates.
    pub date_pattern: Option<Pattern>,
    /// Pattern of timestamps.
    pub timestamp_pattern: Option<Pattern>,
    /// What to do with records that do not fit.
    pub bad_rows: BadRows,
    /// Missing fields at the end of a record are null.
    pub pad_with_nulls: bool,
    /// Rows that types are found out from.
    pub sample_rows: Option<usize>,
    /// Longest record.
    pub record_bytes_max: Option<usize>,
    /// Compression of the file.
    pub compression: Option<Compression>,
}

/// A file whose dialect, names and types are known.
#[derive(Debug)]
pub struct CsvFile {
    pub(super) path: PathBuf,
    pub(super) options: CsvOptions,
    pub(super) dialect: Dialect,
    pub(super) schema: Schema,
    pub(super) formats: Vec<ColumnFormat>,
    has_header: bool,
    pub(super) null_texts: Vec<String>,
    /// Where the first record begins.
    data_start: usize,
    data_line: u64,
    /// Length of the stored file; 0 for standard input.
    stored_bytes: u64,
    bytes: SampledFile,
}

impl CsvFile {
    /// Opens a file and finds out what is not stated.
    ///
    /// # Errors
    /// The system's refusal, options that contradict the file, or bytes that are not text.
    pub fn open(path: &Path, options: &CsvOptions) -> Result<Self> {
        let mut stream = open_stream(path, options.compression)?;
        let limit = sample_limit(options.sample_rows, SAMPLE_ROWS, SAMPLE_BYTES);
        let (sample, is_whole) = stream.sample(limit)?;
        let (mut start, mut line) = skipped(&sample, options.skip_lines);
        let dialect = sniff(&sample[start..], &options.stated);
        // A record that the sample cuts in two would look ragged.
        let whole = if is_whole {
            sample.len()
        } else {
            start + dialect.last_record_end(&sample[start..]).unwrap_or(0)
        };
        let shape = Shape::of(
            &Sample { bytes: &sample[start..whole], dialect },
            options,
            &Place::file(stream.name()),
        )?;
        line += shape.header_lines;
        start += shape.header_bytes;
        let stored_bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let bytes = SampledFile::new(path, options.compression, stream, sample);
        Ok(Self {
            path: path.to_path_buf(),
            options: options.clone(),
            dialect,
            schema: Schema::new(
                shape
                    .names
                    .into_iter()
                    .zip(&shape.formats)
                    .map(|(name, format)| Field::new(name, format.data_type()))
                    .collect(),
            ),
            formats: shape.formats,
            has_header: shape.has_header,
            null_texts: null_texts(options),
            data_start: start,
            data_line: line,
            stored_bytes,
            bytes,
        })
    }

    /// Names and types.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Delimiter, quote and so on.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// True if the names come from the file.
    pub fn has_header(&self) -> bool {
        self.has_header
    }

    /// Length of the file as it is stored.
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    /// Starts to read columns, each as a type: its own, or a wider one that other files of the table need.
    ///
    /// # Errors
    /// The system's refusal, or a type without a text form.
    pub fn scan(self: &Arc<Self>, columns: &[(usize, Type)], batch_rows: usize) -> Result<CsvScan> {
        let mut slots = vec![None; self.formats.len()];
        let mut formats = Vec::with_capacity(columns.len());
        for (slot, (column, data_type)) in columns.iter().enumerate() {
            slots[*column] = Some(slot);
            formats.push(self.format(*column, data_type)?);
        }
        let stream = self.bytes.open()?;
        // Fields are found by 32-bit positions in their block.
        let record_bytes_max = self.options.record_bytes_max.unwrap_or(RECORD_BYTES_MAX).min(1 << 30);
        let mut blocks = Blocks::new(stream, self.dialect, record_bytes_max);
        blocks.skip(self.data_start, self.data_line - 1)?;
        let shared = Arc::new(Shared { file: Arc::clone(self), slots, formats, batch_rows });
        Ok(CsvScan { shared, blocks })
    }

    fn format(&self, column: usize, data_type: &Type) -> Result<ColumnFormat> {
        let own = &self.formats[column];
        if own.data_type() == *data_type {
            return Ok(own.clone());
        }
        let (date, timestamp) = (self.options.date_pattern.as_ref(), self.options.timestamp_pattern.as_ref());
        ColumnFormat::of(data_type, own.pattern().or(date), own.pattern().or(timestamp)).ok_or_else(|| {
            no_text_form(
                &self.schema.fields[column].name,
                data_type,
                Place::file(self.path.display().to_string()),
            )
        })
    }
}

/// Blocks of one file and how to read them.
pub struct CsvScan {
    shared: Arc<Shared>,
    blocks: Blocks<Dialect>,
}

impl CsvScan {
    /// A reader of the next block; `None` at the end of the file.
    ///
    /// # Errors
    /// The system's refusal, or a record that does not end.
    pub fn claim(&mut self) -> Result<Option<CsvReader>> {
        Ok(self.blocks.next_block()?.map(|block| CsvReader::new(Arc::clone(&self.shared), block)))
    }

    /// Bytes of the file's text taken so far.
    pub fn bytes_read(&self) -> u64 {
        self.blocks.bytes_read()
    }
}

/// Bytes and lines to skip: a byte order mark and the stated number of lines.
fn skipped(sample: &[u8], lines: usize) -> (usize, u64) {
    let mut start = if sample.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut line = 1;
    for _ in 0..lines {
        match memchr::memchr(b'\n', &sample[start..]) {
            Some(end) => start += end + 1,
            None => start = sample.len(),
        }
        line += 1;
    }
    (start, line)
}

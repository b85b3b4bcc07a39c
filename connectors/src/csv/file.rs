//! A CSV file: dialect, names and types found out once, then read block by block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hypostyle_functions::{Field, Schema, Type};

use super::blocks::{Blocks, CsvBlock};
use super::convert::{BadValue, BlockText, ColumnFormat, Conversion};
use super::dialect::Dialect;
use super::header::{made_up_names, names_of_header};
use super::infer::{Patterns, TypeInference};
use super::records::{Damage, Record, Span, read_record, unescape};
use super::sniff::{Stated, sniff};
use crate::batch::FileBatch;
use crate::error::{Error, Place, Result};
use crate::input::{ByteStream, Compression, is_standard_input, open_stream};
use crate::text_value::Pattern;

/// Bytes read to find out dialect and types.
const SAMPLE_BYTES: usize = 4 << 20;
/// Rows that types are found out from, unless stated.
const SAMPLE_ROWS: usize = 20_480;
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
    path: PathBuf,
    options: CsvOptions,
    dialect: Dialect,
    schema: Schema,
    formats: Vec<ColumnFormat>,
    has_header: bool,
    null_texts: Vec<String>,
    /// Where the first record begins.
    data_start: usize,
    data_line: u64,
    /// Length of the stored file; 0 for standard input.
    stored_bytes: u64,
    /// Standard input cannot be opened again: its stream, with the sample in front, waits here.
    pending: Mutex<Option<ByteStream>>,
}

/// The records of a sample, without blank lines and comments.
struct Sample<'a> {
    bytes: &'a [u8],
    dialect: Dialect,
}

impl CsvFile {
    /// Opens a file and finds out what is not stated.
    ///
    /// # Errors
    /// The system's refusal, options that contradict the file, or bytes that are not text.
    pub fn open(path: &Path, options: &CsvOptions) -> Result<Self> {
        let mut stream = open_stream(path, options.compression)?;
        let mut sample = vec![0; SAMPLE_BYTES];
        let read = stream.fill(&mut sample)?;
        sample.truncate(read);
        let is_whole = read < SAMPLE_BYTES;
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
        let pending = is_standard_input(path).then(|| stream.with_ahead(sample));
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
            pending: Mutex::new(pending),
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
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stream = match pending {
            Some(stream) => stream,
            None if is_standard_input(&self.path) => {
                return Err(Error::Missing {
                    location: self.path.display().to_string(),
                    problem: "standard input was read already; it can be read once".into(),
                });
            }
            None => open_stream(&self.path, self.options.compression)?,
        };
        let record_bytes_max = self.options.record_bytes_max.unwrap_or(RECORD_BYTES_MAX);
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
    blocks: Blocks,
}

struct Shared {
    file: Arc<CsvFile>,
    /// For each column of the file its place among the asked ones.
    slots: Vec<Option<usize>>,
    formats: Vec<ColumnFormat>,
    batch_rows: usize,
}

impl CsvScan {
    /// A reader of the next block; `None` at the end of the file.
    ///
    /// # Errors
    /// The system's refusal, or a record that does not end.
    pub fn claim(&mut self) -> Result<Option<CsvReader>> {
        Ok(self.blocks.next()?.map(|block| CsvReader::new(Arc::clone(&self.shared), block)))
    }

    /// Bytes of the file's text taken so far.
    pub fn bytes_read(&self) -> u64 {
        self.blocks.bytes_read()
    }
}

/// Reads the records of one block in batches.
pub struct CsvReader {
    shared: Arc<Shared>,
    block: Arc<BlockText>,
    first_line: u64,
    position: usize,
    spans: Vec<Vec<Span>>,
    /// Where each record of the batch begins.
    starts: Vec<usize>,
}

impl CsvReader {
    fn new(shared: Arc<Shared>, block: CsvBlock) -> Self {
        let spans = vec![Vec::with_capacity(shared.batch_rows); shared.formats.len()];
        Self {
            shared,
            block: Arc::new(BlockText::new(block.bytes)),
            first_line: block.first_line,
            position: 0,
            spans,
            starts: Vec::new(),
        }
    }

    /// Bytes of the block.
    pub fn block_bytes(&self) -> usize {
        self.block.bytes().len()
    }

    /// The next batch; `None` at the end of the block.
    ///
    /// # Errors
    /// The first record that does not fit, if such records fail.
    pub fn next(&mut self) -> Result<Option<FileBatch>> {
        loop {
            self.spans.iter_mut().for_each(Vec::clear);
            self.starts.clear();
            self.cut()?;
            if self.starts.is_empty() {
                return Ok(None);
            }
            let batch = self.convert()?;
            if batch.rows > 0 {
                return Ok(Some(batch));
            }
        }
    }

    /// Cuts as many records as a batch holds.
    fn cut(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let file = &shared.file;
        let block = Arc::clone(&self.block);
        let bytes = block.bytes();
        let expected = file.formats.len();
        while self.starts.len() < shared.batch_rows && self.position < bytes.len() {
            let start = self.position;
            if file.dialect.comment == Some(bytes[start]) {
                let end = memchr::memchr(file.dialect.line_end, &bytes[start..]);
                self.position = end.map_or(bytes.len(), |end| start + end + 1);
                continue;
            }
            let spans = &mut self.spans;
            let record = read_record(bytes, start, &file.dialect, |field, span| {
                if let Some(Some(slot)) = shared.slots.get(field) {
                    spans[*slot].push(span);
                }
            });
            self.position = record.end;
            if record.fields == expected && record.damage.is_none() {
                if expected > 1 || !is_last_blank(bytes, start, record.end) {
                    self.starts.push(start);
                } else {
                    spans.iter_mut().for_each(|column| column.truncate(self.starts.len()));
                }
                continue;
            }
            if is_blank(&bytes[start..record.end]) {
                spans.iter_mut().for_each(|column| column.truncate(self.starts.len()));
                continue;
            }
            self.repair(start, record)?;
        }
        Ok(())
    }

    /// Does with a record of the wrong shape what is to be done with such.
    fn repair(&mut self, start: usize, record: Record) -> Result<()> {
        let file = &self.shared.file;
        let rows = self.starts.len();
        let is_short = record.damage.is_none() && record.fields < file.formats.len();
        let keep = match file.options.bad_rows {
            BadRows::Null => true,
            _ if is_short && file.options.pad_with_nulls => true,
            BadRows::Skip => false,
            BadRows::Fail => return Err(self.shape_error(start, record)),
        };
        if keep {
            self.starts.push(start);
        }
        let end = record.end as u32;
        for spans in &mut self.spans {
            spans.truncate(self.starts.len());
            if keep && spans.len() == rows {
                spans.push(Span { start: end, end, missing: true, ..Span::default() });
            }
        }
        Ok(())
    }

    fn convert(&self) -> Result<FileBatch> {
        let file = &self.shared.file;
        let conversion =
            Conversion { block: &self.block, dialect: &file.dialect, null_texts: &file.null_texts };
        let rows = self.starts.len();
        let mut columns = Vec::with_capacity(self.spans.len());
        let mut bad: Vec<(BadValue, usize)> = Vec::new();
        let mut bad_of_column = Vec::new();
        for (slot, (spans, format)) in self.spans.iter().zip(&self.shared.formats).enumerate() {
            columns.push(hypostyle_functions::column::Column::Flat(format.convert(
                spans,
                &conversion,
                &mut bad_of_column,
            )));
            bad.extend(bad_of_column.drain(..).map(|value| (value, slot)));
        }
        let batch = FileBatch { columns, rows };
        if bad.is_empty() {
            return Ok(batch);
        }
        match file.options.bad_rows {
            BadRows::Null => Ok(batch),
            BadRows::Skip => batch.without(bad.iter().map(|(value, _)| value.row)),
            BadRows::Fail => {
                let first = bad.iter().min_by_key(|(value, slot)| (value.row, *slot));
                Err(first.map_or_else(
                    || Error::Internal("no bad value".into()),
                    |(value, slot)| self.value_error(*value, *slot),
                ))
            }
        }
    }

    fn place(&self, start: usize) -> Place {
        let file = &self.shared.file;
        let before = &self.block.bytes()[..start];
        let line = self.first_line + memchr::memchr_iter(file.dialect.line_end, before).count() as u64;
        Place::file(file.path.display().to_string()).line(line)
    }

    fn shape_error(&self, start: usize, record: Record) -> Error {
        let schema = &self.shared.file.schema;
        let name = |field: usize| {
            schema.fields.get(field).map_or_else(|| format!("column{field}"), |field| field.name.clone())
        };
        let place = self.place(start);
        match record.damage {
            Some(Damage::OpenQuote(field)) => Error::record(
                place.column(name(field)),
                "a quote is not closed before the end of the file; close it, or state another quote or none with quote => ''",
            ),
            Some(Damage::TextAfterQuote(field)) => Error::record(
                place.column(name(field)),
                "text between the closing quote and the delimiter; double the quotes inside, or state another quote or escape",
            ),
            None => Error::record(
                place,
                format!(
                    "{} fields where there are {} columns; null_padding => true fills up short records, ignore_errors => true leaves out such records",
                    record.fields,
                    schema.fields.len()
                ),
            ),
        }
    }

    fn value_error(&self, bad: BadValue, slot: usize) -> Error {
        let file = &self.shared.file;
        let column = self.shared.slots.iter().position(|&place| place == Some(slot)).unwrap_or(slot);
        let name = file.schema.fields[column].name.clone();
        let place = self.place(self.starts[bad.row]).column(&name);
        let span = self.spans[slot][bad.row];
        if bad.invalid_utf8 {
            return Error::record(
                place,
                "not valid UTF-8; convert the file to UTF-8, or leave out such records with ignore_errors => true",
            );
        }
        let text = String::from_utf8_lossy(span.of(self.block.bytes()));
        let shown: String = text.chars().take(60).collect();
        let data_type = self.shared.formats[slot].data_type();
        Error::record(
            place,
            format!(
                "\"{shown}\" is not a {data_type}; state another type with types => {{'{name}': 'VARCHAR'}}, a larger sample with sample_size => -1, or what is null with nullstr"
            ),
        )
    }
}

/// Names, types and header of a file.
struct Shape {
    names: Vec<String>,
    formats: Vec<ColumnFormat>,
    has_header: bool,
    header_bytes: usize,
    header_lines: u64,
}

impl Shape {
    fn of(sample: &Sample<'_>, options: &CsvOptions, place: &Place) -> Result<Self> {
        let first = sample.records().next();
        let nulls = null_texts(options);
        let is_null = |value: &[u8]| value.is_empty() || nulls.iter().any(|text| text.as_bytes() == value);
        let (first_fields, first_end) = match first {
            Some((start, record)) => (sample.fields(start), record.end),
            None => (Vec::new(), 0),
        };
        let width = sample.width(options).max(1);
        let patterns = Patterns::new(options.date_pattern.as_ref(), options.timestamp_pattern.as_ref());
        let observe = |skip: usize| {
            let mut columns: Vec<TypeInference> = (0..width).map(|_| TypeInference::new(&patterns)).collect();
            let rows = options.sample_rows.unwrap_or(SAMPLE_ROWS);
            let mut text = Vec::new();
            for (start, _) in sample.records().skip(skip).take(rows) {
                sample.each_field(start, &mut text, |field, value| {
                    if let Some(column) = columns.get_mut(field)
                        && !is_null(value)
                    {
                        column.observe(value);
                    }
                });
            }
            columns.into_iter().map(TypeInference::finish).collect::<Vec<_>>()
        };
        let only_record = sample.records().nth(1).is_none();
        let behind_first = if only_record { observe(0) } else { observe(1) };
        let has_header = match options.header {
            Some(stated) => stated,
            None if !options.columns.is_empty() => is_header_of(&first_fields, options, &is_null),
            None => first.is_some() && looks_like_header(&first_fields, &behind_first, &is_null),
        };
        let mut formats = match (has_header, only_record) {
            (true, true) => vec![ColumnFormat::Text; width],
            (true, false) => behind_first,
            (false, _) => observe(0),
        };
        if options.all_text {
            formats = vec![ColumnFormat::Text; width];
        }
        let mut names =
            if has_header { names_of_header(&padded(&first_fields, width)) } else { made_up_names(width) };
        if !options.columns.is_empty() {
            names = options.columns.iter().map(|(name, _)| name.clone()).collect();
            formats.resize(names.len(), ColumnFormat::Text);
        }
        for (index, name) in options.names.iter().enumerate().take(names.len()) {
            names[index].clone_from(name);
        }
        state_types(&names, &mut formats, options, place)?;
        let header = if has_header { &sample.bytes[..first_end] } else { &[][..] };
        Ok(Self {
            names,
            formats,
            has_header,
            header_bytes: header.len(),
            header_lines: memchr::memchr_iter(sample.dialect.line_end, header).count() as u64,
        })
    }
}

/// True if the first record holds names: it has none of the types of the records behind it, or all is text.
fn looks_like_header(first: &[String], formats: &[ColumnFormat], is_null: &dyn Fn(&[u8]) -> bool) -> bool {
    if first.iter().all(|field| is_null(field.as_bytes())) {
        return true;
    }
    if formats.iter().all(|format| *format == ColumnFormat::Text) {
        return true;
    }
    let differs = |field: &String, format: &ColumnFormat| {
        !is_null(field.as_bytes()) && !format.accepts(field.as_bytes())
    };
    first.iter().zip(formats).any(|(field, format)| differs(field, format))
}

/// True if the first record is the header of stated columns: it holds their names, or values of other types.
fn is_header_of(first: &[String], options: &CsvOptions, is_null: &dyn Fn(&[u8]) -> bool) -> bool {
    let names = || {
        first.iter().zip(&options.columns).all(|(field, (name, _))| field.trim().eq_ignore_ascii_case(name))
    };
    let misfit = |(field, (_, data_type)): (&String, &(String, Type))| {
        let format =
            ColumnFormat::of(data_type, options.date_pattern.as_ref(), options.timestamp_pattern.as_ref());
        !is_null(field.as_bytes()) && format.is_some_and(|format| !format.accepts(field.as_bytes()))
    };
    !first.is_empty() && (names() || first.iter().zip(&options.columns).any(misfit))
}

fn state_types(
    names: &[String],
    formats: &mut [ColumnFormat],
    options: &CsvOptions,
    place: &Place,
) -> Result<()> {
    for (name, data_type) in options.columns.iter().chain(&options.types) {
        // A list of types names its columns by their positions.
        let by_position =
            || name.strip_prefix('#')?.parse().ok().filter(|&index: &usize| index < names.len());
        let by_name = names.iter().position(|known| known.eq_ignore_ascii_case(name));
        let Some(index) = by_name.or_else(by_position) else {
            return Err(Error::option(
                "read_csv",
                "types",
                format!("{}: no column \"{name}\"; there are {}", place.path, quoted_list(names)),
            ));
        };
        let known = formats[index].pattern().cloned();
        let date = options.date_pattern.as_ref().or(known.as_ref());
        let timestamp = options.timestamp_pattern.as_ref().or(known.as_ref());
        formats[index] = ColumnFormat::of(data_type, date, timestamp)
            .ok_or_else(|| no_text_form(name, data_type, place.clone()))?;
    }
    Ok(())
}

fn no_text_form(column: &str, data_type: &Type, place: Place) -> Error {
    Error::Unsupported {
        place: place.column(column),
        what: format!("reading {data_type} from CSV"),
        right: "read it as VARCHAR and cast it".into(),
    }
}

fn quoted_list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("\"{name}\"")).collect();
    let more = if names.len() > 12 { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn null_texts(options: &CsvOptions) -> Vec<String> {
    if options.null_texts.is_empty() { vec![String::new()] } else { options.null_texts.clone() }
}

fn padded(fields: &[String], width: usize) -> Vec<String> {
    let mut padded = fields.to_vec();
    padded.resize(width, String::new());
    padded
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

fn is_blank(line: &[u8]) -> bool {
    matches!(line, [] | [b'\n' | b'\r'] | [b'\r', b'\n'])
}

/// True for an empty last line, which is no record even where there is one column.
fn is_last_blank(bytes: &[u8], start: usize, end: usize) -> bool {
    end == bytes.len() && start == end
}

impl Sample<'_> {
    /// Start and end of each record.
    fn records(&self) -> impl Iterator<Item = (usize, Record)> + '_ {
        let mut position = 0;
        std::iter::from_fn(move || {
            while position < self.bytes.len() {
                let start = position;
                let record = read_record(self.bytes, start, &self.dialect, |_, _| {});
                position = record.end;
                let is_comment = self.dialect.comment.is_some_and(|comment| self.bytes[start] == comment);
                if is_comment {
                    let end = memchr::memchr(self.dialect.line_end, &self.bytes[start..]);
                    position = end.map_or(self.bytes.len(), |end| start + end + 1);
                } else if !is_blank(&self.bytes[start..record.end]) {
                    return Some((start, record));
                }
            }
            None
        })
    }

    fn each_field(&self, start: usize, text: &mut Vec<u8>, mut visit: impl FnMut(usize, &[u8])) {
        read_record(self.bytes, start, &self.dialect, |field, span| {
            if span.escaped {
                unescape(span.of(self.bytes), &self.dialect, text);
                visit(field, text);
            } else {
                visit(field, span.of(self.bytes));
            }
        });
    }

    fn fields(&self, start: usize) -> Vec<String> {
        let mut fields = Vec::new();
        self.each_field(start, &mut Vec::new(), |_, value| {
            fields.push(String::from_utf8_lossy(value).into_owned())
        });
        fields
    }

    /// Fields of most records; of the longest if short ones are filled up.
    fn width(&self, options: &CsvOptions) -> usize {
        let mut counts = std::collections::BTreeMap::new();
        for (_, record) in self.records().take(SAMPLE_ROWS) {
            *counts.entry(record.fields).or_insert(0usize) += 1;
        }
        if options.pad_with_nulls {
            return counts.keys().next_back().copied().unwrap_or(0);
        }
        // Among equals the first record's width counts: it is the header's.
        let first = self.records().next().map_or(0, |(_, record)| record.fields);
        let most = counts.values().max().copied().unwrap_or(0);
        if counts.get(&first) == Some(&most) {
            return first;
        }
        counts.into_iter().find(|(_, count)| *count == most).map_or(0, |(fields, _)| fields)
    }
}

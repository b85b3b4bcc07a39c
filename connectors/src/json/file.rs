//! A JSON file: layout and shape found out once, then read block by block.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hypostyle_functions::column::Column;
use hypostyle_functions::{Field, Schema, Type};
use simd_json::{Buffers, Node, Tape};

use super::build::{Builder, Problem, Scratch, nodes};
use super::layout::{JsonLayout, Next, Values};
use super::shape::{Observed, Shape};
use crate::batch::FileBatch;
use crate::error::{Error, Place, Result};
use crate::input::{Block, Blocks, Compression, SampledFile, open_stream, sample_limit};

/// Bytes read to find out the shape.
const SAMPLE_BYTES: usize = 8 << 20;
/// Values that the shape is found out from, unless stated.
const SAMPLE_VALUES: usize = 20_480;
/// Longest value, unless stated.
const VALUE_BYTES_MAX: usize = 64 << 20;
/// Name of the one column of values that are not objects.
const VALUE_COLUMN: &str = "json";

/// What a user can state of a file; the rest is found out.
#[derive(Debug, Clone, Default)]
pub struct JsonOptions {
    /// Arrangement of the values.
    pub layout: Option<JsonLayout>,
    /// Names and types of the columns: nothing is found out, and other keys are left aside.
    pub columns: Vec<(String, Type)>,
    /// Whether the keys of objects are columns; otherwise each value is one.
    pub records: Option<bool>,
    /// Values that do not fit are null.
    pub ignore_errors: bool,
    /// Levels of nesting that become columns and fields; deeper ones are JSON text.
    pub maximum_depth: Option<usize>,
    /// Values that the shape is found out from.
    pub sample_values: Option<usize>,
    /// Longest value.
    pub value_bytes_max: Option<usize>,
    /// Compression of the file.
    pub compression: Option<Compression>,
}

/// A file whose layout and columns are known.
#[derive(Debug)]
pub struct JsonFile {
    path: PathBuf,
    options: JsonOptions,
    layout: JsonLayout,
    schema: Schema,
    /// Key and shape of each column.
    columns: Vec<(String, Shape)>,
    /// Whether the keys of objects are the columns.
    is_records: bool,
    stored_bytes: u64,
    bytes: SampledFile,
}

impl JsonFile {
    /// Opens a file and finds out what is not stated.
    ///
    /// # Errors
    /// The system's refusal, or a sample that is not JSON.
    pub fn open(path: &Path, options: &JsonOptions) -> Result<Self> {
        let mut stream = open_stream(path, options.compression)?;
        let limit = sample_limit(options.sample_values, SAMPLE_VALUES, SAMPLE_BYTES);
        let (sample, is_whole) = stream.sample(limit)?;
        let text = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&sample);
        let layout = options.layout.unwrap_or_else(|| JsonLayout::of(text, is_whole));
        let (columns, is_records) = if options.columns.is_empty() {
            let observed = observe(text, layout, is_whole, options, stream.name())?;
            let depth = options.maximum_depth.unwrap_or(usize::MAX);
            match options.records.unwrap_or_else(|| observed.is_records()) {
                true => (observed.fields(depth.saturating_sub(1)), true),
                false => (vec![(VALUE_COLUMN.to_owned(), observed.shape(depth))], false),
            }
        } else {
            (stated(options, stream.name())?, options.records.unwrap_or(true))
        };
        let names =
            crate::csv::names_of_header(&columns.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
        let fields =
            names.into_iter().zip(&columns).map(|(name, (_, shape))| Field::new(name, shape.data_type()));
        let schema = Schema::new(fields.collect());
        let stored_bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let bytes = SampledFile::new(path, options.compression, stream, sample);
        Ok(Self {
            path: path.to_path_buf(),
            options: options.clone(),
            layout,
            schema,
            columns,
            is_records,
            stored_bytes,
            bytes,
        })
    }

    /// Names and types.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Length of the file as it is stored.
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    /// Starts to read columns, each as a type: its own, or a wider one that other files of the table need. Of a column
    /// that has a type in `narrowed`, only the fields of that type are built.
    ///
    /// # Errors
    /// The system's refusal, or a type without a JSON form.
    pub fn scan(
        self: &Arc<Self>,
        columns: &[(usize, Type)],
        narrowed: &[Option<Type>],
        batch_rows: usize,
    ) -> Result<JsonScan> {
        let mut asked = Vec::with_capacity(columns.len());
        for (position, (column, data_type)) in columns.iter().enumerate() {
            let (key, own) = &self.columns[*column];
            let shape = if own.data_type() == *data_type {
                own.clone()
            } else {
                Shape::of(data_type)
                    .ok_or_else(|| no_json_form(key, data_type, self.path.display().to_string()))?
            };
            let shape = match narrowed.get(position) {
                Some(Some(part)) => shape.narrowed(part),
                _ => shape,
            };
            asked.push((key.clone(), shape));
        }
        let stream = self.bytes.open()?;
        let value_bytes_max = self.options.value_bytes_max.unwrap_or(VALUE_BYTES_MAX);
        let blocks = Blocks::new(stream, self.layout, value_bytes_max);
        let types = asked.iter().map(|(_, shape)| shape.data_type()).collect();
        Ok(JsonScan { shared: Arc::new(Shared { file: Arc::clone(self), asked, types, batch_rows }), blocks })
    }
}

fn stated(options: &JsonOptions, path: &str) -> Result<Vec<(String, Shape)>> {
    let shape = |(name, data_type): &(String, Type)| {
        let shape = Shape::of(data_type).ok_or_else(|| no_json_form(name, data_type, path.to_owned()))?;
        Ok((name.clone(), shape))
    };
    options.columns.iter().map(shape).collect()
}

fn no_json_form(column: &str, data_type: &Type, path: String) -> Error {
    Error::Unsupported {
        place: Box::new(Place::file(path).column(column)),
        what: format!("reading {data_type} from JSON"),
        right: "read it as VARCHAR and cast it".into(),
    }
}

/// Parses the values of a sample.
fn observe(
    sample: &[u8],
    layout: JsonLayout,
    is_whole: bool,
    options: &JsonOptions,
    path: &str,
) -> Result<Observed> {
    let mut observed = Observed::default();
    let start = match layout {
        JsonLayout::Array => memchr::memchr(b'[', sample).map_or(0, |at| at + 1),
        _ => 0,
    };
    let end = if is_whole { sample.len() } else { layout.last_value_end(sample).unwrap_or(sample.len()) };
    let mut values = Values::new(layout, start);
    let mut bytes = Vec::new();
    let mut buffers = Buffers::default();
    let mut count = 0;
    let most = options.sample_values.unwrap_or(SAMPLE_VALUES);
    while count < most {
        let Next::Value(from, to) = values.next(&sample[..end]) else { break };
        bytes.clear();
        bytes.extend_from_slice(&sample[from..to]);
        match simd_json::to_tape_with_buffers(&mut bytes, &mut buffers) {
            Ok(tape) => {
                observed.observe(&tape.0, 0);
            }
            // The read reports it with its line.
            Err(_) if options.ignore_errors => {}
            Err(error) => {
                let line = 1 + memchr::memchr_iter(b'\n', &sample[..from]).count() as u64;
                return Err(not_json(Place::file(path).line(line), &error));
            }
        }
        count += 1;
    }
    Ok(observed)
}

fn not_json(place: Place, error: &simd_json::Error) -> Error {
    Error::record(place, format!("not valid JSON: {error}; ignore_errors => true reads such values as nulls"))
}

/// Blocks of one file and how to read them.
pub struct JsonScan {
    shared: Arc<Shared>,
    blocks: Blocks<JsonLayout>,
}

struct Shared {
    file: Arc<JsonFile>,
    /// Key and shape of the asked columns.
    asked: Vec<(String, Shape)>,
    types: Vec<Type>,
    batch_rows: usize,
}

impl JsonScan {
    /// A reader of the next block; `None` at the end of the file.
    ///
    /// # Errors
    /// The system's refusal, or a value that is too long.
    pub fn claim(&mut self) -> Result<Option<JsonReader>> {
        Ok(self.blocks.next_block()?.map(|block| JsonReader::new(Arc::clone(&self.shared), block)))
    }

    /// Bytes of the file's text taken so far.
    pub fn bytes_read(&self) -> u64 {
        self.blocks.bytes_read()
    }
}

/// Reads the values of one block in batches.
pub struct JsonReader {
    shared: Arc<Shared>,
    bytes: Vec<u8>,
    first_line: u64,
    values: Values,
    builders: Vec<Builder>,
    buffers: Buffers,
    tape: Vec<Node<'static>>,
    scratch: Scratch,
    keys: KeyOrder,
}

/// Finds the place of a key among the asked columns; objects mostly repeat the order of the one before.
struct KeyOrder {
    positions: std::collections::HashMap<String, usize>,
    /// The column, if any, that each key of the last object had.
    last: Vec<(String, Option<usize>)>,
    /// The record in which each column was last filled, counted from 1.
    filled: Vec<usize>,
}

impl KeyOrder {
    fn new(asked: &[(String, Shape)]) -> Self {
        let positions = asked.iter().enumerate().map(|(index, (key, _))| (key.clone(), index)).collect();
        Self { positions, last: Vec::new(), filled: vec![0; asked.len()] }
    }

    fn find(&mut self, index: usize, key: &str) -> Option<usize> {
        if let Some((known, column)) = self.last.get(index)
            && known == key
        {
            return *column;
        }
        let column = self.positions.get(key).copied();
        let entry = (key.to_owned(), column);
        if index < self.last.len() {
            self.last[index] = entry;
        } else if index == self.last.len() {
            self.last.push(entry);
        }
        column
    }
}

impl JsonReader {
    fn new(shared: Arc<Shared>, block: Block) -> Self {
        let strict = shared.file.options.columns.is_empty();
        Self {
            bytes: block.bytes,
            first_line: block.first_line,
            values: Values::new(shared.file.layout, 0),
            builders: shared.asked.iter().map(|(_, shape)| Builder::new(shape, strict)).collect(),
            buffers: Buffers::default(),
            tape: Vec::new(),
            scratch: Scratch::default(),
            keys: KeyOrder::new(&shared.asked),
            shared,
        }
    }

    /// Bytes of the block.
    pub fn block_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The next batch; `None` at the end of the block.
    ///
    /// # Errors
    /// A value that is not JSON or does not fit its column, unless such values are null.
    pub fn next_batch(&mut self) -> Result<Option<FileBatch>> {
        let mut rows = 0;
        self.keys.filled.fill(0);
        while rows < self.shared.batch_rows {
            match self.values.next(&self.bytes) {
                Next::End => break,
                Next::Value(start, end) => self.read(start, end, rows)?,
                Next::Open(start) => {
                    if !self.shared.file.options.ignore_errors {
                        return Err(Error::record(
                            self.place(start),
                            "the value that begins here does not end",
                        ));
                    }
                    self.builders.iter_mut().for_each(Builder::push_null);
                    self.values = Values::new(self.shared.file.layout, self.bytes.len());
                }
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns = self.builders.iter_mut().zip(&self.shared.types);
        let columns = columns.map(|(builder, data_type)| Column::Flat(builder.finish(data_type))).collect();
        Ok(Some(FileBatch { columns, rows }))
    }

    /// Adds one value as a row.
    fn read(&mut self, start: usize, end: usize, row: usize) -> Result<()> {
        if self.builders.is_empty() && self.shared.file.layout == JsonLayout::Lines {
            return Ok(());
        }
        let mut tape: Tape<'_> = Tape(std::mem::take(&mut self.tape)).reset();
        let ignore_errors = self.shared.file.options.ignore_errors;
        // The parser unescapes strings in place, so a later message shows the text as it was parsed.
        match simd_json::fill_tape(&mut self.bytes[start..end], &mut self.buffers, &mut tape) {
            Ok(()) if self.shared.file.is_records => push_record(
                &tape.0,
                &mut self.builders,
                &mut self.keys,
                &mut self.scratch,
                row + 1,
                &self.shared.file,
            ),
            Ok(()) => {
                self.builders.iter_mut().for_each(|builder| {
                    builder.push(&tape.0, 0, &mut self.scratch);
                });
            }
            Err(_) if ignore_errors => self.builders.iter_mut().for_each(Builder::push_null),
            Err(error) => {
                drop(tape);
                return Err(not_json(self.place(start), &error));
            }
        }
        self.tape = tape.reset().0;
        match self.scratch.problem.take() {
            Some(problem) if !ignore_errors => Err(self.misfit(start, &problem)),
            _ => Ok(()),
        }
    }

    fn misfit(&self, start: usize, problem: &Problem) -> Error {
        let place = self.place(start);
        let place = if problem.path.is_empty() { place } else { place.column(&problem.path) };
        Error::record(
            place,
            format!(
                "{}; ignore_errors => true reads such values as nulls, columns => {{...}} states types, sample_size => -1 looks at all values",
                problem.text
            ),
        )
    }

    fn place(&self, start: usize) -> Place {
        let line = self.first_line + memchr::memchr_iter(b'\n', &self.bytes[..start]).count() as u64;
        Place::file(self.shared.file.path.display().to_string()).line(line)
    }
}

/// Adds an object as a row of the columns; `row` counts from 1.
fn push_record(
    tape: &[Node<'_>],
    builders: &mut [Builder],
    keys: &mut KeyOrder,
    scratch: &mut Scratch,
    row: usize,
    file: &JsonFile,
) {
    if let Some(Node::Object { len, .. }) = tape.first() {
        let mut position = 1;
        for index in 0..*len {
            let Some(Node::String(key)) = tape.get(position) else { break };
            let value = position + 1;
            position = value + tape.get(value).map_or(1, nodes);
            match keys.find(index, key) {
                Some(column) if keys.filled[column] == row => {
                    scratch.report(key, "the object has this key twice")
                }
                Some(column) => {
                    keys.filled[column] = row;
                    scratch.inside(key, |scratch| builders[column].push(tape, value, scratch));
                }
                None if file.is_unknown(key) => {
                    scratch.report(
                        key,
                        "the sample did not show this key; raise sample_size, or state the columns",
                    );
                }
                None => {}
            }
        }
    } else if !matches!(tape.first(), Some(Node::Static(simd_json::StaticNode::Null))) {
        scratch
            .report("", "the value is not an object, as the others are; records => false reads any values");
    }
    for (builder, filled) in builders.iter_mut().zip(&keys.filled) {
        if *filled != row {
            builder.push_null();
        }
    }
}

impl JsonFile {
    /// True for a key that is no column, where the columns were found out and not stated.
    fn is_unknown(&self, key: &str) -> bool {
        self.options.columns.is_empty() && !self.columns.iter().any(|(known, _)| known == key)
    }
}

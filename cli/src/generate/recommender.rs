//! Training examples in the shape of a large recommender: a click label, dense features with nulls, and lists of ids.
//!
//! The shape is that of published descriptions of production models: 504 dense features, 42 sparse ones of 20 ids on average.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, Int64Array, ListArray, RecordBatch};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::random::{Stream, mix};
use super::table::{PART_ROWS, Table};

/// Rows of one batch: few, since each has hundreds of values and ids.
const BATCH_ROWS: u64 = 1_024;
const CLICKS: f64 = 0.04;

/// Dense features are counts over a window: long tails, some missing.
const DENSE_NULLS: f64 = 0.05;
const DENSE_MAXIMUM: u64 = 1_000_000;
const DENSE_DECAY: f64 = 0.85;
/// Different ids of a sparse feature.
const IDS: u64 = 5_000_000;

/// Numbers of features, and the longest list.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Dense features, `d0`, `d1` and so on.
    pub(crate) dense: u32,
    /// Lists of ids, `s0`, `s1` and so on.
    pub(crate) sparse: u32,
    /// The longest list has one id less; all lengths are equally likely.
    pub(crate) lengths: u64,
}

/// The table `recommender` with this many rows.
pub(crate) fn table(rows: u64, shape: Shape, seed: u64) -> Table {
    let columns = Arc::new(Columns::new(shape, seed));
    let schema = Arc::clone(&columns.schema);
    let part = move |index: u64| -> super::table::Batches {
        let columns = Arc::clone(&columns);
        let end = ((index + 1) * PART_ROWS).min(rows);
        let starts = (index * PART_ROWS..end).step_by(BATCH_ROWS as usize);
        Box::new(starts.map(move |start| columns.batch(start..(start + BATCH_ROWS).min(end))))
    };
    Table { name: "recommender", schema, rows, parts: rows.div_ceil(PART_ROWS).max(1), part: Box::new(part) }
}

/// The random sequences behind the columns.
struct Columns {
    schema: SchemaRef,
    element: FieldRef,
    label: Stream,
    dense: Vec<Stream>,
    sparse: Vec<Stream>,
    lengths: u64,
    seed: u64,
}

impl Columns {
    fn new(shape: Shape, seed: u64) -> Self {
        let element = Arc::new(Field::new("element", DataType::Int64, true));
        let names = |letter: char, count: u32| (0..count).map(move |number| format!("{letter}{number}"));
        let dense = names('d', shape.dense).map(|name| Field::new(name, DataType::Float32, true));
        let list = DataType::List(Arc::clone(&element));
        let sparse = names('s', shape.sparse).map(|name| Field::new(name, list.clone(), false));
        let label = std::iter::once(Field::new("label", DataType::Int32, false));
        let streams = |letter: char, count: u32| {
            names(letter, count).map(|name| Stream::new(seed, &format!("recommender.{name}"))).collect()
        };
        Self {
            schema: Arc::new(Schema::new(label.chain(dense).chain(sparse).collect::<Vec<_>>())),
            element,
            label: Stream::new(seed, "recommender.label"),
            dense: streams('d', shape.dense),
            sparse: streams('s', shape.sparse),
            lengths: shape.lengths,
            seed,
        }
    }

    fn batch(&self, rows: Range<u64>) -> Result<RecordBatch, ArrowError> {
        let labels = rows.clone().map(|row| i32::from(self.label.chance(row, CLICKS)));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        columns.push(Arc::new(Int32Array::from_iter_values(labels)));
        for &stream in &self.dense {
            columns.push(Arc::new(rows.clone().map(|row| dense(stream, row)).collect::<Float32Array>()));
        }
        for &stream in &self.sparse {
            columns.push(Arc::new(self.lists(stream, rows.clone())?));
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }

    fn lists(&self, stream: Stream, rows: Range<u64>) -> Result<ListArray, ArrowError> {
        let length = |row: u64| stream.inner(u64::MAX).below(row, self.lengths);
        let ids = rows.clone().flat_map(|row| {
            let inner = stream.inner(row);
            // Frequent ids are spread over all of them, as hashed ids are.
            (0..length(row)).map(move |at| (mix(self.seed ^ inner.zipf(at, IDS)) >> 1) as i64)
        });
        let ids = Arc::new(Int64Array::from_iter_values(ids));
        let offsets = OffsetBuffer::from_lengths(rows.map(|row| length(row) as usize));
        ListArray::try_new(Arc::clone(&self.element), offsets, ids, None)
    }
}

fn dense(stream: Stream, row: u64) -> Option<f32> {
    let is_null = stream.inner(u64::MAX).chance(row, DENSE_NULLS);
    (!is_null).then(|| stream.long_tail(row, DENSE_MAXIMUM, DENSE_DECAY) as f32)
}

//! A feature table in the shape of machine learning: thousands of columns, of which a query wants a few.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::random::Stream;
use super::table::{PART_ROWS, Table};

/// Rows of one batch: few, since each has thousands of values.
const BATCH_ROWS: u64 = 1_024;

/// One column in so many holds counts with nulls, the others measurements.
const COUNT_EVERY: u32 = 5;
const COUNT_NULLS: f64 = 0.1;
const COUNT_MAXIMUM: u64 = 1_000;
const COUNT_DECAY: f64 = 0.75;

/// Different measurements; they are quarters, so that sums of them are exact.
const MEASUREMENTS: u64 = 1_024;
const MEASUREMENT_STEP: f64 = 0.25;

/// The table `wide` with columns `f0`, `f1` and so on.
pub(crate) fn table(rows: u64, columns: u32, seed: u64) -> Table {
    let streams: Arc<[Stream]> =
        (0..columns).map(|number| Stream::new(seed, &format!("wide.f{number}"))).collect();
    let schema = schema(columns);
    let batch_schema = Arc::clone(&schema);
    let part = move |index: u64| -> super::table::Batches {
        let (schema, streams) = (Arc::clone(&batch_schema), Arc::clone(&streams));
        let end = ((index + 1) * PART_ROWS).min(rows);
        let starts = (index * PART_ROWS..end).step_by(BATCH_ROWS as usize);
        Box::new(starts.map(move |start| batch(&schema, &streams, start..(start + BATCH_ROWS).min(end))))
    };
    Table { name: "wide", schema, rows, parts: rows.div_ceil(PART_ROWS).max(1), part: Box::new(part) }
}

fn is_count(column: u32) -> bool {
    column % COUNT_EVERY == COUNT_EVERY - 1
}

fn schema(columns: u32) -> SchemaRef {
    let field = |number: u32| {
        let data_type = if is_count(number) { DataType::Int32 } else { DataType::Float64 };
        Field::new(format!("f{number}"), data_type, true)
    };
    Arc::new(Schema::new((0..columns).map(field).collect::<Vec<_>>()))
}

fn batch(schema: &SchemaRef, streams: &[Stream], rows: Range<u64>) -> Result<RecordBatch, ArrowError> {
    let column = |(number, stream): (u32, &Stream)| -> ArrayRef {
        match is_count(number) {
            true => Arc::new(Int32Array::from_iter(rows.clone().map(|row| count(*stream, row)))),
            false => {
                let values =
                    rows.clone().map(|row| stream.below(row, MEASUREMENTS) as f64 * MEASUREMENT_STEP);
                Arc::new(Float64Array::from_iter_values(values))
            }
        }
    };
    let columns = (0..).zip(streams).map(column).collect();
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn count(stream: Stream, row: u64) -> Option<i32> {
    let is_null = stream.inner(u64::MAX).chance(row, COUNT_NULLS);
    (!is_null).then(|| stream.long_tail(row, COUNT_MAXIMUM, COUNT_DECAY) as i32)
}

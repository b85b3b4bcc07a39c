//! Display advertising in the shape of the Criteo challenge: a click label, 13 counts, 26 hashed categories.
//!
//! Shares of nulls, largest counts and numbers of distinct categories follow the published statistics of the
//! challenge's training set; values are random.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::random::{Stream, mix};
use super::table::Table;

/// A count: share of nulls, largest value, and how slowly its tail falls.
struct Count {
    nulls: f64,
    maximum: u64,
    decay: f64,
}

const COUNTS: [Count; 13] = [
    Count { nulls: 0.45, maximum: 5_775, decay: 0.55 },
    Count { nulls: 0.0, maximum: 257_675, decay: 0.76 },
    Count { nulls: 0.21, maximum: 65_535, decay: 0.73 },
    Count { nulls: 0.22, maximum: 969, decay: 0.72 },
    Count { nulls: 0.03, maximum: 23_159_456, decay: 0.92 },
    Count { nulls: 0.22, maximum: 431_037, decay: 0.84 },
    Count { nulls: 0.04, maximum: 56_311, decay: 0.69 },
    Count { nulls: 0.001, maximum: 6_047, decay: 0.75 },
    Count { nulls: 0.04, maximum: 29_019, decay: 0.86 },
    Count { nulls: 0.45, maximum: 11, decay: 0.38 },
    Count { nulls: 0.04, maximum: 231, decay: 0.60 },
    Count { nulls: 0.76, maximum: 4_008, decay: 0.35 },
    Count { nulls: 0.22, maximum: 7_393, decay: 0.72 },
];

/// A category: number of distinct values and share of nulls.
struct Category {
    distinct: u64,
    nulls: f64,
}

const CATEGORIES: [Category; 26] = [
    Category { distinct: 1_460, nulls: 0.0 },
    Category { distinct: 583, nulls: 0.0 },
    Category { distinct: 10_131_227, nulls: 0.034 },
    Category { distinct: 2_202_608, nulls: 0.034 },
    Category { distinct: 305, nulls: 0.0 },
    Category { distinct: 24, nulls: 0.121 },
    Category { distinct: 12_517, nulls: 0.0 },
    Category { distinct: 633, nulls: 0.0 },
    Category { distinct: 3, nulls: 0.0 },
    Category { distinct: 93_145, nulls: 0.0 },
    Category { distinct: 5_683, nulls: 0.0 },
    Category { distinct: 8_351_593, nulls: 0.034 },
    Category { distinct: 3_194, nulls: 0.0 },
    Category { distinct: 27, nulls: 0.0 },
    Category { distinct: 14_992, nulls: 0.0 },
    Category { distinct: 5_461_306, nulls: 0.034 },
    Category { distinct: 10, nulls: 0.0 },
    Category { distinct: 5_652, nulls: 0.0 },
    Category { distinct: 2_173, nulls: 0.44 },
    Category { distinct: 4, nulls: 0.44 },
    Category { distinct: 7_046_547, nulls: 0.034 },
    Category { distinct: 18, nulls: 0.763 },
    Category { distinct: 15, nulls: 0.0 },
    Category { distinct: 286_181, nulls: 0.034 },
    Category { distinct: 105, nulls: 0.44 },
    Category { distinct: 142_572, nulls: 0.44 },
];

/// Clicks among rows without any sign of interest, and what each sign adds; about a quarter of all rows click.
const CLICKS: f64 = 0.16;
const CLICKS_WHEN_FREQUENT: f64 = 0.15;
const CLICKS_WHEN_COMMON_CATEGORY: f64 = 0.12;

/// The table `criteo` with this many rows.
pub(crate) fn table(rows: u64, seed: u64) -> Table {
    let schema = schema();
    let columns = Columns::new(seed);
    Table::by_rows("criteo", schema.clone(), rows, move |range| columns.batch(&schema, range))
}

fn schema() -> SchemaRef {
    let label = std::iter::once(Field::new("label", DataType::Int32, false));
    let counts = (1..=COUNTS.len()).map(|number| Field::new(format!("I{number}"), DataType::Int32, true));
    let categories =
        (1..=CATEGORIES.len()).map(|number| Field::new(format!("C{number}"), DataType::Utf8, true));
    Arc::new(Schema::new(label.chain(counts).chain(categories).collect::<Vec<_>>()))
}

/// The random sequences behind the columns.
#[derive(Clone)]
struct Columns {
    label: Stream,
    counts: Vec<Stream>,
    categories: Vec<Stream>,
    seed: u64,
}

impl Columns {
    fn new(seed: u64) -> Self {
        let streams = |letter: char, count: usize| {
            (1..=count).map(|number| Stream::new(seed, &format!("criteo.{letter}{number}"))).collect()
        };
        Self {
            label: Stream::new(seed, "criteo.label"),
            counts: streams('I', COUNTS.len()),
            categories: streams('C', CATEGORIES.len()),
            seed,
        }
    }

    fn batch(&self, schema: &SchemaRef, rows: Range<u64>) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        columns.push(Arc::new(Int32Array::from_iter_values(rows.clone().map(|row| self.label(row)))));
        for index in 0..COUNTS.len() {
            columns.push(Arc::new(Int32Array::from_iter(rows.clone().map(|row| self.count(index, row)))));
        }
        for index in 0..CATEGORIES.len() {
            columns.push(Arc::new(self.category_column(index, rows.clone())));
        }
        RecordBatch::try_new(schema.clone(), columns)
    }

    /// Clicks follow the first count and the first category, so that a model has something to learn.
    fn label(&self, row: u64) -> i32 {
        let frequent = self.count(0, row).is_some_and(|count| count > 0);
        let common = self.categories[0].zipf(row, CATEGORIES[0].distinct) < 8;
        let probability = CLICKS
            + if frequent { CLICKS_WHEN_FREQUENT } else { 0.0 }
            + if common { CLICKS_WHEN_COMMON_CATEGORY } else { 0.0 };
        i32::from(self.label.chance(row, probability))
    }

    fn count(&self, index: usize, row: u64) -> Option<i32> {
        let (count, stream) = (&COUNTS[index], self.counts[index]);
        if is_null(stream, row, count.nulls) {
            return None;
        }
        let value = stream.long_tail(row, count.maximum, count.decay) as i32;
        // The second count of the challenge starts at -3.
        Some(if index == 1 { value - 3 } else { value })
    }

    fn category_column(&self, index: usize, rows: Range<u64>) -> arrow::array::StringArray {
        let (category, stream) = (&CATEGORIES[index], self.categories[index]);
        let mut values = StringBuilder::with_capacity(8_192, 8 * 8_192);
        let mut digits = String::with_capacity(8);
        for row in rows {
            if is_null(stream, row, category.nulls) {
                values.append_null();
                continue;
            }
            let rank = stream.zipf(row, category.distinct);
            digits.clear();
            write_hash(mix(self.seed ^ ((index as u64) << 56) ^ rank), &mut digits);
            values.append_value(&digits);
        }
        values.finish()
    }
}

/// Nulls are drawn from other bits of a row than its value.
fn is_null(stream: Stream, row: u64, share: f64) -> bool {
    share > 0.0 && stream.inner(u64::MAX).chance(row, share)
}

/// The eight hexadecimal digits that stand for a category.
fn write_hash(hash: u64, text: &mut String) {
    for shift in (32..64).step_by(4).rev() {
        // A digit is below 16, so it always has a character.
        text.extend(char::from_digit(((hash >> shift) & 15) as u32, 16));
    }
}

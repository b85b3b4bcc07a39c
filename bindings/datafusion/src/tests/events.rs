//! Seeded events of every kind of column that features read.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Float32Type, Int16Type, Int64Type};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::register_all;

const CITIES: [&str; 4] = ["Basel", "Zürich", "Genève", "a town with a name of more than twelve bytes"];

/// Numbers that depend on the seed alone (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// None in one of ten cases.
    fn maybe<T>(&mut self, value: impl FnOnce(u64) -> T) -> Option<T> {
        let number = self.next();
        (!number.is_multiple_of(10)).then(|| value(number / 10))
    }
}

/// Events with ids from `first` on. `kind` is a view, `city` a dictionary and `note` plain text.
pub(super) fn events(first: i64, rows: usize) -> RecordBatch {
    let mut numbers = Numbers(first as u64 ^ 0x5eed);
    let ids: Int64Array = (first..first + rows as i64).collect();
    let prices: Float64Array = (0..rows)
        .map(|_| {
            numbers.maybe(|number| match number % 50 {
                0 => f64::NAN,
                1 => f64::INFINITY,
                2 => -0.0,
                _ => (number % 100_000) as f64 / 7.0 - 300.0,
            })
        })
        .collect();
    let kinds: StringViewArray = (0..rows)
        .map(|_| numbers.maybe(|number| format!("kind {}", "x".repeat((number % 20) as usize))))
        .collect();
    let cities: Vec<Option<&str>> =
        (0..rows).map(|_| numbers.maybe(|number| CITIES[(number % 4) as usize])).collect();
    let cities: DictionaryArray<Int16Type> = cities.into_iter().collect();
    let notes: StringArray = (0..rows).map(|_| numbers.maybe(|number| format!("order {number}"))).collect();
    let tags: Vec<_> = (0..rows)
        .map(|_| {
            numbers
                .maybe(|number| (0..number % 4).map(|i| Some((number >> i) as i64 % 100)).collect::<Vec<_>>())
        })
        .collect();
    let tags = ListArray::from_iter_primitive::<Int64Type, _, _>(tags);
    let vectors: Vec<_> = (0..rows)
        .map(|_| {
            numbers
                .maybe(|number| (0..4).map(|i| Some(((number >> i) % 17) as f32 - 8.0)).collect::<Vec<_>>())
        })
        .collect();
    let vectors = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(vectors, 4);
    let times: TimestampMicrosecondArray =
        (0..rows).map(|_| numbers.maybe(|number| (number % 2_000_000_000_000_000) as i64)).collect();
    let columns: [(&str, ArrayRef); 8] = [
        ("id", Arc::new(ids)),
        ("price", Arc::new(prices)),
        ("kind", Arc::new(kinds)),
        ("city", Arc::new(cities)),
        ("note", Arc::new(notes)),
        ("tags", Arc::new(tags)),
        ("vector", Arc::new(vectors)),
        ("at", Arc::new(times)),
    ];
    let nullable = columns.map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(nullable).unwrap()
}

/// All rows as batches of this many.
pub(super) fn batches(rows: usize, batch_rows: usize) -> Vec<RecordBatch> {
    let whole = events(0, rows);
    (0..rows).step_by(batch_rows).map(|start| whole.slice(start, batch_rows.min(rows - start))).collect()
}

/// A context with everything registered and a table `events` of these partitions, which are read in order.
pub(super) fn context(config: SessionConfig, partitions: Vec<Vec<RecordBatch>>) -> SessionContext {
    let context = SessionContext::new_with_config(config);
    add_events(&context, partitions);
    context
}

/// Registers everything and the table `events`.
pub(super) fn add_events(context: &SessionContext, partitions: Vec<Vec<RecordBatch>>) {
    register_all(context).unwrap();
    let table = MemTable::try_new(events(0, 0).schema(), partitions).unwrap();
    context.register_table("events", Arc::new(table)).unwrap();
}

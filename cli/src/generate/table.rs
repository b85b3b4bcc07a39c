//! A generated table: numbered parts that can be made independently of each other.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

/// Rows of one part, and so of one Parquet row group: large enough to encode well, small enough that a few of
/// them in flight stay under about 100 MB.
pub(crate) const PART_ROWS: u64 = 122_880;

/// Rows of one batch inside a part.
pub(crate) const BATCH_ROWS: u64 = 8_192;

/// The batches of one part, in order.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// A table whose rows depend on nothing but its definition.
pub(crate) struct Table {
    /// Name, also that of its file.
    pub(crate) name: &'static str,
    /// Columns.
    pub(crate) schema: SchemaRef,
    /// Number of rows; for tables where it is random, about that.
    pub(crate) rows: u64,
    /// Number of parts.
    pub(crate) parts: u64,
    /// Makes the batches of one part, counted from 0.
    pub(crate) part: Box<dyn Fn(u64) -> Batches + Send + Sync>,
}

impl Table {
    /// A table of `rows` rows in which `batch` makes the rows of a range.
    pub(crate) fn by_rows(
        name: &'static str,
        schema: SchemaRef,
        rows: u64,
        batch: impl Fn(std::ops::Range<u64>) -> Result<RecordBatch, ArrowError> + Send + Sync + Clone + 'static,
    ) -> Self {
        let part = move |index: u64| -> Batches {
            let batch = batch.clone();
            let end = ((index + 1) * PART_ROWS).min(rows);
            let starts = (index * PART_ROWS..end).step_by(BATCH_ROWS as usize);
            Box::new(starts.map(move |start| batch(start..(start + BATCH_ROWS).min(end))))
        };
        Self { name, schema, rows, parts: rows.div_ceil(PART_ROWS).max(1), part: Box::new(part) }
    }
}

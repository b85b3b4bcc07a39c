//! A batch: columns of one length, and where they stand in the input's order.

use arrow::array::RecordBatch;
use hypostyle_functions::column::{Column, Recycled, export, flatten, import};
use hypostyle_functions::types::Schema;

use crate::error::Result;

/// Place of a batch in the order of its source. Within a morsel, batches come in order and on one
/// worker, so a consumer that counts the rows it sees of a morsel knows the place of each row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Ordinal of the morsel among all that the pipeline's source hands out.
    pub morsel: u32,
    /// Row of the morsel at which the source produced the batch.
    pub row: u64,
}

/// Columns of one length.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The columns; each has [`Batch::rows`] rows.
    pub columns: Vec<Column>,
    /// Number of rows, also where there is no column.
    pub rows: usize,
    /// Place in the source's order.
    pub position: Position,
}

impl Batch {
    /// A batch of these columns, at the start of morsel 0.
    pub fn new(columns: Vec<Column>, rows: usize) -> Self {
        debug_assert!(columns.iter().all(|column| column.len() == rows));
        Self { columns, rows, position: Position::default() }
    }

    /// The same columns at this place.
    pub fn at(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    /// Reads an Arrow batch whose columns have the logical types of `schema`.
    ///
    /// # Errors
    /// A column that does not convert.
    pub fn import(batch: &RecordBatch, schema: &Schema) -> Result<Self> {
        let columns = batch
            .columns()
            .iter()
            .zip(&schema.fields)
            .map(|(array, field)| import(array, &field.data_type))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(columns, batch.num_rows()))
    }

    /// The batch as flat Arrow columns of the schema's declared types.
    ///
    /// # Errors
    /// A column that does not have its declared type.
    pub fn export(&self, schema: &arrow::datatypes::SchemaRef) -> Result<RecordBatch> {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(self.rows));
        let columns = flatten(&self.columns)?;
        let columns = columns.iter().zip(schema.fields());
        let columns =
            columns.map(|(array, field)| export(array, field.data_type())).collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new_with_options(std::sync::Arc::clone(schema), columns, &options)?)
    }

    /// The batch with a value for each row of each column, numbers of dictionaries in `recycled` room; lists stay where they lie.
    ///
    /// # Errors
    /// What Arrow reports.
    pub fn decoded(&self, recycled: &mut Recycled) -> Result<Self> {
        let columns = self.columns.iter().map(|column| column.decoded(recycled)).collect::<Result<_, _>>()?;
        Ok(Self { columns, rows: self.rows, position: self.position })
    }

    /// Rows `start .. start + length`, without copying.
    pub fn slice(&self, start: usize, length: usize) -> Self {
        let columns = self.columns.iter().map(|column| column.slice(start, length)).collect();
        Self { columns, rows: length, position: self.position }
    }

    /// Bytes of the buffers the columns refer to.
    pub fn memory_bytes(&self) -> usize {
        self.columns.iter().map(Column::memory_bytes).sum()
    }

    /// Bytes that the rows take by themselves, without buffers they share; see [`Column::row_bytes`].
    pub fn row_bytes(&self) -> usize {
        self.columns.iter().map(Column::row_bytes).sum()
    }
}

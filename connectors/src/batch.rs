//! Rows of a file on their way to the engine.

use arrow::buffer::BooleanBuffer;
use bumpalo::Bump;
use hypostyle_functions::Type;
use hypostyle_functions::column::{Column, View};

use crate::error::{Error, Result};

/// Columns as writers read them.
pub fn views<'a>(columns: &'a [Column], types: &'a [Type], bump: &'a Bump) -> Vec<View<'a>> {
    columns.iter().zip(types).map(|(column, data_type)| column.view(data_type, bump)).collect()
}

/// Some rows of the asked columns, in the order asked.
#[derive(Debug, Clone)]
pub struct FileBatch {
    /// The columns.
    pub columns: Vec<Column>,
    /// Number of rows, also where no column was asked.
    pub rows: usize,
}

impl FileBatch {
    /// Rows `start .. start + length`, without copying.
    pub fn slice(&self, start: usize, length: usize) -> Self {
        Self {
            columns: self.columns.iter().map(|column| column.slice(start, length)).collect(),
            rows: length,
        }
    }

    /// The batch without some rows, in any order.
    ///
    /// # Errors
    /// What the columns report.
    pub fn without(&self, rows: impl Iterator<Item = usize>) -> Result<Self> {
        let mut keep = vec![true; self.rows];
        rows.for_each(|row| keep[row] = false);
        let kept = keep.iter().filter(|&&keep| keep).count();
        let keep = BooleanBuffer::from(keep);
        let columns = self.columns.iter().map(|column| column.filter(&keep, kept)).collect::<Result<_, _>>();
        Ok(Self { columns: columns.map_err(|error| Error::Internal(error.to_string()))?, rows: kept })
    }
}

//! Pairs the rows of two inputs by their position; the shorter one ends in nulls.

use std::sync::Arc;

use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::Result;
use crate::operator::gather::Gathered;
use crate::operator::{Claim, Source};
use crate::spill::RowReader;
use crate::table::Reader;

/// The source over both inputs, once they are gathered.
pub struct PositionalSource {
    /// Rows of the left side.
    pub left: Arc<Gathered>,
    /// Rows of the right side.
    pub right: Arc<Gathered>,
    /// Types of the left side's columns.
    pub left_types: Vec<Type>,
    /// Types of the right side's columns.
    pub right_types: Vec<Type>,
}

impl Source for PositionalSource {
    fn claim(&self) -> Result<Claim> {
        let (left, right) = (self.left.take(), self.right.take());
        if left.is_none() && right.is_none() {
            return Ok(Claim::End);
        }
        let left = Side { rows: left, batch: None, types: self.left_types.clone() };
        let right = Side { rows: right, batch: None, types: self.right_types.clone() };
        Ok(Claim::Morsel(Box::new(Pairs { left, right })))
    }
}

struct Pairs {
    left: Side,
    right: Side,
}

/// One side: the rows that are still to come, and what is left of the batch at work.
struct Side {
    rows: Option<RowReader>,
    batch: Option<Batch>,
    types: Vec<Type>,
}

impl Side {
    /// Rows at hand; 0 at the end.
    fn fill(&mut self) -> Result<usize> {
        while self.batch.as_ref().is_none_or(|batch| batch.rows == 0) {
            let Some(rows) = &mut self.rows else { return Ok(0) };
            self.batch = rows.next()?;
            if self.batch.is_none() {
                self.rows = None;
            }
        }
        Ok(self.batch.as_ref().map_or(0, |batch| batch.rows))
    }

    /// The columns of the next rows; nulls where there are none.
    fn take(&mut self, rows: usize) -> Vec<Column> {
        match self.batch.take() {
            Some(batch) => {
                self.batch = Some(batch.slice(rows, batch.rows - rows));
                batch.slice(0, rows).columns
            }
            None => self.types.iter().map(|data_type| Column::nulls(data_type, rows)).collect(),
        }
    }
}

impl Reader for Pairs {
    fn next(&mut self) -> Result<Option<Batch>> {
        let rows = match (self.left.fill()?, self.right.fill()?) {
            (0, 0) => return Ok(None),
            (0, rows) | (rows, 0) => rows,
            (left, right) => left.min(right),
        };
        let mut columns = self.left.take(rows);
        columns.extend(self.right.take(rows));
        Ok(Some(Batch::new(columns, rows)))
    }
}

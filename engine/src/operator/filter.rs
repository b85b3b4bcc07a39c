//! Keeps the rows whose predicate is true; rows where it is false or null are dropped.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use hypostyle_functions::column::Column;

use crate::batch::Batch;
use crate::error::Result;
use crate::expression::{Evaluator, ExpressionSet};
use crate::memory::Reservation;
use crate::operator::{Input, RunContext, Stage, Step, Transform};

mod coalesce;

pub use coalesce::Coalescer;
pub(crate) use coalesce::{concat_batches, concat_columns};

/// Shared part of a filter.
pub struct Filter {
    /// One expression, the predicate.
    pub predicate: Arc<ExpressionSet>,
    /// Columns of the output; all if `None`.
    pub columns: Option<Vec<usize>>,
    /// Per input column, a null in its place if nothing reads it further on: it is not copied for the rows that stay.
    pub blanks: Vec<Option<ArrayRef>>,
    /// The run.
    pub run: Arc<RunContext>,
}

impl Stage for Filter {
    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        Ok(Box::new(FilterTransform {
            predicate: Evaluator::new(Arc::clone(&self.predicate), &self.run.parameters)?,
            columns: self.columns.clone(),
            blanks: self.blanks.clone(),
            coalescer: Coalescer::new(self.run.batch_rows()),
            share: self.run.memory.account("filter").reserve(),
        }))
    }
}

struct FilterTransform {
    predicate: Evaluator,
    columns: Option<Vec<usize>>,
    blanks: Vec<Option<ArrayRef>>,
    coalescer: Coalescer,
    /// What functions keep from batch to batch.
    share: Reservation,
}

impl Transform for FilterTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        let batch = match input {
            Input::Batch(batch) => batch,
            Input::Continue => return self.coalescer.next(),
            Input::MorselEnd => return self.coalescer.flush(),
        };
        let keep = self.predicate.select(&batch)?;
        self.predicate.charge(&mut self.share);
        let batch = self.without_unread(batch);
        let batch = match &self.columns {
            Some(columns) => {
                let kept = columns.iter().map(|&column| batch.columns[column].clone()).collect();
                Batch::new(kept, batch.rows).at(batch.position)
            }
            None => batch,
        };
        match keep.count() {
            0 => Ok(Step::NeedInput),
            rows if rows == batch.rows => self.coalescer.push(batch),
            rows => self.coalescer.push(kept_rows(&batch, keep.bits(), rows)?),
        }
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        Some(&self.predicate)
    }
}

impl FilterTransform {
    fn without_unread(&self, mut batch: Batch) -> Batch {
        for (column, blank) in batch.columns.iter_mut().zip(&self.blanks) {
            if let Some(blank) = blank {
                *column = Column::Constant { value: Arc::clone(blank), length: batch.rows };
            }
        }
        batch
    }
}

/// The rows of `batch` where `keep` is set, whose number is `rows`.
pub(crate) fn kept_rows(batch: &Batch, keep: &BooleanBuffer, rows: usize) -> Result<Batch> {
    let columns = batch.columns.iter().map(|column| column.filter(keep, rows)).collect::<Result<_, _>>()?;
    Ok(Batch::new(columns, rows).at(batch.position))
}

/// Puts small batches of a morsel together: after operators that may leave few rows of each batch.
pub struct Coalesce {
    /// Rows of a full batch.
    pub batch_rows: usize,
}

impl Stage for Coalesce {
    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        Ok(Box::new(CoalesceTransform(Coalescer::new(self.batch_rows))))
    }
}

struct CoalesceTransform(Coalescer);

impl Transform for CoalesceTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        match input {
            Input::Batch(batch) => self.0.push(batch),
            Input::Continue => self.0.next(),
            Input::MorselEnd => self.0.flush(),
        }
    }
}

//! Each row as often as a number says; none where it is null or not above zero.

use std::sync::Arc;

use arrow::array::UInt32Array;
use bumpalo::Bump;
use hypostyle_functions::column::Data;
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::{Evaluator, ExpressionSet};
use crate::operator::{Input, RunContext, Stage, Step, Transform};

/// Shared part of a repetition.
pub struct Repeat {
    /// The expression that gives the number, a BIGINT.
    pub count: Arc<ExpressionSet>,
    /// The run.
    pub run: Arc<RunContext>,
}

impl Stage for Repeat {
    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        Ok(Box::new(RepeatTransform {
            count: Evaluator::new(Arc::clone(&self.count), &self.run.parameters)?,
            batch_rows: self.run.batch_rows(),
            pending: None,
        }))
    }
}

struct RepeatTransform {
    count: Evaluator,
    batch_rows: usize,
    pending: Option<Pending>,
}

/// A batch whose rows have not all been given.
struct Pending {
    batch: Batch,
    /// How often each row is still to come.
    left: Vec<u64>,
    row: usize,
}

impl Transform for RepeatTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        match input {
            Input::Batch(batch) => {
                let left = self.counts(&batch)?;
                if left.iter().all(|&count| count == 1) {
                    return Ok(Step::Output(batch));
                }
                self.pending = Some(Pending { batch, left, row: 0 });
            }
            Input::Continue => {}
            Input::MorselEnd => {
                self.pending = None;
                return Ok(Step::NeedInput);
            }
        }
        let Some(mut pending) = self.pending.take() else { return Ok(Step::NeedInput) };
        let Some(batch) = pending.next(self.batch_rows)? else { return Ok(Step::NeedInput) };
        if pending.is_over() {
            return Ok(Step::Output(batch));
        }
        self.pending = Some(pending);
        Ok(Step::MoreOutput(batch))
    }
}

impl RepeatTransform {
    fn counts(&mut self, batch: &Batch) -> Result<Vec<u64>> {
        let columns = self.count.evaluate(batch)?;
        let Some(column) = columns.first() else {
            return Err(Error::internal("a repetition without a number"));
        };
        let bump = Bump::new();
        let view = column.view(&Type::Int64, &bump);
        let Data::Int64(values) = view.data else {
            return Err(Error::internal("a repetition by another type than BIGINT"));
        };
        let count = |row: usize| match view.is_null(row) {
            true => 0,
            false => u64::try_from(values[view.value_index(row)]).unwrap_or(0),
        };
        Ok((0..batch.rows).map(count).collect())
    }
}

impl Pending {
    /// The next rows, at most `limit`.
    fn next(&mut self, limit: usize) -> Result<Option<Batch>> {
        let mut rows: Vec<u32> = Vec::new();
        while rows.len() < limit && !self.is_over() {
            let room = (limit - rows.len()) as u64;
            let taken = self.left[self.row].min(room);
            rows.extend(std::iter::repeat_n(self.row as u32, taken as usize));
            self.left[self.row] -= taken;
            if self.left[self.row] == 0 {
                self.row += 1;
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let count = rows.len();
        let rows = UInt32Array::from(rows);
        let columns = self.batch.columns.iter().map(|column| column.take(&rows));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Batch::new(columns, count).at(self.batch.position)))
    }

    /// True if only rows are left that do not come.
    fn is_over(&self) -> bool {
        self.left[self.row..].iter().all(|&count| count == 0)
    }
}

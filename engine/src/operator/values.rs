//! Rows of expressions without columns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::batch::Batch;
use crate::error::Result;
use crate::expression::{Evaluator, ExpressionSet};
use crate::operator::filter::concat_columns;
use crate::operator::scan::Batches;
use crate::operator::{Claim, RunContext, Source};

/// A source of one morsel.
pub struct Values {
    /// The expressions of all rows, row after row.
    pub expressions: Arc<ExpressionSet>,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// The run.
    pub run: Arc<RunContext>,
    /// Set by the first claim.
    pub claimed: AtomicBool,
}

impl Source for Values {
    fn claim(&self) -> Result<Claim> {
        if self.claimed.swap(true, Ordering::Relaxed) || self.rows == 0 {
            return Ok(Claim::End);
        }
        let mut evaluator = Evaluator::new(Arc::clone(&self.expressions), &self.run.parameters)?;
        let values = evaluator.evaluate(&Batch::new(Vec::new(), 1))?;
        let columns = (0..self.columns)
            .map(|column| {
                let of_rows: Vec<_> =
                    (0..self.rows).map(|row| &values[row * self.columns + column]).collect();
                concat_columns(&of_rows)
            })
            .collect::<Result<Vec<_>>>()?;
        let all = Batch::new(columns, self.rows);
        let step = self.run.batch_rows();
        let batches: Vec<_> =
            (0..self.rows).step_by(step).map(|start| all.slice(start, step.min(self.rows - start))).collect();
        Ok(Claim::Morsel(Box::new(Batches(batches.into_iter()))))
    }
}

//! Keeps at most a number of rows of each morsel. Which of them the query wants in the end is decided
//! in order, by [`crate::operator::ordered`].

use crate::error::Result;
use crate::operator::{Input, Stage, Step, Transform};

/// Shared part of a limit.
pub struct MorselLimit {
    /// Most rows of a morsel.
    pub rows: u64,
}

impl Stage for MorselLimit {
    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        Ok(Box::new(MorselLimitTransform { rows: self.rows, left: self.rows }))
    }
}

struct MorselLimitTransform {
    rows: u64,
    left: u64,
}

impl Transform for MorselLimitTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        match input {
            Input::Batch(batch) if self.left == 0 => {
                drop(batch);
                Ok(Step::Finished)
            }
            Input::Batch(batch) if (batch.rows as u64) < self.left => {
                self.left -= batch.rows as u64;
                Ok(Step::Output(batch))
            }
            Input::Batch(batch) => {
                let rows = std::mem::take(&mut self.left) as usize;
                Ok(Step::LastOutput(batch.slice(0, rows)))
            }
            Input::Continue => Ok(Step::NeedInput),
            Input::MorselEnd => {
                self.left = self.rows;
                Ok(Step::NeedInput)
            }
        }
    }
}

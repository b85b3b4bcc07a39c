//! Computes one column per expression.

use std::sync::Arc;

use crate::batch::Batch;
use crate::error::Result;
use crate::expression::{Evaluator, ExpressionSet};
use crate::memory::Reservation;
use crate::operator::{Input, RunContext, Stage, Step, Transform};

/// Shared part of a projection.
pub struct Project {
    /// The expressions.
    pub expressions: Arc<ExpressionSet>,
    /// The run.
    pub run: Arc<RunContext>,
}

impl Stage for Project {
    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        let evaluator = Evaluator::new(Arc::clone(&self.expressions), &self.run.parameters)?;
        let share = self.run.memory.account("projection").reserve();
        Ok(Box::new(ProjectTransform { evaluator, share }))
    }
}

struct ProjectTransform {
    evaluator: Evaluator,
    /// What functions keep from batch to batch.
    share: Reservation,
}

impl Transform for ProjectTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        let Input::Batch(batch) = input else { return Ok(Step::NeedInput) };
        let columns = self.evaluator.evaluate(&batch)?;
        self.evaluator.charge(&mut self.share);
        Ok(Step::Output(Batch::new(columns, batch.rows).at(batch.position)))
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        Some(&self.evaluator)
    }
}

/// Keeps some of the columns, in another order: a projection without expressions.
pub struct Pick {
    /// Positions of the columns that stay.
    pub columns: Vec<usize>,
}

impl Stage for Pick {
    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        Ok(Box::new(PickTransform { columns: self.columns.clone() }))
    }
}

struct PickTransform {
    columns: Vec<usize>,
}

impl Transform for PickTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        let Input::Batch(batch) = input else { return Ok(Step::NeedInput) };
        let columns = self.columns.iter().map(|&column| batch.columns[column].clone()).collect();
        Ok(Step::Output(Batch::new(columns, batch.rows).at(batch.position)))
    }
}

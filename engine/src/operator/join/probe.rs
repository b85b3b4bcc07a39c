//! Probes the build side with each batch of the left side.

use std::sync::Arc;

use hypostyle_functions::column::Column;

use super::build::JoinBuild;
use super::kept_rows::Side;
use super::matches::Matcher;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::Evaluator;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::{Input, Stage, Step, Transform};

/// Shared part of the probe side.
pub struct Probe(pub Arc<JoinBuild>);

impl Stage for Probe {
    fn passes_nothing(&self) -> bool {
        self.0.shape.is_empty_without_right() && !self.0.facts().has_rows
    }

    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        let build = &self.0;
        let keys = build.shape.left_keys.as_ref();
        Ok(Box::new(ProbeTransform {
            keys: keys.map(|set| Evaluator::new(Arc::clone(set), &build.run.parameters)).transpose()?,
            matcher: Matcher::new(&build.shape, &build.run)?,
            build: Arc::clone(build),
            ordinals: OrdinalCounter::default(),
        }))
    }
}

struct ProbeTransform {
    build: Arc<JoinBuild>,
    keys: Option<Evaluator>,
    matcher: Matcher,
    /// Counts rows that go to spill files, whose order is restored afterwards.
    ordinals: OrdinalCounter,
}

impl ProbeTransform {
    /// Sends rows to the files of their partitions; rows whose partition is in memory come back with their keys.
    fn spill(&mut self, batch: Batch, keys: Vec<Column>) -> Result<Option<(Batch, Vec<Column>)>> {
        let build = &self.build;
        let ordinal = self.ordinals.next(&batch)?;
        let Batch { columns, rows, position } = batch;
        let columns = build.shape.with_keys(Side::Left, columns, keys);
        let here = build.partition_probe(Batch::new(columns, rows).at(position), ordinal)?;
        Ok(here.map(|batch| build.spilled_shape.without_keys(batch)))
    }
}

impl Transform for ProbeTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        match input {
            Input::Batch(batch) => {
                let keys =
                    self.keys.as_mut().map(|keys| keys.evaluate(&batch)).transpose()?.unwrap_or_default();
                let here = match self.build.is_spilled() {
                    true => self.spill(batch, keys)?,
                    false => Some((batch, keys)),
                };
                let Some((batch, keys)) = here else { return Ok(Step::NeedInput) };
                let Some(table) = self.build.table().get() else {
                    return Err(Error::internal("a join is probed before it is built"));
                };
                self.matcher.begin(table, batch, keys);
            }
            Input::Continue => {}
            Input::MorselEnd => {
                self.matcher.clear();
                return Ok(Step::NeedInput);
            }
        }
        let Some(table) = self.build.table().get() else { return Ok(Step::NeedInput) };
        Ok(match self.matcher.next(table)? {
            Some((batch, true)) => Step::MoreOutput(batch),
            Some((batch, false)) => Step::Output(batch),
            None => Step::NeedInput,
        })
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        self.keys.as_ref()
    }
}

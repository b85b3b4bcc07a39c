//! Probes the build side with each batch of the left side.

use std::sync::Arc;

use hypostyle_functions::column::Column;

use super::build::JoinBuild;
use super::finished::{Probed, Residents};
use super::kept_rows::Side;
use super::matches::Matcher;
use super::table::JoinTable;
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
        build.begin_probe()?;
        let keys = build.shape.left_keys.as_ref();
        Ok(Box::new(ProbeTransform {
            keys: keys.map(|set| Evaluator::new(Arc::clone(set), &build.run.parameters)).transpose()?,
            matcher: Matcher::new(&build.shape, &build.run)?,
            build: Arc::clone(build),
            table: None,
            ordinals: OrdinalCounter::default(),
        }))
    }
}

struct ProbeTransform {
    build: Arc<JoinBuild>,
    keys: Option<Evaluator>,
    matcher: Matcher,
    /// What the batch at work is matched against; others may take the place of the table meanwhile.
    table: Option<Arc<JoinTable>>,
    /// Counts rows that go to spill files, whose order is restored afterwards.
    ordinals: OrdinalCounter,
}

impl ProbeTransform {
    /// Sends rows to the files of their partitions; rows whose partition is in memory come back with their keys.
    fn spill(
        &mut self,
        batch: Batch,
        keys: Vec<Column>,
        residents: Option<&Residents>,
    ) -> Result<Option<(Batch, Vec<Column>)>> {
        let build = &self.build;
        let ordinal = self.ordinals.next(&batch)?;
        let Batch { columns, rows, position } = batch;
        let columns = build.shape.with_keys(Side::Left, columns, keys);
        let here = build.partition_probe(Batch::new(columns, rows).at(position), ordinal, residents)?;
        Ok(here.map(|batch| build.spilled_shape.without_keys(batch)))
    }
}

impl Transform for ProbeTransform {
    fn step(&mut self, input: Input) -> Result<Step> {
        match input {
            Input::Batch(batch) => {
                let keys =
                    self.keys.as_mut().map(|keys| keys.evaluate(&batch)).transpose()?.unwrap_or_default();
                let Probed { table, residents, is_spilled } = self.build.probed();
                let here = match is_spilled {
                    true => self.spill(batch, keys, residents.as_ref())?,
                    false => Some((batch, keys)),
                };
                let Some((batch, keys)) = here else { return Ok(Step::NeedInput) };
                let Some(table) = table else {
                    return Err(Error::internal("a join is probed before it is built"));
                };
                self.matcher.begin(&table, batch, keys);
                self.table = Some(table);
            }
            Input::Continue => {}
            Input::MorselEnd => {
                self.matcher.clear();
                self.table = None;
                return Ok(Step::NeedInput);
            }
        }
        let Some(table) = &self.table else { return Ok(Step::NeedInput) };
        let found = self.matcher.next(table)?;
        if !matches!(found, Some((_, true))) {
            self.table = None;
        }
        Ok(match found {
            Some((batch, true)) => Step::MoreOutput(batch),
            Some((batch, false)) => Step::Output(batch),
            None => Step::NeedInput,
        })
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        self.keys.as_ref()
    }
}

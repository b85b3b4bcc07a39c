//! The left side of a range join: finds the matches of each row, a batch of pairs at a time.

use std::sync::Arc;

use arrow::array::UInt32Array;
use hypostyle_functions::column::Column;

use super::RangeShape;
use super::build::{RangeBuild, condition_words};
use super::table::{Matches, NOTHING, Table};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::Evaluator;
use crate::operator::filter::kept_rows;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::{Input, RunContext, Stage, Step, Transform};
use crate::plan::JoinKind;

/// Shared part of the left side.
pub struct RangeProbe(pub Arc<RangeBuild>);

impl Stage for RangeProbe {
    fn passes_nothing(&self) -> bool {
        let is_empty = matches!(self.0.shape.kind, JoinKind::Inner | JoinKind::Right | JoinKind::LeftSemi);
        is_empty && self.0.table().is_some_and(|table| table.rows == 0)
    }

    fn instantiate(&self) -> Result<Box<dyn Transform>> {
        let build = Arc::clone(&self.0);
        Ok(Box::new(Probe {
            values: Evaluator::new(Arc::clone(&build.shape.left_values), &build.run.parameters)?,
            prober: Prober::new(&build.shape, &build.run)?,
            ordinals: OrdinalCounter::default(),
            build,
        }))
    }
}

struct Probe {
    build: Arc<RangeBuild>,
    values: Evaluator,
    prober: Prober,
    /// Counts rows that wait in a file, whose order is restored afterwards.
    ordinals: OrdinalCounter,
}

impl Transform for Probe {
    fn step(&mut self, input: Input) -> Result<Step> {
        let build = Arc::clone(&self.build);
        if let Some(spill) = build.spill() {
            if let Input::Batch(batch) = input {
                let values = self.values.evaluate(&batch)?;
                let ordinal = self.ordinals.next(&batch)?;
                spill.add_left(batch, values, ordinal)?;
            }
            return Ok(Step::NeedInput);
        }
        let Some(table) = build.table() else {
            return Err(Error::internal("a range join is probed before it is built"));
        };
        match input {
            Input::Batch(batch) => {
                let values = self.values.evaluate(&batch)?;
                self.prober.begin(table, batch, &values);
            }
            Input::Continue => {}
            Input::MorselEnd => {
                self.prober.end();
                return Ok(Step::NeedInput);
            }
        }
        while let Some(found) = self.prober.find(table)? {
            let output = self.prober.output(table, found)?;
            if found.is_last {
                self.prober.end();
            }
            if let Some(batch) = output {
                return Ok(if found.is_last { Step::Output(batch) } else { Step::MoreOutput(batch) });
            }
        }
        Ok(Step::NeedInput)
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        Some(&self.values)
    }
}

/// Finds the matches of one left batch after the other, a batch of pairs at a time.
pub(super) struct Prober {
    shape: Arc<RangeShape>,
    batch_rows: usize,
    residual: Option<Evaluator>,
    pending: Option<Pending>,
    /// Pairs under construction: left rows and right rows.
    left: Vec<u32>,
    right: Vec<u32>,
}

/// A left batch whose matches have not all been given.
struct Pending {
    batch: Batch,
    matches: Vec<Matches>,
    /// The row whose matches come next, and the place of the first of them.
    row: usize,
    place: usize,
    /// Rows that have had a match.
    has_match: Vec<bool>,
}

/// Some rows of the left batch whose matches have been found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The first of them.
    first: usize,
    /// They are the last ones of the batch.
    pub is_last: bool,
}

impl Prober {
    pub(super) fn new(shape: &Arc<RangeShape>, run: &RunContext) -> Result<Self> {
        let residual = shape.residual.as_ref();
        Ok(Self {
            residual: residual.map(|set| Evaluator::new(Arc::clone(set), &run.parameters)).transpose()?,
            shape: Arc::clone(shape),
            batch_rows: run.batch_rows(),
            pending: None,
            left: Vec::new(),
            right: Vec::new(),
        })
    }

    /// Starts on a left batch with these compared values.
    pub(super) fn begin(&mut self, table: &Table, batch: Batch, values: &[Column]) {
        let shape = &self.shape;
        let (words, valid) = condition_words(shape, values, batch.rows);
        let strict: Vec<bool> =
            shape.conditions.iter().map(|(_, comparison)| comparison.is_strict()).collect();
        let found = |row: usize| match valid[row] {
            true => {
                let second = words.get(1).map(|words| (words[row], strict[1]));
                table.search(words[0][row], strict[0], second)
            }
            false => NOTHING,
        };
        let matches: Vec<Matches> = (0..batch.rows).map(found).collect();
        let has_match = match shape.residual {
            // A search finds something only where there is a match.
            None if !shape.kind.gives_pairs() => matches.iter().map(|matches| matches.count > 0).collect(),
            _ => vec![false; batch.rows],
        };
        self.pending = Some(Pending { batch, matches, row: 0, place: 0, has_match });
    }

    /// Lays the left batch down.
    pub(super) fn end(&mut self) {
        self.pending = None;
    }

    /// The left rows of the pairs that were found last.
    pub(super) fn left_rows(&self) -> &[u32] {
        &self.left
    }

    /// Which rows of the left batch have had a match.
    pub(super) fn has_match(&self) -> &[bool] {
        self.pending.as_ref().map(|pending| pending.has_match.as_slice()).unwrap_or_default()
    }

    /// Finds the matches of more rows; `None` without a left batch.
    pub(super) fn find(&mut self, table: &Table) -> Result<Option<Found>> {
        let Some(mut pending) = self.pending.take() else { return Ok(None) };
        let first = pending.row;
        self.gather(table, &mut pending);
        self.keep_accepted(table, &pending.batch)?;
        table.note_matches(&self.right);
        self.left.iter().for_each(|&row| pending.has_match[row as usize] = true);
        let is_last = pending.row == pending.batch.rows;
        self.pending = Some(pending);
        Ok(Some(Found { first, is_last }))
    }

    /// Collects pairs until a batch of them is full or the rows end.
    fn gather(&mut self, table: &Table, pending: &mut Pending) {
        self.left.clear();
        self.right.clear();
        let room = self.batch_rows;
        let rows = pending.batch.rows;
        if self.residual.is_none() && !self.shape.kind.gives_pairs() {
            pending.row = rows;
            return;
        }
        // Rows without matches count too, since outer joins give them out.
        let last = rows.min(pending.row + room);
        let is_decided =
            |row: usize, pending: &Pending| !self.shape.kind.gives_pairs() && pending.has_match[row];
        while pending.row < last && self.right.len() < room {
            let matches = pending.matches[pending.row];
            if pending.place < matches.count && !is_decided(pending.row, pending) {
                pending.place = table.collect(matches, pending.place, room, &mut self.right);
                self.left.resize(self.right.len(), pending.row as u32);
                if pending.place < matches.count {
                    return;
                }
            }
            pending.row += 1;
            pending.place = 0;
        }
    }

    /// Drops the pairs that the condition does not accept.
    fn keep_accepted(&mut self, table: &Table, batch: &Batch) -> Result<()> {
        let Some(residual) = self.residual.as_mut().filter(|_| !self.left.is_empty()) else { return Ok(()) };
        let mut columns = take_left(batch, &self.left)?;
        columns.extend(take_right(&self.shape, table, &UInt32Array::from(self.right.clone()))?);
        let keep = residual.select(&Batch::new(columns, self.left.len()).at(batch.position))?;
        if keep.count() < self.left.len() {
            let mut accepted = keep.bits().iter();
            self.left.retain(|_| accepted.next().unwrap_or(false));
            let mut accepted = keep.bits().iter();
            self.right.retain(|_| accepted.next().unwrap_or(false));
        }
        Ok(())
    }

    /// Makes rows of what was found.
    pub(super) fn output(&self, table: &Table, found: Found) -> Result<Option<Batch>> {
        let (shape, first) = (&self.shape, found.first);
        let Some(pending) = &self.pending else { return Ok(None) };
        if !shape.kind.gives_pairs() {
            return left_rows(shape.kind, pending);
        }
        let (left, right) = match shape.keeps_left() {
            true => self.with_unmatched(pending, first),
            false => (self.left.clone(), UInt32Array::from(self.right.clone())),
        };
        if left.is_empty() {
            return Ok(None);
        }
        let mut columns = take_left(&pending.batch, &left)?;
        columns.extend(take_right(shape, table, &right)?);
        Ok(Some(Batch::new(columns, left.len()).at(pending.batch.position)))
    }

    /// The pairs, and each complete row without one paired with null, in the order of the left rows.
    fn with_unmatched(&self, pending: &Pending, first: usize) -> (Vec<u32>, UInt32Array) {
        let (mut left, mut right): (Vec<u32>, Vec<Option<u32>>) = (Vec::new(), Vec::new());
        let mut pair = 0;
        for row in first as u32..pending.row as u32 {
            while self.left.get(pair) == Some(&row) {
                left.push(row);
                right.push(Some(self.right[pair]));
                pair += 1;
            }
            if !pending.has_match[row as usize] {
                left.push(row);
                right.push(None);
            }
        }
        // What is left belongs to the row whose matches go on in the next step.
        left.extend_from_slice(&self.left[pair..]);
        right.extend(self.right[pair..].iter().map(|&row| Some(row)));
        (left, UInt32Array::from(right))
    }
}

/// For the kinds that give rows of the left side only: all at the end of the batch.
fn left_rows(kind: JoinKind, pending: &Pending) -> Result<Option<Batch>> {
    if pending.row < pending.batch.rows {
        return Ok(None);
    }
    let wanted = kind == JoinKind::LeftSemi;
    let keep: Vec<bool> = pending.has_match.iter().map(|&has_match| has_match == wanted).collect();
    let kept = keep.iter().filter(|&&keep| keep).count();
    match kept {
        0 => Ok(None),
        _ if kept == pending.batch.rows => Ok(Some(pending.batch.clone())),
        _ => Ok(Some(kept_rows(&pending.batch, &keep.into(), kept)?)),
    }
}

fn take_left(batch: &Batch, rows: &[u32]) -> Result<Vec<Column>> {
    let rows = UInt32Array::from(rows.to_vec());
    Ok(batch.columns.iter().map(|column| column.take(&rows)).collect::<Result<_, _>>()?)
}

fn take_right(shape: &RangeShape, table: &Table, rows: &UInt32Array) -> Result<Vec<Column>> {
    if table.rows == 0 {
        let nulls = |data_type| Column::nulls(data_type, rows.len());
        return Ok(shape.right_types.iter().map(nulls).collect());
    }
    Ok(table.columns.iter().map(|column| column.take(rows)).collect::<Result<_, _>>()?)
}

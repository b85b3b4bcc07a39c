//! Aggregates over frames that start with the partition: one state takes the rows as frames grow.

use std::ops::Range;

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions::aggregate::Accumulator;
use hypostyle_functions::column::{Column, Output, Rows, View, borrow};

use super::super::aggregate::{consecutive, finished, stretch};
use super::super::counted::Counted;
use super::super::shape::{Aggregate, Call};
use super::super::stage::Stage;
use super::{LongCall, Reach, Stretch, too_wide};
use crate::error::Result;

/// An accumulator that rows are added to in order, stretch by stretch.
pub(super) struct Additions<'a> {
    pub aggregate: &'a Aggregate,
    pub accumulator: Box<dyn Accumulator>,
    /// Rows that were added so far: the ordinal of the next.
    count: u64,
}

impl<'a> Additions<'a> {
    /// Nothing was added to `groups` groups.
    pub fn new(aggregate: &'a Aggregate, groups: usize) -> Self {
        let mut accumulator = (aggregate.call.bound.make)();
        accumulator.resize(groups);
        Self { aggregate, accumulator, count: 0 }
    }

    /// Adds all rows of a stage that count, each to the group of its position.
    pub fn add_all(&mut self, stage: &Stage<'_>, group: impl Fn(usize) -> u32) -> Result<()> {
        with_counted(stage, self.aggregate, |views, counted| {
            let groups: Vec<u32> = match counted {
                None => (0..stage.rows()).map(group).collect(),
                Some(counted) => counted.positions.iter().map(|&position| group(position as usize)).collect(),
            };
            self.add(views, &groups, 0..groups.len())
        })
    }

    /// Adds counted rows, which follow those that were added before, each to its group.
    fn add(&mut self, views: &[View<'_>], groups: &[u32], places: Range<usize>) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let (count, positions) = (places.len(), consecutive(&places));
        let views: Vec<View<'_>> = views.iter().map(|view| stretch(view, &places, &positions)).collect();
        self.accumulator.update(&views, Rows::All(count), &groups[places], self.count)?;
        self.count += count as u64;
        Ok(())
    }
}

/// Calls `body` with the arguments of an aggregate, only rows that count.
fn with_counted<T>(
    stage: &Stage<'_>,
    aggregate: &Aggregate,
    body: impl FnOnce(&[View<'_>], Option<&Counted>) -> Result<T>,
) -> Result<T> {
    let call = &aggregate.call;
    let counted = stage.counted(call.filter, &call.arguments[..call.strict])?;
    let columns = call.arguments.iter().map(|&column| stage.taken(column, counted.as_ref()));
    let columns: Vec<Column> = columns.collect::<Result<_>>()?;
    let bump = Bump::new();
    let types = call.arguments.iter().map(|&column| stage.data_type(column));
    let views: Vec<View<'_>> =
        columns.iter().zip(types).map(|(column, data_type)| column.view(data_type, &bump)).collect();
    body(&views, counted.as_deref())
}

/// An aggregate over frames that only grow.
pub(super) struct Running<'a> {
    call: &'a Call,
    additions: Additions<'a>,
    /// Rows of the partition up to which all that count were added.
    added: u64,
}

impl<'a> Running<'a> {
    pub fn new(call: &'a Call, aggregate: &'a Aggregate) -> Self {
        Self { call, additions: Additions::new(aggregate, 1), added: 0 }
    }

    /// Adds rows up to each of these held rows in turn, and calls `body` with the state then.
    fn add_until(
        &mut self,
        stretch: &Stretch<'_>,
        ends: &[u32],
        mut body: impl FnMut(&mut dyn Accumulator, bool) -> Result<()>,
    ) -> Result<()> {
        let (before, aggregate) = (stretch.before, self.additions.aggregate);
        with_counted(&stretch.stage, aggregate, |views, counted| {
            let place = |row: usize| counted.map_or(row, |counted| counted.before[row] as usize);
            let groups = vec![0u32; place(stretch.stage.rows())];
            for &end in ends {
                let until = before + u64::from(end);
                if until < self.added {
                    return Err(too_wide(stretch.stage.rows()));
                }
                let from = self.added.saturating_sub(before) as usize;
                let places = place(from.min(end as usize))..place(end as usize);
                let has_changed = !places.is_empty();
                self.additions.add(views, &groups, places)?;
                self.added = until;
                body(self.additions.accumulator.as_mut(), has_changed)?;
            }
            Ok(())
        })
    }
}

impl LongCall for Running<'_> {
    fn reach(&self, stretch: &Stretch<'_>) -> Result<Reach> {
        Reach::of_frame(&stretch.stage, &self.call.frame)
    }

    fn evaluate(&mut self, stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        let frames = stretch.stage.ends(&self.call.frame)?;
        let result = self.call.result.clone();
        let mut output = Output::copying(result.clone());
        output.prepare(0);
        let mut last: Option<ArrayRef> = None;
        self.add_until(stretch, &frames.ends[rows], |accumulator, has_changed| {
            let value = match last.take().filter(|_| !has_changed) {
                Some(value) => value,
                None => finished(accumulator, &[0], &result)?,
            };
            output.push(&borrow(&value, &result, &Bump::new()), 0);
            last = Some(value);
            Ok(())
        })?;
        Ok(output.freeze()?)
    }

    /// Rows that leave are in all frames to come.
    fn leave(&mut self, stretch: &Stretch<'_>, rows: usize) -> Result<()> {
        match stretch.before + rows as u64 > self.added {
            true => self.add_until(stretch, &[rows as u32], |_, _| Ok(())),
            false => Ok(()),
        }
    }

    fn memory_bytes(&self) -> usize {
        self.additions.accumulator.memory_bytes()
    }
}

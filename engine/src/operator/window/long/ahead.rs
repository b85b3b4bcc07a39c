//! Aggregates over frames that end with the partition: states of what follows each segment of it are made beforehand, and
//! each frame is what it holds of the stretch and one of them.

use std::ops::Range;

use arrow::array::{Array, ArrayRef};

use super::super::aggregate::evaluate_before;
use super::super::blocks::States;
use super::super::shape::{Aggregate, Call, Way};
use super::super::stage::Stage;
use super::running::Additions;
use super::{LongCall, Reach, Stretch};
use crate::error::{Error, Result};

/// Rows of a segment: stretches end where one does.
const SEGMENT_ROWS: u64 = 1 << 10;

/// An aggregate over frames up to the last row.
pub(super) struct Ahead<'a> {
    call: &'a Call,
    aggregate: &'a Aggregate,
    /// A group for each segment.
    segments: Additions<'a>,
    count: usize,
    /// The state of all rows from the start of each segment on, and one of no rows.
    following: Option<States>,
}

impl<'a> Ahead<'a> {
    /// Whether states are small and can be merged.
    pub fn can(aggregate: &Aggregate) -> bool {
        matches!(aggregate.way, Way::Merge | Way::MergeStates)
    }

    pub fn new(call: &'a Call, aggregate: &'a Aggregate) -> Self {
        Self { call, aggregate, segments: Additions::new(aggregate, 0), count: 0, following: None }
    }
}

impl LongCall for Ahead<'_> {
    fn looks_ahead(&self) -> bool {
        true
    }

    fn look(&mut self, stage: &Stage<'_>, first: u64) -> Result<()> {
        self.count = (first + stage.rows() as u64).div_ceil(SEGMENT_ROWS) as usize;
        self.segments.accumulator.resize(self.count);
        self.segments.add_all(stage, |row| ((first + row as u64) / SEGMENT_ROWS) as u32)
    }

    fn looked(&mut self, _rows: u64) -> Result<()> {
        let bound = &self.aggregate.call.bound;
        let segments = States::of(self.segments.accumulator.as_mut(), &bound.states, self.count)?;
        let nothing = |groups| {
            let mut accumulator = (bound.make)();
            accumulator.resize(groups);
            accumulator
        };
        let mut following = vec![States::of(nothing(1).as_mut(), &bound.states, 1)?];
        for segment in (0..self.count as u32).rev() {
            let mut accumulator = nothing(1);
            segments.merge(Some(&[segment]), &[0], accumulator.as_mut())?;
            if let Some(behind) = following.last() {
                behind.merge(None, &[0], accumulator.as_mut())?;
            }
            following.push(States::of(accumulator.as_mut(), &bound.states, 1)?);
        }
        following.reverse();
        self.following = Some(States::concat(&following)?);
        self.segments = Additions::new(self.aggregate, 0);
        Ok(())
    }

    fn grain(&self) -> u64 {
        SEGMENT_ROWS
    }

    /// A start is where it seems to be if a row stands there.
    fn reach(&self, stretch: &Stretch<'_>) -> Result<Reach> {
        let starts = stretch.stage.ends(&self.call.frame)?.starts.clone();
        Ok(Reach { ends: Some(starts.clone()), starts: Some(starts) })
    }

    fn evaluate(&mut self, stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef> {
        let following = self
            .following
            .as_ref()
            .ok_or_else(|| Error::internal("a partition was evaluated before it was seen"))?;
        let end = stretch.before + stretch.stage.rows() as u64;
        let behind = if stretch.is_end { self.count as u64 } else { end / SEGMENT_ROWS };
        let values = evaluate_before(&stretch.stage, self.call, self.aggregate, (following, behind as u32))?;
        Ok(values.slice(rows.start, rows.len()))
    }

    fn memory_bytes(&self) -> usize {
        self.segments.accumulator.memory_bytes() + self.following.as_ref().map_or(0, States::memory_bytes)
    }
}

//! Aggregates over frames.
//!
//! A frame that is the whole partition is a group of a grouping. Otherwise the accumulator is asked first: it may know
//! a way over all frames at once. Where it does not, states of blocks of rows are merged, level over level, so that a
//! frame is a few states and rows; or, where a state is no smaller than its rows, the rows of each frame are added.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, UInt32Array};
use bumpalo::Bump;
use hypostyle_functions::aggregate::Accumulator;
use hypostyle_functions::column::{Column, Encoding, Output, Rows, View};
use hypostyle_functions::types::Type;
use hypostyle_functions::window::Frames;

use super::arrange::Arrangement;
use super::blocks::{Blocks, States};
use super::counted::Counted;
use super::shape::{Aggregate, Call, Way};
use super::stage::Stage;
use crate::error::Result;
use crate::operator::aggregate::GroupTable;

/// Rows and states that are brought together at once: bounds what a step holds.
const ENTRIES_MAX: usize = 1 << 16;

/// The aggregate at each row, in order.
pub(super) fn evaluate(stage: &Stage<'_>, call: &Call, aggregate: &Aggregate) -> Result<ArrayRef> {
    evaluate_with(stage, call, aggregate, None)
}

/// The aggregate at each row, where each frame goes on behind the last row with the rows of a state: the one at this place.
pub(super) fn evaluate_before(
    stage: &Stage<'_>,
    call: &Call,
    aggregate: &Aggregate,
    behind: (&States, u32),
) -> Result<ArrayRef> {
    evaluate_with(stage, call, aggregate, Some(behind))
}

fn evaluate_with(
    stage: &Stage<'_>,
    call: &Call,
    aggregate: &Aggregate,
    behind: Option<(&States, u32)>,
) -> Result<ArrayRef> {
    let of_call = &aggregate.call;
    let counted = stage.counted(of_call.filter, &of_call.arguments[..of_call.strict])?;
    let columns = of_call.arguments.iter().map(|&column| stage.taken(column, counted.as_ref()));
    let columns: Vec<Column> = columns.collect::<Result<_>>()?;
    let bump = Bump::new();
    let types = of_call.arguments.iter().map(|&column| stage.data_type(column));
    let arguments: Vec<View<'_>> =
        columns.iter().zip(types).map(|(column, data_type)| column.view(data_type, &bump)).collect();
    let rows = counted.as_ref().map_or(stage.rows(), |counted| counted.positions.len());
    if call.frame.is_whole {
        return whole(stage, call, aggregate, &arguments, counted.as_deref(), rows);
    }
    let frames = stage.frames(&call.frame, counted.as_ref())?;
    let over = Over { call, aggregate, arguments: &arguments, rows, frames: &frames, behind };
    over.evaluate()
}

/// One group per partition.
fn whole(
    stage: &Stage<'_>,
    call: &Call,
    aggregate: &Aggregate,
    arguments: &[View<'_>],
    counted: Option<&Counted>,
    rows: usize,
) -> Result<ArrayRef> {
    let partitions = &stage.arrangement.partitions;
    let count = partitions.len() - 1;
    let of_rows = Arrangement::numbers_of(partitions);
    let mut accumulator = (aggregate.call.bound.make)();
    accumulator.resize(count);
    match counted {
        None => accumulator.update(arguments, Rows::All(rows), &of_rows, 0)?,
        Some(counted) => {
            let groups: Vec<u32> =
                counted.positions.iter().map(|&position| of_rows[position as usize]).collect();
            if rows > 0 {
                accumulator.update(arguments, Rows::All(rows), &groups, 0)?;
            }
        }
    }
    let groups: Vec<u32> = (0..count as u32).collect();
    let results = finished(accumulator.as_mut(), &groups, &call.result)?;
    Ok(arrow_select::take::take(&results, &UInt32Array::from(of_rows), None)?)
}

/// The results of these groups.
pub(super) fn finished(accumulator: &mut dyn Accumulator, groups: &[u32], result: &Type) -> Result<ArrayRef> {
    let mut output = Output::new(result.clone());
    output.prepare(groups.len());
    accumulator.finish(groups, &mut output)?;
    Ok(output.freeze()?)
}

/// An aggregate over frames of counted rows.
struct Over<'a> {
    call: &'a Call,
    aggregate: &'a Aggregate,
    arguments: &'a [View<'a>],
    /// Number of counted rows.
    rows: usize,
    frames: &'a Frames,
    /// A state of rows that all frames hold behind theirs.
    behind: Option<(&'a States, u32)>,
}

impl Over<'_> {
    fn evaluate(&self) -> Result<ArrayRef> {
        let bound = &self.aggregate.call.bound;
        let mut output = Output::new(self.call.result.clone());
        output.prepare(self.frames.len());
        if self.behind.is_none() && (bound.make)().frames(self.arguments, self.frames, &mut output)? {
            return Ok(output.freeze()?);
        }
        match (self.aggregate.way, self.frames.sliding()) {
            (Way::CountDistinct, Some(sliding)) => Ok(self.count_distinct(sliding)),
            (Way::Rows, Some((starts, _))) if Self::grows(starts) => self.grown(),
            (Way::Rows | Way::CountDistinct, _) => self.gathered(None),
            (way, _) => {
                let blocks = Blocks::new(bound, self.arguments, self.rows, way == Way::MergeStates)?;
                self.gathered(Some(&blocks))
            }
        }
    }

    /// True if frames mostly keep their start from row to row: rows are then only added.
    fn grows(starts: &[u32]) -> bool {
        let moves = starts.windows(2).filter(|pair| pair[0] != pair[1]).count();
        moves * 8 < starts.len()
    }

    /// Rows are added as frames grow; a frame that starts elsewhere starts anew.
    fn grown(&self) -> Result<ArrayRef> {
        let bound = &self.aggregate.call.bound;
        let mut output = Output::copying(self.call.result.clone());
        output.prepare(0);
        let zeros = vec![0u32; self.rows];
        let mut accumulator: Option<Box<dyn Accumulator>> = None;
        let (mut start, mut end) = (usize::MAX, 0);
        let mut last: Option<ArrayRef> = None;
        let bump = Bump::new();
        for row in 0..self.frames.len() {
            let Some(frame) = self.frames.of(row).next() else { break };
            if frame.start != start || frame.end < end {
                (start, end) = (frame.start, frame.start);
                (accumulator, last) = (None, None);
            }
            let held = accumulator.get_or_insert_with(|| {
                let mut fresh = (bound.make)();
                fresh.resize(1);
                fresh
            });
            if frame.end > end {
                let added = end..frame.end;
                let positions = consecutive(&added);
                let views: Vec<View<'_>> =
                    self.arguments.iter().map(|view| stretch(view, &added, &positions)).collect();
                held.update(&views, Rows::All(added.len()), &zeros[added.clone()], added.start as u64)?;
                (end, last) = (frame.end, None);
            }
            let result = match last.take() {
                Some(result) => result,
                None => finished(held.as_mut(), &[0], &self.call.result)?,
            };
            output.push(&hypostyle_functions::column::borrow(&result, &self.call.result, &bump), 0);
            last = Some(result);
        }
        Ok(output.freeze()?)
    }

    /// Frames in groups of their own, as many at a time as a step may hold.
    fn gathered(&self, blocks: Option<&Blocks>) -> Result<ArrayRef> {
        let mut results: Vec<ArrayRef> = Vec::new();
        let mut entries = Entries::new(blocks.map_or(0, Blocks::levels));
        let mut first = 0;
        for row in 0..self.frames.len() {
            let group = (row - first) as u32;
            for range in self.frames.of(row) {
                match blocks {
                    Some(blocks) => {
                        blocks.cover(range, |level, position| entries.push(level, position, group))
                    }
                    None => range.for_each(|position| entries.push(None, position, group)),
                }
            }
            if entries.count >= ENTRIES_MAX || row + 1 == self.frames.len() {
                results.push(self.finish_entries(blocks, &entries, row + 1 - first)?);
                entries.clear();
                first = row + 1;
            }
        }
        let parts: Vec<&dyn Array> = results.iter().map(AsRef::as_ref).collect();
        match parts.as_slice() {
            [] => Ok(arrow::array::new_empty_array(&self.call.result.to_arrow())),
            [_] => Ok(results.swap_remove(0)),
            parts => Ok(arrow_select::concat::concat(parts)?),
        }
    }

    fn finish_entries(&self, blocks: Option<&Blocks>, entries: &Entries, groups: usize) -> Result<ArrayRef> {
        let mut accumulator = (self.aggregate.call.bound.make)();
        accumulator.resize(groups);
        let (positions, owners) = &entries.rows;
        if !positions.is_empty() {
            let arguments: Vec<View<'_>> =
                self.arguments.iter().map(|view| at_positions(view, positions)).collect();
            accumulator.update(&arguments, Rows::All(positions.len()), owners, 0)?;
        }
        if let Some(blocks) = blocks {
            for (level, (positions, owners)) in entries.levels.iter().enumerate() {
                blocks.merge(level, positions, owners, accumulator.as_mut())?;
            }
        }
        let groups: Vec<u32> = (0..groups as u32).collect();
        if let Some((states, place)) = self.behind {
            states.merge(Some(&vec![place; groups.len()]), &groups, accumulator.as_mut())?;
        }
        finished(accumulator.as_mut(), &groups, &self.call.result)
    }

    /// Different values in frames that slide: a value counts from its first row in to its last one out.
    fn count_distinct(&self, (starts, ends): (&[u32], &[u32])) -> ArrayRef {
        let types: Vec<Type> = self.arguments.iter().map(|view| view.data_type.clone()).collect();
        let mut table = GroupTable::new(&types);
        let mut values = Vec::new();
        table.assign(self.arguments, self.rows, Rows::All(self.rows), &mut values);
        let mut held = vec![0u32; table.hashes().len()];
        let (mut first, mut end, mut count) = (0u32, 0u32, 0i64);
        let counts = starts.iter().zip(ends).map(|(&frame_start, &frame_end)| {
            while end < frame_end {
                let rows = &mut held[values[end as usize] as usize];
                *rows += 1;
                count += i64::from(*rows == 1);
                end += 1;
            }
            while first < frame_start.min(end) {
                let rows = &mut held[values[first as usize] as usize];
                *rows -= 1;
                count -= i64::from(*rows == 0);
                first += 1;
            }
            if frame_start >= frame_end { 0 } else { count }
        });
        std::sync::Arc::new(counts.collect::<arrow::array::Int64Array>())
    }
}

/// Positions one after the other.
pub(super) fn consecutive(rows: &Range<usize>) -> Vec<u32> {
    (rows.start as u32..rows.end as u32).collect()
}

/// A stretch of rows, which is looked at without the others: some accumulators look at all values of a view before they
/// add any. `positions` are those of the rows.
pub(super) fn stretch<'a>(view: &View<'a>, rows: &Range<usize>, positions: &'a [u32]) -> View<'a> {
    view.part(rows.clone()).unwrap_or_else(|| at_positions(view, positions))
}

/// The rows of a flat or constant column at these positions.
pub(super) fn at_positions<'a>(view: &View<'a>, positions: &'a [u32]) -> View<'a> {
    let encoding = match view.encoding {
        Encoding::Constant => Encoding::Constant,
        _ => Encoding::Dictionary { indices: positions, validity: None },
    };
    View { length: positions.len(), encoding, ..*view }
}

/// Positions that frames are made of, each with the group of its frame: rows, and blocks by level.
struct Entries {
    rows: (Vec<u32>, Vec<u32>),
    levels: Vec<(Vec<u32>, Vec<u32>)>,
    count: usize,
}

impl Entries {
    fn new(levels: usize) -> Self {
        Self { rows: Default::default(), levels: vec![Default::default(); levels], count: 0 }
    }

    fn push(&mut self, level: Option<usize>, position: usize, group: u32) {
        let (positions, owners) = match level {
            None => &mut self.rows,
            Some(level) => &mut self.levels[level],
        };
        positions.push(position as u32);
        owners.push(group);
        self.count += 1;
    }

    fn clear(&mut self) {
        self.count = 0;
        for (positions, owners) in self.levels.iter_mut().chain([&mut self.rows]) {
            positions.clear();
            owners.clear();
        }
    }
}

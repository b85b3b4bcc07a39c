//! The frame of one row: up to three stretches of positions.

use std::cmp::Ordering;
use std::ops::Range;

use hypostyle_functions::column::{View, compare};

use super::Place;
use crate::error::{Error, Result};
use crate::expression::RowEvaluator;
use crate::operator::window::frame::{check_side, negative_offset, null_offset};
use crate::operator::window::shape::{Bound, Frame, Offset, WindowShape};
use crate::plan::{Exclusion, FrameUnits};

/// Stretches of positions that a frame is made of, in order; those that it does not need are empty.
pub(super) struct Stretches([Range<u32>; 3]);

impl Stretches {
    /// The positions, in order.
    pub fn positions(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.0.iter().cloned().flatten()
    }

    /// The one stretch that holds all positions, if one does.
    pub fn single(&self) -> Option<Range<usize>> {
        let mut filled = self.0.iter().filter(|stretch| !stretch.is_empty());
        let first = filled.next().cloned().unwrap_or(0..0);
        filled.next().is_none().then_some(first.start as usize..first.end as usize)
    }
}

/// The frame of the row in question.
pub(super) fn frame(
    shape: &WindowShape,
    frame: &Frame,
    place: &Place<'_>,
    moves: &mut [RowEvaluator],
) -> Result<Stretches> {
    if frame.is_whole {
        return Ok(Stretches([0..place.rows(), 0..0, 0..0]));
    }
    let mut side = |bound: Bound, is_end: bool| match (bound, frame.units) {
        (Bound::Preceding(offset) | Bound::Following(offset), FrameUnits::Range) => {
            by_value(shape, frame, place, (bound, offset), is_end, moves)
        }
        (Bound::Preceding(_) | Bound::Following(_), FrameUnits::Rows) => by_rows(place, bound, is_end),
        (Bound::Preceding(_) | Bound::Following(_), FrameUnits::Groups) => by_groups(place, bound, is_end),
        (Bound::CurrentRow, FrameUnits::Rows) => Ok(place.at + u32::from(is_end)),
        (Bound::CurrentRow, _) => Ok(if is_end { place.peers.end } else { place.peers.start }),
        (Bound::UnboundedPreceding | Bound::UnboundedFollowing, _) => {
            Ok(if is_end { place.rows() } else { 0 })
        }
    };
    let start = side(frame.start, false)?;
    let end = side(frame.end, true)?.max(start);
    let clamp = |position: u32| position.clamp(start, end);
    let own = clamp(place.at)..clamp(place.at + 1);
    let peers = clamp(place.peers.start)..clamp(place.peers.end);
    Ok(Stretches(match frame.exclude {
        Exclusion::None => [start..end, 0..0, 0..0],
        Exclusion::CurrentRow => [start..own.start, own.end..end, 0..0],
        Exclusion::Group => [start..peers.start, peers.end..end, 0..0],
        Exclusion::Ties => [start..peers.start, own, peers.end..end],
    }))
}

/// The whole number that a bound lies away from the row; `None` if it is null.
fn offset(place: &Place<'_>, bound: Bound, units: &str) -> Result<Option<i64>> {
    let (column, side) = match bound {
        Bound::Preceding(Offset::Column(column)) => (column, "PRECEDING"),
        Bound::Following(Offset::Column(column)) => (column, "FOLLOWING"),
        _ => return Err(Error::internal("a bound without a value was asked for it")),
    };
    let view = &place.columns[column];
    match view.is_valid(place.row).then(|| view.fixed::<i64>().get(place.row)) {
        Some(offset) if offset < 0 => Err(negative_offset(units, offset, side)),
        offset => Ok(offset),
    }
}

fn by_rows(place: &Place<'_>, bound: Bound, is_end: bool) -> Result<u32> {
    let offset = offset(place, bound, "ROWS")?.ok_or_else(null_offset)?;
    let at = i64::from(place.at);
    let middle = match bound {
        Bound::Preceding(_) => at.saturating_sub(offset),
        _ => at.saturating_add(offset),
    };
    Ok(middle.saturating_add(i64::from(is_end)).clamp(0, i64::from(place.rows())) as u32)
}

/// A null offset counts as 0.
fn by_groups(place: &Place<'_>, bound: Bound, is_end: bool) -> Result<u32> {
    let offset = offset(place, bound, "GROUPS")?.unwrap_or(0);
    let distance = match bound {
        Bound::Preceding(_) => offset.saturating_neg(),
        _ => offset,
    };
    // The start of the group that lies so many groups away from that of the row.
    let mut left = distance.saturating_add(i64::from(is_end));
    let mut start = place.peers.start;
    while left < 0 && start > 0 {
        start = place.group_start(start - 1);
        left += 1;
    }
    while left > 0 && start < place.rows() {
        start = place.group_end(start);
        left -= 1;
    }
    Ok(start)
}

/// The first position that is not before a value, or behind the last one that is not after it. A row whose key or bound is null
/// is bounded by its peers.
fn by_value(
    shape: &WindowShape,
    frame: &Frame,
    place: &Place<'_>,
    (bound, offset): (Bound, Offset),
    is_end: bool,
    moves: &mut [RowEvaluator],
) -> Result<u32> {
    let Some(key) = frame.key else { return Err(Error::internal("a range frame without a key")) };
    let [direction] = place.keys else {
        return Err(Error::internal("a range frame without its order"));
    };
    let keys = &place.columns[key];
    let search = |value: &View<'_>, value_row: usize| {
        if keys.is_null(place.row) || value.is_null(value_row) {
            return Ok(if is_end { place.peers.end } else { place.peers.start });
        }
        let order = |row: usize| {
            let order = compare(value, value_row, keys, row);
            if direction.descending { order.reverse() } else { order }
        };
        check_side(bound, order(place.row))?;
        let is_null = |position: u32| keys.is_null(place.row_at(position));
        let nulls = |is_first: bool| {
            let is_before = |position: u32| is_null(position) == is_first;
            partition_point(0..place.rows(), is_before)
        };
        let filled = if direction.nulls_first { nulls(true)..place.rows() } else { 0..nulls(false) };
        Ok(partition_point(filled, |position| match order(place.row_at(position)) {
            Ordering::Greater => true,
            Ordering::Equal => is_end,
            Ordering::Less => false,
        }))
    };
    match offset {
        Offset::Column(column) => search(&place.columns[column], place.row),
        Offset::Moved(moved) => {
            debug_assert!(moved < shape.moves.len());
            let Some(evaluator) = moves.get_mut(moved) else {
                return Err(Error::internal("the move of a key was not laid out"));
            };
            evaluator.start(1)?;
            let (input, row) = evaluator.field(0)?;
            input.copy(row, keys, place.row);
            evaluator.evaluate()?;
            search(&evaluator.view(0), 0)
        }
    }
}

/// The first position of a stretch for which `is_before` is not true, where it is true for those before and false for those behind.
fn partition_point(stretch: Range<u32>, is_before: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (stretch.start, stretch.end);
    while low < high {
        let middle = low + (high - low) / 2;
        match is_before(middle) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}

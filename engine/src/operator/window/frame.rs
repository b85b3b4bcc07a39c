//! Frames as ranges of positions.

use std::cmp::Ordering;

use bumpalo::Bump;
use hypostyle_functions::column::{View, compare};
use hypostyle_functions::window::Frames;

use super::arrange::{Arrangement, numbers};
use super::key_move::SAFE;
use super::shape::{Bound, Frame, Offset};
use super::stage::Stage;
use crate::error::{Error, Result};
use crate::plan::{Exclusion, FrameUnits};

/// Steps that a bound is looked for one by one before the rest is halved: bounds mostly move on by little.
const STEPS_MAX: usize = 16;

/// Start and end of each row's frame. An empty frame has its start as its end.
#[derive(Debug, Default)]
pub(super) struct FrameEnds {
    pub starts: Vec<u32>,
    pub ends: Vec<u32>,
}

impl FrameEnds {
    /// The frames of all rows.
    pub fn of(stage: &Stage<'_>, frame: &Frame) -> Result<Self> {
        let side = |bound: Bound, is_end: bool| match (bound, frame.units) {
            (Bound::Preceding(offset) | Bound::Following(offset), FrameUnits::Range) => {
                match by_shift(stage, frame, bound, offset, is_end) {
                    Some(edges) => Ok(edges),
                    None => by_value(stage, frame, bound, offset, is_end),
                }
            }
            (Bound::Preceding(_) | Bound::Following(_), FrameUnits::Rows) => by_rows(stage, bound, is_end),
            (Bound::Preceding(_) | Bound::Following(_), FrameUnits::Groups) => {
                by_groups(stage, bound, is_end)
            }
            (Bound::CurrentRow, FrameUnits::Rows) => {
                let first = u32::from(is_end);
                Ok((first..stage.rows() as u32 + first).collect())
            }
            (Bound::CurrentRow, _) => Ok(edges(&stage.arrangement.peers, is_end)),
            (Bound::UnboundedPreceding | Bound::UnboundedFollowing, _) => {
                Ok(edges(&stage.arrangement.partitions, is_end))
            }
        };
        let starts = side(frame.start, false)?;
        let mut ends = side(frame.end, true)?;
        ends.iter_mut().zip(&starts).for_each(|(end, &start)| *end = (*end).max(start));
        Ok(Self { starts, ends })
    }
}

/// For each position, the start or end of its group among these.
pub(super) fn edges(starts: &[u32], is_end: bool) -> Vec<u32> {
    let rows = starts.last().map_or(0, |&end| end);
    if starts.len() == rows as usize + 1 && starts.windows(2).all(|ends| ends[0] < ends[1]) {
        // Each position is a group of its own.
        let first = u32::from(is_end);
        return (first..rows + first).collect();
    }
    let mut edges = vec![0u32; rows as usize];
    for ends in starts.windows(2) {
        edges[ends[0] as usize..ends[1] as usize].fill(ends[usize::from(is_end)]);
    }
    edges
}

/// The whole number at each row that a bound lies away, in order.
fn offsets(stage: &Stage<'_>, bound: Bound, units: &str) -> Result<Vec<Option<i64>>> {
    let (column, side) = match bound {
        Bound::Preceding(Offset::Column(column)) => (column, "PRECEDING"),
        Bound::Following(Offset::Column(column)) => (column, "FOLLOWING"),
        _ => return Err(Error::internal("a bound without a value was asked for it")),
    };
    let offsets: Vec<Option<i64>> = stage.with_sorted(column, |view| {
        let values = view.fixed::<i64>();
        (0..stage.rows()).map(|row| view.is_valid(row).then(|| values.get(row))).collect()
    })?;
    match offsets.iter().flatten().find(|&&offset| offset < 0) {
        Some(&offset) => Err(negative_offset(units, offset, side)),
        None => Ok(offsets),
    }
}

pub(super) fn negative_offset(units: &str, offset: i64, side: &str) -> Error {
    Error::user(format!("window: {units} {offset} {side} is negative; expected a number from 0"))
}

pub(super) fn null_offset() -> Error {
    Error::user("window: the offset of a ROWS frame is null; expected a number from 0")
}

fn by_rows(stage: &Stage<'_>, bound: Bound, is_end: bool) -> Result<Vec<u32>> {
    let offsets = offsets(stage, bound, "ROWS")?;
    let mut edges = Vec::with_capacity(stage.rows());
    for partition in stage.arrangement.partitions.windows(2) {
        let (first, last) = (i64::from(partition[0]), i64::from(partition[1]));
        for row in first..last {
            let offset = offsets[row as usize].ok_or_else(null_offset)?;
            let middle = match bound {
                Bound::Preceding(_) => row.saturating_sub(offset),
                _ => row.saturating_add(offset),
            };
            edges.push(middle.saturating_add(i64::from(is_end)).clamp(first, last) as u32);
        }
    }
    Ok(edges)
}

/// A null offset counts as 0.
fn by_groups(stage: &Stage<'_>, bound: Bound, is_end: bool) -> Result<Vec<u32>> {
    let offsets = offsets(stage, bound, "GROUPS")?;
    let Arrangement { partitions, peers, .. } = stage.arrangement;
    let mut edges = Vec::with_capacity(stage.rows());
    let mut first_group = 0usize;
    for partition in partitions.windows(2) {
        let groups = peers[first_group..].partition_point(|&start| start < partition[1]);
        // The starts of this partition's groups, and its end.
        let starts = &peers[first_group..=first_group + groups];
        for (group, ends) in starts.windows(2).enumerate() {
            for row in ends[0]..ends[1] {
                let offset = offsets[row as usize].unwrap_or(0);
                let group = group as i64;
                let wanted = match bound {
                    Bound::Preceding(_) => group.saturating_sub(offset),
                    _ => group.saturating_add(offset),
                };
                let wanted = wanted.saturating_add(i64::from(is_end)).clamp(0, groups as i64);
                edges.push(starts[wanted as usize]);
            }
        }
        first_group += groups;
    }
    Ok(edges)
}

/// Bounds at values that lie a constant away from the key the rows are sorted by: both move on together. `None` where it
/// takes a closer look to tell them.
fn by_shift(
    stage: &Stage<'_>,
    frame: &Frame,
    bound: Bound,
    offset: Offset,
    is_end: bool,
) -> Option<Vec<u32>> {
    let (Offset::Moved(moved), [order]) = (offset, stage.keys) else { return None };
    let (key, numbers) = stage.arrangement.numbers.as_ref()?;
    if key != order || Some(key.column) != frame.key {
        return None;
    }
    let shift = stage.shape.moves[moved].shift?;
    let turned = if key.descending { -shift } else { shift };
    let is_backwards = match bound {
        Bound::Preceding(_) => turned > 0,
        _ => turned < 0,
    };
    let (least, greatest) =
        numbers.iter().fold((u64::MAX, 0), |(least, greatest), &at| (least.min(at), greatest.max(at)));
    // Numbers are whole numbers moved up by 2^63, so that they are in the middle where they are small.
    let safe = (1 << 63) - SAFE as u64..(1 << 63) + SAFE as u64;
    if is_backwards || !(safe.contains(&least) && safe.contains(&greatest)) {
        return None;
    }
    let mut edges = Vec::with_capacity(numbers.len());
    for partition in stage.arrangement.partitions.windows(2) {
        let last = partition[1] as usize;
        let mut at = partition[0] as usize;
        for row in partition[0] as usize..last {
            // The first number that is not passed.
            let limit = numbers[row].wrapping_add_signed(turned) + u64::from(is_end);
            while at < last && numbers[at] < limit {
                at += 1;
            }
            edges.push(at as u32);
        }
    }
    Some(edges)
}

/// Bounds at values: the first row that is not before the value, or behind the last one that is not after it. Rows whose
/// key or offset is null are bounded by their peers.
fn by_value(
    stage: &Stage<'_>,
    frame: &Frame,
    bound: Bound,
    offset: Offset,
    is_end: bool,
) -> Result<Vec<u32>> {
    let Some(key) = frame.key else { return Err(Error::internal("a range frame without a key")) };
    let [direction] = stage.keys else { return Err(Error::internal("a range frame without its order")) };
    let direction = direction.descending;
    let bump = Bump::new();
    let keys = stage.sorted(key)?;
    let bounds = match offset {
        Offset::Column(column) => stage.sorted(column)?,
        Offset::Moved(moved) => stage.shape.moves[moved].evaluate(keys.clone(), stage.rows())?,
    };
    let data_type = stage.data_type(key);
    let (keys, bounds) = (keys.view(data_type, &bump), bounds.view(data_type, &bump));
    let rows = stage.rows();
    let pair = numbers(&keys, rows, direction).zip(numbers(&bounds, rows, direction));
    let search = Search { stage, keys: &keys, bounds: &bounds, bound, is_end };
    match pair {
        Some((keys, bounds)) => search.run(|bound, key| bounds[bound].cmp(&keys[key])),
        None => search.run(|bound_row, key_row| {
            let order = compare(&bounds, bound_row, &keys, key_row);
            if direction { order.reverse() } else { order }
        }),
    }
}

/// Looks for the bounds of all rows.
struct Search<'a> {
    stage: &'a Stage<'a>,
    keys: &'a View<'a>,
    bounds: &'a View<'a>,
    bound: Bound,
    is_end: bool,
}

impl Search<'_> {
    /// `order` compares the bound of one row with the key of another, in the direction of the sort.
    fn run(&self, order: impl Fn(usize, usize) -> Ordering) -> Result<Vec<u32>> {
        let peers = edges(&self.stage.arrangement.peers, self.is_end);
        let mut edges = Vec::with_capacity(peers.len());
        for partition in self.stage.arrangement.partitions.windows(2) {
            let (first, last) = (partition[0] as usize, partition[1] as usize);
            let (mut low, mut high) = (first, last);
            while low < high && self.keys.is_null(low) {
                low += 1;
            }
            while high > low && self.keys.is_null(high - 1) {
                high -= 1;
            }
            let mut hint = low;
            for (row, &peer) in (first..last).zip(&peers[first..last]) {
                if row < low || row >= high || self.bounds.is_null(row) {
                    edges.push(peer);
                    continue;
                }
                check_side(self.bound, order(row, row))?;
                // A key lies before the bound if it must be passed to get there.
                let is_before = |at: usize| match order(row, at) {
                    Ordering::Greater => true,
                    Ordering::Equal => self.is_end,
                    Ordering::Less => false,
                };
                hint = first_from(hint, low, high, is_before);
                edges.push(hint as u32);
            }
        }
        Ok(edges)
    }
}

/// Checks the order of the bound of a row and its key: PRECEDING lies before the row and FOLLOWING after it.
pub(super) fn check_side(bound: Bound, order: Ordering) -> Result<()> {
    let (wrong, side) = match bound {
        Bound::Preceding(_) => (Ordering::Greater, "PRECEDING"),
        _ => (Ordering::Less, "FOLLOWING"),
    };
    match order == wrong {
        true => {
            Err(Error::user(format!("window: RANGE .. {side} has a negative offset; expected one from 0")))
        }
        false => Ok(()),
    }
}

/// The first position of `low .. high` that is not before the bound, looked for from `hint` on.
fn first_from(hint: usize, low: usize, high: usize, is_before: impl Fn(usize) -> bool) -> usize {
    let mut at = hint;
    for _ in 0..STEPS_MAX {
        if at < high && is_before(at) {
            at += 1;
        } else if at > low && !is_before(at - 1) {
            at -= 1;
        } else {
            return at;
        }
    }
    let (mut low, mut high) = if at < high && is_before(at) { (at, high) } else { (low, at) };
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The frames of all rows without what is left out of them, over the positions that `counted` counts: of position `at`,
/// `counted[at]` others come before it. All positions count if it is `None`.
pub(super) fn frames(stage: &Stage<'_>, frame: &Frame, counted: Option<&[u32]>) -> Result<Frames> {
    let ends = stage.ends(frame)?;
    let place = |at: u32| counted.map_or(at, |counted| counted[at as usize]);
    let part = |of: &dyn Fn(usize) -> (u32, u32)| -> (Vec<u32>, Vec<u32>) {
        (0..stage.rows())
            .map(|row| {
                let (start, end) = of(row);
                (place(start), place(end))
            })
            .unzip()
    };
    let clamp = |at: u32, row: usize| at.clamp(ends.starts[row], ends.ends[row]);
    let peers = |is_end| edges(&stage.arrangement.peers, is_end);
    let whole = |row: usize| (ends.starts[row], ends.ends[row]);
    let own = |row: usize| (clamp(row as u32, row), clamp(row as u32 + 1, row));
    let parts = match frame.exclude {
        // The usual case: nothing is left out and every row counts.
        Exclusion::None if counted.is_none() => vec![(ends.starts.clone(), ends.ends.clone())],
        Exclusion::None => vec![part(&whole)],
        Exclusion::CurrentRow => {
            vec![part(&|row| (ends.starts[row], own(row).0)), part(&|row| (own(row).1, ends.ends[row]))]
        }
        Exclusion::Group | Exclusion::Ties => {
            let (peer_starts, peer_ends) = (peers(false), peers(true));
            let before = part(&|row| (ends.starts[row], clamp(peer_starts[row], row)));
            let after = part(&|row| (clamp(peer_ends[row], row), ends.ends[row]));
            match frame.exclude {
                Exclusion::Ties => vec![before, part(&own), after],
                _ => vec![before, after],
            }
        }
    };
    Ok(Frames { parts })
}

#[cfg(test)]
mod tests {
    use super::first_from;

    #[test]
    fn a_bound_is_found_from_any_hint() {
        let values: Vec<u32> = (0..100).map(|at| at / 3).collect();
        for wanted in [0, 1, 17, 33, 40] {
            let expected = values.partition_point(|&value| value < wanted);
            for hint in 0..=100 {
                assert_eq!(
                    first_from(hint, 0, 100, |at| values[at] < wanted),
                    expected,
                    "{wanted} from {hint}"
                );
            }
        }
    }
}

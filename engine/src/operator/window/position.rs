//! Functions of positions: numbers of rows and groups of peers, and values of other rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, UInt32Array};
use hypostyle_functions::column::{Column, View};
use hypostyle_functions::window::WindowKind;

use super::arrange::Arrangement;
use super::frame::{edges, frames};
use super::inner_order::InnerOrder;
use super::shape::{Call, Positional};
use super::stage::Stage;
use crate::error::{Error, Result};
use crate::operator::sort::run::gather_column;

/// The function at each row, in order.
pub(super) fn evaluate(stage: &Stage<'_>, call: &Call, function: &Positional) -> Result<ArrayRef> {
    if !function.order.is_empty() {
        return InnerOrder::new(stage, call, function)?.evaluate();
    }
    match function.kind {
        WindowKind::RowNumber | WindowKind::Rank | WindowKind::DenseRank => Ok(numbers(stage, function.kind)),
        WindowKind::PercentRank => Ok(shares(stage, |row, size| match size {
            1 => 0.0,
            _ => f64::from(row.rank - 1) / f64::from(size - 1),
        })),
        WindowKind::CumeDist => Ok(shares(stage, |row, size| f64::from(row.peer_end) / f64::from(size))),
        WindowKind::Ntile => ntile(stage, function.arguments[0]),
        WindowKind::Lag | WindowKind::Lead => shifted(stage, function),
        WindowKind::FirstValue | WindowKind::LastValue | WindowKind::NthValue => {
            framed(stage, call, function)
        }
    }
}

fn numbers(stage: &Stage<'_>, kind: WindowKind) -> ArrayRef {
    let Arrangement { partitions, peers, .. } = stage.arrangement;
    let mut numbers = vec![0i64; stage.rows()];
    match kind {
        WindowKind::RowNumber => {
            for ends in partitions.windows(2) {
                let rows = &mut numbers[ends[0] as usize..ends[1] as usize];
                rows.iter_mut().zip(1..).for_each(|(number, row)| *number = row);
            }
        }
        _ => {
            let starts = edges(partitions, false);
            let mut groups = 0;
            for ends in peers.windows(2).filter(|ends| ends[0] < ends[1]) {
                let partition = starts[ends[0] as usize];
                groups = if ends[0] == partition { 1 } else { groups + 1 };
                let number = match kind {
                    WindowKind::Rank => i64::from(ends[0] - partition) + 1,
                    _ => groups,
                };
                numbers[ends[0] as usize..ends[1] as usize].fill(number);
            }
        }
    }
    Arc::new(Int64Array::from(numbers))
}

/// Where a row stands among its partition.
struct Standing {
    /// One more than the rows before its peers.
    rank: u32,
    /// Rows up to its last peer.
    peer_end: u32,
}

fn shares(stage: &Stage<'_>, share: impl Fn(Standing, u32) -> f64) -> ArrayRef {
    let Arrangement { partitions, peers, .. } = stage.arrangement;
    let (starts, ends) = (edges(partitions, false), edges(partitions, true));
    let mut shares = vec![0.0; stage.rows()];
    for group in peers.windows(2).filter(|group| group[0] < group[1]) {
        let first = group[0] as usize;
        let standing = Standing { rank: group[0] - starts[first] + 1, peer_end: group[1] - starts[first] };
        shares[first..group[1] as usize].fill(share(standing, ends[first] - starts[first]));
    }
    Arc::new(Float64Array::from(shares))
}

/// The bucket of row `row` (from 0) of `size` rows cut into `buckets`: the larger ones come first.
pub(super) fn bucket(row: i64, size: i64, buckets: i64) -> i64 {
    if buckets >= size {
        return row + 1;
    }
    let (small, larger) = (size / buckets, size % buckets);
    let in_larger = larger * (small + 1);
    if row < in_larger { row / (small + 1) + 1 } else { (row - in_larger) / small + larger + 1 }
}

/// The number of buckets at a row.
pub(super) fn buckets(view: &View<'_>, row: usize) -> Result<Option<i64>> {
    if view.is_null(row) {
        return Ok(None);
    }
    match view.fixed::<i64>().get(row) {
        count if count > 0 => Ok(Some(count)),
        count => Err(Error::user(format!("ntile: argument 1 is {count}; expected a number from 1"))),
    }
}

fn ntile(stage: &Stage<'_>, column: usize) -> Result<ArrayRef> {
    stage.with_sorted(column, |view| {
        let mut numbers = Vec::with_capacity(stage.rows());
        for ends in stage.arrangement.partitions.windows(2) {
            let size = i64::from(ends[1] - ends[0]);
            for row in ends[0]..ends[1] {
                let buckets = buckets(view, row as usize)?;
                numbers.push(buckets.map(|buckets| bucket(i64::from(row - ends[0]), size, buckets)));
            }
        }
        Ok(Arc::new(Int64Array::from(numbers)) as ArrayRef)
    })?
}

/// The positions whose first argument is not null, and how many of them come before each position.
pub(super) fn valid_positions(stage: &Stage<'_>, column: usize) -> Result<(Vec<u32>, Vec<u32>)> {
    stage.with_sorted(column, |view| {
        let mut positions = Vec::new();
        let mut before = Vec::with_capacity(stage.rows() + 1);
        for row in 0..stage.rows() {
            before.push(positions.len() as u32);
            if view.is_valid(row) {
                positions.push(row as u32);
            }
        }
        before.push(positions.len() as u32);
        (positions, before)
    })
}

/// lag and lead: the value so many rows away, among the rows that count.
fn shifted(stage: &Stage<'_>, function: &Positional) -> Result<ArrayRef> {
    let [value, offset, default] = function.arguments[..] else {
        return Err(Error::internal("lag and lead take three arguments"));
    };
    let counted = function.ignore_nulls.then(|| valid_positions(stage, value)).transpose()?;
    let is_lead = function.kind == WindowKind::Lead;
    let sources = stage.with_sorted(offset, |offsets| {
        let values = offsets.fixed::<i64>();
        let mut sources = Vec::with_capacity(stage.rows());
        for ends in stage.arrangement.partitions.windows(2) {
            for row in ends[0]..ends[1] {
                sources.push(match offsets.is_valid(row as usize) {
                    false => Source::Null,
                    true => {
                        let offset = values.get(row as usize);
                        let distance = if is_lead { offset } else { offset.saturating_neg() };
                        moved(row, distance, (ends[0], ends[1]), counted.as_ref())
                    }
                });
            }
        }
        sources
    })?;
    pick(stage, value, default, &sources)
}

/// The row `distance` counted rows away from `row` inside its partition. With rows left out, `row` itself is where it
/// would stand among those that count.
fn moved(
    row: u32,
    distance: i64,
    (start, end): (u32, u32),
    counted: Option<&(Vec<u32>, Vec<u32>)>,
) -> Source {
    let within = |at: i64, (first, last): (u32, u32)| {
        (i64::from(first) <= at && at < i64::from(last)).then_some(at as u32)
    };
    let Some((positions, before)) = counted else {
        let at = within(i64::from(row).saturating_add(distance), (start, end));
        return at.map_or(Source::Default, Source::Row);
    };
    let place = i64::from(before[row as usize]);
    let is_counted = before[row as usize + 1] > before[row as usize];
    // A row that does not count stands between two that do: the next one ahead is where it would be.
    let at = match distance {
        0 if !is_counted => return Source::Row(row),
        distance if distance > 0 && !is_counted => place.saturating_add(distance - 1),
        distance => place.saturating_add(distance),
    };
    let at = within(at, (before[start as usize], before[end as usize]));
    at.map_or(Source::Default, |at| Source::Row(positions[at as usize]))
}

/// Where the value of a row comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// It is null.
    Null,
    /// The default of the row itself.
    Default,
    /// The row at this position.
    Row(u32),
}

/// Values by their source.
pub(super) fn pick(stage: &Stage<'_>, value: usize, default: usize, sources: &[Source]) -> Result<ArrayRef> {
    let data_type = stage.data_type(value);
    let has_default = sources.iter().any(|source| matches!(source, Source::Default))
        && !stage.with_sorted(default, |view| view.is_constant() && view.is_null(0))?;
    let values = stage.sorted(value)?.to_array()?;
    if !has_default {
        let rows: UInt32Array = sources
            .iter()
            .map(|source| match source {
                Source::Row(row) => Some(*row),
                Source::Null | Source::Default => None,
            })
            .collect();
        return Ok(arrow_select::take::take(&values, &rows, None)?);
    }
    let null = arrow::array::new_null_array(&data_type.to_arrow(), 1);
    let arrays = [values, stage.sorted(default)?.to_array()?, null];
    let places: Vec<(usize, usize)> = sources
        .iter()
        .enumerate()
        .map(|(row, source)| match source {
            Source::Row(at) => (0, *at as usize),
            Source::Default => (1, row),
            Source::Null => (2, 0),
        })
        .collect();
    gather_column(&arrays, &places, data_type)
}

/// first_value, last_value, nth_value: a value of the frame by its place.
fn framed(stage: &Stage<'_>, call: &Call, function: &Positional) -> Result<ArrayRef> {
    let value = function.arguments[0];
    let counted = function.ignore_nulls.then(|| valid_positions(stage, value)).transpose()?;
    let frames = frames(stage, &call.frame, counted.as_ref().map(|(_, before)| before.as_slice()))?;
    let wanted: Column = match function.arguments.get(1) {
        Some(&column) => stage.sorted(column)?,
        None => Column::nulls(&hypostyle_functions::Type::Int64, stage.rows()),
    };
    let bump = bumpalo::Bump::new();
    let wanted = wanted.view(&hypostyle_functions::Type::Int64, &bump);
    let numbers = wanted.fixed::<i64>();
    let rows: UInt32Array = (0..stage.rows())
        .map(|row| {
            let mut ranges = frames.of(row).filter(|range| !range.is_empty());
            let found = match function.kind {
                WindowKind::FirstValue => ranges.next().map(|range| range.start),
                WindowKind::LastValue => ranges.last().map(|range| range.end - 1),
                _ => {
                    let number =
                        wanted.is_valid(row).then(|| numbers.get(row)).filter(|&number| number > 0)?;
                    let mut left = number - 1;
                    ranges.find_map(|range| {
                        let length = range.len() as i64;
                        let at = (left < length).then(|| range.start + left as usize);
                        left -= length;
                        at
                    })
                }
            };
            found.map(|at| counted.as_ref().map_or(at as u32, |(positions, _)| positions[at]))
        })
        .collect();
    Ok(arrow_select::take::take(&stage.sorted(value)?.to_array()?, &rows, None)?)
}

#[cfg(test)]
mod tests {
    use super::bucket;

    #[test]
    fn larger_buckets_come_first() {
        let buckets = |size, count| (0..size).map(|row| bucket(row, size, count)).collect::<Vec<_>>();
        assert_eq!(buckets(7, 3), [1, 1, 1, 2, 2, 3, 3]);
        assert_eq!(buckets(3, 5), [1, 2, 3]);
        assert_eq!(buckets(4, 2), [1, 1, 2, 2]);
        assert_eq!(buckets(1, i64::MAX), [1]);
    }
}

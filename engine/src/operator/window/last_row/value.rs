//! The value of a call at one row.

use bumpalo::Bump;
use hypostyle_functions::column::{Output, Rows, View};
use hypostyle_functions::window::WindowKind;

use super::bounds::Stretches;
use super::{CallSpace, Place};
use crate::error::{Error, Result};
use crate::operator::window::aggregate::at_positions;
use crate::operator::window::position::{bucket, buckets};
use crate::operator::window::shape::{Aggregate, Call, Function, Positional};

/// Writes the value of a call to a row of a column.
pub(super) fn write(
    call: &Call,
    place: &Place<'_>,
    frame: &Stretches,
    space: &mut CallSpace,
    bump: &Bump,
    field: &mut Output,
    row: usize,
) -> Result<()> {
    match &call.function {
        Function::Positional(function) => positional(function, place, frame, field, row),
        Function::Aggregate(function) => {
            aggregate(function, place, frame, space, bump)?;
            field.copy(row, &space.result.view(bump), 0);
            Ok(())
        }
    }
}

fn positional(
    function: &Positional,
    place: &Place<'_>,
    frame: &Stretches,
    field: &mut Output,
    row: usize,
) -> Result<()> {
    let rows = place.rows();
    match function.kind {
        WindowKind::RowNumber => field.fixed::<i64>()[row] = i64::from(place.at) + 1,
        WindowKind::Rank => field.fixed::<i64>()[row] = i64::from(place.peers.start) + 1,
        WindowKind::DenseRank => {
            let groups = (1..=place.at).filter(|&at| !place.are_peers(at - 1, at)).count();
            field.fixed::<i64>()[row] = groups as i64 + 1;
        }
        WindowKind::PercentRank => {
            field.fixed::<f64>()[row] =
                if rows == 1 { 0.0 } else { f64::from(place.peers.start) / f64::from(rows - 1) };
        }
        WindowKind::CumeDist => {
            field.fixed::<f64>()[row] = f64::from(place.peers.end) / f64::from(rows);
        }
        WindowKind::Ntile => match buckets(&place.columns[function.arguments[0]], place.row)? {
            Some(count) => {
                field.fixed::<i64>()[row] = bucket(i64::from(place.at), i64::from(rows), count);
            }
            None => field.set_null(row),
        },
        WindowKind::Lag | WindowKind::Lead => shifted(function, place, field, row)?,
        WindowKind::FirstValue | WindowKind::LastValue | WindowKind::NthValue => {
            let value = &place.columns[function.arguments[0]];
            match framed(function, place, frame) {
                Some(position) => field.copy(row, value, place.row_at(position)),
                None => field.set_null(row),
            }
        }
    }
    Ok(())
}

/// lag and lead: the value so many rows away, among the rows that count.
fn shifted(function: &Positional, place: &Place<'_>, field: &mut Output, row: usize) -> Result<()> {
    let [value, offset, default] = function.arguments[..] else {
        return Err(Error::internal("lag and lead take three arguments"));
    };
    let [value, offset, default] = [value, offset, default].map(|column| &place.columns[column]);
    if offset.is_null(place.row) {
        field.set_null(row);
        return Ok(());
    }
    let offset = offset.fixed::<i64>().get(place.row);
    let distance = if function.kind == WindowKind::Lead { offset } else { offset.saturating_neg() };
    let found = match function.ignore_nulls && distance != 0 {
        true => counted_away(place, value, distance),
        false => {
            let at = i64::from(place.at).saturating_add(distance);
            (0..i64::from(place.rows())).contains(&at).then_some(at as u32)
        }
    };
    match found {
        Some(position) => field.copy(row, value, place.row_at(position)),
        None => field.copy(row, default, place.row),
    }
    Ok(())
}

/// The position so many values that are not null ahead, or back where the distance is below 0.
fn counted_away(place: &Place<'_>, value: &View<'_>, distance: i64) -> Option<u32> {
    let counts = |position: &u32| value.is_valid(place.row_at(*position));
    let wanted = usize::try_from(distance.unsigned_abs() - 1).ok()?;
    match distance > 0 {
        true => (place.at + 1..place.rows()).filter(counts).nth(wanted),
        false => (0..place.at).rev().filter(counts).nth(wanted),
    }
}

/// first_value, last_value, nth_value: a position of the frame by its place.
fn framed(function: &Positional, place: &Place<'_>, frame: &Stretches) -> Option<u32> {
    let value = &place.columns[function.arguments[0]];
    let counts = |position: &u32| !function.ignore_nulls || value.is_valid(place.row_at(*position));
    let mut positions = frame.positions().filter(counts);
    match function.kind {
        WindowKind::FirstValue => positions.next(),
        WindowKind::LastValue => positions.next_back(),
        _ => {
            let wanted = &place.columns[*function.arguments.get(1)?];
            let number = wanted.is_valid(place.row).then(|| wanted.fixed::<i64>().get(place.row))?;
            positions.nth(usize::try_from(number.checked_sub(1)?).ok()?)
        }
    }
}

/// The aggregate of the rows of the frame, as the one row of the result of its space.
fn aggregate(
    aggregate: &Aggregate,
    place: &Place<'_>,
    frame: &Stretches,
    space: &mut CallSpace,
    bump: &Bump,
) -> Result<()> {
    let CallSpace { accumulator, distinct, result, kept, groups } = space;
    let call = &aggregate.call;
    result.prepare(1);
    let (rows, arguments) = counted(aggregate, place, frame, kept, bump);
    if let Some(table) = distinct {
        table.clear();
        if rows > 0 {
            table.assign(arguments, rows, Rows::All(rows), groups);
        }
        result.fixed::<i64>()[0] = table.len() as i64;
        return Ok(());
    }
    let held = match accumulator.take() {
        Some(mut held) => match held.clear() {
            true => held,
            false => (call.bound.make)(),
        },
        None => (call.bound.make)(),
    };
    let held = accumulator.insert(held);
    held.resize(1);
    if rows > 0 {
        groups.clear();
        groups.resize(rows, 0);
        held.update(arguments, Rows::All(rows), groups, 0)?;
    }
    Ok(held.finish(&[0], result)?)
}

/// How many rows of a frame an aggregate counts, and the columns of its arguments over these. Where they are no stretch of the rows
/// as they stand, they are listed in `kept`.
fn counted<'a>(
    aggregate: &Aggregate,
    place: &Place<'a>,
    frame: &Stretches,
    kept: &'a mut Vec<u32>,
    bump: &'a Bump,
) -> (usize, &'a [View<'a>]) {
    let call = &aggregate.call;
    let columns = call.arguments.iter().map(|&column| place.columns[column]);
    let strict = || call.arguments[..call.strict].iter().map(|&column| &place.columns[column]);
    let all_count = call.filter.is_none() && strict().all(|column| !column.may_be_null());
    if all_count
        && place.is_identity
        && let Some(stretch) = frame.single()
    {
        let part = |view: View<'a>| match view.is_constant() {
            true => Some(View { length: stretch.len(), ..view }),
            false => view.part(stretch.clone()),
        };
        if columns.clone().all(|view| part(view).is_some()) {
            let parts = bump.alloc_slice_fill_iter(columns.map(|view| part(view).unwrap_or(view)));
            return (stretch.len(), parts);
        }
    }
    let filter = call.filter.map(|column| &place.columns[column]);
    let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.boolean().get(row));
    let counts = |row: &usize| passes(*row) && strict().all(|column| column.is_valid(*row));
    kept.clear();
    kept.extend(frame.positions().map(|at| place.row_at(at)).filter(counts).map(|row| row as u32));
    let kept: &'a [u32] = kept;
    (kept.len(), bump.alloc_slice_fill_iter(columns.map(|view| at_positions(&view, kept))))
}

//! Throws away the rows that are not among the first of their partition, where only those are wanted. Every worker does
//! so for the rows it has: what is first among all rows is first among its own.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use bumpalo::Bump;
use hypostyle_functions::column::{Column, Output, borrow};

use super::arrange::Arrangement;
use super::frame::edges;
use super::local::{Kept, Ordinals, Part, StoredBatch, append};
use super::shape::WindowShape;
use crate::error::Result;
use crate::operator::filter::kept_rows;
use crate::plan::RowLimit;

/// Cuts what a worker keeps.
pub(super) fn cut(kept: &mut Kept, shape: &WindowShape, limit: RowLimit) -> Result<()> {
    let keep: Vec<Vec<bool>> =
        kept.parts.iter_mut().map(|part| cut_part(part, shape, limit)).collect::<Result<_>>()?;
    // Rows of each part that were seen, and that are left of them.
    let mut seen = vec![0usize; keep.len()];
    let mut left = vec![0u32; keep.len()];
    for morsel in &mut kept.morsels {
        morsel.starts.clone_from(&left);
        let mut batches = Vec::with_capacity(morsel.batches.len());
        for stored in std::mem::take(&mut morsel.batches) {
            let starts = left.clone();
            let rows: Vec<bool> = (0..stored.batch.rows)
                .map(|row| {
                    let part = stored.parts.get(row).copied().map_or(0, usize::from);
                    seen[part] += 1;
                    let keep = keep[part][seen[part] - 1];
                    left[part] += u32::from(keep);
                    keep
                })
                .collect();
            batches.extend(cut_batch(stored, starts, &rows)?);
        }
        morsel.batches = batches;
    }
    Ok(())
}

/// The rows of a batch that are kept, if there are any.
fn cut_batch(stored: StoredBatch, starts: Vec<u32>, keep: &[bool]) -> Result<Option<StoredBatch>> {
    let count = keep.iter().filter(|&&keep| keep).count();
    if count == 0 {
        return Ok(None);
    }
    if count == keep.len() {
        return Ok(Some(StoredBatch { starts, ..stored }));
    }
    let kept = |row: &usize| keep[*row];
    let ordinals = (0..keep.len()).filter(kept).map(|row| stored.ordinals.of(row)).collect();
    let parts = (0..stored.parts.len()).filter(kept).map(|row| stored.parts[row]).collect();
    let batch = kept_rows(&stored.batch, &BooleanBuffer::from(keep), count)?;
    Ok(Some(StoredBatch { batch, ordinals: Ordinals::Each(ordinals), parts, starts }))
}

/// Cuts a part; which of its rows were kept.
fn cut_part(part: &mut Part, shape: &WindowShape, limit: RowLimit) -> Result<Vec<bool>> {
    let rows = part.rows;
    let mut arrays: Vec<Option<ArrayRef>> = Vec::with_capacity(part.columns.len());
    for column in &mut part.columns {
        arrays.push(column.as_mut().map(Output::freeze).transpose()?);
    }
    let columns: Vec<Column> = arrays
        .iter()
        .zip(&shape.constants)
        .map(|(array, constant)| match (array, constant) {
            (Some(array), _) => Column::Flat(ArrayRef::clone(array)),
            (None, Some(value)) => Column::Constant { value: ArrayRef::clone(value), length: rows },
            (None, None) => Column::nulls(&hypostyle_functions::Type::Null, rows),
        })
        .collect();
    let arrangement = Arrangement::partitioned(shape, &columns, rows);
    let arrangement = match shape.orders.first() {
        Some(keys) => arrangement.refined(keys, &columns, &shape.column_types),
        None => arrangement,
    };
    let keep = first_rows(&arrangement, limit);
    let kept: Vec<u32> = (0..rows as u32).filter(|&row| keep[row as usize]).collect();
    let mut fresh = Part::new(shape);
    fresh.rows = kept.len();
    let bump = Bump::new();
    for ((column, array), data_type) in fresh.columns.iter_mut().zip(&arrays).zip(&shape.column_types) {
        if let (Some(column), Some(array)) = (column, array) {
            append(column, &borrow(array, data_type, &bump), &kept);
        }
    }
    *part = fresh;
    Ok(keep)
}

/// For each row, whether it is among the first of its partition.
fn first_rows(arrangement: &Arrangement, limit: RowLimit) -> Vec<bool> {
    let rows = usize::try_from(limit.rows).unwrap_or(usize::MAX);
    let starts = edges(&arrangement.partitions, false);
    let peers = if limit.with_ties { edges(&arrangement.peers, false) } else { Vec::new() };
    let mut keep = vec![false; arrangement.order.len()];
    for (position, &row) in arrangement.order.iter().enumerate() {
        let first = peers.get(position).map_or(position, |&first| first as usize);
        keep[row as usize] = first - (starts[position] as usize) < rows;
    }
    keep
}

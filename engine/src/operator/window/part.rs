//! Brings what several workers kept of a part together, in the order of the input.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use hypostyle_functions::column::{Column, Output};

use super::local::{Kept, Part, StoredMorsel};
use super::result::Morsels;
use super::shape::WindowShape;
use crate::error::Result;

/// The rows of one part: those of each worker, and where the rows of each morsel are among them.
pub(super) struct Gathering {
    workers: Vec<Part>,
    /// Worker and rows, in the order of the input.
    pieces: Vec<(usize, Range<usize>)>,
}

/// The parts of all workers, and their morsels in order, whose batches now start where the part's rows are.
pub(super) fn gather(kept: Vec<Kept>, parts: usize) -> (Morsels, Vec<Gathering>) {
    let mut gatherings: Vec<Gathering> =
        (0..parts).map(|_| Gathering { workers: Vec::new(), pieces: Vec::new() }).collect();
    let mut morsels: Vec<(usize, StoredMorsel, Vec<u32>)> = Vec::new();
    let mut reservations = Vec::new();
    for (worker, kept) in kept.into_iter().enumerate() {
        let mut ends: Vec<u32> = kept.parts.iter().map(|part| part.rows as u32).collect();
        for morsel in kept.morsels.into_iter().rev() {
            let starts = morsel.starts.clone();
            morsels.push((worker, morsel, std::mem::replace(&mut ends, starts)));
        }
        for (gathering, part) in gatherings.iter_mut().zip(kept.parts) {
            gathering.workers.push(part);
        }
        reservations.push(kept.reservation);
    }
    morsels.sort_by_key(|(_, morsel, _)| morsel.morsel);
    let mut running = vec![0u32; parts];
    let mut ordered = Vec::with_capacity(morsels.len());
    for (worker, mut morsel, ends) in morsels {
        for batch in &mut morsel.batches {
            for (part, start) in batch.starts.iter_mut().enumerate() {
                *start = *start - morsel.starts[part] + running[part];
            }
        }
        for (part, gathering) in gatherings.iter_mut().enumerate() {
            gathering.add(worker, morsel.starts[part] as usize..ends[part] as usize);
            running[part] += ends[part] - morsel.starts[part];
        }
        ordered.push(morsel);
    }
    (Morsels::new(ordered, reservations), gatherings)
}

impl Gathering {
    fn add(&mut self, worker: usize, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some((last, held)) if *last == worker && held.end == rows.start => held.end = rows.end,
            _ => self.pieces.push((worker, rows)),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.pieces.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// The evaluated columns.
    pub fn into_columns(self, shape: &WindowShape) -> Result<Vec<Column>> {
        let rows = self.rows();
        let Self { mut workers, pieces } = self;
        let mut columns = Vec::with_capacity(shape.column_types.len());
        for (position, constant) in shape.constants.iter().enumerate() {
            if let Some(value) = constant {
                columns.push(Column::Constant { value: Arc::clone(value), length: rows });
                continue;
            }
            let arrays: Vec<ArrayRef> = workers
                .iter_mut()
                .filter_map(|part| part.columns[position].as_mut().map(Output::freeze))
                .collect::<std::result::Result<_, _>>()?;
            let slices: Vec<ArrayRef> =
                pieces.iter().map(|(worker, rows)| arrays[*worker].slice(rows.start, rows.len())).collect();
            let parts: Vec<&dyn Array> = slices.iter().map(AsRef::as_ref).collect();
            columns.push(Column::Flat(match parts.as_slice() {
                [_] => Arc::clone(&slices[0]),
                parts => arrow_select::concat::concat(parts)?,
            }));
        }
        Ok(columns)
    }
}

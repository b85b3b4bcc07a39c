//! Gives batches out again, each row with its results.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::ArrayRef;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use super::local::{StoredBatch, StoredMorsel};
use super::shape::WindowShape;
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Reservation;
use crate::operator::sort::run::gather_column;
use crate::table::Reader;

/// The results of one part, a column per call, rows in the order of the input.
pub(super) type PartResults = Arc<Vec<ArrayRef>>;

/// The morsels that wait to be given out, in order.
pub(super) struct Morsels {
    waiting: VecDeque<StoredMorsel>,
    /// What the rows are charged to; given back with the last morsel.
    reservations: Arc<Vec<Reservation>>,
}

impl Morsels {
    pub fn new(morsels: Vec<StoredMorsel>, reservations: Vec<Reservation>) -> Self {
        Self { waiting: morsels.into(), reservations: Arc::new(reservations) }
    }

    /// The next morsel.
    pub fn claim(&mut self, shape: &Arc<WindowShape>, results: Vec<PartResults>) -> Option<Box<dyn Reader>> {
        let morsel = self.waiting.pop_front()?;
        Some(Box::new(MorselReader {
            batches: morsel.batches.into_iter(),
            types: shape.calls.iter().map(|call| call.result.clone()).collect(),
            results,
            _reservations: Arc::clone(&self.reservations),
        }))
    }
}

struct MorselReader {
    batches: std::vec::IntoIter<StoredBatch>,
    types: Vec<Type>,
    results: Vec<PartResults>,
    _reservations: Arc<Vec<Reservation>>,
}

impl Reader for MorselReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let Some(StoredBatch { mut batch, parts, mut starts, .. }) = self.batches.next() else {
            return Ok(None);
        };
        if parts.is_empty() {
            let (start, rows) = (starts[0] as usize, batch.rows);
            let results = self.results[0].iter();
            batch.columns.extend(results.map(|result| Column::Flat(result.slice(start, rows))));
            return Ok(Some(batch));
        }
        // The arrays of parts that have no rows are not there and not asked for.
        let used: Vec<usize> =
            (0..self.results.len()).filter(|&part| !self.results[part].is_empty()).collect();
        let mut place_of = vec![0; self.results.len()];
        used.iter().enumerate().for_each(|(place, &part)| place_of[part] = place);
        let places: Vec<(usize, usize)> = parts
            .iter()
            .map(|&part| {
                let row = &mut starts[usize::from(part)];
                *row += 1;
                (place_of[usize::from(part)], *row as usize - 1)
            })
            .collect();
        for (call, data_type) in self.types.iter().enumerate() {
            let arrays: Vec<ArrayRef> =
                used.iter().map(|&part| Arc::clone(&self.results[part][call])).collect();
            batch.columns.push(Column::Flat(gather_column(&arrays, &places, data_type)?));
        }
        Ok(Some(batch))
    }
}

//! Gives batches out again, each row with its results.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, Output, View, borrow};
use hypostyle_functions::types::Type;

use super::evaluate::Computed;
use super::local::{StoredBatch, StoredMorsel};
use super::shape::WindowShape;
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::Reservation;
use crate::operator::sort::run::gather_column;
use crate::operator::take_rows::take_fixed;
use crate::table::Reader;

/// The results of one part, one per call.
pub(super) type PartResults = Arc<Vec<Computed>>;

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
            shape: Arc::clone(shape),
            results,
            _reservations: Arc::clone(&self.reservations),
        }))
    }
}

struct MorselReader {
    batches: std::vec::IntoIter<StoredBatch>,
    shape: Arc<WindowShape>,
    results: Vec<PartResults>,
    _reservations: Arc<Vec<Reservation>>,
}

impl Reader for MorselReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let Some(StoredBatch { mut batch, mut parts, starts, .. }) = self.batches.next() else {
            return Ok(None);
        };
        if parts.is_empty() {
            parts = vec![0; batch.rows];
        }
        let mut of_orders: Vec<Option<Vec<u32>>> = vec![None; self.shape.orders.len()];
        for (position, call) in self.shape.calls.iter().enumerate() {
            let computed: Vec<Option<&Computed>> =
                self.results.iter().map(|results| results.get(position)).collect();
            let places =
                of_orders[call.order].get_or_insert_with(|| places(&computed, &parts, starts.clone()));
            batch.columns.push(Column::Flat(gather(&computed, &parts, places, &call.result)?));
        }
        Ok(Some(batch))
    }
}

/// For each row of a batch, the position of its result among those of its part.
fn places(computed: &[Option<&Computed>], parts: &[u8], mut next: Vec<u32>) -> Vec<u32> {
    let positions: Vec<Option<&[u32]>> = computed
        .iter()
        .map(|part| part.and_then(|part| part.positions.as_deref().map(Vec::as_slice)))
        .collect();
    let place = |&part: &u8| {
        let row = next[usize::from(part)];
        next[usize::from(part)] = row + 1;
        positions[usize::from(part)].map_or(row, |positions| positions[row as usize])
    };
    parts.iter().map(place).collect()
}

/// The values at these places of the parts of the rows.
fn gather(
    computed: &[Option<&Computed>],
    parts: &[u8],
    places: &[u32],
    data_type: &Type,
) -> Result<ArrayRef> {
    let is_there = |part: &Option<&Computed>| part.is_some_and(|part| !part.values.is_empty());
    if !data_type.is_fixed_width() {
        // The arrays of parts that have no rows are not there and not asked for.
        let used: Vec<usize> = (0..computed.len()).filter(|&part| is_there(&computed[part])).collect();
        let mut place_of = vec![0; computed.len()];
        used.iter().enumerate().for_each(|(place, &part)| place_of[part] = place);
        let arrays: Vec<ArrayRef> = computed
            .iter()
            .flatten()
            .map(|part| Arc::clone(&part.values))
            .filter(|array| !array.is_empty())
            .collect();
        let places: Vec<(usize, usize)> = parts
            .iter()
            .zip(places)
            .map(|(&part, &place)| (place_of[usize::from(part)], place as usize))
            .collect();
        return gather_column(&arrays, &places, data_type);
    }
    let bump = Bump::new();
    let views: Vec<Option<View<'_>>> = computed
        .iter()
        .map(|part| {
            part.filter(|part| is_there(&Some(part))).map(|part| borrow(&part.values, data_type, &bump))
        })
        .collect();
    let mut output = Output::new(data_type.clone());
    output.prepare(parts.len());
    let rows = parts.iter().zip(places).map(|(&part, &place)| (usize::from(part), place as usize));
    if !take_fixed(&mut output, &views, rows, true) {
        for (row, (&part, &place)) in parts.iter().zip(places).enumerate() {
            if let Some(view) = &views[usize::from(part)] {
                output.copy(row, view, place as usize);
            }
        }
    }
    Ok(output.freeze()?)
}

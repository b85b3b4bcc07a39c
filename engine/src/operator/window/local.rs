//! What one worker keeps: its batches as they came, and what the windows read of them, by part.

use std::sync::Arc;

use bumpalo::Bump;
use hypostyle_functions::column::{Column, Data, Output, View};

use super::WindowOperator;
use super::shape::WindowShape;
use crate::batch::Batch;
use crate::error::Result;
use crate::expression::Evaluator;
use crate::memory::{Keeper, Reservation};
use crate::operator::LocalSink;
use crate::operator::aggregate::partition_of;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::row_hash::hash_rows;

/// A batch that waits for its results.
pub(super) struct StoredBatch {
    pub batch: Batch,
    /// Part of each row; empty where there is only one.
    pub parts: Vec<u8>,
    /// Row of each part at which this batch starts.
    pub starts: Vec<u32>,
}

/// The batches of one morsel.
pub(super) struct StoredMorsel {
    pub morsel: u32,
    /// Row of each part at which this morsel starts.
    pub starts: Vec<u32>,
    pub batches: Vec<StoredBatch>,
}

/// Rows of a part: a column per evaluated expression that is not constant.
pub(super) struct Part {
    pub columns: Vec<Option<Output>>,
    pub rows: usize,
}

impl Part {
    fn new(shape: &WindowShape) -> Self {
        let columns = shape.column_types.iter().zip(&shape.constants);
        let column = |(data_type, constant): (&hypostyle_functions::Type, &Option<_>)| {
            constant.is_none().then(|| Output::copying(data_type.clone()))
        };
        Self { columns: columns.map(column).collect(), rows: 0 }
    }

    fn memory_bytes(&self) -> usize {
        self.columns.iter().flatten().map(Output::memory_bytes).sum()
    }
}

/// All that one worker kept.
pub(super) struct Kept {
    pub morsels: Vec<StoredMorsel>,
    pub parts: Vec<Part>,
    pub reservation: Reservation,
}

impl Kept {
    pub fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }
}

/// One worker's state.
pub(super) struct Local {
    window: Arc<WindowOperator>,
    evaluator: Evaluator,
    ordinals: OrdinalCounter,
    keeper: Keeper,
    kept: Kept,
    /// Bytes of the batches.
    batch_bytes: usize,
    hashes: Vec<u64>,
    /// Rows of the current batch by part.
    lists: Vec<Vec<u32>>,
}

impl Local {
    pub fn new(
        window: Arc<WindowOperator>,
        evaluator: Evaluator,
        ordinals: OrdinalCounter,
        reservation: Reservation,
    ) -> Self {
        let parts = (0..window.parts).map(|_| Part::new(&window.shape)).collect();
        let lists = vec![Vec::new(); window.parts];
        let kept = Kept { morsels: Vec::new(), parts, reservation };
        Self {
            window,
            evaluator,
            ordinals,
            keeper: Keeper::default(),
            kept,
            batch_bytes: 0,
            hashes: Vec::new(),
            lists,
        }
    }

    fn starts(&self) -> Vec<u32> {
        self.kept.parts.iter().map(|part| part.rows as u32).collect()
    }

    /// Sorts the rows of a batch into parts by the hash of their partition keys.
    fn split(&mut self, keys: &[View<'_>], rows: usize) -> Vec<u8> {
        if self.window.parts == 1 {
            return Vec::new();
        }
        hash_rows(keys, rows, 0, &mut self.hashes);
        self.lists.iter_mut().for_each(Vec::clear);
        let mut parts = Vec::with_capacity(rows);
        for (row, &hash) in self.hashes.iter().enumerate() {
            let part = partition_of(hash, 0);
            parts.push(part as u8);
            self.lists[part].push(row as u32);
        }
        parts
    }

    fn store(&mut self, batch: Batch, columns: &[Column]) {
        let bump = Bump::new();
        let shape = Arc::clone(&self.window.shape);
        let views: Vec<View<'_>> = columns
            .iter()
            .zip(&shape.column_types)
            .map(|(column, data_type)| column.view(data_type, &bump))
            .collect();
        let starts = self.starts();
        let rows = batch.rows;
        let parts = self.split(&views[..shape.partition_keys], rows);
        if self.kept.morsels.last().is_none_or(|last| last.morsel != batch.position.morsel) {
            let morsel = batch.position.morsel;
            self.kept.morsels.push(StoredMorsel { morsel, starts: starts.clone(), batches: Vec::new() });
        }
        for (part, list) in self.kept.parts.iter_mut().zip(&self.lists) {
            for (column, view) in part.columns.iter_mut().zip(&views) {
                let Some(column) = column else { continue };
                match parts.is_empty() {
                    true => column.push_range(view, 0..rows),
                    false => append(column, view, list),
                }
            }
            part.rows += if parts.is_empty() { rows } else { list.len() };
        }
        let (batch, bytes) = self.keeper.keep(batch);
        self.batch_bytes += bytes + parts.len() + starts.len() * 4;
        if let Some(morsel) = self.kept.morsels.last_mut() {
            morsel.batches.push(StoredBatch { batch, parts, starts });
        }
    }

    fn memory_bytes(&self) -> usize {
        self.batch_bytes + self.kept.parts.iter().map(Part::memory_bytes).sum::<usize>()
    }
}

impl LocalSink for Local {
    fn push(&mut self, batch: Batch) -> Result<()> {
        self.ordinals.next(&batch)?;
        let columns = self.evaluator.evaluate(&batch)?;
        self.store(batch, &columns);
        let bytes = self.memory_bytes();
        self.kept.reservation.resize(bytes)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.window.note_peak();
        let Self { window, kept, .. } = *self;
        window.lock().kept.push(kept);
        Ok(())
    }
}

/// Adds these rows of a view.
fn append(output: &mut Output, view: &View<'_>, rows: &[u32]) {
    let start = output.grow(rows.len());
    macro_rules! fixed {
        ($values:expr, $kind:ty) => {{
            let slots = &mut output.fixed::<$kind>()[start..];
            slots
                .iter_mut()
                .zip(rows)
                .for_each(|(slot, &row)| *slot = $values[view.value_index(row as usize)]);
        }};
    }
    // One arm expands to the loop over values of one Rust type.
    match view.data {
        Data::Int32(values) => fixed!(values, i32),
        Data::Int64(values) => fixed!(values, i64),
        Data::Float32(values) => fixed!(values, f32),
        Data::Float64(values) => fixed!(values, f64),
        Data::Int128(values) => fixed!(values, i128),
        _ => {
            rows.iter().enumerate().for_each(|(at, &row)| output.copy(start + at, view, row as usize));
            return;
        }
    }
    if view.may_be_null() {
        let nulls = rows.iter().enumerate().filter(|(_, row)| view.is_null(**row as usize));
        nulls.for_each(|(at, _)| output.set_null(start + at));
    }
}

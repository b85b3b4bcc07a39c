//! What one worker keeps: its batches as they came, and what the windows read of them, by part.

use std::sync::Arc;

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions::column::{Column, Data, Output, View};

use super::WindowOperator;
use super::first_rows::{FirstRows, Left};
use super::shape::WindowShape;
use crate::batch::Batch;
use crate::error::Result;
use crate::expression::Evaluator;
use crate::memory::{Keeper, Reservation, used_bytes_of};
use crate::operator::LocalSink;
use crate::operator::aggregate::partition_of;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::row_hash::hash_rows;

/// What is kept is never given up below this size: the rows would be too few for their files.
const KEPT_BYTES_MIN: usize = 1 << 20;

/// Where only the first rows of partitions are wanted, the others are thrown away once this many times the rows that
/// were left the last time are kept, ...
const CUT_GROWTH: usize = 3;

/// ... and at least so many.
const CUT_ROWS_MIN: usize = 1 << 14;

/// A batch that waits for its results.
pub(super) struct StoredBatch {
    pub batch: Batch,
    /// Ordinals of its rows.
    pub ordinals: Ordinals,
    /// Part of each row; empty where there is only one.
    pub parts: Vec<u8>,
    /// Row of each part at which this batch starts.
    pub starts: Vec<u32>,
}

/// Places of a batch's rows in the order of the input.
#[derive(Clone)]
pub(super) enum Ordinals {
    /// One after the other from this one.
    From(u64),
    /// One each: some rows were thrown away.
    Each(Vec<u64>),
}

impl Ordinals {
    pub fn of(&self, row: usize) -> u64 {
        match self {
            Self::From(first) => first + row as u64,
            Self::Each(ordinals) => ordinals[row],
        }
    }
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
    pub fn new(shape: &WindowShape) -> Self {
        let columns = shape.column_types.iter().zip(&shape.constants);
        let column = |(data_type, constant): (&hypostyle_functions::Type, &Option<_>)| {
            constant.is_none().then(|| Output::copying(data_type.clone()))
        };
        Self { columns: columns.map(column).collect(), rows: 0 }
    }

    pub fn memory_bytes(&self) -> usize {
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

    /// Bytes of the batches.
    fn batch_bytes(&self) -> usize {
        let batches = self.morsels.iter().flat_map(|morsel| &morsel.batches);
        batches
            .map(|stored| used_bytes_of(&stored.batch) + stored.parts.len() + stored.starts.len() * 4)
            .sum()
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
    /// Rows that were left when rows were last thrown away.
    rows_after_cut: usize,
    /// Rows that have not taken the way of the others yet, since most of them will not have to.
    first_rows: Option<FirstRows>,
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
        let first_rows = FirstRows::of(&window.shape, evaluator.set().sources(), &window.blanks);
        Self {
            window,
            evaluator,
            ordinals,
            keeper: Keeper::default(),
            kept,
            batch_bytes: 0,
            hashes: Vec::new(),
            lists,
            rows_after_cut: 0,
            first_rows,
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

    fn store(&mut self, mut batch: Batch, ordinals: Ordinals, columns: &[Column]) {
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
        blank(&mut batch, &self.window.blanks);
        let (batch, bytes) = self.keeper.keep(batch);
        self.batch_bytes += bytes + parts.len() + starts.len() * 4;
        if let Some(morsel) = self.kept.morsels.last_mut() {
            morsel.batches.push(StoredBatch { batch, ordinals, parts, starts });
        }
    }

    /// Sends everything to the files.
    fn give_up(&mut self) -> Result<()> {
        let fresh = (0..self.window.parts).map(|_| Part::new(&self.window.shape)).collect();
        let parts = std::mem::replace(&mut self.kept.parts, fresh);
        self.window.spill(std::mem::take(&mut self.kept.morsels), parts)?;
        self.keeper = Keeper::default();
        self.batch_bytes = 0;
        self.rows_after_cut = 0;
        self.kept.reservation.force(0);
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        let first = self.first_rows.as_ref().map_or(0, FirstRows::memory_bytes);
        first + self.batch_bytes + self.kept.parts.iter().map(Part::memory_bytes).sum::<usize>()
    }

    /// Rows that come from here on take the usual way, and so do those that were first so far.
    fn leave_first_rows(&mut self) -> Result<()> {
        let Some(first) = self.first_rows.take() else { return Ok(()) };
        for Left { batch, columns, ordinals } in first.into_rows()? {
            self.store(batch, ordinals, &columns);
        }
        Ok(())
    }

    /// Throws rows away that cannot be among the first of their partitions, once there are many.
    fn cut(&mut self) -> Result<()> {
        if let Some(limit) = self.window.shape.limit
            && self.kept.rows() >= self.rows_after_cut.saturating_mul(CUT_GROWTH).max(CUT_ROWS_MIN)
        {
            super::cut::cut(&mut self.kept, &self.window.shape, limit)?;
            self.rows_after_cut = self.kept.rows();
            self.batch_bytes = self.kept.batch_bytes();
        }
        Ok(())
    }
}

impl LocalSink for Local {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let ordinal = self.ordinals.next(&batch)?;
        let columns = self.evaluator.evaluate(&batch)?;
        let types = &self.window.shape.column_types;
        let is_taken = match &mut self.first_rows {
            Some(first) => first.add(&batch, ordinal, &columns, types)?,
            None => false,
        };
        if !is_taken {
            self.leave_first_rows()?;
            self.store(batch, Ordinals::From(ordinal), &columns);
        } else if self.first_rows.as_ref().is_some_and(|first| !first.is_worth_it()) {
            self.leave_first_rows()?;
        }
        self.cut()?;
        let mut bytes = self.memory_bytes();
        let asked = self.window.account.take_spill_request();
        if !asked && self.kept.reservation.try_resize(bytes) {
            return Ok(());
        }
        if self.first_rows.is_some() {
            self.leave_first_rows()?;
            bytes = self.memory_bytes();
        }
        if bytes <= KEPT_BYTES_MIN {
            self.kept.reservation.force(bytes);
            return Ok(());
        }
        self.give_up()
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.leave_first_rows()?;
        let bytes = self.memory_bytes();
        self.kept.reservation.force(bytes);
        self.window.note_peak();
        let Self { window, kept, .. } = *self;
        window.lock().kept.push(kept);
        Ok(())
    }
}

/// Puts the nulls that stand for columns in their place.
pub(super) fn blank(batch: &mut Batch, blanks: &[Option<ArrayRef>]) {
    for (column, blank) in batch.columns.iter_mut().zip(blanks) {
        if let Some(blank) = blank {
            *column = Column::Constant { value: Arc::clone(blank), length: batch.rows };
        }
    }
}

/// Adds these rows of a view.
pub(super) fn append(output: &mut Output, view: &View<'_>, rows: &[u32]) {
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

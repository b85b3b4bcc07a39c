//! Finds the build rows for a batch of probe rows, a batch of pairs at a time.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, UInt32Array};
use bumpalo::Bump;
use hypostyle_functions::column::{self, Column, Data, View};
use hypostyle_functions::kernel::prefetch::{DISTANCE, prefetch};

use super::index::{HashIndex, Index};
use super::outcome::take_left;
use super::table::{JoinTable, all_can_match, can_match};
use super::{JoinShape, Mark};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::Evaluator;
use crate::operator::RunContext;
use crate::operator::row_hash::hash_rows;

/// One worker's search for matches.
pub(super) struct Matcher {
    pub(super) shape: Arc<JoinShape>,
    pub(super) residual: Option<Evaluator>,
    pub(super) batch_rows: usize,
    pending: Option<Pending>,
    pub(super) hashes: Vec<u64>,
    /// Buffers of [`Pending`] between batches.
    starts: Vec<u32>,
    ends: Vec<u32>,
    /// Pairs under construction: probe rows and build rows.
    pub(super) left: Vec<u32>,
    pub(super) right: Vec<u32>,
}

/// A probe batch whose pairs have not all been given.
pub(super) struct Pending {
    pub(super) batch: Batch,
    pub(super) keys: Vec<Column>,
    /// First candidate of each row and the end of its candidates: build rows, slots of the index, or for an index by value
    /// the first row, from 1 on, and 0 for none.
    starts: Vec<u32>,
    ends: Vec<u32>,
    /// The row whose candidates come next, and the next of them.
    pub(super) row: usize,
    candidate: u32,
    /// Whether that row has had a match.
    pub(super) has_match: bool,
    /// What is known of each row so far, for the kinds that give rows of the left side only; else empty.
    pub(super) marks: Vec<Mark>,
}

impl Matcher {
    pub fn new(shape: &Arc<JoinShape>, run: &RunContext) -> Result<Self> {
        let residual = shape
            .residual
            .as_ref()
            .map(|set| Evaluator::new(Arc::clone(set), &run.parameters))
            .transpose()?;
        Ok(Self {
            shape: Arc::clone(shape),
            residual,
            batch_rows: run.batch_rows(),
            pending: None,
            hashes: Vec::new(),
            starts: Vec::new(),
            ends: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
        })
    }

    /// Starts on a batch; `keys` are its key columns.
    pub fn begin(&mut self, table: &JoinTable, batch: Batch, keys: Vec<Column>) {
        let bump = Bump::new();
        let views: Vec<View<'_>> = keys
            .iter()
            .zip(&self.shape.key_types)
            .map(|(key, data_type)| key.view(data_type, &bump))
            .collect();
        let rows = batch.rows;
        let (mut starts, mut ends) = (std::mem::take(&mut self.starts), std::mem::take(&mut self.ends));
        match &table.index {
            Index::All => {
                starts.clear();
                ends.clear();
                starts.resize(rows, 0);
                ends.resize(rows, table.rows as u32);
            }
            Index::Hashed(index) => {
                hash_rows(&views, rows, 0, &mut self.hashes);
                index.look_up(&self.hashes, &mut starts, &mut ends);
            }
            Index::Dense(index) => {
                ends.clear();
                index.look_up(&views[0], rows, &mut starts);
            }
        }
        if !all_can_match(&views, &self.shape.nulls_match) {
            for (row, start) in starts.iter_mut().enumerate() {
                if !can_match(&views, &self.shape.nulls_match, row) {
                    *start = 0;
                    if let Some(end) = ends.get_mut(row) {
                        *end = 0;
                    }
                }
            }
        }
        let candidate = starts.first().copied().unwrap_or(0);
        let has_marks = !self.shape.gives_pairs() && !self.shape.gives_right_rows();
        drop(views);
        self.pending = Some(Pending {
            batch,
            keys,
            starts,
            ends,
            row: 0,
            candidate,
            has_match: false,
            marks: if has_marks { vec![Mark::False; rows] } else { Vec::new() },
        });
    }

    /// The next rows of the batch, and whether more may follow; `None` when nothing is left.
    pub fn next(&mut self, table: &JoinTable) -> Result<Option<(Batch, bool)>> {
        while let Some(mut pending) = self.pending.take() {
            let first_row = pending.row;
            self.gather_candidates(table, &mut pending);
            if self.shape.gives_right_rows() {
                // Another match of a row adds nothing.
                retain_pairs(&mut self.left, &mut self.right, |_, row| !table.is_matched(row as u32));
            }
            self.keep_equal(table, &pending);
            self.keep_accepted(table, &mut pending)?;
            table.note_matches(&self.right);
            let is_done = pending.row == pending.batch.rows;
            let output = self.outcome(table, &mut pending, first_row)?;
            let more = !is_done;
            if more {
                self.pending = Some(pending);
            } else {
                (self.starts, self.ends) = (pending.starts, pending.ends);
            }
            if let Some(batch) = output {
                return Ok(Some((batch, more)));
            }
        }
        Ok(None)
    }

    /// The probe rows of the pairs that the last step found.
    pub fn matched_rows(&self) -> &[u32] {
        &self.left
    }

    /// Forgets a batch in the middle.
    pub fn clear(&mut self) {
        self.pending = None;
    }

    /// Collects candidate pairs until a batch of them is full or the probe rows end. Rows without candidates count too,
    /// since outer joins give them out.
    fn gather_candidates(&mut self, table: &JoinTable, pending: &mut Pending) {
        self.left.clear();
        self.right.clear();
        let limit = (pending.row + self.batch_rows).min(pending.batch.rows);
        match &table.index {
            Index::All if table.rows == 1 && pending.marks.is_empty() => self.gather_single(pending, limit),
            Index::All => self.gather_all(pending, limit),
            Index::Hashed(index) => self.gather_slots(index, pending, limit),
            Index::Dense(index) if index.links.is_empty() => self.gather_unique(pending, limit),
            Index::Dense(index) => self.gather_chains(&index.links, pending, limit),
        }
    }

    /// Goes on with the next probe row.
    fn advance(pending: &mut Pending) {
        pending.row += 1;
        pending.candidate = pending.starts.get(pending.row).copied().unwrap_or(0);
    }

    /// True for a row of which everything is known that the kind asks for.
    fn is_settled(pending: &Pending) -> bool {
        pending.marks.get(pending.row) == Some(&Mark::True)
    }

    /// Each row with the only one of the table, as the value of a scalar subquery is.
    fn gather_single(&mut self, pending: &mut Pending, limit: usize) {
        self.left.extend(pending.row as u32..limit as u32);
        self.right.resize(self.left.len(), 0);
        (pending.row, pending.candidate) = (limit, 0);
    }

    fn gather_all(&mut self, pending: &mut Pending, limit: usize) {
        while pending.row < limit {
            let (row, start) = (pending.row as u32, pending.candidate);
            let end = if Self::is_settled(pending) { start } else { pending.ends[pending.row] };
            let room = self.batch_rows.saturating_sub(self.left.len()) as u32;
            let stop = end.min(start.saturating_add(room));
            self.left.extend((start..stop).map(|_| row));
            self.right.extend(start..stop);
            if stop < end {
                pending.candidate = stop;
                return;
            }
            Self::advance(pending);
        }
    }

    fn gather_slots(&mut self, index: &HashIndex, pending: &mut Pending, limit: usize) {
        while pending.row < limit {
            let (row, hash) = (pending.row, self.hashes[pending.row]);
            if let (Some(&ahead), Some(&hash)) =
                (pending.starts.get(row + DISTANCE / 2), self.hashes.get(row + DISTANCE / 2))
            {
                prefetch(&index.part(hash).slots, ahead as usize);
            }
            let end = if Self::is_settled(pending) { pending.candidate } else { pending.ends[row] };
            let slots = &index.part(hash).slots;
            while pending.candidate < end {
                if self.left.len() >= self.batch_rows {
                    return;
                }
                let slot = slots[pending.candidate as usize];
                pending.candidate += 1;
                if slot >> 32 == hash & u64::from(u32::MAX) {
                    self.left.push(row as u32);
                    self.right.push(slot as u32);
                }
            }
            Self::advance(pending);
        }
    }

    /// One row at most for each probe row.
    fn gather_unique(&mut self, pending: &mut Pending, limit: usize) {
        let first = pending.row;
        self.left.resize(limit - first, 0);
        self.right.resize(limit - first, 0);
        let mut pairs = 0;
        for (row, &head) in pending.starts[first..limit].iter().enumerate() {
            self.left[pairs] = (first + row) as u32;
            self.right[pairs] = head.wrapping_sub(1);
            pairs += usize::from(head != 0);
        }
        self.left.truncate(pairs);
        self.right.truncate(pairs);
        pending.row = limit;
    }

    fn gather_chains(&mut self, links: &[u32], pending: &mut Pending, limit: usize) {
        while pending.row < limit {
            if Self::is_settled(pending) {
                pending.candidate = 0;
            }
            while pending.candidate != 0 {
                if self.left.len() >= self.batch_rows {
                    return;
                }
                let build_row = pending.candidate - 1;
                self.left.push(pending.row as u32);
                self.right.push(build_row);
                pending.candidate = links[build_row as usize];
            }
            Self::advance(pending);
        }
    }

    /// Drops the pairs whose keys differ.
    fn keep_equal(&mut self, table: &JoinTable, pending: &Pending) {
        if !matches!(table.index, Index::Hashed(_)) || self.left.is_empty() {
            return;
        }
        let bump = Bump::new();
        let build = table.key_views(&self.shape, &bump);
        for ((key, data_type), build_key) in pending.keys.iter().zip(&self.shape.key_types).zip(&build) {
            let probe_key = key.view(data_type, &bump);
            keep_equal_pairs(&probe_key, build_key, &mut self.left, &mut self.right);
        }
    }

    /// Drops the pairs that the condition does not accept.
    fn keep_accepted(&mut self, table: &JoinTable, pending: &mut Pending) -> Result<()> {
        if self.residual.is_none() || self.left.is_empty() {
            return Ok(());
        }
        let pairs = self.condition_input(table, pending)?;
        let Some(residual) = &mut self.residual else { return Ok(()) };
        if self.shape.asks_for_unknown() {
            let verdicts = truths(residual, &pairs)?;
            for (place, &row) in self.left.iter().enumerate() {
                if verdicts.is_null(place) {
                    let mark = &mut pending.marks[row as usize];
                    *mark = (*mark).max(Mark::Unknown);
                }
            }
            let accepted = |place: usize| verdicts.is_valid(place) && verdicts.value(place);
            self.keep_pairs(accepted);
            return Ok(());
        }
        let keep = residual.select(&pairs)?;
        if keep.count() < self.left.len() {
            self.keep_pairs(|place| keep.bits().value(place));
        }
        Ok(())
    }

    /// Keeps the pairs at the places for which `keep` is true.
    fn keep_pairs(&mut self, keep: impl Fn(usize) -> bool) {
        let mut kept = 0;
        for place in 0..self.left.len() {
            (self.left[kept], self.right[kept]) = (self.left[place], self.right[place]);
            kept += usize::from(keep(place));
        }
        self.left.truncate(kept);
        self.right.truncate(kept);
    }

    /// The columns of both sides at the pairs under construction, as the condition reads them.
    pub(super) fn condition_input(&self, table: &JoinTable, pending: &Pending) -> Result<Batch> {
        let mut columns = take_left(&pending.batch, &self.left)?;
        columns.truncate(self.shape.left_types.len() - usize::from(self.shape.has_ordinals));
        columns.extend(table.take(&self.shape, &UInt32Array::from(self.right.clone()))?);
        columns.truncate(columns.len() - usize::from(self.shape.has_ordinals));
        Ok(Batch::new(columns, self.left.len()).at(pending.batch.position))
    }
}

/// The truth value of a condition for each row.
pub(super) fn truths(condition: &mut Evaluator, batch: &Batch) -> Result<BooleanArray> {
    let mut columns = condition.evaluate(batch)?;
    let column = columns.pop().ok_or_else(|| Error::internal("a condition without a value"))?;
    Ok(column.to_array()?.as_boolean().clone())
}

/// Keeps the pairs whose values are equal; null equals null here, since rows that cannot match have no candidates.
fn keep_equal_pairs(probe: &View<'_>, build: &View<'_>, left: &mut Vec<u32>, right: &mut Vec<u32>) {
    macro_rules! keep_fixed {
        ($probe:expr, $build:expr) => {
            keep_pairs(probe, build, left, right, |index, row| $probe[index] == $build[row])
        };
    }
    // One arm expands to a comparison loop over slices of one type.
    match (probe.data, build.data) {
        (Data::Int8(a), Data::Int8(b)) => keep_fixed!(a, b),
        (Data::Int16(a), Data::Int16(b)) => keep_fixed!(a, b),
        (Data::Int32(a), Data::Int32(b)) => keep_fixed!(a, b),
        (Data::Int64(a), Data::Int64(b)) => keep_fixed!(a, b),
        (Data::UInt8(a), Data::UInt8(b)) => keep_fixed!(a, b),
        (Data::UInt16(a), Data::UInt16(b)) => keep_fixed!(a, b),
        (Data::UInt32(a), Data::UInt32(b)) => keep_fixed!(a, b),
        (Data::UInt64(a), Data::UInt64(b)) => keep_fixed!(a, b),
        (Data::Int128(a), Data::Int128(b)) => keep_fixed!(a, b),
        (Data::Bytes(a), Data::Bytes(b)) => keep_pairs(probe, build, left, right, |index, row| {
            let (x, y) = (a.views[index], b.views[row]);
            if x as u32 <= 12 { x == y } else { x as u64 == y as u64 && a.get(index) == b.get(row) }
        }),
        _ => retain_pairs(left, right, |probe_row, build_row| {
            column::equal(probe, probe_row, build, build_row)
        }),
    }
}

fn keep_pairs(
    probe: &View<'_>,
    build: &View<'_>,
    left: &mut Vec<u32>,
    right: &mut Vec<u32>,
    same: impl Fn(usize, usize) -> bool,
) {
    if !probe.may_be_null() && !build.may_be_null() {
        return retain_pairs(left, right, |probe_row, row| same(probe.value_index(probe_row), row));
    }
    retain_pairs(left, right, |probe_row, row| match (probe.is_valid(probe_row), build.is_valid(row)) {
        (true, true) => same(probe.value_index(probe_row), row),
        (false, false) => true,
        _ => false,
    });
}

#[inline(always)]
fn retain_pairs(left: &mut Vec<u32>, right: &mut Vec<u32>, keep: impl Fn(usize, usize) -> bool) {
    let mut kept = 0;
    for place in 0..left.len() {
        let (probe_row, build_row) = (left[place], right[place]);
        left[kept] = probe_row;
        right[kept] = build_row;
        kept += usize::from(keep(probe_row as usize, build_row as usize));
    }
    left.truncate(kept);
    right.truncate(kept);
}

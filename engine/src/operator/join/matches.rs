//! Finds the build rows for a batch of probe rows, a batch of pairs at a time.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, UInt32Array};
use bumpalo::Bump;
use hypostyle_functions::column::{self, Column, Data, View};

use super::outcome::take_left;
use super::table::{Index, JoinTable, all_can_match, can_match, integer_at};
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
    /// Pairs under construction: probe rows and build rows.
    pub(super) left: Vec<u32>,
    pub(super) right: Vec<u32>,
}

/// A probe batch whose pairs have not all been given.
pub(super) struct Pending {
    pub(super) batch: Batch,
    pub(super) keys: Vec<Column>,
    /// First candidate of each row; 0 for none.
    heads: Vec<u32>,
    tags: Vec<u32>,
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
        let (mut heads, mut tags) = (vec![0u32; rows], Vec::new());
        match &table.index {
            Index::All => heads.fill(u32::from(table.rows > 0)),
            Index::Hashed { heads: table_heads, .. } => {
                hash_rows(&views, rows, 0, &mut self.hashes);
                let mask = table_heads.len() - 1;
                for (head, &hash) in heads.iter_mut().zip(&self.hashes) {
                    *head = table_heads[hash as usize & mask];
                }
                tags.extend(self.hashes.iter().map(|&hash| (hash >> 32) as u32));
            }
            Index::Dense { least, heads: table_heads, .. } => {
                dense_heads(&views[0], *least, table_heads, &mut heads)
            }
        }
        if !all_can_match(&views, &self.shape.nulls_match) {
            for (row, head) in heads.iter_mut().enumerate() {
                if *head != 0 && !can_match(&views, &self.shape.nulls_match, row) {
                    *head = 0;
                }
            }
        }
        let candidate = heads.first().copied().unwrap_or(0);
        drop(views);
        self.pending = Some(Pending {
            batch,
            keys,
            heads,
            tags,
            row: 0,
            candidate,
            has_match: false,
            marks: if self.shape.gives_pairs() { Vec::new() } else { vec![Mark::False; rows] },
        });
    }

    /// The next rows of the batch, and whether more may follow; `None` when nothing is left.
    pub fn next(&mut self, table: &JoinTable) -> Result<Option<(Batch, bool)>> {
        while let Some(mut pending) = self.pending.take() {
            let first_row = pending.row;
            self.gather_candidates(table, &mut pending);
            self.keep_equal(table, &pending);
            self.keep_accepted(table, &mut pending)?;
            table.note_matches(&self.right);
            let is_done = pending.row == pending.batch.rows;
            let output = self.outcome(table, &mut pending, first_row)?;
            let more = !is_done;
            if more {
                self.pending = Some(pending);
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

    /// Collects candidate pairs until a batch of them is full or the probe rows end.
    fn gather_candidates(&mut self, table: &JoinTable, pending: &mut Pending) {
        self.left.clear();
        self.right.clear();
        let rows = pending.batch.rows;
        // Rows without candidates count too, since outer joins give them out.
        let row_limit = (pending.row + self.batch_rows).min(rows);
        while pending.row < row_limit {
            let (row, mut candidate) = (pending.row as u32, pending.candidate);
            if pending.marks.get(pending.row) == Some(&Mark::True) {
                candidate = 0;
            }
            while candidate != 0 && self.left.len() < self.batch_rows {
                let build_row = candidate - 1;
                candidate = match &table.index {
                    Index::All => {
                        self.left.push(row);
                        self.right.push(build_row);
                        if (candidate as usize) < table.rows { candidate + 1 } else { 0 }
                    }
                    Index::Hashed { links, .. } => {
                        let link = links[build_row as usize];
                        if (link >> 32) as u32 == pending.tags[row as usize] {
                            self.left.push(row);
                            self.right.push(build_row);
                        }
                        link as u32
                    }
                    Index::Dense { links, .. } => {
                        self.left.push(row);
                        self.right.push(build_row);
                        links[build_row as usize]
                    }
                };
            }
            if candidate != 0 {
                pending.candidate = candidate;
                return;
            }
            pending.row += 1;
            pending.candidate = pending.heads.get(pending.row).copied().unwrap_or(0);
        }
    }

    /// Drops the pairs whose keys differ.
    fn keep_equal(&mut self, table: &JoinTable, pending: &Pending) {
        if !matches!(table.index, Index::Hashed { .. }) || self.left.is_empty() {
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

fn dense_heads(key: &View<'_>, least: i128, table_heads: &[u32], heads: &mut [u32]) {
    macro_rules! look_up {
        ($values:expr) => {
            for (row, head) in heads.iter_mut().enumerate() {
                let place = i128::from($values[key.value_index(row)]) - least;
                *head = usize::try_from(place)
                    .ok()
                    .and_then(|place| table_heads.get(place))
                    .copied()
                    .unwrap_or(0);
            }
        };
    }
    // One arm expands to a loop over the values of one integer type.
    match &key.data {
        Data::Int64(values) => look_up!(values),
        Data::Int32(values) => look_up!(values),
        other => {
            for (row, head) in heads.iter_mut().enumerate() {
                let place = integer_at(other, key.value_index(row)).map(|value| value - least);
                *head = place
                    .and_then(|place| usize::try_from(place).ok())
                    .and_then(|place| table_heads.get(place))
                    .copied()
                    .unwrap_or(0);
            }
        }
    }
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

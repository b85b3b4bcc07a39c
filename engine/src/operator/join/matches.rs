//! Finds the build rows for a batch of probe rows, a batch of pairs at a time, and makes rows of them.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::array::UInt32Array;
use bumpalo::Bump;
use hypostyle_functions::column::{self, Column, Data, View};

use super::JoinShape;
use super::table::{Index, JoinTable, all_can_match, can_match, integer_at};
use crate::batch::Batch;
use crate::error::Result;
use crate::expression::Evaluator;
use crate::operator::RunContext;
use crate::operator::row_hash::hash_rows;
use crate::plan::JoinKind;

/// One worker's search for matches.
pub(super) struct Matcher {
    shape: Arc<JoinShape>,
    residual: Option<Evaluator>,
    batch_rows: usize,
    pending: Option<Pending>,
    hashes: Vec<u64>,
    /// Pairs under construction: probe rows and build rows.
    left: Vec<u32>,
    right: Vec<u32>,
}

/// A probe batch whose pairs have not all been given.
struct Pending {
    batch: Batch,
    keys: Vec<Column>,
    /// First candidate of each row; 0 for none.
    heads: Vec<u32>,
    tags: Vec<u32>,
    /// The row whose candidates come next, and the next of them.
    row: usize,
    candidate: u32,
    /// Whether that row has had a match.
    has_match: bool,
    /// Rows decided so far, for the kinds that give rows of the left side only.
    decided: Vec<bool>,
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
            decided: Vec::new(),
        });
    }

    /// The next rows of the batch, and whether more may follow; `None` when nothing is left.
    pub fn next(&mut self, table: &JoinTable) -> Result<Option<(Batch, bool)>> {
        while let Some(mut pending) = self.pending.take() {
            let first_row = pending.row;
            self.gather_candidates(table, &mut pending);
            self.keep_equal(table, &pending);
            self.keep_accepted(table, &pending)?;
            table.note_matches(&self.right);
            let is_done = pending.row == pending.batch.rows;
            let output = self.output(table, &mut pending, first_row)?;
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
    fn keep_accepted(&mut self, table: &JoinTable, pending: &Pending) -> Result<()> {
        let Some(residual) = &mut self.residual else { return Ok(()) };
        if self.left.is_empty() {
            return Ok(());
        }
        let mut columns = take_left(&pending.batch, &self.left)?;
        columns.truncate(self.shape.left_types.len() - usize::from(self.shape.has_ordinals));
        columns.extend(table.take(&self.shape, &UInt32Array::from(self.right.clone()))?);
        columns.truncate(columns.len() - usize::from(self.shape.has_ordinals));
        let keep = residual.select(&Batch::new(columns, self.left.len()).at(pending.batch.position))?;
        if keep.count() < self.left.len() {
            let mut accepted = keep.bits().iter();
            self.left.retain(|_| accepted.next().unwrap_or(false));
            let mut accepted = keep.bits().iter();
            self.right.retain(|_| accepted.next().unwrap_or(false));
        }
        Ok(())
    }

    /// Makes rows of the pairs of probe rows from `first_row` on.
    fn output(
        &mut self,
        table: &JoinTable,
        pending: &mut Pending,
        first_row: usize,
    ) -> Result<Option<Batch>> {
        match self.shape.kind {
            JoinKind::Inner | JoinKind::Right => self.pairs(table, pending, None),
            JoinKind::Left | JoinKind::Full => {
                let (left, right) = self.with_unmatched(pending, first_row);
                self.left = left;
                self.pairs(table, pending, Some(right))
            }
            _ => self.left_rows(table, pending),
        }
    }

    fn pairs(
        &self,
        table: &JoinTable,
        pending: &Pending,
        right: Option<UInt32Array>,
    ) -> Result<Option<Batch>> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let mut columns = take_left(&pending.batch, &self.left)?;
        let right = right.unwrap_or_else(|| UInt32Array::from(self.right.clone()));
        columns.extend(table.take(&self.shape, &right)?);
        Ok(Some(Batch::new(columns, self.left.len()).at(pending.batch.position)))
    }

    /// The pairs, and each complete row without one paired with null, in the order of the probe rows.
    fn with_unmatched(&self, pending: &mut Pending, first_row: usize) -> (Vec<u32>, UInt32Array) {
        let mut left = Vec::with_capacity(self.left.len() + pending.row - first_row);
        let mut right: Vec<Option<u32>> = Vec::with_capacity(left.capacity());
        let mut pair = 0;
        let mut has_match = pending.has_match;
        for row in first_row as u32..pending.row as u32 {
            while self.left.get(pair) == Some(&row) {
                left.push(row);
                right.push(Some(self.right[pair]));
                pair += 1;
                has_match = true;
            }
            if !std::mem::take(&mut has_match) {
                left.push(row);
                right.push(None);
            }
        }
        // What is left belongs to the row whose candidates go on in the next step.
        pending.has_match = has_match || pair < self.left.len();
        left.extend_from_slice(&self.left[pair..]);
        right.extend(self.right[pair..].iter().map(|&row| Some(row)));
        (left, UInt32Array::from(right))
    }

    /// For the kinds that give rows of the left side: decides the complete rows, and gives all at the end of the batch.
    fn left_rows(&self, table: &JoinTable, pending: &mut Pending) -> Result<Option<Batch>> {
        if pending.decided.is_empty() {
            pending.decided = vec![false; pending.batch.rows];
        }
        self.left.iter().for_each(|&row| pending.decided[row as usize] = true);
        if pending.row < pending.batch.rows {
            return Ok(None);
        }
        let batch = &pending.batch;
        let bump = Bump::new();
        let keys: Vec<View<'_>> = pending
            .keys
            .iter()
            .zip(&self.shape.key_types)
            .map(|(key, data_type)| key.view(data_type, &bump))
            .collect();
        let has_null = |row: usize| !can_match(&keys, &self.shape.nulls_match, row);
        if self.shape.kind == JoinKind::LeftMark {
            let marks: BooleanArray = (0..batch.rows)
                .map(|row| match pending.decided[row] {
                    true => Some(true),
                    false if !table.is_empty && (table.has_null_key || has_null(row)) => None,
                    false => Some(false),
                })
                .collect();
            let mut columns = batch.columns.clone();
            columns.push(Column::Flat(Arc::new(marks)));
            return Ok(Some(Batch::new(columns, batch.rows).at(batch.position)));
        }
        let keep = |row: usize| match self.shape.kind {
            JoinKind::LeftSemi => pending.decided[row],
            JoinKind::LeftAnti => !pending.decided[row],
            _ => table.is_empty || !(pending.decided[row] || table.has_null_key || has_null(row)),
        };
        let keep: Vec<bool> = (0..batch.rows).map(keep).collect();
        let kept = keep.iter().filter(|&&keep| keep).count();
        match kept {
            0 => Ok(None),
            _ if kept == batch.rows => Ok(Some(batch.clone())),
            _ => Ok(Some(crate::operator::filter::kept_rows(batch, &keep.into(), kept)?)),
        }
    }
}

/// The probe columns at these rows; the columns themselves if the rows are all, in order.
fn take_left(batch: &Batch, rows: &[u32]) -> Result<Vec<Column>> {
    if rows.len() == batch.rows && rows.iter().enumerate().all(|(place, &row)| place == row as usize) {
        return Ok(batch.columns.clone());
    }
    let rows = UInt32Array::from(rows.to_vec());
    Ok(batch.columns.iter().map(|column| column.take(&rows)).collect::<Result<_, _>>()?)
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

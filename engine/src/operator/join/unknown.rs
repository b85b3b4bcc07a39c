//! Decides which probe rows without a match have a pair that is unknown: no part of it is false and a part is null.
//!
//! A pair whose keys are all equal is unknown if its condition is null; that is seen where the condition is evaluated.
//! Otherwise a key is null on one side. For a probe row with a null key every build row may do; for any other row only
//! the build rows with a null key. Both are found through the keys in which null matches null.

use std::sync::Arc;

use arrow::array::Array;
use bumpalo::Bump;
use hypostyle_functions::column::{self, View};

use super::matches::{Matcher, Pending, truths};
use super::table::{JoinTable, can_match};
use super::{JoinShape, Mark};
use crate::error::Result;
use crate::operator::row_hash::hash_rows;

/// Chains of build rows whose keys that match null with null have one hash.
#[derive(Debug)]
pub(super) struct Chains {
    heads: Vec<u32>,
    next: Vec<u32>,
}

impl Chains {
    /// All build rows.
    pub(super) fn of_all(table: &JoinTable, shape: &JoinShape) -> Self {
        let bump = Bump::new();
        let keys = table.key_views(shape, &bump);
        Self::new(&group_hashes(&keys, shape, table.rows), |_| true)
    }

    /// The build rows with a null key that does not match null.
    pub(super) fn of_nulls(table: &JoinTable, shape: &JoinShape) -> Self {
        let bump = Bump::new();
        let keys = table.key_views(shape, &bump);
        Self::new(&group_hashes(&keys, shape, table.rows), |row| !can_match(&keys, &shape.nulls_match, row))
    }

    /// Chains of the rows that `is_in` names.
    fn new(hashes: &[u64], is_in: impl Fn(usize) -> bool) -> Self {
        let mut heads = vec![0u32; hashes.len().max(1).next_power_of_two()];
        let mut next = vec![0u32; hashes.len()];
        let mask = heads.len() - 1;
        for (row, &hash) in hashes.iter().enumerate().rev().filter(|(row, _)| is_in(*row)) {
            let head = &mut heads[hash as usize & mask];
            next[row] = std::mem::replace(head, row as u32 + 1);
        }
        Self { heads, next }
    }

    /// The rows of the chain of this hash.
    fn rows(&self, hash: u64) -> impl Iterator<Item = u32> {
        let row_of = |link: u32| link.checked_sub(1);
        let first = row_of(self.heads[hash as usize & (self.heads.len() - 1)]);
        std::iter::successors(first, move |&row| row_of(self.next[row as usize]))
    }
}

/// Hashes of the keys in which null matches null.
fn group_hashes(keys: &[View<'_>], shape: &JoinShape, rows: usize) -> Vec<u64> {
    let group: Vec<View<'_>> =
        keys.iter().zip(&shape.nulls_match).filter(|(_, matches)| **matches).map(|(key, _)| *key).collect();
    let mut hashes = Vec::new();
    hash_rows(&group, rows, 0, &mut hashes);
    hashes
}

impl Matcher {
    /// Marks the rows without a match that have an unknown pair.
    pub(super) fn find_unknown(&mut self, table: &JoinTable, pending: &mut Pending) -> Result<()> {
        let shape = Arc::clone(&self.shape);
        if table.is_empty || shape.nulls_match.iter().all(|&matches| matches) {
            return Ok(());
        }
        let bump = Bump::new();
        let keys = std::mem::take(&mut pending.keys);
        let probe: Vec<View<'_>> =
            keys.iter().zip(&shape.key_types).map(|(key, data_type)| key.view(data_type, &bump)).collect();
        if shape.unknown_follows_from_facts() {
            for (row, mark) in pending.marks.iter_mut().enumerate() {
                if *mark == Mark::False && (table.has_null_key || !probe[0].is_valid(row)) {
                    *mark = Mark::Unknown;
                }
            }
            return Ok(());
        }
        if table.rows == 0 {
            return Ok(());
        }
        self.search_unknown(table, pending, &probe)
    }

    /// Looks through the build rows that may make an unknown pair, for every row without a match.
    fn search_unknown(&mut self, table: &JoinTable, pending: &mut Pending, probe: &[View<'_>]) -> Result<()> {
        let shape = Arc::clone(&self.shape);
        let bump = Bump::new();
        let build = table.key_views(&shape, &bump);
        let hashes = group_hashes(probe, &shape, pending.batch.rows);
        self.left.clear();
        self.right.clear();
        for (row, &hash) in hashes.iter().enumerate() {
            if pending.marks[row] != Mark::False {
                continue;
            }
            let has_null = !can_match(probe, &shape.nulls_match, row);
            let chains = if has_null { table.chains_of_all(&shape) } else { table.chains_of_nulls(&shape) };
            for build_row in chains.rows(hash) {
                if !may_be_equal(probe, row, &build, build_row as usize, &shape.nulls_match) {
                    continue;
                }
                if self.residual.is_none() {
                    pending.marks[row] = Mark::Unknown;
                    break;
                }
                self.left.push(row as u32);
                self.right.push(build_row);
                if self.left.len() >= self.batch_rows {
                    self.judge_unknown(table, pending)?;
                    if pending.marks[row] != Mark::False {
                        break;
                    }
                }
            }
        }
        self.judge_unknown(table, pending)
    }

    /// Marks the rows of the pairs under construction whose condition is not false.
    fn judge_unknown(&mut self, table: &JoinTable, pending: &mut Pending) -> Result<()> {
        if self.left.is_empty() {
            return Ok(());
        }
        let pairs = self.condition_input(table, pending)?;
        if let Some(residual) = &mut self.residual {
            let verdicts = truths(residual, &pairs)?;
            for (place, &row) in self.left.iter().enumerate() {
                if verdicts.is_null(place) || verdicts.value(place) {
                    pending.marks[row as usize] = Mark::Unknown;
                }
            }
        }
        self.left.clear();
        self.right.clear();
        Ok(())
    }
}

/// True if no key is false: each is equal, or null on a side where that is unknown.
fn may_be_equal(
    probe: &[View<'_>],
    probe_row: usize,
    build: &[View<'_>],
    build_row: usize,
    nulls_match: &[bool],
) -> bool {
    probe.iter().zip(build).zip(nulls_match).all(|((probe, build), &matches)| {
        let is_known = matches || (probe.is_valid(probe_row) && build.is_valid(build_row));
        !is_known || column::equal(probe, probe_row, build, build_row)
    })
}

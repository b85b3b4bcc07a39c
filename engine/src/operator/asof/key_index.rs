//! From the keys of a row to the group of rows that have them: built once, then read by all workers.

use arrow::array::ArrayRef;
use bumpalo::Bump;
use hypostyle_functions::column::{View, borrow, equal};
use hypostyle_functions::kernel::hash::row::hash_u64;
use hypostyle_functions::types::Type;

use super::word::words;
use crate::operator::row_hash::hash_rows;
use crate::plan::is_word_ordered;

/// The group of a row that no key can match.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// Keys are found by position if their range is at most this many times the number of rows ...
const DENSE_SPREAD: u64 = 4;

/// ... or at most this large.
const DENSE_RANGE: u64 = 1 << 16;

/// Distinct keys of one side.
pub(super) struct KeyIndex {
    types: Vec<Type>,
    nulls_match: Vec<bool>,
    groups: usize,
    lookup: Lookup,
}

enum Lookup {
    /// Without keys all rows are one group.
    One,
    /// The group is the distance of the key's word from the least one.
    Dense { least: u64 },
    /// One key that is a word.
    Words { slots: Vec<(u64, u32)> },
    /// Other keys: the high half of the hash and the group plus one, then the keys of the group's first row.
    Rows { slots: Vec<u64>, firsts: Vec<u32>, keys: Vec<ArrayRef> },
}

/// What a lookup writes to, kept from batch to batch.
#[derive(Default)]
pub(super) struct KeyScratch {
    words: Vec<u64>,
    hashes: Vec<u64>,
}

impl KeyIndex {
    /// Indexes the keys of `rows` rows; `groups` receives the group of each.
    pub fn new(
        keys: &[ArrayRef],
        types: &[Type],
        nulls_match: &[bool],
        rows: usize,
        groups: &mut Vec<u32>,
    ) -> Self {
        let bump = Bump::new();
        let views: Vec<View<'_>> =
            keys.iter().zip(types).map(|(key, data_type)| borrow(key, data_type, &bump)).collect();
        groups.clear();
        groups.resize(rows, 0);
        exclude_nulls(&views, nulls_match, groups);
        let mut index =
            Self { types: types.to_vec(), nulls_match: nulls_match.to_vec(), groups: 1, lookup: Lookup::One };
        match views.as_slice() {
            [] => {}
            [key] if is_word_ordered(&types[0]) && !nulls_match[0] => index.add_words(key, rows, groups),
            views => index.add_rows(keys, views, rows, groups),
        }
        index
    }

    /// Number of groups; some may be empty.
    pub fn groups(&self) -> usize {
        self.groups
    }

    fn add_words(&mut self, key: &View<'_>, rows: usize, groups: &mut [u32]) {
        let mut values = Vec::new();
        words(key, rows, false, &mut values);
        let valid = || values.iter().zip(groups.iter()).filter(|(_, group)| **group != NO_GROUP);
        let least = valid().map(|(word, _)| *word).min().unwrap_or(0);
        let greatest = valid().map(|(word, _)| *word).max().unwrap_or(0);
        let spread = greatest - least;
        if spread < DENSE_RANGE || spread / DENSE_SPREAD < rows as u64 && spread < u64::from(u32::MAX) - 1 {
            for (group, word) in groups.iter_mut().zip(&values).filter(|(group, _)| **group != NO_GROUP) {
                *group = (word - least) as u32;
            }
            self.groups = spread as usize + 1;
            self.lookup = Lookup::Dense { least };
            return;
        }
        let mut slots = vec![(0u64, 0u32); 1024];
        let mut next = 0u32;
        for (group, &word) in groups.iter_mut().zip(&values).filter(|(group, _)| **group != NO_GROUP) {
            if next as usize * 2 >= slots.len() {
                grow(&mut slots);
            }
            let slot = word_slot(&slots, word);
            if slots[slot].1 == 0 {
                next += 1;
                slots[slot] = (word, next);
            }
            *group = slots[slot].1 - 1;
        }
        self.groups = next as usize;
        self.lookup = Lookup::Words { slots };
    }

    fn add_rows(&mut self, keys: &[ArrayRef], views: &[View<'_>], rows: usize, groups: &mut [u32]) {
        let mut hashes = Vec::new();
        hash_rows(views, rows, 0, &mut hashes);
        let mut slots = vec![0u64; (rows.max(512) * 2).next_power_of_two()];
        let mut firsts: Vec<u32> = Vec::new();
        for row in (0..rows).filter(|&row| groups[row] != NO_GROUP).collect::<Vec<_>>() {
            let same = |group: u32| {
                let first = firsts[group as usize] as usize;
                views.iter().all(|view| equal(view, row, view, first))
            };
            groups[row] = match row_slot(&slots, hashes[row], same) {
                Ok(group) => group,
                Err(slot) => {
                    let group = firsts.len() as u32;
                    firsts.push(row as u32);
                    slots[slot] = hashes[row] & HIGH_HALF | u64::from(group + 1);
                    group
                }
            };
        }
        self.groups = firsts.len();
        self.lookup = Lookup::Rows { slots, firsts, keys: keys.to_vec() };
    }

    /// Writes the group of each row; [`NO_GROUP`] where there is none.
    pub fn find(&self, keys: &[View<'_>], rows: usize, scratch: &mut KeyScratch, groups: &mut Vec<u32>) {
        groups.clear();
        groups.resize(rows, 0);
        exclude_nulls(keys, &self.nulls_match, groups);
        match &self.lookup {
            Lookup::One => {}
            Lookup::Dense { least } => {
                words(&keys[0], rows, false, &mut scratch.words);
                let count = self.groups as u64;
                for (group, word) in groups.iter_mut().zip(&scratch.words) {
                    let distance = word.wrapping_sub(*least);
                    *group = if distance < count { *group | distance as u32 } else { NO_GROUP };
                }
            }
            Lookup::Words { slots } => {
                words(&keys[0], rows, false, &mut scratch.words);
                for (group, &word) in groups.iter_mut().zip(&scratch.words) {
                    let found = slots[word_slot(slots, word)].1;
                    *group |= found.wrapping_sub(1);
                }
            }
            Lookup::Rows { slots, firsts, keys: held } => {
                let bump = Bump::new();
                let held: Vec<View<'_>> = held
                    .iter()
                    .zip(&self.types)
                    .map(|(key, data_type)| borrow(key, data_type, &bump))
                    .collect();
                hash_rows(keys, rows, 0, &mut scratch.hashes);
                for (row, (group, &hash)) in groups.iter_mut().zip(&scratch.hashes).enumerate() {
                    let same = |group: u32| {
                        let first = firsts[group as usize] as usize;
                        keys.iter().zip(&held).all(|(key, held)| equal(key, row, held, first))
                    };
                    *group |= row_slot(slots, hash, same).unwrap_or(NO_GROUP);
                }
            }
        }
    }
}

const HIGH_HALF: u64 = 0xffff_ffff_0000_0000;

/// Rows with a null in a key where null matches nothing.
fn exclude_nulls(keys: &[View<'_>], nulls_match: &[bool], groups: &mut [u32]) {
    for (key, _) in keys.iter().zip(nulls_match).filter(|(key, matches)| !**matches && key.may_be_null()) {
        for (row, group) in groups.iter_mut().enumerate() {
            if key.is_null(row) {
                *group = NO_GROUP;
            }
        }
    }
}

/// The slot that holds the word, or the free one where it belongs.
#[inline(always)]
fn word_slot(slots: &[(u64, u32)], word: u64) -> usize {
    let mask = slots.len() - 1;
    let mut slot = hash_u64(word, 0) as usize & mask;
    while slots[slot].1 != 0 && slots[slot].0 != word {
        slot = (slot + 1) & mask;
    }
    slot
}

fn grow(slots: &mut Vec<(u64, u32)>) {
    let held = std::mem::take(slots);
    *slots = vec![(0, 0); held.len() * 2];
    for (word, group) in held.into_iter().filter(|(_, group)| *group != 0) {
        let slot = word_slot(slots, word);
        slots[slot] = (word, group);
    }
}

/// The group with this hash for which `same` is true, or the free slot where it belongs.
#[inline(always)]
fn row_slot(slots: &[u64], hash: u64, same: impl Fn(u32) -> bool) -> Result<u32, usize> {
    let mask = slots.len() - 1;
    let mut slot = hash as usize & mask;
    loop {
        let held = slots[slot];
        if held as u32 == 0 {
            return Err(slot);
        }
        if held & HIGH_HALF == hash & HIGH_HALF && same(held as u32 - 1) {
            return Ok(held as u32 - 1);
        }
        slot = (slot + 1) & mask;
    }
}

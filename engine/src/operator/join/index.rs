//! From keys to rows of the build side.
//!
//! Rows are sorted by a part of their hash into *buckets* that lie one after the other, so the rows of a bucket are found
//! by one look at the directory and read in one go. The directory also holds a few bits of the hashes in each bucket, by
//! which most keys that are not there end, and each row comes with more bits of its own hash, so that few keys are
//! compared in vain. Large indexes consist of parts that are made on several threads.
//!
//! One key of whole numbers in a small range is looked up by its value instead.

use hypostyle_functions::column::{self, Data, View};
use hypostyle_functions::kernel::prefetch::{DISTANCE, prefetch};

use crate::key_filter::integer_at;

/// Integer keys are looked up by position if their range is at most this many times the number of rows ...
const DENSE_SPREAD: u64 = 8;

/// ... or at most this large.
const DENSE_RANGE: u64 = 1 << 16;

/// Rows from which an index has several parts.
const PART_ROWS_MIN: usize = 1 << 16;

/// Most parts, as a power of two.
const PARTS_BITS_MAX: u32 = 4;

/// From keys to rows. Rows of one key follow one another in the build side's order.
pub(super) enum Index {
    /// Every row is a candidate of every row.
    All,
    /// By hash; rows of one bucket may have different keys.
    Hashed(HashIndex),
    /// By the value of one integer key.
    Dense(DenseIndex),
}

/// Rows by hash.
pub(super) struct HashIndex {
    parts: Vec<Part>,
    parts_bits: u32,
}

/// The rows whose hashes start with the same bits.
pub(super) struct Part {
    /// Per bucket, and once behind the last: the first slot in the low half, and above it a bit for each of the hashes.
    directory: Vec<u64>,
    /// A row in the low half, and the low half of its hash above it.
    pub(super) slots: Vec<u64>,
    bucket_bits: u32,
}

/// The bits by which a row is placed. Hashes in a spilled partition have their first bits in common, these do not.
#[inline(always)]
fn place_of(hash: u64) -> u64 {
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The bit of a hash in the directory.
#[inline(always)]
fn directory_bit(hash: u64) -> u64 {
    1 << (32 + (hash >> 32 & 31))
}

impl HashIndex {
    /// As a power of two, the parts that suit this many rows and threads.
    pub(super) fn parts_bits(rows: usize, threads: usize) -> u32 {
        let useful = (rows / PART_ROWS_MIN).min(threads).max(1);
        useful.next_power_of_two().trailing_zeros().min(PARTS_BITS_MAX)
    }

    /// The index of these parts, in order.
    pub(super) fn new(parts: Vec<Part>) -> Self {
        let parts_bits = parts.len().trailing_zeros();
        Self { parts, parts_bits }
    }

    #[inline(always)]
    pub(super) fn part(&self, hash: u64) -> &Part {
        let place = place_of(hash);
        &self.parts[place.checked_shr(64 - self.parts_bits).unwrap_or(0) as usize]
    }

    /// The slots of each hash: first slot and end; an empty range where no row can match.
    pub(super) fn look_up(&self, hashes: &[u64], starts: &mut Vec<u32>, ends: &mut Vec<u32>) {
        starts.clear();
        ends.clear();
        for (row, &hash) in hashes.iter().enumerate() {
            if let Some(&ahead) = hashes.get(row + DISTANCE) {
                let part = self.part(ahead);
                prefetch(&part.directory, part.bucket(ahead, self.parts_bits));
            }
            let part = self.part(hash);
            let bucket = part.bucket(hash, self.parts_bits);
            let (entry, next) = (part.directory[bucket], part.directory[bucket + 1]);
            let end = if entry & directory_bit(hash) != 0 { next as u32 } else { entry as u32 };
            starts.push(entry as u32);
            ends.push(end);
        }
    }
}

impl Part {
    #[inline(always)]
    fn bucket(&self, hash: u64, parts_bits: u32) -> usize {
        (place_of(hash) << parts_bits).checked_shr(64 - self.bucket_bits).unwrap_or(0) as usize
    }

    /// The part with this number of the rows that `is_in` names.
    pub(super) fn new(hashes: &[u64], number: usize, parts_bits: u32, is_in: impl Fn(usize) -> bool) -> Self {
        let own = |row: usize, hash: u64| {
            place_of(hash).checked_shr(64 - parts_bits).unwrap_or(0) as usize == number && is_in(row)
        };
        let rows = hashes.iter().enumerate().filter(|(row, hash)| own(*row, **hash)).count();
        let bucket_bits = rows.max(1).next_power_of_two().trailing_zeros();
        let mut part = Self { directory: vec![0; (1 << bucket_bits) + 1], slots: vec![0; rows], bucket_bits };
        for (row, &hash) in hashes.iter().enumerate() {
            if own(row, hash) {
                let bucket = part.bucket(hash, parts_bits);
                part.directory[bucket] += 1;
            }
        }
        let mut first = 0;
        for entry in &mut part.directory {
            first += std::mem::replace(entry, first);
        }
        // Each bucket's start moves to its end while it is filled, and back afterwards.
        for (row, &hash) in hashes.iter().enumerate() {
            if own(row, hash) {
                let bucket = part.bucket(hash, parts_bits);
                let entry = &mut part.directory[bucket];
                part.slots[*entry as u32 as usize] = hash << 32 | row as u64;
                *entry = (*entry + 1) | directory_bit(hash);
            }
        }
        let mut start = 0;
        for entry in &mut part.directory {
            let end = *entry as u32;
            *entry = *entry & !u64::from(u32::MAX) | u64::from(start);
            start = end;
        }
        part
    }

    /// Leaves one row of each key: the first.
    pub(super) fn keep_first_of_each_key(&mut self, keys: &[View<'_>]) {
        let same = |first: u64, second: u64| {
            let (a, b) = (first as u32 as usize, second as u32 as usize);
            first >> 32 == second >> 32 && keys.iter().all(|key| column::equal(key, a, key, b))
        };
        let buckets = self.directory.len() - 1;
        let (mut kept, mut start) = (0, self.directory[0] as u32 as usize);
        for bucket in 0..buckets {
            let end = self.directory[bucket + 1] as u32 as usize;
            let first = kept;
            for place in start..end {
                let slot = self.slots[place];
                if self.slots[first..kept].iter().all(|&held| !same(held, slot)) {
                    self.slots[kept] = slot;
                    kept += 1;
                }
            }
            start = end;
            let entry = &mut self.directory[bucket];
            *entry = *entry & !u64::from(u32::MAX) | first as u64;
        }
        let last = &mut self.directory[buckets];
        *last = *last & !u64::from(u32::MAX) | kept as u64;
        self.slots.truncate(kept);
    }
}

/// Rows by the value of one integer key. Rows are numbered from 1, so that 0 ends a chain.
pub(super) struct DenseIndex {
    /// Value of the first place.
    least: i64,
    /// First row of each value.
    heads: Vec<u32>,
    /// Next row of the same value; empty if no value has two rows.
    pub(super) links: Vec<u32>,
}

impl DenseIndex {
    /// Least value and range of keys that suit such an index.
    pub(super) fn range_of(key: &View<'_>, rows: usize) -> Option<(i64, u64)> {
        let (least, greatest) = integer_bounds(key, rows)?;
        let range = greatest.abs_diff(least).checked_add(1)?;
        let is_dense = range <= DENSE_RANGE || range <= (rows as u64).saturating_mul(DENSE_SPREAD);
        (is_dense && least <= greatest).then_some((least, range))
    }

    /// The index of keys within this range; where only the first row of each value counts, without the others.
    pub(super) fn new(key: &View<'_>, rows: usize, least: i64, range: u64, only_first: bool) -> Self {
        let mut heads = vec![0u32; range as usize];
        let mut links = Vec::new();
        let mut add = |row: usize, value: i64| {
            let head = &mut heads[value.wrapping_sub(least) as usize];
            if *head != 0 && !only_first {
                if links.is_empty() {
                    links = vec![0u32; rows];
                }
                links[row] = *head;
            }
            *head = row as u32 + 1;
        };
        // Backwards, so that chains lead forwards.
        match key.data {
            Data::Int64(values) if !key.may_be_null() && key.is_flat() => {
                values[..rows].iter().enumerate().rev().for_each(|(row, &value)| add(row, value));
            }
            _ => {
                for row in (0..rows).rev().filter(|&row| key.is_valid(row)) {
                    if let Some(value) = integer_at(&key.data, key.value_index(row)) {
                        add(row, value);
                    }
                }
            }
        }
        Self { least, heads, links }
    }

    /// The first row of each value, 0 for none.
    pub(super) fn look_up(&self, key: &View<'_>, rows: usize, heads: &mut Vec<u32>) {
        heads.clear();
        let head = |value: i64| {
            let place = value.wrapping_sub(self.least) as u64 as usize;
            self.heads.get(place).copied().unwrap_or(0)
        };
        match key.data {
            Data::Int64(values) if key.is_flat() => {
                heads.extend(values[..rows].iter().enumerate().map(|(row, &value)| {
                    if let Some(ahead) = values.get(row + DISTANCE) {
                        prefetch(&self.heads, ahead.wrapping_sub(self.least) as usize);
                    }
                    head(value)
                }));
            }
            _ => {
                heads.extend((0..rows).map(|row| integer_at(&key.data, key.value_index(row)).map_or(0, head)))
            }
        }
    }
}

/// Least and greatest of the values that are not null; the first is greater if there is none, and nothing comes of a type
/// without whole numbers that fit.
fn integer_bounds(key: &View<'_>, rows: usize) -> Option<(i64, i64)> {
    let mut bounds = (i64::MAX, i64::MIN);
    match key.data {
        Data::Int64(values) if !key.may_be_null() && key.is_flat() => {
            let values = &values[..rows];
            bounds.0 = values.iter().copied().fold(bounds.0, i64::min);
            bounds.1 = values.iter().copied().fold(bounds.1, i64::max);
        }
        _ => {
            for row in (0..rows).filter(|&row| key.is_valid(row)) {
                let value = integer_at(&key.data, key.value_index(row))?;
                bounds = (bounds.0.min(value), bounds.1.max(value));
            }
        }
    }
    Some(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows that the index names for a hash, in order.
    fn rows_of(index: &HashIndex, hash: u64) -> Vec<u32> {
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        index.look_up(&[hash], &mut starts, &mut ends);
        let slots = &index.part(hash).slots[starts[0] as usize..ends[0] as usize];
        slots.iter().filter(|&&slot| slot >> 32 == hash & 0xffff_ffff).map(|&slot| slot as u32).collect()
    }

    #[test]
    fn every_row_is_found_by_its_hash_whatever_the_number_of_parts() {
        // Few values, so that buckets hold several rows of one hash; some with the same low half.
        let hashes: Vec<u64> =
            (0..5000u64).map(|row| (row % 700).wrapping_mul(0x51_7c_c1_b7_27_22_0a_95)).collect();
        for parts_bits in 0..=PARTS_BITS_MAX {
            let parts = (0..1usize << parts_bits)
                .map(|number| Part::new(&hashes, number, parts_bits, |row| row % 3 != 0));
            let index = HashIndex::new(parts.collect());
            for value in 0..800u64 {
                let hash = value.wrapping_mul(0x51_7c_c1_b7_27_22_0a_95);
                let expected: Vec<u32> =
                    (0..5000u32).filter(|&row| hashes[row as usize] == hash && row % 3 != 0).collect();
                assert_eq!(rows_of(&index, hash), expected, "{parts_bits} {value}");
            }
        }
    }

    #[test]
    fn an_index_without_rows_finds_nothing() {
        let index = HashIndex::new(vec![Part::new(&[], 0, 0, |_| true)]);
        assert_eq!(rows_of(&index, 17), Vec::<u32>::new());
    }
}

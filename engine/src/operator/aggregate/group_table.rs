//! Gives each distinct key a number: the group.
//!
//! A batch is done in passes, so that no pass waits for another's cache misses: hash all rows, find a
//! candidate group (or open a new one) by tag, store the keys of new groups, compare all rows with
//! their candidates column by column. A row whose candidate turns out to hold another key (two keys
//! with one tag) takes the slow way, probing with full comparisons.

use bumpalo::Bump;
use hypostyle_functions::column::{self, Data, Encoding, Output, Rows, View};
use hypostyle_functions::kernel::prefetch::{DISTANCE, prefetch};
use hypostyle_functions::types::Type;

use super::gather::append;
use crate::operator::row_hash::hash_rows;

/// Bits of a hash that choose the partition: the highest, while slots are chosen by the lowest.
pub(crate) const PARTITION_BITS: u32 = 5;

/// Partitions of one level.
pub(crate) const PARTITIONS: usize = 1 << PARTITION_BITS;

/// The partition of a hash at a level: each level takes the next bits.
#[inline]
pub(crate) fn partition_of(hash: u64, level: u32) -> usize {
    (hash << (level * PARTITION_BITS) >> (64 - PARTITION_BITS)) as usize
}

/// Levels until a hash has no further bits.
pub(crate) const LEVELS_MAX: u32 = 60 / PARTITION_BITS;

/// Slots of a small table.
const SLOTS_MIN: usize = 1 << 10;

/// Slots from which on they are asked for ahead; fewer are in the caches.
const PREFETCH_SLOTS: usize = 1 << 14;

/// Distinct keys and their groups.
pub(crate) struct GroupTable {
    keys: Vec<Output>,
    /// Number of groups.
    count: usize,
    /// Hash of each group's key, for groups that were found by hash: of all, or of the first ones.
    hashes: Vec<u64>,
    /// Power of two; the high half of a hash and the group plus one, 0 where free.
    slots: Vec<u64>,
    batch_hashes: Vec<u64>,
    candidates: Vec<u32>,
    opened: Vec<u32>,
    bump: Bump,
}

impl GroupTable {
    /// A table without groups for keys of these types.
    pub fn new(types: &[Type]) -> Self {
        Self {
            keys: types.iter().map(|data_type| Output::copying(data_type.clone())).collect(),
            count: 0,
            hashes: Vec::new(),
            slots: vec![0; SLOTS_MIN],
            batch_hashes: Vec::new(),
            candidates: Vec::new(),
            opened: Vec::new(),
            bump: Bump::new(),
        }
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Hash of each group's key.
    pub fn hashes(&mut self) -> &[u64] {
        if self.hashes.len() < self.count && !self.keys.is_empty() {
            let bump = Bump::new();
            let keys: Vec<View<'_>> = self.keys.iter().map(|key| key.view(&bump)).collect();
            hash_rows(&keys, self.count, 0, &mut self.hashes);
        }
        &self.hashes
    }

    /// The keys, one row per group.
    pub fn keys(&self) -> &[Output] {
        &self.keys
    }

    /// The keys, given away.
    pub fn keys_mut(&mut self) -> &mut [Output] {
        &mut self.keys
    }

    /// The rows that opened a group in the last batch, in the order of the groups.
    pub fn opened(&self) -> &[u32] {
        &self.opened
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        let keys: usize = self.keys.iter().map(Output::memory_bytes).sum();
        keys + (self.slots.capacity() + self.hashes.capacity()) * 8
    }

    /// Writes the group of each of `rows` to `groups[row]`; a key that was not there opens the next group.
    pub fn assign(&mut self, keys: &[View<'_>], length: usize, rows: Rows<'_>, groups: &mut Vec<u32>) {
        groups.clear();
        groups.resize(length, 0);
        self.opened.clear();
        if self.keys.is_empty() {
            if self.count == 0 && !rows.is_empty() {
                self.count = 1;
                self.hashes.push(0);
                self.opened.extend(rows.iter().next().map(|row| row as u32));
            }
            return;
        }
        let mut hashes = std::mem::take(&mut self.batch_hashes);
        hash_rows(keys, length, 0, &mut hashes);
        if self.hashes.len() < self.count {
            self.hashes();
            self.fill_slots(slots_for(self.count + rows.count()));
        }
        self.make_room(rows.count());
        self.find_candidates(&hashes, rows, groups);
        self.hashes.extend(self.opened.iter().map(|&row| hashes[row as usize]));
        self.store_opened(keys);
        self.compare_candidates(keys, rows, groups, &hashes);
        self.batch_hashes = hashes;
    }

    /// Opens a group for each row, whether or not its key is there. After this only [`GroupTable::keys`] and
    /// [`GroupTable::hashes`] mean anything, until the table is cleared.
    pub fn append(&mut self, keys: &[View<'_>], rows: usize) {
        hash_rows(keys, rows, 0, &mut self.batch_hashes);
        self.hashes.extend_from_slice(&self.batch_hashes);
        self.count += rows;
        self.keys.iter_mut().zip(keys).for_each(|(stored, given)| stored.push_range(given, 0..rows));
    }

    /// Opens a group for each of these rows, whose keys the caller knows not to be there. It costs no look at the
    /// hashes, which are made up for when a row is looked up.
    pub fn open(&mut self, keys: &[View<'_>], rows: impl FnOnce(&mut Vec<u32>)) {
        self.opened.clear();
        rows(&mut self.opened);
        self.store_opened(keys);
    }

    /// Forgets all groups and keeps the memory.
    pub fn clear(&mut self) {
        self.count = 0;
        self.keys.iter_mut().for_each(|key| key.prepare(0));
        self.hashes.clear();
        self.slots.fill(0);
        self.opened.clear();
    }

    /// The group of each row if its key is there, `u32::MAX` else.
    fn find_candidates(&mut self, hashes: &[u64], rows: Rows<'_>, groups: &mut [u32]) {
        let mask = self.slots.len() - 1;
        let mut next = self.count as u32;
        let (slots, opened) = (&mut self.slots, &mut self.opened);
        let is_large = slots.len() >= PREFETCH_SLOTS;
        rows.for_each(|row| {
            let hash = hashes[row];
            if is_large && let Some(&ahead) = hashes.get(row + DISTANCE) {
                prefetch(slots, ahead as usize & mask);
            }
            let tag = hash & 0xffff_ffff_0000_0000;
            let mut slot = hash as usize & mask;
            groups[row] = loop {
                let held = slots[slot];
                if held as u32 == 0 {
                    slots[slot] = tag | u64::from(next + 1);
                    opened.push(row as u32);
                    next += 1;
                    break next - 1;
                }
                if held & 0xffff_ffff_0000_0000 == tag {
                    break held as u32 - 1;
                }
                slot = (slot + 1) & mask;
            };
        });
    }

    /// Stores the keys of the groups that were opened.
    fn store_opened(&mut self, keys: &[View<'_>]) {
        if self.opened.is_empty() {
            return;
        }
        self.count += self.opened.len();
        for (stored, given) in self.keys.iter_mut().zip(keys) {
            append(stored, given, &self.opened);
        }
    }

    /// Finds the rows whose candidate holds another key and gives them their own group.
    fn compare_candidates(&mut self, keys: &[View<'_>], rows: Rows<'_>, groups: &mut [u32], hashes: &[u64]) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        let mut bump = std::mem::take(&mut self.bump);
        for (stored, given) in self.keys.iter().zip(keys) {
            let stored = stored.view(&bump);
            differing_rows(&stored, given, rows, groups, &mut candidates);
        }
        bump.reset();
        self.bump = bump;
        if !candidates.is_empty() {
            candidates.sort_unstable();
            candidates.dedup();
            for &row in &candidates {
                groups[row as usize] = self.find_slowly(keys, row as usize, hashes[row as usize]);
            }
        }
        self.candidates = candidates;
    }

    #[cold]
    fn find_slowly(&mut self, keys: &[View<'_>], row: usize, hash: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let tag = hash & 0xffff_ffff_0000_0000;
        let mut slot = hash as usize & mask;
        loop {
            let held = self.slots[slot];
            if held as u32 == 0 {
                break;
            }
            let group = held as u32 - 1;
            if held & 0xffff_ffff_0000_0000 == tag {
                let bump = Bump::new();
                let same =
                    self.keys.iter().zip(keys).all(|(stored, given)| {
                        column::equal(&stored.view(&bump), group as usize, given, row)
                    });
                if same {
                    return group;
                }
            }
            slot = (slot + 1) & mask;
        }
        let group = self.count as u32;
        self.count += 1;
        self.slots[slot] = tag | u64::from(group + 1);
        self.hashes.push(hash);
        self.opened.push(row as u32);
        self.keys.iter_mut().zip(keys).for_each(|(stored, given)| stored.push(given, row));
        group
    }

    /// Keeps the table at most half full with `more` groups, so that probing stays short and always ends.
    fn make_room(&mut self, more: usize) {
        let wanted = slots_for(self.count + more);
        if wanted > self.slots.len() {
            self.fill_slots(wanted);
        }
    }

    /// Puts all groups into this many slots, or as many as there are.
    fn fill_slots(&mut self, wanted: usize) {
        let wanted = wanted.max(self.slots.len());
        let mut slots = vec![0u64; wanted];
        for (group, &hash) in self.hashes.iter().enumerate() {
            if let Some(&ahead) = self.hashes.get(group + DISTANCE) {
                prefetch(&slots, ahead as usize & (wanted - 1));
            }
            let mut slot = hash as usize & (wanted - 1);
            while slots[slot] != 0 {
                slot = (slot + 1) & (wanted - 1);
            }
            slots[slot] = hash & 0xffff_ffff_0000_0000 | (group as u64 + 1);
        }
        self.slots = slots;
    }
}

/// Slots for this many groups.
fn slots_for(groups: usize) -> usize {
    (groups * 2).next_power_of_two().max(SLOTS_MIN)
}

/// Adds to `differing` the rows whose value is not that of their group.
fn differing_rows(
    stored: &View<'_>,
    given: &View<'_>,
    rows: Rows<'_>,
    groups: &[u32],
    differing: &mut Vec<u32>,
) {
    macro_rules! compare_fixed {
        ($stored:expr, $given:expr) => {
            compare(
                stored,
                given,
                rows,
                groups,
                differing,
                |group| prefetch($stored, group),
                |group, index| $stored[group] == $given[index],
            )
        };
    }
    // One arm expands to a comparison loop over slices of one type.
    match (stored.data, given.data) {
        (Data::Int8(a), Data::Int8(b)) => compare_fixed!(a, b),
        (Data::Int16(a), Data::Int16(b)) => compare_fixed!(a, b),
        (Data::Int32(a), Data::Int32(b)) => compare_fixed!(a, b),
        (Data::Int64(a), Data::Int64(b)) => compare_fixed!(a, b),
        (Data::UInt8(a), Data::UInt8(b)) => compare_fixed!(a, b),
        (Data::UInt16(a), Data::UInt16(b)) => compare_fixed!(a, b),
        (Data::UInt32(a), Data::UInt32(b)) => compare_fixed!(a, b),
        (Data::UInt64(a), Data::UInt64(b)) => compare_fixed!(a, b),
        (Data::Int128(a), Data::Int128(b)) => compare_fixed!(a, b),
        (Data::Bytes(a), Data::Bytes(b)) => {
            compare(
                stored,
                given,
                rows,
                groups,
                differing,
                |group| prefetch(a.views, group),
                |group, index| {
                    let (left, right) = (a.views[group], b.views[index]);
                    // Values of up to 12 bytes lie in their view; of others, length and prefix do.
                    if left as u32 <= 12 {
                        left == right
                    } else {
                        left as u64 == right as u64 && a.get(group) == b.get(index)
                    }
                },
            )
        }
        _ => rows.for_each(|row| {
            if !column::equal(stored, groups[row] as usize, given, row) {
                differing.push(row as u32);
            }
        }),
    }
}

#[inline(always)]
fn compare(
    stored: &View<'_>,
    given: &View<'_>,
    rows: Rows<'_>,
    groups: &[u32],
    differing: &mut Vec<u32>,
    ask: impl Fn(usize),
    same: impl Fn(usize, usize) -> bool,
) {
    let nulls = stored.may_be_null() || given.may_be_null();
    match (given.encoding, rows) {
        (Encoding::Flat, Rows::All(length)) if !nulls => {
            let groups = &groups[..length];
            let is_same = |all, (row, &group): (usize, &u32)| all & same(group as usize, row);
            let all_same = if stored.length < PREFETCH_SLOTS {
                groups.iter().enumerate().fold(true, is_same)
            } else {
                groups.iter().enumerate().fold(true, |all, (row, group)| {
                    if let Some(&ahead) = groups.get(row + DISTANCE) {
                        ask(ahead as usize);
                    }
                    is_same(all, (row, group))
                })
            };
            if all_same {
                return;
            }
        }
        _ => {}
    }
    rows.for_each(|row| {
        let group = groups[row] as usize;
        let is_same = if nulls {
            match (stored.is_valid(group), given.is_valid(row)) {
                (true, true) => same(group, given.value_index(row)),
                (false, false) => true,
                _ => false,
            }
        } else {
            same(group, given.value_index(row))
        };
        if !is_same {
            differing.push(row as u32);
        }
    });
}

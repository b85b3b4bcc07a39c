//! Numbers for the distinct pairs of a group and a key: categories of a group, keys of its maps.

use bumpalo::Bump;
use hashbrown::HashTable;

use super::collector::Grouped;
use crate::column::{Output, View, equal, hash};
use crate::types::Type;

/// Distinct (group, key) pairs, numbered in the order of their first appearance.
pub(super) struct Slots {
    keys: Output,
    owners: Vec<u32>,
    hashes: Vec<u64>,
    table: HashTable<u32>,
    groups: usize,
    /// Made when results or states are asked for, of all groups at once.
    grouped: Option<Grouped>,
    arena: Bump,
}

impl Slots {
    pub fn new(key: Type) -> Self {
        Self {
            keys: Output::copying(key),
            owners: Vec::new(),
            hashes: Vec::new(),
            table: HashTable::new(),
            groups: 0,
            grouped: None,
            arena: Bump::new(),
        }
    }

    /// Makes room for groups.
    pub fn resize(&mut self, groups: usize) {
        self.groups = groups;
        self.grouped = None;
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// The number of a pair, which is added if it is new.
    pub fn slot(&mut self, group: u32, keys: &View<'_>, row: usize) -> u32 {
        let code = hash(keys, row, u64::from(group));
        self.arena.reset();
        let held = self.keys.view(&self.arena);
        let same = |&slot: &u32| {
            let place = slot as usize;
            self.hashes[place] == code && self.owners[place] == group && equal(&held, place, keys, row)
        };
        if let Some(&slot) = self.table.find(code, same) {
            return slot;
        }
        let slot = self.owners.len() as u32;
        let hashes = &self.hashes;
        self.table.insert_unique(code, slot, |&slot| hashes[slot as usize]);
        self.keys.push(keys, row);
        self.owners.push(group);
        self.hashes.push(code);
        self.grouped = None;
        slot
    }

    /// The numbers of each group's pairs, in order.
    pub fn by_group(&mut self) -> &Grouped {
        let (owners, groups) = (&self.owners, self.groups);
        self.grouped.get_or_insert_with(|| Grouped::new(owners.iter().copied(), groups))
    }

    /// The keys, by number.
    pub fn keys<'a>(&'a self, bump: &'a Bump) -> View<'a> {
        self.keys.view(bump)
    }

    pub fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes()
            + self.owners.capacity() * 4
            + self.hashes.capacity() * 8
            + self.table.allocation_size()
    }
}

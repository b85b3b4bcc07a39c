//! All values of each group in the input's order: what list, string_agg, quantiles and picks are made of.

use std::ops::Range;

use bumpalo::Bump;

use crate::column::{Output, Rows, View};
use crate::types::Type;

/// Values of many groups in one store, each with its group and ordinal.
pub(super) struct Collector {
    values: Output,
    entries: Vec<Entry>,
    groups: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    group: u32,
    ordinal: u64,
}

/// Values of a [`Collector`] put together by group, in the input's order.
pub(super) struct Grouped {
    starts: Vec<u32>,
    order: Vec<u32>,
}

impl Grouped {
    /// Positions of a group's values in [`Collector::view`].
    pub(super) fn rows(&self, group: u32) -> &[u32] {
        let range: Range<usize> =
            self.starts[group as usize] as usize..self.starts[group as usize + 1] as usize;
        &self.order[range]
    }
}

impl Collector {
    pub(super) fn new(data_type: Type) -> Self {
        Self { values: Output::copying(data_type), entries: Vec::new(), groups: 0 }
    }

    /// The types of a state: the values and their ordinals.
    pub(super) fn states(data_type: Type) -> Vec<Type> {
        vec![Type::list(data_type), Type::list(Type::UInt64)]
    }

    pub(super) fn resize(&mut self, groups: usize) {
        self.groups = groups;
    }

    pub(super) fn add(&mut self, values: &View<'_>, rows: Rows<'_>, groups: &[u32], ordinal: u64) {
        let start = self.values.grow(rows.count());
        for (position, row) in rows.iter().enumerate() {
            self.values.copy(start + position, values, row);
            self.entries.push(Entry { group: groups[row], ordinal: ordinal + row as u64 });
        }
    }

    pub(super) fn merge(&mut self, states: &[View<'_>], groups: &[u32]) {
        let (values, ordinals) = (states[0].list(), states[1].list());
        let ordinal = ordinals.child().fixed::<u64>();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states[0].is_valid(*row)) {
            self.values.push_range(values.child(), values.range(row));
            self.entries.extend(ordinals.range(row).map(|at| Entry { group, ordinal: ordinal.get(at) }));
        }
    }

    pub(super) fn state(&self, groups: &[u32], output: &mut [Output]) {
        let bump = Bump::new();
        let grouped = self.grouped();
        let values = self.view(&bump);
        let [lists, ordinals] = output else { return };
        for (row, &group) in groups.iter().enumerate() {
            let members = grouped.rows(group);
            if members.is_empty() {
                lists.set_null(row);
                ordinals.set_null(row);
                continue;
            }
            write_list(lists, row, &values, members);
            let mut writer = ordinals.list();
            let start = writer.child().grow(members.len());
            for (position, &member) in members.iter().enumerate() {
                writer.child().fixed::<u64>()[start + position] = self.entries[member as usize].ordinal;
            }
            writer.finish(row, start);
        }
    }

    /// Puts the values together by group.
    pub(super) fn grouped(&self) -> Grouped {
        let mut starts = vec![0u32; self.groups + 1];
        self.entries.iter().for_each(|entry| starts[entry.group as usize + 1] += 1);
        for group in 0..self.groups {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut order = vec![0u32; self.entries.len()];
        for (position, entry) in self.entries.iter().enumerate() {
            let at = &mut next[entry.group as usize];
            order[*at as usize] = position as u32;
            *at += 1;
        }
        // One worker adds in order; only merged states arrive out of it.
        for group in 0..self.groups {
            let members = &mut order[starts[group] as usize..starts[group + 1] as usize];
            let ordinal = |member: &u32| self.entries[*member as usize].ordinal;
            if !members.is_sorted_by_key(ordinal) {
                members.sort_by_key(ordinal);
            }
        }
        Grouped { starts, order }
    }

    pub(super) fn view<'a>(&'a self, bump: &'a Bump) -> View<'a> {
        self.values.view(bump)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.values.memory_bytes() + self.entries.capacity() * size_of::<Entry>()
    }
}

/// Writes the given rows of `values` as one list.
pub(super) fn write_list(output: &mut Output, row: usize, values: &View<'_>, members: &[u32]) {
    let mut writer = output.list();
    let start = writer.child().grow(members.len());
    for (position, &member) in members.iter().enumerate() {
        writer.child().copy(start + position, values, member as usize);
    }
    writer.finish(row, start);
}

//! All values of each group in the input's order: what list, string_agg and quantiles are made of.

use std::ops::Range;

use bumpalo::Bump;

use crate::aggregate::{Accumulator, BoundAggregate};
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::types::Type;
use crate::window::Frames;

/// Makes the result of a group from all its values.
pub(super) trait Summary: Clone + Send + Sync + 'static {
    /// Writes the result of a group whose rows are `members` of the argument columns, at least one and in the
    /// input's order.
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize);

    /// Whether [`Summary::keep`] drops rows.
    const DROPS: bool = false;

    /// Leaves the rows of a group that its result can depend on.
    fn keep(&self, _columns: &[View<'_>], _members: &mut Vec<u32>) {}

    /// As [`Accumulator::frames`], where the summary knows a faster way.
    fn frames(&self, _arguments: &[View<'_>], _frames: &Frames, _output: &mut Output) -> Result<bool> {
        Ok(false)
    }
}

/// A strict aggregate over all argument rows of each group.
pub(super) fn collected(arguments: Vec<Type>, result: Type, summary: impl Summary) -> BoundAggregate {
    let states = arguments.iter().chain([&Type::UInt64]).map(|column| Type::list(column.clone())).collect();
    BoundAggregate::strict(result, states, move || Collected {
        collector: Collector::new(&arguments),
        summary: summary.clone(),
        drop_rows: DROP_ROWS,
    })
}

/// Rows that are collected before those are dropped that no result depends on.
const DROP_ROWS: usize = 1 << 13;

struct Collected<S> {
    collector: Collector,
    summary: S,
    /// Number of rows at which the next are dropped.
    drop_rows: usize,
}

impl<S: Summary> Collected<S> {
    fn drop_useless(&mut self) {
        if S::DROPS && self.collector.owners.len() >= self.drop_rows {
            self.collector.retain(&self.summary);
            self.drop_rows = DROP_ROWS + 2 * self.collector.owners.len();
        }
    }
}

impl<S: Summary> Accumulator for Collected<S> {
    fn resize(&mut self, groups: usize) {
        self.collector.groups = groups;
        self.collector.is_grouped = false;
    }

    fn clear(&mut self) -> bool {
        self.collector.clear();
        self.drop_rows = DROP_ROWS;
        true
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        self.collector.add(arguments, rows, groups, ordinal);
        self.drop_useless();
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        self.collector.merge(states, groups);
        self.drop_useless();
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.collector.state(groups, output);
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        let (grouped, columns, _) = self.collector.read();
        for (row, &group) in groups.iter().enumerate() {
            match grouped.rows(group) {
                [] => output.set_null(row),
                members => self.summary.write(columns, members, output, row),
            }
        }
        Ok(())
    }

    fn frames(&self, arguments: &[View<'_>], frames: &Frames, output: &mut Output) -> Result<bool> {
        self.summary.frames(arguments, frames, output)
    }

    fn memory_bytes(&self) -> usize {
        self.collector.memory_bytes()
    }
}

/// Argument rows of many groups in one store, each with its group and ordinal.
struct Collector {
    columns: Vec<Output>,
    /// Group of each row.
    owners: Vec<u32>,
    ordinals: Vec<u64>,
    groups: usize,
    /// Filled when results or states are asked for, of all groups at once.
    grouped: Grouped,
    is_grouped: bool,
    /// Holds the views of the columns while they are read.
    arena: Bump,
}

/// Values of a [`Collector`] put together by group, in the input's order.
#[derive(Default)]
pub(super) struct Grouped {
    starts: Vec<u32>,
    order: Vec<u32>,
}

impl Grouped {
    /// Of values whose groups these are; the values of a group keep their order.
    pub(super) fn new(owners: impl Iterator<Item = u32> + Clone, groups: usize) -> Self {
        let mut grouped = Self::default();
        grouped.fill(owners, groups);
        grouped
    }

    /// As [`Grouped::new`], in the memory of what was there.
    fn fill(&mut self, owners: impl Iterator<Item = u32> + Clone, groups: usize) {
        let Self { starts, order } = self;
        starts.clear();
        starts.resize(groups + 1, 0);
        owners.clone().for_each(|group| starts[group as usize + 1] += 1);
        for group in 0..groups {
            starts[group + 1] += starts[group];
        }
        order.clear();
        order.resize(starts[groups] as usize, 0);
        // Each start moves on to that of the next group as values are put behind it.
        for (position, group) in owners.enumerate() {
            let at = &mut starts[group as usize];
            order[*at as usize] = position as u32;
            *at += 1;
        }
        starts.copy_within(..groups, 1);
        starts[0] = 0;
    }

    /// Puts the values of each group in the order of their ordinals. One worker adds in order; only merged states arrive
    /// out of it.
    fn sort(&mut self, ordinals: &[u64]) {
        for ends in self.starts.windows(2) {
            let members = &mut self.order[ends[0] as usize..ends[1] as usize];
            let ordinal = |member: &u32| ordinals[*member as usize];
            if !members.is_sorted_by_key(ordinal) {
                members.sort_by_key(ordinal);
            }
        }
    }

    /// Positions of a group's values among all.
    pub(super) fn rows(&self, group: u32) -> &[u32] {
        let range: Range<usize> =
            self.starts[group as usize] as usize..self.starts[group as usize + 1] as usize;
        &self.order[range]
    }
}

impl Collector {
    fn new(types: &[Type]) -> Self {
        Self {
            columns: types.iter().map(|column| Output::copying(column.clone())).collect(),
            owners: Vec::new(),
            ordinals: Vec::new(),
            groups: 0,
            grouped: Grouped::default(),
            is_grouped: false,
            arena: Bump::new(),
        }
    }

    fn clear(&mut self) {
        self.columns.iter_mut().for_each(|column| column.prepare(0));
        self.owners.clear();
        self.ordinals.clear();
        self.groups = 0;
        self.is_grouped = false;
    }

    fn add(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) {
        self.is_grouped = false;
        for (column, argument) in self.columns.iter_mut().zip(arguments) {
            match rows {
                Rows::All(count) => column.push_range(argument, 0..count),
                Rows::Selected(selected) => {
                    let start = column.grow(selected.len());
                    for (position, &row) in selected.iter().enumerate() {
                        column.copy(start + position, argument, row as usize);
                    }
                }
            }
        }
        self.owners.extend(rows.iter().map(|row| groups[row]));
        self.ordinals.extend(rows.iter().map(|row| ordinal + row as u64));
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) {
        self.is_grouped = false;
        let Some((ordinals, columns)) = states.split_last() else { return };
        let ordinals = ordinals.list();
        let ordinal = ordinals.child().fixed::<u64>();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| columns[0].is_valid(*row)) {
            for (column, state) in self.columns.iter_mut().zip(columns) {
                let lists = state.list();
                column.push_range(lists.child(), lists.range(row));
            }
            let range = ordinals.range(row);
            self.owners.extend(std::iter::repeat_n(group, range.len()));
            self.ordinals.extend(range.map(|at| ordinal.get(at)));
        }
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) {
        let (grouped, columns, own_ordinals) = self.read();
        let Some((ordinals, lists)) = output.split_last_mut() else { return };
        for (row, &group) in groups.iter().enumerate() {
            let members = grouped.rows(group);
            if members.is_empty() {
                lists.iter_mut().chain([&mut *ordinals]).for_each(|list| list.set_null(row));
                continue;
            }
            for (list, column) in lists.iter_mut().zip(columns) {
                write_list(list, row, column, members);
            }
            let mut writer = ordinals.list();
            let start = writer.child().grow(members.len());
            let written = &mut writer.child().fixed::<u64>()[start..];
            written.iter_mut().zip(members).for_each(|(to, &member)| *to = own_ordinals[member as usize]);
            writer.finish(row, start);
        }
    }

    /// Drops the rows that no result depends on.
    fn retain(&mut self, summary: &impl Summary) {
        let groups = self.groups;
        let (grouped, columns, ordinals) = self.read();
        let mut kept = Vec::new();
        let mut owners = Vec::new();
        let mut members = Vec::new();
        for group in 0..groups as u32 {
            members.clear();
            members.extend_from_slice(grouped.rows(group));
            summary.keep(columns, &mut members);
            kept.extend_from_slice(&members);
            owners.resize(kept.len(), group);
        }
        let ordinals = kept.iter().map(|&row| ordinals[row as usize]).collect();
        let copy = |column: &View<'_>| {
            let mut output = Output::copying(column.data_type.clone());
            output.prepare(kept.len());
            kept.iter().enumerate().for_each(|(to, &from)| output.copy(to, column, from as usize));
            output
        };
        let columns = columns.iter().map(copy).collect();
        (self.columns, self.owners, self.ordinals) = (columns, owners, ordinals);
        self.is_grouped = false;
    }

    /// The rows of each group, the argument columns, and the ordinals.
    fn read(&mut self) -> (&Grouped, &[View<'_>], &[u64]) {
        let Self { columns, owners, ordinals, groups, grouped, is_grouped, arena } = self;
        if !*is_grouped {
            grouped.fill(owners.iter().copied(), *groups);
            grouped.sort(ordinals);
            *is_grouped = true;
        }
        arena.reset();
        let arena = &*arena;
        let views = arena.alloc_slice_fill_iter(columns.iter().map(|column| column.view(arena)));
        (grouped, views, ordinals)
    }

    fn memory_bytes(&self) -> usize {
        let grouped = self.grouped.starts.capacity() + self.grouped.order.capacity();
        let columns: usize = self.columns.iter().map(Output::memory_bytes).sum();
        columns + (self.owners.capacity() + grouped) * 4 + self.ordinals.capacity() * 8
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

//! The groups of one worker or partition: a table of keys, a state per aggregate, and where each group began.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use bumpalo::Bump;
use hypostyle_functions::aggregate::Accumulator;
use hypostyle_functions::column::{Column, Output, Rows, View};
use hypostyle_functions::kernel::compact::compact_u32;
use hypostyle_functions::types::Type;

use super::call::{AggregateShape, Call};
use super::code_memo::{CodeMemo, Encoded};
use super::gather::gather;
use super::group_table::{GroupTable, PARTITIONS, partition_of};
use super::grouping_sets::GroupingSets;
use crate::batch::Batch;
use crate::error::Result;

pub(super) struct Groups {
    table: GroupTable,
    /// One per grouping set.
    memos: Vec<CodeMemo>,
    accumulators: Vec<Box<dyn Accumulator>>,
    /// Ordinal of each group's first row.
    firsts: Vec<u64>,
    groups: Vec<u32>,
    selected: Vec<u32>,
    /// Every row by its number.
    numbers: Vec<u32>,
    /// Group of every row where there are no keys.
    zeros: Vec<u32>,
    /// Every row opens a group of its own.
    is_raw: bool,
}

impl Groups {
    pub fn new(shape: &AggregateShape) -> Self {
        Self {
            table: GroupTable::new(&shape.key_types),
            memos: (0..shape.sets_count()).map(|_| CodeMemo::default()).collect(),
            accumulators: shape.states().map(|call| (call.bound.make)()).collect(),
            firsts: Vec::new(),
            groups: Vec::new(),
            selected: Vec::new(),
            numbers: Vec::new(),
            zeros: Vec::new(),
            is_raw: false,
        }
    }

    /// Whether every further row opens a group of its own, even if its key is there.
    pub fn set_raw(&mut self, is_raw: bool) {
        self.is_raw = is_raw;
    }

    /// True if groups may share keys.
    pub fn is_raw(&self) -> bool {
        self.is_raw
    }

    pub fn len(&self) -> usize {
        self.firsts.len()
    }

    /// Puts groups in the order of their first rows, set by set where there are grouping sets.
    pub fn by_first(&self, shape: &AggregateShape, groups: Vec<u32>) -> Vec<u32> {
        let bump = Bump::new();
        let last_key = self.table.keys().last().map(|key| key.view(&bump));
        let sets = shape.sets.as_ref().and(last_key).map(|key| key.fixed::<u32>());
        // What is sorted by stands beside the group: looking it up would cost a miss for each comparison.
        let place = |group: u32| {
            (sets.map_or(0, |sets| sets.get(group as usize)), self.firsts[group as usize], group)
        };
        let mut places: Vec<(u32, u64, u32)> = groups.into_iter().map(place).collect();
        places.sort();
        places.into_iter().map(|(_, _, group)| group).collect()
    }

    pub fn memory_bytes(&self) -> usize {
        let states: usize = self.accumulators.iter().map(|accumulator| accumulator.memory_bytes()).sum();
        let memos: usize = self.memos.iter().map(CodeMemo::memory_bytes).sum();
        self.table.memory_bytes() + memos + self.firsts.capacity() * 8 + states
    }

    /// Adds rows; `columns` are those of the aggregation's expression set.
    pub fn update(
        &mut self,
        shape: &AggregateShape,
        columns: &[Column],
        rows: usize,
        ordinal: u64,
    ) -> Result<()> {
        let bump = Bump::new();
        let views: Vec<View<'_>> = columns
            .iter()
            .zip(&shape.column_types)
            .map(|(column, data_type)| column.view(data_type, &bump))
            .collect();
        let Some(sets) = &shape.sets else {
            let keys = shape.key_types.len();
            self.assign(0, &columns[..keys], &views[..keys], rows, |row| ordinal + row as u64);
            return self.update_states(shape, columns, &views, rows, ordinal);
        };
        for set in 0..sets.len() {
            let keys = sets.columns(set, &columns[..shape.key_types.len() - 1], rows);
            let key_views: Vec<View<'_>> = keys
                .iter()
                .zip(&shape.key_types)
                .map(|(column, data_type)| column.view(data_type, &bump))
                .collect();
            self.assign(set, &keys, &key_views, rows, |row| ordinal + row as u64);
            self.update_states(shape, columns, &views, rows, ordinal)?;
        }
        Ok(())
    }

    /// Adds rows to the states of the groups that they were assigned to.
    fn update_states(
        &mut self,
        shape: &AggregateShape,
        columns: &[Column],
        views: &[View<'_>],
        rows: usize,
        ordinal: u64,
    ) -> Result<()> {
        self.numbers.extend(self.numbers.len() as u32..rows as u32);
        let groups = if shape.key_types.is_empty() { &self.zeros[..rows] } else { &self.groups[..] };
        for (call, accumulator) in shape.states().zip(&mut self.accumulators) {
            accumulator.resize(self.firsts.len());
            let arguments: Vec<View<'_>> = call.arguments.iter().map(|&position| views[position]).collect();
            if let Some(count) = counted(call, &arguments, rows)
                && accumulator.add_count(count)
            {
                continue;
            }
            let chosen = counted_rows(call, &arguments, views, rows, &self.numbers, &mut self.selected);
            if !chosen.is_empty() {
                let columns: Vec<&Column> =
                    call.arguments.iter().map(|&position| &columns[position]).collect();
                accumulator.update_columns(&columns, &arguments, chosen, groups, ordinal)?;
            }
        }
        Ok(())
    }

    /// Finds the group of each row, in `self.groups`.
    fn assign(
        &mut self,
        set: usize,
        columns: &[Column],
        keys: &[View<'_>],
        rows: usize,
        ordinal_of: impl Fn(usize) -> u64,
    ) {
        if keys.is_empty() {
            if self.zeros.len() < rows {
                self.zeros.resize(rows, 0);
            }
            if self.firsts.is_empty() && rows > 0 {
                self.firsts.push(ordinal_of(0));
                self.table.assign(&[], rows, Rows::All(rows), &mut self.groups);
            }
            return;
        }
        if self.is_raw {
            let first = self.firsts.len() as u32;
            self.table.append(keys, rows);
            self.firsts.extend((0..rows).map(ordinal_of));
            self.groups.clear();
            self.groups.extend(first..first + rows as u32);
            return;
        }
        self.look_up(set, columns, keys, rows);
        self.firsts.extend(self.table.opened().iter().map(|&row| ordinal_of(row as usize)));
    }

    /// Finds the group of each row by the codes of the keys where they have few values, else by hash.
    fn look_up(&mut self, set: usize, columns: &[Column], keys: &[View<'_>], rows: usize) {
        let (memo, table) = (&mut self.memos[set], &mut self.table);
        let encoded = memo.encode(columns, keys, rows, table.len());
        if encoded == (Encoded::Fully { must_recall: true }) {
            let bump = Bump::new();
            let stored: Vec<View<'_>> = table.keys().iter().map(|key| key.view(&bump)).collect();
            memo.recall(&stored, table.len());
        }
        if encoded != Encoded::No && memo.look_up(&mut self.groups) {
            table.open(keys, |_| ());
            return;
        }
        match encoded {
            Encoded::Fully { .. } => {
                let (next, groups) = (table.len() as u32, &mut self.groups);
                table.open(keys, |opened| memo.open(next, groups, opened));
            }
            Encoded::Partly => {
                table.assign(keys, rows, Rows::All(rows), &mut self.groups);
                memo.learn(&self.groups);
            }
            Encoded::No => table.assign(keys, rows, Rows::All(rows), &mut self.groups),
        }
    }

    /// Adds a batch of rows that [`Groups::give_out`] made.
    pub fn merge(&mut self, shape: &AggregateShape, batch: &Batch) -> Result<()> {
        let bump = Bump::new();
        let columns = batch.columns.iter().zip(&shape.state_types);
        let views: Vec<View<'_>> = columns.map(|(column, data_type)| column.view(data_type, &bump)).collect();
        let keys = shape.key_types.len();
        let firsts = views[keys].fixed::<u64>();
        self.assign(0, &batch.columns[..keys], &views[..keys], batch.rows, |row| firsts.get(row));
        let groups = if keys == 0 { &self.zeros[..batch.rows] } else { &self.groups[..] };
        for (row, &group) in groups.iter().enumerate() {
            let first = &mut self.firsts[group as usize];
            *first = (*first).min(firsts.get(row));
        }
        let mut states = &views[keys + 1..];
        for (call, accumulator) in shape.states().zip(&mut self.accumulators) {
            accumulator.resize(self.firsts.len());
            let (own, rest) = states.split_at(call.bound.states.len());
            accumulator.merge(own, groups)?;
            states = rest;
        }
        Ok(())
    }

    /// Makes sure that there is the one group of an aggregation, or of each grouping set, without keys.
    pub fn open_single(&mut self, shape: &AggregateShape) {
        if shape.key_types.is_empty() {
            self.assign(0, &[], &[], 1, |_| 0);
        }
        let bump = Bump::new();
        for columns in shape.sets.iter().flat_map(GroupingSets::empty_sets) {
            let key = columns.iter().zip(&shape.key_types);
            let key: Vec<View<'_>> = key.map(|(column, data_type)| column.view(data_type, &bump)).collect();
            self.assign(0, &columns, &key, 1, |_| 0);
        }
        let groups = self.firsts.len();
        self.accumulators.iter_mut().for_each(|accumulator| accumulator.resize(groups));
    }

    /// The states, in the order of the shape; the groups are of no use after this.
    pub fn into_accumulators(self) -> Vec<Box<dyn Accumulator>> {
        self.accumulators
    }

    /// Bytes of the largest state.
    pub fn largest_state_bytes(&self) -> usize {
        self.accumulators.iter().map(|accumulator| accumulator.memory_bytes()).max().unwrap_or(0)
    }

    /// The keys as arrays; the table is of no use after this.
    pub fn take_keys(&mut self) -> Result<Vec<ArrayRef>> {
        self.memos.iter_mut().for_each(CodeMemo::clear);
        Ok(self.table.keys_mut().iter_mut().map(Output::freeze).collect::<Result<_, _>>()?)
    }

    /// The results of these groups, a column per call.
    pub fn finish(&mut self, shape: &AggregateShape, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::with_capacity(shape.calls.len());
        for call in &shape.calls {
            let mut output = Output::new(call.bound.result.clone());
            output.prepare(groups.len());
            let accumulator = self.accumulators[call.state].as_mut();
            match &call.bound.sharing {
                Some(sharing) => (sharing.finish)(accumulator, groups, &mut output)?,
                None => accumulator.finish(groups, &mut output)?,
            }
            columns.push(output.freeze()?);
        }
        Ok(columns)
    }

    /// These groups as rows of keys, first ordinals and states.
    pub fn give_out(
        &mut self,
        shape: &AggregateShape,
        order: &[u32],
        batch_rows: usize,
    ) -> Result<Vec<Batch>> {
        order.chunks(batch_rows.max(1)).map(|groups| self.state_rows(shape, groups)).collect()
    }

    /// All groups as such rows, by partition; there are none after this, and the memory is kept for others.
    pub fn give_out_partitioned(
        &mut self,
        shape: &AggregateShape,
        level: u32,
        batch_rows: usize,
    ) -> Result<Vec<Vec<Batch>>> {
        let by_partition = self.partitioned(level);
        let parts = by_partition.iter().map(|order| self.give_out(shape, order, batch_rows)).collect();
        self.table.clear();
        self.memos.iter_mut().for_each(CodeMemo::clear);
        self.firsts.clear();
        self.accumulators = shape.states().map(|call| (call.bound.make)()).collect();
        parts
    }

    /// The groups of each partition, ascending.
    pub fn partitioned(&mut self, level: u32) -> Vec<Vec<u32>> {
        let mut by_partition = vec![Vec::new(); PARTITIONS];
        for (group, &hash) in self.table.hashes().iter().enumerate() {
            by_partition[partition_of(hash, level)].push(group as u32);
        }
        by_partition
    }

    fn state_rows(&mut self, shape: &AggregateShape, groups: &[u32]) -> Result<Batch> {
        let bump = Bump::new();
        let mut columns = Vec::with_capacity(shape.state_types.len());
        for key in self.table.keys() {
            columns.push(Column::Flat(gather(&key.view(&bump), groups).freeze()?));
        }
        let firsts = UInt64Array::from_iter_values(groups.iter().map(|&group| self.firsts[group as usize]));
        columns.push(Column::Flat(Arc::new(firsts)));
        for (call, accumulator) in shape.states().zip(&mut self.accumulators) {
            let prepared = |data_type: &Type| {
                let mut output = Output::new(data_type.clone());
                output.prepare(groups.len());
                output
            };
            let mut states: Vec<Output> = call.bound.states.iter().map(prepared).collect();
            accumulator.state(groups, &mut states)?;
            for mut state in states {
                columns.push(Column::Flat(state.freeze()?));
            }
        }
        Ok(Batch::new(columns, groups.len()))
    }
}

/// How many rows a call without a filter counts, where bits of its one nullable argument say it.
fn counted(call: &Call, arguments: &[View<'_>], rows: usize) -> Option<usize> {
    let mut nullable = arguments[..call.strict].iter().filter(|view| view.may_be_null());
    match (nullable.next(), nullable.next(), call.filter) {
        (None, _, None) => Some(rows),
        (Some(view), None, None) => Some(view.row_validity()?.slice(0, rows).count()),
        _ => None,
    }
}

/// Adds the rows that bits say have values; false for columns without such bits.
fn add_valid(view: &View<'_>, rows: usize, numbers: &[u32], selected: &mut Vec<u32>) -> bool {
    let Some(validity) = view.row_validity() else { return false };
    let mut words = Vec::new();
    compact_u32(&numbers[..rows], validity.slice(0, rows).to_bytes(&mut words), selected);
    true
}

/// The rows that a call counts: those its filter accepts and, for a strict aggregate, without a null argument.
fn counted_rows<'a>(
    call: &Call,
    arguments: &[View<'_>],
    views: &[View<'_>],
    rows: usize,
    numbers: &[u32],
    selected: &'a mut Vec<u32>,
) -> Rows<'a> {
    let nullable: Vec<&View<'_>> =
        arguments[..call.strict].iter().filter(|view| view.may_be_null()).collect();
    let filter = call.filter.map(|position| views[position]);
    if nullable.is_empty() && filter.is_none() {
        return Rows::All(rows);
    }
    selected.clear();
    if let ([view], None) = (&nullable[..], filter)
        && add_valid(view, rows, numbers, selected)
    {
        return Rows::Selected(selected);
    }
    match filter {
        Some(filter) => {
            let truth = filter.boolean();
            selected.extend(
                (0..rows as u32).filter(|&row| filter.is_valid(row as usize) && truth.get(row as usize)),
            );
        }
        None => selected.extend(0..rows as u32),
    }
    for view in nullable {
        selected.retain(|&row| view.is_valid(row as usize));
    }
    Rows::Selected(selected)
}

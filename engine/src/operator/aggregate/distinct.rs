//! DISTINCT: each argument row counts once per group.
//!
//! A wrapper around any aggregate. It keeps the distinct (group, arguments) rows with the ordinal of the
//! first of each, and hands them to the wrapped aggregate, in that order, when results are asked for.

use std::sync::Arc;

use bumpalo::Bump;
use hypostyle_functions::Result;
use hypostyle_functions::aggregate::{Accumulator, BoundAggregate};
use hypostyle_functions::column::{Data, Encoding, Output, Rows, View};
use hypostyle_functions::types::{Field, Type};

use super::gather::gather;
use super::group_table::GroupTable;

/// The aggregate over distinct argument rows.
pub(super) fn distinct(inner: BoundAggregate, arguments: Vec<Type>) -> BoundAggregate {
    let state = Type::list(element_type(&arguments, &[]));
    let (result, strict) = (inner.result.clone(), inner.strict);
    let make = move || Box::new(Distinct::new(inner.clone(), &arguments)) as Box<dyn Accumulator>;
    BoundAggregate { result, states: vec![state], strict, make: Arc::new(make), sharing: None }
}

/// One element of a state: the arguments, the order keys, and the ordinal.
pub(super) fn element_type(arguments: &[Type], order: &[Type]) -> Type {
    let columns = arguments.iter().chain(order).chain([&Type::UInt64]);
    Type::Struct(columns.enumerate().map(|(index, ty)| Field::new(format!("c{index}"), ty.clone())).collect())
}

struct Distinct {
    inner: BoundAggregate,
    /// Distinct rows of the group and the arguments.
    table: GroupTable,
    /// Ordinal of the first row of each.
    firsts: Vec<u64>,
    entries: Vec<u32>,
    groups: usize,
    by_group: Option<ByGroup>,
    sealed: Option<Box<dyn Accumulator>>,
}

/// Group numbers as a column.
pub(super) fn group_view(groups: &[u32]) -> View<'_> {
    View {
        data_type: &Type::UInt32,
        length: groups.len(),
        encoding: Encoding::Flat,
        validity: None,
        data: Data::UInt32(groups),
    }
}

impl Distinct {
    fn new(inner: BoundAggregate, arguments: &[Type]) -> Self {
        let types: Vec<Type> = [&Type::UInt32].into_iter().chain(arguments).cloned().collect();
        Self {
            inner,
            table: GroupTable::new(&types),
            firsts: Vec::new(),
            entries: Vec::new(),
            groups: 0,
            by_group: None,
            sealed: None,
        }
    }

    fn add(
        &mut self,
        arguments: &[View<'_>],
        rows: Rows<'_>,
        groups: &[u32],
        ordinal_of: impl Fn(usize) -> u64,
    ) {
        self.sealed = None;
        self.by_group = None;
        let keys: Vec<View<'_>> = [group_view(groups)].iter().chain(arguments).copied().collect();
        self.table.assign(&keys, groups.len(), rows, &mut self.entries);
        self.firsts.extend(self.table.opened().iter().map(|&row| ordinal_of(row as usize)));
        rows.for_each(|row| {
            let first = &mut self.firsts[self.entries[row] as usize];
            *first = (*first).min(ordinal_of(row));
        });
    }

    /// Feeds the distinct rows to the wrapped aggregate.
    fn sealed(&mut self) -> Result<&mut Box<dyn Accumulator>> {
        if self.sealed.is_none() {
            let mut inner = (self.inner.make)();
            inner.resize(self.groups);
            let mut order: Vec<u32> = (0..self.firsts.len() as u32).collect();
            order.sort_by_key(|&entry| self.firsts[entry as usize]);
            feed(inner.as_mut(), self.table.keys(), &order)?;
            self.sealed = Some(inner);
        }
        match &mut self.sealed {
            Some(sealed) => Ok(sealed),
            None => Err(hypostyle_functions::Error::internal("distinct rows were not sealed")),
        }
    }
}

/// Gives rows `order` of the columns (group first, then arguments) to an aggregate, in this order.
pub(super) fn feed(inner: &mut dyn Accumulator, columns: &[Output], order: &[u32]) -> Result<()> {
    let bump = Bump::new();
    let views: Vec<View<'_>> = columns.iter().map(|column| column.view(&bump)).collect();
    let Some((groups, arguments)) = views.split_first() else { return Ok(()) };
    let groups = groups.fixed::<u32>();
    let ordered: Vec<u32> = order.iter().map(|&row| groups.get(row as usize)).collect();
    let outputs: Vec<Output> = arguments.iter().map(|view| gather(view, order)).collect();
    let arguments: Vec<View<'_>> = outputs.iter().map(|output| output.view(&bump)).collect();
    inner.update(&arguments, Rows::All(order.len()), &ordered, 0)
}

/// The rows of each group.
pub(super) struct ByGroup {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl ByGroup {
    pub fn new(groups: usize, rows: usize, group_of: impl Fn(usize) -> u32) -> Self {
        let mut starts = vec![0u32; groups + 1];
        (0..rows).for_each(|row| starts[group_of(row) as usize + 1] += 1);
        for group in 0..groups {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut ordered = vec![0u32; rows];
        for row in 0..rows {
            let place = &mut next[group_of(row) as usize];
            ordered[*place as usize] = row as u32;
            *place += 1;
        }
        Self { starts, rows: ordered }
    }

    fn of(&self, group: u32) -> &[u32] {
        &self.rows[self.starts[group as usize] as usize..self.starts[group as usize + 1] as usize]
    }
}

/// Writes, for each wanted group, the list of its rows: `columns` and the ordinal of each row.
pub(super) fn write_lists(
    wanted: &[u32],
    rows: &ByGroup,
    columns: &[View<'_>],
    ordinals: &[u64],
    output: &mut Output,
) {
    let mut lists = output.list();
    for (to, &group) in wanted.iter().enumerate() {
        let own = rows.of(group);
        let start = lists.start();
        let child = lists.child();
        child.grow(own.len());
        for (position, column) in columns.iter().enumerate() {
            let field = child.field(position);
            own.iter().enumerate().for_each(|(at, &row)| field.copy(start + at, column, row as usize));
        }
        let field = child.field(columns.len()).fixed::<u64>();
        own.iter().enumerate().for_each(|(at, &row)| field[start + at] = ordinals[row as usize]);
        lists.finish(to, start);
    }
}

/// The elements of lists as rows: their fields, the group of each element, and the elements that belong to a list.
pub(super) fn read_lists<'a>(lists: &View<'a>, groups: &[u32]) -> (Vec<View<'a>>, Vec<u32>, Vec<u32>) {
    let list = lists.list();
    let child = list.child();
    let fields = match child.data {
        Data::Struct(fields) => (0..fields.len()).map(|field| child.field(field)).collect(),
        _ => Vec::new(),
    };
    let mut element_groups = vec![0; child.length];
    let mut elements = Vec::new();
    for (row, &group) in groups.iter().enumerate() {
        for element in list.range(row) {
            element_groups[element] = group;
            elements.push(element as u32);
        }
    }
    elements.sort_unstable();
    (fields, element_groups, elements)
}

impl Accumulator for Distinct {
    fn resize(&mut self, groups: usize) {
        self.groups = groups;
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        self.add(arguments, rows, groups, |row| ordinal + row as u64);
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (fields, element_groups, elements) = read_lists(&states[0], groups);
        let Some((ordinals, arguments)) = fields.split_last() else { return Ok(()) };
        let ordinals = ordinals.fixed::<u64>();
        self.add(arguments, Rows::Selected(&elements), &element_groups, |row| ordinals.get(row));
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let bump = Bump::new();
        let views: Vec<View<'_>> = self.table.keys().iter().map(|key| key.view(&bump)).collect();
        let owners = views[0].fixed::<u32>();
        let rows = self
            .by_group
            .get_or_insert_with(|| ByGroup::new(self.groups, self.firsts.len(), |row| owners.get(row)));
        write_lists(groups, rows, &views[1..], &self.firsts, &mut output[0]);
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.sealed()?.finish(groups, output)
    }

    fn memory_bytes(&self) -> usize {
        let sealed = self.sealed.as_ref().map_or(0, |sealed| sealed.memory_bytes());
        self.table.memory_bytes() + self.firsts.capacity() * 8 + sealed
    }
}

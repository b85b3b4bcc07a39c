//! ORDER BY inside an aggregate: it sees the rows of each group in that order; ties in the input's order.

use std::sync::Arc;

use bumpalo::Bump;
use hypostyle_functions::Result;
use hypostyle_functions::aggregate::{Accumulator, BoundAggregate};
use hypostyle_functions::column::{Output, Rows, View};
use hypostyle_functions::types::Type;

use super::distinct::{ByGroup, element_type, feed, read_lists, write_lists};
use super::gather::gather;
use super::group_table::GroupTable;
use crate::operator::sort::{KeyOrder, SortKeys};

/// The aggregate over ordered rows, each argument row once per group if `is_distinct`. Its arguments are followed by
/// one column per order key.
pub(super) fn ordered(
    inner: BoundAggregate,
    arguments: Vec<Type>,
    order: Vec<KeyOrder>,
    is_distinct: bool,
) -> BoundAggregate {
    let order_types: Vec<Type> = order.iter().map(|key| key.data_type.clone()).collect();
    let state = Type::list(element_type(&arguments, &order_types));
    let (result, strict) = (inner.result.clone(), inner.strict);
    let make = move || {
        let columns = [&Type::UInt32].into_iter().chain(&arguments).chain(&order_types);
        Box::new(Ordered {
            inner: inner.clone(),
            arguments: arguments.len(),
            order: order.clone(),
            is_distinct,
            columns: columns.map(|data_type| Output::copying(data_type.clone())).collect(),
            ordinals: Vec::new(),
            groups: 0,
            by_group: None,
            sealed: None,
        }) as Box<dyn Accumulator>
    };
    BoundAggregate { result, states: vec![state], strict, make: Arc::new(make), sharing: None }
}

struct Ordered {
    inner: BoundAggregate,
    arguments: usize,
    order: Vec<KeyOrder>,
    is_distinct: bool,
    /// Group, arguments and order keys of every row.
    columns: Vec<Output>,
    ordinals: Vec<u64>,
    groups: usize,
    by_group: Option<ByGroup>,
    sealed: Option<Box<dyn Accumulator>>,
}

impl Ordered {
    fn add(&mut self, given: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal_of: impl Fn(usize) -> u64) {
        self.sealed = None;
        self.by_group = None;
        let start = self.ordinals.len();
        self.ordinals.extend(rows.iter().map(&ordinal_of));
        let (owners, columns) = self.columns.split_at_mut(1);
        owners[0].grow(rows.count());
        let owners = owners[0].fixed::<u32>();
        rows.iter().enumerate().for_each(|(at, row)| owners[start + at] = groups[row]);
        for (column, view) in columns.iter_mut().zip(given) {
            column.grow(rows.count());
            rows.iter().enumerate().for_each(|(at, row)| column.copy(start + at, view, row));
        }
    }

    /// The rows in the order of the keys; of equal argument rows of a group, the first if `is_distinct`.
    fn sorted(&self) -> Vec<u32> {
        let bump = Bump::new();
        let views: Vec<View<'_>> = self.columns.iter().map(|column| column.view(&bump)).collect();
        let mut keys = SortKeys::new(&self.order);
        keys.extend(&views[1 + self.arguments..], self.ordinals.len(), |row| self.ordinals[row]);
        let order = keys.sorted();
        if !self.is_distinct {
            return order;
        }
        let bump = Bump::new();
        let kept: Vec<Output> = views[..=self.arguments].iter().map(|view| gather(view, &order)).collect();
        let kept: Vec<View<'_>> = kept.iter().map(|column| column.view(&bump)).collect();
        let types: Vec<Type> = kept.iter().map(|view| view.data_type.clone()).collect();
        let mut table = GroupTable::new(&types);
        table.assign(&kept, order.len(), Rows::All(order.len()), &mut Vec::new());
        let mut firsts = table.opened().to_vec();
        firsts.sort_unstable();
        firsts.into_iter().map(|position| order[position as usize]).collect()
    }

    fn sealed(&mut self) -> Result<&mut Box<dyn Accumulator>> {
        if self.sealed.is_none() {
            let mut inner = (self.inner.make)();
            inner.resize(self.groups);
            feed(inner.as_mut(), &self.columns[..=self.arguments], &self.sorted())?;
            self.sealed = Some(inner);
        }
        match &mut self.sealed {
            Some(sealed) => Ok(sealed),
            None => Err(hypostyle_functions::Error::internal("ordered rows were not sealed")),
        }
    }
}

impl Accumulator for Ordered {
    fn resize(&mut self, groups: usize) {
        self.groups = groups;
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], ordinal: u64) -> Result<()> {
        self.add(arguments, rows, groups, |row| ordinal + row as u64);
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (fields, element_groups, elements) = read_lists(&states[0], groups);
        let Some((ordinals, columns)) = fields.split_last() else { return Ok(()) };
        let ordinals = ordinals.fixed::<u64>();
        self.add(columns, Rows::Selected(&elements), &element_groups, |row| ordinals.get(row));
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        let bump = Bump::new();
        let views: Vec<View<'_>> = self.columns.iter().map(|column| column.view(&bump)).collect();
        let owners = views[0].fixed::<u32>();
        let rows = self
            .by_group
            .get_or_insert_with(|| ByGroup::new(self.groups, self.ordinals.len(), |row| owners.get(row)));
        write_lists(groups, rows, &views[1..], &self.ordinals, &mut output[0]);
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        self.sealed()?.finish(groups, output)
    }

    fn memory_bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Output::memory_bytes).sum();
        let sealed = self.sealed.as_ref().map_or(0, |sealed| sealed.memory_bytes());
        columns + self.ordinals.capacity() * 8 + sealed
    }
}

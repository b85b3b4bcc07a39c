//! The columns and inputs of each relation.

use std::collections::{BTreeMap, HashSet};

use hypostyle_engine::plan::{AggregateCall, Expression, JoinKind};
use hypostyle_functions::Type;

use crate::logical::{Column, Relation};

impl Relation {
    /// Columns of the output, in order.
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::Scan(scan) => scan.columns.iter().map(|(column, _)| column.clone()).collect(),
            Self::Values { columns, .. }
            | Self::Union { columns, .. }
            | Self::Recursive { columns, .. }
            | Self::WorkTable { columns, .. } => columns.clone(),
            Self::Positional { left, right } => {
                let mut columns = left.columns();
                columns.extend(right.columns());
                columns
            }
            Self::Filter { input, .. }
            | Self::Limit { input, .. }
            | Self::Sort { input, .. }
            | Self::Repeat { input, .. }
            | Self::Sample { input, .. }
            | Self::ComputedLimit { input, .. }
            | Self::SingleRow { input } => input.columns(),
            Self::Project { columns, .. } => columns.iter().map(|computed| computed.column.clone()).collect(),
            Self::Aggregate { keys, sets, aggregates, .. } => {
                let keys = keys.iter().map(|key| key.column.clone());
                let calls = aggregates.iter().map(|(column, _)| column.clone());
                keys.chain(calls).chain(sets.iter().map(|sets| sets.id.clone())).collect()
            }
            Self::Join(join) => joined(&join.left, &join.right, join.kind, join.mark.as_ref()),
            Self::AsOf(join) => joined(&join.left, &join.right, join.kind, None),
            Self::Unnest { input, lists, .. } => {
                let mut columns = input.columns();
                columns.extend(lists.iter().map(|list| list.column.clone()));
                columns
            }
            Self::Window { input, columns, .. } => {
                let mut all = input.columns();
                all.extend(columns.iter().cloned());
                all
            }
            Self::Shared { input, .. } => input.columns(),
            Self::SharedRows(shared) => shared.columns.iter().map(|(column, _)| column.clone()).collect(),
            Self::Write { count, .. } => vec![count.clone()],
        }
    }

    /// True if the column of this number comes out.
    pub fn has_column(&self, id: usize) -> bool {
        match self {
            Self::Filter { input, .. }
            | Self::Limit { input, .. }
            | Self::Sort { input, .. }
            | Self::Repeat { input, .. }
            | Self::Sample { input, .. }
            | Self::ComputedLimit { input, .. }
            | Self::Shared { input, .. }
            | Self::SingleRow { input } => input.has_column(id),
            _ => self.columns().iter().any(|column| column.id == id),
        }
    }

    /// The inputs, in order.
    pub fn inputs(&self) -> Vec<&Relation> {
        match self {
            Self::Scan(_) | Self::Values { .. } | Self::WorkTable { .. } | Self::SharedRows(_) => Vec::new(),
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Limit { input, .. }
            | Self::Sort { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Unnest { input, .. }
            | Self::Window { input, .. }
            | Self::Repeat { input, .. }
            | Self::Sample { input, .. }
            | Self::SingleRow { input }
            | Self::Write { input, .. } => vec![input],
            Self::Join(join) => vec![&join.left, &join.right],
            Self::Positional { left, right } => vec![left, right],
            Self::ComputedLimit { input, amounts } => vec![input, amounts],
            Self::Recursive { initial, step, .. } => vec![initial, step],
            Self::AsOf(join) => vec![&join.left, &join.right],
            Self::Union { inputs, .. } => inputs.iter().collect(),
            Self::Shared { definition, input, .. } => vec![definition, input],
        }
    }

    /// The inputs, in order, for rewriting.
    pub fn inputs_mut(&mut self) -> Vec<&mut Relation> {
        match self {
            Self::Scan(_) | Self::Values { .. } | Self::WorkTable { .. } | Self::SharedRows(_) => Vec::new(),
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Limit { input, .. }
            | Self::Sort { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Unnest { input, .. }
            | Self::Window { input, .. }
            | Self::Repeat { input, .. }
            | Self::Sample { input, .. }
            | Self::SingleRow { input }
            | Self::Write { input, .. } => vec![input],
            Self::Join(join) => vec![&mut join.left, &mut join.right],
            Self::Positional { left, right } => vec![left, right],
            Self::ComputedLimit { input, amounts } => vec![input, amounts],
            Self::Recursive { initial, step, .. } => vec![initial, step],
            Self::AsOf(join) => vec![&mut join.left, &mut join.right],
            Self::Union { inputs, .. } => inputs.iter_mut().collect(),
            Self::Shared { definition, input, .. } => vec![definition, input],
        }
    }

    /// The expressions of this relation itself.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Limit { .. }
            | Self::Union { .. }
            | Self::SingleRow { .. }
            | Self::Sample { .. }
            | Self::ComputedLimit { .. }
            | Self::Positional { .. }
            | Self::Recursive { .. }
            | Self::WorkTable { .. }
            | Self::Shared { .. }
            | Self::SharedRows(_)
            | Self::Write { .. } => Vec::new(),
            Self::Repeat { count, .. } => vec![count],
            Self::Scan(scan) => scan.filters.iter().collect(),
            Self::Values { rows, .. } => rows.iter().flatten().collect(),
            Self::Filter { predicates, .. } => predicates.iter().collect(),
            Self::Project { columns, .. } => columns.iter().map(|computed| &computed.expression).collect(),
            Self::Unnest { lists, .. } => lists.iter().map(|computed| &computed.expression).collect(),
            Self::Sort { keys, .. } => keys.iter().map(|key| &key.expression).collect(),
            Self::Window { window, .. } => window.expressions(),
            Self::Aggregate { keys, aggregates, .. } => {
                let keys = keys.iter().map(|key| &key.expression);
                keys.chain(aggregates.iter().flat_map(|(_, call)| call_expressions(call))).collect()
            }
            Self::Join(join) => {
                let keys = join.keys.iter().flat_map(|key| [&key.left, &key.right]);
                keys.chain(&join.residual).collect()
            }
            Self::AsOf(join) => join.expressions(),
        }
    }

    /// The columns that this relation itself names: what it reads from a table, computes, or passes on under a new name.
    pub fn defined_mut(&mut self) -> Vec<&mut Column> {
        match self {
            Self::Filter { .. }
            | Self::Limit { .. }
            | Self::Sort { .. }
            | Self::Repeat { .. }
            | Self::Sample { .. }
            | Self::ComputedLimit { .. }
            | Self::Positional { .. }
            | Self::AsOf(_)
            | Self::Shared { .. }
            | Self::SingleRow { .. } => Vec::new(),
            Self::SharedRows(shared) => shared.columns.iter_mut().map(|(column, _)| column).collect(),
            Self::Scan(scan) => {
                let all = scan.columns.iter_mut().chain(&mut scan.filter_columns);
                all.map(|(column, _)| column).collect()
            }
            Self::Values { columns, .. }
            | Self::Union { columns, .. }
            | Self::Recursive { columns, .. }
            | Self::Window { columns, .. }
            | Self::WorkTable { columns, .. } => columns.iter_mut().collect(),
            Self::Project { columns, .. } => {
                columns.iter_mut().map(|computed| &mut computed.column).collect()
            }
            Self::Unnest { lists, .. } => lists.iter_mut().map(|list| &mut list.column).collect(),
            Self::Aggregate { keys, sets, aggregates, .. } => {
                let keys = keys.iter_mut().map(|key| &mut key.column);
                let calls = aggregates.iter_mut().map(|(column, _)| column);
                keys.chain(calls).chain(sets.iter_mut().map(|sets| &mut sets.id)).collect()
            }
            Self::Join(join) => join.mark.iter_mut().collect(),
            Self::Write { columns, count, .. } => columns.iter_mut().chain([count]).collect(),
        }
    }

    /// Columns that expressions in this relation read and no relation in it gives: of a subquery, those of the queries
    /// around it.
    pub fn outer_columns(&self) -> BTreeMap<usize, Type> {
        let mut outer = BTreeMap::new();
        self.gather_outer(&mut outer);
        outer
    }

    fn gather_outer(&self, outer: &mut BTreeMap<usize, Type>) {
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            let inputs = self.inputs();
            let mut read = BTreeMap::new();
            for expression in self.expressions() {
                expression.walk(&mut |part| {
                    if let Expression::Column { index, data_type } = part {
                        read.entry(*index).or_insert_with(|| data_type.clone());
                    }
                });
            }
            if !read.is_empty() {
                let mut given: HashSet<usize> = HashSet::new();
                inputs.iter().for_each(|input| {
                    given.extend(input.columns().iter().map(|column| column.id));
                });
                if let Self::Scan(scan) = self {
                    let own = scan.columns.iter().chain(&scan.filter_columns);
                    given.extend(own.map(|(column, _)| column.id));
                }
                outer.extend(read.into_iter().filter(|(id, _)| !given.contains(id)));
            }
            inputs.into_iter().for_each(|input| input.gather_outer(outer));
        });
    }

    /// The expressions of this relation itself, for rewriting.
    pub fn expressions_mut(&mut self) -> Vec<&mut Expression> {
        match self {
            Self::Limit { .. }
            | Self::Union { .. }
            | Self::SingleRow { .. }
            | Self::Sample { .. }
            | Self::ComputedLimit { .. }
            | Self::Positional { .. }
            | Self::Recursive { .. }
            | Self::WorkTable { .. }
            | Self::Shared { .. }
            | Self::SharedRows(_)
            | Self::Write { .. } => Vec::new(),
            Self::Repeat { count, .. } => vec![count],
            Self::Scan(scan) => scan.filters.iter_mut().collect(),
            Self::Values { rows, .. } => rows.iter_mut().flatten().collect(),
            Self::Filter { predicates, .. } => predicates.iter_mut().collect(),
            Self::Project { columns, .. } => {
                columns.iter_mut().map(|computed| &mut computed.expression).collect()
            }
            Self::Unnest { lists, .. } => lists.iter_mut().map(|computed| &mut computed.expression).collect(),
            Self::Sort { keys, .. } => keys.iter_mut().map(|key| &mut key.expression).collect(),
            Self::Window { window, .. } => window.expressions_mut(),
            Self::Aggregate { keys, aggregates, .. } => {
                let keys = keys.iter_mut().map(|key| &mut key.expression);
                let calls = aggregates.iter_mut().flat_map(|(_, call)| {
                    let order = call.order.iter_mut().map(|key| &mut key.expression);
                    call.arguments.iter_mut().chain(call.filter.as_mut()).chain(order)
                });
                keys.chain(calls).collect()
            }
            Self::Join(join) => {
                let keys = join.keys.iter_mut().flat_map(|key| [&mut key.left, &mut key.right]);
                keys.chain(join.residual.iter_mut()).collect()
            }
            Self::AsOf(join) => join.expressions_mut(),
        }
    }

    /// Calls `visit` on every relation below this one and then on itself.
    pub fn walk_mut(&mut self, visit: &mut impl FnMut(&mut Relation)) {
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            self.inputs_mut().into_iter().for_each(|input| input.walk_mut(visit));
            visit(self);
        });
    }
}

fn call_expressions(call: &AggregateCall) -> impl Iterator<Item = &Expression> {
    let order = call.order.iter().map(|key| &key.expression);
    call.arguments.iter().chain(&call.filter).chain(order)
}

/// Columns of a join of this kind.
fn joined(left: &Relation, right: &Relation, kind: JoinKind, mark: Option<&Column>) -> Vec<Column> {
    let mut columns = left.columns();
    match kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::LeftSingle => {
            columns.extend(right.columns());
        }
        JoinKind::RightSemi | JoinKind::RightAnti => columns = right.columns(),
        _ => columns.extend(mark.cloned()),
    }
    columns
}

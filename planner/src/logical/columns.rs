//! The columns and inputs of each relation.

use hypostyle_engine::plan::{Expression, JoinKind};

use crate::logical::{Column, Relation};

impl Relation {
    /// Columns of the output, in order.
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::Scan(scan) => scan.columns.iter().map(|(column, _)| column.clone()).collect(),
            Self::Values { columns, .. } | Self::Union { columns, .. } => columns.clone(),
            Self::Filter { input, .. }
            | Self::Limit { input, .. }
            | Self::Sort { input, .. }
            | Self::SingleRow { input } => input.columns(),
            Self::Project { columns, .. } => columns.iter().map(|computed| computed.column.clone()).collect(),
            Self::Aggregate { keys, aggregates, .. } => {
                let keys = keys.iter().map(|key| key.column.clone());
                keys.chain(aggregates.iter().map(|(column, _)| column.clone())).collect()
            }
            Self::Join(join) => {
                let mut columns = join.left.columns();
                match join.kind {
                    JoinKind::Inner
                    | JoinKind::Left
                    | JoinKind::Right
                    | JoinKind::Full
                    | JoinKind::LeftSingle => columns.extend(join.right.columns()),
                    _ => columns.extend(join.mark.clone()),
                }
                columns
            }
            Self::Unnest { input, lists, .. } => {
                let mut columns = input.columns();
                columns.extend(lists.iter().map(|list| list.column.clone()));
                columns
            }
            Self::Write { count, .. } => vec![count.clone()],
        }
    }

    /// True if the column of this number comes out.
    pub fn has_column(&self, id: usize) -> bool {
        match self {
            Self::Filter { input, .. }
            | Self::Limit { input, .. }
            | Self::Sort { input, .. }
            | Self::SingleRow { input } => input.has_column(id),
            _ => self.columns().iter().any(|column| column.id == id),
        }
    }

    /// The inputs, in order.
    pub fn inputs(&self) -> Vec<&Relation> {
        match self {
            Self::Scan(_) | Self::Values { .. } => Vec::new(),
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Limit { input, .. }
            | Self::Sort { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Unnest { input, .. }
            | Self::SingleRow { input }
            | Self::Write { input, .. } => vec![input],
            Self::Join(join) => vec![&join.left, &join.right],
            Self::Union { inputs, .. } => inputs.iter().collect(),
        }
    }

    /// The inputs, in order, for rewriting.
    pub fn inputs_mut(&mut self) -> Vec<&mut Relation> {
        match self {
            Self::Scan(_) | Self::Values { .. } => Vec::new(),
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Limit { input, .. }
            | Self::Sort { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Unnest { input, .. }
            | Self::SingleRow { input }
            | Self::Write { input, .. } => vec![input],
            Self::Join(join) => vec![&mut join.left, &mut join.right],
            Self::Union { inputs, .. } => inputs.iter_mut().collect(),
        }
    }

    /// The expressions of this relation itself, for rewriting.
    pub fn expressions_mut(&mut self) -> Vec<&mut Expression> {
        match self {
            Self::Limit { .. } | Self::Union { .. } | Self::SingleRow { .. } | Self::Write { .. } => {
                Vec::new()
            }
            Self::Scan(scan) => scan.filters.iter_mut().collect(),
            Self::Values { rows, .. } => rows.iter_mut().flatten().collect(),
            Self::Filter { predicates, .. } => predicates.iter_mut().collect(),
            Self::Project { columns, .. } => {
                columns.iter_mut().map(|computed| &mut computed.expression).collect()
            }
            Self::Unnest { lists, .. } => lists.iter_mut().map(|computed| &mut computed.expression).collect(),
            Self::Sort { keys, .. } => keys.iter_mut().map(|key| &mut key.expression).collect(),
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

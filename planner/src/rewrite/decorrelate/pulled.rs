//! A relation without outer columns, and what ties its rows to the rows around it.

use std::collections::{BTreeMap, HashSet};

use hypostyle_engine::plan::Expression;
use hypostyle_functions::Type;

use super::Decorrelator;
use crate::logical::{Column, Computed, Relation};
use crate::rewrite::substitute::{Values, values};

/// For an outer row, the rows of the original relation are those of `relation` that fulfil `conditions`, with the
/// columns of `computed` beside those of `relation`.
pub(super) struct Pulled {
    /// Reads no outer column.
    pub relation: Relation,
    /// Over outer columns and those of `relation`.
    pub conditions: Vec<Expression>,
    /// Columns that can only be computed beside the outer row.
    pub computed: Vec<Computed>,
    /// True if there is exactly one row for each outer row: where none fulfils the conditions, one whose columns of
    /// `relation` are null.
    pub always_one: bool,
    /// True if there is never more than one row.
    pub at_most_one: bool,
}

impl Pulled {
    /// A relation that does not depend on the outer row.
    pub fn independent(relation: Relation) -> Self {
        Self { relation, conditions: Vec::new(), computed: Vec::new(), always_one: false, at_most_one: false }
    }

    /// What the computed columns stand for.
    pub fn values(&self) -> Values<'_> {
        values(&self.computed)
    }

    /// The columns of `relation` that something outside of it reads.
    pub fn needed(&self) -> HashSet<usize> {
        let computed = self.computed.iter().map(|computed| &computed.expression);
        let columns = self.conditions.iter().chain(computed).flat_map(Expression::columns);
        columns.filter(|id| self.relation.has_column(*id)).collect()
    }

    /// The columns of `relation` of these numbers.
    pub fn columns_of(&self, ids: &HashSet<usize>) -> Vec<Column> {
        self.relation.columns().into_iter().filter(|column| ids.contains(&column.id)).collect()
    }
}

/// True for the relation of SELECT without FROM.
pub(super) fn is_one_row(relation: &Relation) -> bool {
    matches!(relation, Relation::Values { columns, rows } if columns.is_empty() && rows.len() == 1)
}

impl Decorrelator<'_> {
    /// The outer columns that expressions read, with their types.
    pub(super) fn outer_of<'e>(
        &self,
        expressions: impl Iterator<Item = &'e Expression>,
    ) -> BTreeMap<usize, Type> {
        let mut outer = BTreeMap::new();
        for expression in expressions {
            expression.walk(&mut |part| {
                if let Expression::Column { index, data_type } = part
                    && self.is_outer(*index)
                {
                    outer.entry(*index).or_insert_with(|| data_type.clone());
                }
            });
        }
        outer
    }

    /// The outer columns that a relation reads, with their types.
    pub(super) fn outer_of_relation(&self, relation: &Relation) -> BTreeMap<usize, Type> {
        let read = relation.outer_columns().into_iter();
        read.filter(|(id, _)| self.is_outer(*id)).collect()
    }
}

//! The as-of join of the logical plan.

use std::collections::HashSet;

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind, OrderCondition, SortKey};

use crate::logical::Relation;

/// Each left row with the nearest right row; the engine's `AsofJoin` tells the rules.
#[derive(Debug, Clone)]
pub struct AsOf {
    /// The rows that look for their nearest; their order is the order of the output.
    pub left: Box<Relation>,
    /// The rows that are looked for.
    pub right: Box<Relation>,
    /// Which rows come out.
    pub kind: JoinKind,
    /// Pairs of keys.
    pub keys: Vec<JoinKey>,
    /// The order.
    pub order: OrderCondition,
    /// The farthest order value that counts, over the left side.
    pub limit: Option<Expression>,
    /// Order among right rows of one order value.
    pub ties: Vec<SortKey>,
    /// Right columns that take the nearest value that is not null.
    pub last_not_null: Vec<Expression>,
    /// Conjuncts that read both sides.
    pub residual: Vec<Expression>,
}

impl AsOf {
    /// The expressions.
    pub(super) fn expressions(&self) -> Vec<&Expression> {
        let keys = self.keys.iter().flat_map(|key| [&key.left, &key.right]);
        let ties = self.ties.iter().map(|key| &key.expression);
        keys.chain([&self.order.left, &self.order.right])
            .chain(&self.limit)
            .chain(ties)
            .chain(&self.last_not_null)
            .chain(&self.residual)
            .collect()
    }

    /// The expressions, for rewriting.
    pub(super) fn expressions_mut(&mut self) -> Vec<&mut Expression> {
        let keys = self.keys.iter_mut().flat_map(|key| [&mut key.left, &mut key.right]);
        let ties = self.ties.iter_mut().map(|key| &mut key.expression);
        keys.chain([&mut self.order.left, &mut self.order.right])
            .chain(self.limit.as_mut())
            .chain(ties)
            .chain(&mut self.last_not_null)
            .chain(&mut self.residual)
            .collect()
    }

    /// Numbers of the columns that the left and the right side have to give, beside those that are `wanted`.
    pub fn read(&self, wanted: &HashSet<usize>) -> (HashSet<usize>, HashSet<usize>) {
        let (mut left, mut right) = (wanted.clone(), wanted.clone());
        for key in &self.keys {
            left.extend(key.left.columns());
            right.extend(key.right.columns());
        }
        left.extend(self.order.left.columns());
        right.extend(self.order.right.columns());
        self.limit.iter().for_each(|limit| left.extend(limit.columns()));
        self.ties.iter().for_each(|key| right.extend(key.expression.columns()));
        for condition in &self.residual {
            left.extend(condition.columns());
            right.extend(condition.columns());
        }
        (left, right)
    }
}

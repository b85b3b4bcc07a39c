//! Joins inside a subquery that depend on its outer row, on one side, on both, or in their condition.

use std::collections::BTreeMap;

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind};
use hypostyle_functions::Type;

use super::domain::with_computed;
use super::pull::values_of;
use super::pulled::{Pulled, is_one_row};
use super::{Decorrelator, equality, joined, terms};
use crate::error::Result;
use crate::logical::{Computed, Join, Relation};
use crate::rewrite::substitute::{Values, substitute};

impl Decorrelator<'_> {
    pub(super) fn pull_join(&mut self, join: Join) -> Result<Pulled> {
        match join.kind {
            JoinKind::Inner => self.pull_inner(join),
            JoinKind::Full => self.pull_full(join),
            JoinKind::Right => {
                let keys = join.keys.into_iter();
                let keys = keys.map(|key| JoinKey {
                    left: key.right,
                    right: key.left,
                    nulls_match: key.nulls_match,
                });
                let kind = JoinKind::Left;
                let (left, right, keys) = (join.right, join.left, keys.collect());
                self.pull_left(Join { left, right, kind, keys, residual: join.residual, mark: None })
            }
            _ => self.pull_left(join),
        }
    }

    /// Conditions of both sides and of the join itself can all stand above an inner join.
    fn pull_inner(&mut self, mut join: Join) -> Result<Pulled> {
        let mut left = self.pull(std::mem::replace(&mut *join.left, crate::logical::one_row()))?;
        let is_bare = join.keys.is_empty() && join.residual.is_empty();
        if is_bare && is_one_row(&left.relation) && left.conditions.is_empty() && left.computed.is_empty() {
            return self.pull(*join.right);
        }
        if left.always_one {
            left = self.ground(left, BTreeMap::new())?;
        }
        let needed = self.outer_of_relation(&join.right);
        if let Some(known) = self.known(&left, &needed) {
            return self.over_known_left(join, left, &known);
        }
        let mut right = self.pull(*join.right)?;
        if right.always_one {
            right = self.ground(right, BTreeMap::new())?;
        }
        let computed: Vec<Computed> = left.computed.into_iter().chain(right.computed).collect();
        let values = crate::rewrite::substitute::values(&computed);
        let own: Vec<Expression> =
            terms(join.keys, join.residual).into_iter().map(|term| substitute(term, &values)).collect();
        let (outer, inner): (Vec<_>, Vec<_>) = own.into_iter().partition(|term| self.reads_outer(term));
        let conditions = left.conditions.into_iter().chain(right.conditions).chain(outer).collect();
        Ok(Pulled {
            relation: joined(left.relation, right.relation, JoinKind::Inner, inner),
            conditions,
            computed,
            always_one: false,
            at_most_one: left.at_most_one && right.at_most_one,
        })
    }

    /// Outer joins and joins by existence: the left side's conditions can stand above, nothing else.
    fn pull_left(&mut self, mut join: Join) -> Result<Pulled> {
        let mut left = self.pull(std::mem::replace(&mut *join.left, crate::logical::one_row()))?;
        if left.always_one {
            left = self.ground(left, BTreeMap::new())?;
        }
        let mut needed = self.outer_of_relation(&join.right);
        {
            let values = left.values();
            for expression in own_expressions(&mut join) {
                *expression = substitute(expression.clone(), &values);
            }
        }
        let own: Vec<Expression> = own_expressions(&mut join).into_iter().map(|part| part.clone()).collect();
        needed.extend(self.outer_of(own.iter()));
        if needed.is_empty() {
            let relation = Relation::Join(Join { left: Box::new(left.relation), ..join });
            return Ok(Pulled { relation, at_most_one: false, ..left });
        }
        if let Some(known) = self.known(&left, &needed) {
            return self.over_known_left(join, left, &known);
        }
        let left = self.ground(left, needed)?;
        let known = self.ties(&left);
        self.over_known_left(join, left, &known)
    }

    /// Where the left side has columns equal to the outer ones, the right side reads these: the join depends on nothing
    /// but its own left side.
    fn over_known_left(
        &mut self,
        mut join: Join,
        left: Pulled,
        known: &[(usize, Expression)],
    ) -> Result<Pulled> {
        let values = values_of(known);
        let computed = left.values();
        for expression in own_expressions(&mut join) {
            *expression = substitute(substitute(expression.clone(), &computed), &values);
        }
        drop(computed);
        join.right.walk_mut(&mut |part| {
            for expression in part.expressions_mut() {
                *expression = substitute(expression.clone(), &values);
            }
        });
        // Only an inner join comes here with conditions of its own that read outer columns still.
        let mut conditions = left.conditions;
        if join.kind == JoinKind::Inner {
            let own = terms(std::mem::take(&mut join.keys), std::mem::take(&mut join.residual));
            let (outer, inner): (Vec<_>, Vec<_>) = own.into_iter().partition(|term| self.reads_outer(term));
            conditions.extend(outer);
            (join.keys, join.residual) = crate::bind::split_keys(inner, &left.relation, &join.right);
        }
        join.left = Box::new(left.relation);
        let relation = self.dependent_join(join)?;
        let (computed, always_one) = (left.computed, false);
        Ok(Pulled { relation, conditions, computed, always_one, at_most_one: false })
    }

    /// What the left side says that all of these outer columns equal; `None` if it is silent on one.
    fn known(&self, left: &Pulled, needed: &BTreeMap<usize, Type>) -> Option<Vec<(usize, Expression)>> {
        if needed.is_empty() {
            return None;
        }
        let mut ties = self.ties(left);
        ties.retain(|(id, _)| needed.contains_key(id));
        needed.keys().all(|id| ties.iter().any(|(outer, _)| outer == id)).then_some(ties)
    }

    /// Each side of a full join gets the outer values; a row has them from the side that it has.
    fn pull_full(&mut self, join: Join) -> Result<Pulled> {
        let own = terms(join.keys, join.residual);
        let mut needed = self.outer_of_relation(&join.left);
        needed.extend(self.outer_of_relation(&join.right));
        needed.extend(self.outer_of(own.iter()));
        let left = self.pull(*join.left)?;
        let left = self.ground(left, needed.clone())?;
        let right = self.pull(*join.right)?;
        let right = self.ground(right, needed.clone())?;
        let (left_ties, right_ties) = (self.ties(&left), self.ties(&right));
        let values: Values<'_> = values_of(&left_ties);
        let mut conditions: Vec<Expression> = own.into_iter().map(|term| substitute(term, &values)).collect();
        let mut computed = Vec::with_capacity(needed.len());
        let mut ties = Vec::with_capacity(needed.len());
        for (id, data_type) in needed {
            let side = |pairs: &[(usize, Expression)]| {
                pairs.iter().find(|(outer, _)| *outer == id).map(|(_, inner)| inner.clone())
            };
            let (Some(left), Some(right)) = (side(&left_ties), side(&right_ties)) else {
                return Err(crate::error::Error::internal(format!("outer column #{id} is on one side only")));
            };
            conditions.push(equality(left.clone(), right.clone(), true));
            let column = self.numbering.column("outer", data_type.clone());
            ties.push(equality(Expression::column(id, data_type.clone()), column.read(), true));
            let expression = Expression::Coalesce { arguments: vec![left, right], data_type };
            computed.push(Computed { column, expression });
        }
        let relation = joined(left.relation, right.relation, JoinKind::Full, conditions);
        Ok(Pulled { conditions: ties, ..Pulled::independent(with_computed(relation, computed)) })
    }
}

/// The expressions of a join itself.
fn own_expressions(join: &mut Join) -> Vec<&mut Expression> {
    let keys = join.keys.iter_mut().flat_map(|key| [&mut key.left, &mut key.right]);
    keys.chain(&mut join.residual).collect()
}

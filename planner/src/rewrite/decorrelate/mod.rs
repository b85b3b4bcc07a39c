//! Dependent joins: the right side reads columns of the left one, as correlated subqueries and LATERAL do.
//!
//! No row of the left side is ever handed to the right side on its own. Instead the conditions that tie both sides
//! together are pulled up through the right side until they stand at the join ([`Pulled`]), which is then an ordinary
//! one:
//!
//! - A filter that compares with an outer column leaves the subquery and becomes a condition of the join.
//! - Through a grouping only equalities can pass: the inner side of each becomes one more key. A grouping without keys
//!   gives a row even where there is nothing to group, so its join is an outer one and counts become 0.
//! - What cannot pass is *grounded* ([`Decorrelator::ground`]): the right side is joined with the distinct outer values,
//!   the *domain*, whose columns then stand for the outer ones. The outer values are left to be compared with the domain's.
//!
//! This is the unnesting of Neumann and Kemper ("Unnesting arbitrary queries", 2015), with the domain introduced only
//! where a relation asks for it, as in Neumann's "Improving unnesting of complex queries" (2025).

mod aggregate;
mod domain;
mod existence;
mod grouping_sets;
mod inline;
mod join;
mod limit;
mod pairs;
mod pull;
mod pulled;

use std::collections::HashSet;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::{Expression, JoinKey, JoinKind};
use hypostyle_functions::Type;

use crate::bind::{operator, split_keys};
use crate::error::{Error, Result};
use crate::logical::{Join, Numbering, Relation, one_row};
use crate::span::Span;

/// Turns dependent joins into ordinary ones.
pub struct Decorrelator<'a> {
    numbering: &'a mut Numbering,
    context: &'a Arc<Context>,
    /// The left side of each dependent join being rewritten, innermost last.
    outer: Vec<Outer>,
}

/// The left side of a dependent join.
struct Outer {
    relation: Relation,
    ids: HashSet<usize>,
}

impl<'a> Decorrelator<'a> {
    /// A rewrite that numbers new columns with `numbering`.
    pub fn new(numbering: &'a mut Numbering, context: &'a Arc<Context>) -> Self {
        Self { numbering, context, outer: Vec::new() }
    }

    /// The ordinary relation of the same rows as a join whose right side reads columns of the left one. It has the
    /// columns of the join, and perhaps more.
    ///
    /// # Errors
    /// A right or full join, whose right side cannot depend on the left one.
    pub fn dependent_join(&mut self, mut join: Join) -> Result<Relation> {
        if matches!(join.kind, JoinKind::Inner | JoinKind::Left) {
            if let Some(inlined) = inline::inline(&mut join) {
                return Ok(inlined);
            }
            if join.keys.is_empty()
                && join.residual.is_empty()
                && let Relation::SingleRow { input } = &mut *join.right
            {
                let input = std::mem::replace(&mut **input, one_row());
                join.right = Box::new(input);
                join.kind = JoinKind::LeftSingle;
            }
        }
        if join.keys.is_empty() && join.residual.is_empty() && is_existence(join.kind) {
            existence::reduce(&mut join.right);
        }
        let right = std::mem::replace(&mut *join.right, one_row());
        let ids = join.left.columns().into_iter().map(|column| column.id).collect();
        self.outer.push(Outer { relation: (*join.left).clone(), ids });
        let pulled = self.pull(right);
        let relation = pulled.and_then(|pulled| match join.kind {
            JoinKind::Inner | JoinKind::Left | JoinKind::LeftSingle => self.pairs(join, pulled),
            kind if is_existence(kind) => self.existence(join, pulled),
            _ => Err(Error::unsupported(
                "RIGHT and FULL joins with a table that reads columns of the left one are",
                Span::NONE,
            )),
        });
        self.outer.pop();
        relation
    }

    /// True if the column belongs to the left side of the dependent join being rewritten.
    fn is_outer(&self, id: usize) -> bool {
        self.outer.last().is_some_and(|outer| outer.ids.contains(&id))
    }

    fn reads_outer(&self, expression: &Expression) -> bool {
        expression.columns().into_iter().any(|id| self.is_outer(id))
    }

    /// An equality of an expression of outer columns alone with one of inner columns alone: outer, inner, and whether
    /// null equals null.
    fn key_pair(&self, condition: &Expression) -> Option<(Expression, Expression, bool)> {
        let (left, right, nulls_match) = crate::bind::equality_of(condition)?;
        let is_outer = |side: &Expression| {
            let columns = side.columns();
            !columns.is_empty() && columns.into_iter().all(|id| self.is_outer(id))
        };
        let is_inner = |side: &Expression| !side.columns().is_empty() && !self.reads_outer(side);
        if is_outer(left) && is_inner(right) {
            Some((left.clone(), right.clone(), nulls_match))
        } else if is_outer(right) && is_inner(left) {
            Some((right.clone(), left.clone(), nulls_match))
        } else {
            None
        }
    }
}

/// Kinds of which left rows come out by whether they have a match.
fn is_existence(kind: JoinKind) -> bool {
    matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::LeftAntiNullAware | JoinKind::LeftMark)
}

fn equality(left: Expression, right: Expression, nulls_match: bool) -> Expression {
    let function = if nulls_match { operator::IS_NOT_DISTINCT } else { operator::EQUAL };
    Expression::call(function, vec![left, right], Type::Boolean)
}

/// The conditions of a join as expressions.
fn terms(keys: Vec<JoinKey>, residual: Vec<Expression>) -> Vec<Expression> {
    let keys = keys.into_iter().map(|key| equality(key.left, key.right, key.nulls_match));
    keys.chain(residual).collect()
}

fn joined(left: Relation, right: Relation, kind: JoinKind, conditions: Vec<Expression>) -> Relation {
    let (keys, residual) = split_keys(conditions, &left, &right);
    Relation::Join(Join { left: Box::new(left), right: Box::new(right), kind, keys, residual, mark: None })
}

fn filtered(relation: Relation, predicates: Vec<Expression>) -> Relation {
    match predicates.is_empty() {
        true => relation,
        false => Relation::Filter { input: Box::new(relation), predicates },
    }
}

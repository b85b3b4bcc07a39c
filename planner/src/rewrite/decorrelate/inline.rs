//! A dependent side that reads no table, such as `unnest(t.list)`: it runs on the rows of the left side themselves.

use hypostyle_engine::plan::JoinKind;

use super::pulled::is_one_row;
use super::{filtered, terms};
use crate::logical::{Computed, Join, Relation, one_row};

/// The join as its right side over its left side, where the right side only unnests, filters and computes.
pub(super) fn inline(join: &mut Join) -> Option<Relation> {
    let fits = match join.kind {
        JoinKind::Inner => is_chain(&join.right),
        _ => join.keys.is_empty() && join.residual.is_empty() && is_plain_unnest(&join.right),
    };
    if !fits {
        return None;
    }
    let left = std::mem::replace(&mut *join.left, one_row());
    let right = std::mem::replace(&mut *join.right, one_row());
    let own = terms(std::mem::take(&mut join.keys), std::mem::take(&mut join.residual));
    Some(filtered(graft(right, left, join.kind == JoinKind::Left), own))
}

/// Steps from one row on, with an unnest among them.
fn is_chain(relation: &Relation) -> bool {
    let mut has_unnest = false;
    let mut relation = relation;
    loop {
        relation = match relation {
            Relation::Project { input, .. } | Relation::Filter { input, .. } => input,
            Relation::Unnest { input, .. } => {
                has_unnest = true;
                input
            }
            other => return has_unnest && is_one_row(other),
        };
    }
}

/// An unnest of one row whose columns are at most renamed: without elements all of them are null.
fn is_plain_unnest(relation: &Relation) -> bool {
    match relation {
        Relation::Project { input, columns } => {
            columns.iter().all(Computed::is_passed) && is_plain_unnest(input)
        }
        Relation::Unnest { input, .. } => is_one_row(input),
        _ => false,
    }
}

/// Puts `left` where the one row stood; its columns come out too.
fn graft(relation: Relation, left: Relation, keeps_left: bool) -> Relation {
    match relation {
        Relation::Project { input, mut columns } => {
            let passed = left.columns().into_iter().map(Computed::passed);
            columns.extend(passed);
            Relation::Project { input: Box::new(graft(*input, left, keeps_left)), columns }
        }
        Relation::Filter { input, predicates } => {
            Relation::Filter { input: Box::new(graft(*input, left, keeps_left)), predicates }
        }
        Relation::Unnest { input, lists, outer } => {
            let outer = outer || keeps_left;
            Relation::Unnest { input: Box::new(graft(*input, left, keeps_left)), lists, outer }
        }
        _ => left,
    }
}

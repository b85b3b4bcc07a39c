//! Moves joins that only choose rows of their left side below the inner joins that make this side, to the tables whose
//! columns they read, where fewer rows are looked up there.

use std::collections::HashSet;

use hypostyle_engine::plan::JoinKind;

use crate::logical::{Join, Relation, one_row};
use crate::rewrite::estimate;
use crate::rewrite::substitute::{substitute, values};

/// Moves semi and anti joins down.
pub fn rewrite(relation: &mut Relation) {
    relation.walk_mut(&mut |relation| {
        let is_choice = matches!(relation, Relation::Join(join) if chooses(join));
        if is_choice && let Relation::Join(join) = std::mem::replace(relation, one_row()) {
            *relation = sink(join);
        }
    });
}

/// True for a join that gives rows of its left side, and looks at some column of it.
fn chooses(join: &Join) -> bool {
    matches!(join.kind, JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::LeftAntiNullAware)
        && !left_columns(join).is_empty()
}

/// The columns of the left side that decide which rows stay.
fn left_columns(join: &Join) -> HashSet<usize> {
    let of_keys = join.keys.iter().flat_map(|key| key.left.columns());
    let of_residual = join.residual.iter().flat_map(|condition| condition.columns());
    of_keys.chain(of_residual).filter(|id| join.left.has_column(*id)).collect()
}

/// The join as far down as it pays.
fn sink(mut join: Join) -> Relation {
    let read = left_columns(&join);
    let all_in = |relation: &Relation| read.iter().all(|id| relation.has_column(*id));
    match std::mem::replace(&mut *join.left, one_row()) {
        Relation::Join(mut below) if reaches(&below, &all_in).is_some() => {
            let goes_left = reaches(&below, &all_in) == Some(true);
            let side = if goes_left { &mut below.left } else { &mut below.right };
            *join.left = std::mem::replace(&mut **side, one_row());
            **side = sink(join);
            Relation::Join(below)
        }
        Relation::Filter { mut input, predicates } if matches!(*input, Relation::Join(_)) => {
            std::mem::swap(&mut join.left, &mut input);
            Relation::Filter { input: Box::new(sink(join)), predicates }
        }
        Relation::Project { mut input, columns } if matches!(*input, Relation::Join(_)) => {
            let is_passed =
                |id: &usize| columns.iter().any(|computed| computed.column.id == *id && computed.is_passed());
            if !read.iter().all(is_passed) {
                *join.left = Relation::Project { input, columns };
                return Relation::Join(join);
            }
            let computed = values(&columns);
            for key in &mut join.keys {
                key.left = substitute(key.left.clone(), &computed);
            }
            std::mem::swap(&mut join.left, &mut input);
            Relation::Project { input: Box::new(sink(join)), columns }
        }
        left => {
            *join.left = left;
            Relation::Join(join)
        }
    }
}

/// The side of a join below that has all columns read, if the rows are fewer there: true for the left one.
fn reaches(below: &Join, all_in: &dyn Fn(&Relation) -> bool) -> Option<bool> {
    let rows = estimate::join_rows(below);
    let is_smaller = |side: &Relation| estimate::rows(side) <= rows;
    match below.kind {
        JoinKind::Inner if all_in(&below.left) && is_smaller(&below.left) => Some(true),
        JoinKind::Inner if all_in(&below.right) && is_smaller(&below.right) => Some(false),
        _ => None,
    }
}

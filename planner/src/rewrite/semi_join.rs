//! A filter by the mark of a mark join keeps or drops rows by their match: the join becomes a semi or an anti join.

use hypostyle_engine::plan::{Expression, JoinKind};

use crate::bind::operator;
use crate::logical::{Relation, one_row};

/// Turns marks that are only filtered by into semi and anti joins.
pub fn rewrite(relation: &mut Relation) {
    relation.walk_mut(&mut |relation| {
        let Relation::Filter { input, predicates } = relation else { return };
        let mut kept = Vec::with_capacity(predicates.len());
        let all = std::mem::take(predicates);
        for (position, predicate) in all.iter().enumerate() {
            let used_elsewhere = |id: usize| {
                let others = all.iter().enumerate().filter(|(other, _)| *other != position);
                others.into_iter().any(|(_, other)| other.columns().contains(&id))
            };
            let converted = match mark(predicate) {
                Some((id, kind)) if !used_elsewhere(id) => convert(input, id, kind),
                _ => false,
            };
            if !converted {
                kept.push(predicate.clone());
            }
        }
        *predicates = kept;
        if predicates.is_empty() {
            let input = std::mem::replace(&mut **input, one_row());
            *relation = input;
        }
    });
}

/// The mark that a predicate is, and the join that keeps the rows it keeps.
fn mark(predicate: &Expression) -> Option<(usize, JoinKind)> {
    match predicate {
        Expression::Column { index, .. } => Some((*index, JoinKind::LeftSemi)),
        Expression::Call { function, arguments, .. } if function == operator::NOT => {
            match arguments.as_slice() {
                [Expression::Column { index, .. }] => Some((*index, JoinKind::LeftAntiNullAware)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Finds the join of this mark among the joins of subqueries, which stand one on the left of the other.
fn convert(relation: &mut Relation, id: usize, kind: JoinKind) -> bool {
    let Relation::Join(join) = relation else { return false };
    if join.mark.as_ref().is_some_and(|mark| mark.id == id) {
        join.kind = kind;
        join.mark = None;
        return true;
    }
    convert(&mut join.left, id, kind)
}

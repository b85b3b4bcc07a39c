//! Takes out of an OR what all its branches have in common: `(a AND b) OR (a AND c)` is `a AND (b OR c)`. A join key in
//! every branch becomes a join key.

use hypostyle_engine::plan::Expression;

use crate::logical::{Relation, conjunction, conjuncts};

/// Factors the conditions of filters and joins.
pub fn rewrite(relation: &mut Relation) {
    relation.walk_mut(&mut |relation| match relation {
        Relation::Filter { predicates, .. } => *predicates = factored_all(std::mem::take(predicates)),
        Relation::Join(join) => join.residual = factored_all(std::mem::take(&mut join.residual)),
        _ => {}
    });
}

fn factored_all(predicates: Vec<Expression>) -> Vec<Expression> {
    let mut terms = Vec::with_capacity(predicates.len());
    for predicate in predicates {
        conjuncts(factored(predicate), &mut terms);
    }
    terms
}

/// One condition, factored.
pub fn factored(predicate: Expression) -> Expression {
    let Expression::Or(branches) = predicate else { return predicate };
    let mut split: Vec<Vec<Expression>> = branches
        .into_iter()
        .map(|branch| {
            let mut terms = Vec::new();
            conjuncts(branch, &mut terms);
            terms
        })
        .collect();
    let Some((first, others)) = split.split_first() else { return Expression::Or(Vec::new()) };
    let shared: Vec<Expression> =
        first.iter().filter(|term| others.iter().all(|other| other.contains(term))).cloned().collect();
    for branch in &mut split {
        branch.retain(|term| !shared.contains(term));
    }
    // A branch that is nothing but the shared part makes the rest of the OR true.
    let decided = split.iter().any(Vec::is_empty);
    let rest = split.into_iter().filter_map(conjunction).collect::<Vec<_>>();
    let mut terms = shared;
    if !decided {
        terms.push(Expression::Or(rest));
    }
    conjunction(terms).unwrap_or(Expression::Or(Vec::new()))
}

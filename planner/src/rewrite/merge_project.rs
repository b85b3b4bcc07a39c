//! A projection over a projection is one projection; one that only passes everything on is none.

use std::collections::HashMap;

use hypostyle_engine::plan::Expression;

use crate::logical::{Computed, Relation, one_row};
use crate::rewrite::substitute::{substitute, values};

/// Times that merging may multiply the parts of the expressions: equal parts are shared when they run, but not in the
/// plan.
const GROWTH_MAX: usize = 3;
/// Parts from which growth is looked at.
const PARTS_FREE: usize = 200;

/// Merges all neighbours.
pub fn rewrite(relation: &mut Relation) {
    relation.walk_mut(&mut |relation| {
        while merge(relation) {}
        drop_trivial(relation);
    });
}

fn merge(relation: &mut Relation) -> bool {
    let Relation::Project { input, columns } = relation else { return false };
    let Relation::Project { input: below, columns: inner } = &mut **input else { return false };
    let computed = values(inner);
    let parts_before: usize =
        inner.iter().chain(columns.iter()).map(|computed| parts(&computed.expression)).sum();
    let merged: Vec<Computed> = columns
        .iter()
        .map(|outer| Computed {
            column: outer.column.clone(),
            expression: substitute(outer.expression.clone(), &computed),
        })
        .collect();
    let parts_after: usize = merged.iter().map(|computed| parts(&computed.expression)).sum();
    if parts_after > PARTS_FREE.max(parts_before * GROWTH_MAX) || repeats_volatile(columns, inner) {
        return false;
    }
    let below = std::mem::replace(&mut **below, one_row());
    *relation = Relation::Project { input: Box::new(below), columns: merged };
    true
}

fn parts(expression: &Expression) -> usize {
    let mut parts = 0;
    expression.walk(&mut |_| parts += 1);
    parts
}

/// A call without arguments may give another value each time: `random()`. It must not be copied.
fn repeats_volatile(outer: &[Computed], inner: &[Computed]) -> bool {
    let mut uses: HashMap<usize, usize> = HashMap::new();
    for column in outer {
        column.expression.walk(&mut |part| {
            if let Expression::Column { index, .. } = part {
                *uses.entry(*index).or_default() += 1;
            }
        });
    }
    inner.iter().filter(|computed| uses.get(&computed.column.id).is_some_and(|uses| *uses > 1)).any(
        |computed| {
            let mut without_arguments = false;
            computed.expression.walk(&mut |part| {
                without_arguments |=
                    matches!(part, Expression::Call { arguments, .. } if arguments.is_empty());
            });
            without_arguments
        },
    )
}

/// A projection that passes on all columns in their order, and only renames them, gives the same rows.
fn drop_trivial(relation: &mut Relation) {
    let Relation::Project { input, columns } = relation else { return };
    if !columns.iter().all(Computed::is_passed) {
        return;
    }
    let below = input.columns();
    let same = below.len() == columns.len()
        && below.iter().zip(columns.iter()).all(|(column, computed)| column.id == computed.column.id);
    if same {
        let input = std::mem::replace(&mut **input, one_row());
        *relation = input;
    }
}

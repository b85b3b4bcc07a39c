//! Moves limits towards the tables: a sort keeps only the first rows, a scan stops early.

use crate::logical::{Relation, one_row};

/// Moves all limits down.
pub fn rewrite(relation: &mut Relation) {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if let Relation::Limit { input, offset, count: Some(count) } = relation {
            if *count == 0 {
                let columns = input.columns();
                *relation = Relation::Values { columns, rows: Vec::new() };
                return;
            }
            if let Relation::Project { input: below, columns } = &mut **input {
                // Only the rows that are kept are computed.
                let (below, columns) = (std::mem::replace(&mut **below, one_row()), std::mem::take(columns));
                let limit = Relation::Limit { input: Box::new(below), offset: *offset, count: Some(*count) };
                *relation = Relation::Project { input: Box::new(limit), columns };
                relation.inputs_mut().into_iter().for_each(rewrite);
                return;
            }
            let wanted = count.saturating_add(*offset);
            let done = bound(input, wanted) && *offset == 0;
            if done {
                let input = std::mem::replace(&mut **input, one_row());
                *relation = input;
            }
        }
        relation.inputs_mut().into_iter().for_each(rewrite);
    });
}

/// Tells a relation that only its first rows are wanted; true if it then gives no more than those.
fn bound(relation: &mut Relation, wanted: u64) -> bool {
    let least = |held: &Option<u64>| Some(held.map_or(wanted, |held| held.min(wanted)));
    match relation {
        Relation::Project { input, .. } => bound(input, wanted),
        Relation::Sort { limit, .. } => {
            *limit = least(limit);
            true
        }
        Relation::Scan(scan) => {
            // A scan that stops early may still give a few rows more.
            scan.limit = least(&scan.limit);
            false
        }
        Relation::Union { inputs, .. } => {
            for input in inputs {
                if !bound(input, wanted) && !matches!(input, Relation::Limit { .. }) {
                    let taken = std::mem::replace(input, one_row());
                    *input = Relation::Limit { input: Box::new(taken), offset: 0, count: Some(wanted) };
                }
            }
            false
        }
        Relation::Limit { count, .. } => {
            *count = least(count);
            true
        }
        Relation::SingleRow { .. } => true,
        _ => false,
    }
}

//! Rewrites of the logical plan: each makes it cheaper and none changes its result. One per file, in order of use.

mod build_side;
pub mod decorrelate;
mod equal_columns;
pub mod estimate;
mod join_order;
mod merge_project;
mod or_factors;
mod prune;
mod prune_fields;
mod push_filter;
mod push_limit;
mod push_semi_join;
mod semi_join;
mod share_json;
mod share_map;
mod simplify;
mod substitute;
mod unwrap_cast;
mod window_limit;

use std::sync::Arc;

use hypostyle_engine::Context;

use crate::logical::{Column, Relation};

/// Rewrites a plan whose result is `result`.
pub fn rewrite(relation: Relation, result: &[Column], context: &Arc<Context>) -> Relation {
    rewrite_reading(relation, result, context, Reading::Fields)
}

/// What is read of the columns of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The fields that are asked for, where a table can tell them apart.
    Fields,
    /// All of each column: what a plan says that others run, who know the columns by their own types.
    Columns,
}

/// As [`rewrite`], with a say in what is read of columns.
pub fn rewrite_reading(
    mut relation: Relation,
    result: &[Column],
    context: &Arc<Context>,
    reading: Reading,
) -> Relation {
    simplify::rewrite(&mut relation, context);
    or_factors::rewrite(&mut relation);
    semi_join::rewrite(&mut relation);
    relation = push_filter::rewrite(relation, context);
    push_semi_join::rewrite(&mut relation);
    relation = join_order::rewrite(relation);
    // Predicates that joins derive or reorder leave behind find their place in a second pass.
    relation = push_filter::rewrite(relation, context);
    simplify::rewrite(&mut relation, context);
    window_limit::rewrite(&mut relation);
    push_filter::into_scans(&mut relation);
    merge_project::rewrite(&mut relation);
    push_limit::rewrite(&mut relation);
    prune::rewrite(&mut relation, result);
    merge_project::rewrite(&mut relation);
    if reading == Reading::Fields {
        prune_fields::rewrite(&mut relation, result);
    }
    share_json::rewrite(&mut relation, context);
    share_map::rewrite(&mut relation, context);
    build_side::rewrite(&mut relation);
    relation
}

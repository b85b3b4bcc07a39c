//! Functions of sparse features: lists of ids, with and without a score per id.
//!
//! A list is a multiset: an id counts as often as it stands there. Null elements are left out. Semantics and the
//! values they are tested with are those of the recommender libraries that coined the names (torcharrow); where their
//! documentation and their code disagree, the code.

mod maps;
mod merge;
mod overlap;
mod score;
mod sorted;
mod top;

use crate::registry::Registry;

const CATEGORY: &str = "id list";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    overlap::register(registry);
    score::register(registry);
    merge::register(registry);
    top::register(registry);
    maps::register(registry);
}

#[cfg(test)]
mod tests;

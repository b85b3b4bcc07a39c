//! Products, distances and norms of embeddings: lists of floats, best of a fixed dimension.
//!
//! Dimensions known from the types or from a constant are compared while planning; those of other
//! lists row by row. A null inside an embedding is an error.

mod norm;
mod pair;

use crate::registry::Registry;

const CATEGORY: &str = "embedding";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    pair::register(registry);
    pair::register_cross_product(registry);
    norm::register(registry);
}

#[cfg(test)]
mod tests;

//! Products, distances and norms of embeddings: lists of floats, best of a fixed dimension.
//!
//! Dimensions known from the types or from a constant are compared while planning; those of other
//! lists row by row. A null inside an embedding is an error.

mod arithmetic;
mod bag;
mod element;
mod linear;
mod norm;
mod pair;
mod pool;
mod shorten;
mod similar;

use crate::registry::Registry;

pub(crate) use element::{Embeddings, check_dimensions, known_dimension, vector_of, write_vector};

const CATEGORY: &str = "embedding";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    pair::register(registry);
    pair::register_cross_product(registry);
    norm::register(registry);
    arithmetic::register(registry);
    pool::register(registry);
    shorten::register(registry);
    linear::register(registry);
    bag::register(registry);
    similar::register(registry);
}

#[cfg(test)]
mod tests;

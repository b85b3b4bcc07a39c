//! Crosses: features made of several values or of neighbours in a list, as hashes or as text.

mod combination;
mod hashed;
mod text;

use crate::registry::Registry;

const CATEGORY: &str = "cross";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    hashed::register(registry);
    text::register(registry);
    registry.register_scalar(combination::function());
}

#[cfg(test)]
mod tests;

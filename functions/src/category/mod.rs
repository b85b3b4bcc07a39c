//! Categories as numbers: vocabularies, maps of ids, indicator vectors, counts and means.

mod encode;
pub mod index;
mod indicator;
mod map_id;
mod vocabulary;

use crate::registry::Registry;

const CATEGORY: &str = "category";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_scalar(vocabulary::function());
    registry.register_scalar(map_id::function());
    indicator::register(registry);
    encode::register(registry);
}

#[cfg(test)]
mod tests;

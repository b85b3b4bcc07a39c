//! The built-in library: one line per family.

use crate::registry::Registry;

/// Adds every built-in function.
pub fn register(registry: &mut Registry) {
    crate::aggregates::register(registry);
    crate::arithmetic::register(registry);
    crate::comparison::register(registry);
    crate::logic::register(registry);
    crate::math::register(registry);
    crate::date::register(registry);
    crate::feature::register(registry);
    crate::geo::register(registry);
    crate::hash::register(registry);
    crate::embedding::register(registry);
    crate::quantization::register(registry);
    crate::text::register(registry);
    crate::regex::register(registry);
    crate::list::register(registry);
    crate::structure::register(registry);
    crate::map::register(registry);
    crate::json::register(registry);
    crate::token::register(registry);
    crate::document::register(registry);
    crate::window::register(registry);
    crate::sparse::register(registry);
    crate::sequence::register(registry);
    crate::cross::register(registry);
    crate::category::register(registry);
    crate::analyzer::register(registry);
}

//! Comparisons, extremes of several values, and membership in a list of constants.
//!
//! NaN is greater than every number and equal to itself, -0 equals 0, text compares by bytes, and
//! lists and structs compare element by element with nulls last and equal to each other.

mod distinct;
mod extremes;
mod in_list;
mod operators;
pub(crate) mod ordered;

use crate::registry::Registry;

const CATEGORY: &str = "comparison";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    operators::register(registry);
    distinct::register(registry);
    extremes::register(registry);
    registry.register_scalar(in_list::function());
}

#[cfg(test)]
mod tests;

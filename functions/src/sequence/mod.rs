//! Functions of behaviour sequences: histories cut, padded and masked to the fixed sizes that models take, and
//! what can be read from them. Sequences run from the oldest event to the newest.

mod filter;
mod history;
mod shape;

use crate::registry::Registry;

const CATEGORY: &str = "sequence";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    shape::register(registry);
    history::register(registry);
    filter::register(registry);
}

#[cfg(test)]
mod tests;

//! Functions of behaviour sequences: histories cut, padded and masked to the fixed sizes that models take, and
//! what can be read from them. Sequences run from the oldest event to the newest.

pub(crate) mod average;
mod clock;
mod filter;
mod history;
mod negative;
pub(crate) mod session;
mod shape;
mod slice;

use crate::registry::Registry;

const CATEGORY: &str = "sequence";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    shape::register(registry);
    history::register(registry);
    filter::register(registry);
    registry.register_scalar(slice::function());
    registry.register_scalar(average::function());
    session::register(registry);
    clock::register(registry);
    negative::register(registry);
}

#[cfg(test)]
mod tests;

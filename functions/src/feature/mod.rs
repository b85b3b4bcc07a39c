//! Functions that turn raw values into features: scaling, buckets, ids, clipping, missing values.
//!
//! Functions that DuckDB lacks follow IEEE 754 and the published definitions named with each.

mod bucketize;
mod clamp;
pub(crate) mod elements;
mod list_ends;
mod missing;
mod modulus;
mod power_transform;
mod sigmoid;
mod sigrid;

use crate::registry::Registry;

const CATEGORY: &str = "feature";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_scalar(bucketize::function());
    registry.register_scalar(sigrid::function());
    registry.register_scalar(clamp::function());
    registry.register_scalar(modulus::function());
    sigmoid::register(registry);
    missing::register(registry);
    power_transform::register(registry);
    list_ends::register(registry);
}

#[cfg(test)]
mod tests;

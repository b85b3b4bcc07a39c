//! Functions that turn raw values into features: scaling, buckets, ids, clipping, missing values.
//!
//! Functions that DuckDB lacks follow IEEE 754 and the published definitions named with each.

mod borders;
mod bucket_label;
mod bucketize;
mod clamp;
mod cyclical;
pub(crate) mod elements;
mod list_ends;
mod missing;
mod modulus;
pub(crate) mod number_forms;
mod polynomial;
mod power_lambda;
mod power_transform;
mod quantile_rank;
mod scale;
mod sigmoid;
mod sigrid;
mod uniform_borders;

pub(crate) use uniform_borders::BUCKETS_MAX;

use crate::registry::Registry;

const CATEGORY: &str = "feature";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_scalar(bucketize::function());
    registry.register_scalar(bucket_label::function());
    registry.register_scalar(quantile_rank::function());
    registry.register_scalar(uniform_borders::function());
    registry.register_scalar(power_lambda::function());
    registry.register_scalar(sigrid::function());
    registry.register_scalar(clamp::function());
    registry.register_scalar(modulus::function());
    registry.register_scalar(polynomial::function());
    registry.register_scalar(cyclical::function());
    scale::register(registry);
    sigmoid::register(registry);
    missing::register(registry);
    power_transform::register(registry);
    list_ends::register(registry);
}

#[cfg(test)]
mod tests;

//! Mathematical functions. Results outside of a function's domain are NaN or infinite, by IEEE 754.

mod bins;
mod constants;
mod float;
mod integer;
mod random;
pub(crate) mod round;
mod rounding;
mod sign;
mod transcendental;

use crate::registry::Registry;

const CATEGORY: &str = "math";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    sign::register(registry);
    rounding::register(registry);
    transcendental::register(registry);
    float::register(registry);
    integer::register(registry);
    constants::register(registry);
    random::register(registry);
    bins::register(registry);
}

#[cfg(test)]
mod tests;

//! Quantization of embeddings: 16-bit floats, codes of eight and four bits, single bits and product codes, and what
//! products and distances are of codes.
//!
//! Everything is rounded to nearest, ties to even, and saturates. A null inside an embedding is an error, as is a NaN,
//! which no code stands for.

mod binary;
mod eight_bits;
mod four_bits;
mod product;
mod rowwise;
mod sixteen_bits;

use crate::registry::Registry;
use crate::scalar::ScalarFunction;

const CATEGORY: &str = "quantization";

/// Adds the family.
pub(crate) fn register(registry: &mut Registry) {
    sixteen_bits::register(registry);
    eight_bits::register(registry);
    rowwise::register(registry);
    four_bits::register(registry);
    binary::register(registry);
    product::register(registry);
}

/// A function of this family without forms.
fn function(name: &str, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
}

#[cfg(test)]
mod tests;

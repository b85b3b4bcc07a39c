//! Lists of tokens as features: counts, weights, hashes, signatures and ranks of documents.

mod bm25;
mod hashing_vectorizer;
mod min_hash;
mod sim_hash;
mod sparse_output;
mod term_weights;

use crate::Registry;

/// The heading in the reference.
const CATEGORY: &str = "document";

/// Adds the family.
pub fn register(registry: &mut Registry) {
    term_weights::register(registry);
    hashing_vectorizer::register(registry);
    min_hash::register(registry);
    sim_hash::register(registry);
    bm25::register(registry);
}

#[cfg(test)]
mod tests {
    use crate::answers::{check_examples, check_script};

    #[test]
    fn examples_of_the_reference_hold() {
        check_examples(&["document"]);
    }

    #[test]
    fn results_are_those_of_the_published_definitions() {
        check_script(include_str!("../../../tests/slt/text/document.slt"));
    }
}

//! Functions of JSON, which is text that simd-json parses.

mod ask;
mod construct;
mod document;
mod edit;
mod extract;
mod get;
mod path;
mod scan;
mod structure;
mod transform;
mod type_name;
mod typed;
mod write;

use crate::Registry;

#[cfg(test)]
pub(crate) use type_name::leading_type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    extract::register(registry);
    construct::register(registry);
    structure::register(registry);
    transform::register(registry);
    edit::register(registry);
    get::register(registry);
}

#[cfg(test)]
mod tests {
    use crate::answers::{check_examples, check_script};

    #[test]
    fn examples_of_the_reference_hold() {
        check_examples(&["json"]);
    }

    #[test]
    fn results_are_those_of_the_reference_dialect() {
        check_script(include_str!("../../../tests/slt/json/scalar.slt"));
    }
}

//! Functions of structs.

mod extract;
mod pack;

use crate::Registry;

pub use extract::bind_extract;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    pack::register(registry);
    extract::register(registry);
}

#[cfg(test)]
mod tests {
    use crate::answers::{check_examples, check_script};

    #[test]
    fn examples_of_the_reference_hold() {
        check_examples(&["struct"]);
    }

    #[test]
    fn results_are_those_of_the_reference_dialect() {
        check_script(include_str!("../../../tests/slt/struct/scalar.slt"));
    }
}

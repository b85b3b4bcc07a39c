//! Functions of maps.

mod construct;
mod extract;
mod extract_many;

use crate::Registry;

pub use extract::{bind_contains, bind_extract_value};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    construct::register(registry);
    extract::register(registry);
    extract_many::register(registry);
}

#[cfg(test)]
mod tests {
    use crate::answers::{check_examples, check_script};

    #[test]
    fn examples_of_the_reference_hold() {
        check_examples(&["map"]);
    }

    #[test]
    fn results_are_those_of_the_reference_dialect() {
        check_script(include_str!("../../../tests/slt/map/scalar.slt"));
        check_script(include_str!("../../../tests/slt/map/many_keys.slt"));
    }
}

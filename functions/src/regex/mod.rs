//! Regular expressions, in linear time: without look-around and references back.

mod extract;
mod groups;
mod matches;
mod pattern;
mod replace;
mod split;
mod translate;

use crate::Registry;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    matches::register(registry);
    replace::register(registry);
    extract::register(registry);
    split::register(registry);
}

#[cfg(test)]
mod tests {
    use crate::answers::{check_examples, check_script};

    #[test]
    fn examples_of_the_reference_hold() {
        check_examples(&["regex"]);
    }

    #[test]
    fn results_are_those_of_the_reference_dialect() {
        check_script(include_str!("../../../tests/slt/text/regex.slt"));
    }
}

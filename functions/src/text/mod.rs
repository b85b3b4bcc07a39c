//! Functions of text.

mod append;
mod base64;
mod case;
mod code_point;
mod concat;
mod digest;
mod digits;
mod distance;
mod format;
mod key_value;
mod length;
mod lift;
mod like;
mod normal_form;
mod pad;
mod path;
mod position;
mod repeat;
mod replace;
mod reverse;
mod search;
mod sha1;
mod similarity;
mod size;
mod split;
mod substring;
mod trim;
mod url;
mod utf8;

use crate::Registry;

pub use append::append;
pub use split::push_part;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    length::register(registry);
    substring::register(registry);
    trim::register(registry);
    pad::register(registry);
    replace::register(registry);
    split::register(registry);
    concat::register(registry);
    repeat::register(registry);
    position::register(registry);
    like::register(registry);
    case::register(registry);
    reverse::register(registry);
    distance::register(registry);
    similarity::register(registry);
    code_point::register(registry);
    digits::register(registry);
    base64::register(registry);
    digest::register(registry);
    url::register(registry);
    utf8::register(registry);
    normal_form::register(registry);
    path::register(registry);
    format::register(registry);
    size::register(registry);
    key_value::register(registry);
}

/// `contains` over text, to which other families add forms.
pub fn contains() -> crate::scalar::ScalarFunction {
    position::contains()
}

#[cfg(test)]
mod tests {
    use crate::answers::{check_examples, check_script};

    #[test]
    fn examples_of_the_reference_hold() {
        check_examples(&["text"]);
    }

    #[test]
    fn results_are_those_of_the_reference_dialect() {
        check_script(include_str!("../../../tests/slt/text/scalar.slt"));
        check_script(include_str!("../../../tests/slt/text/pattern.slt"));
        check_script(include_str!("../../../tests/slt/text/template.slt"));
    }
}

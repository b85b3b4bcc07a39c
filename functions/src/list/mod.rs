//! Functions of lists and of lists of fixed length.

mod aggregate;
mod concat;
mod construct;
mod contains;
mod distinct;
mod elements;
mod extract;
mod join;
mod lambda;
mod member_set;
mod plain_lists;
mod range;
mod reduce;
mod select;
mod slice;
mod sort;
mod total;
mod whole;
mod zip;

use crate::Registry;

pub use concat::{concat_lists, join_lists};
pub use contains::find;
pub use extract::element_of;
pub use member_set::MemberSet;
pub use plain_lists::spans_of;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    construct::register(registry);
    extract::register(registry);
    slice::register(registry);
    contains::register(registry);
    concat::register(registry);
    sort::register(registry);
    distinct::register(registry);
    zip::register(registry);
    select::register(registry);
    range::register(registry);
    join::register(registry);
    lambda::register(registry);
    aggregate::register(registry);
}

#[cfg(test)]
mod tests {
    use crate::answers::{check_examples, check_script};

    #[test]
    fn examples_of_the_reference_hold() {
        check_examples(&["list"]);
    }

    #[test]
    fn results_are_those_of_the_reference_dialect() {
        check_script(include_str!("../../../tests/slt/list/scalar.slt"));
        check_script(include_str!("../../../tests/slt/list/lambda.slt"));
        check_script(include_str!("../../../tests/slt/list/aggregate_of_list.slt"));
    }
}

//! Distinct elements of lists.

use super::extract::{any_list, element_of};
use super::member_set::MemberSet;
use crate::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "list_distinct",
            "list",
            "The distinct elements of a list, in the order of their first occurrence.",
        )
        .alias("array_distinct")
        .overload([any_list("list")], |arguments| Ok(distinct(Type::list(element_of(arguments.types, 0)))))
        .note("Null elements are left out. DuckDB gives another order, which it does not define.")
        .example("list_distinct([3, 1, NULL, 3])", "[3, 1]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_unique", "list", "Number of distinct elements of a list.")
            .alias("array_unique")
            .overload([any_list("list")], |_| Ok(unique()))
            .note("Null elements are not counted.")
            .example("list_unique([3, 1, NULL, 3])", "2"),
    );
}

fn distinct(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, scratch| {
        let lists = arguments[0].list();
        let set = scratch.slot::<MemberSet>();
        let mut list = output.list();
        rows.for_each(|row| {
            set.fill(lists.child(), lists.range(row));
            let start = list.start();
            set.places().iter().for_each(|&place| list.child().push(lists.child(), place as usize));
            list.finish(row, start);
        });
        Ok(())
    })
}

fn unique() -> Bound {
    Bound::strict(Type::UInt64, |arguments, rows, output, scratch| {
        let lists = arguments[0].list();
        let set = scratch.slot::<MemberSet>();
        let values = output.fixed::<u64>();
        rows.for_each(|row| {
            set.fill(lists.child(), lists.range(row));
            values[row] = set.places().len() as u64;
        });
        Ok(())
    })
}

//! Lists joined, lengthened and shortened.

use super::contains::list_of_t;
use super::extract::{any_list, element_of};
use crate::column::{Output, View};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{list_of_variable, variable};
use crate::types::Type;
use crate::{Registry, Result};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("list_concat", "list", "Joins lists into one; null lists are left out.")
            .alias("list_cat")
            .alias("array_concat")
            .alias("array_cat")
            .variadic([list_of_variable("list"), list_of_variable("list")], |arguments| {
                Ok(concat_lists(arguments.types[0].clone()))
            })
            .example("list_concat([1, 2], NULL, [3])", "[1, 2, 3]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_append", "list", "A list with one element more at its end.")
            .alias("array_append")
            .alias("array_push_back")
            .overload([list_of_t("list"), variable("element")], |arguments| bind_element(arguments, 0, false))
            .note("A null list counts as empty; a null element is added.")
            .example("list_append([1, 2], 3)", "[1, 2, 3]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_prepend", "list", "A list with one element more at its start.")
            .alias("array_prepend")
            .overload([variable("element"), list_of_t("list")], |arguments| bind_element(arguments, 1, true))
            .example("list_prepend(0, [1, 2])", "[0, 1, 2]"),
    );
    registry.register_scalar(
        ScalarFunction::new("array_push_front", "list", "A list with one element more at its start.")
            .overload([list_of_t("list"), variable("element")], |arguments| bind_element(arguments, 0, true))
            .example("array_push_front([1, 2], 0)", "[0, 1, 2]"),
    );
    registry.register_scalar(
        ScalarFunction::new("array_pop_front", "list", "A list without its first element.")
            .overload([any_list("list")], |arguments| {
                Ok(without_end(Type::list(element_of(arguments.types, 0)), true))
            })
            .example("array_pop_front([1, 2, 3])", "[2, 3]"),
    );
    registry.register_scalar(
        ScalarFunction::new("array_pop_back", "list", "A list without its last element.")
            .overload([any_list("list")], |arguments| {
                Ok(without_end(Type::list(element_of(arguments.types, 0)), false))
            })
            .example("array_pop_back([1, 2, 3])", "[1, 2]"),
    );
}

/// Joins lists of one type; nulls are left out.
pub fn concat_lists(result: Type) -> Bound {
    Bound::null_aware(result, |arguments, rows, output, _| {
        let mut list = output.list();
        rows.for_each(|row| {
            let start = list.start();
            for argument in arguments.iter().filter(|argument| argument.is_valid(row)) {
                push_list(list.child(), argument, row);
            }
            list.finish(row, start);
        });
        Ok(())
    })
}

/// Joins two lists of one type; a null gives null.
pub fn join_lists(result: Type) -> Bound {
    Bound { nulls: crate::scalar::Nulls::Strict, ..concat_lists(result) }
}

fn push_list(child: &mut Output, lists: &View<'_>, row: usize) {
    let lists = lists.list();
    child.push_range(lists.child(), lists.range(row));
}

/// The list at `list_position`, with the other argument in front of it or behind it.
fn bind_element(arguments: &Arguments<'_>, list_position: usize, in_front: bool) -> Result<Bound> {
    let result = Type::list(arguments.types[1 - list_position].clone());
    Ok(Bound::null_aware(result, move |arguments, rows, output, _| {
        let (lists, elements) = (&arguments[list_position], &arguments[1 - list_position]);
        let mut list = output.list();
        rows.for_each(|row| {
            let start = list.start();
            if in_front {
                list.child().push(elements, row);
            }
            if lists.is_valid(row) {
                push_list(list.child(), lists, row);
            }
            if !in_front {
                list.child().push(elements, row);
            }
            list.finish(row, start);
        });
        Ok(())
    }))
}

fn without_end(result: Type, at_front: bool) -> Bound {
    Bound::strict(result, move |arguments, rows, output, _| {
        let lists = arguments[0].list();
        let mut list = output.list();
        rows.for_each(|row| {
            let mut range = lists.range(row);
            if at_front {
                range.next();
            } else {
                range.next_back();
            }
            let start = list.start();
            list.child().push_range(lists.child(), range);
            list.finish(row, start);
        });
        Ok(())
    })
}

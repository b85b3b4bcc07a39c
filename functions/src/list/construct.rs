//! Lists made of values.

use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::Error;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::variable;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("list_value", "list", "A list of the values, which are cast to the type they have in common.")
            .alias("list_pack")
            .variadic([variable("value")], |arguments| {
                let element = arguments.types.first().cloned().unwrap_or(Type::Null);
                let size = arguments.types.len();
                Ok(Bound::null_aware(Type::list(element), move |arguments, rows, output, _| {
                    write_lists(arguments, rows, output, size);
                    Ok(())
                }))
            })
            .note("Null values are elements; without values the list is empty. `[1, 2]` is another way to write it.")
            .example("list_value(1, NULL, 3)", "[1, NULL, 3]"),
    );
    registry.register_scalar(
        ScalarFunction::new("array_value", "list", "A list of fixed length of the values.")
            .variadic([variable("value")], |arguments| {
                let Some(element) = arguments.types.first().cloned() else {
                    return Err(Error::argument(
                        "array_value",
                        1,
                        "is missing; a list of fixed length has at least one value",
                    ));
                };
                let size = arguments.types.len();
                Ok(Bound::null_aware(Type::fixed_list(element, size), move |arguments, rows, output, _| {
                    let child = output.fixed_list_child();
                    rows.for_each(|row| write_row(child, row * size, arguments, row));
                    Ok(())
                }))
            })
            .example("array_value(1.5, 2.5)", "[1.5, 2.5]"),
    );
}

/// Rows that are not computed keep no place in the child.
fn write_lists(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output, size: usize) {
    let mut list = output.list();
    let mut start = list.child().grow(rows.count() * size);
    rows.for_each(|row| {
        write_row(list.child(), start, arguments, row);
        list.set(row, start, size);
        start += size;
    });
}

fn write_row(child: &mut Output, start: usize, arguments: &[View<'_>], row: usize) {
    for (position, argument) in arguments.iter().enumerate() {
        child.copy(start + position, argument, row);
    }
}

//! Joins values into one text, one binary value or one list.

use super::append::append;
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::Result;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, any, exact, list_of_variable, parameter};
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(concat());
    registry.register_scalar(concat_ws());
    registry.register_scalar(operator());
}

/// A parameter of any type but lists, structs and maps, which have no one text that a reader would expect.
fn scalar(name: &'static str) -> Parameter {
    parameter(name, Pattern::Scalar)
}

fn concat() -> ScalarFunction {
    ScalarFunction::new("concat", "text", "Joins values as text, or lists into one list; nulls are left out.")
        .variadic([exact("value", Type::Text), exact("value", Type::Text)], |_| Ok(concat_values()))
        .variadic([list_of_variable("list"), list_of_variable("list")], |arguments| {
            Ok(crate::list::concat_lists(arguments.types[0].clone()))
        })
        .variadic([scalar("value"), scalar("value")], |_| Ok(concat_values()))
        .example("concat('a', NULL, 1)", "a1")
        .example("concat([1], [2, 3])", "[1, 2, 3]")
}

fn concat_values() -> Bound {
    Bound::null_aware(Type::Text, |arguments, rows, output, _| {
        let mut writer = output.text();
        rows.for_each(|row| {
            writer.build(row, |builder| {
                for argument in arguments.iter().filter(|argument| argument.is_valid(row)) {
                    append(argument, row, builder);
                }
            });
        });
        Ok(())
    })
}

fn concat_ws() -> ScalarFunction {
    ScalarFunction::new(
        "concat_ws",
        "text",
        "Joins values as text with a separator between them; nulls are left out.",
    )
    .variadic([exact("separator", Type::Text), any("value"), any("value")], |_| Ok(join_values()))
    .note("The elements of a list are joined like values; a null separator gives null.")
    .example("concat_ws(', ', 'a', NULL, 'b')", "a, b")
}

fn join_values() -> Bound {
    Bound::null_aware(Type::Text, |arguments, rows, output, _| {
        let separators = arguments[0].text();
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                output.set_null(row);
                return;
            }
            let separator = separators.get(row);
            output.text().build(row, |builder| {
                let mut is_first = true;
                for argument in arguments[1..].iter().filter(|argument| argument.is_valid(row)) {
                    each_value(argument, row, |view, row| {
                        if !std::mem::replace(&mut is_first, false) {
                            builder.push_str(separator);
                        }
                        append(view, row, builder);
                    });
                }
            });
        });
        Ok(())
    })
}

/// Gives the value itself, or the elements of a list that are not null.
fn each_value(view: &View<'_>, row: usize, mut give: impl FnMut(&View<'_>, usize)) {
    if view.data_type.element().is_none() {
        return give(view, row);
    }
    let list = view.list();
    let child = list.child();
    list.range(row).filter(|element| child.is_valid(*element)).for_each(|element| give(child, element));
}

fn operator() -> ScalarFunction {
    ScalarFunction::new("||", "text", "Joins two texts, binary values or lists.")
        .overload([exact("left", Type::Text), exact("right", Type::Text)], |_| Ok(join(Type::Text)))
        .overload([exact("left", Type::Binary), exact("right", Type::Binary)], |_| Ok(join(Type::Binary)))
        .overload([list_of_variable("left"), list_of_variable("right")], |arguments| {
            Ok(crate::list::join_lists(arguments.types[0].clone()))
        })
        .overload([scalar("left"), scalar("right")], |_| {
            Ok(Bound::strict(Type::Text, |arguments, rows, output, _| join_as_text(arguments, rows, output)))
        })
        .note("A null on either side gives null; concat leaves nulls out.")
        .example("'duck' || 'db'", "duckdb")
        .example("[1] || [2]", "[1, 2]")
}

fn join(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, _| {
        let (left, right) = (arguments[0].bytes(), arguments[1].bytes());
        let bytes = output.bytes();
        rows.for_each(|row| {
            let start = bytes.begin();
            bytes.block().extend_from_slice(left.get(row));
            bytes.block().extend_from_slice(right.get(row));
            bytes.finish(row, start);
        });
        Ok(())
    })
}

fn join_as_text(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
    let mut writer = output.text();
    rows.for_each(|row| {
        writer.build(row, |builder| arguments.iter().for_each(|argument| append(argument, row, builder)));
    });
    Ok(())
}

//! Elements of a list by position.

use crate::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;

/// A parameter that takes a list or a fixed list of any type, as it is.
pub fn any_list(name: &'static str) -> Parameter {
    parameter(name, Pattern::AnyList(Box::new(Pattern::Any)))
}

/// The element type of the list at a position of the arguments.
pub fn element_of(types: &[Type], position: usize) -> Type {
    types.get(position).and_then(Type::element).cloned().unwrap_or(Type::Null)
}

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        extract_function("list_extract", "Element of a list by its position.")
            .alias("list_element")
            .example("list_extract([4, 5, 6], 2)", "5")
            .example("list_extract([4, 5, 6], -1)", "6"),
    );
    registry.register_scalar(
        extract_function(
            "array_extract",
            "Element of a list, character of a text or field of a struct; what a subscript means.",
        )
        .overload(
            [parameter("struct", Pattern::Struct), exact("name", Type::Text)],
            crate::structure::bind_extract,
        )
        .overload(
            [parameter("struct", Pattern::Struct), exact("position", Type::Int64)],
            crate::structure::bind_extract,
        )
        .overload(
            [
                parameter("map", Pattern::Map(Box::new(Pattern::Variable("K")), Box::new(Pattern::Any))),
                parameter("key", Pattern::Variable("K")),
            ],
            crate::map::bind_extract_value,
        )
        .example("array_extract('duck', 1)", "d")
        .example("array_extract({'a': 7}, 'a')", "7"),
    );
    for (name, is_last, summary) in [
        ("list_first", false, "First element of a list, also where it is null."),
        ("list_last", true, "Last element of a list, also where it is null."),
    ] {
        let example = if is_last { "list_last([1, 2])" } else { "list_first([1, 2])" };
        registry.register_scalar(
            ScalarFunction::new(name, "list", summary)
                .alias(if is_last { "array_last" } else { "array_first" })
                .overload([any_list("list")], move |arguments| {
                    Ok(end(element_of(arguments.types, 0), is_last))
                })
                .note("Null for an empty list.")
                .example(example, if is_last { "2" } else { "1" }),
        );
    }
    registry.register_scalar(
        ScalarFunction::new("list_any_value", "list", "First element of a list that is not null.")
            .overload([any_list("list")], |arguments| Ok(any_value(element_of(arguments.types, 0))))
            .example("list_any_value([NULL, 3, 4])", "3"),
    );
}

fn extract_function(name: &str, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, "list", summary)
        .overload([any_list("list"), exact("position", Type::Int64)], |arguments| {
            Ok(extract(element_of(arguments.types, 0)))
        })
        .overload([exact("text", Type::Text), exact("position", Type::Int64)], |_| Ok(character()))
        .note("Positions count from 1, negative ones from the end; a position outside gives null, of a text the empty text.")
}

/// Place of a position that counts from 1 or, if negative, from the end.
pub fn place(position: i64, length: usize) -> Option<usize> {
    let place = if position > 0 { position - 1 } else { position.checked_add(length as i64)? };
    usize::try_from(place).ok().filter(|place| *place < length && position != 0)
}

fn extract(element: Type) -> Bound {
    Bound::strict(element, |arguments, rows, output, _| {
        let lists = arguments[0].list();
        let positions = arguments[1].fixed::<i64>();
        rows.for_each(|row| {
            let range = lists.range(row);
            match place(positions.get(row), range.len()) {
                Some(place) => output.copy(row, lists.child(), range.start + place),
                None => output.set_null(row),
            }
        });
        Ok(())
    })
}

fn character() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let text = arguments[0].text();
        let positions = arguments[1].fixed::<i64>();
        let mut writer = output.text();
        rows.for_each(|row| {
            let whole = text.get(row);
            let position = positions.get(row);
            let skipped = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
            let mut characters = whole.char_indices();
            let found = match position {
                0 => None,
                1.. => characters.nth(skipped - 1),
                _ => characters.nth_back(skipped - 1),
            };
            let part = found.map_or("", |(at, c)| &whole[at..at + c.len_utf8()]);
            writer.set_part(row, &text, row, part);
        });
        Ok(())
    })
}

fn end(element: Type, is_last: bool) -> Bound {
    Bound::strict(element, move |arguments, rows, output, _| {
        let lists = arguments[0].list();
        rows.for_each(|row| {
            let mut range = lists.range(row);
            match if is_last { range.next_back() } else { range.next() } {
                Some(place) => output.copy(row, lists.child(), place),
                None => output.set_null(row),
            }
        });
        Ok(())
    })
}

fn any_value(element: Type) -> Bound {
    Bound::strict(element, |arguments, rows, output, _| {
        let lists = arguments[0].list();
        let child = lists.child();
        rows.for_each(|row| match lists.range(row).find(|place| child.is_valid(*place)) {
            Some(place) => output.copy(row, child, place),
            None => output.set_null(row),
        });
        Ok(())
    })
}

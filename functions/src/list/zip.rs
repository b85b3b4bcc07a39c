//! Lists of lists made flat, and lists made into lists of structs.

use super::extract::element_of;
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, any, parameter};
use crate::types::{Field, Type};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let nested = Pattern::AnyList(Box::new(Pattern::AnyList(Box::new(Pattern::Any))));
    registry.register_scalar(
        ScalarFunction::new("flatten", "list", "Joins the lists in a list into one.")
            .overload([parameter("lists", nested)], |arguments| {
                let inner = element_of(arguments.types, 0);
                Ok(flatten(Type::list(inner.element().cloned().unwrap_or(Type::Null))))
            })
            .note("Null lists inside are left out; only one level is removed.")
            .example("flatten([[1, 2], NULL, [3]])", "[1, 2, 3]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_zip", "list", "A list of structs that hold the elements at one position of several lists.")
            .alias("array_zip")
            .variadic([any("list"), any("list or truncate")], bind_zip)
            .note("Shorter lists are filled up with nulls; with a last argument of true the result is as long as the shortest.")
            .example("list_zip([1, 2], ['a'])", "[(1, a), (2, NULL)]")
            .example("list_zip([1, 2], ['a'], true)", "[(1, a)]"),
    );
}

fn flatten(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, _| {
        let outer = arguments[0].list();
        let inner_view = outer.child();
        let inner = inner_view.list();
        let mut list = output.list();
        rows.for_each(|row| {
            let start = list.start();
            for place in outer.range(row).filter(|place| inner_view.is_valid(*place)) {
                list.child().push_range(inner.child(), inner.range(place));
            }
            list.finish(row, start);
        });
        Ok(())
    })
}

fn bind_zip(arguments: &Arguments<'_>) -> Result<Bound> {
    let lists = match arguments.types.split_last() {
        Some((Type::Boolean, lists)) => lists,
        _ => arguments.types,
    };
    let mut fields = Vec::with_capacity(lists.len());
    for (position, list) in lists.iter().enumerate() {
        match list.element() {
            Some(element) => fields.push(Field::new("", element.clone())),
            None if *list == Type::Null => fields.push(Field::new("", Type::Null)),
            None => {
                return Err(Error::argument(
                    "list_zip",
                    position + 1,
                    format!("has type {list}; expected a list"),
                ));
            }
        }
    }
    let result = Type::list(Type::Struct(fields));
    Ok(Bound::null_aware(result, |arguments, rows, output, _| zip(arguments, rows, output)))
}

fn zip(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
    let (lists, truncate) = match arguments.split_last() {
        Some((last, lists)) if *last.data_type == Type::Boolean => (lists, Some(last)),
        _ => (arguments, None),
    };
    let length = |list: &View<'_>, row: usize| if list.is_null(row) { 0 } else { list.list().length(row) };
    let mut list = output.list();
    rows.for_each(|row| {
        let cuts = truncate.is_some_and(|view| view.is_valid(row) && view.boolean().get(row));
        let lengths = lists.iter().map(|list| length(list, row));
        let size = if cuts { lengths.min() } else { lengths.max() }.unwrap_or(0);
        let start = list.child().grow(size);
        for (position, argument) in lists.iter().enumerate() {
            let field = list.child().field(position);
            let present = length(argument, row).min(size);
            if present > 0 {
                let elements = argument.list();
                let first = elements.range(row).start;
                (0..present).for_each(|k| field.copy(start + k, elements.child(), first + k));
            }
            (present..size).for_each(|k| field.set_null(start + k));
        }
        list.finish(row, start);
    });
    Ok(())
}

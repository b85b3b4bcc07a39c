//! Values, keys and entries of maps.

use crate::Registry;
use crate::column::{View, equal};
use crate::error::{Error, Result};
use crate::list::find;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, parameter};
use crate::types::Type;

/// A map whose keys have the variable type `K` and whose values are of any type.
pub(super) fn any_map() -> Parameter {
    parameter("map", Pattern::Map(Box::new(Pattern::Variable("K")), Box::new(Pattern::Any)))
}

fn key() -> Parameter {
    parameter("key", Pattern::Variable("K"))
}

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "map_extract_value",
            "map",
            "The value of a key in a map; what `map[key]` means.",
        )
        .overload([any_map(), key()], bind_extract_value)
        .note("Null where the map has no such key.")
        .example("map_extract_value(map(['a'], [1]), 'a')", "1"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "map_extract",
            "map",
            "A list of the value of a key in a map, empty where there is none.",
        )
        .alias("element_at")
        .overload([any_map(), key()], |arguments| Ok(extract_list(Type::list(entry_types(arguments)?.1))))
        .example("map_extract(map(['a'], [1]), 'b')", "[]"),
    );
    registry.register_scalar(
        ScalarFunction::new("map_contains", "map", "True if a map has a key.")
            .overload([any_map(), key()], |_| Ok(bind_contains()))
            .example("map_contains(map(['a'], [1]), 'a')", "true"),
    );
    registry.register_scalar(
        ScalarFunction::new("map_contains_value", "map", "True if a map has a value.")
            .overload(
                [
                    parameter("map", Pattern::Map(Box::new(Pattern::Any), Box::new(Pattern::Variable("V")))),
                    parameter("value", Pattern::Variable("V")),
                ],
                |_| Ok(contains_in_field(1)),
            )
            .example("map_contains_value(map(['a'], [1]), 2)", "false"),
    );
    registry.register_scalar(
        ScalarFunction::new("map_contains_entry", "map", "True if a map has a key with a value.")
            .overload(
                [
                    parameter(
                        "map",
                        Pattern::Map(Box::new(Pattern::Variable("K")), Box::new(Pattern::Variable("V"))),
                    ),
                    key(),
                    parameter("value", Pattern::Variable("V")),
                ],
                |_| Ok(contains_entry()),
            )
            .example("map_contains_entry(map(['a'], [1]), 'a', 1)", "true"),
    );
    let whole = || parameter("map", Pattern::Map(Box::new(Pattern::Any), Box::new(Pattern::Any)));
    registry.register_scalar(
        ScalarFunction::new("map_keys", "map", "The keys of a map.")
            .overload([whole()], |arguments| Ok(field_list(Type::list(entry_types(arguments)?.0), 0)))
            .example("map_keys(map(['a', 'b'], [1, 2]))", "[a, b]"),
    );
    registry.register_scalar(
        ScalarFunction::new("map_values", "map", "The values of a map.")
            .overload([whole()], |arguments| Ok(field_list(Type::list(entry_types(arguments)?.1), 1)))
            .example("map_values(map(['a', 'b'], [1, 2]))", "[1, 2]"),
    );
    registry.register_scalar(
        ScalarFunction::new("map_entries", "map", "The entries of a map as structs of key and value.")
            .overload([whole()], |arguments| {
                let (key, value) = entry_types(arguments)?;
                Ok(entries(Type::list(Type::map_entry(&key, &value))))
            })
            .example("map_entries(map(['a'], [1]))", "[{'key': a, 'value': 1}]"),
    );
    registry.register_scalar(
        ScalarFunction::new("cardinality", "map", "Number of entries of a map or of elements of a list.")
            .overload([whole()], |_| Ok(cardinality()))
            .overload([parameter("list", Pattern::AnyList(Box::new(Pattern::Any)))], |_| Ok(cardinality()))
            .example("cardinality(map(['a', 'b'], [1, 2]))", "2"),
    );
}

fn entry_types(arguments: &Arguments<'_>) -> Result<(Type, Type)> {
    match &arguments.types[0] {
        Type::Map(key, value) => Ok((Type::clone(key), Type::clone(value))),
        Type::Null => Ok((Type::Null, Type::Null)),
        other => Err(Error::argument(arguments.function, 1, format!("has type {other}; expected a map"))),
    }
}

/// Place of the entry of a key.
fn find_entry(maps: &View<'_>, keys: &View<'_>, row: usize) -> Option<usize> {
    let entries = maps.list();
    find(&entries.child().field(0), entries.range(row), keys, row)
}

/// Binds the value of a key.
///
/// # Errors
/// [`Error::Argument`] if argument 1 is not a map.
pub fn bind_extract_value(arguments: &Arguments<'_>) -> Result<Bound> {
    let (_, value) = entry_types(arguments)?;
    Ok(Bound::strict(value, |arguments, rows, output, _| {
        let values = arguments[0].list().child().field(1);
        rows.for_each(|row| match find_entry(&arguments[0], &arguments[1], row) {
            Some(place) => output.copy(row, &values, place),
            None => output.set_null(row),
        });
        Ok(())
    }))
}

fn extract_list(result: Type) -> Bound {
    Bound::null_aware(result, |arguments, rows, output, _| {
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                output.set_null(row);
                return;
            }
            let mut list = output.list();
            let start = list.start();
            let entries = arguments[0].list();
            let found =
                if arguments[1].is_null(row) { None } else { find_entry(&arguments[0], &arguments[1], row) };
            if let Some(place) = found {
                list.child().push(&entries.child().field(1), place);
            }
            list.finish(row, start);
        });
        Ok(())
    })
}

/// Whether each map has the key of its row.
pub fn bind_contains() -> Bound {
    contains_in_field(0)
}

fn contains_in_field(field: usize) -> Bound {
    Bound::strict(Type::Boolean, move |arguments, rows, output, _| {
        let entries = arguments[0].list();
        let candidates = entries.child().field(field);
        let bits = output.boolean();
        rows.for_each(|row| {
            bits.set(row, find(&candidates, entries.range(row), &arguments[1], row).is_some())
        });
        Ok(())
    })
}

fn contains_entry() -> Bound {
    Bound::strict(Type::Boolean, |arguments, rows, output, _| {
        let values = arguments[0].list().child().field(1);
        let bits = output.boolean();
        rows.for_each(|row| {
            let place = find_entry(&arguments[0], &arguments[1], row);
            bits.set(row, place.is_some_and(|place| equal(&values, place, &arguments[2], row)));
        });
        Ok(())
    })
}

fn field_list(result: Type, field: usize) -> Bound {
    Bound::strict(result, move |arguments, rows, output, _| {
        let entries = arguments[0].list();
        let values = entries.child().field(field);
        let mut list = output.list();
        rows.for_each(|row| {
            let start = list.start();
            list.child().push_range(&values, entries.range(row));
            list.finish(row, start);
        });
        Ok(())
    })
}

fn entries(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, _| {
        let entries = arguments[0].list();
        let mut list = output.list();
        rows.for_each(|row| {
            let start = list.start();
            list.child().push_range(entries.child(), entries.range(row));
            list.finish(row, start);
        });
        Ok(())
    })
}

fn cardinality() -> Bound {
    Bound::strict(Type::UInt64, |arguments, rows, output, _| {
        let entries = arguments[0].list();
        let values = output.fixed::<u64>();
        rows.for_each(|row| values[row] = entries.length(row) as u64);
        Ok(())
    })
}

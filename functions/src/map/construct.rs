//! Maps made of keys and values, of entries, or of other maps.

use std::ops::Range;

use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::list::{MemberSet, element_of};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::{Pattern, parameter};
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let list = |name: &'static str| parameter(name, Pattern::List(Box::new(Pattern::Any)));
    registry.register_scalar(
        ScalarFunction::new("map", "map", "A map of a list of keys and a list of values.")
            .overload([], |_| {
                Ok(Bound::null_aware(Type::map(Type::Null, Type::Null), |_, rows, output, _| {
                    rows.for_each(|row| output.list().set(row, 0, 0));
                    Ok(())
                }))
            })
            .overload([list("keys"), list("values")], |arguments| {
                let result = Type::map(element_of(arguments.types, 0), element_of(arguments.types, 1));
                Ok(Bound::strict(result, of_lists))
            })
            .note("Written `MAP {'a': 1}`. A null or repeated key and lists of different lengths are errors of the row.")
            .example("map(['a', 'b'], [1, 2])", "{a=1, b=2}"),
    );
    registry.register_scalar(
        ScalarFunction::new("map_from_entries", "map", "A map of a list of structs of key and value.")
            .overload([list("entries")], bind_entries)
            .example("map_from_entries([('a', 1), ('b', 2)])", "{a=1, b=2}"),
    );
    registry.register_scalar(
        ScalarFunction::new("map_concat", "map", "Joins maps; of several entries of one key the last wins.")
            .variadic(
                [map_of_variables("map"), map_of_variables("map")],
                |arguments| Ok(Bound::null_aware(arguments.types[0].clone(), concat)),
            )
            .note("Null maps are left out; keys keep the place of their first occurrence. Only nulls give null.")
            .example("map_concat(map(['a'], [1]), map(['b', 'a'], [2, 3]))", "{a=3, b=2}"),
    );
}

fn map_of_variables(name: &'static str) -> crate::signature::Parameter {
    parameter(name, Pattern::Map(Box::new(Pattern::Variable("K")), Box::new(Pattern::Variable("V"))))
}

/// Why keys cannot make a map.
fn key_problem(keys: &View<'_>, range: Range<usize>, set: &mut MemberSet) -> Option<&'static str> {
    set.clear();
    for place in range {
        if keys.is_null(place) {
            return Some("has a null key; keys of a map are not null");
        }
        if !set.insert(keys, place) {
            return Some("has a repeated key; keys of a map are unique");
        }
    }
    None
}

fn of_lists(
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> Result<()> {
    let (keys, values) = (arguments[0].list(), arguments[1].list());
    let set = scratch.slot::<MemberSet>();
    rows.for_each(|row| {
        let (key_range, value_range) = (keys.range(row), values.range(row));
        if key_range.len() != value_range.len() {
            let problem = format!("has {} values for {} keys", value_range.len(), key_range.len());
            output.fail(row, || Error::argument("map", 2, problem));
            return;
        }
        if let Some(problem) = key_problem(keys.child(), key_range.clone(), set) {
            output.fail(row, || Error::argument("map", 1, problem));
            return;
        }
        let mut list = output.list();
        let start = list.child().grow(key_range.len());
        copy_range(list.child().field(0), start, keys.child(), key_range);
        copy_range(list.child().field(1), start, values.child(), value_range);
        list.finish(row, start);
    });
    Ok(())
}

fn copy_range(target: &mut Output, start: usize, source: &View<'_>, range: Range<usize>) {
    range.enumerate().for_each(|(position, place)| target.copy(start + position, source, place));
}

fn bind_entries(arguments: &Arguments<'_>) -> Result<Bound> {
    let Type::Struct(fields) = element_of(arguments.types, 0) else {
        let problem = format!("has type {}; expected a list of structs of key and value", arguments.types[0]);
        return Err(Error::argument("map_from_entries", 1, problem));
    };
    let [key, value] = &fields[..] else {
        let problem = format!("has structs of {} fields; expected a key and a value", fields.len());
        return Err(Error::argument("map_from_entries", 1, problem));
    };
    let result = Type::map(key.data_type.clone(), value.data_type.clone());
    Ok(Bound::strict(result, of_entries))
}

fn of_entries(
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> Result<()> {
    let lists = arguments[0].list();
    let entries = lists.child();
    let (keys, values) = (entries.field(0), entries.field(1));
    let set = scratch.slot::<MemberSet>();
    rows.for_each(|row| {
        let range = lists.range(row);
        let problem = if range.clone().any(|place| entries.is_null(place)) {
            Some("has a null entry; keys of a map are not null")
        } else {
            key_problem(&keys, range.clone(), set)
        };
        if let Some(problem) = problem {
            output.fail(row, || Error::argument("map_from_entries", 1, problem));
            return;
        }
        let mut list = output.list();
        let start = list.child().grow(range.len());
        copy_range(list.child().field(0), start, &keys, range.clone());
        copy_range(list.child().field(1), start, &values, range);
        list.finish(row, start);
    });
    Ok(())
}

/// The maps of one row after another: entries are looked up among those already written.
fn concat(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output, _: &mut Scratch) -> Result<()> {
    let mut last: Vec<(usize, usize)> = Vec::new();
    rows.for_each(|row| {
        if arguments.iter().all(|argument| argument.is_null(row)) {
            output.set_null(row);
            return;
        }
        last.clear();
        for (number, argument) in arguments.iter().enumerate().filter(|(_, argument)| argument.is_valid(row))
        {
            let keys = argument.list().child().field(0);
            for place in argument.list().range(row) {
                let same = |&&mut (held, at): &&mut (usize, usize)| {
                    crate::column::equal(&arguments[held].list().child().field(0), at, &keys, place)
                };
                match last.iter_mut().find(same) {
                    Some(entry) => *entry = (number, place),
                    None => last.push((number, place)),
                }
            }
        }
        let mut list = output.list();
        let start = list.child().grow(last.len());
        for (position, &(number, place)) in last.iter().enumerate() {
            let entries = arguments[number].list().child();
            list.child().field(0).copy(start + position, &entries.field(0), place);
            list.child().field(1).copy(start + position, &entries.field(1), place);
        }
        list.finish(row, start);
    });
    Ok(())
}

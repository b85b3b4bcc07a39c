//! list_merge, set_union, map_union: lists and maps of a group made one.

use super::collector::{Summary, collected};
use crate::aggregate::{AggregateFunction, BoundAggregate};
use crate::column::{Output, View};
use crate::error::{Error, Result};
use crate::list::MemberSet;
use crate::scalar::Arguments;
use crate::signature::{Pattern, list_of_variable, parameter};
use crate::types::Type;

pub(super) fn functions() -> Vec<AggregateFunction> {
    vec![
        AggregateFunction::new("list_merge", "aggregate", "The elements of all lists of the group as one list, in the input's order.")
            .overload([list_of_variable("list")], |arguments| Ok(lists(arguments, Lists { is_distinct: false })))
            .order_sensitive()
            .note("Null lists are skipped and null elements kept; a group without lists gives null.")
            .example("list_merge([1, 2])", "[1, 2]"),
        AggregateFunction::new("set_union", "aggregate", "The distinct elements of all lists of the group, in the order of their first appearance.")
            .overload([list_of_variable("list")], |arguments| Ok(lists(arguments, Lists { is_distinct: true })))
            .order_sensitive()
            .note("Null lists are skipped, and null is an element like any other; a group without lists gives null.")
            .example("set_union([1, 2, 1])", "[1, 2]"),
        AggregateFunction::new("map_union", "aggregate", "The entries of all maps of the group as one map; of a key in several maps, the value of the last.")
            .overload([parameter("map", Pattern::Map(Box::new(Pattern::Any), Box::new(Pattern::Any)))], maps)
            .order_sensitive()
            .note("Keys stand in the order of their first appearance. Null maps are skipped; a group without maps gives null.")
            .example("map_union(MAP {'x': 42})", "{x=42}"),
    ]
}

fn lists(arguments: &Arguments<'_>, summary: Lists) -> BoundAggregate {
    let list = arguments.types[0].clone();
    collected(vec![list.clone()], list, summary)
}

#[derive(Clone)]
struct Lists {
    is_distinct: bool,
}

impl Summary for Lists {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let list = columns[0].list();
        let mut writer = output.list();
        let start = writer.start();
        let mut set = MemberSet::default();
        for &member in members {
            let range = list.range(member as usize);
            if self.is_distinct {
                range.for_each(|at| {
                    set.insert(list.child(), at);
                });
            } else {
                writer.child().push_range(list.child(), range);
            }
        }
        for &place in set.places() {
            writer.child().push(list.child(), place as usize);
        }
        writer.finish(row, start);
    }
}

fn maps(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let map = arguments.types[0].clone();
    if !matches!(map, Type::Map(..)) {
        return Err(Error::argument(arguments.function, 1, "is NULL; expected a map"));
    }
    Ok(collected(vec![map.clone()], map, Maps))
}

#[derive(Clone)]
struct Maps;

impl Summary for Maps {
    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let list = columns[0].list();
        let entries = list.child();
        let (keys, mut set) = (entries.field(0), MemberSet::default());
        // The last entry of each key, at the key's place in the order of first appearance.
        let mut last = Vec::new();
        for at in members.iter().flat_map(|&member| list.range(member as usize)) {
            if set.insert(&keys, at) {
                last.push(at);
            } else if let Some(place) = set.find(&keys, &keys, at) {
                last[place] = at;
            }
        }
        let mut writer = output.list();
        let start = writer.child().grow(last.len());
        for (position, &at) in last.iter().enumerate() {
            writer.child().field(0).copy(start + position, &keys, at);
            writer.child().field(1).copy(start + position, &entries.field(1), at);
        }
        writer.finish(row, start);
    }
}

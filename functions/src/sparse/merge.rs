//! Lists made of two lists: union, difference, merge.

use super::CATEGORY;
use crate::column::{Output, View, compare};
use crate::error::Error;
use crate::list::MemberSet;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::list_of_variable;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "list_union",
            CATEGORY,
            "The distinct elements of two lists, in order of first appearance.",
        )
        .alias("array_union")
        .note("A null element counts as a value, once.")
        .example("list_union([1, 2, 2], [3, 1])", "[1, 2, 3]")
        .overload([list_of_variable("a"), list_of_variable("b")], |arguments| {
            Ok(Bound::strict(arguments.types[0].clone(), |arguments, rows, output, scratch| {
                let seen = scratch.slot::<Seen>();
                rows.for_each(|row| unite(&arguments[0], &arguments[1], row, output, seen));
                output.check_capacity()
            }))
        }),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "list_except",
            CATEGORY,
            "The distinct elements of a list that do not stand in another.",
        )
        .alias("array_except")
        .note("In order of first appearance; a null element counts as a value.")
        .example("list_except([1, 2, 2, 3], [1, 1, 2])", "[3]")
        .overload([list_of_variable("a"), list_of_variable("b")], |arguments| {
            Ok(Bound::strict(arguments.types[0].clone(), |arguments, rows, output, scratch| {
                let seen = scratch.slot::<Seen>();
                rows.for_each(|row| subtract(&arguments[0], &arguments[1], row, output, seen));
                output.check_capacity()
            }))
        }),
    );
    registry.register_scalar(
        ScalarFunction::new("merge_sorted", CATEGORY, "Two ascending lists merged into one ascending list.")
            .note("Equal elements stay, those of the first list first; nulls come last. A list that does not ascend is an error.")
            .example("merge_sorted([1, 3, 5], [2, 3])", "[1, 2, 3, 3, 5]")
            .overload([list_of_variable("a"), list_of_variable("b")], |arguments| {
                Ok(Bound::strict(arguments.types[0].clone(), |arguments, rows, output, _| {
                    rows.for_each(|row| merge(&arguments[0], &arguments[1], row, output));
                    output.check_capacity()
                }))
            }),
    );
}

/// Members of the two lists.
#[derive(Debug, Default)]
struct Seen {
    a: MemberSet,
    b: MemberSet,
}

fn unite(a: &View<'_>, b: &View<'_>, row: usize, output: &mut Output, seen: &mut Seen) {
    let (a, b) = (a.list(), b.list());
    let (of_a, of_b) = (a.child(), b.child());
    seen.a.clear();
    seen.b.clear();
    let mut has_null = false;
    let mut writer = output.list();
    let start = writer.start();
    for at in a.range(row) {
        if of_a.is_null(at) && std::mem::replace(&mut has_null, true) {
            continue;
        }
        if of_a.is_null(at) || seen.a.insert(of_a, at) {
            writer.child().push(of_a, at);
        }
    }
    for at in b.range(row) {
        if of_b.is_null(at) && std::mem::replace(&mut has_null, true) {
            continue;
        }
        if of_b.is_null(at) || (!seen.a.has(of_a, of_b, at) && seen.b.insert(of_b, at)) {
            writer.child().push(of_b, at);
        }
    }
    writer.finish(row, start);
}

fn subtract(a: &View<'_>, b: &View<'_>, row: usize, output: &mut Output, seen: &mut Seen) {
    let (a, b) = (a.list(), b.list());
    let (of_a, of_b) = (a.child(), b.child());
    seen.a.clear();
    seen.b.fill(of_b, b.range(row));
    let mut has_null = b.range(row).any(|at| of_b.is_null(at));
    let mut writer = output.list();
    let start = writer.start();
    for at in a.range(row) {
        let is_new = match of_a.is_null(at) {
            true => !std::mem::replace(&mut has_null, true),
            false => !seen.b.has(of_b, of_a, at) && seen.a.insert(of_a, at),
        };
        if is_new {
            writer.child().push(of_a, at);
        }
    }
    writer.finish(row, start);
}

fn merge(a: &View<'_>, b: &View<'_>, row: usize, output: &mut Output) {
    let (a, b) = (a.list(), b.list());
    for (position, list) in [(1, &a), (2, &b)] {
        let child = list.child();
        let range = list.range(row);
        let mut pairs = range.clone().zip(range.skip(1));
        if let Some((_, at)) = pairs.find(|&(before, at)| compare(child, before, child, at).is_gt()) {
            let place = at - list.range(row).start + 1;
            let problem = format!("does not ascend at element {place}; sort it first");
            return output.fail(row, || Error::argument("merge_sorted", position, problem));
        }
    }
    let mut writer = output.list();
    let start = writer.start();
    let (mut left, mut right) = (a.range(row), b.range(row));
    while !left.is_empty() && !right.is_empty() {
        let takes_left = compare(a.child(), left.start, b.child(), right.start).is_le();
        let (list, range) = if takes_left { (&a, &mut left) } else { (&b, &mut right) };
        writer.child().push(list.child(), range.start);
        range.start += 1;
    }
    writer.child().push_range(a.child(), left);
    writer.child().push_range(b.child(), right);
    writer.finish(row, start);
}

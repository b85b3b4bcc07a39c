//! Elements chosen by positions or by truth values, and lists cut or filled to a length.

use super::contains::list_of_t;
use super::extract::{any_list, element_of};
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{exact, variable};
use crate::types::Type;

/// Longest list that a resize makes.
const ELEMENTS_MAX: i64 = 1 << 27;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("list_select", "list", "The elements of a list at given positions.")
            .alias("array_select")
            .overload([any_list("list"), exact("positions", Type::list(Type::Int64))], |arguments| {
                let result = Type::list(element_of(arguments.types, 0));
                Ok(Bound::strict(result, |arguments, rows, output, _| select(arguments, rows, output)))
            })
            .note("Positions count from 1; one outside the list gives a null element; a null position is an error of the row.")
            .example("list_select([10, 20, 30], [3, 1])", "[30, 10]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_where", "list", "The elements of a list whose place in another is true.")
            .alias("array_where")
            .overload([any_list("list"), exact("mask", Type::list(Type::Boolean))], |arguments| {
                let result = Type::list(element_of(arguments.types, 0));
                Ok(Bound::strict(result, |arguments, rows, output, _| masked(arguments, rows, output)))
            })
            .note("A null truth value is an error of the row.")
            .example("list_where([10, 20, 30], [true, false, true])", "[10, 30]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_resize", "list", "A list cut or filled up to a length.")
            .alias("array_resize")
            .overload([any_list("list"), exact("length", Type::Int64)], |arguments| {
                let result = Type::list(element_of(arguments.types, 0));
                Ok(Bound::null_aware(result, |arguments, rows, output, _| resize(arguments, rows, output)))
            })
            .overload([list_of_t("list"), exact("length", Type::Int64), variable("filling")], |arguments| {
                let result = Type::list(arguments.types[2].clone());
                Ok(Bound::null_aware(result, |arguments, rows, output, _| resize(arguments, rows, output)))
            })
            .note("Filled up with nulls or with the given value; a null length counts as 0.")
            .example("list_resize([1, 2], 3)", "[1, 2, NULL]")
            .example("list_resize([1, 2], 4, 0)", "[1, 2, 0, 0]"),
    );
}

fn null_inside(function: &str) -> Error {
    Error::argument(function, 2, "has a null element; expected values only")
}

fn select(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
    let (lists, choices) = (arguments[0].list(), arguments[1].list());
    let positions = choices.child().fixed::<i64>();
    rows.for_each(|row| {
        if choices.range(row).any(|place| choices.child().is_null(place)) {
            output.fail(row, || null_inside("list_select"));
            return;
        }
        let range = lists.range(row);
        let mut list = output.list();
        let start = list.start();
        for choice in choices.range(row) {
            match usize::try_from(positions.get(choice)) {
                Ok(position) if (1..=range.len()).contains(&position) => {
                    list.child().push(lists.child(), range.start + position - 1);
                }
                _ => list.child().push_null(),
            }
        }
        list.finish(row, start);
    });
    Ok(())
}

fn masked(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
    let (lists, masks) = (arguments[0].list(), arguments[1].list());
    let bits = masks.child().boolean();
    rows.for_each(|row| {
        if masks.range(row).any(|place| masks.child().is_null(place)) {
            output.fail(row, || null_inside("list_where"));
            return;
        }
        let range = lists.range(row);
        let mut list = output.list();
        let start = list.start();
        for (position, _) in masks.range(row).enumerate().filter(|(_, place)| bits.get(*place)) {
            if position < range.len() {
                list.child().push(lists.child(), range.start + position);
            } else {
                list.child().push_null();
            }
        }
        list.finish(row, start);
    });
    Ok(())
}

fn resize(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
    let lists = arguments[0].list();
    let lengths = arguments[1].fixed::<i64>();
    rows.for_each(|row| {
        if arguments[0].is_null(row) {
            output.set_null(row);
            return;
        }
        let length = if arguments[1].is_null(row) { 0 } else { lengths.get(row) };
        if !(0..=ELEMENTS_MAX).contains(&length) {
            let problem = format!("is {length}; expected a length from 0 to {ELEMENTS_MAX}");
            output.fail(row, || Error::argument("list_resize", 2, problem));
            return;
        }
        let length = length as usize;
        let range = lists.range(row);
        let kept = range.len().min(length);
        let mut list = output.list();
        let start = list.start();
        list.child().push_range(lists.child(), range.start..range.start + kept);
        for _ in kept..length {
            match arguments.get(2) {
                Some(filling) => list.child().push(filling, row),
                None => list.child().push_null(),
            }
        }
        list.finish(row, start);
    });
    Ok(())
}

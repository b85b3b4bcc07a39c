//! Lists put in order.

use std::cmp::Ordering;
use std::ops::Range;

use super::extract::{any_list, element_of};
use super::plain_lists::{PlainLists, elements_in, spans_of};
use super::whole::{Whole, set_lengths};
use crate::Registry;
use crate::column::{Output, Rows, View, WritableFixed, compare};
use crate::error::{Error, Result};
use crate::kernel::span::gather::Gathered;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::exact;
use crate::types::Type;

/// How elements are ordered.
#[derive(Debug, Clone, Copy)]
struct Order {
    is_descending: bool,
    nulls_first: bool,
}

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let orders = "Order is 'ASC' or 'DESC', nulls are 'NULLS FIRST' or 'NULLS LAST'; nulls come last by default. Equal elements keep their order.";
    registry.register_scalar(
        ordered("list_sort", "The elements of a list in order.", false, sort)
            .alias("array_sort")
            .note(orders)
            .example("list_sort([3, NULL, 1])", "[1, 3, NULL]")
            .example("list_sort([3, NULL, 1], 'DESC', 'NULLS FIRST')", "[NULL, 3, 1]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_reverse_sort", "list", "The elements of a list in descending order.")
            .alias("array_reverse_sort")
            .overload([any_list("list")], |arguments| {
                Ok(sort(arguments, Order { is_descending: true, nulls_first: false }))
            })
            .overload([any_list("list"), exact("nulls", Type::Text)], |arguments| {
                let nulls_first = nulls_first(arguments, 1)?;
                Ok(sort(arguments, Order { is_descending: true, nulls_first }))
            })
            .example("list_reverse_sort([3, NULL, 1])", "[3, 1, NULL]"),
    );
    registry.register_scalar(
        ordered("list_grade_up", "Positions of the elements of a list in order.", false, grade_up)
            .alias("array_grade_up")
            .alias("grade_up")
            .note(orders)
            .example("list_grade_up([30, 10, 20])", "[2, 3, 1]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_reverse", "list", "The elements of a list from its end to its start.")
            .alias("array_reverse")
            .overload([any_list("list")], |arguments| Ok(reverse(Type::list(element_of(arguments.types, 0)))))
            .example("list_reverse([1, 2, NULL])", "[NULL, 2, 1]"),
    );
}

type Make = fn(&Arguments<'_>, Order) -> Bound;

fn ordered(name: &str, summary: &str, is_descending: bool, make: Make) -> ScalarFunction {
    ScalarFunction::new(name, "list", summary)
        .overload([any_list("list")], move |arguments| {
            Ok(make(arguments, Order { is_descending, nulls_first: false }))
        })
        .overload([any_list("list"), exact("order", Type::Text)], move |arguments| {
            Ok(make(arguments, Order { is_descending: descending(arguments, 1)?, nulls_first: false }))
        })
        .overload(
            [any_list("list"), exact("order", Type::Text), exact("nulls", Type::Text)],
            move |arguments| {
                let order = Order {
                    is_descending: descending(arguments, 1)?,
                    nulls_first: nulls_first(arguments, 2)?,
                };
                Ok(make(arguments, order))
            },
        )
}

fn descending(arguments: &Arguments<'_>, position: usize) -> Result<bool> {
    let order = arguments.constant_text(position)?;
    match order.to_ascii_uppercase().as_str() {
        "ASC" | "ASCENDING" => Ok(false),
        "DESC" | "DESCENDING" => Ok(true),
        _ => Err(Error::argument(
            arguments.function,
            position + 1,
            format!("is '{order}'; expected 'ASC' or 'DESC'"),
        )),
    }
}

fn nulls_first(arguments: &Arguments<'_>, position: usize) -> Result<bool> {
    let nulls = arguments.constant_text(position)?;
    match nulls.to_ascii_uppercase().as_str() {
        "NULLS FIRST" => Ok(true),
        "NULLS LAST" => Ok(false),
        _ => {
            let problem = format!("is '{nulls}'; expected 'NULLS FIRST' or 'NULLS LAST'");
            Err(Error::argument(arguments.function, position + 1, problem))
        }
    }
}

/// Places of one list's elements.
#[derive(Default)]
struct Places(Vec<u32>);

impl Places {
    fn sort(&mut self, child: &View<'_>, range: Range<usize>, order: Order) {
        self.0.clear();
        self.0.extend(range.start as u32..range.end as u32);
        self.0.sort_by(|&a, &b| order.compare(child, a as usize, b as usize));
    }
}

impl Order {
    fn compare(self, child: &View<'_>, left: usize, right: usize) -> Ordering {
        match (child.is_valid(left), child.is_valid(right)) {
            (true, true) => {
                let order = compare(child, left, child, right);
                if self.is_descending { order.reverse() } else { order }
            }
            (left, right) => {
                let nulls_last = right.cmp(&left);
                if self.nulls_first { nulls_last.reverse() } else { nulls_last }
            }
        }
    }
}

fn sort(arguments: &Arguments<'_>, order: Order) -> Bound {
    let result = Type::list(element_of(arguments.types, 0));
    Bound::strict(result, move |arguments, rows, output, scratch| {
        if sort_plain::<i32>(&arguments[0], order, rows, output, scratch)
            || sort_plain::<i64>(&arguments[0], order, rows, output, scratch)
        {
            return output.check_capacity();
        }
        let lists = arguments[0].list();
        let places = scratch.slot::<Places>();
        let mut list = output.list();
        rows.for_each(|row| {
            places.sort(lists.child(), lists.range(row), order);
            let start = list.start();
            places.0.iter().for_each(|&place| list.child().push(lists.child(), place as usize));
            list.finish(row, start);
        });
        Ok(())
    })
}

/// Sorts lists of whole numbers without nulls; false, with nothing done, for others.
fn sort_plain<T: Whole>(
    lists: &View<'_>,
    order: Order,
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> bool {
    let Some(plain) = PlainLists::<T>::of(lists) else { return false };
    let spans = &*spans_of(lists, rows, &scratch.arena);
    let lengths = spans.iter().map(|(start, end)| (end - start) as usize);
    let mut list = output.list();
    let start = list.child().grow(elements_in(spans));
    set_lengths(&mut list, rows, start, lengths);
    let sorted = &mut list.child().fixed::<T>()[start..];
    match order.is_descending {
        true => T::descending(plain.values, spans, sorted),
        false => T::ascending(plain.values, spans, sorted),
    }
    true
}

fn grade_up(_: &Arguments<'_>, order: Order) -> Bound {
    Bound::strict(Type::list(Type::Int64), move |arguments, rows, output, scratch| {
        let lists = arguments[0].list();
        let places = scratch.slot::<Places>();
        let mut list = output.list();
        rows.for_each(|row| {
            let range = lists.range(row);
            places.sort(lists.child(), range.clone(), order);
            let start = list.child().grow(range.len());
            let positions = &mut list.child().fixed::<i64>()[start..];
            for (position, &place) in positions.iter_mut().zip(&places.0) {
                *position = i64::from(place) - range.start as i64 + 1;
            }
            list.finish(row, start);
        });
        Ok(())
    })
}

fn reverse(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, scratch| {
        let done = reverse_plain::<i64>(&arguments[0], rows, output, scratch)
            || reverse_plain::<i32>(&arguments[0], rows, output, scratch)
            || reverse_plain::<f32>(&arguments[0], rows, output, scratch)
            || reverse_plain::<f64>(&arguments[0], rows, output, scratch);
        if done {
            return output.check_capacity();
        }
        let lists = arguments[0].list();
        let mut places = bumpalo::collections::Vec::new_in(&scratch.arena);
        let mut list = output.list();
        let start = list.start();
        rows.for_each(|row| {
            let first = places.len();
            places.extend(lists.range(row).rev().map(|place| place as u32));
            list.set(row, start + first, places.len() - first);
        });
        list.child().push_places(lists.child(), &places);
        Ok(())
    })
}

/// Reverses lists of numbers without nulls; false if they are others.
fn reverse_plain<T: WritableFixed + Gathered>(
    view: &View<'_>,
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> bool {
    let Some(lists) = PlainLists::<T>::of(view) else { return false };
    let spans = &*spans_of(view, rows, &scratch.arena);
    let lengths = spans.iter().map(|(start, end)| (end - start) as usize);
    let mut list = output.list();
    let start = list.child().grow(elements_in(spans));
    set_lengths(&mut list, rows, start, lengths);
    T::reverse(lists.values, spans, &mut list.into_child().fixed::<T>()[start..]);
    true
}

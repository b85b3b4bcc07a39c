//! Parts of lists and of text by positions, both ends included: what `x[a:b:step]` means.

use std::ops::Range;

use super::extract::{any_list, element_of};
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let bounds = || [exact("begin", Type::Int64), exact("end", Type::Int64)];
    let [begin, end] = bounds();
    let [text_begin, text_end] = bounds();
    let [step_begin, step_end] = bounds();
    registry.register_scalar(
        ScalarFunction::new("list_slice", "list", "Elements of a list, or characters of a text, between two positions.")
            .alias("array_slice")
            .overload([any_list("list"), begin, end], |arguments| Ok(list_slice(Type::list(element_of(arguments.types, 0)))))
            .overload([any_list("list"), step_begin, step_end, exact("step", Type::Int64)], |arguments| {
                Ok(list_slice_with_step(Type::list(element_of(arguments.types, 0))))
            })
            .overload([exact("text", Type::Text), text_begin, text_end], |_| Ok(text_slice()))
            .note("Both ends are included; positions count from 1, negative ones from the end, and may lie outside.")
            .note("An end that is left out is written as a negative step's or positive step's farthest position; a step of 0 is an error of the row.")
            .example("list_slice([1, 2, 3, 4], 2, 3)", "[2, 3]")
            .example("list_slice([1, 2, 3, 4, 5], 5, 1, -2)", "[5, 3, 1]")
            .example("list_slice('hello', -3, -2)", "ll"),
    );
}

/// Places from `begin` to `end`, clamped to a list of this length.
fn places(begin: i64, end: i64, length: usize) -> Range<usize> {
    let length = length as i64;
    let from_start =
        |position: i64| if position < 0 { position.saturating_add(length + 1) } else { position };
    let first = from_start(begin).max(1) - 1;
    let after = from_start(end).min(length);
    if first < after { first as usize..after as usize } else { 0..0 }
}

fn list_slice(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, _| {
        let lists = arguments[0].list();
        let (begins, ends) = (arguments[1].fixed::<i64>(), arguments[2].fixed::<i64>());
        let mut list = output.list();
        rows.for_each(|row| {
            let range = lists.range(row);
            let places = places(begins.get(row), ends.get(row), range.len());
            let start = list.start();
            list.child().push_range(lists.child(), range.start + places.start..range.start + places.end);
            list.finish(row, start);
        });
        Ok(())
    })
}

fn list_slice_with_step(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, _| slice_rows(arguments, rows, output))
}

fn slice_rows(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
    let lists = arguments[0].list();
    let (begins, ends) = (arguments[1].fixed::<i64>(), arguments[2].fixed::<i64>());
    let steps = arguments[3].fixed::<i64>();
    rows.for_each(|row| {
        let range = lists.range(row);
        let step = steps.get(row);
        let (begin, end) = (begins.get(row), ends.get(row));
        let Ok(stride) = usize::try_from(step.unsigned_abs()) else { return };
        if stride == 0 {
            output.fail(row, || {
                Error::argument("list_slice", 4, "is 0; expected a step forwards or backwards")
            });
            return;
        }
        let mut list = output.list();
        let start = list.start();
        let child = lists.child();
        if step > 0 {
            let places = places(begin, end, range.len());
            places.step_by(stride).for_each(|place| list.child().push(child, range.start + place));
        } else {
            let places = places(end, begin, range.len());
            places.rev().step_by(stride).for_each(|place| list.child().push(child, range.start + place));
        }
        list.finish(row, start);
    });
    Ok(())
}

fn text_slice() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let text = arguments[0].text();
        let (begins, ends) = (arguments[1].fixed::<i64>(), arguments[2].fixed::<i64>());
        let mut writer = output.text();
        rows.for_each(|row| {
            let whole = text.get(row);
            let places = places(begins.get(row), ends.get(row), whole.chars().count());
            let mut boundaries = whole.char_indices().map(|(at, _)| at);
            let part = match places.is_empty() {
                true => "",
                false => {
                    let from = boundaries.nth(places.start).unwrap_or(whole.len());
                    let to = boundaries.nth(places.len() - 1).unwrap_or(whole.len());
                    &whole[from..to]
                }
            };
            writer.set_part(row, &text, row, part);
        });
        Ok(())
    })
}

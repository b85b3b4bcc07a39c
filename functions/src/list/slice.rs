//! Parts of lists and of text by positions, both ends included: what `x[a:b:step]` means.

use std::ops::Range;

use super::extract::{any_list, element_of};
use super::plain_lists::spans_of;
use super::whole::set_lengths;
use crate::Registry;
use crate::column::{Data, Output, Rows, View};
use crate::error::Error;
use crate::kernel::span::part::{self, End};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::{Parameter, exact};
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let note = "Both ends are included; positions count from 1, negative ones from the end, and may lie outside. A negative step walks backwards; a step of 0 is an error of the row.";
    registry.register_scalar(
        slice_function(
            "list_slice",
            "Elements of a list, or characters of a text, between two positions.",
            false,
        )
        .note(note)
        .note("A null position gives null.")
        .example("list_slice([1, 2, 3, 4], 2, 3)", "[2, 3]")
        .example("list_slice([1, 2, 3, 4, 5], 5, 1, -2)", "[5, 3, 1]")
        .example("list_slice('hello', -3, -2)", "ll"),
    );
    registry.register_scalar(
        slice_function("array_slice", "What `x[begin:end:step]` means: list_slice with ends that may be left out.", true)
            .note(note)
            .note("An end that is left out is a constant null here and lies at the farthest position; a null of a row gives null.")
            .example("array_slice([1, 2, 3, 4], 3, NULL)", "[3, 4]"),
    );
}

fn slice_function(name: &'static str, summary: &str, allows_open: bool) -> ScalarFunction {
    let bounds = || [exact("begin", Type::Int64), exact("end", Type::Int64)];
    let with_first = |first: Parameter| [first].into_iter().chain(bounds());
    let result = |arguments: &Arguments<'_>| Type::list(element_of(arguments.types, 0));
    ScalarFunction::new(name, "list", summary)
        .overload(with_first(any_list("list")), move |arguments| {
            Ok(list_slice(result(arguments), Open::of(arguments, allows_open), name))
        })
        .overload(with_first(any_list("list")).chain([exact("step", Type::Int64)]), move |arguments| {
            Ok(list_slice(result(arguments), Open::of(arguments, allows_open), name))
        })
        .overload(with_first(exact("text", Type::Text)), move |arguments| {
            Ok(text_slice(Open::of(arguments, allows_open)))
        })
}

/// Which ends were left out.
#[derive(Debug, Clone, Copy)]
struct Open {
    begin: bool,
    end: bool,
}

impl Open {
    fn of(arguments: &Arguments<'_>, allowed: bool) -> Self {
        let is_null = |position: usize| {
            allowed && matches!(&arguments.constants[position], Some(literal) if literal.value.is_null())
        };
        Self { begin: is_null(1), end: is_null(2) }
    }

    /// Begin, end and step of a row; `None` if one of them is null.
    fn bounds(self, arguments: &[View<'_>], row: usize) -> Option<(i64, i64, i64)> {
        let number = |position: usize| {
            let view = arguments.get(position)?;
            view.is_valid(row).then(|| view.fixed::<i64>().get(row))
        };
        let step = if arguments.len() > 3 { number(3)? } else { 1 };
        let (first, last) = if step < 0 { (i64::MAX, 1) } else { (1, i64::MAX) };
        let begin = if self.begin { first } else { number(1)? };
        let end = if self.end { last } else { number(2)? };
        Some((begin, end, step))
    }
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

fn list_slice(result: Type, open: Open, function: &'static str) -> Bound {
    Bound::null_aware(result, move |arguments, rows, output, scratch| {
        if share_parts(arguments, open, rows, output) || slice_spans(arguments, open, rows, output, scratch) {
            return Ok(());
        }
        rows.for_each(|row| match open.bounds(arguments, row) {
            Some(_) if arguments[0].is_null(row) => output.set_null(row),
            Some((_, _, 0)) => {
                output.fail(row, || {
                    Error::argument(function, 4, "is 0; expected a step forwards or backwards")
                });
            }
            Some(bounds) => slice_row(&arguments[0], row, bounds, output),
            None => output.set_null(row),
        });
        Ok(())
    })
}

/// The parts of all lists between two constant positions, in the elements of the lists; false, with nothing written, where they are
/// not constant, the step is not 1, or the elements may not be kept.
fn share_parts(arguments: &[View<'_>], open: Open, rows: Rows<'_>, output: &mut Output) -> bool {
    let lists = &arguments[0];
    let (Rows::All(count), Data::List(data), true) = (rows, lists.data, lists.is_flat()) else {
        return false;
    };
    let (Some(elements), Some((begin, end))) = (data.elements, constant_ends(arguments, open)) else {
        return false;
    };
    if output.len() != count {
        return false;
    }
    let Some((starts, sizes)) = output.list().share(elements) else { return false };
    match data.sizes {
        Some(lengths) => part::parts_of_spans(data.offsets, lengths, begin, end, starts, sizes),
        None => part::parts(data.offsets, begin, end, starts, sizes),
    }
    if let Some(validity) = lists.validity {
        let words = output.validity_words().iter_mut().enumerate();
        words.for_each(|(index, word)| *word &= validity.word(index));
    }
    true
}

/// Both ends, where these are constant and the step is 1.
fn constant_ends(arguments: &[View<'_>], open: Open) -> Option<(End, End)> {
    if !arguments[1..].iter().all(View::is_constant) {
        return None;
    }
    let (begin, end, 1) = open.bounds(arguments, 0)? else { return None };
    // No list has more elements than the greatest number of 32 bits.
    let count = |elements: i64| elements.clamp(0, i64::from(i32::MAX)) as i32;
    let begin =
        if begin < 0 { End::Back(count(begin.saturating_neg())) } else { End::Start(count(begin - 1)) };
    let end = if end < 0 { End::Back(count(-1 - end)) } else { End::Start(count(end)) };
    Some((begin, end))
}

/// Slices all lists between two constant positions at once; false, with nothing written, where they are not constant, the step
/// is not 1, or a list may be null.
fn slice_spans(
    arguments: &[View<'_>],
    open: Open,
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> bool {
    let lists = &arguments[0];
    if lists.may_be_null() || rows.is_empty() || !arguments[1..].iter().all(View::is_constant) {
        return false;
    }
    let Some((begin, end, 1)) = open.bounds(arguments, 0) else { return false };
    let spans = spans_of(lists, rows, &scratch.arena);
    for span in &mut *spans {
        let places = places(begin, end, (span.1 - span.0) as usize);
        *span = (span.0 + places.start as u32, span.0 + places.end as u32);
    }
    let mut list = output.list();
    let start = list.start();
    set_lengths(&mut list, rows, start, spans.iter().map(|(start, end)| (end - start) as usize));
    list.child().push_spans(lists.list().child(), spans);
    true
}

fn slice_row(lists: &View<'_>, row: usize, (begin, end, step): (i64, i64, i64), output: &mut Output) {
    let lists = lists.list();
    let (child, range) = (lists.child(), lists.range(row));
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    let mut list = output.list();
    let start = list.start();
    if step == 1 {
        let places = places(begin, end, range.len());
        list.child().push_range(child, range.start + places.start..range.start + places.end);
    } else if step > 0 {
        let places = places(begin, end, range.len());
        places.step_by(stride).for_each(|place| list.child().push(child, range.start + place));
    } else {
        let places = places(end, begin, range.len());
        places.rev().step_by(stride).for_each(|place| list.child().push(child, range.start + place));
    }
    list.finish(row, start);
}

fn text_slice(open: Open) -> Bound {
    Bound::null_aware(Type::Text, move |arguments, rows, output, _| {
        let text = arguments[0].text();
        rows.for_each(|row| {
            let (true, Some((begin, end, _))) = (arguments[0].is_valid(row), open.bounds(arguments, row))
            else {
                return output.set_null(row);
            };
            let whole = text.get(row);
            let places = places(begin, end, whole.chars().count());
            let mut boundaries = whole.char_indices().map(|(at, _)| at);
            let part = if places.is_empty() {
                ""
            } else {
                let from = boundaries.nth(places.start).unwrap_or(whole.len());
                let to = boundaries.nth(places.len() - 1).unwrap_or(whole.len());
                &whole[from..to]
            };
            output.text().set_part(row, &text, row, part);
        });
        Ok(())
    })
}

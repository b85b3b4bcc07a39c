//! Membership: is an element in a list, where, and what two lists share.

use std::ops::Range;

use bumpalo::Bump;

use super::member_set::MemberSet;
use super::plain_lists::{PlainLists, Words, extent, offsets_of, spans_of, words_of};
use super::whole::{Whole, set_lengths};
use crate::Registry;
use crate::column::{Data, Output, Rows, View, equal};
use crate::error::Result;
use crate::kernel::level::Level;
use crate::kernel::span::distinct::WordSet;
use crate::kernel::span::recall::Recall;
use crate::kernel::span::sought::Sought;
use crate::kernel::span::{Span, equal};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::{Parameter, Pattern, parameter, variable};
use crate::types::Type;

/// A parameter that is a list or fixed list of the variable type `T`.
pub fn list_of_t(name: &'static str) -> Parameter {
    parameter(name, Pattern::AnyList(Box::new(Pattern::Variable("T"))))
}

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("list_contains", "list", "True if a list has an element.")
            .alias("list_has")
            .alias("array_contains")
            .alias("array_has")
            .overload([list_of_t("list"), variable("element")], |_| Ok(list_contains()))
            .note("A null list or element gives null; null elements of the list are not equal to anything.")
            .example("list_contains([1, 2, NULL], 2)", "true"),
    );
    let contains = crate::text::contains()
        .overload([list_of_t("list"), variable("element")], |_| Ok(list_contains()))
        .overload(
            [
                parameter("map", Pattern::Map(Box::new(Pattern::Variable("T")), Box::new(Pattern::Any))),
                variable("key"),
            ],
            |_| Ok(crate::map::bind_contains()),
        )
        .example("contains([1, 2], 3)", "false");
    registry.register_scalar(contains);
    registry.register_scalar(
        ScalarFunction::new(
            "list_position",
            "list",
            "Position of the first element equal to a value, from 1.",
        )
        .alias("list_indexof")
        .alias("array_position")
        .alias("array_indexof")
        .overload([list_of_t("list"), variable("element")], |_| Ok(list_position()))
        .note("Null if there is none; a null value is looked for among the null elements.")
        .example("list_position([4, 5, 5], 5)", "2"),
    );
    registry.register_scalar(
        pair("list_has_any", "True if two lists have an element in common.", Test::HasAny)
            .alias("array_has_any")
            .alias("&&")
            .example("list_has_any([1, 2], [2, 3])", "true"),
    );
    registry.register_scalar(
        pair("list_has_all", "True if a list has all elements of another.", Test::HasAll)
            .alias("array_has_all")
            .alias("@>")
            .note("Null elements of the second list are passed over.")
            .example("list_has_all([1, 2, 3], [3, 1])", "true"),
    );
    registry.register_scalar(
        ScalarFunction::new("<@", "list", "True if all elements of a list are in another.")
            .overload([list_of_t("elements"), list_of_t("list")], |_| Ok(test_lists(Test::IsIn)))
            .example("[1] <@ [1, 2]", "true"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "list_intersect",
            "list",
            "Distinct elements that two lists have in common, in the order of the first.",
        )
        .alias("array_intersect")
        .overload([list_of_t("left"), list_of_t("right")], bind_intersect)
        .note("Null elements are left out.")
        .example("list_intersect([1, 2, 3, 2], [2, 3])", "[2, 3]"),
    );
}

/// What is asked of two lists.
#[derive(Debug, Clone, Copy)]
enum Test {
    HasAny,
    HasAll,
    IsIn,
}

/// The elements of two columns of lists as words, where both have that form.
fn words_of_both<'a>(left: &View<'a>, right: &View<'a>) -> Option<(Words<'a>, Words<'a>)> {
    Some((words_of(left)?, words_of(right)?))
}

fn pair(name: &str, summary: &str, test: Test) -> ScalarFunction {
    ScalarFunction::new(name, "list", summary)
        .overload([list_of_t("left"), list_of_t("right")], move |_| Ok(test_lists(test)))
        .note("A null list gives null.")
}

fn test_lists(test: Test) -> Bound {
    Bound::strict(Type::Boolean, move |arguments, rows, output, scratch| {
        let (a, b) = (&arguments[0], &arguments[1]);
        if test_plain::<i64>(test, [a, b], rows, output, scratch)
            || test_plain::<i32>(test, [a, b], rows, output, scratch)
        {
            return Ok(());
        }
        let set = scratch.slot::<MemberSet>();
        let bits = output.boolean();
        let (a, b) = (a.list(), b.list());
        rows.for_each(|row| {
            let left = (a.child(), a.range(row));
            let right = (b.child(), b.range(row));
            let is_so = match test {
                Test::HasAny => has_any(left.0, left.1, right.0, right.1, set),
                Test::HasAll => has_all(left.0, left.1, right.0, right.1, set),
                Test::IsIn => has_all(right.0, right.1, left.0, left.1, set),
            };
            bits.set(row, is_so);
        });
        Ok(())
    })
}

/// Tests lists of whole numbers without nulls; false, with nothing done, for others.
fn test_plain<T: Whole>(
    test: Test,
    [left, right]: [&View<'_>; 2],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> bool {
    let (Some(a), Some(b)) = (PlainLists::<T>::of(left), PlainLists::<T>::of(right)) else { return false };
    let (recall, bump) = scratch.slot_and_arena::<Recall>();
    let left = (a.values, &*spans_of(left, rows, bump));
    let right = (b.values, &*spans_of(right, rows, bump));
    let results = bump.alloc_slice_fill_copy(rows.count(), false);
    match test {
        Test::HasAny => T::has_any(left, right, recall, results),
        Test::HasAll => T::has_all(right, left, recall, results),
        Test::IsIn => T::has_all(left, right, recall, results),
    }
    let bits = output.boolean();
    rows.iter().zip(results).for_each(|(row, is_so)| bits.set(row, *is_so));
    true
}

/// Place of the first element in `range` of `child` that equals row `row` of `value`.
pub fn find(child: &View<'_>, range: Range<usize>, value: &View<'_>, row: usize) -> Option<usize> {
    if !child.may_be_null() && child.is_flat() && value.is_valid(row) {
        let index = value.value_index(row);
        // The types that keys have are compared without asking for the type of each element.
        match (child.data, value.data) {
            (Data::Int32(values), Data::Int32(wanted)) => return find_equal(values, range, wanted[index]),
            (Data::Int64(values), Data::Int64(wanted)) => return find_equal(values, range, wanted[index]),
            (Data::Bytes(values), Data::Bytes(wanted)) => {
                let wanted = wanted.get(index);
                return range
                    .into_iter()
                    .find(|&at| values.length(at) == wanted.len() && values.get(at) == wanted);
            }
            _ => {}
        }
    }
    range.into_iter().find(|&at| equal(child, at, value, row))
}

fn find_equal<T: PartialEq>(values: &[T], range: Range<usize>, wanted: T) -> Option<usize> {
    let start = range.start;
    values[range].iter().position(|value| *value == wanted).map(|place| start + place)
}

/// Seeks one value in lists of whole numbers that adjoin: sets a bit of `found` for each list that has it, and writes its place in each
/// if there is room for places. False, with nothing written, for other values or lists, and where no kernel seeks so.
fn seek(
    lists: &View<'_>,
    value: &View<'_>,
    rows: Rows<'_>,
    places: Option<&mut [i32]>,
    found: &mut [u64],
) -> bool {
    fn seek_of<T: Whole + Sought>(
        lists: &View<'_>,
        (wanted, rows): (T, Rows<'_>),
        places: Option<&mut [i32]>,
        found: &mut [u64],
    ) -> bool {
        let (Some(plain), Some(offsets)) = (PlainLists::<T>::of(lists), offsets_of(lists, rows)) else {
            return false;
        };
        let level = Level::current();
        match places {
            Some(places) => T::places(level, plain.values, offsets, wanted, places, found),
            None => T::found(level, plain.values, offsets, wanted, found),
        }
    }
    if !value.is_constant() || value.is_null(0) {
        return false;
    }
    match value.data {
        Data::Int32(wanted) => seek_of(lists, (wanted[0], rows), places, found),
        Data::Int64(wanted) => seek_of(lists, (wanted[0], rows), places, found),
        _ => false,
    }
}

/// Where all elements of the lists of `rows` equal one value, as bits from the first of them on; `None` where the value or
/// the elements have no such form, or the lists lie far apart.
fn equal_bits<'b>(
    lists: &View<'_>,
    value: &View<'_>,
    rows: Rows<'_>,
    bump: &'b Bump,
) -> Option<(&'b [Span], &'b [u64])> {
    if !value.is_constant() || value.is_null(0) {
        return None;
    }
    // A look at one word in a bitmap costs as much as some elements do, which others may share.
    const SHARE: usize = 2;
    let spans = spans_of(lists, rows, bump);
    let ((start, end), count) = extent(spans);
    let length = (end - start) as usize;
    if length > count * SHARE {
        return None;
    }
    let words = bump.alloc_slice_fill_copy(equal::words_for(length), 0u64);
    let range = start as usize..end as usize;
    match value.data {
        Data::Int32(wanted) => {
            equal::equal_bits_i32(&PlainLists::<i32>::of(lists)?.values[range], wanted[0], words);
        }
        Data::Int64(wanted) => {
            equal::equal_bits_i64(&PlainLists::<i64>::of(lists)?.values[range], wanted[0], words);
        }
        _ => return None,
    }
    spans.iter_mut().for_each(|span| {
        *span = if span.0 < span.1 { (span.0 - start, span.1 - start) } else { (0, 0) };
    });
    let (spans, words): (&[Span], &[u64]) = (spans, words);
    Some((spans, words))
}

/// Whether each list has the element of its row.
fn list_contains() -> Bound {
    Bound::strict(Type::Boolean, |arguments, rows, output, scratch| {
        let lists = arguments[0].list();
        let bits = output.boolean();
        if seek(&arguments[0], &arguments[1], rows, None, &mut bits.words) {
            return Ok(());
        }
        if let Some((spans, words)) = equal_bits(&arguments[0], &arguments[1], rows, &scratch.arena) {
            let mut next = rows.iter();
            for (index, spans) in spans.chunks(LISTS).enumerate() {
                let found = equal::found(words, spans);
                match rows {
                    Rows::All(_) => bits.words[index] = found,
                    _ => (0..spans.len())
                        .zip(&mut next)
                        .for_each(|(bit, row)| bits.set(row, found >> bit & 1 == 1)),
                }
            }
            return Ok(());
        }
        rows.for_each(|row| {
            bits.set(row, find(lists.child(), lists.range(row), &arguments[1], row).is_some())
        });
        Ok(())
    })
}

/// Lists whose answers are one word.
const LISTS: usize = 64;

/// Writes where the first set bit of each span stands, and null where there is none.
fn write_places(spans: &[Span], words: &[u64], rows: Rows<'_>, output: &mut Output) {
    let mut next = rows.iter();
    for (index, spans) in spans.chunks(LISTS).enumerate() {
        if let Rows::All(_) = rows {
            let first = index * LISTS;
            let places = &mut output.fixed::<i32>()[first..first + spans.len()];
            let found = equal::places(words, spans, places);
            let others = u64::MAX.checked_shl(spans.len() as u32).unwrap_or(0);
            output.validity_words()[index] &= found | others;
            continue;
        }
        let mut places = [0; LISTS];
        let found = equal::places(words, spans, &mut places);
        for (bit, row) in (0..spans.len()).zip(&mut next) {
            output.fixed::<i32>()[row] = places[bit];
            if found >> bit & 1 == 0 {
                output.set_null(row);
            }
        }
    }
}

/// Writes the places of one value as [`seek`] finds them, and null where there is none; false, with nothing written, where it does not seek.
fn seek_places(
    lists: &View<'_>,
    value: &View<'_>,
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> bool {
    let found = scratch.arena.alloc_slice_fill_copy(rows.count().div_ceil(LISTS), 0);
    let places = &mut output.fixed::<i32>()[..rows.count()];
    if !seek(lists, value, rows, Some(places), found) {
        return false;
    }
    if let (Some(last), rest @ 1..) = (found.last_mut(), rows.count() % LISTS) {
        // Rows that were not asked for stay as they are.
        *last |= u64::MAX << rest;
    }
    output.validity_words().iter_mut().zip(found).for_each(|(word, found)| *word &= *found);
    true
}

fn list_position() -> Bound {
    Bound::null_aware(Type::Int32, |arguments, rows, output, scratch| {
        let lists = arguments[0].list();
        if !arguments[0].may_be_null() && seek_places(&arguments[0], &arguments[1], rows, output, scratch) {
            return Ok(());
        }
        if !arguments[0].may_be_null()
            && let Some((spans, words)) = equal_bits(&arguments[0], &arguments[1], rows, &scratch.arena)
        {
            write_places(spans, words, rows, output);
            return Ok(());
        }
        rows.for_each(|row| {
            let range = lists.range(row);
            let start = range.start;
            let found =
                if arguments[0].is_null(row) { None } else { find(lists.child(), range, &arguments[1], row) };
            match found {
                Some(at) => output.fixed::<i32>()[row] = (at - start) as i32 + 1,
                None => output.set_null(row),
            }
        });
        Ok(())
    })
}

fn has_any(left: &View<'_>, a: Range<usize>, right: &View<'_>, b: Range<usize>, set: &mut MemberSet) -> bool {
    if let Some((words, others)) = words_of_both(left, right) {
        let set = set.words_of(left, words, a);
        return b.into_iter().any(|at| set.contains(others.get(at)) && right.is_valid(at));
    }
    set.fill(left, a);
    b.into_iter().any(|at| right.is_valid(at) && set.has(left, right, at))
}

fn has_all(left: &View<'_>, a: Range<usize>, right: &View<'_>, b: Range<usize>, set: &mut MemberSet) -> bool {
    if let Some((words, others)) = words_of_both(left, right) {
        let set = set.words_of(left, words, a);
        return b.into_iter().all(|at| set.contains(others.get(at)) || right.is_null(at));
    }
    set.fill(left, a);
    b.into_iter().all(|at| right.is_null(at) || set.has(left, right, at))
}

fn bind_intersect(arguments: &Arguments<'_>) -> Result<Bound> {
    let result = Type::list(super::extract::element_of(arguments.types, 0));
    Ok(Bound::strict(result, |arguments, rows, output, scratch| {
        if intersect_plain::<i64>([&arguments[0], &arguments[1]], rows, output, scratch)
            || intersect_plain::<i32>([&arguments[0], &arguments[1]], rows, output, scratch)
        {
            return output.check_capacity();
        }
        let (left, right) = (arguments[0].list(), arguments[1].list());
        let (first, second) = (left.child(), right.child());
        let sets = scratch.slot::<Sets>();
        if let Some((words, others)) = words_of_both(first, second) {
            intersect_words(&arguments[0], words, &arguments[1], others, rows, output, sets);
            return Ok(());
        }
        let mut list = output.list();
        rows.for_each(|row| {
            sets.right.fill(second, right.range(row));
            sets.given.clear();
            let start = list.start();
            for at in left.range(row) {
                if first.is_valid(at) && sets.right.has(second, first, at) && sets.given.insert(first, at) {
                    list.child().push(first, at);
                }
            }
            list.finish(row, start);
        });
        Ok(())
    }))
}

/// Members of the second list, and members already given.
#[derive(Default)]
struct Sets {
    right: MemberSet,
    given: MemberSet,
    places: Vec<u32>,
    given_words: WordSet,
}

fn intersect_words(
    left: &View<'_>,
    words: Words<'_>,
    right: &View<'_>,
    others: Words<'_>,
    rows: Rows<'_>,
    output: &mut Output,
    sets: &mut Sets,
) {
    let (lists, other_lists) = (left.list(), right.list());
    let (child, other_child) = (lists.child(), other_lists.child());
    let mut list = output.list();
    let start = list.start();
    sets.places.clear();
    rows.for_each(|row| {
        let held = sets.right.words_of(other_child, others, other_lists.range(row));
        let range = lists.range(row);
        sets.given_words.start(range.len());
        let first = sets.places.len();
        for at in range {
            let word = words.get(at);
            if held.contains(word) && child.is_valid(at) && sets.given_words.insert(word) {
                sets.places.push(at as u32);
            }
        }
        list.set(row, start + first, sets.places.len() - first);
    });
    list.child().push_places(child, &sets.places);
}

/// Intersects lists of whole numbers without nulls; false, with nothing done, for others.
fn intersect_plain<T: Whole>(
    [left, right]: [&View<'_>; 2],
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> bool {
    let (Some(a), Some(b)) = (PlainLists::<T>::of(left), PlainLists::<T>::of(right)) else { return false };
    let (recall, bump) = scratch.slot_and_arena::<Recall>();
    let left = (a.values, &*spans_of(left, rows, bump));
    let right = (b.values, &*spans_of(right, rows, bump));
    let counts = bump.alloc_slice_fill_copy(rows.count(), 0u32);
    let elements: usize = left.1.iter().map(|(start, end)| (end - start) as usize).sum();
    let mut list = output.list();
    // The kernel writes each element and passes on where it is kept, so there is one place more.
    let start = list.child().grow(elements + 1);
    let written = T::common(left, right, recall, &mut list.child().fixed::<T>()[start..], counts);
    list.child().resize(start + written);
    set_lengths(&mut list, rows, start, counts.iter().map(|&count| count as usize));
    true
}

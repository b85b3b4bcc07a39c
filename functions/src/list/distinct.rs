//! Distinct elements of lists.

use super::extract::{any_list, element_of};
use super::member_set::MemberSet;
use super::plain_lists::{PlainLists, spans_of, words_of};
use super::total::place;
use super::whole::{Whole, set_lengths};
use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::kernel::span::distinct::WordSet;
use crate::kernel::span::recall::Recall;
use crate::scalar::{Bound, ScalarFunction};
use crate::scratch::Scratch;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "list_distinct",
            "list",
            "The distinct elements of a list, in the order of their first occurrence.",
        )
        .alias("array_distinct")
        .overload([any_list("list")], |arguments| Ok(distinct(Type::list(element_of(arguments.types, 0)))))
        .note("Null elements are left out. DuckDB gives another order, which it does not define.")
        .example("list_distinct([3, 1, NULL, 3])", "[3, 1]"),
    );
    registry.register_scalar(
        ScalarFunction::new("list_unique", "list", "Number of distinct elements of a list.")
            .alias("array_unique")
            .overload([any_list("list")], |_| Ok(unique()))
            .note("Null elements are not counted.")
            .example("list_unique([3, 1, NULL, 3])", "2"),
    );
}

fn distinct(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, scratch| {
        if distinct_plain::<i64>(&arguments[0], rows, output, scratch)
            || distinct_plain::<i32>(&arguments[0], rows, output, scratch)
        {
            return output.check_capacity();
        }
        let lists = arguments[0].list();
        let child = lists.child();
        let Seen { members, words: seen, places } = scratch.slot::<Seen>();
        places.clear();
        let words = words_of(child);
        let mut list = output.list();
        let start = list.start();
        rows.for_each(|row| {
            let first = places.len();
            match words {
                Some(words) => {
                    let range = lists.range(row);
                    seen.start(range.len());
                    let is_new = |at: &usize| child.is_valid(*at) && seen.insert(words.get(*at));
                    places.extend(range.filter(is_new).map(|at| at as u32));
                }
                None => {
                    members.fill(child, lists.range(row));
                    places.extend_from_slice(members.places());
                }
            }
            list.set(row, start + first, places.len() - first);
        });
        list.child().push_places(child, places);
        output.check_capacity()
    })
}

/// What a list has shown so far, and the places of the elements that were new.
#[derive(Default)]
struct Seen {
    members: MemberSet,
    words: WordSet,
    places: Vec<u32>,
}

/// Writes the distinct elements of lists of whole numbers without nulls; false, with nothing done, for others.
fn distinct_plain<T: Whole>(
    lists: &View<'_>,
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> bool {
    let Some(plain) = PlainLists::<T>::of(lists) else { return false };
    let counts = rows.count();
    let (recall, bump) = scratch.slot_and_arena::<Recall>();
    let spans = &*spans_of(lists, rows, bump);
    let counts = bump.alloc_slice_fill_copy(counts, 0u32);
    let elements: usize = spans.iter().map(|(start, end)| (end - start) as usize).sum();
    let mut list = output.list();
    // The kernel writes each element and passes on where it was new, so there is one place more.
    let start = list.child().grow(elements + 1);
    let written = T::distinct((plain.values, spans), recall, &mut list.child().fixed::<T>()[start..], counts);
    list.child().resize(start + written);
    set_lengths(&mut list, rows, start, counts.iter().map(|&count| count as usize));
    true
}

fn unique() -> Bound {
    Bound::strict(Type::UInt64, |arguments, rows, output, scratch| {
        if unique_plain::<i64>(&arguments[0], rows, output, scratch)
            || unique_plain::<i32>(&arguments[0], rows, output, scratch)
        {
            return Ok(());
        }
        let lists = arguments[0].list();
        let child = lists.child();
        let values = output.fixed::<u64>();
        let set = scratch.slot::<MemberSet>();
        rows.for_each(|row| {
            values[row] = match words_of(child) {
                Some(words) => set.count_words(child, words, lists.range(row)),
                None => {
                    set.fill(child, lists.range(row));
                    set.places().len()
                }
            } as u64;
        });
        Ok(())
    })
}

/// Counts the distinct elements of lists of whole numbers without nulls; false, with nothing done, for others.
fn unique_plain<T: Whole>(
    lists: &View<'_>,
    rows: Rows<'_>,
    output: &mut Output,
    scratch: &mut Scratch,
) -> bool {
    let Some(plain) = PlainLists::<T>::of(lists) else { return false };
    let (recall, bump) = scratch.slot_and_arena::<Recall>();
    let spans = &*spans_of(lists, rows, bump);
    place(rows, output, |counts| T::count_distinct((plain.values, spans), recall, counts), spans.len());
    true
}

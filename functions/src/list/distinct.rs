//! Distinct elements of lists.

use super::extract::{any_list, element_of};
use super::member_set::MemberSet;
use super::plain_lists::{Words, words_of};
use crate::Registry;
use crate::column::View;
use crate::kernel::span::distinct::WordSet;
use crate::scalar::{Bound, ScalarFunction};
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

/// The words seen in a list, and the places of those that were new.
#[derive(Default)]
struct Distinct {
    set: WordSet,
    places: Vec<u32>,
}

/// Calls `each` with the place of the first of equal elements; nulls are left out.
#[inline(always)]
fn each_distinct(
    lists: &View<'_>,
    words: Words<'_>,
    row: usize,
    set: &mut WordSet,
    mut each: impl FnMut(usize),
) {
    let lists = lists.list();
    let (child, range) = (lists.child(), lists.range(row));
    set.start(range.len());
    let may_be_null = child.may_be_null();
    for at in range {
        if !(may_be_null && child.is_null(at)) && set.insert(words.get(at)) {
            each(at);
        }
    }
}

fn distinct(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, scratch| {
        let lists = arguments[0].list();
        if let Some(words) = words_of(lists.child()) {
            let Distinct { set, places } = scratch.slot::<Distinct>();
            places.clear();
            let mut list = output.list();
            let start = list.start();
            rows.for_each(|row| {
                let first = places.len();
                each_distinct(&arguments[0], words, row, set, |place| places.push(place as u32));
                list.set(row, start + first, places.len() - first);
            });
            list.child().push_places(lists.child(), places);
            return Ok(());
        }
        let set = scratch.slot::<MemberSet>();
        let mut list = output.list();
        rows.for_each(|row| {
            set.fill(lists.child(), lists.range(row));
            let start = list.start();
            set.places().iter().for_each(|&place| list.child().push(lists.child(), place as usize));
            list.finish(row, start);
        });
        Ok(())
    })
}

fn unique() -> Bound {
    Bound::strict(Type::UInt64, |arguments, rows, output, scratch| {
        let lists = arguments[0].list();
        let values = output.fixed::<u64>();
        if let Some(words) = words_of(lists.child()) {
            let set = &mut scratch.slot::<Distinct>().set;
            rows.for_each(|row| {
                let mut count = 0;
                each_distinct(&arguments[0], words, row, set, |_| count += 1);
                values[row] = count;
            });
            return Ok(());
        }
        let set = scratch.slot::<MemberSet>();
        rows.for_each(|row| {
            set.fill(lists.child(), lists.range(row));
            values[row] = set.places().len() as u64;
        });
        Ok(())
    })
}

//! What two lists of ids have in common.

use super::CATEGORY;
use super::sorted::{SortedIds, common};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// The sorted ids of both lists.
#[derive(Debug, Default)]
struct Pair {
    a: SortedIds,
    b: SortedIds,
}

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        pairwise("has_id_overlap", "1 if two lists have an id in common, else 0.", |a, b| {
            let mut found = 0.0;
            common(a, b, |_, _| found = 1.0);
            found
        })
        .note("An empty list has nothing in common with any.")
        .example("has_id_overlap([1, 2, 3], [3, 4])", "1.0"),
    );
    registry.register_scalar(
        pairwise("id_overlap_count", "Size of the multiset intersection of two lists of ids.", overlap)
            .note("An id counts as often as it stands in both.")
            .example("id_overlap_count([1, 1, 2], [1, 1, 1, 3])", "2.0"),
    );
    registry.register_scalar(
        pairwise(
            "max_count",
            "Sum over the ids two lists have in common of the larger of its two counts.",
            |a, b| {
                let mut count = 0;
                common(a, b, |in_a, in_b| count += in_a.max(in_b));
                count as f32
            },
        )
        .alias("get_max_count")
        .example("max_count([1, 1, 2, 3], [1, 2, 3])", "4.0"),
    );
    registry.register_scalar(
        pairwise("id_jaccard", "Jaccard similarity of two lists of ids as multisets.", |a, b| {
            let both = overlap(a, b);
            let all = (a.len() + b.len()) as f32 - both;
            if all == 0.0 { 0.0 } else { both / all }
        })
        .alias("get_jaccard_similarity")
        .note("The multiset intersection over the multiset union; 0 for two empty lists.")
        .example("id_jaccard([1, 1, 2, 3], [1, 2, 3])", "0.75"),
    );
}

fn overlap(a: &[i64], b: &[i64]) -> f32 {
    let mut count = 0;
    common(a, b, |in_a, in_b| count += in_a.min(in_b));
    count as f32
}

fn pairwise(name: &str, summary: &str, measure: fn(&[i64], &[i64]) -> f32) -> ScalarFunction {
    let ids = |name| exact(name, Type::list(Type::Int64));
    ScalarFunction::new(name, CATEGORY, summary)
        .note("Null elements are left out; a null list gives null.")
        .overload([ids("a"), ids("b")], move |_| {
            Ok(Bound::strict(Type::Float32, move |arguments, rows, output, scratch| {
                let Pair { a, b } = scratch.slot::<Pair>();
                a.reset();
                b.reset();
                let result = output.fixed::<f32>();
                rows.for_each(|row| {
                    result[row] = measure(a.of(&arguments[0], row), b.of(&arguments[1], row))
                });
                Ok(())
            }))
        })
}

//! The best elements of a list, and elements with their places.

use super::CATEGORY;
use crate::column::compare_floats;
use crate::error::Error;
use crate::list::element_of;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{exact, list_of_variable};
use crate::types::{Field, Type};

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "top_k_by_score",
            CATEGORY,
            "The elements of a list with the highest scores, highest first.",
        )
        .note("Equal scores keep the order of the list; NaN comes after every number, null last.")
        .note("Another number of scores than elements is an error, as is a number below 0.")
        .example("top_k_by_score([10, 20, 30], [0.1, 0.9, 0.5], 2)", "[20, 30]")
        .overload(
            [list_of_variable("list"), exact("scores", Type::list(Type::Float64)), exact("k", Type::Int64)],
            |arguments| Ok(top_k(arguments.types[0].clone())),
        ),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "list_enumerate",
            CATEGORY,
            "The elements of a list, each with its position from 1.",
        )
        .alias("enumerate")
        .example("list_enumerate(['a', 'b'])", "[{'position': 1, 'value': a}, {'position': 2, 'value': b}]")
        .overload([list_of_variable("list")], |arguments| {
            let fields = vec![
                Field::new("position", Type::Int64),
                Field::new("value", element_of(arguments.types, 0)),
            ];
            Ok(Bound::strict(Type::list(Type::Struct(fields)), |arguments, rows, output, _| {
                let list = arguments[0].list();
                rows.for_each(|row| {
                    let mut writer = output.list();
                    let range = list.range(row);
                    let start = writer.child().grow(range.len());
                    for (position, element) in range.enumerate() {
                        writer.child().field(0).fixed::<i64>()[start + position] = position as i64 + 1;
                        writer.child().field(1).copy(start + position, list.child(), element);
                    }
                    writer.finish(row, start);
                });
                output.check_capacity()
            }))
        }),
    );
}

/// Rank of a score: numbers downwards, then NaN, then null; and the place in the list.
type Ranked = (u8, f64, usize);

fn top_k(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, scratch| {
        let (list, scores, counts) = (arguments[0].list(), arguments[1].list(), arguments[2].fixed::<i64>());
        let values = scores.child().fixed::<f64>();
        let ranked = scratch.slot::<Vec<Ranked>>();
        rows.for_each(|row| {
            let (elements, range) = (list.range(row), scores.range(row));
            let Ok(count) = usize::try_from(counts.get(row)) else {
                let problem = format!("is {}; expected a number of at least 0", counts.get(row));
                return output.fail(row, || Error::argument("top_k_by_score", 3, problem));
            };
            if elements.len() != range.len() {
                let problem = format!("has {} scores for {} elements", range.len(), elements.len());
                return output.fail(row, || Error::argument("top_k_by_score", 2, problem));
            }
            ranked.clear();
            ranked.extend(range.zip(elements).map(|(score, element)| match scores.child().is_valid(score) {
                true if values.get(score).is_nan() => (1, 0.0, element),
                true => (0, values.get(score), element),
                false => (2, 0.0, element),
            }));
            let order =
                |a: &Ranked, b: &Ranked| a.0.cmp(&b.0).then(compare_floats(b.1, a.1)).then(a.2.cmp(&b.2));
            let count = count.min(ranked.len());
            if count < ranked.len() {
                ranked.select_nth_unstable_by(count, order);
            }
            ranked[..count].sort_unstable_by(order);
            let mut writer = output.list();
            let start = writer.start();
            ranked[..count].iter().for_each(|&(_, _, element)| writer.child().push(list.child(), element));
            writer.finish(row, start);
        });
        output.check_capacity()
    })
}

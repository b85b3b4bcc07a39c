//! Parts of a history that belong to a target.

use super::CATEGORY;
use crate::column::equal;
use crate::error::Error;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Pattern, exact, list_of_variable, parameter};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    let categories = parameter("categories", Pattern::List(Box::new(Pattern::Variable("C"))));
    let target = parameter("target", Pattern::Variable("C"));
    registry.register_scalar(
        ScalarFunction::new(
            "seq_target_filter",
            CATEGORY,
            "The most recent events of a sequence whose category is that of the target, in their order.",
        )
        .note("At most k events are kept, those nearest to the end. Null categories match nothing; a null target gives null.")
        .note("The hard search of long-sequence models (SIM). Another number of categories than events is an error.")
        .example("seq_target_filter([1, 2, 3, 4], ['a', 'b', 'a', 'a'], 'a', 2)", "[3, 4]")
        .overload(
            [list_of_variable("events"), categories, target, exact("k", Type::Int64)],
            |arguments| Ok(bind(arguments.types[0].clone())),
        ),
    );
}

fn bind(result: Type) -> Bound {
    Bound::strict(result, |arguments, rows, output, scratch| {
        let (events, categories) = (arguments[0].list(), arguments[1].list());
        let (target, counts) = (&arguments[2], arguments[3].fixed::<i64>());
        let matching = scratch.slot::<Vec<usize>>();
        rows.for_each(|row| {
            let (event_range, range) = (events.range(row), categories.range(row));
            let Ok(count) = usize::try_from(counts.get(row)) else {
                let problem = format!("is {}; expected a number of at least 0", counts.get(row));
                return output.fail(row, || Error::argument("seq_target_filter", 4, problem));
            };
            if event_range.len() != range.len() {
                let problem = format!("has {} categories for {} events", range.len(), event_range.len());
                return output.fail(row, || Error::argument("seq_target_filter", 2, problem));
            }
            let child = categories.child();
            let pairs = range.zip(event_range).rev();
            let pairs = pairs.filter(|&(at, _)| child.is_valid(at) && equal(child, at, target, row));
            matching.clear();
            matching.extend(pairs.map(|(_, event)| event).take(count));
            let mut writer = output.list();
            let start = writer.start();
            matching.iter().rev().for_each(|&event| writer.child().push(events.child(), event));
            writer.finish(row, start);
        });
        output.check_capacity()
    })
}

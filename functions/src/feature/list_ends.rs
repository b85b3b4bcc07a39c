//! `firstx` and `lastx`: the ends of lists, as histories of ids are cut.

use std::ops::Range;

use super::CATEGORY;
use crate::error::Error;
use crate::list::spans_of;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{exact, list_of_variable};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        function("firstx", "The first elements of a list, at most a number of them.", |range, count| {
            range.start..range.start + count
        })
        .example("firstx([1, 2, 3], 2)", "[1, 2]"),
    );
    registry.register_scalar(
        function("lastx", "The last elements of a list, at most a number of them.", |range, count| {
            range.end - count..range.end
        })
        .example("lastx([1, 2, 3], 2)", "[2, 3]"),
    );
}

fn function(
    name: &'static str,
    summary: &str,
    part: fn(Range<usize>, usize) -> Range<usize>,
) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .note("A shorter list stays whole; a number below 0 is an error.")
        .overload([list_of_variable("list"), exact("count", Type::Int64)], move |arguments| {
            Ok(Bound::strict(arguments.types[0].clone(), move |arguments, rows, output, scratch| {
                let (list, counts) = (arguments[0].list(), arguments[1].fixed::<i64>());
                if let Some(count) = counts.constant().and_then(|count| usize::try_from(count).ok()) {
                    let spans = spans_of(&arguments[0], rows, &scratch.arena);
                    let mut writer = output.list();
                    let mut next = writer.start();
                    for (row, span) in rows.iter().zip(&mut *spans) {
                        let range = span.0 as usize..span.1 as usize;
                        let kept = count.min(range.len());
                        let range = part(range, kept);
                        *span = (range.start as u32, range.end as u32);
                        writer.set(row, next, kept);
                        next += kept;
                    }
                    writer.child().push_spans(list.child(), spans);
                    return output.check_capacity();
                }
                rows.for_each(|row| {
                    let range = list.range(row);
                    let Ok(count) = usize::try_from(counts.get(row)) else {
                        let problem = format!("is {}; expected a number of at least 0", counts.get(row));
                        return output.fail(row, || Error::argument(name, 2, problem));
                    };
                    let count = count.min(range.len());
                    let mut writer = output.list();
                    let start = writer.start();
                    writer.child().push_range(list.child(), part(range, count));
                    writer.finish(row, start);
                });
                output.check_capacity()
            }))
        })
}

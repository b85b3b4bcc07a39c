//! Lists of numbers at equal distances.

use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Longest list of one row, so that a mistyped bound is an error and not the end of the process.
const ELEMENTS_MAX: i128 = 1 << 27;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        range_function("range", "Integers from a start up to, but not including, a stop.", false)
            .example("range(3)", "[0, 1, 2]")
            .example("range(2, 10, 3)", "[2, 5, 8]"),
    );
    registry.register_scalar(
        range_function("generate_series", "Integers from a start up to and including a stop.", true)
            .example("generate_series(3)", "[0, 1, 2, 3]")
            .example("generate_series(5, 1, -2)", "[5, 3, 1]"),
    );
}

fn range_function(name: &'static str, summary: &str, includes_stop: bool) -> ScalarFunction {
    let call = move |arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output| {
        write_ranges(name, arguments, rows, output, includes_stop)
    };
    let bound = move || {
        Bound::strict(Type::list(Type::Int64), move |arguments, rows, output, _| {
            call(arguments, rows, output)
        })
    };
    ScalarFunction::new(name, "list", summary)
        .overload([exact("stop", Type::Int64)], move |_| Ok(bound()))
        .overload([exact("start", Type::Int64), exact("stop", Type::Int64)], move |_| Ok(bound()))
        .overload([exact("start", Type::Int64), exact("stop", Type::Int64), exact("step", Type::Int64)], move |_| {
            Ok(bound())
        })
        .note("The start is 0 and the step 1 where left out; a step of 0, or away from the stop, gives an empty list.")
}

fn write_ranges(
    name: &'static str,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    includes_stop: bool,
) -> Result<()> {
    let number = |position: usize, row: usize| arguments[position].fixed::<i64>().get(row);
    rows.for_each(|row| {
        let (start, stop, step) = match arguments.len() {
            1 => (0, number(0, row), 1),
            2 => (number(0, row), number(1, row), 1),
            _ => (number(0, row), number(1, row), number(2, row)),
        };
        let count = element_count(start, stop, step, includes_stop);
        if count > ELEMENTS_MAX {
            output.fail(row, || {
                Error::user(format!("{name}: {count} elements in one list; at most {ELEMENTS_MAX} fit"))
            });
            return;
        }
        let mut list = output.list();
        let first = list.child().grow(count as usize);
        let elements = &mut list.child().fixed::<i64>()[first..];
        for (position, element) in elements.iter_mut().enumerate() {
            *element = start.wrapping_add(step.wrapping_mul(position as i64));
        }
        list.finish(row, first);
    });
    Ok(())
}

fn element_count(start: i64, stop: i64, step: i64, includes_stop: bool) -> i128 {
    let (distance, step) = (i128::from(stop) - i128::from(start), i128::from(step));
    match step.signum() * distance.signum() {
        // Towards the stop: the first element, and one for each whole step that does not pass it.
        1 if includes_stop => distance / step + 1,
        1 => (distance.abs() - 1) / step.abs() + 1,
        0 if distance == 0 && step != 0 && includes_stop => 1,
        _ => 0,
    }
}

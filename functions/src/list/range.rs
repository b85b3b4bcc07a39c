//! Lists of numbers at equal distances.

use crate::Registry;
use arrow::datatypes::IntervalMonthDayNano;

use crate::column::{Output, Rows, View};
use crate::date::calendar::add_months;
use crate::error::{Error, Result};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Parameter, exact};
use crate::types::Type;

/// Longest list of one row, so that a mistyped bound is an error and not the end of the process.
const ELEMENTS_MAX: i128 = 1 << 27;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        range_function(
            "range",
            "Integers or timestamps from a start up to, but not including, a stop.",
            false,
        )
        .example("range(3)", "[0, 1, 2]")
        .example("range(2, 10, 3)", "[2, 5, 8]"),
    );
    registry.register_scalar(
        range_function(
            "generate_series",
            "Integers or timestamps from a start up to and including a stop.",
            true,
        )
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
        .overload(time_parameters(Type::TIMESTAMP), move |_| Ok(time_ranges(name, Type::TIMESTAMP, includes_stop)))
        .overload(time_parameters(Type::TimestampTz), move |_| {
            Ok(time_ranges(name, Type::TimestampTz, includes_stop))
        })
        .note("The start is 0 and the step 1 where left out; a step of 0, or away from the stop, gives an empty list.")
        .note("Between timestamps the step is an interval, whose parts may not have different signs; months are those of UTC.")
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

fn time_parameters(instant: Type) -> [Parameter; 3] {
    [exact("start", instant.clone()), exact("stop", instant), exact("step", Type::Interval)]
}

fn time_ranges(name: &'static str, instant: Type, includes_stop: bool) -> Bound {
    Bound::strict(Type::list(instant), move |arguments, rows, output, _| {
        let (starts, stops) = (arguments[0].fixed::<i64>(), arguments[1].fixed::<i64>());
        let steps = arguments[2].fixed::<IntervalMonthDayNano>();
        rows.for_each(|row| {
            let (start, stop, step) = (starts.get(row), stops.get(row), steps.get(row));
            let parts = [
                i64::from(step.months),
                i64::from(step.days),
                step.nanoseconds / NANOSECONDS_PER_MICROSECOND,
            ];
            let is_forward = parts.iter().all(|part| *part >= 0);
            if !is_forward && parts.iter().any(|part| *part > 0) {
                let problem = "has parts of different signs; expected a step in one direction";
                return output.fail(row, || Error::argument(name, 3, problem));
            }
            let is_zero = parts.iter().all(|part| *part == 0);
            let mut list = output.list();
            let first = list.start();
            let mut next = (!is_zero).then_some(start);
            while let Some(instant) = next.filter(|instant| match is_forward {
                true => *instant < stop || includes_stop && *instant == stop,
                false => *instant > stop || includes_stop && *instant == stop,
            }) {
                let at = list.child().grow(1);
                if (at - first) as i128 >= ELEMENTS_MAX {
                    let message = format!("{name}: more than {ELEMENTS_MAX} elements in one list");
                    return output.fail(row, || Error::User(message));
                }
                list.child().fixed::<i64>()[at] = instant;
                next = moved(instant, parts);
            }
            list.finish(row, first);
        });
        Ok(())
    })
}

const NANOSECONDS_PER_MICROSECOND: i64 = 1_000;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// An instant moved by months, days and microseconds; `None` past the last one.
fn moved(instant: i64, [months, days, microseconds]: [i64; 3]) -> Option<i64> {
    let (day, time) = (instant.div_euclid(MICROSECONDS_PER_DAY), instant.rem_euclid(MICROSECONDS_PER_DAY));
    let day = add_months(day, months).checked_add(days)?;
    day.checked_mul(MICROSECONDS_PER_DAY)?.checked_add(time)?.checked_add(microseconds)
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

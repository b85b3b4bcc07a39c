//! Sessions: events that follow one another without a longer gap.

use arrow::datatypes::IntervalMonthDayNano;

use super::CATEGORY;
use crate::column::View;
use crate::date::calendar::MICROSECONDS_PER_DAY;
use crate::error::Error;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("seq_session_ids", CATEGORY, "The session of each event of a sequence of times, counted from 1.")
        .note("A new session begins where an event comes more than the gap after the one before it. Null times get null and are passed over.")
        .note("The gap is in the unit of numeric times, an interval without months for timestamps; below 0 is an error. Over rows: `session_id(time, gap) OVER`.")
        .example("seq_session_ids([10, 12, 40, 41], 20)", "[1, 1, 2, 2]");
    let function =
        [(Type::Int64, Type::Int64), (Type::TIMESTAMP, Type::Interval), (Type::TimestampTz, Type::Interval)]
            .into_iter()
            .fold(function, |function, (time, gap)| {
                let list = parameter("times", Pattern::List(Box::new(Pattern::Exact(time))));
                function.overload([list, exact("gap", gap)], |_| Ok(session_ids()))
            });
    registry.register_scalar(function);
}

/// A gap of a row in ticks of the times.
///
/// # Errors
/// What is wrong with it.
fn gap_ticks(view: &View<'_>, row: usize) -> Result<i64, &'static str> {
    let ticks = match view.data_type {
        Type::Interval => {
            let interval = view.fixed::<IntervalMonthDayNano>().get(row);
            gap_microseconds(interval.months, interval.days, interval.nanoseconds)?
        }
        _ => view.fixed::<i64>().get(row),
    };
    if ticks < 0 { Err("is below 0; expected a gap of at least 0") } else { Ok(ticks) }
}

/// The length of an interval, which must have no months.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn gap_microseconds(months: i32, days: i32, nanoseconds: i64) -> Result<i64, &'static str> {
    if months != 0 {
        return Err("has months, whose length differs; expected days and time");
    }
    (i64::from(days) * MICROSECONDS_PER_DAY).checked_add(nanoseconds / 1000).ok_or("is too long")
}

/// True if `later` comes more than `gap` after `earlier`, or before it by as much.
#[inline]
pub(crate) fn is_apart(earlier: i64, later: i64, gap: i64) -> bool {
    earlier.abs_diff(later) > gap.unsigned_abs()
}

fn session_ids() -> Bound {
    Bound::strict(Type::list(Type::Int64), |arguments, rows, output, _| {
        let list = arguments[0].list();
        let (child, times) = (list.child(), list.child().fixed::<i64>());
        rows.for_each(|row| {
            let gap = match gap_ticks(&arguments[1], row) {
                Ok(gap) => gap,
                Err(problem) => {
                    return output.fail(row, || Error::argument("seq_session_ids", 2, problem));
                }
            };
            let range = list.range(row);
            let mut writer = output.list();
            let start = writer.child().grow(range.len());
            let (mut session, mut before) = (0i64, None);
            for (place, at) in range.enumerate() {
                if child.is_null(at) {
                    writer.child().set_null(start + place);
                    continue;
                }
                let time = times.get(at);
                if before.is_none_or(|before| is_apart(before, time, gap)) {
                    session += 1;
                }
                before = Some(time);
                writer.child().fixed::<i64>()[start + place] = session;
            }
            writer.finish(row, start);
        });
        output.check_capacity()
    })
}

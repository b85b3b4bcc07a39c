//! `date_trunc`, and names and ends that depend on the day alone.

use arrow::datatypes::IntervalMonthDayNano;

use super::CATEGORY;
use super::calendar::{
    civil_from_days, days_from_civil, is_finite_date, is_finite_timestamp, iso_week, iso_weekday,
    join_microseconds, month_length, split_microseconds,
};
use super::part::Part;
use super::zone::Zone;
use crate::cast::calendar::date_to_ticks;
use crate::error::{Error, Result};
use crate::lanes::{Lane, Outcome, partial_unary, unary};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{TimeUnit, Type};

const DAY_NAMES: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTH_NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn day_name(days: i64) -> &'static str {
    DAY_NAMES[super::calendar::weekday(days) as usize]
}

pub(super) fn month_name(days: i64) -> &'static str {
    MONTH_NAMES[(civil_from_days(days).month - 1) as usize]
}

/// Number of the month of this name or three-letter abbreviation at the start of a text, and its length.
pub(super) fn find_month(text: &str, is_short: bool) -> Option<(i64, usize)> {
    find_name(&MONTH_NAMES, text, is_short).map(|(index, length)| (index as i64 + 1, length))
}

/// Day of the week, 0 for Sunday, of this name at the start of a text, and its length.
pub(super) fn find_day(text: &str, is_short: bool) -> Option<(i64, usize)> {
    find_name(&DAY_NAMES, text, is_short).map(|(index, length)| (index as i64, length))
}

fn find_name(names: &[&str], text: &str, is_short: bool) -> Option<(usize, usize)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = if is_short { &name[..3] } else { name };
        let start = text.get(..name.len())?;
        start.eq_ignore_ascii_case(name).then_some((index, name.len()))
    })
}

pub(super) fn register(registry: &mut Registry) {
    let function =
        ScalarFunction::new("date_trunc", CATEGORY, "A date, timestamp or interval cut to a part.")
            .alias("datetrunc")
            .note("A date gives a TIMESTAMP. Weeks start on Monday. Infinities stay.")
            .note("Timestamps with a zone are cut in the zone of the session.")
            .example("date_trunc('month', timestamp '2024-05-06 07:08:09')", "2024-05-01 00:00:00")
            .example("date_trunc('hour', interval '90 minutes')", "01:00:00");
    let types = [Type::Date, Type::TIMESTAMP, Type::TimestampTz, Type::Interval];
    registry.register_scalar(types.into_iter().fold(function, |function, data_type| {
        function.overload([exact("part", Type::Text), exact("x", data_type)], bind)
    }));
    registry.register_scalar(
        named("dayname", "Name of the day of the week.", day_name)
            .example("dayname(date '2024-05-06')", "Monday"),
    );
    registry.register_scalar(
        named("monthname", "Name of the month.", month_name).example("monthname(date '2024-05-06')", "May"),
    );
    let last_day = ScalarFunction::new("last_day", CATEGORY, "Last day of the month.")
        .note("Null for infinities.")
        .example("last_day(date '2024-02-06')", "2024-02-29");
    registry.register_scalar(over_days(last_day, Type::Date, |days| {
        let day = civil_from_days(days);
        i32::try_from(days_from_civil(day.year, day.month, month_length(day.year, day.month))).ok()
    }));
    let days_in_month = ScalarFunction::new("days_in_month", CATEGORY, "Number of days of the month.")
        .note("Null for infinities.")
        .example("days_in_month(date '2024-02-06')", "29");
    registry.register_scalar(over_days(days_in_month, Type::Int64, |days| {
        let day = civil_from_days(days);
        Some(month_length(day.year, day.month))
    }));
}

/// Forms over dates and timestamps of a function of the day.
fn over_days<R: Lane>(
    function: ScalarFunction,
    result: Type,
    of_days: fn(i64) -> Option<R>,
) -> ScalarFunction {
    [Type::Date, Type::TIMESTAMP, Type::TimestampTz].into_iter().fold(function, |function, data_type| {
        let result = result.clone();
        function.overload([exact("x", data_type)], move |arguments| {
            let zone = match arguments.types[0] {
                Type::TimestampTz => Zone::of_name(&arguments.settings.time_zone)?,
                _ => Zone::UTC,
            };
            let kernel = match arguments.types[0] {
                Type::Date => {
                    days_kernel(|days: i32| is_finite_date(days).then_some(i64::from(days)), of_days)
                }
                _ => days_kernel(move |ticks: i64| day_of(ticks, zone), of_days),
            };
            Ok(Bound::lanes(result.clone(), kernel))
        })
    })
}

fn days_kernel<A: Lane, R: Lane>(
    days: impl Fn(A) -> Option<i64> + Send + Sync + 'static,
    function: fn(i64) -> Option<R>,
) -> std::sync::Arc<dyn crate::lanes::LaneKernel> {
    partial_unary(
        move |x: A| days(x).and_then(function).map_or(Outcome::Null, Outcome::Value),
        |_| Error::internal("a function of days failed"),
    )
}

fn day_of(ticks: i64, zone: Zone) -> Option<i64> {
    is_finite_timestamp(ticks)
        .then(|| zone.to_local(ticks))
        .flatten()
        .map(|local| split_microseconds(local).0)
}

/// A text that depends on the day; null for infinities.
fn named(name: &str, summary: &str, text: fn(i64) -> &'static str) -> ScalarFunction {
    let function = ScalarFunction::new(name, CATEGORY, summary).note("Null for infinities.");
    [Type::Date, Type::TIMESTAMP, Type::TimestampTz].into_iter().fold(function, |function, data_type| {
        function.overload([exact("x", data_type)], move |arguments| {
            let zone = match arguments.types[0] {
                Type::TimestampTz => Zone::of_name(&arguments.settings.time_zone)?,
                _ => Zone::UTC,
            };
            let is_date = arguments.types[0] == Type::Date;
            Ok(Bound::strict(Type::Text, move |arguments, rows, output, _| {
                rows.for_each(|row| {
                    let days = if is_date {
                        let days = arguments[0].fixed::<i32>().get(row);
                        is_finite_date(days).then_some(i64::from(days))
                    } else {
                        day_of(arguments[0].fixed::<i64>().get(row), zone)
                    };
                    match days {
                        Some(days) => output.text().set(row, text(days)),
                        None => output.set_null(row),
                    }
                });
                Ok(())
            }))
        })
    })
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let part = arguments.constant(0)?;
    let Some(part) = part.as_text() else {
        let result =
            if arguments.types[1] == Type::Date { Type::TIMESTAMP } else { arguments.types[1].clone() };
        return Ok(Bound::null_aware(result, |_, rows, output, _| {
            rows.for_each(|row| output.set_null(row));
            Ok(())
        }));
    };
    let part = Part::of_argument(arguments.function, 1, part)?;
    if matches!(part, Part::Era | Part::Timezone | Part::TimezoneHour | Part::TimezoneMinute) {
        return Err(Error::argument(
            arguments.function,
            1,
            format!("is the {}; nothing is cut there", part.title()),
        ));
    }
    let out_of_range = |operation: &'static str| {
        move |ticks: i64| Error::OutOfRange { operation, detail: ticks.to_string(), target: Type::TIMESTAMP }
    };
    let zone = Zone::of_name(&arguments.settings.time_zone)?;
    Ok(match arguments.types[1] {
        Type::Date => Bound::lanes(
            Type::TIMESTAMP,
            partial_unary(
                move |days: i32| {
                    let cut =
                        date_to_ticks(days, TimeUnit::Microsecond).and_then(|ticks| truncate(part, ticks));
                    cut.map_or(Outcome::Failed, Outcome::Value)
                },
                move |days| out_of_range("date_trunc")(i64::from(days)),
            ),
        ),
        Type::TIMESTAMP => Bound::lanes(
            Type::TIMESTAMP,
            partial_unary(
                move |ticks: i64| truncate(part, ticks).map_or(Outcome::Failed, Outcome::Value),
                out_of_range("date_trunc"),
            ),
        ),
        Type::TimestampTz => Bound::lanes(
            Type::TimestampTz,
            partial_unary(
                move |at: i64| {
                    let cut = zone.to_local(at).and_then(|local| truncate(part, local));
                    cut.and_then(|local| zone.to_instant(local)).map_or(Outcome::Failed, Outcome::Value)
                },
                out_of_range("date_trunc"),
            ),
        ),
        _ => Bound::lanes(Type::Interval, unary(move |interval| truncate_interval(part, interval))),
    })
}

/// The start of the part that holds a local time in microseconds; infinities stay.
pub(super) fn truncate(part: Part, ticks: i64) -> Option<i64> {
    if !is_finite_timestamp(ticks) {
        return Some(ticks);
    }
    let clock = |unit: i64| Some(ticks - ticks.rem_euclid(unit));
    match part {
        Part::Nanosecond | Part::Microsecond => Some(ticks),
        Part::Millisecond => clock(1_000),
        Part::Second | Part::Epoch => clock(1_000_000),
        Part::Minute => clock(60_000_000),
        Part::Hour => clock(3_600_000_000),
        _ => join_microseconds(truncate_days(part, split_microseconds(ticks).0), 0),
    }
}

fn truncate_days(part: Part, days: i64) -> i64 {
    let day = civil_from_days(days);
    match part {
        Part::Week | Part::YearWeek => days - (iso_weekday(days) - 1),
        Part::IsoYear => {
            let fourth = days_from_civil(iso_week(days).0, 1, 4);
            fourth - (iso_weekday(fourth) - 1)
        }
        Part::Month => days_from_civil(day.year, day.month, 1),
        Part::Quarter => days_from_civil(day.year, (day.month - 1) / 3 * 3 + 1, 1),
        Part::Year => days_from_civil(day.year, 1, 1),
        Part::Decade => days_from_civil(day.year / 10 * 10, 1, 1),
        Part::Century => days_from_civil(day.year / 100 * 100, 1, 1),
        Part::Millennium => days_from_civil(day.year / 1000 * 1000, 1, 1),
        _ => days,
    }
}

fn truncate_interval(part: Part, interval: IntervalMonthDayNano) -> IntervalMonthDayNano {
    let of_months = |unit: i32| IntervalMonthDayNano::new(interval.months / unit * unit, 0, 0);
    let of_time =
        |unit: i64| IntervalMonthDayNano { nanoseconds: interval.nanoseconds / unit * unit, ..interval };
    match part {
        Part::Millennium => of_months(12_000),
        Part::Century => of_months(1_200),
        Part::Decade => of_months(120),
        Part::Year | Part::IsoYear => of_months(12),
        Part::Quarter => of_months(3),
        Part::Month => of_months(1),
        Part::Week | Part::YearWeek => IntervalMonthDayNano::new(interval.months, interval.days / 7 * 7, 0),
        Part::Hour => of_time(3_600_000_000_000),
        Part::Minute => of_time(60_000_000_000),
        Part::Second | Part::Epoch => of_time(1_000_000_000),
        Part::Millisecond => of_time(1_000_000),
        Part::Microsecond | Part::Nanosecond => of_time(1_000),
        _ => IntervalMonthDayNano::new(interval.months, interval.days, 0),
    }
}

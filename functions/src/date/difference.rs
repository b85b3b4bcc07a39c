//! `date_diff`, `date_sub`, `date_add` and `age`.

use arrow::datatypes::IntervalMonthDayNano;

use super::CATEGORY;
use super::calendar::{
    MICROSECONDS_PER_DAY, add_months, civil_from_days, is_finite_date, is_finite_timestamp, iso_week,
    month_length, split_microseconds,
};
use super::part::Part;
use super::zone::Zone;
use crate::arithmetic::temporal::{instant_plus, timestamp_plus};
use crate::cast::calendar::date_to_ticks;
use crate::column::{FixedWidth, View};
use crate::error::{Error, Result};
use crate::lanes::{Lane, Outcome, partial_binary, partial_unary};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{TimeUnit, Type};

/// Both ends as microseconds of local times.
type Measure = fn(Part, i64, i64) -> Option<i64>;

pub(super) fn register(registry: &mut Registry) {
    let function =
        ScalarFunction::new("date_diff", CATEGORY, "Number of borders of a part between two dates or times.")
            .alias("datediff")
            .note("Weeks are whole weeks of seven days. Null for infinities.")
            .example("date_diff('month', date '2024-01-31', date '2024-02-01')", "1")
            .example("date_diff('day', date '2024-02-01', date '2024-01-01')", "-31");
    registry.register_scalar(measure_forms(function, borders_between));
    let function = ScalarFunction::new(
        "date_sub",
        CATEGORY,
        "Number of whole units of a part between two dates or times.",
    )
    .alias("datesub")
    .note("A month is whole when adding it to the start does not pass the end. Null for infinities.")
    .example("date_sub('month', date '2024-01-31', date '2024-02-29')", "1")
    .example("date_sub('year', date '2023-12-31', date '2024-12-30')", "0");
    registry.register_scalar(measure_forms(function, whole_between));
    register_add(registry);
    register_age(registry);
}

fn measure_forms(function: ScalarFunction, measure: Measure) -> ScalarFunction {
    [Type::Date, Type::TIMESTAMP, Type::TimestampTz, Type::Time].into_iter().fold(
        function,
        |function, data_type| {
            let parameters =
                [exact("part", Type::Text), exact("start", data_type.clone()), exact("end", data_type)];
            function.overload(parameters, move |arguments| bind(arguments, measure))
        },
    )
}

fn bind(arguments: &Arguments<'_>, measure: Measure) -> Result<Bound> {
    let zone = match arguments.types[1] {
        Type::TimestampTz => Zone::of_name(&arguments.settings.time_zone)?,
        _ => Zone::UTC,
    };
    let local = move |ticks: i64| is_finite_timestamp(ticks).then(|| zone.to_local(ticks)).flatten();
    let midnight = |days: i32| is_finite_date(days).then(|| i64::from(days) * MICROSECONDS_PER_DAY);
    match arguments.types[1] {
        // Dates are measured in 64 bits, which hold fewer days than a date does.
        Type::Date => bind_typed(arguments, measure, move |days: i32| {
            midnight(days).filter(|_| date_to_ticks(days, TimeUnit::Microsecond).is_some())
        }),
        _ => bind_typed(arguments, measure, local),
    }
}

fn bind_typed<A: Lane + FixedWidth>(
    arguments: &Arguments<'_>,
    measure: Measure,
    local: impl Fn(A) -> Option<i64> + Copy + Send + Sync + 'static,
) -> Result<Bound> {
    let name = arguments.function.to_owned();
    let is_clock = arguments.types[1] == Type::Time;
    let supported = move |part: Part| {
        measure(part, 0, 0).is_some()
            && (!is_clock || matches!(part.length(), Some((0, 0, _))) || part == Part::Epoch)
    };
    let description = arguments.types[1].to_string();
    let refused = move |part: &str| {
        Error::argument(name.clone(), 1, format!("is \"{part}\", by which {description} is not measured"))
    };
    let Some(part) = arguments.known(0).and_then(|value| value.as_text()) else {
        return Ok(Bound::strict(Type::Int64, move |arguments: &[View<'_>], rows, output, _| {
            let names = arguments[0].text();
            let (starts, ends) = (arguments[1].fixed::<A>(), arguments[2].fixed::<A>());
            rows.for_each(|row| {
                let Some(part) = Part::of_name(names.get(row)).filter(|&part| supported(part)) else {
                    return output.fail(row, || refused(names.get(row)));
                };
                let both = local(starts.get(row)).zip(local(ends.get(row)));
                match both.and_then(|(start, end)| measure(part, start, end)) {
                    Some(count) => output.fixed::<i64>()[row] = count,
                    None => output.set_null(row),
                }
            });
            Ok(())
        }));
    };
    let known = Part::of_argument(arguments.function, 1, part)?;
    if !supported(known) {
        return Err(refused(part));
    }
    Ok(Bound::lanes(
        Type::Int64,
        partial_binary(
            move |start: A, end: A| match local(start).zip(local(end)).and_then(|(a, b)| measure(known, a, b))
            {
                Some(count) => Outcome::Value(count),
                None => Outcome::Null,
            },
            |_, _| Error::internal("a difference that cannot fail failed"),
        ),
    ))
}

/// How often a border of the part lies between the ends.
fn borders_between(part: Part, start: i64, end: i64) -> Option<i64> {
    let days = |ticks: i64| split_microseconds(ticks).0;
    let civil = |ticks: i64| civil_from_days(days(ticks));
    let months = |ticks: i64| civil(ticks).year * 12 + civil(ticks).month - 1;
    let by = |unit: i64| Some(end.div_euclid(unit) - start.div_euclid(unit));
    Some(match part {
        Part::Millennium => civil(end).year / 1000 - civil(start).year / 1000,
        Part::Century => civil(end).year / 100 - civil(start).year / 100,
        Part::Decade => civil(end).year / 10 - civil(start).year / 10,
        Part::Year => civil(end).year - civil(start).year,
        Part::IsoYear => iso_week(days(end)).0 - iso_week(days(start)).0,
        Part::Quarter => months(end) / 3 - months(start) / 3,
        Part::Month => months(end) - months(start),
        Part::Week | Part::YearWeek => (days(end) - days(start)) / 7,
        Part::Day | Part::DayOfWeek | Part::IsoDayOfWeek | Part::DayOfYear | Part::JulianDay => {
            days(end) - days(start)
        }
        Part::Hour => return by(3_600_000_000),
        Part::Minute => return by(60_000_000),
        Part::Second | Part::Epoch => return by(1_000_000),
        Part::Millisecond => return by(1_000),
        Part::Microsecond => return end.checked_sub(start),
        Part::Nanosecond => return end.checked_sub(start)?.checked_mul(1_000),
        Part::Era | Part::Timezone | Part::TimezoneHour | Part::TimezoneMinute => return None,
    })
}

/// How many whole units fit between the ends.
fn whole_between(part: Part, start: i64, end: i64) -> Option<i64> {
    let by = |unit: i64| Some(end.checked_sub(start)? / unit);
    let months = |unit: i64| Some(whole_months(start, end) / unit);
    match part {
        Part::Millennium => months(12_000),
        Part::Century => months(1_200),
        Part::Decade => months(120),
        Part::Year | Part::IsoYear => months(12),
        Part::Quarter => months(3),
        Part::Month => months(1),
        Part::Week | Part::YearWeek => by(7 * MICROSECONDS_PER_DAY),
        Part::Day | Part::DayOfWeek | Part::IsoDayOfWeek | Part::DayOfYear | Part::JulianDay => {
            by(MICROSECONDS_PER_DAY)
        }
        Part::Hour => by(3_600_000_000),
        Part::Minute => by(60_000_000),
        Part::Second | Part::Epoch => by(1_000_000),
        Part::Millisecond => by(1_000),
        Part::Microsecond => by(1),
        Part::Nanosecond => end.checked_sub(start)?.checked_mul(1_000),
        Part::Era | Part::Timezone | Part::TimezoneHour | Part::TimezoneMinute => None,
    }
}

fn whole_months(start: i64, end: i64) -> i64 {
    if start > end {
        return -whole_months(end, start);
    }
    let ((first, from), (last, until)) = (split_microseconds(start), split_microseconds(end));
    let (a, b) = (civil_from_days(first), civil_from_days(last));
    let months = (b.year - a.year) * 12 + b.month - a.month;
    months - i64::from((add_months(first, months), from) > (last, until))
}

fn register_add(registry: &mut Registry) {
    let out_of_range = |target: Type| {
        move |_: i64, interval: IntervalMonthDayNano| {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = crate::cast::text::write_interval(interval, &mut text);
            Error::OutOfRange {
                operation: "date_add",
                detail: format!("the sum with {text}"),
                target: target.clone(),
            }
        }
    };
    let function = ScalarFunction::new("date_add", CATEGORY, "A date or timestamp moved by an interval.")
        .note("As the operator +; a date gives a TIMESTAMP.")
        .example("date_add(date '2024-01-31', interval 1 month)", "2024-02-29 00:00:00");
    registry.register_scalar(
        function
            .overload([exact("x", Type::Date), exact("interval", Type::Interval)], move |_| {
                let add = |days: i32, interval| {
                    date_to_ticks(days, TimeUnit::Microsecond).and_then(|at| timestamp_plus(at, interval))
                };
                let error = out_of_range(Type::TIMESTAMP);
                Ok(Bound::lanes(
                    Type::TIMESTAMP,
                    partial_binary(
                        move |days: i32, interval: IntervalMonthDayNano| outcome(add(days, interval)),
                        move |days, interval| error(i64::from(days), interval),
                    ),
                ))
            })
            .overload([exact("x", Type::TIMESTAMP), exact("interval", Type::Interval)], move |_| {
                let add = |at: i64, interval: IntervalMonthDayNano| outcome(timestamp_plus(at, interval));
                Ok(Bound::lanes(Type::TIMESTAMP, partial_binary(add, out_of_range(Type::TIMESTAMP))))
            })
            .overload([exact("x", Type::TimestampTz), exact("interval", Type::Interval)], move |arguments| {
                let zone = Zone::of_name(&arguments.settings.time_zone)?;
                let add =
                    move |at: i64, interval: IntervalMonthDayNano| outcome(instant_plus(at, interval, zone));
                Ok(Bound::lanes(Type::TimestampTz, partial_binary(add, out_of_range(Type::TimestampTz))))
            }),
    );
}

fn outcome<T>(value: Option<T>) -> Outcome<T> {
    value.map_or(Outcome::Failed, Outcome::Value)
}

fn register_age(registry: &mut Registry) {
    let function = ScalarFunction::new(
        "age",
        CATEGORY,
        "Interval of years, months, days and time between two timestamps.",
    )
    .note("Days that are borrowed from a month have the length of the earlier one. Null for infinities.")
    .note("With one argument, from it to the midnight that began the day of the query.")
    .example("age(timestamp '2001-04-10', timestamp '1957-06-13')", "43 years 9 months 27 days");
    registry.register_scalar([Type::TIMESTAMP, Type::TimestampTz].into_iter().fold(
        function,
        |function, data_type| {
            function
                .overload([exact("end", data_type.clone()), exact("start", data_type.clone())], |arguments| {
                    let zone = age_zone(arguments)?;
                    let between = move |end: i64, start: i64| match age(zone, end, start) {
                        Some(interval) => Outcome::Value(interval),
                        None => Outcome::Null,
                    };
                    Ok(Bound::lanes(
                        Type::Interval,
                        partial_binary(between, |_, _| Error::internal("age failed")),
                    ))
                })
                .overload([exact("start", data_type)], |arguments| {
                    let zone = age_zone(arguments)?;
                    let session = Zone::of_name(&arguments.settings.time_zone)?;
                    let today = super::current::today(arguments.settings.now_microseconds, session);
                    let midnight = today.saturating_mul(MICROSECONDS_PER_DAY);
                    let end = zone.to_instant(midnight).unwrap_or(midnight);
                    let since = move |start: i64| match age(zone, end, start) {
                        Some(interval) => Outcome::Value(interval),
                        None => Outcome::Null,
                    };
                    Ok(Bound::lanes(Type::Interval, partial_unary(since, |_| Error::internal("age failed"))))
                })
        },
    ));
}

fn age_zone(arguments: &Arguments<'_>) -> Result<Zone> {
    match arguments.types[0] {
        Type::TimestampTz => Zone::of_name(&arguments.settings.time_zone),
        _ => Ok(Zone::UTC),
    }
}

fn age(zone: Zone, end: i64, start: i64) -> Option<IntervalMonthDayNano> {
    if !is_finite_timestamp(end) || !is_finite_timestamp(start) {
        return None;
    }
    if end < start {
        let IntervalMonthDayNano { months, days, nanoseconds } = age(zone, start, end)?;
        return Some(IntervalMonthDayNano::new(-months, -days, -nanoseconds));
    }
    let ((last, until), (first, from)) =
        (split_microseconds(zone.to_local(end)?), split_microseconds(zone.to_local(start)?));
    let (b, a) = (civil_from_days(last), civil_from_days(first));
    let mut months = (b.year - a.year) * 12 + b.month - a.month;
    let (mut days, mut time) = (b.day - a.day, until - from);
    if time < 0 {
        time += MICROSECONDS_PER_DAY;
        days -= 1;
    }
    if days < 0 {
        days += month_length(a.year, a.month);
        months -= 1;
    }
    Some(IntervalMonthDayNano::new(i32::try_from(months).ok()?, i32::try_from(days).ok()?, time * 1_000))
}

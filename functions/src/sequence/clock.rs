//! Times of events as features: how long ago, and which hour it was where it happened.

use super::CATEGORY;
use crate::date::calendar::{
    MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, is_finite_date, is_finite_timestamp,
};
use crate::date::zone::Zone;
use crate::error::{Error, Result};
use crate::lanes::{Outcome, binary, partial_unary};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

const MICROSECONDS_PER_HOUR: i64 = 3600 * MICROSECONDS_PER_SECOND;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("time_since", CATEGORY, "Time that has passed from an event until now, as a double.")
        .note("unit => 'second' (the default), 'minute', 'hour' or 'day'. Below 0 for events after now, which a training table should not know.")
        .note("Infinite times give infinities, and NaN where both are the same.")
        .example("time_since(timestamp '2024-05-06 07:00:00', timestamp '2024-05-06 07:01:30')", "90.0")
        .example("time_since(date '2024-05-01', date '2024-05-06', unit => 'day')", "5.0");
    let unit = || exact("unit", Type::Text).or(Literal::new(Value::from("second")));
    let function =
        [Type::TIMESTAMP, Type::TimestampTz, Type::Date].into_iter().fold(function, |function, time| {
            function.overload([exact("event", time.clone()), exact("now", time), unit()], bind_since)
        });
    registry.register_scalar(function);
    let function = ScalarFunction::new("local_hour", CATEGORY, "Hour from 0 to 23 of an instant in a time zone.")
        .note("The instant is a timestamp with zone, or seconds since 1970-01-01 UTC; it has one local time, so that days of 23 and 25 hours are no trouble.")
        .note("The rules are those that the program was built with, whatever the machine has: `time_zone_version()` names them.")
        .example("local_hour(timestamptz '2024-05-06 07:08:09+00', 'America/New_York')", "3")
        .example("local_hour(1714979289, 'Asia/Kolkata')", "12");
    let zone = || exact("zone", Type::Text);
    registry.register_scalar(
        function
            .overload([exact("instant", Type::TimestampTz), zone()], |arguments| bind_hour(arguments, 1))
            .overload([exact("seconds", Type::Int64), zone()], |arguments| {
                bind_hour(arguments, MICROSECONDS_PER_SECOND)
            }),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "time_zone_version",
            CATEGORY,
            "Version of the rules of time zones that the program was built with.",
        )
        .note("A release of the IANA time zone database.")
        .example("length(time_zone_version())", "5")
        .overload([], |_| {
            Ok(Bound::null_aware(Type::Text, |_, rows, output, _| {
                let mut writer = output.text();
                rows.for_each(|row| writer.set(row, chrono_tz::IANA_TZDB_VERSION));
                Ok(())
            }))
        }),
    );
}

fn bind_since(arguments: &Arguments<'_>) -> Result<Bound> {
    let seconds = match arguments.constant_text(2)? {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        other => {
            let problem = format!("is \"{other}\"; expected 'second', 'minute', 'hour' or 'day'");
            return Err(Error::argument(arguments.function, 3, problem));
        }
    };
    let unit = (seconds * MICROSECONDS_PER_SECOND) as f64;
    if arguments.types[0] == Type::Date {
        let microseconds = |days: i32| match is_finite_date(days) {
            true => Some(i128::from(days) * i128::from(MICROSECONDS_PER_DAY)),
            false => None,
        };
        return Ok(Bound::lanes(
            Type::Float64,
            binary(move |event: i32, now: i32| {
                since((event.into(), microseconds(event)), (now.into(), microseconds(now)), unit)
            }),
        ));
    }
    let microseconds = |ticks: i64| is_finite_timestamp(ticks).then(|| i128::from(ticks));
    Ok(Bound::lanes(
        Type::Float64,
        binary(move |event: i64, now: i64| {
            since((event, microseconds(event)), (now, microseconds(now)), unit)
        }),
    ))
}

/// From one time to another; each has its microseconds unless it is infinite, and then its sign counts.
fn since(event: (i64, Option<i128>), now: (i64, Option<i128>), unit: f64) -> f64 {
    let infinite = |ticks: i64| if ticks < 0 { f64::NEG_INFINITY } else { f64::INFINITY };
    match (event.1, now.1) {
        (Some(event), Some(now)) => (now - event) as f64 / unit,
        (Some(_), None) => infinite(now.0),
        (None, Some(_)) => -infinite(event.0),
        // The same infinity twice is NaN; the sign of a NaN differs between processors.
        (None, None) if (event.0 < 0) == (now.0 < 0) => f64::NAN,
        (None, None) => infinite(now.0),
    }
}

/// The hour of an instant that is so many microseconds a tick.
fn bind_hour(arguments: &Arguments<'_>, scale: i64) -> Result<Bound> {
    let hour = move |zone: Zone, ticks: i64| {
        let local = ticks
            .checked_mul(scale)
            .filter(|instant| is_finite_timestamp(*instant))
            .and_then(|instant| zone.to_local(instant));
        local.map(|local| local.div_euclid(MICROSECONDS_PER_HOUR).rem_euclid(24))
    };
    let refused = |ticks: i64| Error::OutOfRange {
        operation: "local_hour",
        detail: ticks.to_string(),
        target: Type::TimestampTz,
    };
    if let Some(name) = arguments.known(1) {
        let zone = Zone::of_name(name.as_text().unwrap_or_default())?;
        let function = move |ticks: i64| hour(zone, ticks).map_or(Outcome::Failed, Outcome::Value);
        return Ok(Bound::lanes(Type::Int64, partial_unary(function, refused)));
    }
    Ok(Bound::strict(Type::Int64, move |arguments, rows, output, _| {
        let (ticks, names) = (arguments[0].fixed::<i64>(), arguments[1].text());
        rows.for_each(|row| match Zone::of_name(names.get(row)) {
            Err(error) => output.fail(row, || error),
            Ok(zone) => match hour(zone, ticks.get(row)) {
                Some(hour) => output.fixed::<i64>()[row] = hour,
                None => output.fail(row, || refused(ticks.get(row))),
            },
        });
        Ok(())
    }))
}

//! Dates, times, timestamps and intervals from numbers.

use arrow::datatypes::IntervalMonthDayNano;

use super::CATEGORY;
use super::calendar::{
    MICROSECONDS_PER_DAY, checked_days, is_finite_date, is_finite_timestamp, join_microseconds,
};
use super::part::Part;
use super::zone::Zone;
use crate::cast::decimal::divide_rounding;
use crate::error::Error;
use crate::lanes::{Outcome, partial_unary};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{TimeUnit, Type};

pub(super) fn register(registry: &mut Registry) {
    register_dates(registry);
    register_timestamps(registry);
    register_epochs(registry);
    register_intervals(registry);
}

fn register_dates(registry: &mut Registry) {
    let function = ScalarFunction::new(
        "make_date",
        CATEGORY,
        "The date of a year, month and day, or of a number of days since 1970-01-01.",
    )
    .note("Year 0 is 1 BC. A day that does not exist is an error.")
    .example("make_date(2024, 5, 6)", "2024-05-06");
    let parts = [exact("year", Type::Int64), exact("month", Type::Int64), exact("day", Type::Int64)];
    registry.register_scalar(
        function
            .overload(parts, |_| {
                Ok(Bound::strict(Type::Date, |arguments, rows, output, _| {
                    let [year, month, day] =
                        [0, 1, 2].map(|position: usize| arguments[position].fixed::<i64>());
                    rows.for_each(|row| {
                        let (year, month, day) = (year.get(row), month.get(row), day.get(row));
                        match checked_days(year, month, day) {
                            Some(days) => output.fixed::<i32>()[row] = days,
                            None => output.fail(row, || no_day("make_date", year, month, day)),
                        }
                    });
                    Ok(())
                }))
            })
            .overload([exact("days", Type::Int32)], |_| {
                let function =
                    |days: i32| if is_finite_date(days) { Outcome::Value(days) } else { Outcome::Failed };
                let error = |days| out_of_range("make_date", format!("{days} days"), Type::Date);
                Ok(Bound::lanes(Type::Date, partial_unary(function, error)))
            }),
    );
    let parts = [exact("hour", Type::Int64), exact("minute", Type::Int64), exact("second", Type::Float64)];
    registry.register_scalar(
        ScalarFunction::new("make_time", CATEGORY, "The time of an hour, minute and second.")
            .example("make_time(7, 8, 9.5)", "07:08:09.5")
            .overload(parts, |_| {
                Ok(Bound::strict(Type::Time, |arguments, rows, output, _| {
                    let [hour, minute] = [0, 1].map(|position: usize| arguments[position].fixed::<i64>());
                    let second = arguments[2].fixed::<f64>();
                    rows.for_each(|row| {
                        let (hour, minute, second) = (hour.get(row), minute.get(row), second.get(row));
                        match time_of(hour, minute, second) {
                            Some(time) => output.fixed::<i64>()[row] = time,
                            None => output.fail(row, || no_time("make_time", hour, minute, second)),
                        }
                    });
                    Ok(())
                }))
            }),
    );
}

fn no_day(operation: &'static str, year: i64, month: i64, day: i64) -> Error {
    out_of_range(operation, format!("day {year}-{month}-{day}"), Type::Date)
}

fn no_time(operation: &'static str, hour: i64, minute: i64, second: f64) -> Error {
    out_of_range(operation, format!("time {hour}:{minute}:{second}"), Type::Time)
}

fn out_of_range(operation: &'static str, detail: String, target: Type) -> Error {
    Error::OutOfRange { operation, detail, target }
}

/// Microseconds since midnight; 24:00:00 is the end of the day.
fn time_of(hour: i64, minute: i64, second: f64) -> Option<i64> {
    if !(0..=24).contains(&hour) || !(0..60).contains(&minute) || !(0.0..=60.0).contains(&second) {
        return None;
    }
    let time = (hour * 60 + minute) * 60_000_000 + (second * 1e6).round() as i64;
    (time <= MICROSECONDS_PER_DAY).then_some(time)
}

fn register_timestamps(registry: &mut Registry) {
    let ticks = |name: &str, summary: &str, result: Type, factor: i64| {
        let target = result.clone();
        ScalarFunction::new(name, CATEGORY, summary).overload([exact("ticks", Type::Int64)], move |_| {
            Ok(Bound::lanes(result.clone(), of_ticks(factor, target.clone())))
        })
    };
    let make = ticks(
        "make_timestamp",
        "The timestamp of a date and time given in parts, or of microseconds since 1970-01-01.",
        Type::TIMESTAMP,
        1,
    )
    .note("A date or time that does not exist is an error.")
    .example("make_timestamp(2024, 5, 6, 7, 8, 9.5)", "2024-05-06 07:08:09.5");
    registry.register_scalar(timestamp_parts(make, "make_timestamp", Type::TIMESTAMP, false));
    let make = ticks(
        "make_timestamptz",
        "As make_timestamp, in the zone of the session or the one given last.",
        Type::TimestampTz,
        1,
    )
    .example("make_timestamptz(2024, 5, 6, 7, 8, 9, 'America/New_York')", "2024-05-06 11:08:09+00");
    let make = timestamp_parts(make, "make_timestamptz", Type::TimestampTz, false);
    registry.register_scalar(timestamp_parts(make, "make_timestamptz", Type::TimestampTz, true));
    registry.register_scalar(
        ticks("make_timestamp_ms", "The timestamp of milliseconds since 1970-01-01.", Type::TIMESTAMP, 1_000)
            .example("make_timestamp_ms(1500)", "1970-01-01 00:00:01.5"),
    );
    registry.register_scalar(
        ticks(
            "make_timestamp_ns",
            "The timestamp of nanoseconds since 1970-01-01.",
            Type::Timestamp(TimeUnit::Nanosecond),
            1,
        )
        .example("make_timestamp_ns(1)", "1970-01-01 00:00:00.000000001"),
    );
    registry.register_scalar(
        ScalarFunction::new("to_timestamp", CATEGORY, "The instant of seconds since 1970-01-01 UTC.")
            .example("to_timestamp(1.5)", "1970-01-01 00:00:01.5+00")
            .overload([exact("seconds", Type::Float64)], |_| {
                let function = |seconds: f64| {
                    let microseconds = (seconds * 1e6).round();
                    let fits = microseconds.abs() < 9.2e18;
                    if fits { Outcome::Value(microseconds as i64) } else { Outcome::Failed }
                };
                let error =
                    |seconds| out_of_range("to_timestamp", format!("{seconds} seconds"), Type::TimestampTz);
                Ok(Bound::lanes(Type::TimestampTz, partial_unary(function, error)))
            }),
    );
}

fn of_ticks(factor: i64, target: Type) -> std::sync::Arc<dyn crate::lanes::LaneKernel> {
    partial_unary(
        move |ticks: i64| match ticks.checked_mul(factor) {
            Some(ticks) if is_finite_timestamp(ticks) && ticks != i64::MIN => Outcome::Value(ticks),
            _ => Outcome::Failed,
        },
        move |ticks| out_of_range("make_timestamp", format!("{ticks} ticks"), target.clone()),
    )
}

fn timestamp_parts(
    function: ScalarFunction,
    name: &'static str,
    result: Type,
    has_zone: bool,
) -> ScalarFunction {
    let whole = ["year", "month", "day", "hour", "minute"].map(|part| exact(part, Type::Int64));
    let parameters = whole.into_iter().chain([exact("second", Type::Float64)]);
    let parameters = parameters.chain(has_zone.then(|| exact("zone", Type::Text)));
    function.overload(parameters, move |arguments| {
        let session = match result {
            Type::TimestampTz => Zone::of_name(&arguments.settings.time_zone)?,
            _ => Zone::UTC,
        };
        let target = result.clone();
        Ok(Bound::strict(result.clone(), move |arguments, rows, output, _| {
            let [year, month, day, hour, minute] =
                [0, 1, 2, 3, 4].map(|position: usize| arguments[position].fixed::<i64>());
            let second = arguments[5].fixed::<f64>();
            rows.for_each(|row| {
                let (year, month, day) = (year.get(row), month.get(row), day.get(row));
                let (hour, minute, second) = (hour.get(row), minute.get(row), second.get(row));
                let Some(days) = checked_days(year, month, day) else {
                    return output.fail(row, || no_day(name, year, month, day));
                };
                let Some(time) = time_of(hour, minute, second) else {
                    return output.fail(row, || no_time(name, hour, minute, second));
                };
                let zone = match arguments.get(6).map(|zones| Zone::of_name(zones.text().get(row))) {
                    Some(Err(error)) => return output.fail(row, || error),
                    Some(Ok(zone)) => zone,
                    None => session,
                };
                match join_microseconds(i64::from(days), time).and_then(|local| zone.to_instant(local)) {
                    Some(ticks) => output.fixed::<i64>()[row] = ticks,
                    None => output.fail(row, || out_of_range(name, format!("year {year}"), target.clone())),
                }
            });
            Ok(())
        }))
    })
}

/// Units of `epoch_ms` and its kin: name, ticks per second.
const EPOCH_UNITS: [(&str, i64, &str); 3] = [
    ("epoch_ms", 1_000, "Milliseconds"),
    ("epoch_us", 1_000_000, "Microseconds"),
    ("epoch_ns", 1_000_000_000, "Nanoseconds"),
];

fn register_epochs(registry: &mut Registry) {
    let function =
        ScalarFunction::new("epoch", CATEGORY, "Seconds since 1970-01-01, or of a time or interval.")
            .note("Null for infinities. An interval counts years of 365.25 days and months of 30.")
            .example("epoch(timestamp '1970-01-01 00:00:01.5')", "1.5");
    let nanoseconds = Type::Timestamp(TimeUnit::Nanosecond);
    let types =
        [Type::Date, Type::TIMESTAMP, nanoseconds.clone(), Type::TimestampTz, Type::Time, Type::Interval];
    registry.register_scalar(types.iter().fold(function, |function, data_type| {
        function.overload([exact("x", data_type.clone())], |arguments| {
            super::date_part::bind(Part::Epoch, arguments, 0)
        })
    }));
    for (name, per_second, unit) in EPOCH_UNITS {
        let mut function = ScalarFunction::new(
            name,
            CATEGORY,
            &format!("{unit} since 1970-01-01, or of a time or interval."),
        )
        .note("Rounded, halves away from zero. Null for infinities. An interval counts months of 30 days.")
        .example(&format!("{name}(timestamp '1970-01-01 00:00:01')"), &per_second.to_string());
        if name == "epoch_ms" {
            function = function
                .note("Of an integer, the timestamp of that many milliseconds.")
                .example("epoch_ms(1500)", "1970-01-01 00:00:01.5")
                .overload([exact("ticks", Type::Int64)], |_| {
                    Ok(Bound::lanes(Type::TIMESTAMP, of_ticks(1_000, Type::TIMESTAMP)))
                });
        }
        function = types.iter().fold(function, |function, data_type| {
            function.overload([exact("x", data_type.clone())], move |arguments| {
                Ok(Bound::lanes(Type::Int64, epoch_kernel(name, &arguments.types[0], per_second)))
            })
        });
        registry.register_scalar(function);
    }
}

fn epoch_kernel(
    name: &'static str,
    data_type: &Type,
    per_second: i64,
) -> std::sync::Arc<dyn crate::lanes::LaneKernel> {
    let too_far = move || out_of_range(name, "the time".into(), Type::Int64);
    // Wide arithmetic, so that nanoseconds of far years are an error and not another number.
    let scaled = move |ticks: i128, ticks_per_second: i64| {
        let value = divide_rounding(ticks * i128::from(per_second), i128::from(ticks_per_second));
        i64::try_from(value).map_or(Outcome::Failed, Outcome::Value)
    };
    match data_type {
        Type::Date => partial_unary(
            move |days: i32| {
                if is_finite_date(days) { scaled(i128::from(days) * 86_400, 1) } else { Outcome::Null }
            },
            move |_| too_far(),
        ),
        Type::Interval => partial_unary(
            move |x: IntervalMonthDayNano| {
                let days = i128::from(x.months) * 30 + i128::from(x.days);
                scaled(days * 86_400_000_000_000 + i128::from(x.nanoseconds), 1_000_000_000)
            },
            move |_| too_far(),
        ),
        other => {
            let own = match other {
                Type::Timestamp(unit) => unit.per_second(),
                _ => 1_000_000,
            };
            partial_unary(
                move |ticks: i64| {
                    if is_finite_timestamp(ticks) { scaled(i128::from(ticks), own) } else { Outcome::Null }
                },
                move |_| too_far(),
            )
        }
    }
}

fn register_intervals(registry: &mut Registry) {
    let units = [
        ("to_millennia", Part::Millennium, "1000 years"),
        ("to_centuries", Part::Century, "100 years"),
        ("to_decades", Part::Decade, "10 years"),
        ("to_years", Part::Year, "1 year"),
        ("to_quarters", Part::Quarter, "3 months"),
        ("to_months", Part::Month, "1 month"),
        ("to_weeks", Part::Week, "7 days"),
        ("to_days", Part::Day, "1 day"),
        ("to_hours", Part::Hour, "01:00:00"),
        ("to_minutes", Part::Minute, "00:01:00"),
        ("to_microseconds", Part::Microsecond, "00:00:00.000001"),
    ];
    for (name, part, one) in units {
        let unit = part.length().map_or(IntervalMonthDayNano::new(0, 0, 0), |(months, days, nanoseconds)| {
            IntervalMonthDayNano::new(months, days, nanoseconds)
        });
        registry.register_scalar(
            ScalarFunction::new(
                name,
                CATEGORY,
                &format!("An interval of a number of units of one {}.", part.title()),
            )
            .example(&format!("{name}(1)"), one)
            .overload([exact("count", Type::Int64)], move |_| {
                let times = move |count: i64| {
                    let value = crate::arithmetic::temporal::interval_times(unit, count);
                    value.map_or(Outcome::Failed, Outcome::Value)
                };
                let error = move |count: i64| out_of_range(name, count.to_string(), Type::Interval);
                Ok(Bound::lanes(Type::Interval, partial_unary(times, error)))
            }),
        );
    }
    for (name, per_unit, one) in [("to_seconds", 1e6, "00:00:01"), ("to_milliseconds", 1e3, "00:00:00.001")] {
        let summary =
            if name == "to_seconds" { "An interval of seconds." } else { "An interval of milliseconds." };
        registry.register_scalar(
            ScalarFunction::new(name, CATEGORY, summary)
                .note("Fractions count to the microsecond.")
                .example(&format!("{name}(1)"), one)
                .overload([exact("count", Type::Float64)], move |_| {
                    let function = move |count: f64| {
                        let microseconds = (count * per_unit).round();
                        let fits = microseconds.abs() < 9.2e15;
                        if fits {
                            Outcome::Value(IntervalMonthDayNano::new(0, 0, microseconds as i64 * 1_000))
                        } else {
                            Outcome::Failed
                        }
                    };
                    let error = move |count: f64| out_of_range(name, count.to_string(), Type::Interval);
                    Ok(Bound::lanes(Type::Interval, partial_unary(function, error)))
                }),
        );
    }
    registry.register_scalar(normalized());
}

fn normalized() -> ScalarFunction {
    ScalarFunction::new(
        "normalized_interval",
        CATEGORY,
        "The interval with days and months carried up: 24 hours a day, 30 days a month.",
    )
    .example("normalized_interval(interval '90 days 25 hours')", "3 months 1 day 01:00:00")
    .overload([exact("x", Type::Interval)], |_| {
        const DAY: i64 = super::calendar::NANOSECONDS_PER_DAY;
        let function = |x: IntervalMonthDayNano| {
            let days = i64::from(x.days) + x.nanoseconds.div_euclid(DAY);
            let months = i64::from(x.months) + days.div_euclid(30);
            match i32::try_from(months) {
                Ok(months) => Outcome::Value(IntervalMonthDayNano::new(
                    months,
                    days.rem_euclid(30) as i32,
                    x.nanoseconds.rem_euclid(DAY),
                )),
                Err(_) => Outcome::Failed,
            }
        };
        let error = |_| out_of_range("normalized_interval", "the number of months".into(), Type::Interval);
        Ok(Bound::lanes(Type::Interval, partial_unary(function, error)))
    })
}

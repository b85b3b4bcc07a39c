//! `date_part`, and the function of the name of each part.

use std::sync::Arc;

use arrow::datatypes::IntervalMonthDayNano;

use super::CATEGORY;
use super::calendar::{MICROSECONDS_PER_DAY, NANOSECONDS_PER_DAY, is_finite_date, is_finite_timestamp};
use super::fields::{JULIAN_EPOCH, interval_seconds, of_clock, of_day, of_interval};
use super::part::Part;
use super::zone::Zone;
use crate::cast::invoke::invoke;
use crate::column::View;
use crate::error::{Error, Result};
use crate::lanes::{Lane, LaneKernel, Outcome, partial_unary};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{Field, TimeUnit, Type};

/// Types that parts are taken of.
const TYPES: [Type; 6] = [
    Type::Date,
    Type::TIMESTAMP,
    Type::Timestamp(TimeUnit::Nanosecond),
    Type::TimestampTz,
    Type::Time,
    Type::Interval,
];

pub(super) fn register(registry: &mut Registry) {
    let mut function = ScalarFunction::new("date_part", CATEGORY, "A part of a date, time, timestamp or interval: `extract(part FROM x)`.")
        .alias("datepart")
        .alias("extract")
        .note("Null for infinite dates and timestamps. BIGINT, or DOUBLE for epoch, julian and parts that are not constant.")
        .note("Timestamps with a zone are taken apart in the zone of the session. A list of parts gives a struct.")
        .example("date_part('year', date '2024-05-06')", "2024")
        .example("extract(dow FROM date '2024-05-05')", "0")
        .example("date_part(['year', 'month'], date '2024-05-06')", "{'year': 2024, 'month': 5}");
    for data_type in TYPES {
        function = function
            .overload([exact("part", Type::Text), exact("x", data_type.clone())], bind_named)
            .overload([exact("parts", Type::list(Type::Text)), exact("x", data_type)], bind_several);
    }
    registry.register_scalar(function);
    for part in Part::ALL.into_iter().filter(|part| !matches!(part, Part::Epoch | Part::Timezone)) {
        registry.register_scalar(of_part(part));
    }
}

/// The function that is named as a part.
fn of_part(part: Part) -> ScalarFunction {
    let [name, others @ ..] = part.names() else { unreachable!("every part has a name") };
    let summary = format!("The {} of a date, time, timestamp or interval.", part.title());
    let mut function =
        ScalarFunction::new(*name, CATEGORY, &summary).note("As date_part; null for infinities.");
    for alias in others.iter().filter(|alias| part.is_function_name(alias)) {
        function = function.alias(alias);
    }
    if let Some((sql, result)) = part.example() {
        function = function.example(sql, result);
    }
    for data_type in TYPES {
        // A form is offered only where the part has a meaning.
        if kernel(part, &data_type, Zone::UTC).is_some() {
            function = function.overload([exact("x", data_type)], move |arguments| bind(part, arguments, 0));
        }
    }
    function
}

/// The bound function of one known part of the argument at a position.
pub(super) fn bind(part: Part, arguments: &Arguments<'_>, position: usize) -> Result<Bound> {
    let data_type = &arguments.types[position];
    let zone = Zone::of_name(&arguments.settings.time_zone)?;
    let kernel = kernel(part, data_type, zone).ok_or_else(|| {
        Error::argument(
            arguments.function,
            1,
            format!("asks for the {} of {data_type}, which has none", part.title()),
        )
    })?;
    Ok(Bound::lanes(result_of(part), kernel))
}

fn result_of(part: Part) -> Type {
    if matches!(part, Part::Epoch | Part::JulianDay) { Type::Float64 } else { Type::Int64 }
}

fn bind_named(arguments: &Arguments<'_>) -> Result<Bound> {
    match arguments.known(0) {
        Some(name) => {
            let part = Part::of_argument(arguments.function, 1, name.as_text().unwrap_or_default())?;
            bind(part, arguments, 1)
        }
        None => bind_by_row(arguments),
    }
}

/// Parts that differ from row to row, each bound when it first occurs.
fn bind_by_row(arguments: &Arguments<'_>) -> Result<Bound> {
    let data_type = &arguments.types[1];
    let zone = Zone::of_name(&arguments.settings.time_zone)?;
    let function = arguments.function.to_owned();
    let bounds: Vec<(Part, Bound)> = Part::ALL
        .into_iter()
        .filter_map(|part| Some((part, Bound::lanes(result_of(part), kernel(part, data_type, zone)?))))
        .collect();
    let description = data_type.to_string();
    Ok(Bound::strict(Type::Float64, move |arguments, rows, output, scratch| {
        let names = arguments[0].text();
        for (part, bound) in &bounds {
            let mine: Vec<u32> = rows
                .iter()
                .filter(|&row| Part::of_name(names.get(row)) == Some(*part))
                .map(|row| row as u32)
                .collect();
            if mine.is_empty() {
                continue;
            }
            let rows = crate::column::Rows::Selected(&mine);
            let mut values = crate::column::Output::new(bound.result.clone());
            values.prepare(output.len());
            invoke(bound, &[arguments[1]], rows, &mut values, scratch)?;
            let bump = bumpalo::Bump::new();
            let view = values.view(&bump);
            rows.for_each(|row| match (view.is_valid(row), &bound.result) {
                (false, _) => output.set_null(row),
                (true, Type::Int64) => output.fixed::<f64>()[row] = view.fixed::<i64>().get(row) as f64,
                _ => output.fixed::<f64>()[row] = view.fixed::<f64>().get(row),
            });
        }
        rows.for_each(|row| {
            let known = Part::of_name(names.get(row))
                .is_some_and(|part| bounds.iter().any(|(held, _)| *held == part));
            if !known {
                let problem = format!("is \"{}\", which {description} does not have", names.get(row));
                output.fail(row, || Error::argument(function.clone(), 1, problem));
            }
        });
        Ok(())
    }))
}

fn bind_several(arguments: &Arguments<'_>) -> Result<Bound> {
    let Some(names) = arguments.constant(0)?.as_list() else {
        return Err(Error::argument(arguments.function, 1, "must be a constant list of parts, not NULL"));
    };
    let (mut fields, mut bounds) = (Vec::new(), Vec::new());
    for name in names {
        let name = name.as_text().unwrap_or_default();
        let bound = bind(Part::of_argument(arguments.function, 1, name)?, arguments, 1)?;
        fields.push(Field::new(name, bound.result.clone()));
        bounds.push(bound);
    }
    Ok(Bound::strict(Type::Struct(fields), move |arguments: &[View<'_>], rows, output, scratch| {
        for (position, bound) in bounds.iter().enumerate() {
            invoke(bound, &[arguments[1]], rows, output.field(position), scratch)?;
        }
        Ok(())
    }))
}

/// A kernel that gives null where the function answers `None`.
fn nullable<A: Lane, R: Lane>(
    function: impl Fn(A) -> Option<R> + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    partial_unary(
        move |x: A| function(x).map_or(Outcome::Null, Outcome::Value),
        |_| Error::internal("a part that cannot fail failed"),
    )
}

fn kernel(part: Part, data_type: &Type, zone: Zone) -> Option<Arc<dyn LaneKernel>> {
    match data_type {
        Type::Date => of_date(part),
        Type::Timestamp(TimeUnit::Nanosecond) => of_ticks(part, NANOSECONDS_PER_DAY, Zone::UTC),
        Type::Timestamp(_) => of_ticks(part, MICROSECONDS_PER_DAY, Zone::UTC),
        Type::TimestampTz => of_instant(part, zone),
        Type::Time => match part {
            Part::Epoch => Some(nullable(|time: i64| Some(time as f64 / 1e6))),
            _ if of_clock(part, 0).is_some() => {
                Some(nullable(move |time: i64| of_clock(part, time.wrapping_mul(1_000))))
            }
            _ => zone_part(part).map(|_| nullable(|_: i64| Some(0i64))),
        },
        Type::Interval => match part {
            Part::Epoch => Some(nullable(|interval| Some(interval_seconds(interval)))),
            _ if of_interval(part, IntervalMonthDayNano::new(0, 0, 0)).is_some() => {
                Some(nullable(move |interval| of_interval(part, interval)))
            }
            _ => None,
        },
        _ => None,
    }
}

fn zone_part(part: Part) -> Option<fn(i64) -> i64> {
    match part {
        Part::Timezone => Some(|offset| offset),
        Part::TimezoneHour => Some(|offset| offset / 3600),
        Part::TimezoneMinute => Some(|offset| offset / 60 % 60),
        _ => None,
    }
}

fn of_date(part: Part) -> Option<Arc<dyn LaneKernel>> {
    let finite = |days: i32| is_finite_date(days).then(|| i64::from(days));
    Some(match part {
        Part::Epoch => nullable(move |days: i32| finite(days).map(|days| (days * 86_400) as f64)),
        Part::JulianDay => nullable(move |days: i32| finite(days).map(|days| days as f64 + JULIAN_EPOCH)),
        _ if of_day(part, 0).is_some() => nullable(move |days: i32| of_day(part, finite(days)?)),
        _ => nullable(move |days: i32| finite(days).map(|_| 0i64)),
    })
}

fn of_ticks(part: Part, per_day: i64, zone: Zone) -> Option<Arc<dyn LaneKernel>> {
    let local = move |ticks: i64| if is_finite_timestamp(ticks) { zone.to_local(ticks) } else { None };
    let per_second = per_day / 86_400;
    Some(match part {
        Part::Epoch => {
            nullable(move |ticks: i64| is_finite_timestamp(ticks).then(|| ticks as f64 / per_second as f64))
        }
        Part::JulianDay => nullable(move |ticks: i64| {
            let ticks = local(ticks)?;
            let of_day = ticks.rem_euclid(per_day) as f64 / per_day as f64;
            Some(ticks.div_euclid(per_day) as f64 + JULIAN_EPOCH + of_day)
        }),
        _ if of_day(part, 0).is_some() => {
            nullable(move |ticks: i64| of_day(part, local(ticks)?.div_euclid(per_day)))
        }
        _ if of_clock(part, 0).is_some() => {
            let unit = NANOSECONDS_PER_DAY / per_day;
            nullable(move |ticks: i64| of_clock(part, local(ticks)?.rem_euclid(per_day) * unit))
        }
        _ => {
            zone_part(part)?;
            nullable(move |ticks: i64| local(ticks).map(|_| 0i64))
        }
    })
}

fn of_instant(part: Part, zone: Zone) -> Option<Arc<dyn LaneKernel>> {
    match zone_part(part) {
        Some(of_offset) => {
            Some(nullable(move |at: i64| is_finite_timestamp(at).then(|| of_offset(zone.offset_at(at)))))
        }
        None => of_ticks(part, MICROSECONDS_PER_DAY, zone),
    }
}

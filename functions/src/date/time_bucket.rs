//! `time_bucket`: the start of the bucket of equal width that holds a time.

use arrow::datatypes::IntervalMonthDayNano;

use super::CATEGORY;
use super::calendar::{
    MICROSECONDS_PER_DAY, civil_from_days, days_from_civil, is_finite_timestamp, join_microseconds,
    split_microseconds,
};
use crate::arithmetic::temporal::timestamp_plus;
use crate::cast::calendar::{date_to_ticks, ticks_to_date};
use crate::column::View;
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{TimeUnit, Type};

/// Monday 2000-01-03, from which buckets of days and time count.
const ORIGIN_MICROSECONDS: i64 = 10_959 * MICROSECONDS_PER_DAY;
/// Month of 2000-01-01, from which buckets of months count.
const ORIGIN_MONTH: i64 = 2000 * 12;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("time_bucket", CATEGORY, "Start of the bucket of a width that holds a date or timestamp.")
        .alias("date_bin")
        .note("Buckets of days and time count from Monday 2000-01-03, those of months from 2000-01-01, or from the origin given.")
        .note("An interval as third argument shifts the buckets. A width mixes no months with days; it must be above 0.")
        .note("Timestamps with a zone are put into buckets of UTC, whatever the zone of the session. Infinities stay.")
        .example("time_bucket(interval '15 minutes', timestamp '2024-05-06 07:08:09')", "2024-05-06 07:00:00")
        .example("time_bucket(interval '1 month', date '2024-05-06')", "2024-05-01");
    let types = [Type::Date, Type::TIMESTAMP, Type::TimestampTz];
    registry.register_scalar(types.into_iter().fold(function, |function, data_type| {
        let first = || [exact("width", Type::Interval), exact("x", data_type.clone())];
        function
            .overload(first(), bind)
            .overload(first().into_iter().chain([exact("origin", data_type.clone())]), bind)
            .overload(first().into_iter().chain([exact("offset", Type::Interval)]), bind)
    }));
}

/// What a width counts.
#[derive(Debug, Clone, Copy)]
enum Width {
    Months(i64),
    Microseconds(i64),
}

fn width_of(interval: IntervalMonthDayNano) -> Result<Width, &'static str> {
    let microseconds = i64::from(interval.days) * MICROSECONDS_PER_DAY;
    let microseconds = microseconds.checked_add(interval.nanoseconds / 1_000).ok_or("is too wide")?;
    match (interval.months, microseconds) {
        (0, 1..) => Ok(Width::Microseconds(microseconds)),
        (1.., 0) => Ok(Width::Months(i64::from(interval.months))),
        (0, _) | (..=-1, 0) => Err("is not a width; expected an interval above 0"),
        _ => Err("mixes months with days or time; expected one of them"),
    }
}

/// Start of the bucket of a local time; `origin` replaces the usual one.
fn bucket(width: Width, ticks: i64, origin: Option<i64>) -> Option<i64> {
    if !is_finite_timestamp(ticks) {
        return Some(ticks);
    }
    let month_of = |ticks: i64| {
        let day = civil_from_days(split_microseconds(ticks).0);
        day.year * 12 + day.month - 1
    };
    match width {
        Width::Microseconds(width) => {
            let origin = origin.unwrap_or(ORIGIN_MICROSECONDS);
            let index = (i128::from(ticks) - i128::from(origin)).div_euclid(i128::from(width));
            i64::try_from(index * i128::from(width) + i128::from(origin))
                .ok()
                .filter(|&start| is_finite_timestamp(start))
        }
        Width::Months(width) => {
            let origin = origin.map_or(ORIGIN_MONTH, month_of);
            let month = (month_of(ticks) - origin).div_euclid(width) * width + origin;
            join_microseconds(days_from_civil(month.div_euclid(12), month.rem_euclid(12) + 1, 1), 0)
        }
    }
}

/// The time of a row in microseconds.
fn microseconds(view: &View<'_>, row: usize) -> Option<i64> {
    match view.data_type {
        Type::Date => date_to_ticks(view.fixed::<i32>().get(row), TimeUnit::Microsecond),
        _ => Some(view.fixed::<i64>().get(row)),
    }
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let result = arguments.types[1].clone();
    let function = arguments.function.to_owned();
    let target = result.clone();
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let widths = arguments[0].fixed::<IntervalMonthDayNano>();
        let times = arguments[1];
        rows.for_each(|row| {
            let width = match width_of(widths.get(row)) {
                Ok(width) => width,
                Err(problem) => return output.fail(row, || Error::argument(function.clone(), 1, problem)),
            };
            let start = microseconds(&times, row).and_then(|local| match arguments.get(2) {
                None => bucket(width, local, None),
                Some(offset) if *offset.data_type == Type::Interval => {
                    let offset = offset.fixed::<IntervalMonthDayNano>().get(row);
                    let back = IntervalMonthDayNano::new(
                        offset.months.checked_neg()?,
                        offset.days.checked_neg()?,
                        offset.nanoseconds.checked_neg()?,
                    );
                    timestamp_plus(bucket(width, timestamp_plus(local, back)?, None)?, offset)
                }
                Some(origin) => bucket(width, local, Some(microseconds(origin, row)?)),
            });
            let written = match (start, &target) {
                (Some(start), Type::Date) => {
                    ticks_to_date(start, TimeUnit::Microsecond).map(|days| output.fixed::<i32>()[row] = days)
                }
                (Some(start), _) => {
                    output.fixed::<i64>()[row] = start;
                    Some(())
                }
                (None, _) => None,
            };
            if written.is_none() {
                let error = || Error::OutOfRange {
                    operation: "time_bucket",
                    detail: "the start of the bucket".into(),
                    target: target.clone(),
                };
                output.fail(row, error);
            }
        });
        Ok(())
    }))
}

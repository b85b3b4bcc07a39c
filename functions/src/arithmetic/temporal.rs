//! Forms of the operators over dates, times, timestamps and intervals.

use arrow::datatypes::IntervalMonthDayNano;

use super::overflow;
use crate::cast::calendar::date_to_ticks;
use crate::cast::text::{write_date, write_interval, write_time, write_timestamp};
use crate::date::calendar::{
    MICROSECONDS_PER_DAY, add_months, is_finite_date, is_finite_timestamp, join_microseconds,
    split_microseconds,
};
use crate::date::zone::Zone;
use crate::error::Result;
use crate::lanes::{Lane, Outcome, partial_binary};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::{TimeUnit, Type};

/// Values that these forms take, shown in errors.
trait Operand: Lane {
    /// The value as text; `i64` is told apart by the type.
    fn text(self, data_type: &Type) -> String;
}

impl Operand for i32 {
    fn text(self, _: &Type) -> String {
        let mut text = String::new();
        let _ = write_date(self, &mut text);
        text
    }
}

impl Operand for i64 {
    fn text(self, data_type: &Type) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match data_type {
            Type::Time => write_time(self, &mut text),
            Type::Int64 => return self.to_string(),
            _ => write_timestamp(self, TimeUnit::Microsecond, &mut text),
        };
        text
    }
}

impl Operand for f64 {
    fn text(self, _: &Type) -> String {
        self.to_string()
    }
}

impl Operand for IntervalMonthDayNano {
    fn text(self, _: &Type) -> String {
        let mut text = String::new();
        let _ = write_interval(self, &mut text);
        text
    }
}

/// Adds a form that fails where `apply` answers `None`.
fn form<A: Operand, B: Operand, R: Lane>(
    function: ScalarFunction,
    symbol: &'static str,
    (left, right, result): (Type, Type, Type),
    apply: impl Fn(A, B) -> Option<R> + Copy + Send + Sync + 'static,
) -> ScalarFunction {
    form_in_zone(function, symbol, (left, right, result), move |_| Ok(apply))
}

/// As [`form`] for a function that depends on the session's zone.
fn form_in_zone<A: Operand, B: Operand, R: Lane, F>(
    function: ScalarFunction,
    symbol: &'static str,
    (left, right, result): (Type, Type, Type),
    prepare: impl Fn(&Arguments<'_>) -> Result<F> + Send + Sync + 'static,
) -> ScalarFunction
where
    F: Fn(A, B) -> Option<R> + Send + Sync + 'static,
{
    function.overload([exact("left", left.clone()), exact("right", right.clone())], move |arguments| {
        let apply = prepare(arguments)?;
        let (left, right, target) = (left.clone(), right.clone(), result.clone());
        let kernel = partial_binary(
            move |a: A, b: B| apply(a, b).map_or(Outcome::Failed, Outcome::Value),
            move |a: A, b: B| overflow(symbol, a.text(&left), b.text(&right), target.clone()),
        );
        Ok(Bound::lanes(result.clone(), kernel))
    })
}

fn session_zone(arguments: &Arguments<'_>) -> Result<Zone> {
    Zone::of_name(&arguments.settings.time_zone)
}

/// Adds the forms of `+`.
pub(super) fn sum_forms(function: ScalarFunction) -> ScalarFunction {
    use Type::{Date, Int64, Interval, Time, TimestampTz};
    const STAMP: Type = Type::TIMESTAMP;
    let function = form(function, "+", (Date, Int64, Date), add_days);
    let function = form(function, "+", (Int64, Date, Date), |days, date| add_days(date, days));
    let function = form(function, "+", (Date, Interval, STAMP), date_plus);
    let function = form(function, "+", (Interval, Date, STAMP), |interval, date| date_plus(date, interval));
    let function = form(function, "+", (Date, Time, STAMP), date_at);
    let function = form(function, "+", (Time, Date, STAMP), |time, date| date_at(date, time));
    let function = form(function, "+", (STAMP, Interval, STAMP), timestamp_plus);
    let function = form(function, "+", (Interval, STAMP, STAMP), |interval, at| timestamp_plus(at, interval));
    let function =
        form(function, "+", (Time, Interval, Time), |time, interval| Some(time_plus(time, interval)));
    let function =
        form(function, "+", (Interval, Time, Time), |interval, time| Some(time_plus(time, interval)));
    let function = form(function, "+", (Interval, Interval, Interval), interval_sum);
    let function = form_in_zone(function, "+", (TimestampTz, Interval, TimestampTz), |arguments| {
        let zone = session_zone(arguments)?;
        Ok(move |at, interval| instant_plus(at, interval, zone))
    });
    form_in_zone(function, "+", (Interval, TimestampTz, TimestampTz), |arguments| {
        let zone = session_zone(arguments)?;
        Ok(move |interval, at| instant_plus(at, interval, zone))
    })
}

/// Adds the forms of `-`.
pub(super) fn difference_forms(function: ScalarFunction) -> ScalarFunction {
    use Type::{Date, Int64, Interval, Time, TimestampTz};
    const STAMP: Type = Type::TIMESTAMP;
    let function =
        form(function, "-", (Date, Int64, Date), |date, days: i64| add_days(date, days.checked_neg()?));
    let function = form(function, "-", (Date, Date, Int64), |a: i32, b: i32| {
        (is_finite_date(a) && is_finite_date(b)).then(|| i64::from(a) - i64::from(b))
    });
    let function =
        form(function, "-", (Date, Interval, STAMP), |date, interval| date_plus(date, opposite(interval)?));
    let function = form(function, "-", (STAMP, STAMP, Interval), between);
    let function =
        form(function, "-", (STAMP, Interval, STAMP), |at, interval| timestamp_plus(at, opposite(interval)?));
    // Days between instants are days of the zone's calendar, which may have 23 or 25 hours.
    let function = form_in_zone(function, "-", (TimestampTz, TimestampTz, Interval), |arguments| {
        let zone = session_zone(arguments)?;
        Ok(move |a: i64, b: i64| between(zone.to_local(a)?, zone.to_local(b)?))
    });
    let function = form(function, "-", (Time, Interval, Time), |time, interval| {
        Some(time_plus(time, opposite(interval)?))
    });
    let function = form(function, "-", (Interval, Interval, Interval), |a, b| interval_sum(a, opposite(b)?));
    form_in_zone(function, "-", (TimestampTz, Interval, TimestampTz), |arguments| {
        let zone = session_zone(arguments)?;
        Ok(move |at, interval| instant_plus(at, opposite(interval)?, zone))
    })
}

/// Adds the forms of `*`.
pub(super) fn product_forms(function: ScalarFunction) -> ScalarFunction {
    use Type::{Float64, Int64, Interval};
    let function = form(function, "*", (Interval, Int64, Interval), interval_times);
    let function =
        form(function, "*", (Int64, Interval, Interval), |count, interval| interval_times(interval, count));
    let function = form(function, "*", (Interval, Float64, Interval), interval_scaled);
    form(function, "*", (Float64, Interval, Interval), |factor, interval| interval_scaled(interval, factor))
}

/// Adds the forms of `/`.
pub(super) fn quotient_forms(function: ScalarFunction) -> ScalarFunction {
    form(function, "/", (Type::Interval, Type::Float64, Type::Interval), |interval, divisor: f64| {
        interval_scaled(interval, 1.0 / divisor).filter(|_| divisor != 0.0)
    })
}

fn add_days(date: i32, days: i64) -> Option<i32> {
    if !is_finite_date(date) {
        return Some(date);
    }
    let moved = i64::from(date).checked_add(days)?;
    i32::try_from(moved).ok().filter(|&moved| is_finite_date(moved))
}

fn date_plus(date: i32, interval: IntervalMonthDayNano) -> Option<i64> {
    timestamp_plus(date_to_ticks(date, TimeUnit::Microsecond)?, interval)
}

fn date_at(date: i32, time: i64) -> Option<i64> {
    match is_finite_date(date) {
        true => join_microseconds(i64::from(date), time),
        false => date_to_ticks(date, TimeUnit::Microsecond),
    }
}

/// A local time moved by months (clipped to the end of the month), then days, then time.
pub(crate) fn timestamp_plus(at: i64, interval: IntervalMonthDayNano) -> Option<i64> {
    if !is_finite_timestamp(at) {
        return Some(at);
    }
    let (mut days, time) = split_microseconds(at);
    if interval.months != 0 {
        days = add_months(days, i64::from(interval.months));
    }
    days += i64::from(interval.days);
    join_microseconds(days, time)?
        .checked_add(interval.nanoseconds / 1_000)
        .filter(|&at| is_finite_timestamp(at))
}

/// An instant moved by months and days of the zone's calendar, then by absolute time.
pub(crate) fn instant_plus(at: i64, interval: IntervalMonthDayNano, zone: Zone) -> Option<i64> {
    if !is_finite_timestamp(at) {
        return Some(at);
    }
    let calendar = IntervalMonthDayNano { nanoseconds: 0, ..interval };
    let moved = match (interval.months, interval.days) {
        (0, 0) => at,
        _ => zone.to_instant(timestamp_plus(zone.to_local(at)?, calendar)?)?,
    };
    moved.checked_add(interval.nanoseconds / 1_000).filter(|&at| is_finite_timestamp(at))
}

/// Around midnight; months and days change nothing.
fn time_plus(time: i64, interval: IntervalMonthDayNano) -> i64 {
    (time + interval.nanoseconds / 1_000 % MICROSECONDS_PER_DAY).rem_euclid(MICROSECONDS_PER_DAY)
}

/// Whole days and the rest, both with the sign of the difference.
fn between(a: i64, b: i64) -> Option<IntervalMonthDayNano> {
    if !is_finite_timestamp(a) || !is_finite_timestamp(b) {
        return None;
    }
    let difference = a.checked_sub(b)?;
    let days = i32::try_from(difference / MICROSECONDS_PER_DAY).ok()?;
    Some(IntervalMonthDayNano::new(0, days, difference % MICROSECONDS_PER_DAY * 1_000))
}

fn opposite(interval: IntervalMonthDayNano) -> Option<IntervalMonthDayNano> {
    Some(IntervalMonthDayNano::new(
        interval.months.checked_neg()?,
        interval.days.checked_neg()?,
        interval.nanoseconds.checked_neg()?,
    ))
}

fn interval_sum(a: IntervalMonthDayNano, b: IntervalMonthDayNano) -> Option<IntervalMonthDayNano> {
    Some(IntervalMonthDayNano::new(
        a.months.checked_add(b.months)?,
        a.days.checked_add(b.days)?,
        a.nanoseconds.checked_add(b.nanoseconds)?,
    ))
}

pub(crate) fn interval_times(interval: IntervalMonthDayNano, count: i64) -> Option<IntervalMonthDayNano> {
    let narrow = i32::try_from(count);
    let times = |value: i32| match (value, narrow) {
        (0, _) => Some(0),
        (value, Ok(count)) => value.checked_mul(count),
        _ => None,
    };
    Some(IntervalMonthDayNano::new(
        times(interval.months)?,
        times(interval.days)?,
        interval.nanoseconds.checked_mul(count)?,
    ))
}

/// Fractions of months count as days of 30 to the month, fractions of days as time, to the microsecond.
fn interval_scaled(interval: IntervalMonthDayNano, factor: f64) -> Option<IntervalMonthDayNano> {
    let rounded = |value: f64| (value * 1e6).round_ties_even() / 1e6;
    let (months, days) = (f64::from(interval.months) * factor, f64::from(interval.days) * factor);
    let month_days = rounded((months - months.trunc()) * 30.0);
    let mut seconds = rounded((days - days.trunc() + month_days - month_days.trunc()) * 86_400.0);
    let mut whole_days = days.trunc() + month_days.trunc();
    if seconds.abs() >= 86_400.0 {
        whole_days += (seconds / 86_400.0).trunc();
        seconds -= (seconds / 86_400.0).trunc() * 86_400.0;
    }
    let microseconds = ((interval.nanoseconds / 1_000) as f64 * factor + seconds * 1e6).round_ties_even();
    Some(IntervalMonthDayNano::new(
        whole_i32(months.trunc())?,
        whole_i32(whole_days)?,
        (microseconds.abs() < 9.2e15).then_some(microseconds as i64)?.checked_mul(1_000)?,
    ))
}

fn whole_i32(value: f64) -> Option<i32> {
    (f64::from(i32::MIN) <= value && value <= f64::from(i32::MAX)).then_some(value as i32)
}

//! Dates, times, timestamps and intervals as text.

use std::fmt;

use arrow::datatypes::IntervalMonthDayNano;

use crate::date::calendar::{
    Civil, DATE_INFINITY, DATE_NEGATIVE_INFINITY, SECONDS_PER_DAY, TIMESTAMP_INFINITY,
    TIMESTAMP_NEGATIVE_INFINITY, civil_from_days,
};
use crate::types::TimeUnit;

const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// Writes `2024-01-31`; years before 1 count backwards and end in ` (BC)`.
///
/// # Errors
/// What `out` reports.
pub fn write_date(days: i32, out: &mut dyn fmt::Write) -> fmt::Result {
    match days {
        DATE_INFINITY => out.write_str("infinity"),
        DATE_NEGATIVE_INFINITY => out.write_str("-infinity"),
        days => write_day(i64::from(days), out),
    }
}

fn write_day(days: i64, out: &mut dyn fmt::Write) -> fmt::Result {
    let Civil { year, month, day } = civil_from_days(days);
    let shown = if year > 0 { year } else { 1 - year };
    write!(out, "{shown:04}-{month:02}-{day:02}{}", if year > 0 { "" } else { " (BC)" })
}

/// Writes microseconds since midnight as `23:59:59.5`, fractions without trailing zeros.
///
/// # Errors
/// What `out` reports.
pub fn write_time(microseconds: i64, out: &mut dyn fmt::Write) -> fmt::Result {
    write_clock(microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000) * 1_000, out)
}

fn write_clock(seconds: i64, nanoseconds: i64, out: &mut dyn fmt::Write) -> fmt::Result {
    write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    if nanoseconds == 0 {
        return Ok(());
    }
    let (mut fraction, mut width) = (nanoseconds, 9);
    while fraction % 10 == 0 {
        fraction /= 10;
        width -= 1;
    }
    write!(out, ".{fraction:0width$}")
}

/// Writes `2024-01-31 23:59:59.5`.
///
/// # Errors
/// What `out` reports.
pub fn write_timestamp(ticks: i64, unit: TimeUnit, out: &mut dyn fmt::Write) -> fmt::Result {
    write_timestamp_with(ticks, unit, out, |_| Ok(()))
}

/// As [`write_timestamp`], with what `zone` writes after the time; infinities have no zone.
pub(super) fn write_timestamp_with(
    ticks: i64,
    unit: TimeUnit,
    out: &mut dyn fmt::Write,
    zone: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result,
) -> fmt::Result {
    match ticks {
        TIMESTAMP_INFINITY => return out.write_str("infinity"),
        TIMESTAMP_NEGATIVE_INFINITY => return out.write_str("-infinity"),
        _ => {}
    }
    let per_second = unit.per_second();
    let seconds = ticks.div_euclid(per_second);
    let nanoseconds = ticks.rem_euclid(per_second) * (NANOSECONDS_PER_SECOND / per_second);
    write_day(seconds.div_euclid(SECONDS_PER_DAY), out)?;
    out.write_char(' ')?;
    write_clock(seconds.rem_euclid(SECONDS_PER_DAY), nanoseconds, out)?;
    zone(out)
}

/// Writes seconds east of UTC as `+00`, `-03:30`.
pub(super) fn write_offset(seconds: i64, out: &mut dyn fmt::Write) -> fmt::Result {
    let magnitude = seconds.abs();
    write!(out, "{}{:02}", if seconds < 0 { '-' } else { '+' }, magnitude / 3600)?;
    if magnitude % 3600 != 0 {
        write!(out, ":{:02}", magnitude / 60 % 60)?;
    }
    if magnitude % 60 != 0 {
        write!(out, ":{:02}", magnitude % 60)?;
    }
    Ok(())
}

/// Writes `1 year 2 months 3 days 04:00:00`; parts that are zero are left out, all zero is `00:00:00`.
///
/// # Errors
/// What `out` reports.
pub fn write_interval(value: IntervalMonthDayNano, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut first = true;
    for (count, unit) in [(value.months / 12, "year"), (value.months % 12, "month"), (value.days, "day")] {
        if count != 0 {
            let space = if first { "" } else { " " };
            let plural = if count.unsigned_abs() == 1 { "" } else { "s" };
            write!(out, "{space}{count} {unit}{plural}")?;
            first = false;
        }
    }
    // Intervals count in microseconds; what is below is rounded toward zero.
    let microseconds = value.nanoseconds / 1_000;
    if microseconds == 0 && !first {
        return Ok(());
    }
    if !first {
        out.write_char(' ')?;
    }
    if microseconds < 0 {
        out.write_char('-')?;
    }
    let magnitude = microseconds.unsigned_abs();
    write_clock((magnitude / 1_000_000) as i64, (magnitude % 1_000_000 * 1_000) as i64, out)
}

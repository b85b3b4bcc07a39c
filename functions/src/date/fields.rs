//! Parts of days, clocks and intervals as numbers.

use arrow::datatypes::IntervalMonthDayNano;

use super::calendar::{civil_from_days, day_of_year, iso_week, iso_weekday, weekday};
use super::part::Part;

/// Days from the start of the Julian count, 4714-11-24 BC, to 1970-01-01.
pub(super) const JULIAN_EPOCH: f64 = 2_440_588.0;

/// Days of an average year and seconds of a day, by which intervals count seconds.
const SECONDS_PER_YEAR: f64 = 365.25 * 86_400.0;

/// A part of a day of the calendar; `None` for parts of the clock.
#[inline]
pub(super) fn of_day(part: Part, days: i64) -> Option<i64> {
    Some(match part {
        Part::Year => civil_from_days(days).year,
        Part::Month => civil_from_days(days).month,
        Part::Day => civil_from_days(days).day,
        Part::Quarter => (civil_from_days(days).month - 1) / 3 + 1,
        Part::Decade => civil_from_days(days).year / 10,
        Part::Century => counted_from_one(civil_from_days(days).year, 100),
        Part::Millennium => counted_from_one(civil_from_days(days).year, 1000),
        Part::Era => i64::from(civil_from_days(days).year > 0),
        Part::Week => iso_week(days).1,
        Part::IsoYear => iso_week(days).0,
        Part::YearWeek => {
            let (year, week) = iso_week(days);
            if year > 0 { year * 100 + week } else { year * 100 - week }
        }
        Part::DayOfWeek => weekday(days),
        Part::IsoDayOfWeek => iso_weekday(days),
        Part::DayOfYear => day_of_year(days),
        _ => return None,
    })
}

/// Centuries and millennia have no zero: 1 to 100 is the first, 1 BC back to 100 BC is -1.
fn counted_from_one(year: i64, length: i64) -> i64 {
    if year > 0 { (year - 1) / length + 1 } else { year / length - 1 }
}

/// A part of the nanoseconds of a day; `None` for parts of the calendar.
#[inline]
pub(super) fn of_clock(part: Part, nanoseconds: i64) -> Option<i64> {
    Some(match part {
        Part::Hour => nanoseconds / 3_600_000_000_000,
        Part::Minute => nanoseconds / 60_000_000_000 % 60,
        Part::Second => nanoseconds / 1_000_000_000 % 60,
        Part::Millisecond => nanoseconds / 1_000_000 % 60_000,
        Part::Microsecond => nanoseconds / 1_000 % 60_000_000,
        Part::Nanosecond => nanoseconds % 60_000_000_000,
        _ => return None,
    })
}

/// A part of an interval, whose months, days and time do not carry into each other.
#[inline]
pub(super) fn of_interval(part: Part, interval: IntervalMonthDayNano) -> Option<i64> {
    let months = i64::from(interval.months);
    Some(match part {
        Part::Year => months / 12,
        Part::Month => months % 12,
        Part::Day => i64::from(interval.days),
        Part::Quarter => months % 12 / 3 + 1,
        Part::Decade => months / 120,
        Part::Century => months / 1_200,
        Part::Millennium => months / 12_000,
        // Intervals count in microseconds.
        _ => return of_clock(part, interval.nanoseconds / 1_000 * 1_000),
    })
}

/// Seconds of an interval, with years of 365.25 days and months of 30 days.
pub(super) fn interval_seconds(interval: IntervalMonthDayNano) -> f64 {
    f64::from(interval.months / 12) * SECONDS_PER_YEAR
        + f64::from(interval.months % 12) * 30.0 * 86_400.0
        + f64::from(interval.days) * 86_400.0
        + (interval.nanoseconds / 1_000) as f64 / 1e6
}

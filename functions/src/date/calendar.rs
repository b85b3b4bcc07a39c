//! The proleptic Gregorian calendar over day numbers counted from 1970-01-01. No columns, no zones.

/// Seconds in one day.
pub const SECONDS_PER_DAY: i64 = 86_400;
/// Microseconds in one second.
pub const MICROSECONDS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in one day.
pub const MICROSECONDS_PER_DAY: i64 = SECONDS_PER_DAY * MICROSECONDS_PER_SECOND;
/// Nanoseconds in one day.
pub const NANOSECONDS_PER_DAY: i64 = MICROSECONDS_PER_DAY * 1_000;

/// The date that is later than all others.
pub const DATE_INFINITY: i32 = i32::MAX;
/// The date that is earlier than all others.
pub const DATE_NEGATIVE_INFINITY: i32 = -i32::MAX;
/// The timestamp that is later than all others, in every unit.
pub const TIMESTAMP_INFINITY: i64 = i64::MAX;
/// The timestamp that is earlier than all others, in every unit.
pub const TIMESTAMP_NEGATIVE_INFINITY: i64 = -i64::MAX;

/// First date that can be written, 5877642-06-25 (BC).
pub const DATE_MIN: i32 = -2_147_483_646;
/// Last date that can be written, 5881580-07-10.
pub const DATE_MAX: i32 = 2_147_483_646;
/// First day whose midnight is a timestamp in microseconds.
pub const TIMESTAMP_DAY_MIN: i64 = -106_751_991;

/// True for a date with a place in the calendar.
#[inline]
pub fn is_finite_date(days: i32) -> bool {
    (DATE_MIN..=DATE_MAX).contains(&days)
}

/// True for a timestamp with a place in the calendar.
#[inline]
pub fn is_finite_timestamp(ticks: i64) -> bool {
    ticks != TIMESTAMP_INFINITY && ticks != TIMESTAMP_NEGATIVE_INFINITY
}

/// A day of the calendar; year 0 is 1 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// Month from 1.
    pub month: i64,
    /// Day of the month from 1.
    pub day: i64,
}

/// Calendar day of a day number.
///
/// Years are counted from 1 March inside 400-year cycles of 146,097 days, so that the leap day is the
/// last day of its year and month lengths follow one linear formula.
#[inline]
pub fn civil_from_days(days: i64) -> Civil {
    let from_cycle_zero = days + 719_468;
    let cycle = from_cycle_zero.div_euclid(146_097);
    let day_of_cycle = from_cycle_zero.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Civil { year: cycle * 400 + year_of_cycle + i64::from(month <= 2), month, day }
}

/// Day number of a calendar day; `month` is 1 to 12, `day` may lie outside its month and then counts on.
#[inline]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * 146_097 + day_of_cycle - 719_468
}

/// True for years of 366 days.
#[inline]
pub fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Number of days of a month; `month` is 1 to 12.
#[inline]
pub fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap_year(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Day number of a calendar day that must exist and be writable as a date.
pub fn checked_days(year: i64, month: i64, day: i64) -> Option<i32> {
    // Years are bounded first, so that nothing below overflows.
    if !(-5_877_641..=5_881_580).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if day < 1 || day > month_length(year, month) {
        return None;
    }
    i32::try_from(days_from_civil(year, month, day)).ok().filter(|&days| is_finite_date(days))
}

/// Moves a day by whole months; a day past the end of the new month becomes its last day.
pub fn add_months(days: i64, months: i64) -> i64 {
    let from = civil_from_days(days);
    let total = from.year * 12 + from.month - 1 + months;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    days_from_civil(year, month, from.day.min(month_length(year, month)))
}

/// Day of the week, 0 for Sunday to 6.
#[inline]
pub fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// Day of the week, 1 for Monday to 7.
#[inline]
pub fn iso_weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// Day of the year from 1.
#[inline]
pub fn day_of_year(days: i64) -> i64 {
    days - days_from_civil(civil_from_days(days).year, 1, 1) + 1
}

/// ISO 8601 year and week: weeks start on Monday, and week 1 holds the first Thursday.
pub fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (iso_weekday(days) - 4);
    let year = civil_from_days(thursday).year;
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

/// Microseconds since the epoch split into day number and microseconds of the day.
#[inline]
pub fn split_microseconds(ticks: i64) -> (i64, i64) {
    (ticks.div_euclid(MICROSECONDS_PER_DAY), ticks.rem_euclid(MICROSECONDS_PER_DAY))
}

/// Microseconds since the epoch of a time of a day, where that is a finite timestamp.
#[inline]
pub fn join_microseconds(days: i64, microseconds: i64) -> Option<i64> {
    let start = days.checked_mul(MICROSECONDS_PER_DAY);
    let ticks = match start {
        Some(start) => start.checked_add(microseconds)?,
        // The first day starts before the range and ends inside it.
        None => i64::try_from(i128::from(days) * i128::from(MICROSECONDS_PER_DAY) + i128::from(microseconds))
            .ok()?,
    };
    (is_finite_timestamp(ticks) && ticks != i64::MIN).then_some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_civil_dates_are_inverse() {
        for days in (-3_000_000..3_000_000).step_by(61) {
            let Civil { year, month, day } = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
            assert_eq!(checked_days(year, month, day).map(i64::from), Some(days));
        }
        assert_eq!(civil_from_days(0), Civil { year: 1970, month: 1, day: 1 });
        assert_eq!(civil_from_days(19_782), Civil { year: 2024, month: 2, day: 29 });
        assert_eq!(checked_days(-5_877_641, 6, 25), Some(DATE_MIN));
        assert_eq!(checked_days(5_881_580, 7, 10), Some(DATE_MAX));
        assert_eq!(checked_days(5_881_580, 7, 11), None);
        assert_eq!(checked_days(2023, 2, 29), None);
    }

    #[test]
    fn months_clip_to_the_end_of_the_month() {
        let january = days_from_civil(2020, 1, 31);
        assert_eq!(civil_from_days(add_months(january, 1)), Civil { year: 2020, month: 2, day: 29 });
        assert_eq!(civil_from_days(add_months(january, -11)), Civil { year: 2019, month: 2, day: 28 });
        assert_eq!(civil_from_days(add_months(january, 120)), Civil { year: 2030, month: 1, day: 31 });
    }

    #[test]
    fn iso_weeks_belong_to_the_year_of_their_thursday() {
        assert_eq!(iso_week(days_from_civil(2021, 1, 3)), (2020, 53));
        assert_eq!(iso_week(days_from_civil(2021, 1, 4)), (2021, 1));
        assert_eq!(iso_week(days_from_civil(2018, 12, 31)), (2019, 1));
        assert_eq!(weekday(days_from_civil(2026, 11, 22)), 0);
        assert_eq!(iso_weekday(days_from_civil(2026, 11, 22)), 7);
    }
}

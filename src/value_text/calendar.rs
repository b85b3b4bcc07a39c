//! Dates, times, timestamps and intervals as text.

use std::fmt::Write;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// Appends `2024-01-31`; years before 1 count backwards and end in ` (BC)`.
pub(super) fn write_date(days: i32, text: &mut String) {
    match days {
        i32::MAX => text.push_str("infinity"),
        value if value == -i32::MAX => text.push_str("-infinity"),
        days => write_date_and(i64::from(days), text, |_| {}),
    }
}

/// Appends the date of a day number, then what `time` writes, then the era.
fn write_date_and(days: i64, text: &mut String, time: impl FnOnce(&mut String)) {
    let (year, month, day) = civil_from_days(days);
    let shown = if year > 0 { year } else { 1 - year };
    // Writing to a String cannot fail.
    let _ = write!(text, "{shown:04}-{month:02}-{day:02}");
    time(text);
    if year <= 0 {
        text.push_str(" (BC)");
    }
}

/// Appends `23:59:59.5`, fractions without trailing zeros.
pub(super) fn write_time(nanoseconds: i64, text: &mut String) {
    let seconds = nanoseconds.div_euclid(NANOSECONDS_PER_SECOND);
    write_clock(seconds, nanoseconds.rem_euclid(NANOSECONDS_PER_SECOND), text);
}

fn write_clock(seconds: i64, nanoseconds: i64, text: &mut String) {
    let _ = write!(text, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if nanoseconds != 0 {
        let fraction = format!("{nanoseconds:09}");
        let _ = write!(text, ".{}", fraction.trim_end_matches('0'));
    }
}

/// Appends `2024-01-31 23:59:59.5`, with `+00` after it for an instant.
pub(super) fn write_timestamp(ticks: i64, per_second: i64, zoned: bool, text: &mut String) {
    match ticks {
        i64::MAX => return text.push_str("infinity"),
        value if value == -i64::MAX => return text.push_str("-infinity"),
        _ => {}
    }
    let seconds = ticks.div_euclid(per_second);
    let nanoseconds = ticks.rem_euclid(per_second) * (NANOSECONDS_PER_SECOND / per_second);
    write_date_and(seconds.div_euclid(SECONDS_PER_DAY), text, |text| {
        text.push(' ');
        write_clock(seconds.rem_euclid(SECONDS_PER_DAY), nanoseconds, text);
        if zoned {
            text.push_str("+00");
        }
    });
}

/// Appends `1 year 2 months 3 days 04:00:00`; parts that are zero are left out, all zero is `00:00:00`.
pub(super) fn write_interval(months: i32, days: i32, nanoseconds: i64, text: &mut String) {
    let start = text.len();
    write_unit(months / 12, "year", text, start);
    write_unit(months % 12, "month", text, start);
    write_unit(days, "day", text, start);
    // Intervals count in microseconds; what is below is rounded toward zero.
    let microseconds = nanoseconds / 1_000;
    if microseconds == 0 && text.len() > start {
        return;
    }
    if text.len() > start {
        text.push(' ');
    }
    if microseconds < 0 {
        text.push('-');
    }
    let magnitude = microseconds.unsigned_abs();
    write_clock((magnitude / 1_000_000) as i64, (magnitude % 1_000_000 * 1_000) as i64, text);
}

fn write_unit(count: i32, unit: &str, text: &mut String, start: usize) {
    if count != 0 {
        let space = if text.len() > start { " " } else { "" };
        let plural = if count.unsigned_abs() == 1 { "" } else { "s" };
        let _ = write!(text, "{space}{count} {unit}{plural}");
    }
}

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970-01-01.
///
/// Years are counted from 1 March inside 400-year cycles of 146,097 days, so that the leap day is the last day
/// of its year and month lengths follow one linear formula.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let from_cycle_zero = days + 719_468;
    let cycle = from_cycle_zero.div_euclid(146_097);
    let day_of_cycle = from_cycle_zero.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    (year, month, day)
}

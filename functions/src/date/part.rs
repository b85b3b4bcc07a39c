//! Parts of dates, times and intervals by name: `year`, `dow`, `epoch` and the rest.

use crate::error::{Error, Result};

/// A part that `date_part` takes out or `date_trunc` cuts at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Thousand years; 2001 begins the third.
    Millennium,
    /// Hundred years; 2001 begins the 21st.
    Century,
    /// Year divided by ten.
    Decade,
    /// Year.
    Year,
    /// Quarter from 1.
    Quarter,
    /// Month from 1.
    Month,
    /// ISO week.
    Week,
    /// Day of the month.
    Day,
    /// Hour.
    Hour,
    /// Minute.
    Minute,
    /// Second.
    Second,
    /// Milliseconds of the minute.
    Millisecond,
    /// Microseconds of the minute.
    Microsecond,
    /// Nanoseconds of the minute.
    Nanosecond,
    /// Day of the week, 0 for Sunday.
    DayOfWeek,
    /// Day of the week, 1 for Monday.
    IsoDayOfWeek,
    /// Day of the year.
    DayOfYear,
    /// Year of the ISO week.
    IsoYear,
    /// ISO year and week as one number.
    YearWeek,
    /// 1 for years after Christ, 0 before.
    Era,
    /// Seconds since 1970-01-01.
    Epoch,
    /// Julian day.
    JulianDay,
    /// Seconds east of UTC.
    Timezone,
    /// Hours of the offset.
    TimezoneHour,
    /// Minutes of the offset.
    TimezoneMinute,
}

impl Part {
    /// Every part, in the order of the reference.
    pub const ALL: [Part; 25] = [
        Self::Millennium,
        Self::Century,
        Self::Decade,
        Self::Year,
        Self::Quarter,
        Self::Month,
        Self::Week,
        Self::Day,
        Self::Hour,
        Self::Minute,
        Self::Second,
        Self::Millisecond,
        Self::Microsecond,
        Self::Nanosecond,
        Self::DayOfWeek,
        Self::IsoDayOfWeek,
        Self::DayOfYear,
        Self::IsoYear,
        Self::YearWeek,
        Self::Era,
        Self::Epoch,
        Self::JulianDay,
        Self::Timezone,
        Self::TimezoneHour,
        Self::TimezoneMinute,
    ];

    /// The part of this name or abbreviation, case ignored.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.names().iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    /// As [`Part::of_name`].
    ///
    /// # Errors
    /// [`Error::Argument`] that names the function and lists the parts.
    pub fn of_argument(function: &str, position: usize, name: &str) -> Result<Self> {
        Self::of_name(name).ok_or_else(|| {
            let known = Self::ALL.map(|part| part.names()[0]).join(", ");
            Error::argument(function, position, format!("is \"{name}\"; expected one of {known}"))
        })
    }

    /// The name, then its abbreviations.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Millennium => &["millennium", "millennia", "mil", "mils", "millenium"],
            Self::Century => &["century", "centuries", "cent", "c"],
            Self::Decade => &["decade", "decades", "dec", "decs"],
            Self::Year => &["year", "years", "y", "yr", "yrs"],
            Self::Quarter => &["quarter", "quarters"],
            Self::Month => &["month", "months", "mon", "mons"],
            Self::Week => &["week", "weeks", "w", "weekofyear"],
            Self::Day => &["day", "days", "d", "dayofmonth"],
            Self::Hour => &["hour", "hours", "h", "hr", "hrs"],
            Self::Minute => &["minute", "minutes", "m", "min", "mins"],
            Self::Second => &["second", "seconds", "s", "sec", "secs"],
            Self::Millisecond => &["millisecond", "milliseconds", "ms", "msec", "msecs"],
            Self::Microsecond => &["microsecond", "microseconds", "us", "usec", "usecs"],
            Self::Nanosecond => &["nanosecond", "nanoseconds", "ns", "nsec", "nsecs"],
            Self::DayOfWeek => &["dayofweek", "dow", "weekday"],
            Self::IsoDayOfWeek => &["isodow"],
            Self::DayOfYear => &["dayofyear", "doy"],
            Self::IsoYear => &["isoyear"],
            Self::YearWeek => &["yearweek"],
            Self::Era => &["era"],
            Self::Epoch => &["epoch"],
            Self::JulianDay => &["julian", "julian_day"],
            Self::Timezone => &["timezone"],
            Self::TimezoneHour => &["timezone_hour"],
            Self::TimezoneMinute => &["timezone_minute"],
        }
    }

    /// Months, days and nanoseconds of one unit, for the parts that have a length.
    pub fn length(self) -> Option<(i32, i32, i64)> {
        Some(match self {
            Self::Millennium => (12_000, 0, 0),
            Self::Century => (1_200, 0, 0),
            Self::Decade => (120, 0, 0),
            Self::Year => (12, 0, 0),
            Self::Quarter => (3, 0, 0),
            Self::Month => (1, 0, 0),
            Self::Week => (0, 7, 0),
            Self::Day => (0, 1, 0),
            Self::Hour => (0, 0, 3_600_000_000_000),
            Self::Minute => (0, 0, 60_000_000_000),
            Self::Second => (0, 0, 1_000_000_000),
            Self::Millisecond => (0, 0, 1_000_000),
            Self::Microsecond => (0, 0, 1_000),
            Self::Nanosecond => (0, 0, 1),
            _ => return None,
        })
    }
}

impl Part {
    /// What the part is called in sentences.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::DayOfWeek => "day of the week (0 for Sunday)",
            Self::IsoDayOfWeek => "ISO day of the week (1 for Monday)",
            Self::DayOfYear => "day of the year",
            Self::IsoYear => "ISO year",
            Self::YearWeek => "ISO year and week as one number",
            Self::JulianDay => "Julian day",
            Self::Week => "ISO week",
            Self::TimezoneHour => "hours of the zone's offset",
            Self::TimezoneMinute => "minutes of the zone's offset",
            other => other.names()[0],
        }
    }

    /// True for those names of the part that are also functions.
    pub(crate) fn is_function_name(self, name: &str) -> bool {
        matches!(name, "dayofmonth" | "weekofyear" | "weekday" | "milliseconds" | "microseconds")
            && self.names().contains(&name)
    }

    /// An example of the function of the part's name.
    pub(crate) fn example(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Millennium => ("millennium(date '2001-01-01')", "3"),
            Self::Century => ("century(date '2001-01-01')", "21"),
            Self::Decade => ("decade(date '2024-05-06')", "202"),
            Self::Year => ("year(date '2024-05-06')", "2024"),
            Self::Quarter => ("quarter(date '2024-05-06')", "2"),
            Self::Month => ("month(date '2024-05-06')", "5"),
            Self::Week => ("week(date '2021-01-01')", "53"),
            Self::Day => ("day(date '2024-05-06')", "6"),
            Self::Hour => ("hour(timestamp '2024-05-06 07:08:09')", "7"),
            Self::Minute => ("minute(timestamp '2024-05-06 07:08:09')", "8"),
            Self::Second => ("second(timestamp '2024-05-06 07:08:09')", "9"),
            Self::Millisecond => ("millisecond(time '07:08:09.5')", "9500"),
            Self::Microsecond => ("microsecond(time '07:08:09.5')", "9500000"),
            Self::Nanosecond => ("nanosecond(time '07:08:09.5')", "9500000000"),
            Self::DayOfWeek => ("dayofweek(date '2024-05-05')", "0"),
            Self::IsoDayOfWeek => ("isodow(date '2024-05-05')", "7"),
            Self::DayOfYear => ("dayofyear(date '2024-12-31')", "366"),
            Self::IsoYear => ("isoyear(date '2021-01-01')", "2020"),
            Self::YearWeek => ("yearweek(date '2021-01-01')", "202053"),
            Self::Era => ("era(date '2024-05-06')", "1"),
            Self::JulianDay => ("julian(date '2024-05-06')", "2460437.0"),
            Self::TimezoneHour => ("timezone_hour(timestamptz '2024-05-06 07:08:09+00')", "0"),
            Self::TimezoneMinute => ("timezone_minute(timestamptz '2024-05-06 07:08:09+00')", "0"),
            _ => return None,
        })
    }
}

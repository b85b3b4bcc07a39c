//! Time zones: offsets of instants and of local times, by IANA name.

use chrono::{NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::calendar::{
    MICROSECONDS_PER_SECOND, SECONDS_PER_DAY, civil_from_days, days_from_civil, is_finite_timestamp,
    is_leap_year, weekday,
};
use crate::error::{Error, Result};

/// Years from this one on repeat the rules of an earlier year of the same shape, since the compiled
/// tables end; daylight saving goes on as it was last legislated.
const LAST_TABLE_YEAR: i64 = 2060;

/// A time zone, looked up once per plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    rules: Option<Tz>,
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone { rules: None };

    /// The zone of this IANA name, case ignored; the usual abbreviations of North America are known too.
    ///
    /// # Errors
    /// [`Error::User`] if there is no such zone.
    pub fn of_name(name: &str) -> Result<Self> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("utc")
            || name.eq_ignore_ascii_case("gmt")
            || name.eq_ignore_ascii_case("z")
        {
            return Ok(Self::UTC);
        }
        let full = match name.to_ascii_uppercase().as_str() {
            "PST" => "America/Los_Angeles",
            "AST" => "America/Anchorage",
            "CST" => "America/Chicago",
            "IST" => "Asia/Kolkata",
            "JST" => "Asia/Tokyo",
            _ => name,
        };
        match Tz::from_str_insensitive(full) {
            Ok(Tz::UTC) => Ok(Self::UTC),
            Ok(rules) => Ok(Self { rules: Some(rules) }),
            Err(_) => Err(Error::user(format!(
                "unknown time zone \"{name}\"; expected a name such as \"Europe/Paris\""
            ))),
        }
    }

    /// Name as it is in the zone tables.
    pub fn name(&self) -> &'static str {
        self.rules.map_or("UTC", |rules| rules.name())
    }

    /// Seconds to add to an instant, in microseconds UTC, to get the local time.
    pub fn offset_at(&self, instant: i64) -> i64 {
        let Some(rules) = self.rules else { return 0 };
        let seconds = within_tables(instant.div_euclid(MICROSECONDS_PER_SECOND));
        i64::from(rules.offset_from_utc_datetime(&naive(seconds)).fix().local_minus_utc())
    }

    /// Local time of an instant, both in microseconds; infinities stay.
    pub fn to_local(&self, instant: i64) -> Option<i64> {
        if self.rules.is_none() || !is_finite_timestamp(instant) {
            return Some(instant);
        }
        let local = instant.checked_add(self.offset_at(instant) * MICROSECONDS_PER_SECOND)?;
        is_finite_timestamp(local).then_some(local)
    }

    /// Instant of a local time, both in microseconds; infinities stay. A local time that occurs twice
    /// is the later instant; one that is skipped is read with the offset before the gap.
    pub fn to_instant(&self, local: i64) -> Option<i64> {
        let Some(rules) = self.rules else { return Some(local) };
        if !is_finite_timestamp(local) {
            return Some(local);
        }
        let seconds = within_tables(local.div_euclid(MICROSECONDS_PER_SECOND));
        let offset = match rules.offset_from_local_datetime(&naive(seconds)) {
            chrono::LocalResult::Single(offset) => i64::from(offset.fix().local_minus_utc()),
            chrono::LocalResult::Ambiguous(first, second) => {
                i64::from(first.fix().local_minus_utc().min(second.fix().local_minus_utc()))
            }
            // Three hours are longer than every gap, so the offset found is the one before it.
            chrono::LocalResult::None => i64::from(
                rules
                    .offset_from_utc_datetime(&naive(seconds - 10_800 - self.rough_offset(seconds)))
                    .fix()
                    .local_minus_utc(),
            ),
        };
        let instant = local.checked_sub(offset * MICROSECONDS_PER_SECOND)?;
        is_finite_timestamp(instant).then_some(instant)
    }

    fn rough_offset(&self, seconds: i64) -> i64 {
        self.rules.map_or(0, |rules| {
            i64::from(rules.offset_from_utc_datetime(&naive(seconds)).fix().local_minus_utc())
        })
    }
}

/// Seconds of the same date and time in a year that the tables cover and that has the same weekdays.
fn within_tables(seconds: i64) -> i64 {
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    let year = civil_from_days(days).year;
    if year < LAST_TABLE_YEAR {
        return seconds;
    }
    let start = days_from_civil(year, 1, 1);
    // 28 years hold every combination of leap year and first weekday.
    let twin = (LAST_TABLE_YEAR - 28..LAST_TABLE_YEAR).find(|&candidate| {
        is_leap_year(candidate) == is_leap_year(year)
            && weekday(days_from_civil(candidate, 1, 1)) == weekday(start)
    });
    let twin_start = days_from_civil(twin.unwrap_or(LAST_TABLE_YEAR - 1), 1, 1);
    seconds - (start - twin_start) * SECONDS_PER_DAY
}

fn naive(seconds: i64) -> NaiveDateTime {
    chrono::DateTime::from_timestamp(seconds, 0).map_or(NaiveDateTime::MIN, |instant| instant.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(zone: &str, local_seconds: i64) -> i64 {
        Zone::of_name(zone).unwrap().to_instant(local_seconds * 1_000_000).unwrap() / 1_000_000
    }

    #[test]
    fn ambiguous_times_are_the_later_instant_and_skipped_ones_keep_the_old_offset() {
        assert_eq!(instant("America/New_York", 1_636_248_600), 1_636_266_600);
        assert_eq!(instant("America/New_York", 1_615_689_000), 1_615_707_000);
    }

    #[test]
    fn daylight_saving_goes_on_after_the_tables_end() {
        let noon = days_from_civil(2500, 7, 18) * SECONDS_PER_DAY + 43_200;
        assert_eq!(instant("America/New_York", noon), 16_742_390_400);
    }

    #[test]
    fn unknown_zones_are_named() {
        let error = Zone::of_name("Mars/Olympus").unwrap_err();
        assert!(error.to_string().contains("Mars/Olympus"));
        assert_eq!(Zone::of_name("europe/berlin").unwrap().name(), "Europe/Berlin");
    }
}

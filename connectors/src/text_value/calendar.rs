//! Days since 1970-01-01 and proleptic Gregorian dates.

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_SHIFT_DAYS: i64 = 719_468;
/// Days in 400 years.
const ERA_DAYS: i64 = 146_097;
/// Years the engine's 32-bit days can hold, with room to spare.
const YEAR_MAX: i64 = 5_800_000;

/// Days since 1970-01-01; `None` if there is no such date.
///
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that the leap
/// day is the last of a year.
pub fn days_of_date(year: i64, month: u32, day: u32) -> Option<i32> {
    if !(-YEAR_MAX..=YEAR_MAX).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if day == 0 || day > days_in_month(year, month) {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * ERA_DAYS + day_of_era - EPOCH_SHIFT_DAYS).ok()
}

/// Year, month and day of a number of days since 1970-01-01.
pub fn date_of_days(days: i32) -> (i64, u32, u32) {
    let shifted = i64::from(days) + EPOCH_SHIFT_DAYS;
    let era = shifted.div_euclid(ERA_DAYS);
    let day_of_era = shifted.rem_euclid(ERA_DAYS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = (if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 }) as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse() {
        for days in (-1_000_000..1_000_000).step_by(37) {
            let (year, month, day) = date_of_days(days);
            assert_eq!(days_of_date(year, month, day), Some(days));
        }
    }

    #[test]
    fn known_days() {
        assert_eq!(days_of_date(1970, 1, 1), Some(0));
        assert_eq!(days_of_date(2000, 2, 29), Some(11_016));
        assert_eq!(days_of_date(1900, 2, 29), None);
        assert_eq!(days_of_date(2020, 4, 31), None);
    }
}

//! Dates, times and timestamps in the order year, month, day.

use super::calendar::days_of_date;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Whether a timestamp names its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// None named.
    Local,
    /// `Z`, `UTC` or an offset: the value is in UTC.
    Utc,
}

/// Walks over the bytes of a value.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
}

impl Cursor<'_> {
    /// Between `least` and `most` digits as a number.
    pub(super) fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let mut value = 0u32;
        let mut count = 0;
        while count < most {
            match self.rest.first() {
                Some(byte @ b'0'..=b'9') => {
                    value = value.checked_mul(10)?.checked_add(u32::from(byte - b'0'))?
                }
                _ => break,
            }
            self.rest = &self.rest[1..];
            count += 1;
        }
        (count >= least).then_some(value)
    }

    /// One byte, if it is the next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// Digits behind a decimal point in micros; digits past the sixth are cut.
    pub(super) fn micros(&mut self) -> Option<i64> {
        let mut value = 0;
        let mut count = 0;
        while let Some(byte @ b'0'..=b'9') = self.rest.first() {
            if count < 6 {
                value = value * 10 + i64::from(byte - b'0');
            }
            count += 1;
            self.rest = &self.rest[1..];
        }
        (count > 0).then(|| value * 10i64.pow(6u32.saturating_sub(count)))
    }
}

/// `2020-01-31`, with `-`, `/` or `.` between the parts, one of them throughout; a leading `-` is a year before 0.
pub fn iso_date(bytes: &[u8]) -> Option<i32> {
    let mut cursor = Cursor { rest: bytes };
    let days = date(&mut cursor)?;
    cursor.rest.is_empty().then_some(days)
}

fn date(cursor: &mut Cursor<'_>) -> Option<i32> {
    let negative = cursor.take(b'-');
    let year = i64::from(cursor.number(4, 6)?);
    let separator = *cursor.rest.first().filter(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
    cursor.take(separator);
    let month = cursor.number(1, 2)?;
    if !cursor.take(separator) {
        return None;
    }
    let day = cursor.number(1, 2)?;
    days_of_date(if negative { -year } else { year }, month, day)
}

/// `10:20`, `10:20:30` or `10:20:30.123456`, in micros since midnight; `24:00:00` is the end of the day.
pub fn time(bytes: &[u8]) -> Option<i64> {
    let mut cursor = Cursor { rest: bytes };
    let micros = clock(&mut cursor)?;
    (cursor.rest.is_empty() && micros <= MICROS_PER_DAY).then_some(micros)
}

fn clock(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hours = i64::from(cursor.number(1, 2)?);
    if !cursor.take(b':') {
        return None;
    }
    let minutes = i64::from(cursor.number(1, 2)?);
    let mut seconds = 0;
    let mut micros = 0;
    if cursor.take(b':') {
        seconds = i64::from(cursor.number(1, 2)?);
        if cursor.take(b'.') {
            micros = cursor.micros()?;
        }
    }
    let in_range = hours <= 24 && minutes < 60 && seconds < 60;
    in_range.then(|| (hours * 60 + minutes) * MICROS_PER_MINUTE + seconds * MICROS_PER_SECOND + micros)
}

/// A date and a time with a space or `T` between them, in micros since the epoch. A zone may follow: `Z`, `UTC`
/// or an offset such as `+02`, `+02:30`, `-0500`; the value is then in UTC.
pub fn iso_timestamp(bytes: &[u8]) -> Option<(i64, Zone)> {
    let mut cursor = Cursor { rest: bytes };
    let days = date(&mut cursor)?;
    if !(cursor.take(b' ') || cursor.take(b'T')) {
        return None;
    }
    let of_day = clock(&mut cursor)?;
    let local = i64::from(days).checked_mul(MICROS_PER_DAY)?.checked_add(of_day)?;
    let (offset, zone) = zone(&mut cursor)?;
    let value = local.checked_sub(offset)?;
    cursor.rest.is_empty().then_some((value, zone))
}

/// The offset of a zone in micros, and whether there was one.
fn zone(cursor: &mut Cursor<'_>) -> Option<(i64, Zone)> {
    if cursor.rest.is_empty() {
        return Some((0, Zone::Local));
    }
    cursor.take(b' ');
    if cursor.rest.eq_ignore_ascii_case(b"z") || cursor.rest.eq_ignore_ascii_case(b"utc") {
        cursor.rest = &[];
        return Some((0, Zone::Utc));
    }
    let sign = match cursor.rest.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    cursor.rest = &cursor.rest[1..];
    let hours = i64::from(cursor.number(2, 2)?);
    let minutes =
        if cursor.take(b':') || !cursor.rest.is_empty() { i64::from(cursor.number(2, 2)?) } else { 0 };
    (hours < 24 && minutes < 60).then_some((sign * (hours * 60 + minutes) * MICROS_PER_MINUTE, Zone::Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_refuse_what_is_not_a_date() {
        assert_eq!(iso_date(b"1970-01-02"), Some(1));
        assert_eq!(iso_date(b"1970/1/2"), Some(1));
        assert_eq!(iso_date(b"1970-01-02 "), None);
        assert_eq!(iso_date(b"1970-02-30"), None);
        assert_eq!(iso_date(b"1970-01/02"), None);
        assert_eq!(iso_date(b"70-01-02"), None);
    }

    #[test]
    fn times_keep_micros() {
        assert_eq!(time(b"00:00:01.5"), Some(1_500_000));
        assert_eq!(time(b"10:20"), Some(37_200_000_000));
        assert_eq!(time(b"24:00:00"), Some(MICROS_PER_DAY));
        assert_eq!(time(b"24:00:01"), None);
        assert_eq!(time(b"10:60"), None);
    }

    #[test]
    fn timestamps_with_offsets_are_in_utc() {
        assert_eq!(iso_timestamp(b"1970-01-01 00:00:01"), Some((1_000_000, Zone::Local)));
        assert_eq!(iso_timestamp(b"1970-01-01T02:00:00+02"), Some((0, Zone::Utc)));
        assert_eq!(iso_timestamp(b"1970-01-01T02:30:00+02:30"), Some((0, Zone::Utc)));
        assert_eq!(iso_timestamp(b"1970-01-01T00:00:00Z"), Some((0, Zone::Utc)));
        assert_eq!(iso_timestamp(b"1970-01-01 03"), None);
        assert_eq!(iso_timestamp(b"1970-01-01"), None);
    }
}

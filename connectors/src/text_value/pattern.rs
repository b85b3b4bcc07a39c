//! Dates and timestamps in a stated order of parts, written with the directives of `strptime`.

use super::calendar::days_of_date;
use super::temporal::Cursor;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A compiled pattern such as `%d/%m/%Y %H:%M:%S`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Literal(u8),
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    Hour,
    HalfDayHour,
    Minute,
    Second,
    Fraction,
    HalfDay,
    Offset,
}

/// What was read of a value so far.
struct Fields {
    year: i64,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micros: i64,
    afternoon: Option<bool>,
    offset_minutes: i64,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The first directive that is not known.
    pub fn compile(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            if byte != b'%' {
                parts.push(Part::Literal(byte));
                continue;
            }
            let mut directive = bytes.next();
            if directive == Some(b'-') {
                directive = bytes.next();
            }
            match directive {
                Some(b'Y') => parts.push(Part::Year),
                Some(b'y') => parts.push(Part::ShortYear),
                Some(b'm') => parts.push(Part::Month),
                Some(b'b' | b'B' | b'h') => parts.push(Part::MonthName),
                Some(b'd' | b'e') => parts.push(Part::Day),
                Some(b'H') => parts.push(Part::Hour),
                Some(b'I') => parts.push(Part::HalfDayHour),
                Some(b'M') => parts.push(Part::Minute),
                Some(b'S') => parts.push(Part::Second),
                Some(b'f' | b'g' | b'n') => parts.push(Part::Fraction),
                Some(b'p') => parts.push(Part::HalfDay),
                Some(b'z') => parts.push(Part::Offset),
                Some(b'%') => parts.push(Part::Literal(b'%')),
                Some(b'T') => parts.extend([
                    Part::Hour,
                    Part::Literal(b':'),
                    Part::Minute,
                    Part::Literal(b':'),
                    Part::Second,
                ]),
                Some(b'F') => parts.extend([
                    Part::Year,
                    Part::Literal(b'-'),
                    Part::Month,
                    Part::Literal(b'-'),
                    Part::Day,
                ]),
                Some(other) => return Err(format!("%{} is not known", other as char)),
                None => return Err("a % at the end".into()),
            }
        }
        Ok(Self { text: text.into(), parts })
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Days since the epoch of a value that follows the pattern.
    pub fn date(&self, bytes: &[u8]) -> Option<i32> {
        let fields = self.fields(bytes)?;
        days_of_date(fields.year, fields.month, fields.day)
    }

    /// Micros since the epoch of a value that follows the pattern; in UTC if the pattern has an offset.
    pub fn timestamp(&self, bytes: &[u8]) -> Option<i64> {
        let fields = self.fields(bytes)?;
        let days = i64::from(days_of_date(fields.year, fields.month, fields.day)?);
        let hour = match fields.afternoon {
            Some(afternoon) => fields.hour % 12 + if afternoon { 12 } else { 0 },
            None => fields.hour,
        };
        if hour > 23 || fields.minute > 59 || fields.second > 59 {
            return None;
        }
        let seconds = i64::from(hour) * 3_600 + i64::from(fields.minute) * 60 + i64::from(fields.second);
        let seconds =
            days.checked_mul(86_400)?.checked_add(seconds)?.checked_sub(fields.offset_minutes * 60)?;
        seconds.checked_mul(MICROS_PER_SECOND)?.checked_add(fields.micros)
    }

    fn fields(&self, bytes: &[u8]) -> Option<Fields> {
        let mut cursor = Cursor { rest: bytes };
        let mut fields = Fields {
            year: 1900,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            micros: 0,
            afternoon: None,
            offset_minutes: 0,
        };
        for part in &self.parts {
            part.read(&mut cursor, &mut fields)?;
        }
        cursor.rest.is_empty().then_some(fields)
    }
}

impl Part {
    fn read(self, cursor: &mut Cursor<'_>, fields: &mut Fields) -> Option<()> {
        match self {
            Self::Literal(byte) => return cursor.take(byte).then_some(()),
            Self::Year => fields.year = i64::from(cursor.number(4, 4)?),
            Self::ShortYear => {
                let year = i64::from(cursor.number(2, 2)?);
                fields.year = if year < 70 { 2000 + year } else { 1900 + year };
            }
            Self::Month => fields.month = cursor.number(1, 2)?,
            Self::MonthName => fields.month = month_name(cursor)?,
            Self::Day => fields.day = cursor.number(1, 2)?,
            Self::Hour => fields.hour = cursor.number(1, 2)?,
            Self::HalfDayHour => fields.hour = cursor.number(1, 2).filter(|hour| (1..=12).contains(hour))?,
            Self::Minute => fields.minute = cursor.number(1, 2)?,
            Self::Second => fields.second = cursor.number(1, 2)?,
            Self::Fraction => fields.micros = cursor.micros()?,
            Self::HalfDay => fields.afternoon = Some(half_day(cursor)?),
            Self::Offset => fields.offset_minutes = offset_minutes(cursor)?,
        }
        Some(())
    }
}

fn month_name(cursor: &mut Cursor<'_>) -> Option<u32> {
    let begins = |word: &str| {
        cursor.rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    let (index, length) = MONTHS.iter().enumerate().find_map(|(index, name)| {
        if begins(name) { Some((index, name.len())) } else { begins(&name[..3]).then_some((index, 3)) }
    })?;
    cursor.rest = &cursor.rest[length..];
    Some(index as u32 + 1)
}

fn half_day(cursor: &mut Cursor<'_>) -> Option<bool> {
    let afternoon = match cursor.rest.get(..2)? {
        [b'a' | b'A', b'm' | b'M'] => false,
        [b'p' | b'P', b'm' | b'M'] => true,
        _ => return None,
    };
    cursor.rest = &cursor.rest[2..];
    Some(afternoon)
}

fn offset_minutes(cursor: &mut Cursor<'_>) -> Option<i64> {
    if cursor.take(b'Z') {
        return Some(0);
    }
    let sign = if cursor.take(b'-') {
        -1
    } else if cursor.take(b'+') {
        1
    } else {
        return None;
    };
    let hours = i64::from(cursor.number(2, 2)?);
    let minutes = if cursor.take(b':') || cursor.rest.first().is_some_and(u8::is_ascii_digit) {
        i64::from(cursor.number(2, 2)?)
    } else {
        0
    };
    Some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_in_their_order() {
        let pattern = Pattern::compile("%d.%m.%Y").unwrap();
        assert_eq!(pattern.date(b"02.01.1970"), Some(1));
        assert_eq!(pattern.date(b"1970-01-02"), None);
        let pattern = Pattern::compile("%m/%d/%Y %I:%M:%S %p").unwrap();
        assert_eq!(pattern.timestamp(b"01/01/1970 12:00:01 AM"), Some(1_000_000));
        assert_eq!(pattern.timestamp(b"01/01/1970 01:00:00 PM"), Some(13 * 3_600_000_000));
        let pattern = Pattern::compile("%d %b %y %H:%M:%S.%f%z").unwrap();
        assert_eq!(pattern.timestamp(b"01 Jan 70 01:00:00.25+0100"), Some(250_000));
    }

    #[test]
    fn an_unknown_directive_is_refused() {
        assert!(Pattern::compile("%Q").is_err());
    }
}

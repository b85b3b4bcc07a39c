//! Dates, times and timestamps from text.

use crate::cast::calendar::change_unit;
use crate::date::calendar::{
    DATE_INFINITY, DATE_NEGATIVE_INFINITY, MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND,
    NANOSECONDS_PER_DAY, TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY, checked_days, join_microseconds,
};
use crate::date::zone::Zone;
use crate::types::TimeUnit;

/// A day, as `YYYY-MM-DD` with `-`, `/`, `\` or a blank between the parts, `(BC)` after it, or
/// `infinity` and `epoch`. A time of the day after it is read and dropped.
pub fn date(text: &str) -> Option<i32> {
    let mut cursor = Cursor::new(text);
    if let Some(special) = cursor.special() {
        return Some(match special {
            Special::Infinity => DATE_INFINITY,
            Special::NegativeInfinity => DATE_NEGATIVE_INFINITY,
            Special::Epoch => 0,
        });
    }
    let days = cursor.date()?;
    if !cursor.at_end() {
        cursor.time_separator()?;
        cursor.clock()?;
        cursor.zone()?;
    }
    Some(days)
}

/// Microseconds since midnight, as `HH:MM[:SS[.ffffff]]`; a date before it is read and dropped.
pub fn time(text: &str) -> Option<i64> {
    let mut cursor = Cursor::new(text);
    let nanoseconds = match cursor.clock() {
        Some(nanoseconds) => nanoseconds,
        None => {
            cursor = Cursor::new(text);
            cursor.date()?;
            if cursor.at_end() {
                return Some(0);
            }
            cursor.time_separator()?;
            cursor.clock()?
        }
    };
    cursor.at_end().then_some(nanoseconds / 1_000)
}

/// Ticks of a local time: a date, and after `T` or blanks a time of the day. An offset or zone after
/// it must be well formed and changes nothing.
pub fn timestamp(text: &str, unit: TimeUnit) -> Option<i64> {
    let parsed = parse_timestamp(text)?;
    match (parsed, unit) {
        (Parsed::Special(ticks), _) => Some(ticks),
        (Parsed::Local { days, nanoseconds, .. }, TimeUnit::Nanosecond) => {
            let ticks = i128::from(days) * i128::from(NANOSECONDS_PER_DAY) + i128::from(nanoseconds);
            i64::try_from(ticks).ok().filter(|&ticks| crate::date::calendar::is_finite_timestamp(ticks))
        }
        (Parsed::Local { days, nanoseconds, .. }, _) => {
            change_unit(join_microseconds(i64::from(days), nanoseconds / 1_000)?, TimeUnit::Microsecond, unit)
        }
    }
}

/// Microseconds UTC of a local time with an offset (`+02`, `-03:30`, `Z`) or a zone name after it;
/// without one it is read in `zone`.
pub fn instant(text: &str, zone: Zone) -> Option<i64> {
    match parse_timestamp(text)? {
        Parsed::Special(ticks) => Some(ticks),
        Parsed::Local { days, nanoseconds, offset } => {
            let local = join_microseconds(i64::from(days), nanoseconds / 1_000)?;
            match offset {
                Some(Offset::Seconds(seconds)) => local.checked_sub(seconds * MICROSECONDS_PER_SECOND),
                Some(Offset::Zone(zone)) => zone.to_instant(local),
                None => zone.to_instant(local),
            }
        }
    }
}

enum Special {
    Infinity,
    NegativeInfinity,
    Epoch,
}

enum Offset {
    Seconds(i64),
    Zone(Zone),
}

enum Parsed {
    Special(i64),
    Local { days: i32, nanoseconds: i64, offset: Option<Offset> },
}

fn parse_timestamp(text: &str) -> Option<Parsed> {
    let mut cursor = Cursor::new(text);
    if let Some(special) = cursor.special() {
        return Some(Parsed::Special(match special {
            Special::Infinity => TIMESTAMP_INFINITY,
            Special::NegativeInfinity => TIMESTAMP_NEGATIVE_INFINITY,
            Special::Epoch => 0,
        }));
    }
    let days = cursor.date()?;
    if cursor.at_end() {
        return Some(Parsed::Local { days, nanoseconds: 0, offset: None });
    }
    cursor.time_separator()?;
    let nanoseconds = cursor.clock()?;
    let offset = cursor.zone()?;
    Some(Parsed::Local { days, nanoseconds, offset })
}

/// Place in the bytes of a text.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        let mut cursor = Self { text, at: 0 };
        cursor.skip_blanks();
        cursor
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// True if only blanks are left.
    fn at_end(&mut self) -> bool {
        self.skip_blanks();
        self.at == self.text.len()
    }

    /// One to `most` digits.
    fn number(&mut self, most: usize) -> Option<i64> {
        let start = self.at;
        let mut value = 0;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            if self.at - start == most {
                return None;
            }
            value = value * 10 + i64::from(byte - b'0');
            self.at += 1;
        }
        (self.at > start).then_some(value)
    }

    fn special(&mut self) -> Option<Special> {
        let word = self.text[self.at..].trim_end();
        if word.eq_ignore_ascii_case("infinity") || word.eq_ignore_ascii_case("inf") {
            return Some(Special::Infinity);
        }
        if word.eq_ignore_ascii_case("-infinity") || word.eq_ignore_ascii_case("-inf") {
            return Some(Special::NegativeInfinity);
        }
        word.eq_ignore_ascii_case("epoch").then_some(Special::Epoch)
    }

    fn date(&mut self) -> Option<i32> {
        let negative = self.take(b'-').is_some();
        let year = self.number(7)?;
        let separator = self.peek().filter(|byte| matches!(byte, b'-' | b'/' | b'\\' | b' '))?;
        self.at += 1;
        let month = self.number(2)?;
        self.take(separator)?;
        let day = self.number(2)?;
        let year = if self.before_christ() { 1 - year } else { year };
        checked_days(if negative { -year } else { year }, month, day)
    }

    fn before_christ(&mut self) -> bool {
        let found = self.text.get(self.at..self.at + 5).is_some_and(|era| era.eq_ignore_ascii_case(" (BC)"));
        self.at += if found { 5 } else { 0 };
        found
    }

    fn time_separator(&mut self) -> Option<()> {
        if self.take(b'T').is_some() {
            return Some(());
        }
        let start = self.at;
        self.skip_blanks();
        // `at_end` may already have skipped them.
        let after_blank = self.text[..start].ends_with(|character: char| character.is_ascii_whitespace());
        (self.at > start || after_blank).then_some(())
    }

    /// Nanoseconds of the day; 24:00:00 is the end of the day.
    fn clock(&mut self) -> Option<i64> {
        let hours = self.number(2)?;
        self.take(b':')?;
        let minutes = self.number(2)?;
        let (mut seconds, mut nanoseconds) = (0, 0);
        if self.take(b':').is_some() {
            seconds = self.number(2)?;
            if self.take(b'.').is_some() {
                nanoseconds = self.fraction();
            }
        }
        if hours > 24 || minutes > 59 || seconds > 59 {
            return None;
        }
        let total = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + nanoseconds;
        (total <= MICROSECONDS_PER_DAY * 1_000).then_some(total)
    }

    /// Nine digits after the point; further ones are dropped.
    fn fraction(&mut self) -> i64 {
        let (mut value, mut unit) = (0, 100_000_000);
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            value += i64::from(byte - b'0') * unit;
            unit /= 10;
            self.at += 1;
        }
        value
    }

    /// What follows the time, up to the end: nothing, an offset or a zone. `None` if it is none of them.
    fn zone(&mut self) -> Option<Option<Offset>> {
        if self.at_end() {
            return Some(None);
        }
        if self.text[self.at..].eq_ignore_ascii_case("(BC)") {
            return None;
        }
        if let Some(sign @ (b'+' | b'-')) = self.peek() {
            self.at += 1;
            let seconds = self.offset_seconds()?;
            return self.at_end().then_some(Some(Offset::Seconds(if sign == b'-' {
                -seconds
            } else {
                seconds
            })));
        }
        Zone::of_name(&self.text[self.at..]).ok().map(|zone| Some(Offset::Zone(zone)))
    }

    fn offset_seconds(&mut self) -> Option<i64> {
        let start = self.at;
        let hours = self.number(4)?;
        if self.at - start == 4 {
            return Some((hours / 100 * 60 + hours % 100) * 60);
        }
        if self.at - start > 2 {
            return None;
        }
        let minutes = if self.take(b':').is_some() { self.number(2)? } else { 0 };
        let seconds = if self.take(b':').is_some() { self.number(2)? } else { 0 };
        (minutes < 60 && seconds < 60).then_some((hours * 60 + minutes) * 60 + seconds)
    }
}

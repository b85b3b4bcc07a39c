//! `strptime` and `try_strptime`: timestamps from text of a pattern.

use super::CATEGORY;
use super::calendar::{
    NANOSECONDS_PER_DAY, checked_days, days_from_civil, is_leap_year, iso_weekday, join_microseconds,
};
use super::pattern::{Field, Pattern, Piece};
use super::truncate::{find_day, find_month};
use super::zone::Zone;
use crate::column::{Output, View};
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::{TimeUnit, Type};
use crate::value::Value;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        function(
            "strptime",
            false,
            "The timestamp of a text of a pattern, or of the first of several patterns that fits.",
        )
        .note("A text of no pattern is an error.")
        .example("strptime('06/05/2024', '%d/%m/%Y')", "2024-05-06 00:00:00"),
    );
    registry.register_scalar(
        function("try_strptime", true, "As strptime, and null where no pattern fits.")
            .example("try_strptime('soon', '%Y')", "NULL"),
    );
}

fn function(name: &str, is_try: bool, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .note("Fields as strftime, without %U and %W; what a pattern leaves out is 1900-01-01 00:00:00.")
        .note("A constant pattern with %z or %Z gives TIMESTAMP WITH TIME ZONE, one with %n TIMESTAMP_NS, else TIMESTAMP.")
        .cost(Cost::Parse)
        .overload([exact("text", Type::Text), exact("pattern", Type::Text)], move |arguments| bind(arguments, is_try))
        .overload([exact("text", Type::Text), exact("patterns", Type::list(Type::Text))], move |arguments| {
            bind(arguments, is_try)
        })
}

fn bind(arguments: &Arguments<'_>, is_try: bool) -> Result<Bound> {
    let function = arguments.function.to_owned();
    let known: Option<Vec<Pattern>> = match arguments.known(1) {
        Some(Value::Text(text)) => Some(vec![Pattern::new(text, &function, 2)?]),
        Some(list) => {
            let texts = list.as_list().map(|texts| texts.iter().filter_map(Value::as_text));
            let patterns = |text| Pattern::new(text, &function, 2);
            texts.map(|texts| texts.map(patterns).collect::<Result<_>>()).transpose()?
        }
        None => None,
    };
    let has = |field: Field| {
        known.as_ref().is_some_and(|patterns| patterns.iter().any(|pattern| pattern.has(field)))
    };
    let result = if has(Field::Offset) || has(Field::ZoneName) {
        Type::TimestampTz
    } else if has(Field::Nanosecond) {
        Type::Timestamp(TimeUnit::Nanosecond)
    } else {
        Type::TIMESTAMP
    };
    let session = match result {
        Type::TimestampTz => Zone::of_name(&arguments.settings.time_zone)?,
        _ => Zone::UTC,
    };
    let target = result.clone();
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let texts = arguments[0].text();
        rows.for_each(|row| {
            let own;
            let patterns = match &known {
                Some(patterns) => patterns,
                None => match patterns_of(&arguments[1], row, &function) {
                    Ok(patterns) => {
                        own = patterns;
                        &own
                    }
                    Err(error) => return output.fail(row, || error),
                },
            };
            read(texts.get(row), patterns, &target, session, is_try, row, output);
        });
        Ok(())
    }))
}

/// Patterns that differ from row to row.
fn patterns_of(view: &View<'_>, row: usize, function: &str) -> Result<Vec<Pattern>> {
    if *view.data_type == Type::Text {
        return Ok(vec![Pattern::new(view.text().get(row), function, 2)?]);
    }
    let list = view.list();
    let texts = list.child().text();
    let held = list.range(row).filter(|&element| list.child().is_valid(element));
    held.map(|element| Pattern::new(texts.get(element), function, 2)).collect()
}

fn read(
    text: &str,
    patterns: &[Pattern],
    target: &Type,
    session: Zone,
    is_try: bool,
    row: usize,
    output: &mut Output,
) {
    let found = patterns.iter().find_map(|pattern| Reading::of(text, pattern)?.ticks(target, session));
    match found {
        Some(ticks) => output.fixed::<i64>()[row] = ticks,
        None if is_try => output.set_null(row),
        None => output.fail(row, || {
            let shown = patterns
                .iter()
                .map(|pattern| format!("\"{}\"", pattern.text))
                .collect::<Vec<_>>()
                .join(" or ");
            Error::argument("strptime", 1, format!("is \"{text}\"; expected a date that exists, as {shown}"))
        }),
    }
}

/// The fields of a text.
struct Reading {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    iso: Option<(i64, i64)>,
    weekday: Option<i64>,
    hour: i64,
    is_afternoon: Option<bool>,
    minute: i64,
    second: i64,
    nanosecond: i64,
    offset: Option<i64>,
    zone: Option<Zone>,
}

impl Reading {
    fn of(text: &str, pattern: &Pattern) -> Option<Self> {
        let mut reading = Self {
            year: 1900,
            month: 1,
            day: 1,
            day_of_year: None,
            iso: None,
            weekday: None,
            hour: 0,
            is_afternoon: None,
            minute: 0,
            second: 0,
            nanosecond: 0,
            offset: None,
            zone: None,
        };
        let mut rest = text.trim();
        for piece in &pattern.pieces {
            rest = match piece {
                Piece::Literal(literal) => skip_literal(rest, literal)?,
                Piece::Field { field, .. } => reading.take(*field, rest)?,
            };
        }
        rest.trim().is_empty().then_some(reading)
    }

    /// Reads a field at the start of a text; answers what follows.
    fn take<'a>(&mut self, field: Field, text: &'a str) -> Option<&'a str> {
        let after = |length: usize| Some(&text[length..]);
        match field {
            Field::ShortDayName => return after(find_day(text, true)?.1),
            Field::DayName => return after(find_day(text, false)?.1),
            Field::ShortMonthName | Field::MonthName => {
                let (month, length) = find_month(text, field == Field::ShortMonthName)?;
                self.month = month;
                return after(length);
            }
            Field::HalfDay => {
                let half = text.get(..2)?;
                self.is_afternoon = Some(half.eq_ignore_ascii_case("PM"));
                return if half.eq_ignore_ascii_case("AM") || self.is_afternoon == Some(true) {
                    after(2)
                } else {
                    None
                };
            }
            Field::Offset => return self.take_offset(text),
            Field::ZoneName => {
                let length = text.find(char::is_whitespace).unwrap_or(text.len());
                self.zone = Some(Zone::of_name(&text[..length]).ok()?);
                return after(length);
            }
            _ => {}
        }
        let width = match field {
            Field::Year | Field::IsoYear => 4,
            Field::DayOfYear | Field::Millisecond => 3,
            Field::Microsecond => 6,
            Field::Nanosecond => 9,
            Field::DayOfWeek | Field::IsoDayOfWeek => 1,
            _ => 2,
        };
        let (value, length) = digits(text, width)?;
        self.set(field, value, length)?;
        after(length)
    }

    fn set(&mut self, field: Field, value: i64, length: usize) -> Option<()> {
        let inside = |low: i64, high: i64| (low..=high).contains(&value).then_some(value);
        let power = |digits: usize| 10i64.pow(9 - digits.min(9) as u32);
        match field {
            Field::Year => self.year = value,
            Field::ShortYear => self.year = value + if value < 69 { 2000 } else { 1900 },
            Field::Month => self.month = inside(1, 12)?,
            Field::Day => self.day = inside(1, 31)?,
            Field::DayOfYear => self.day_of_year = Some(inside(1, 366)?),
            Field::Hour => self.hour = inside(0, 23)?,
            Field::Hour12 => self.hour = inside(1, 12)? % 12,
            Field::Minute => self.minute = inside(0, 59)?,
            Field::Second => self.second = inside(0, 59)?,
            Field::Microsecond | Field::Millisecond | Field::Nanosecond => {
                self.nanosecond = value * power(length)
            }
            Field::IsoYear => self.iso = Some((value, self.iso.map_or(1, |(_, week)| week))),
            Field::IsoWeek => self.iso = Some((self.iso.map_or(1900, |(year, _)| year), inside(1, 53)?)),
            Field::IsoDayOfWeek => self.weekday = Some(inside(1, 7)?),
            Field::DayOfWeek => self.weekday = Some(if value == 0 { 7 } else { inside(0, 6)? }),
            // Counting weeks from a Sunday or Monday needs more than a pattern says.
            _ => return None,
        }
        Some(())
    }

    fn take_offset<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix('Z') {
            self.offset = Some(0);
            return Some(rest);
        }
        let (sign, mut rest) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let (hours, length) = digits(rest, 2)?;
        rest = &rest[length..];
        let after_colon = rest.strip_prefix(':').unwrap_or(rest);
        let minutes = match digits(after_colon, 2) {
            Some((minutes, length)) => {
                rest = &after_colon[length..];
                minutes
            }
            None => 0,
        };
        self.offset = Some(sign * (hours * 60 + minutes) * 60);
        Some(rest)
    }

    fn ticks(&self, target: &Type, session: Zone) -> Option<i64> {
        let days = self.days()?;
        let hour = self.hour + if self.is_afternoon == Some(true) && self.hour < 12 { 12 } else { 0 };
        let hour = if self.is_afternoon == Some(false) { hour % 12 } else { hour };
        let time = ((hour * 60 + self.minute) * 60 + self.second) * 1_000_000_000 + self.nanosecond;
        if *target == Type::Timestamp(TimeUnit::Nanosecond) {
            let ticks = i128::from(days) * i128::from(NANOSECONDS_PER_DAY) + i128::from(time);
            return i64::try_from(ticks).ok();
        }
        let local = join_microseconds(i64::from(days), time / 1_000)?;
        match (self.offset, self.zone) {
            (Some(offset), _) => local.checked_sub(offset * 1_000_000),
            (None, Some(zone)) => zone.to_instant(local),
            (None, None) => session.to_instant(local),
        }
    }

    fn days(&self) -> Option<i32> {
        if let Some((year, week)) = self.iso {
            let fourth = days_from_civil(year, 1, 4);
            let monday = fourth - (iso_weekday(fourth) - 1);
            return i32::try_from(monday + (week - 1) * 7 + self.weekday.unwrap_or(1) - 1).ok();
        }
        if let Some(day) = self.day_of_year {
            let exists = day < 366 || is_leap_year(self.year);
            return exists.then(|| i32::try_from(days_from_civil(self.year, 1, 1) + day - 1).ok()).flatten();
        }
        checked_days(self.year, self.month, self.day)
    }
}

/// A blank of the pattern stands for any number of blanks.
fn skip_literal<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    let mut rest = text;
    for character in literal.chars() {
        rest = match character.is_whitespace() {
            true => {
                let trimmed = rest.trim_start();
                if trimmed.len() == rest.len() && !rest.is_empty() {
                    return None;
                }
                trimmed
            }
            false => rest.strip_prefix(character)?,
        };
    }
    Some(rest)
}

/// One to `width` digits at the start of a text: their value and number.
fn digits(text: &str, width: usize) -> Option<(i64, usize)> {
    let length = text.bytes().take(width).take_while(u8::is_ascii_digit).count();
    if length == 0 { None } else { Some((text[..length].parse().ok()?, length)) }
}

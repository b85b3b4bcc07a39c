//! Intervals from text: numbers with units, or a clock.

use arrow::datatypes::IntervalMonthDayNano;

use crate::date::part::Part;

const NANOSECONDS_PER_SECOND: i128 = 1_000_000_000;

/// An interval such as `1 year 2 mons -3 days 04:05:06.7`, `1.5 hours`, `2 weeks ago`; a number
/// without a unit at the end counts seconds.
pub fn interval(text: &str) -> Option<IntervalMonthDayNano> {
    let mut rest =
        text.trim_start_matches(|character: char| character.is_ascii_whitespace() || character == '@');
    let mut sum = Sum::default();
    let mut any = false;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        if any && rest.trim_end().eq_ignore_ascii_case("ago") {
            return sum.finish(-1);
        }
        let (number, after) = take_number(rest)?;
        rest = match after.strip_prefix(':') {
            Some(_) => sum.add_clock(rest)?,
            None => {
                let after = after.trim_start();
                let unit_length =
                    after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
                let (unit, after) = after.split_at(unit_length);
                let unit =
                    if unit.is_empty() && after.is_empty() { Part::Second } else { Part::of_name(unit)? };
                sum.add(number, unit)?;
                after
            }
        };
        any = true;
    }
    if any { sum.finish(1) } else { None }
}

/// A number as its whole part and its millionths, both with its sign.
#[derive(Clone, Copy)]
struct Number {
    whole: i64,
    millionths: i64,
}

fn take_number(text: &str) -> Option<(Number, &str)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let length = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
    let (whole, mut rest) = digits.split_at(length);
    let mut millionths = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let length = after.find(|character: char| !character.is_ascii_digit()).unwrap_or(after.len());
        if whole.is_empty() && length == 0 {
            return None;
        }
        let mut unit = 100_000;
        for byte in after.bytes().take(length) {
            millionths += i64::from(byte - b'0') * unit;
            unit /= 10;
        }
        rest = &after[length..];
    } else if whole.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()? };
    let sign = if negative { -1 } else { 1 };
    Some((Number { whole: whole * sign, millionths: millionths * sign }, rest))
}

/// Sum of the parts, wide enough never to overflow on its way.
#[derive(Default)]
struct Sum {
    months: i128,
    days: i128,
    nanoseconds: i128,
}

impl Sum {
    fn add(&mut self, number: Number, unit: Part) -> Option<()> {
        let (months, days, nanoseconds) = unit.length()?;
        let whole = i128::from(number.whole);
        self.months += whole * i128::from(months);
        self.days += whole * i128::from(days);
        self.nanoseconds += whole * i128::from(nanoseconds);
        // A fraction of a unit counts in the next smaller ones: months of 30 days, days of 24 hours.
        let mut fraction = i128::from(number.millionths) * i128::from(months);
        self.months += fraction / 1_000_000;
        fraction = fraction % 1_000_000 * 30 + i128::from(number.millionths) * i128::from(days);
        self.days += fraction / 1_000_000;
        fraction = fraction % 1_000_000 * 86_400 * NANOSECONDS_PER_SECOND
            + i128::from(number.millionths) * i128::from(nanoseconds);
        // Intervals count in microseconds.
        self.nanoseconds += fraction / 1_000_000 / 1_000 * 1_000;
        Some(())
    }

    /// `[-]HH:MM[:SS[.ffffff]]`, hours without a bound; answers what follows.
    fn add_clock<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (hours, rest) = take_number(digits)?;
        let (minutes, rest) = take_number(rest.strip_prefix(':')?)?;
        let (seconds, rest) = match rest.strip_prefix(':') {
            Some(rest) => take_number(rest)?,
            None => (Number { whole: 0, millionths: 0 }, rest),
        };
        if hours.millionths != 0 || minutes.millionths != 0 || !(0..60).contains(&minutes.whole) {
            return None;
        }
        if !(0..60).contains(&seconds.whole) {
            return None;
        }
        let total = (i128::from(hours.whole) * 3600 + i128::from(minutes.whole * 60 + seconds.whole))
            * NANOSECONDS_PER_SECOND
            + i128::from(seconds.millionths) * 1_000;
        self.nanoseconds += if negative { -total } else { total };
        Some(rest)
    }

    fn finish(self, sign: i128) -> Option<IntervalMonthDayNano> {
        Some(IntervalMonthDayNano::new(
            i32::try_from(self.months * sign).ok()?,
            i32::try_from(self.days * sign).ok()?,
            i64::try_from(self.nanoseconds * sign).ok()?,
        ))
    }
}

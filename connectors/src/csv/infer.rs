//! Finds the type of a column from a sample of its values.

use hypostyle_functions::Type;

use super::convert::ColumnFormat;
use crate::text_value::{
    Pattern, Zone, boolean, float, huge, iso_date, iso_timestamp, signed, time, trimmed,
};

/// Separators between the parts of a date.
const SEPARATORS: [char; 4] = ['-', '/', '.', ' '];
/// Orders of the parts of a date that is not in ISO form, by preference.
const DATE_ORDERS: [[&str; 3]; 5] =
    [["%d", "%m", "%Y"], ["%m", "%d", "%Y"], ["%y", "%m", "%d"], ["%d", "%m", "%y"], ["%m", "%d", "%y"]];
/// Clocks behind such a date, by preference.
const CLOCKS: [&str; 3] = ["%H:%M:%S", "%H:%M:%S.%f", "%I:%M:%S %p"];

/// Types that all values seen so far can have.
pub struct TypeInference {
    seen: bool,
    boolean: bool,
    integer: bool,
    huge: bool,
    float: bool,
    time: bool,
    iso_date: bool,
    iso_timestamp: bool,
    iso_instant: bool,
    date_patterns: Vec<Pattern>,
    timestamp_patterns: Vec<Pattern>,
}

/// Patterns that values are tried against.
pub struct Patterns {
    dates: Vec<Pattern>,
    timestamps: Vec<Pattern>,
    iso_dates: bool,
    iso_timestamps: bool,
}

impl Patterns {
    /// The stated patterns; for a kind without one, those that are guessed.
    pub fn new(date: Option<&Pattern>, timestamp: Option<&Pattern>) -> Self {
        let guessed = || {
            DATE_ORDERS
                .iter()
                .flat_map(|parts| SEPARATORS.iter().map(move |separator| parts.join(&separator.to_string())))
        };
        let compiled = |text: String| Pattern::compile(&text).ok();
        let dates = match date {
            Some(pattern) => vec![pattern.clone()],
            None => guessed().filter_map(compiled).collect(),
        };
        let timestamps = match timestamp {
            Some(pattern) => vec![pattern.clone()],
            None => guessed()
                .flat_map(|date| {
                    // Clocks of half a day are written where the month goes first.
                    let clocks = if date.starts_with("%m") { &CLOCKS[..] } else { &CLOCKS[..2] };
                    clocks.iter().map(move |clock| format!("{date} {clock}"))
                })
                .filter_map(compiled)
                .collect(),
        };
        Self { dates, timestamps, iso_dates: date.is_none(), iso_timestamps: timestamp.is_none() }
    }
}

impl TypeInference {
    /// Every type is possible.
    pub fn new(patterns: &Patterns) -> Self {
        Self {
            seen: false,
            boolean: true,
            integer: true,
            huge: true,
            float: true,
            time: true,
            iso_date: patterns.iso_dates,
            iso_timestamp: patterns.iso_timestamps,
            iso_instant: patterns.iso_timestamps,
            date_patterns: patterns.dates.clone(),
            timestamp_patterns: patterns.timestamps.clone(),
        }
    }

    /// Rules out the types that a value, which is not null, does not have.
    pub fn observe(&mut self, value: &[u8]) {
        let value = trimmed(value);
        self.seen = true;
        self.boolean = self.boolean && value != b"1" && value != b"0" && boolean(value).is_some();
        let number = self.float && is_plain_number(value);
        self.integer = self.integer && number && signed(value).is_some();
        self.huge =
            self.huge && number && huge(value).is_some_and(|value| value.unsigned_abs() < 10u128.pow(38));
        self.float = number && float(value).is_some();
        self.time = self.time && time(value).is_some();
        self.iso_date = self.iso_date && iso_date(value).is_some();
        if self.iso_timestamp || self.iso_instant {
            let zone = iso_timestamp(value).map(|(_, zone)| zone);
            self.iso_timestamp = self.iso_timestamp && zone == Some(Zone::Local);
            self.iso_instant = self.iso_instant && zone.is_some();
        }
        self.date_patterns.retain(|pattern| pattern.date(value).is_some());
        self.timestamp_patterns.retain(|pattern| pattern.timestamp(value).is_some());
    }

    /// The narrowest type of all values; text if there was none.
    pub fn finish(self) -> ColumnFormat {
        if !self.seen {
            return ColumnFormat::Text;
        }
        if self.boolean {
            return ColumnFormat::Boolean;
        }
        if self.time {
            return ColumnFormat::Time;
        }
        if self.iso_date {
            return ColumnFormat::Date(None);
        }
        if self.iso_timestamp {
            return ColumnFormat::Timestamp(None, hypostyle_functions::TimeUnit::Microsecond);
        }
        if self.iso_instant {
            return ColumnFormat::Instant(None);
        }
        if self.integer {
            return ColumnFormat::Integer(Type::Int64);
        }
        if self.huge {
            return ColumnFormat::Decimal(38, 0);
        }
        if self.float {
            return ColumnFormat::Float(Type::Float64);
        }
        if let Some(pattern) = self.date_patterns.into_iter().next() {
            return ColumnFormat::Date(Some(pattern));
        }
        if let Some(pattern) = self.timestamp_patterns.into_iter().next() {
            return ColumnFormat::Timestamp(Some(pattern), hypostyle_functions::TimeUnit::Microsecond);
        }
        ColumnFormat::Text
    }
}

/// True for a number in the way that programs write it. A plus sign or a leading zero is the mark of a code:
/// a telephone number, a postal code.
fn is_plain_number(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    !matches!(digits, [b'0', b'0'..=b'9', ..] | [b'+', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(values: &[&str]) -> String {
        let mut inference = TypeInference::new(&Patterns::new(None, None));
        values.iter().for_each(|value| inference.observe(value.as_bytes()));
        let format = inference.finish();
        match format.pattern() {
            Some(pattern) => format!("{} {}", format.data_type(), pattern.text()),
            None => format.data_type().to_string(),
        }
    }

    #[test]
    fn the_narrowest_type_wins() {
        assert_eq!(inferred(&[]), "VARCHAR");
        assert_eq!(inferred(&["true", "f", "yes"]), "BOOLEAN");
        assert_eq!(inferred(&["1", "0"]), "BIGINT");
        assert_eq!(inferred(&["1", "9223372036854775808"]), "HUGEINT");
        assert_eq!(inferred(&["1", "2.5", "1e3", "nan"]), "DOUBLE");
        assert_eq!(inferred(&["1", "x"]), "VARCHAR");
        assert_eq!(inferred(&["true", "1"]), "VARCHAR");
        assert_eq!(inferred(&["2020-01-02", "2020-1-2"]), "DATE");
        assert_eq!(inferred(&["10:20", "10:20:30.5"]), "TIME");
        assert_eq!(inferred(&["2020-01-02 10:20:30", "2020-01-02T10:20"]), "TIMESTAMP");
        assert_eq!(inferred(&["2020-01-02 10:20:30Z"]), "TIMESTAMP WITH TIME ZONE");
        assert_eq!(inferred(&["2020-01-02", "2020-01-02 10:20:30"]), "VARCHAR");
    }

    #[test]
    fn codes_are_not_numbers() {
        assert_eq!(inferred(&["01234"]), "VARCHAR");
        assert_eq!(inferred(&["+4912345"]), "VARCHAR");
        assert_eq!(inferred(&["0", "0.5", "-0.5"]), "DOUBLE");
    }

    #[test]
    fn the_order_of_a_date_is_told_by_its_values() {
        assert_eq!(inferred(&["01/02/2020"]), "DATE %d/%m/%Y");
        assert_eq!(inferred(&["01/02/2020", "02/13/2020"]), "DATE %m/%d/%Y");
        assert_eq!(inferred(&["20-01-02"]), "DATE %y-%m-%d");
        assert_eq!(inferred(&["01/02/2020 03:04:05 PM"]), "TIMESTAMP %m/%d/%Y %I:%M:%S %p");
    }
}

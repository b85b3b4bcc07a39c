//! Patterns of `strftime` and `strptime`, compiled once.

use crate::error::{Error, Result};

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Text as it is.
    Literal(String),
    /// A field; `is_padded` is false after `%-`.
    Field {
        /// Which.
        field: Field,
        /// Padded with zeros to its usual width.
        is_padded: bool,
    },
}

/// A field of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    ShortDayName,
    DayName,
    DayOfWeek,
    IsoDayOfWeek,
    Day,
    ShortMonthName,
    MonthName,
    Month,
    ShortYear,
    Year,
    Hour,
    Hour12,
    HalfDay,
    Minute,
    Second,
    Microsecond,
    Millisecond,
    Nanosecond,
    Offset,
    ZoneName,
    DayOfYear,
    SundayWeek,
    MondayWeek,
    IsoYear,
    IsoWeek,
}

impl Field {
    fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'a' => Self::ShortDayName,
            'A' => Self::DayName,
            'w' => Self::DayOfWeek,
            'u' => Self::IsoDayOfWeek,
            'd' => Self::Day,
            'b' | 'h' => Self::ShortMonthName,
            'B' => Self::MonthName,
            'm' => Self::Month,
            'y' => Self::ShortYear,
            'Y' => Self::Year,
            'H' => Self::Hour,
            'I' => Self::Hour12,
            'p' => Self::HalfDay,
            'M' => Self::Minute,
            'S' => Self::Second,
            'f' => Self::Microsecond,
            'g' => Self::Millisecond,
            'n' => Self::Nanosecond,
            'z' => Self::Offset,
            'Z' => Self::ZoneName,
            'j' => Self::DayOfYear,
            'U' => Self::SundayWeek,
            'W' => Self::MondayWeek,
            'G' => Self::IsoYear,
            'V' => Self::IsoWeek,
            _ => return None,
        })
    }

    fn may_be_unpadded(self) -> bool {
        use Field::{Day, DayOfYear, Hour, Hour12, Minute, Month, Second, ShortYear};
        matches!(self, Day | DayOfYear | Hour | Hour12 | Minute | Month | Second | ShortYear)
    }
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// The text that was compiled, for messages.
    pub text: String,
    /// The pieces in order.
    pub pieces: Vec<Piece>,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`Error::Argument`] for an unknown field or a `%` at the end.
    pub fn new(text: &str, function: &str, position: usize) -> Result<Self> {
        let mut pieces = Vec::new();
        compile(text, &mut pieces)
            .map_err(|problem| Error::argument(function, position, format!("is \"{text}\": {problem}")))?;
        Ok(Self { text: text.into(), pieces })
    }

    /// True if the pattern has this field.
    pub fn has(&self, wanted: Field) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Field { field, .. } if *field == wanted))
    }
}

fn compile(text: &str, pieces: &mut Vec<Piece>) -> Result<(), String> {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            push_literal(pieces, character);
            continue;
        }
        let letter = characters
            .next()
            .ok_or("nothing follows the last %; expected a field, or %% for a percent sign")?;
        let (letter, is_padded) = match letter {
            '-' => (characters.next().ok_or("nothing follows the last %-")?, false),
            letter => (letter, true),
        };
        match (letter, is_padded) {
            ('%', true) => push_literal(pieces, '%'),
            ('c', true) => compile("%Y-%m-%d %H:%M:%S", pieces)?,
            ('x', true) => compile("%Y-%m-%d", pieces)?,
            ('X', true) => compile("%H:%M:%S", pieces)?,
            _ => match Field::of_letter(letter).filter(|field| is_padded || field.may_be_unpadded()) {
                Some(field) => pieces.push(Piece::Field { field, is_padded }),
                None => {
                    return Err(format!("there is no field %{}{letter}", if is_padded { "" } else { "-" }));
                }
            },
        }
    }
    Ok(())
}

fn push_literal(pieces: &mut Vec<Piece>, character: char) {
    match pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(character),
        _ => pieces.push(Piece::Literal(character.into())),
    }
}

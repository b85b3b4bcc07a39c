//! Places in SQL text, as people count them.

use std::fmt;

use hypostyle_functions::Place;

/// A character of the text: line and column, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Location {
    /// Line, counted from 1; 0 where the place is unknown.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
}

/// A range of the text; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First character.
    pub start: Location,
    /// The character after the last one.
    pub end: Location,
}

impl Span {
    /// The span of nothing: text that no user wrote.
    pub const NONE: Span =
        Span { start: Location { line: 0, column: 0 }, end: Location { line: 0, column: 0 } };

    /// True where the place is known.
    pub fn is_known(self) -> bool {
        self.start.line > 0
    }

    /// The span as expressions of a plan carry it.
    pub fn place(self) -> Place {
        let pair = |location: Location| (location.line, location.column);
        Place { start: pair(self.start), end: pair(self.end) }
    }

    /// The span of an expression of a plan.
    pub fn of_place(place: Place) -> Self {
        let location = |(line, column)| Location { line, column };
        Self { start: location(place.start), end: location(place.end) }
    }

    /// The smallest span that covers both.
    pub fn union(self, other: Span) -> Span {
        match (self.is_known(), other.is_known()) {
            (true, true) => Span { start: self.start.min(other.start), end: self.end.max(other.end) },
            (true, false) => self,
            _ => other,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

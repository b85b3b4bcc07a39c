//! The error of this crate: where in the text, what was wrong, what would be right.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::span::Span;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between SQL text and a plan, and where in the text.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Box<ErrorKind>,
    span: Span,
}

/// What can go wrong between SQL text and a plan.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not SQL.
    #[error("{0}")]
    Syntax(String),
    /// SQL that this engine does not run.
    #[error("{0} not supported yet")]
    Unsupported(String),
    /// A name that stands for nothing here.
    #[error("no {what} \"{name}\"{}", suggestion_clause(.suggestion.as_deref()))]
    Unknown {
        /// What the name should stand for: `column`, `table`, `function`, `setting`, `option`, `field`.
        what: &'static str,
        /// The name as written.
        name: String,
        /// The nearest existing name.
        suggestion: Option<String>,
    },
    /// A column name that several tables have.
    #[error("column \"{name}\" is ambiguous: it is in {}; write one of them before it", .tables.join(" and "))]
    Ambiguous {
        /// The name as written.
        name: String,
        /// The tables that have it.
        tables: Vec<String>,
    },
    /// The query breaks a rule of SQL or of its types.
    #[error("{0}")]
    Invalid(String),
    /// The query is nested deeper than a plan may be.
    #[error("the query nests deeper than {limit} levels; split it with WITH")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// A function refused its arguments.
    #[error(transparent)]
    Function(#[from] hypostyle_functions::Error),
    /// A table, a file or the engine refused.
    #[error("{0}")]
    Source(String),
    /// A run that planning needs, of a fit or of the values of a PIVOT, did not end well.
    #[error("{0}")]
    Run(Box<hypostyle_engine::Error>),
    /// A bug of this project.
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

impl Error {
    /// An error at this place.
    pub fn new(kind: ErrorKind, span: Span) -> Self {
        Self { kind: Box::new(kind), span }
    }

    /// A broken rule.
    pub fn invalid(message: impl Into<String>, span: Span) -> Self {
        Self::new(ErrorKind::Invalid(message.into()), span)
    }

    /// Text that is not SQL.
    pub fn syntax(message: impl Into<String>, span: Span) -> Self {
        Self::new(ErrorKind::Syntax(message.into()), span)
    }

    /// SQL that is not supported; `what` is a noun with its verb: `window functions are`.
    pub fn unsupported(what: impl Into<String>, span: Span) -> Self {
        Self::new(ErrorKind::Unsupported(what.into()), span)
    }

    /// A name that stands for nothing.
    pub fn unknown(what: &'static str, name: &str, suggestion: Option<String>, span: Span) -> Self {
        Self::new(ErrorKind::Unknown { what, name: name.to_owned(), suggestion }, span)
    }

    /// A bug of this project.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal(message.into()), Span::NONE)
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Where in the text; unknown for errors without a place.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What ended a run that planning needs.
    pub fn run(error: hypostyle_engine::Error, span: Span) -> Self {
        Self::new(ErrorKind::Run(Box::new(error)), span)
    }

    /// The same error at this place, unless it has one already.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        if !self.span.is_known() {
            self.span = span;
        }
        self
    }

    /// The message without its place.
    pub fn message(&self) -> String {
        self.kind.to_string()
    }

    /// The message, then the line of `sql` with carets under the range at fault.
    ///
    /// `sql` must be the text that was parsed; where the place is unknown only the message is returned.
    pub fn render(&self, sql: &str) -> String {
        let mut text = self.to_string();
        let start = self.span.start;
        let Some(line) = (start.line as usize).checked_sub(1).and_then(|index| sql.lines().nth(index)) else {
            return text;
        };
        let first = (start.column as usize).saturating_sub(1);
        let last = if self.span.end.line == start.line {
            (self.span.end.column as usize).saturating_sub(1)
        } else {
            line.trim_end().chars().count()
        };
        let before: String = line.chars().take(first).collect();
        let marked: String = line.chars().skip(first).take(last.saturating_sub(first)).collect();
        let number = start.line.to_string();
        let margin = " ".repeat(number.len());
        let carets = "^".repeat(marked.width().max(1));
        text.push_str(&format!("\n{margin} |\n{number} | {line}\n{margin} | {}{carets}", blank(&before)));
        text
    }
}

/// Whitespace as wide as the text; tabs stay, since a terminal decides their width.
fn blank(text: &str) -> String {
    text.split('\t').map(|part| " ".repeat(part.width())).collect::<Vec<_>>().join("\t")
}

fn suggestion_clause(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.span.is_known() {
            write!(f, "{}: ", self.span.start)?;
        }
        self.kind.fmt(f)
    }
}

impl std::error::Error for Error {}

impl From<hypostyle_functions::Error> for Error {
    fn from(error: hypostyle_functions::Error) -> Self {
        match error {
            hypostyle_functions::Error::Placed { error, place } => {
                Self::new(ErrorKind::Function(*error), Span::of_place(place))
            }
            error => Self::new(ErrorKind::Function(error), Span::NONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Location;

    fn span(line: u32, first: u32, last: u32) -> Span {
        Span { start: Location { line, column: first }, end: Location { line, column: last } }
    }

    #[test]
    fn a_message_says_where_what_and_what_would_be_right() {
        let error = Error::unknown("column", "emb", Some("embedding".into()), span(3, 8, 11));
        assert_eq!(error.to_string(), "line 3, column 8: no column \"emb\"; did you mean \"embedding\"?");
    }

    #[test]
    fn the_caret_stands_under_the_range() {
        let error = Error::unknown("column", "emb", None, span(2, 8, 11));
        let text = error.render("-- first\nSELECT emb FROM t");
        assert!(text.ends_with("\n  |\n2 | SELECT emb FROM t\n  |        ^^^"), "{text}");
    }

    #[test]
    fn the_caret_allows_for_wide_characters_and_tabs() {
        let error = Error::invalid("wrong", span(1, 6, 7));
        let text = error.render("\t'\u{4f60}' x");
        assert!(text.ends_with("| \t     ^"), "{text:?}");
    }

    #[test]
    fn a_place_outside_the_text_shows_only_the_message() {
        let error = Error::invalid("wrong", span(9, 1, 2));
        assert_eq!(error.render("SELECT 1"), "line 9, column 1: wrong");
    }
}

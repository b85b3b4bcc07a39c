//! What the parser says about wrong text, turned into an error with a place and a plain sentence.

use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, TokenizerError};

use crate::error::{Error, ErrorKind};
use crate::parse::{limits, location_of, span_of};
use crate::span::Span;

/// A failure on the way from tokens to tree.
#[derive(Debug)]
pub enum Failure {
    /// The parser's own.
    Parser(ParserError),
    /// Ours, complete.
    Error(Error),
}

impl From<ParserError> for Failure {
    fn from(error: ParserError) -> Self {
        Self::Parser(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// The error of this failure in a text of these tokens, of which `furthest` was looked at and `current` is next.
    pub fn into_error(
        self,
        tokens: &[TokenWithSpan],
        furthest: Location,
        current: sqlparser::tokenizer::Span,
    ) -> Error {
        let message = match self {
            Self::Error(error) => return error,
            Self::Parser(ParserError::RecursionLimitExceeded) => {
                return Error::new(ErrorKind::TooDeep { limit: limits::NESTING_MAX }, span_of(current));
            }
            Self::Parser(ParserError::ParserError(message) | ParserError::TokenizerError(message)) => message,
        };
        let (message, place) = split_place(&message);
        if place.is_none() && message.ends_with("found: EOF") {
            return at_end(tokens, message);
        }
        let place = place.unwrap_or(current.start);
        if furthest > place {
            // A reading that got further failed before this one, and is the better witness.
            if let Some(token) = token_at(tokens, furthest) {
                return syntax_error(token, None);
            }
        }
        match token_at(tokens, place) {
            Some(token) => match message.strip_prefix("Expected: ") {
                Some(rest) => {
                    let expected = rest.split(", found: ").next().unwrap_or(rest);
                    syntax_error(token, Some(&plain(expected)))
                }
                None => Error::syntax(lower_first(message), span_of(token.span)),
            },
            None => at_end(tokens, message),
        }
    }
}

/// The failure of a token that stands where something else should.
pub fn unexpected(token: &TokenWithSpan, expected: &str) -> Failure {
    Failure::Error(match token.token {
        Token::EOF => Error::syntax(format!("the text ends where {expected} should be"), span_of(token.span)),
        _ => syntax_error(token, Some(expected)),
    })
}

/// The error of text that has no tokens: an open quote, a stray character.
pub fn from_tokenizer(error: TokenizerError, sql: &str) -> Error {
    let start = location_of(error.location);
    let mut end = start;
    end.column += 1;
    let message = lower_first(&error.message);
    let width = sql.lines().nth(start.line as usize - usize::from(start.line > 0)).map_or(0, str::len);
    if start.column as usize > width {
        end = start;
    }
    Error::syntax(message, Span { start, end })
}

fn syntax_error(token: &TokenWithSpan, expected: Option<&str>) -> Error {
    let found = match &token.token {
        Token::EOF => "the end of the text".to_owned(),
        Token::Word(word) if word.quote_style.is_none() => format!("\"{}\"", word.value),
        other => format!("\"{other}\""),
    };
    let message = match expected {
        Some(expected) => format!("unexpected {found}; expected {expected}"),
        None => format!("unexpected {found}"),
    };
    Error::syntax(message, span_of(token.span))
}

fn at_end(tokens: &[TokenWithSpan], message: &str) -> Error {
    let last = tokens.iter().rev().find(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    let span = last.map_or(Span::NONE, |token| {
        let end = location_of(token.span.end);
        Span { start: end, end }
    });
    match message.strip_prefix("Expected: ") {
        Some(rest) => {
            let expected = plain(rest.split(", found: ").next().unwrap_or(rest));
            Error::syntax(format!("the text ends where {expected} should be"), span)
        }
        None => Error::syntax(lower_first(message), span),
    }
}

/// Splits `.. at Line: 1, Column: 5` into message and place.
fn split_place(message: &str) -> (&str, Option<Location>) {
    let Some(position) = message.rfind(" at Line: ") else { return (message, None) };
    let place =
        message[position + " at Line: ".len()..].split_once(", Column: ").and_then(|(line, column)| {
            Some(Location { line: line.parse().ok()?, column: column.trim().parse().ok()? })
        });
    match place {
        Some(place) => (&message[..position], Some(place)),
        None => (message, None),
    }
}

fn token_at(tokens: &[TokenWithSpan], place: Location) -> Option<&TokenWithSpan> {
    let index = tokens.partition_point(|token| token.span.start < place);
    tokens.get(index).filter(|token| token.span.start == place && token.token != Token::EOF)
}

/// The parser's word for what it expected, without its `:` and its `or`.
fn plain(expected: &str) -> String {
    match expected {
        "end of statement" => "the end of the statement".to_owned(),
        "identifier" | "an identifier" => "a name".to_owned(),
        "joined table" => "a table or a query".to_owned(),
        other => other.to_owned(),
    }
}

fn lower_first(message: &str) -> String {
    let mut characters = message.trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

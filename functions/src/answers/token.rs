//! Expressions taken apart into words, numbers, texts and symbols.

use crate::error::{Error, Result};

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, or a word of the language.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text in quotes.
    Text(String),
    /// A number without a sign.
    Number(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// What follows the last piece.
    End,
}

/// Longer ones first, where one begins another.
const SYMBOLS: [&str; 49] = [
    "->>", "<=>", "<->", "::", ":=", "->", "=>", "==", "<>", "!=", "<=", ">=", "<<", ">>", "<@", "@>", "&&",
    "^@", "//", "**", "||", "(", ")", "[", "]", "{", "}", ",", ":", ".", "+", "-", "*", "/", "%", "^", "=",
    "<", ">", "&", "|", "~", "@", "!", "?", ";", "$", "#", "`",
];

/// The pieces of a text, each with the place at which it begins.
pub(super) fn tokens(sql: &str) -> Result<Vec<(Token, usize)>> {
    let mut found = Vec::new();
    let mut at = sql.len() - sql.trim_start().len();
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (token, length) = match first {
            '\'' => text(rest, '\'', false).map(|(text, length)| (Token::Text(text), length))?,
            '"' => text(rest, '"', false).map(|(text, length)| (Token::Name(text), length))?,
            'E' | 'e' if rest[1..].starts_with('\'') => {
                let (text, length) = text(&rest[1..], '\'', true)?;
                (Token::Text(text), length + 1)
            }
            _ if first.is_ascii_digit()
                || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) =>
            {
                let length = number_length(rest.as_bytes());
                (Token::Number(rest[..length].replace('_', "")), length)
            }
            _ if first.is_alphabetic() || first == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (Token::Word(rest[..length].into()), length)
            }
            _ => {
                let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
                let symbol = symbol.ok_or_else(|| Error::user(format!("no token at {rest:?}")))?;
                (Token::Symbol(symbol), symbol.len())
            }
        };
        found.push((token, at));
        at += length;
        at += sql[at..].len() - sql[at..].trim_start().len();
    }
    found.push((Token::End, sql.len()));
    Ok(found)
}

fn number_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(&byte) = bytes.get(length) {
        let is_sign = matches!(byte, b'+' | b'-') && length > 0 && matches!(bytes[length - 1], b'e' | b'E');
        if !(byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'e' | b'E') || is_sign) {
            break;
        }
        length += 1;
    }
    length
}

/// A text in quotes and its length with them; a quote inside is doubled, or escaped where there are escapes.
fn text(rest: &str, quote: char, escapes: bool) -> Result<(String, usize)> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if escapes => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, other)) => text.push(other),
                None => {}
            },
            _ if c != quote => text.push(c),
            _ if characters.next_if(|(_, next)| *next == quote).is_some() => text.push(quote),
            _ => return Ok((text, at + 1)),
        }
    }
    Err(Error::user(format!("open quote in {rest}")))
}

//! Statements about transforms: CREATE, FIT, DESCRIBE, SHOW, EXPORT and IMPORT.

use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::error::Error;
use crate::parse::Notes;
use crate::parse::failure::{Failure, unexpected};
use crate::parse::statement::{expect_word, parse_query, query_or_table, simple_name, take_word, word};
use crate::span::{Location, Span};
use crate::tree::{CreateTransform, FitTransform, Name, PartialFit, Statement, StatementKind};

type Outcome<T> = std::result::Result<T, Failure>;

/// `TRANSFORM` is behind the parser; the name and the query follow.
pub(super) fn create(
    parser: &mut Parser,
    notes: &mut Notes,
    name: Name,
    replace: bool,
    if_not_exists: bool,
) -> Outcome<StatementKind> {
    parser.expect_keyword_is(Keyword::AS)?;
    let query = parse_query(parser, notes)?;
    let text = String::new();
    Ok(StatementKind::CreateTransform(CreateTransform { name, query, text, replace, if_not_exists }))
}

/// `FIT [TRANSFORM] name [PARTIAL TO 'path' [PIECE n]] [WITH STATES ('path', ..)] [FROM table | 'file' | query]`.
pub(super) fn fit(parser: &mut Parser, notes: &mut Notes) -> Outcome<StatementKind> {
    parser.advance_token();
    take_transform(parser);
    let name = simple_name(parser)?;
    let partial = if take_word(parser, "PARTIAL") { Some(partial(parser)?) } else { None };
    let states = if take_word(parser, "WITH") { states(parser)? } else { Vec::new() };
    // A fit of all rows, or of a piece, has a source; states alone are merged or finished.
    let source = match take_word(parser, "FROM") {
        true => Some(query_or_table(parser, notes)?),
        false if states.is_empty() => return Err(unexpected(parser.peek_token_ref(), "FROM")),
        false => None,
    };
    if partial.is_none() && !states.is_empty() && source.is_some() {
        let message = "a fit is finished with states alone; rows that are not in them yet become a state by FIT TRANSFORM .. PARTIAL TO 'path' FROM ..";
        return Err(Error::invalid(message, name.span).into());
    }
    Ok(StatementKind::FitTransform(FitTransform { name, source, partial, states, text: String::new() }))
}

/// `TO 'path' [PIECE n]`, behind PARTIAL.
fn partial(parser: &mut Parser) -> Outcome<PartialFit> {
    expect_word(parser, "TO")?;
    let path = path(parser)?;
    if !take_word(parser, "PIECE") {
        return Ok(PartialFit { path, piece: 0 });
    }
    let token = parser.next_token();
    let number = match &token.token {
        Token::Number(digits, _) => digits.parse().ok(),
        _ => None,
    };
    number
        .map(|piece| PartialFit { path, piece })
        .ok_or_else(|| unexpected(&token, "the number of the piece"))
}

/// `STATES ('path', ..)`, behind WITH.
fn states(parser: &mut Parser) -> Outcome<Vec<String>> {
    expect_word(parser, "STATES")?;
    parser.expect_token(&Token::LParen)?;
    let mut paths = vec![path(parser)?];
    while parser.consume_token(&Token::Comma) {
        paths.push(path(parser)?);
    }
    parser.expect_token(&Token::RParen)?;
    Ok(paths)
}

/// Takes TRANSFORM where a name follows it, so that a transform may have that name too.
fn take_transform(parser: &mut Parser) {
    let is_word = matches!(parser.peek_nth_token_ref(1).token, Token::Word(_));
    if is_word && !matches!(word(parser.peek_nth_token_ref(1)).as_str(), "FROM" | "PARTIAL" | "WITH") {
        take_word(parser, "TRANSFORM");
    }
}

/// True if DESCRIBE is followed by TRANSFORM and a name.
pub(super) fn is_described(parser: &Parser) -> bool {
    word(parser.peek_token_ref()) == "TRANSFORM"
        && matches!(parser.peek_nth_token_ref(1).token, Token::Word(_))
}

/// `DESCRIBE TRANSFORM name`, from TRANSFORM on.
pub(super) fn described(parser: &mut Parser) -> Outcome<StatementKind> {
    parser.advance_token();
    Ok(StatementKind::DescribeTransform(simple_name(parser)?))
}

/// `EXPORT TRANSFORM name TO 'path'`.
pub(super) fn export(parser: &mut Parser) -> Outcome<StatementKind> {
    parser.advance_token();
    expect_word(parser, "TRANSFORM")?;
    let name = simple_name(parser)?;
    expect_word(parser, "TO")?;
    Ok(StatementKind::ExportTransform { name, path: path(parser)? })
}

/// `IMPORT [OR REPLACE] TRANSFORM [name] FROM 'path'`.
pub(super) fn import(parser: &mut Parser) -> Outcome<StatementKind> {
    parser.advance_token();
    let replace = take_word(parser, "OR");
    if replace {
        expect_word(parser, "REPLACE")?;
    }
    expect_word(parser, "TRANSFORM")?;
    let is_named = !matches!(parser.peek_nth_token_ref(1).token, Token::SingleQuotedString(_));
    let name = if is_named { Some(simple_name(parser)?) } else { None };
    expect_word(parser, "FROM")?;
    Ok(StatementKind::ImportTransform { name, path: path(parser)?, replace })
}

fn path(parser: &mut Parser) -> Outcome<String> {
    let token = parser.next_token();
    match token.token {
        Token::SingleQuotedString(path) => Ok(path),
        _ => Err(unexpected(&token, "a path in quotes")),
    }
}

/// Keeps the text of a statement where it tells later what was defined.
pub(super) fn keep_text(statement: &mut Statement, sql: &str) {
    let span = statement.span;
    match &mut statement.kind {
        StatementKind::CreateTransform(CreateTransform { text, .. })
        | StatementKind::FitTransform(FitTransform { text, .. }) => {
            *text = between(sql, span).to_owned();
        }
        _ => {}
    }
}

/// The part of a text between two places.
fn between(sql: &str, span: Span) -> &str {
    let offset = |place: Location| {
        let mut lines = sql.split_inclusive('\n');
        let before: usize = lines.by_ref().take(place.line.saturating_sub(1) as usize).map(str::len).sum();
        let line = lines.next().unwrap_or_default();
        let column = place.column.saturating_sub(1) as usize;
        before + line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset)
    };
    sql.get(offset(span.start)..offset(span.end)).unwrap_or(sql).trim()
}

#[cfg(test)]
mod tests {
    use super::between;
    use crate::span::{Location, Span};

    #[test]
    fn a_place_counts_characters_and_lines() {
        let sql = "SELECT 'ü';\nFIT a\nFROM b;";
        let place = |line, column| Location { line, column };
        assert_eq!(between(sql, Span { start: place(2, 1), end: place(3, 7) }), "FIT a\nFROM b");
        assert_eq!(between(sql, Span { start: place(1, 8), end: place(1, 11) }), "'ü'");
    }
}

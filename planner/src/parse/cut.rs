//! What is cut out of the tokens because the parser has no form for it: PIVOT and UNPIVOT, TABLESAMPLE, USING SAMPLE.
//!
//! The tokens are kept under a number, and a name with that number stands in their place: in FROM for a statement, in
//! a PIVOT of the parser's own for what stands behind a table, in WINDOW for USING SAMPLE.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::parse::adjust::keyword;

/// What was cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CutKind {
    /// `PIVOT t ON ..` in place of a query.
    Query,
    /// `PIVOT (..)`, `UNPIVOT (..)` or `TABLESAMPLE ..` behind a table.
    Suffix,
    /// `USING SAMPLE ..` behind the clauses of SELECT.
    Sample,
}

/// A cut, and the position of the token after it.
pub(super) struct Cut {
    pub kind: CutKind,
    pub end: usize,
}

/// The cut that begins at this token. `starts_query` is true where a query may begin.
pub(super) fn find(tokens: &[TokenWithSpan], position: usize, starts_query: bool) -> Option<Cut> {
    let token = tokens.get(position)?;
    let next = tokens.get(position + 1)?;
    if is_reshape(token) {
        if starts_query && is_table_start(next) {
            return Some(Cut { kind: CutKind::Query, end: end_of_level(tokens, position) });
        }
        let opening = match keyword(next) {
            Keyword::INCLUDE | Keyword::EXCLUDE => position + 3,
            _ => position + 1,
        };
        let is_behind_table = !starts_query && tokens.get(opening)?.token == Token::LParen;
        return is_behind_table
            .then(|| Cut { kind: CutKind::Suffix, end: after_parenthesis(tokens, opening) });
    }
    match (keyword(token), keyword(next)) {
        (Keyword::TABLESAMPLE, _) => {
            Some(Cut { kind: CutKind::Suffix, end: end_of_sample(tokens, position + 1) })
        }
        (Keyword::USING, Keyword::SAMPLE) => {
            Some(Cut { kind: CutKind::Sample, end: end_of_sample(tokens, position + 2) })
        }
        _ => None,
    }
}

/// PIVOT, UNPIVOT and their other names.
fn is_reshape(token: &TokenWithSpan) -> bool {
    const WORDS: [&str; 4] = ["pivot", "unpivot", "pivot_wider", "pivot_longer"];
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => {
            WORDS.iter().any(|known| word.value.eq_ignore_ascii_case(known))
        }
        _ => false,
    }
}

/// True for what can begin a table; a clause cannot.
fn is_table_start(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::LParen | Token::SingleQuotedString(_) => true,
        Token::Word(word) => {
            word.quote_style.is_some()
                || !matches!(
                    word.keyword,
                    Keyword::FROM
                        | Keyword::WHERE
                        | Keyword::GROUP
                        | Keyword::ORDER
                        | Keyword::HAVING
                        | Keyword::LIMIT
                        | Keyword::UNION
                )
        }
        _ => false,
    }
}

fn is_opening(token: &Token) -> bool {
    matches!(token, Token::LParen | Token::LBracket | Token::LBrace)
}

fn is_closing(token: &Token) -> bool {
    matches!(token, Token::RParen | Token::RBracket | Token::RBrace)
}

/// The position at which the level of parentheses of this token ends, or its statement.
fn end_of_level(tokens: &[TokenWithSpan], position: usize) -> usize {
    let mut depth = 0usize;
    for (offset, token) in tokens.iter().enumerate().skip(position) {
        match &token.token {
            opening if is_opening(opening) => depth += 1,
            closing if is_closing(closing) && depth == 0 => return offset,
            closing if is_closing(closing) => depth -= 1,
            Token::SemiColon if depth == 0 => return offset,
            _ => {}
        }
    }
    tokens.len()
}

/// The position after the parenthesis that closes the one at this position.
pub(super) fn after_parenthesis(tokens: &[TokenWithSpan], opening: usize) -> usize {
    (end_of_level(tokens, opening + 1) + 1).min(tokens.len())
}

/// The position after a sample: `10%`, `5 ROWS`, `(10 PERCENT)`, `bernoulli(5%)`, each with `(method, seed)` or
/// `REPEATABLE (seed)` behind it.
fn end_of_sample(tokens: &[TokenWithSpan], start: usize) -> usize {
    let at = |position: usize| tokens.get(position).map(|token| &token.token);
    let mut end = start;
    if matches!(at(end), Some(Token::Word(_))) && at(end + 1) == Some(&Token::LParen) {
        end += 1;
    }
    if at(end) == Some(&Token::LParen) {
        end = after_parenthesis(tokens, end);
    } else {
        end += 1;
        if at(end) == Some(&Token::Mod) || tokens.get(end).is_some_and(is_sample_unit) {
            end += 1;
        }
        if at(end) == Some(&Token::LParen) {
            end = after_parenthesis(tokens, end);
        }
    }
    let repeatable = tokens.get(end).is_some_and(|token| keyword(token) == Keyword::REPEATABLE);
    if repeatable && at(end + 1) == Some(&Token::LParen) {
        end = after_parenthesis(tokens, end + 1);
    }
    end.min(tokens.len())
}

fn is_sample_unit(token: &TokenWithSpan) -> bool {
    matches!(keyword(token), Keyword::PERCENT | Keyword::ROWS)
}

/// The position of the sign or word that makes the number after this LIMIT a percentage.
pub(super) fn limit_percent(tokens: &[TokenWithSpan], position: usize) -> Option<usize> {
    if keyword(tokens.get(position)?) != Keyword::LIMIT {
        return None;
    }
    let mut depth = 0usize;
    for (offset, token) in tokens.iter().enumerate().skip(position + 1) {
        let is_last = tokens.get(offset + 1).is_none_or(|next| {
            is_closing(&next.token) || next.token == Token::SemiColon || keyword(next) == Keyword::OFFSET
        });
        match &token.token {
            opening if is_opening(opening) => depth += 1,
            closing if is_closing(closing) && depth == 0 => return None,
            closing if is_closing(closing) => depth -= 1,
            Token::SemiColon => return None,
            Token::Word(_) if depth == 0 && keyword(token) == Keyword::LIMIT => return None,
            Token::Mod if depth == 0 && is_last => return Some(offset),
            Token::Word(_) if depth == 0 && keyword(token) == Keyword::PERCENT => return Some(offset),
            _ => {}
        }
    }
    None
}

/// True at a star that stands before its operand and not between two.
pub(super) fn is_prefix_star(tokens: &[TokenWithSpan], position: usize) -> bool {
    if tokens.get(position).is_none_or(|token| token.token != Token::Mul) {
        return false;
    }
    let Some(before) = position.checked_sub(1).and_then(|before| tokens.get(before)) else { return true };
    match &before.token {
        Token::Number(..) | Token::SingleQuotedString(_) | Token::Period => false,
        closing if is_closing(closing) => false,
        Token::Word(_) => matches!(
            keyword(before),
            Keyword::SELECT
                | Keyword::DISTINCT
                | Keyword::ALL
                | Keyword::WHERE
                | Keyword::HAVING
                | Keyword::BY
                | Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::WHEN
                | Keyword::THEN
                | Keyword::ELSE
                | Keyword::IN
                | Keyword::ON
        ),
        _ => true,
    }
}

/// The position after the pattern of `* LIKE 'pattern'` and its relatives, for a star at this position.
pub(super) fn star_pattern(tokens: &[TokenWithSpan], position: usize) -> Option<usize> {
    if !is_prefix_star(tokens, position) {
        return None;
    }
    let mut next = position + 1;
    if keyword(tokens.get(next)?) == Keyword::NOT {
        next += 1;
    }
    match keyword(tokens.get(next)?) {
        Keyword::LIKE | Keyword::GLOB => next += 1,
        Keyword::ILIKE if next > position + 1 => next += 1,
        Keyword::SIMILAR if keyword(tokens.get(next + 1)?) == Keyword::TO => next += 2,
        _ => return None,
    }
    matches!(tokens.get(next)?.token, Token::SingleQuotedString(_)).then_some(next + 1)
}

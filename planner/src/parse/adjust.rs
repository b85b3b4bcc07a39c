//! Forms that the parser does not know, put in its words on the tokens: no text is changed, and every token keeps its
//! place.
//!
//! - `FILTER (condition)` gets its WHERE.
//! - `FROM t WHERE ..` without SELECT gets `SELECT *` before what follows FROM.
//! - `AS [NOT] MATERIALIZED (` loses the hint: every use of a table of WITH is planned on its own.
//! - `(DESCRIBE t)` in FROM is cut out, and its place is taken by a name under which it is found again.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// Starts the names that stand for statements that were cut out; no text can hold such a name.
const CUT_OUT: char = '\u{0}';

/// Tokens in the parser's words, and the statements that were cut out of them.
pub(super) struct Adjusted {
    pub tokens: Vec<TokenWithSpan>,
    pub cut_out: Vec<Vec<TokenWithSpan>>,
}

/// The number of the statement that a name stands for.
pub(super) fn cut_out_number(name: &str) -> Option<usize> {
    name.strip_prefix(CUT_OUT)?.parse().ok()
}

/// Puts tokens in the parser's words.
pub(super) fn adjust(tokens: Vec<TokenWithSpan>) -> Adjusted {
    let tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut adjusted = Adjusted { tokens: Vec::with_capacity(tokens.len() + 8), cut_out: Vec::new() };
    let mut levels = vec![Level::default()];
    let mut position = 0;
    while let Some(token) = tokens.get(position) {
        if let Some(end) = statement_in_parentheses(&tokens, position) {
            cut(&tokens, position, end, &mut adjusted);
            position = end + 1;
            continue;
        }
        if let Some(skipped) = materialized(&tokens, position) {
            position += skipped;
            continue;
        }
        if let Some(level) = levels.last_mut() {
            level.see(token, &mut adjusted.tokens);
        }
        match token.token {
            Token::LParen | Token::LBracket | Token::LBrace => levels.push(Level::default()),
            Token::RParen | Token::RBracket | Token::RBrace if levels.len() > 1 => {
                levels.pop();
            }
            _ => {}
        }
        adjusted.tokens.push(token.clone());
        if token.token == Token::LParen && is_filter(&tokens, position) {
            adjusted.tokens.push(word("WHERE", Keyword::WHERE, token));
        }
        position += 1;
    }
    adjusted
}

fn keyword(token: &TokenWithSpan) -> Keyword {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// A word that was not written, at the place of one that was.
fn word(value: &str, keyword: Keyword, at: &TokenWithSpan) -> TokenWithSpan {
    let token = Token::Word(Word { value: value.to_owned(), quote_style: None, keyword });
    TokenWithSpan { token, span: at.span }
}

/// True at the parenthesis of `) FILTER (` without WHERE after it.
fn is_filter(tokens: &[TokenWithSpan], position: usize) -> bool {
    let before = |distance: usize| position.checked_sub(distance).and_then(|position| tokens.get(position));
    let after = tokens.get(position + 1);
    before(1).is_some_and(|token| keyword(token) == Keyword::FILTER)
        && before(2).is_some_and(|token| token.token == Token::RParen)
        && after.is_some_and(|token| keyword(token) != Keyword::WHERE)
}

/// Tokens of `MATERIALIZED` or `NOT MATERIALIZED` between AS and a parenthesis.
fn materialized(tokens: &[TokenWithSpan], position: usize) -> Option<usize> {
    let previous = tokens.get(position.checked_sub(1)?)?;
    if keyword(previous) != Keyword::AS {
        return None;
    }
    let negated = usize::from(keyword(tokens.get(position)?) == Keyword::NOT);
    let hint = keyword(tokens.get(position + negated)?) == Keyword::MATERIALIZED;
    let opens = tokens.get(position + negated + 1)?.token == Token::LParen;
    (hint && opens).then_some(negated + 1)
}

/// The closing parenthesis of `(DESCRIBE ..)` in FROM.
fn statement_in_parentheses(tokens: &[TokenWithSpan], position: usize) -> Option<usize> {
    let opening = tokens.get(position).filter(|token| token.token == Token::LParen)?;
    let Token::Word(first) = &tokens.get(position + 1)?.token else { return None };
    let previous = keyword(tokens.get(position.checked_sub(1)?)?);
    let in_from = matches!(previous, Keyword::FROM | Keyword::JOIN)
        || tokens.get(position - 1).is_some_and(|token| token.token == Token::Comma);
    let known = ["describe", "summarize", "show"].iter().any(|word| first.value.eq_ignore_ascii_case(word));
    // After a comma this could also be a column of that name in parentheses.
    let is_column = tokens.get(position + 2).is_none_or(|token| {
        !matches!(token.token, Token::Word(_) | Token::SingleQuotedString(_) | Token::LParen)
    });
    if opening.token != Token::LParen || first.quote_style.is_some() || !in_from || !known || is_column {
        return None;
    }
    let mut depth = 0usize;
    for (offset, token) in tokens.iter().enumerate().skip(position) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(offset);
                }
            }
            _ => {}
        }
    }
    None
}

fn cut(tokens: &[TokenWithSpan], start: usize, end: usize, adjusted: &mut Adjusted) {
    let (Some(opening), Some(closing)) = (tokens.get(start), tokens.get(end)) else { return };
    let name = Word {
        value: format!("{CUT_OUT}{}", adjusted.cut_out.len()),
        quote_style: Some('"'),
        keyword: Keyword::NoKeyword,
    };
    adjusted.tokens.push(opening.clone());
    adjusted.tokens.push(word("FROM", Keyword::FROM, opening));
    adjusted.tokens.push(TokenWithSpan { token: Token::Word(name), span: opening.span });
    adjusted.tokens.push(closing.clone());
    adjusted.cut_out.push(tokens.get(start + 1..end).unwrap_or_default().to_vec());
}

/// What was seen of a query at one level of parentheses.
#[derive(Default)]
struct Level {
    /// The query began with FROM, and no SELECT has come since.
    from_without_select: bool,
    /// Something of the query has come.
    started: bool,
    /// It began with WITH, so that FROM after a parenthesis begins its body.
    with: bool,
}

impl Level {
    /// Notes a token, and adds `SELECT *` before it where a query that began with FROM needs it.
    fn see(&mut self, token: &TokenWithSpan, tokens: &mut Vec<TokenWithSpan>) {
        let after_parenthesis = tokens.last().is_some_and(|token| token.token == Token::RParen);
        match (&token.token, keyword(token)) {
            (Token::SemiColon, _) => *self = Self::default(),
            (_, Keyword::WITH) if !self.started => {
                self.with = true;
                self.started = true;
            }
            (_, Keyword::FROM) if !self.started || self.with && after_parenthesis => {
                *self = Self { from_without_select: true, started: true, with: false };
            }
            (_, Keyword::SELECT) => *self = Self { from_without_select: false, started: true, with: false },
            (_, Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::AS) if !self.with => {
                // What follows may be a query of its own: the next branch, or the body of CREATE .. AS.
                let is_alias = self.from_without_select && keyword(token) == Keyword::AS;
                if !is_alias {
                    *self = Self::default();
                }
            }
            (
                _,
                Keyword::ALL
                | Keyword::BY
                | Keyword::NAME
                | Keyword::EXPLAIN
                | Keyword::ANALYZE
                | Keyword::DESCRIBE,
            ) if !self.started => {}
            (_, Keyword::WHERE | Keyword::GROUP | Keyword::HAVING) if self.from_without_select => {
                tokens.push(word("SELECT", Keyword::SELECT, token));
                tokens.push(TokenWithSpan { token: Token::Mul, span: token.span });
                self.from_without_select = false;
            }
            _ => self.started = true,
        }
    }
}

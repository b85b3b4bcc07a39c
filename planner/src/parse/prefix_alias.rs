//! Names before what they name: `SELECT total: price * quantity FROM o: orders`. On the tokens they move behind it, after an
//! AS, and keep their places; so does `TABLE t`, which is a query, become `FROM t`.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::parse::adjust::{keyword, word};
use crate::parse::cut;

/// What was seen at one level of brackets.
#[derive(Default)]
struct Level {
    clause: Clause,
    /// An item or a table begins here.
    at_start: bool,
    /// `DISTINCT ON` has come: its parentheses stand before the first item.
    distinct_on: bool,
    /// The name of the item at work, and where the item ends, if that is known.
    alias: Option<(TokenWithSpan, Option<usize>)>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Clause {
    Select,
    From,
    #[default]
    Other,
}

/// Moves names behind what they name.
pub(super) fn behind(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let is_pair = |pair: &[TokenWithSpan]| is_name(pair.first()) && is_colon(pair.get(1));
    if !tokens.windows(2).any(is_pair) {
        return tokens;
    }
    let mut moved = Vec::with_capacity(tokens.len() + 8);
    let mut levels = vec![Level::default()];
    let mut position = 0;
    while let Some(token) = tokens.get(position) {
        if matches!(token.token, Token::RParen | Token::RBracket | Token::RBrace) && levels.len() > 1 {
            if let Some(mut level) = levels.pop() {
                level.finish(&mut moved);
            }
            moved.push(token.clone());
            if let Some(level) = levels.last_mut() {
                level.at_start = std::mem::take(&mut level.distinct_on);
            }
            position += 1;
            continue;
        }
        let Some(level) = levels.last_mut() else { break };
        level.see(&tokens, position, &mut moved);
        if level.at_start && is_name(Some(token)) && is_colon(tokens.get(position + 1)) {
            level.at_start = false;
            let end = (level.clause == Clause::From).then(|| table_end(&tokens, position + 2));
            level.alias = Some((token.clone(), end));
            position += 2;
            continue;
        }
        if !matches!(keyword(token), Keyword::SELECT | Keyword::FROM | Keyword::JOIN | Keyword::DISTINCT)
            && token.token != Token::Comma
        {
            level.at_start = false;
        }
        if matches!(token.token, Token::LParen | Token::LBracket | Token::LBrace) {
            levels.push(Level::default());
        }
        moved.push(token.clone());
        position += 1;
    }
    while let Some(mut level) = levels.pop() {
        level.finish(&mut moved);
    }
    moved
}

impl Level {
    /// Puts the name that waits behind what it names.
    fn finish(&mut self, moved: &mut Vec<TokenWithSpan>) {
        if let Some((name, _)) = self.alias.take() {
            moved.push(word("AS", Keyword::AS, &name));
            moved.push(name);
        }
    }

    /// Notes a token, before which the item at work may end.
    fn see(&mut self, tokens: &[TokenWithSpan], position: usize, moved: &mut Vec<TokenWithSpan>) {
        let at = |position: Option<usize>| position.and_then(|position| tokens.get(position)).map(keyword);
        let Some(token) = tokens.get(position) else { return };
        if matches!(self.alias, Some((_, Some(end))) if end <= position) {
            self.finish(moved);
        }
        let previous = at(position.checked_sub(1));
        let is_by = at(Some(position + 1)) == Some(Keyword::BY);
        let next_clause = match keyword(token) {
            Keyword::SELECT => Some(Clause::Select),
            // `x IS DISTINCT FROM y` goes on.
            Keyword::FROM if previous != Some(Keyword::DISTINCT) => Some(Clause::From),
            Keyword::GROUP | Keyword::ORDER if is_by => Some(Clause::Other),
            Keyword::WHERE
            | Keyword::HAVING
            | Keyword::WINDOW
            | Keyword::QUALIFY
            | Keyword::LIMIT
            | Keyword::OFFSET
            | Keyword::FETCH
            | Keyword::UNION
            | Keyword::INTERSECT
            | Keyword::EXCEPT
            | Keyword::INTO => Some(Clause::Other),
            _ if token.token == Token::SemiColon => Some(Clause::Other),
            _ => None,
        };
        if let Some(clause) = next_clause {
            self.finish(moved);
            self.clause = clause;
            self.at_start = clause != Clause::Other;
            return;
        }
        match keyword(token) {
            Keyword::ON if previous == Some(Keyword::DISTINCT) && self.clause == Clause::Select => {
                self.distinct_on = true;
            }
            Keyword::JOIN if self.clause == Clause::From => self.at_start = true,
            _ if token.token == Token::Comma && self.clause != Clause::Other => {
                self.finish(moved);
                self.at_start = true;
            }
            _ => {}
        }
    }
}

/// The position behind a table: a path of names, perhaps a call, or what stands in parentheses.
fn table_end(tokens: &[TokenWithSpan], start: usize) -> usize {
    let at = |position: usize| tokens.get(position).map(|token| &token.token);
    if at(start) == Some(&Token::LParen) {
        return cut::after_parenthesis(tokens, start);
    }
    let mut end = start + 1;
    while at(end) == Some(&Token::Period) {
        end += 2;
    }
    if at(end) == Some(&Token::LParen) {
        end = cut::after_parenthesis(tokens, end);
    }
    let word_at = |position: usize, expected: Keyword| tokens.get(position).map(keyword) == Some(expected);
    if word_at(end, Keyword::WITH) && word_at(end + 1, Keyword::ORDINALITY) { end + 2 } else { end }
}

/// `TABLE t` where a query may begin as `FROM t`.
pub(super) fn tables_as_queries(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    for position in 0..tokens.len() {
        let previous = position.checked_sub(1).and_then(|position| tokens.get(position));
        let begins = match previous {
            None => true,
            Some(previous) => {
                matches!(previous.token, Token::LParen | Token::RParen | Token::SemiColon)
                    || matches!(
                        keyword(previous),
                        Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::ALL | Keyword::AS
                    )
            }
        };
        let is_table = tokens.get(position).is_some_and(|token| keyword(token) == Keyword::TABLE);
        // `CREATE MACRO .. AS TABLE SELECT ..` says of a query what it is.
        let is_query = matches!(
            tokens.get(position + 1).map(keyword),
            Some(
                Keyword::SELECT
                    | Keyword::WITH
                    | Keyword::FROM
                    | Keyword::VALUES
                    | Keyword::PIVOT
                    | Keyword::UNPIVOT
            )
        );
        if begins && is_table && !is_query && is_name(tokens.get(position + 1)) {
            let from = word("FROM", Keyword::FROM, &tokens[position]);
            tokens[position] = from;
        }
    }
    tokens
}

fn is_name(token: Option<&TokenWithSpan>) -> bool {
    matches!(token.map(|token| &token.token), Some(Token::Word(_)))
}

fn is_colon(token: Option<&TokenWithSpan>) -> bool {
    matches!(token.map(|token| &token.token), Some(Token::Colon))
}

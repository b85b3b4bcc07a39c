//! Forms that the parser does not know, put in its words on the tokens: no text is changed, and every token keeps its
//! place.
//!
//! - `FILTER (condition)` gets its WHERE, and a keyword that names an argument, as in `order => 'value'`, is no keyword.
//! - `FROM t WHERE ..` without SELECT gets `SELECT *` before what follows FROM.
//! - `AS [NOT] MATERIALIZED (` loses the hint, and a table of WITH its `USING KEY (..)`: both are kept beside the tokens with their places.
//! - `EXCLUDE TIES` of a frame becomes a first term of PARTITION BY, under a name that no text can hold.
//! - `f(ORDER BY x)` gets an argument, under another such name.
//! - `IGNORE NULLS` behind ORDER BY among arguments moves before it.
//! - `(DESCRIBE t)` in FROM, and what [`super::cut`] finds, is cut out, and its place is taken by a name under which it
//!   is found again.
//! - `LIMIT 10%` becomes `LIMIT` of a call, `POSITIONAL JOIN` a join that this dialect does not have, `*COLUMNS(..)` a
//!   call of that name, and `* LIKE 'a%'` a COLUMNS with a lambda.
//! - A name and a colon before what is named move behind it ([`prefix_alias`]), and `TABLE t` becomes `FROM t`.
//! - `ASOF` before a join is left out, and its ON or USING is followed by a name at which the dialect reads the rest
//!   ([`crate::parse::asof`]).

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::parse::cut::{self, CutKind};
use crate::parse::{asof, prefix_alias, span_of};
use crate::span::Span;
use crate::tree::{FrameExclusion, Name};

/// Starts the names that stand for statements that were cut out; no text can hold such a name.
const CUT_OUT: char = '\u{0}';

/// The call that marks a limit as a percentage.
pub(super) const PERCENT: &str = "\u{0}percent";

/// The call that `*COLUMNS(..)` is.
pub(super) const UNPACK: &str = "*COLUMNS";

/// Tokens in the parser's words, and the statements that were cut out of them.
pub(super) struct Adjusted {
    pub tokens: Vec<TokenWithSpan>,
    pub cut_out: Vec<Vec<TokenWithSpan>>,
    /// What was said of tables of WITH, with its place.
    pub hints: Vec<(Span, Hint)>,
}

/// What is said of a table of WITH beside its name and query.
#[derive(Debug, Clone)]
pub(super) enum Hint {
    /// Whether its rows are gathered.
    Materialized(bool),
    /// The keys of a recursion; `None` if they are not all names of columns.
    Keys(Option<Vec<Name>>),
}

/// Words that name arguments, as in `f(x, order => 'value')`, are names whatever they mean elsewhere.
fn named_by_words(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    for place in 1..tokens.len() {
        if let [before, named] = &mut tokens[place - 1..=place]
            && named.token == Token::RArrow
            && let Token::Word(word) = &mut before.token
        {
            word.keyword = Keyword::NoKeyword;
        }
    }
    tokens
}

/// The number of the statement that a name stands for.
pub(super) fn cut_out_number(name: &str) -> Option<usize> {
    name.strip_prefix(CUT_OUT)?.parse().ok()
}

/// Puts tokens in the parser's words. The first token of what was cut out is what its reader begins with.
pub(super) fn adjust(tokens: Vec<TokenWithSpan>, was_cut_out: bool) -> Adjusted {
    let tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let tokens = named_by_words(tokens);
    let tokens = prefix_alias::behind(prefix_alias::tables_as_queries(tokens));
    let mut adjusted =
        Adjusted { tokens: Vec::with_capacity(tokens.len() + 8), cut_out: Vec::new(), hints: Vec::new() };
    let mut levels = vec![Level::default()];
    let mut position = 0;
    let mut percent_sign = None;
    while let Some(token) = tokens.get(position) {
        if percent_sign == Some(position) {
            adjusted.tokens.push(symbol(Token::RParen, token));
            percent_sign = None;
            position += 1;
            continue;
        }
        let is_first = was_cut_out && position == 0;
        if let Some(level) = levels.last_mut().filter(|_| !is_first)
            && let Some(cut) = cut::find(&tokens, position, level.starts_query(&adjusted.tokens))
        {
            level.cut(cut.kind, token, &mut adjusted);
            adjusted.cut_out.push(tokens.get(position..cut.end).unwrap_or_default().to_vec());
            position = cut.end;
            continue;
        }
        if let Some(taken) = reworded(&tokens, position, &mut adjusted.tokens) {
            if let Some(level) = levels.last_mut() {
                level.started = true;
            }
            position += taken;
            continue;
        }
        if let Some(end) = statement_in_parentheses(&tokens, position) {
            cut(&tokens, position, end, &mut adjusted);
            position = end + 1;
            continue;
        }
        if let Some(skipped) = materialized(&tokens, position) {
            adjusted.hints.push((span_of(token.span), Hint::Materialized(skipped == 1)));
            position += skipped;
            continue;
        }
        if let Some((end, keys)) = recursion_keys(&tokens, position) {
            adjusted.hints.push((span_of(token.span), Hint::Keys(keys)));
            position = end;
            continue;
        }
        if let Some(skipped) = excluded(&tokens, position) {
            position += skipped;
            continue;
        }
        if let Some(level) = levels.last_mut() {
            if level.is_as_of(&tokens, position, &mut adjusted.tokens) {
                position += 1;
                continue;
            }
            level.see(token, &mut adjusted.tokens);
            if is_null_treatment(&tokens, position)
                && let Some(order) = level.order.filter(|&order| order < adjusted.tokens.len())
            {
                let words = tokens.get(position..position + 2).unwrap_or_default();
                adjusted.tokens.splice(order..order, words.iter().cloned());
                position += 2;
                continue;
            }
            if keyword(token) == Keyword::ORDER {
                level.order = Some(adjusted.tokens.len());
            }
        }
        match token.token {
            Token::LParen | Token::LBracket | Token::LBrace => levels.push(Level::default()),
            Token::RParen | Token::RBracket | Token::RBrace if levels.len() > 1 => {
                levels.pop();
            }
            _ => {}
        }
        adjusted.tokens.push(token.clone());
        if is_order_only(&tokens, position) {
            let name = format!("{CUT_OUT}{NO_ARGUMENT}");
            let name = Word { value: name, quote_style: Some('"'), keyword: Keyword::NoKeyword };
            adjusted.tokens.push(TokenWithSpan { token: Token::Word(name), span: token.span });
        }
        if let Some(words) = window_exclusion(&tokens, position) {
            position += mark_exclusion(&tokens, position, words, &mut adjusted.tokens);
        }
        if let Some(sign) = cut::limit_percent(&tokens, position) {
            adjusted.tokens.push(quoted(PERCENT, token));
            adjusted.tokens.push(symbol(Token::LParen, token));
            percent_sign = Some(sign);
        }
        if token.token == Token::LParen && is_filter(&tokens, position) {
            adjusted.tokens.push(word("WHERE", Keyword::WHERE, token));
        }
        position += 1;
    }
    adjusted
}

/// The keyword that a token is, if it is not in quotes.
pub(super) fn keyword(token: &TokenWithSpan) -> Keyword {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// A word that was not written, at the place of one that was.
pub(super) fn word(value: &str, keyword: Keyword, at: &TokenWithSpan) -> TokenWithSpan {
    let token = Token::Word(Word { value: value.to_owned(), quote_style: None, keyword });
    TokenWithSpan { token, span: at.span }
}

/// Stands, behind [`CUT_OUT`], for the arguments that `f(ORDER BY x)` does not have.
const NO_ARGUMENT: &str = "no argument";

/// True for the name that stands for no argument.
pub(super) fn is_no_argument(name: &str) -> bool {
    name.strip_prefix(CUT_OUT) == Some(NO_ARGUMENT)
}

/// True at the parenthesis of `f(ORDER BY`.
fn is_order_only(tokens: &[TokenWithSpan], position: usize) -> bool {
    let at = |position: usize| tokens.get(position).map(keyword);
    let previous = position.checked_sub(1).and_then(|position| tokens.get(position));
    let is_call = previous.is_some_and(|token| {
        matches!(token.token, Token::Word(_))
            && !matches!(keyword(token), Keyword::OVER | Keyword::GROUP | Keyword::AS)
    });
    is_call
        && tokens.get(position).is_some_and(|token| token.token == Token::LParen)
        && at(position + 1) == Some(Keyword::ORDER)
        && at(position + 2) == Some(Keyword::BY)
}

/// Words of EXCLUDE and what they mean.
const EXCLUSIONS: [(&str, FrameExclusion); 4] = [
    ("current row", FrameExclusion::CurrentRow),
    ("no others", FrameExclusion::NoOthers),
    ("group", FrameExclusion::Group),
    ("ties", FrameExclusion::Ties),
];

/// What a term of PARTITION BY says of EXCLUDE, if it stands for it.
pub(super) fn exclusion(name: &str) -> Option<FrameExclusion> {
    let words = name.strip_prefix(CUT_OUT)?;
    EXCLUSIONS.iter().find(|(known, _)| *known == words).map(|(_, exclusion)| *exclusion)
}

/// Tokens of `EXCLUDE ..` before the parenthesis that ends a window, and the words behind EXCLUDE.
fn exclusion_at(tokens: &[TokenWithSpan], position: usize) -> Option<(usize, &'static str)> {
    let text = |offset: usize| match &tokens.get(position + offset)?.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_lowercase()),
        _ => None,
    };
    let previous = text(0).filter(|word| word == "exclude").and(tokens.get(position.checked_sub(1)?))?;
    // What stands before it ends a bound, or it is a name.
    if !matches!(keyword(previous), Keyword::ROW | Keyword::PRECEDING | Keyword::FOLLOWING) {
        return None;
    }
    EXCLUSIONS.iter().find_map(|(words, _)| {
        let count = words.split(' ').count();
        let same =
            words.split(' ').enumerate().all(|(offset, word)| text(offset + 1).as_deref() == Some(word));
        let ends = tokens.get(position + count + 1).is_some_and(|token| token.token == Token::RParen);
        (same && ends).then_some((count + 1, *words))
    })
}

/// Tokens of EXCLUDE that were marked where their window begins.
fn excluded(tokens: &[TokenWithSpan], position: usize) -> Option<usize> {
    exclusion_at(tokens, position).map(|(count, _)| count)
}

/// At a parenthesis that begins a window, the words of its EXCLUDE if it has one.
fn window_exclusion(tokens: &[TokenWithSpan], position: usize) -> Option<&'static str> {
    let opens = tokens.get(position)?.token == Token::LParen;
    let previous = keyword(tokens.get(position.checked_sub(1)?)?);
    if !opens || !matches!(previous, Keyword::OVER | Keyword::AS) {
        return None;
    }
    let mut depth = 0usize;
    for (offset, token) in tokens.iter().enumerate().skip(position) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 1 => return None,
            Token::RParen => depth -= 1,
            _ if depth == 1 => {
                if let Some((_, words)) = exclusion_at(tokens, offset) {
                    return Some(words);
                }
            }
            _ => {}
        }
    }
    None
}

/// Puts the mark of EXCLUDE first in PARTITION BY; the number of tokens that were taken over before it.
fn mark_exclusion(
    tokens: &[TokenWithSpan],
    position: usize,
    words: &str,
    adjusted: &mut Vec<TokenWithSpan>,
) -> usize {
    let Some(opening) = tokens.get(position) else { return 0 };
    let at = |offset: usize| tokens.get(position + offset);
    let name =
        Word { value: format!("{CUT_OUT}{words}"), quote_style: Some('"'), keyword: Keyword::NoKeyword };
    let mark = TokenWithSpan { token: Token::Word(name), span: opening.span };
    // A window may begin with the name of another.
    let base =
        at(1).filter(|token| matches!(&token.token, Token::Word(word) if word.keyword == Keyword::NoKeyword));
    let taken = usize::from(base.is_some());
    adjusted.extend(base.cloned());
    let has_partition = at(taken + 1).is_some_and(|token| keyword(token) == Keyword::PARTITION);
    adjusted.push(word("PARTITION", Keyword::PARTITION, opening));
    adjusted.push(word("BY", Keyword::BY, opening));
    adjusted.push(mark);
    if has_partition {
        adjusted.push(TokenWithSpan { token: Token::Comma, span: opening.span });
        return taken + 2;
    }
    taken
}

/// True at `IGNORE NULLS )` and `RESPECT NULLS )`.
fn is_null_treatment(tokens: &[TokenWithSpan], position: usize) -> bool {
    let at = |offset: usize| tokens.get(position + offset);
    at(0).is_some_and(|token| matches!(keyword(token), Keyword::IGNORE | Keyword::RESPECT))
        && at(1).is_some_and(|token| keyword(token) == Keyword::NULLS)
        && at(2).is_some_and(|token| token.token == Token::RParen)
}

/// A name in quotes that was not written.
fn quoted(value: &str, at: &TokenWithSpan) -> TokenWithSpan {
    let word = Word { value: value.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword };
    TokenWithSpan { token: Token::Word(word), span: at.span }
}

/// A sign that was not written.
fn symbol(token: Token, at: &TokenWithSpan) -> TokenWithSpan {
    TokenWithSpan { token, span: at.span }
}

/// Forms that other words stand for; gives the number of tokens they took.
fn reworded(tokens: &[TokenWithSpan], position: usize, into: &mut Vec<TokenWithSpan>) -> Option<usize> {
    let (token, next) = (tokens.get(position)?, tokens.get(position + 1)?);
    let is_word = |token: &TokenWithSpan, expected: &str| match &token.token {
        Token::Word(word) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected),
        _ => false,
    };
    if is_word(token, "positional") && keyword(next) == Keyword::JOIN {
        into.push(word("STRAIGHT_JOIN", Keyword::STRAIGHT_JOIN, token));
        return Some(2);
    }
    if cut::is_prefix_star(tokens, position)
        && is_word(next, "columns")
        && tokens.get(position + 2).is_some_and(|token| token.token == Token::LParen)
    {
        into.push(quoted(UNPACK, token));
        return Some(2);
    }
    let end = cut::star_pattern(tokens, position)?;
    // COLUMNS(LAMBDA name: name LIKE 'pattern')
    const NAME: &str = "\u{0}name";
    into.push(word("COLUMNS", Keyword::COLUMNS, token));
    into.push(symbol(Token::LParen, token));
    into.push(word("LAMBDA", Keyword::LAMBDA, token));
    into.push(quoted(NAME, token));
    into.push(symbol(Token::Colon, token));
    into.push(quoted(NAME, token));
    into.extend(tokens.get(position + 1..end)?.iter().cloned());
    into.push(symbol(Token::RParen, token));
    Some(end - position)
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

/// The keys of `USING KEY (..)` before AS, and the position behind them.
fn recursion_keys(tokens: &[TokenWithSpan], position: usize) -> Option<(usize, Option<Vec<Name>>)> {
    let is_key = |token: &TokenWithSpan| match &token.token {
        Token::Word(word) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case("key"),
        _ => false,
    };
    let opens = tokens.get(position + 2)?.token == Token::LParen;
    if keyword(tokens.get(position)?) != Keyword::USING || !is_key(tokens.get(position + 1)?) || !opens {
        return None;
    }
    let end = cut::after_parenthesis(tokens, position + 2);
    if keyword(tokens.get(end)?) != Keyword::AS {
        return None;
    }
    let inside = tokens.get(position + 3..end.checked_sub(1)?)?;
    let mut names = Vec::new();
    for (offset, token) in inside.iter().enumerate() {
        match (&token.token, offset % 2) {
            (Token::Word(word), 0) => names.push(Name {
                quoted: word.quote_style.is_some(),
                ..Name::new(word.value.as_str(), span_of(token.span))
            }),
            (Token::Comma, 1) => {}
            _ => return Some((end, None)),
        }
    }
    Some((end, (!names.is_empty() && inside.len() % 2 == 1).then_some(names)))
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
    let name = adjusted.next_name(opening);
    adjusted.tokens.push(opening.clone());
    adjusted.tokens.push(word("FROM", Keyword::FROM, opening));
    adjusted.tokens.push(name);
    adjusted.tokens.push(closing.clone());
    adjusted.cut_out.push(tokens.get(start + 1..end).unwrap_or_default().to_vec());
}

impl Adjusted {
    /// The name of what is cut out next.
    fn next_name(&self, at: &TokenWithSpan) -> TokenWithSpan {
        quoted(&format!("{CUT_OUT}{}", self.cut_out.len()), at)
    }
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
    /// Where ORDER stands among the adjusted tokens.
    order: Option<usize>,
    /// WINDOW has come.
    window: bool,
    /// An as-of join waits for its ON or USING.
    as_of: bool,
}

impl Level {
    /// Notes ASOF, and puts the condition of its join in words that the dialect reads; true if the token is done with.
    fn is_as_of(
        &mut self,
        given: &[TokenWithSpan],
        position: usize,
        tokens: &mut Vec<TokenWithSpan>,
    ) -> bool {
        let Some(token) = given.get(position) else { return false };
        let form = match keyword(token) {
            Keyword::ASOF if asof::begins_join(given, position) => {
                self.as_of = true;
                return true;
            }
            Keyword::ON if self.as_of => asof::ON,
            Keyword::USING if self.as_of => asof::USING,
            _ => return false,
        };
        self.as_of = false;
        tokens.push(word("ON", Keyword::ON, token));
        tokens.push(asof::marker(form, token));
        true
    }

    /// True if a query may begin after these tokens.
    fn starts_query(&self, tokens: &[TokenWithSpan]) -> bool {
        !self.started || self.with && tokens.last().is_some_and(|token| token.token == Token::RParen)
    }

    /// Puts what stands for a cut in its place.
    fn cut(&mut self, kind: CutKind, at: &TokenWithSpan, adjusted: &mut Adjusted) {
        let name = adjusted.next_name(at);
        let sign = |token: Token| symbol(token, at);
        let tokens = &mut adjusted.tokens;
        match kind {
            CutKind::Query => tokens.extend([word("FROM", Keyword::FROM, at), name]),
            CutKind::Suffix => tokens.extend([
                word("PIVOT", Keyword::PIVOT, at),
                sign(Token::LParen),
                name,
                sign(Token::LParen),
                sign(Token::RParen),
                word("FOR", Keyword::FOR, at),
                quoted("x", at),
                word("IN", Keyword::IN, at),
                sign(Token::LParen),
                word("ANY", Keyword::ANY, at),
                sign(Token::RParen),
                sign(Token::RParen),
            ]),
            CutKind::Sample => {
                self.select_all(at, tokens);
                tokens.push(match self.window {
                    true => sign(Token::Comma),
                    false => word("WINDOW", Keyword::WINDOW, at),
                });
                let as_word = word("AS", Keyword::AS, at);
                tokens.extend([name, as_word, sign(Token::LParen), sign(Token::RParen)]);
            }
        }
        self.started = true;
    }

    /// Adds the SELECT that a query which began with FROM needs before its other clauses.
    fn select_all(&mut self, at: &TokenWithSpan, tokens: &mut Vec<TokenWithSpan>) {
        if std::mem::take(&mut self.from_without_select) {
            tokens.push(word("SELECT", Keyword::SELECT, at));
            tokens.push(symbol(Token::Mul, at));
        }
    }

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
                *self = Self { from_without_select: true, started: true, ..Self::default() };
            }
            (_, Keyword::SELECT) => *self = Self { started: true, ..Self::default() },
            (_, Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::AS) if !self.with => {
                // What follows may be a query of its own: the next branch, or the body of CREATE .. AS.
                let is_alias = self.from_without_select && keyword(token) == Keyword::AS;
                if !is_alias {
                    // In `WINDOW w AS (..)` the clause goes on behind it.
                    let window = self.window && keyword(token) == Keyword::AS;
                    *self = Self { window, ..Self::default() };
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
            (_, Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::WINDOW | Keyword::QUALIFY)
                if self.from_without_select =>
            {
                self.window = keyword(token) == Keyword::WINDOW;
                self.select_all(token, tokens);
            }
            (_, Keyword::WINDOW) => self.window = true,
            _ => self.started = true,
        }
    }
}

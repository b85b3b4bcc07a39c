//! SQL text to syntax tree.
//!
//! The text is tokenized once; sqlparser reads queries and expressions under our own [`dialect`], statements of our own
//! are read from the same tokens, and its tree is turned into [`crate::tree`], spans kept. The parser's types do not
//! leave this module.

mod adjust;
mod asof;
mod call;
mod cut;
mod dialect;
mod expression;
mod failure;
mod forms;
mod limits;
mod literal;
mod prefix_alias;
mod query;
mod reshape;
mod statement;
mod table;
mod transform;
mod type_name;
mod window;

use std::rc::Rc;

use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::error::{Error, Result};
use crate::span::{Location, Span};
use crate::tree::{Expression, Query, Statement};

use adjust::Hint;
use dialect::HypostyleDialect;

/// Levels of recursion the parser may use: a level of parentheses takes up to two.
const RECURSION_MAX: usize = 2 * limits::NESTING_MAX + 100;

/// Parses any number of statements, separated by semicolons.
///
/// # Errors
/// The first error of syntax, with its place.
pub fn parse_statements(sql: &str) -> Result<Vec<Statement>> {
    let mut statements = parse(sql, read_statements)?;
    statements.iter_mut().for_each(|statement| transform::keep_text(statement, sql));
    Ok(statements)
}

/// Parses one query, or the name of a table or file that stands for all its rows.
///
/// # Errors
/// The first error of syntax, with its place.
pub fn parse_source(sql: &str) -> Result<Query> {
    parse(sql, |parser, notes| {
        let query = statement::query_or_table(parser, notes)?;
        while parser.consume_token(&Token::SemiColon) {}
        match parser.peek_token_ref() {
            next if next.token == Token::EOF => Ok(query),
            next => Err(failure::unexpected(next, "the end of the query")),
        }
    })
}

/// Parses one expression and nothing else.
///
/// # Errors
/// The first error of syntax, with its place.
pub fn parse_expression(sql: &str) -> Result<Expression> {
    parse(sql, |parser, notes| {
        let expression = parser.parse_expr().map_err(failure::Failure::from)?;
        let expression = expression::convert(expression, notes)?;
        match parser.peek_token_ref() {
            next if next.token == Token::EOF => Ok(expression),
            next => Err(failure::unexpected(next, "the end of the expression")),
        }
    })
}

/// What the parser's tree does not hold, kept from the tokens while it is converted.
#[derive(Debug, Default)]
struct Notes {
    /// `?` parameters met; they are numbered in order of appearance.
    parameter_count: usize,
    /// Texts in single quotes with their places: the parser forgets the place of one that names a table.
    quoted: Rc<[(String, Span)]>,
    /// Statements that were cut out, by number.
    cut_out: Rc<[Vec<TokenWithSpan>]>,
    /// What was said of tables of WITH, with its place.
    hints: Rc<[(Span, Hint)]>,
}

impl Notes {
    fn of(tokens: &[TokenWithSpan], cut_out: Vec<Vec<TokenWithSpan>>, hints: Vec<(Span, Hint)>) -> Self {
        let quoted = tokens.iter().filter_map(|token| match &token.token {
            Token::SingleQuotedString(text) => Some((text.clone(), span_of(token.span))),
            _ => None,
        });
        Self { parameter_count: 0, quoted: quoted.collect(), cut_out: cut_out.into(), hints: hints.into() }
    }

    /// Notes for a statement inside another, whose parameters are its own.
    fn nested(&self) -> Self {
        Self {
            parameter_count: 0,
            quoted: Rc::clone(&self.quoted),
            cut_out: Rc::clone(&self.cut_out),
            hints: Rc::clone(&self.hints),
        }
    }

    fn next_parameter(&mut self) -> String {
        self.parameter_count += 1;
        self.parameter_count.to_string()
    }

    /// The statement in parentheses that a table's name stands for, if it was cut out.
    fn statement(&self, name: &str) -> Option<Result<Statement>> {
        let mut statements = match parse_cut_out(self.cut_tokens(name)?, read_statements) {
            Ok(statements) => statements,
            Err(error) => return Some(Err(error)),
        };
        match (statements.pop(), statements.len()) {
            (Some(statement), 0) => Some(Ok(statement)),
            _ => Some(Err(Error::syntax("one statement is expected between these parentheses", Span::NONE))),
        }
    }

    /// The tokens that were cut out under this name.
    fn cut_tokens(&self, name: &str) -> Option<Vec<TokenWithSpan>> {
        self.cut_out.get(adjust::cut_out_number(name)?).cloned()
    }

    /// What is said of a table of WITH between its name and its query.
    fn hints_between(&self, name: Span, query: Span) -> impl Iterator<Item = &(Span, Hint)> {
        let is_between = move |place: &Span| place.start >= name.end && place.end <= query.start;
        self.hints.iter().filter(move |(place, _)| is_between(place))
    }

    /// The place of a text in single quotes; of several equal ones the first.
    fn place_of(&self, text: &str) -> Span {
        self.quoted.iter().find(|(known, _)| known == text).map_or(Span::NONE, |(_, span)| *span)
    }
}

fn parse<T>(
    sql: &str,
    read: impl FnOnce(&mut Parser, &mut Notes) -> Result<T, failure::Failure>,
) -> Result<T> {
    let dialect = HypostyleDialect::new(0);
    let tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|error| failure::from_tokenizer(error, sql))?;
    limits::check(&tokens)?;
    read_adjusted(adjust::adjust(tokens, false), read)
}

/// Reads what was cut out of the tokens of a statement.
fn parse_cut_out<T>(
    tokens: Vec<TokenWithSpan>,
    read: impl FnOnce(&mut Parser, &mut Notes) -> Result<T, failure::Failure>,
) -> Result<T> {
    // What is cut out may hold what is cut out, and each is read by a parser of its own.
    stacker::maybe_grow(512 << 10, 4 << 20, || read_adjusted(adjust::adjust(tokens, true), read))
}

fn read_adjusted<T>(
    adjusted: adjust::Adjusted,
    read: impl FnOnce(&mut Parser, &mut Notes) -> Result<T, failure::Failure>,
) -> Result<T> {
    let dialect = HypostyleDialect::new(adjusted.tokens.len());
    let mut notes = Notes::of(&adjusted.tokens, adjusted.cut_out, adjusted.hints);
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(RECURSION_MAX)
        .with_tokens_with_locations(adjusted.tokens.clone());
    read(&mut parser, &mut notes).map_err(|failure| {
        failure.into_error(&adjusted.tokens, dialect.furthest(), parser.peek_token_ref().span)
    })
}

/// Reads the statements of a parser to its end.
fn read_statements(parser: &mut Parser, notes: &mut Notes) -> Result<Vec<Statement>, failure::Failure> {
    let mut statements = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        if parser.peek_token_ref().token == Token::EOF {
            return Ok(statements);
        }
        statements.push(statement::parse_statement(parser, notes)?);
        let next = parser.peek_token_ref();
        if !matches!(next.token, Token::SemiColon | Token::EOF) {
            return Err(failure::unexpected(next, "the end of the statement"));
        }
    }
}

fn location_of(location: sqlparser::tokenizer::Location) -> Location {
    Location {
        line: u32::try_from(location.line).unwrap_or(u32::MAX),
        column: u32::try_from(location.column).unwrap_or(u32::MAX),
    }
}

fn span_of(span: sqlparser::tokenizer::Span) -> Span {
    Span { start: location_of(span.start), end: location_of(span.end) }
}

#[cfg(test)]
mod tests;

//! SQL text to syntax tree.
//!
//! The text is tokenized once; sqlparser reads queries and expressions under our own [`dialect`], statements of our own
//! are read from the same tokens, and its tree is turned into [`crate::tree`], spans kept. The parser's types do not
//! leave this module.

mod dialect;
mod limits;
mod failure;
mod statement;
mod query;
mod table;
mod expression;
mod call;
mod type_name;

use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::Result;
use crate::span::{Location, Span};
use crate::tree::{Expression, Statement};

use dialect::HypostyleDialect;

/// Levels of recursion the parser may use: a level of parentheses takes up to two.
const RECURSION_MAX: usize = 2 * limits::NESTING_MAX + 100;

/// Parses any number of statements, separated by semicolons.
///
/// # Errors
/// The first error of syntax, with its place.
pub fn parse_statements(sql: &str) -> Result<Vec<Statement>> {
    parse(sql, |parser, parameters| {
        let mut statements = Vec::new();
        loop {
            while parser.consume_token(&Token::SemiColon) {}
            if parser.peek_token_ref().token == Token::EOF {
                return Ok(statements);
            }
            statements.push(statement::parse_statement(parser, parameters)?);
            let next = parser.peek_token_ref();
            if !matches!(next.token, Token::SemiColon | Token::EOF) {
                return Err(failure::unexpected(next, "the end of the statement"));
            }
        }
    })
}

/// Parses one expression and nothing else.
///
/// # Errors
/// The first error of syntax, with its place.
pub fn parse_expression(sql: &str) -> Result<Expression> {
    parse(sql, |parser, parameters| {
        let expression = parser.parse_expr().map_err(failure::Failure::from)?;
        let expression = expression::convert(expression, parameters)?;
        match parser.peek_token_ref() {
            next if next.token == Token::EOF => Ok(expression),
            next => Err(failure::unexpected(next, "the end of the expression")),
        }
    })
}

/// Numbers the `?` parameters of a text in order of appearance.
#[derive(Debug, Default)]
struct Parameters {
    count: usize,
}

impl Parameters {
    fn next(&mut self) -> String {
        self.count += 1;
        self.count.to_string()
    }
}

fn parse<T>(
    sql: &str,
    read: impl FnOnce(&mut Parser, &mut Parameters) -> Result<T, failure::Failure>,
) -> Result<T> {
    let dialect = HypostyleDialect::new(0);
    let tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|error| failure::from_tokenizer(error, sql))?;
    limits::check(&tokens)?;
    let dialect = HypostyleDialect::new(tokens.len());
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(tokens.clone());
    read(&mut parser, &mut Parameters::default())
        .map_err(|failure| failure.into_error(&tokens, dialect.furthest(), parser.peek_token_ref().span))
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

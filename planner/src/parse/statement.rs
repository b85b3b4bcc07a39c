//! Statements, read from the tokens by ourselves: the parser's own forms are other systems'.

use sqlparser::ast::Spanned;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::Error;
use crate::parse::expression::{convert as convert_expression, name_of, single_name};
use crate::parse::failure::{Failure, unexpected};
use crate::parse::{Notes, call, query, reshape, span_of, table, transform};
use crate::tree::{
    CopyStatement, CreateMacro, CreateTable, CreateView, DropKind, ExplainFormat, Expression, ExpressionKind,
    LiteralText, MacroBody, MacroParameter, Name, Query, QueryBody, Statement, StatementKind,
};

type Outcome<T> = std::result::Result<T, Failure>;

/// Levels of statements inside statements: EXPLAIN of a COPY, PREPARE of an EXPLAIN.
const STATEMENT_NESTING_MAX: usize = 4;

/// Parses one statement, up to but without its semicolon.
pub(super) fn parse_statement(parser: &mut Parser, notes: &mut Notes) -> Outcome<Statement> {
    parse_nested(parser, notes, 0)
}

fn parse_nested(parser: &mut Parser, notes: &mut Notes, depth: usize) -> Outcome<Statement> {
    let first = parser.peek_token();
    if depth > STATEMENT_NESTING_MAX {
        return Err(unexpected(&first, "a query"));
    }
    let start = span_of(first.span);
    let kind = match word(&first).as_str() {
        // Only what was cut out and is read on its own begins so.
        "PIVOT" | "PIVOT_WIDER" | "UNPIVOT" | "PIVOT_LONGER" => {
            StatementKind::Query(reshape::query(parser, notes)?)
        }
        "SELECT" | "WITH" | "FROM" | "VALUES" | "TABLE" | "(" => {
            StatementKind::Query(parse_query(parser, notes)?)
        }
        "EXPLAIN" => explain(parser, notes, depth)?,
        "DESCRIBE" | "DESC" => {
            parser.advance_token();
            described(parser, notes)?
        }
        "SUMMARIZE" => {
            parser.advance_token();
            StatementKind::Summarize(query_or_table(parser, notes)?)
        }
        "SHOW" => show(parser, notes)?,
        "SET" | "PRAGMA" => set(parser, notes)?,
        "RESET" => {
            parser.advance_token();
            take_scope(parser);
            StatementKind::Reset(identifier(parser)?)
        }
        "PREPARE" => {
            parser.advance_token();
            let name = identifier(parser)?;
            parser.expect_keyword_is(Keyword::AS)?;
            let statement = Box::new(parse_nested(parser, &mut notes.nested(), depth + 1)?);
            StatementKind::Prepare { name, statement }
        }
        "EXECUTE" => execute(parser, notes)?,
        "DEALLOCATE" => {
            parser.advance_token();
            take_word(parser, "PREPARE");
            StatementKind::Deallocate(identifier(parser)?)
        }
        "CREATE" => create(parser, notes)?,
        "FIT" => transform::fit(parser, notes)?,
        "EXPORT" => transform::export(parser)?,
        "IMPORT" => transform::import(parser)?,
        "DROP" => drop_statement(parser)?,
        "COPY" => StatementKind::Copy(copy(parser, notes)?),
        other => return Err(refused(other, &first)),
    };
    let end = span_of(parser.get_current_token().span);
    Ok(Statement { kind, span: start.union(end) })
}

/// Statements of other systems are refused by name; other words are no statement at all.
fn refused(word: &str, token: &TokenWithSpan) -> Failure {
    const KNOWN: [&str; 19] = [
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "TRUNCATE",
        "ALTER",
        "ATTACH",
        "DETACH",
        "USE",
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "CALL",
        "INSTALL",
        "LOAD",
        "VACUUM",
        "ANALYZE",
        "CHECKPOINT",
    ];
    match KNOWN.contains(&word) {
        true => Error::unsupported(format!("{word} is"), span_of(token.span)).into(),
        false => unexpected(token, "a statement such as SELECT, COPY, CREATE or DESCRIBE"),
    }
}

/// The token as an upper-case word, or as its text.
pub(super) fn word(token: &TokenWithSpan) -> String {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
        other => other.to_string(),
    }
}

/// Takes the next token if it is this word.
pub(super) fn take_word(parser: &mut Parser, expected: &str) -> bool {
    let found = word(parser.peek_token_ref()) == expected;
    if found {
        parser.advance_token();
    }
    found
}

pub(super) fn expect_word(parser: &mut Parser, expected: &str) -> Outcome<()> {
    match take_word(parser, expected) {
        true => Ok(()),
        false => Err(unexpected(parser.peek_token_ref(), expected)),
    }
}

pub(super) fn identifier(parser: &mut Parser) -> Outcome<Name> {
    Ok(name_of(parser.parse_identifier()?))
}

/// A name without a schema.
pub(super) fn simple_name(parser: &mut Parser) -> Outcome<Name> {
    let name = parser.parse_object_name(false)?;
    let span = span_of(name.span());
    Ok(single_name(name, span)?)
}

pub(super) fn parse_query(parser: &mut Parser, notes: &mut Notes) -> Outcome<Query> {
    let parsed = parser.parse_query()?;
    Ok(query::convert(*parsed, notes)?)
}

pub(super) fn parse_expression(parser: &mut Parser, notes: &mut Notes) -> Outcome<Expression> {
    let parsed = parser.parse_expr()?;
    Ok(convert_expression(parsed, notes)?)
}

/// A query, or the name of a table that stands for all its rows.
pub(super) fn query_or_table(parser: &mut Parser, notes: &mut Notes) -> Outcome<Query> {
    match word(parser.peek_token_ref()).as_str() {
        "SELECT" | "WITH" | "FROM" | "VALUES" | "(" => parse_query(parser, notes),
        _ => {
            take_word(parser, "TABLE");
            let table = table::table_of(parser.parse_object_name(true)?, notes)?;
            let span = table.span;
            let body = QueryBody::Select(Box::new(table::select_table(table)));
            Ok(Query::of_body(body, span))
        }
    }
}

fn described(parser: &mut Parser, notes: &mut Notes) -> Outcome<StatementKind> {
    match parser.peek_token_ref().token {
        Token::EOF | Token::SemiColon => Ok(StatementKind::ShowTables),
        _ if transform::is_described(parser) => transform::described(parser),
        _ => Ok(StatementKind::Describe(query_or_table(parser, notes)?)),
    }
}

fn explain(parser: &mut Parser, notes: &mut Notes, depth: usize) -> Outcome<StatementKind> {
    parser.advance_token();
    let mut analyze = take_word(parser, "ANALYZE");
    let mut format = ExplainFormat::Text;
    for (name, checked) in [("LEAKAGE", ExplainFormat::Leakage), ("CONSISTENCY", ExplainFormat::Consistency)]
    {
        if !analyze && take_word(parser, name) {
            let statement = Box::new(parse_nested(parser, notes, depth + 1)?);
            return Ok(StatementKind::Explain { analyze, format: checked, statement });
        }
    }
    let options = matches!(
        (&parser.peek_token_ref().token, word(parser.peek_nth_token_ref(1)).as_str()),
        (Token::LParen, "ANALYZE" | "FORMAT")
    );
    if options {
        parser.advance_token();
        loop {
            if take_word(parser, "ANALYZE") {
                analyze = true;
            } else {
                expect_word(parser, "FORMAT")?;
                let token = parser.next_token();
                format = match word(&token).trim_matches('\'').to_uppercase().as_str() {
                    "JSON" => ExplainFormat::Json,
                    "TEXT" => ExplainFormat::Text,
                    "HTML" => ExplainFormat::Html,
                    "SUBSTRAIT" => ExplainFormat::Substrait,
                    other => {
                        let message =
                            format!("EXPLAIN has no format {other}; it has TEXT, JSON, HTML and SUBSTRAIT");
                        return Err(Error::invalid(message, span_of(token.span)).into());
                    }
                };
            }
            if !parser.consume_token(&Token::Comma) {
                break;
            }
        }
        parser.expect_token(&Token::RParen)?;
    }
    let statement = Box::new(parse_nested(parser, notes, depth + 1)?);
    Ok(StatementKind::Explain { analyze, format, statement })
}

fn show(parser: &mut Parser, notes: &mut Notes) -> Outcome<StatementKind> {
    parser.advance_token();
    let token = parser.peek_token();
    let next = word(parser.peek_nth_token_ref(1));
    let kind = match (word(&token).as_str(), next.as_str()) {
        ("TABLES", _) => StatementKind::ShowTables,
        ("ALL", "TABLES") => {
            parser.advance_token();
            StatementKind::ShowAllTables
        }
        ("FUNCTIONS", _) => StatementKind::ShowFunctions,
        ("TRANSFORMS", _) => StatementKind::ShowTransforms,
        ("SETTINGS", _) => StatementKind::ShowSettings(None),
        ("TABLE", _) => {
            parser.advance_token();
            return Ok(StatementKind::Describe(query_or_table(parser, notes)?));
        }
        _ => return Ok(StatementKind::ShowSettings(Some(identifier(parser)?))),
    };
    parser.advance_token();
    Ok(kind)
}

/// `SESSION`, `GLOBAL` and `LOCAL` before a setting have no meaning here.
fn take_scope(parser: &mut Parser) {
    let scoped = matches!(word(parser.peek_token_ref()).as_str(), "SESSION" | "GLOBAL" | "LOCAL");
    if scoped && matches!(parser.peek_nth_token_ref(1).token, Token::Word(_)) {
        parser.advance_token();
    }
}

fn set(parser: &mut Parser, notes: &mut Notes) -> Outcome<StatementKind> {
    parser.advance_token();
    take_scope(parser);
    let name = identifier(parser)?;
    let assigned = parser.consume_token(&Token::Eq) || take_word(parser, "TO");
    if !assigned {
        return Err(unexpected(parser.peek_token_ref(), "= and a value"));
    }
    let value = setting_value(parser, notes)?;
    Ok(StatementKind::Set { name, value })
}

/// A value, where a bare word stands for its text: `SET float_sum = fast`.
fn setting_value(parser: &mut Parser, notes: &mut Notes) -> Outcome<Expression> {
    let value = parse_expression(parser, notes)?;
    Ok(match value.kind {
        ExpressionKind::Column(names) if names.len() == 1 => {
            let text = names.into_iter().map(|name| name.text).collect();
            Expression::new(ExpressionKind::Literal(LiteralText::Text(text)), value.span)
        }
        kind => Expression::new(kind, value.span),
    })
}

fn execute(parser: &mut Parser, notes: &mut Notes) -> Outcome<StatementKind> {
    parser.advance_token();
    let name = identifier(parser)?;
    let arguments = match parser.consume_token(&Token::LParen) {
        true => call::table_arguments(parser.parse_optional_args()?, notes)?,
        false => Vec::new(),
    };
    Ok(StatementKind::Execute { name, arguments })
}

fn create(parser: &mut Parser, notes: &mut Notes) -> Outcome<StatementKind> {
    parser.advance_token();
    let replace = take_word(parser, "OR");
    if replace {
        expect_word(parser, "REPLACE")?;
    }
    if !take_word(parser, "TEMP") {
        take_word(parser, "TEMPORARY");
    }
    let token = parser.next_token();
    let what = word(&token);
    if !matches!(what.as_str(), "VIEW" | "TABLE" | "FUNCTION" | "MACRO" | "TRANSFORM") {
        return Err(match token.token {
            Token::Word(_) => Error::unsupported(format!("CREATE {what} is"), span_of(token.span)).into(),
            _ => unexpected(&token, "VIEW, TABLE, FUNCTION, MACRO or TRANSFORM"),
        });
    }
    let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let name = simple_name(parser)?;
    if matches!(what.as_str(), "FUNCTION" | "MACRO") {
        return create_macro(parser, notes, name, replace, if_not_exists);
    }
    if what == "TRANSFORM" {
        return transform::create(parser, notes, name, replace, if_not_exists);
    }
    let columns = column_names(parser)?;
    parser.expect_keyword_is(Keyword::AS)?;
    let query = parse_query(parser, notes)?;
    Ok(match what.as_str() {
        "VIEW" => StatementKind::CreateView(CreateView { name, columns, query, replace, if_not_exists }),
        _ => StatementKind::CreateTable(CreateTable { name, columns, query, replace, if_not_exists }),
    })
}

fn column_names(parser: &mut Parser) -> Outcome<Vec<Name>> {
    let mut columns = Vec::new();
    if !parser.consume_token(&Token::LParen) {
        return Ok(columns);
    }
    loop {
        columns.push(identifier(parser)?);
        if let Token::Word(word) = &parser.peek_token_ref().token {
            let message = format!("columns with types ({} ..) are", word.value);
            let span = span_of(parser.peek_token_ref().span);
            return Err(Error::unsupported(message, span).into());
        }
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RParen)?;
            return Ok(columns);
        }
    }
}

fn create_macro(
    parser: &mut Parser,
    notes: &mut Notes,
    name: Name,
    replace: bool,
    if_not_exists: bool,
) -> Outcome<StatementKind> {
    let mut macro_parameters: Vec<MacroParameter> = Vec::new();
    parser.expect_token(&Token::LParen)?;
    while !parser.consume_token(&Token::RParen) {
        let name = identifier(parser)?;
        let has_default = parser.consume_token(&Token::Assignment) || parser.consume_token(&Token::RArrow);
        let default = match has_default {
            true => Some(parse_expression(parser, notes)?),
            false => None,
        };
        if macro_parameters.iter().any(|other| other.name.is(&name.text)) {
            return Err(
                Error::invalid(format!("parameter \"{}\" is there twice", name.text), name.span).into()
            );
        }
        macro_parameters.push(MacroParameter { name, default });
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RParen)?;
            break;
        }
    }
    parser.expect_keyword_is(Keyword::AS)?;
    let body = match take_word(parser, "TABLE") {
        true => MacroBody::Table(Box::new(parse_query(parser, notes)?)),
        false => MacroBody::Scalar(parse_expression(parser, notes)?),
    };
    Ok(StatementKind::CreateMacro(CreateMacro {
        name,
        parameters: macro_parameters,
        body,
        replace,
        if_not_exists,
    }))
}

fn drop_statement(parser: &mut Parser) -> Outcome<StatementKind> {
    parser.advance_token();
    let token = parser.next_token();
    let kind = match word(&token).as_str() {
        "TABLE" => DropKind::Table,
        "VIEW" => DropKind::View,
        "FUNCTION" | "MACRO" => {
            take_word(parser, "TABLE");
            DropKind::Macro
        }
        "TRANSFORM" => DropKind::Transform,
        other if matches!(token.token, Token::Word(_)) => {
            return Err(Error::unsupported(format!("DROP {other} is"), span_of(token.span)).into());
        }
        _ => return Err(unexpected(&token, "TABLE, VIEW, FUNCTION, MACRO or TRANSFORM")),
    };
    let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    Ok(StatementKind::Drop { kind, name: simple_name(parser)?, if_exists })
}

fn copy(parser: &mut Parser, notes: &mut Notes) -> Outcome<CopyStatement> {
    parser.advance_token();
    let query = match parser.consume_token(&Token::LParen) {
        true => {
            let query = parse_query(parser, notes)?;
            parser.expect_token(&Token::RParen)?;
            query
        }
        false => query_or_table(parser, notes)?,
    };
    if word(parser.peek_token_ref()) == "FROM" {
        let message = "COPY .. FROM, which would be CREATE TABLE .. AS FROM 'file', is";
        return Err(Error::unsupported(message, span_of(parser.peek_token_ref().span)).into());
    }
    expect_word(parser, "TO")?;
    let token = parser.next_token();
    let target = match &token.token {
        Token::SingleQuotedString(path) => path.clone(),
        Token::Word(word) if word.value.eq_ignore_ascii_case("stdout") => "/dev/stdout".to_owned(),
        _ => return Err(unexpected(&token, "a path in quotes")),
    };
    let options = match parser.consume_token(&Token::LParen) {
        true => copy_options(parser, notes)?,
        false => Vec::new(),
    };
    Ok(CopyStatement { query, target, target_span: span_of(token.span), options })
}

/// `(FORMAT parquet, HEADER, PARTITION_BY (a, b), COMPRESSION 'zstd')`.
fn copy_options(parser: &mut Parser, notes: &mut Notes) -> Outcome<Vec<(Name, Option<Expression>)>> {
    let mut options = Vec::new();
    while !parser.consume_token(&Token::RParen) {
        let token = parser.next_token();
        let Token::Word(word) = &token.token else { return Err(unexpected(&token, "the name of an option")) };
        let name = Name::new(word.value.clone(), span_of(token.span));
        let _ = parser.consume_token(&Token::Eq);
        let value = match parser.peek_token_ref().token {
            Token::Comma | Token::RParen => None,
            _ => Some(option_value(parser, notes)?),
        };
        options.push((name, value));
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RParen)?;
            break;
        }
    }
    Ok(options)
}

/// An option's value: bare words are text, and words in parentheses a list of texts.
fn option_value(parser: &mut Parser, notes: &mut Notes) -> Outcome<Expression> {
    let value = setting_value(parser, notes)?;
    let as_text = |item: Expression| match item.kind {
        ExpressionKind::Column(names) => {
            let text = names.last().map(|name| name.text.clone()).unwrap_or_default();
            Expression::new(ExpressionKind::Literal(LiteralText::Text(text)), item.span)
        }
        kind => Expression::new(kind, item.span),
    };
    Ok(match value.kind {
        ExpressionKind::Row(items) | ExpressionKind::List(items) => {
            let items = items.into_iter().map(as_text).collect();
            Expression::new(ExpressionKind::List(items), value.span)
        }
        kind => as_text(Expression::new(kind, value.span)),
    })
}

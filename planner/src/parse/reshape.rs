//! PIVOT, UNPIVOT and samples, read from the tokens that were cut out.

use sqlparser::ast::{self, Expr};
use sqlparser::dialect::{Dialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::parse::adjust::keyword;
use crate::parse::dialect::HypostyleDialect;
use crate::parse::expression::{convert as convert_expression, name_of, names_of};
use crate::parse::failure::{Failure, unexpected};
use crate::parse::statement::{expect_word, identifier, parse_expression, take_word, word};
use crate::parse::{Notes, parse_cut_out, query as queries, span_of, table};
use crate::span::Span;
use crate::tree::{
    Expression, ExpressionKind, Name, OrderBy, Pivot, PivotColumn, PivotValue, Query, QueryBody, Sample,
    SampleMethod, SampleSize, SelectItem, Table, TableKind, Unpivot,
};

type Outcome<T> = std::result::Result<T, Failure>;

/// `PIVOT t ON .. USING .. GROUP BY ..` and `UNPIVOT t ON .. INTO NAME .. VALUE ..`, with ORDER BY and LIMIT behind.
pub(super) fn query(parser: &mut Parser, notes: &mut Notes) -> Outcome<Query> {
    let first = parser.next_token();
    let is_pivot = matches!(word(&first).as_str(), "PIVOT" | "PIVOT_WIDER");
    let start = span_of(first.span);
    let tables = parser.parse_table_and_joins()?;
    let source = table::convert(tables, notes)?;
    let kind = match is_pivot {
        true => TableKind::Pivot(Box::new(pivot(source, parser, notes)?)),
        false => TableKind::Unpivot(Box::new(unpivot(source, parser, notes)?)),
    };
    let order_by = match parser.parse_optional_order_by()? {
        Some(order_by) => queries::convert_order(order_by, notes)?,
        None => OrderBy::None,
    };
    let mut limit = None;
    let mut offset = None;
    if parser.parse_keyword(Keyword::LIMIT) {
        limit = parser.parse_limit()?.map(|value| convert_expression(value, notes)).transpose()?;
    }
    if parser.parse_keyword(Keyword::OFFSET) {
        offset = Some(convert_expression(parser.parse_offset()?.value, notes)?);
    }
    let span = start.union(span_of(parser.get_current_token().span));
    let body = QueryBody::Select(Box::new(table::select_table(Table { kind, alias: None, span })));
    let (limit, percent) = queries::split_percent(limit);
    Ok(Query { order_by, limit, percent, offset, ..Query::of_body(body, span) })
}

fn pivot(table: Table, parser: &mut Parser, notes: &mut Notes) -> Outcome<Pivot> {
    let mut columns = Vec::new();
    if parser.parse_keyword(Keyword::ON) {
        columns.push(pivot_column(parser, notes)?);
        while parser.consume_token(&Token::Comma) {
            columns.push(pivot_column(parser, notes)?);
        }
    }
    let mut aggregates = Vec::new();
    if parser.parse_keyword(Keyword::USING) {
        aggregates = items(parser, notes)?;
    }
    let group_by = group_names(parser)?;
    Ok(Pivot { table, columns, aggregates, group_by })
}

/// `expression [IN (values)]`; several keys in parentheses are compared together.
fn pivot_column(parser: &mut Parser, notes: &mut Notes) -> Outcome<PivotColumn> {
    let strength = HypostyleDialect::new(0).prec_value(Precedence::Between);
    let start = parser.index();
    let mut key = parser.parse_subexpr(strength)?;
    if !parser.parse_keyword(Keyword::IN) {
        let next = parser.peek_token_ref();
        if !matches!(next.token, Token::Comma | Token::EOF | Token::RParen | Token::Word(_)) {
            // An operator that binds no more strongly than IN: the key is the whole of it.
            while parser.index() > start {
                parser.prev_token();
            }
            key = parser.parse_expr()?;
        }
        return Ok(PivotColumn { keys: vec![convert_expression(key, notes)?], values: None });
    }
    let key = convert_expression(key, notes)?;
    let mut values = Vec::new();
    parser.expect_token(&Token::LParen)?;
    loop {
        let value = parse_expression(parser, notes)?;
        let alias = alias(parser)?;
        let values_of_keys = match value.kind {
            ExpressionKind::Row(items) => items,
            kind => vec![Expression::new(kind, value.span)],
        };
        values.push(PivotValue { values: values_of_keys, alias });
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::RParen)?;
    Ok(PivotColumn { keys: vec![key], values: Some(values) })
}

fn alias(parser: &mut Parser) -> Outcome<Option<Name>> {
    match parser.parse_keyword(Keyword::AS) {
        true => Ok(Some(identifier(parser)?)),
        false => Ok(None),
    }
}

fn items(parser: &mut Parser, notes: &mut Notes) -> Outcome<Vec<SelectItem>> {
    let mut items = Vec::new();
    loop {
        items.push(queries::convert_item(parser.parse_select_item()?, notes)?);
        if !parser.consume_token(&Token::Comma) {
            return Ok(items);
        }
    }
}

fn group_names(parser: &mut Parser) -> Outcome<Option<Vec<Name>>> {
    if !parser.parse_keywords(&[Keyword::GROUP, Keyword::BY]) {
        return Ok(None);
    }
    let mut names = vec![identifier(parser)?];
    while parser.consume_token(&Token::Comma) {
        names.push(identifier(parser)?);
    }
    Ok(Some(names))
}

fn unpivot(table: Table, parser: &mut Parser, notes: &mut Notes) -> Outcome<Unpivot> {
    parser.expect_keyword_is(Keyword::ON)?;
    let entries = items(parser, notes)?;
    let (mut name, mut values) = (Name::new("name", table.span), vec![Name::new("value", table.span)]);
    if parser.parse_keyword(Keyword::INTO) {
        expect_word(parser, "NAME")?;
        name = identifier(parser)?;
        if !take_word(parser, "VALUES") {
            expect_word(parser, "VALUE")?;
        }
        values = vec![identifier(parser)?];
        while parser.consume_token(&Token::Comma) {
            values.push(identifier(parser)?);
        }
    }
    Ok(Unpivot { table, include_nulls: false, name, values, entries })
}

/// What stands behind a table: the tokens under the name of this call.
pub(super) fn behind_table(call: Option<&Expr>, table: Table, notes: &Notes) -> Result<TableKind> {
    let name = match call {
        Some(Expr::Function(function)) => names_of(function.name.clone())?.pop(),
        _ => None,
    };
    let Some(tokens) = name.and_then(|name| notes.cut_tokens(&name.text)) else {
        return Err(Error::syntax("PIVOT needs parentheses around its aggregates", table.span));
    };
    parse_cut_out(tokens, |parser, notes| {
        let kind = suffix(table, parser, notes)?;
        at_end(parser)?;
        Ok(kind)
    })
}

fn at_end(parser: &Parser) -> Outcome<()> {
    match parser.peek_token_ref() {
        next if next.token == Token::EOF => Ok(()),
        next => Err(unexpected(next, "the end of this clause")),
    }
}

fn suffix(table: Table, parser: &mut Parser, notes: &mut Notes) -> Outcome<TableKind> {
    let first = parser.next_token();
    match word(&first).as_str() {
        "TABLESAMPLE" => {
            let sample = sample_entry(span_of(first.span), parser)?;
            Ok(TableKind::Sample { table: Box::new(table), sample })
        }
        "PIVOT" => pivot_clause(table, parser, notes),
        _ => unpivot_clause(table, parser, notes),
    }
}

/// `PIVOT (sum(x) AS total, .. FOR a IN (1, 2) b IN (3, 4) GROUP BY c)`.
fn pivot_clause(table: Table, parser: &mut Parser, notes: &mut Notes) -> Outcome<TableKind> {
    parser.expect_token(&Token::LParen)?;
    let mut aggregates = Vec::new();
    loop {
        let expression = parse_expression(parser, notes)?;
        aggregates.push(SelectItem { expression, alias: implicit_alias(parser)? });
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_keyword_is(Keyword::FOR)?;
    let mut columns = Vec::new();
    loop {
        let column = pivot_column(parser, notes)?;
        if column.values.is_none() {
            return Err(unexpected(parser.peek_token_ref(), "IN and the values that become columns"));
        }
        let PivotColumn { keys, values } = column;
        let keys = match keys.into_iter().next() {
            // Keys in parentheses are compared together with the values of one entry.
            Some(Expression { kind: ExpressionKind::Row(keys), .. }) => keys,
            key => key.into_iter().collect(),
        };
        columns.push(PivotColumn { keys, values });
        if parser.peek_token_ref().token == Token::RParen || parser.peek_keyword(Keyword::GROUP) {
            break;
        }
    }
    let group_by = group_names(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(TableKind::Pivot(Box::new(Pivot { table, columns, aggregates, group_by })))
}

/// The alias of an aggregate, before FOR or a comma.
fn implicit_alias(parser: &mut Parser) -> Outcome<Option<Name>> {
    if let Some(name) = alias(parser)? {
        return Ok(Some(name));
    }
    let next = parser.peek_token_ref();
    match &next.token {
        Token::Word(_) if keyword(next) != Keyword::FOR => Ok(Some(identifier(parser)?)),
        _ => Ok(None),
    }
}

/// `UNPIVOT [INCLUDE | EXCLUDE NULLS] (value FOR name IN (a, b AS c, (d, e)))`.
fn unpivot_clause(table: Table, parser: &mut Parser, notes: &mut Notes) -> Outcome<TableKind> {
    let include_nulls = take_word(parser, "INCLUDE");
    if include_nulls || take_word(parser, "EXCLUDE") {
        expect_word(parser, "NULLS")?;
    }
    parser.expect_token(&Token::LParen)?;
    let values = one_or_several_names(parser)?;
    parser.expect_keyword_is(Keyword::FOR)?;
    let mut names = one_or_several_names(parser)?;
    let name = match (names.pop(), names.is_empty()) {
        (Some(name), true) => name,
        _ => return Err(unexpected(parser.peek_token_ref(), "one name of a column before IN")),
    };
    parser.expect_keyword_is(Keyword::IN)?;
    parser.expect_token(&Token::LParen)?;
    let mut entries = Vec::new();
    loop {
        let item = parser.parse_select_item()?;
        let text_alias = match &parser.peek_token_ref().token {
            Token::SingleQuotedString(_) => Some(identifier(parser)?),
            _ => None,
        };
        let item = queries::convert_item(item, notes)?;
        entries.push(SelectItem { alias: item.alias.or(text_alias), ..item });
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::RParen)?;
    parser.expect_token(&Token::RParen)?;
    Ok(TableKind::Unpivot(Box::new(Unpivot { table, include_nulls, name, values, entries })))
}

fn one_or_several_names(parser: &mut Parser) -> Outcome<Vec<Name>> {
    if !parser.consume_token(&Token::LParen) {
        return Ok(vec![identifier(parser)?]);
    }
    let mut names = vec![identifier(parser)?];
    while parser.consume_token(&Token::Comma) {
        names.push(identifier(parser)?);
    }
    parser.expect_token(&Token::RParen)?;
    Ok(names)
}

/// Takes the sample that stands for USING SAMPLE out of the windows of a SELECT.
pub(super) fn take_sample(
    windows: &mut Vec<ast::NamedWindowDefinition>,
    notes: &Notes,
) -> Result<Option<Sample>> {
    let position = windows.iter().position(|window| notes.cut_tokens(&window.0.value).is_some());
    let Some(window) = position.map(|position| windows.remove(position)) else { return Ok(None) };
    let span = span_of(window.0.span);
    let tokens: Vec<TokenWithSpan> = notes.cut_tokens(&name_of(window.0).text).unwrap_or_default();
    parse_cut_out(tokens, |parser, _| {
        parser.advance_token();
        parser.advance_token();
        let sample = sample_entry(span, parser)?;
        at_end(parser)?;
        Ok(sample)
    })
    .map(Some)
}

/// `10%`, `5 ROWS`, `(10 PERCENT)`, `10% (bernoulli, 42)`, `reservoir(5 ROWS) REPEATABLE (42)`.
fn sample_entry(span: Span, parser: &mut Parser) -> Outcome<Sample> {
    let mut method = None;
    let is_method = matches!(parser.peek_token_ref().token, Token::Word(_));
    if is_method {
        method = Some(sample_method(parser)?);
    }
    let in_parentheses = parser.consume_token(&Token::LParen);
    let size = sample_size(parser)?;
    if in_parentheses {
        parser.expect_token(&Token::RParen)?;
    }
    let mut seed = None;
    if !in_parentheses && parser.consume_token(&Token::LParen) {
        method = Some(sample_method(parser)?);
        if parser.consume_token(&Token::Comma) {
            seed = Some(parser.parse_literal_uint()?);
        }
        parser.expect_token(&Token::RParen)?;
    } else if in_parentheses && parser.parse_keyword(Keyword::REPEATABLE) {
        parser.expect_token(&Token::LParen)?;
        seed = Some(parser.parse_literal_uint()?);
        parser.expect_token(&Token::RParen)?;
    }
    if method == Some(SampleMethod::Bernoulli) && matches!(size, SampleSize::Rows(_)) {
        let message = "BERNOULLI takes a percentage; a number of rows needs RESERVOIR";
        return Err(Error::syntax(message, span).into());
    }
    Ok(Sample { method, size, seed, span })
}

fn sample_method(parser: &mut Parser) -> Outcome<SampleMethod> {
    let token = parser.next_token();
    match word(&token).as_str() {
        "BERNOULLI" => Ok(SampleMethod::Bernoulli),
        "SYSTEM" => Ok(SampleMethod::System),
        "RESERVOIR" => Ok(SampleMethod::Reservoir),
        _ => Err(unexpected(&token, "BERNOULLI, SYSTEM or RESERVOIR")),
    }
}

fn sample_size(parser: &mut Parser) -> Outcome<SampleSize> {
    let token = parser.next_token();
    let number = match &token.token {
        Token::Number(digits, _) => digits.replace('_', "").parse::<f64>().ok(),
        _ => None,
    };
    let Some(number) = number else { return Err(unexpected(&token, "the size of a sample, such as 10%")) };
    if parser.consume_token(&Token::Mod) || parser.parse_keyword(Keyword::PERCENT) {
        if !(0.0..=100.0).contains(&number) {
            let message = format!("a sample of {number}%; a percentage is from 0 to 100");
            return Err(Error::syntax(message, span_of(token.span)).into());
        }
        return Ok(SampleSize::Percent(number));
    }
    let _ = parser.parse_keyword(Keyword::ROWS);
    Ok(SampleSize::Rows(number as u64))
}

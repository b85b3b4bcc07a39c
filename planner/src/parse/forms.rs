//! Forms that the parser does not know, read from its tokens: lambdas, comprehensions, struct literals and nested types.

use sqlparser::ast::{
    ArrayElemTypeDef, CastKind, DataType, DictionaryField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, LambdaFunction, LambdaFunctionParameter, LambdaSyntax,
    MapBracketKind, ObjectName, OneOrManyWithParens, StructBracketKind, StructField, TypedString,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

/// `x -> body` or `(x, y) -> body`; the caller has looked ahead.
pub(super) fn arrow_lambda(parser: &mut Parser) -> Result<Expr, ParserError> {
    let params = if parser.consume_token(&Token::LParen) {
        let parameters = parser.parse_comma_separated(parameter)?;
        parser.expect_token(&Token::RParen)?;
        OneOrManyWithParens::Many(parameters)
    } else {
        OneOrManyWithParens::One(parameter(parser)?)
    };
    parser.expect_token(&Token::Arrow)?;
    let body = Box::new(parser.parse_expr()?);
    Ok(Expr::Lambda(LambdaFunction { params, body, syntax: LambdaSyntax::Arrow }))
}

/// `lambda x, y: body`; the caller has looked ahead.
pub(super) fn keyword_lambda(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.advance_token();
    let parenthesized = parser.consume_token(&Token::LParen);
    // Not `parse_comma_separated`, which would take the colon for the end after a trailing comma.
    let mut parameters = vec![parameter(parser)?];
    while parser.consume_token(&Token::Comma) {
        parameters.push(parameter(parser)?);
    }
    if parenthesized {
        parser.expect_token(&Token::RParen)?;
    }
    parser.expect_token(&Token::Colon)?;
    let body = Box::new(parser.parse_expr()?);
    let params = OneOrManyWithParens::Many(parameters);
    Ok(Expr::Lambda(LambdaFunction { params, body, syntax: LambdaSyntax::LambdaKeyword }))
}

fn parameter(parser: &mut Parser) -> Result<LambdaFunctionParameter, ParserError> {
    Ok(LambdaFunctionParameter { name: parser.parse_identifier()?, data_type: None })
}

/// Parameters that a lambda can have; bounds the look ahead.
const LAMBDA_PARAMETERS_MAX: usize = 16;

/// Looks ahead for `(name [, name]..) ->`.
pub(super) fn is_parenthesized_lambda(parser: &Parser) -> bool {
    let mut position = 1;
    while position < 2 * LAMBDA_PARAMETERS_MAX {
        if !matches!(parser.peek_nth_token_ref(position).token, Token::Word(_)) {
            return false;
        }
        match parser.peek_nth_token_ref(position + 1).token {
            Token::Comma => position += 2,
            Token::RParen => return parser.peek_nth_token_ref(position + 2).token == Token::Arrow,
            _ => return false,
        }
    }
    false
}

/// Looks ahead from the word `lambda` for `name [, name].. :`, in parentheses or not.
pub(super) fn is_keyword_lambda(parser: &Parser) -> bool {
    let mut position = 1 + usize::from(parser.peek_nth_token_ref(1).token == Token::LParen);
    while position < 2 * LAMBDA_PARAMETERS_MAX {
        if !matches!(parser.peek_nth_token_ref(position).token, Token::Word(_)) {
            return false;
        }
        match parser.peek_nth_token_ref(position + 1).token {
            Token::Comma => position += 2,
            Token::RParen => return parser.peek_nth_token_ref(position + 2).token == Token::Colon,
            Token::Colon => return true,
            _ => return false,
        }
    }
    false
}

/// `{name: value, 'name': value}`.
pub(super) fn struct_literal(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.expect_token(&Token::LBrace)?;
    let mut fields = Vec::new();
    while !parser.consume_token(&Token::RBrace) {
        let token = parser.next_token();
        let key = match token.token {
            Token::Word(word) => Ident { value: word.value, quote_style: word.quote_style, span: token.span },
            Token::SingleQuotedString(text) => Ident::with_quote_and_span('\'', token.span, text),
            _ => return parser.expected("a field name", token),
        };
        parser.expect_token(&Token::Colon)?;
        fields.push(DictionaryField { key, value: Box::new(parser.parse_expr()?) });
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RBrace)?;
            break;
        }
    }
    Ok(Expr::Dictionary(fields))
}

/// The types of timestamps that the parser does not know by name.
pub(super) fn is_timestamp_type(word: &str) -> bool {
    ["timestamp_s", "timestamp_ms", "timestamp_us", "timestamp_ns"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

/// `TIMESTAMP_S '..'`.
pub(super) fn typed_text(parser: &mut Parser) -> Result<Expr, ParserError> {
    let data_type = parser.parse_data_type()?;
    let value = parser.parse_value()?;
    Ok(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }))
}

/// Looks ahead for FOR between this bracket and its partner.
pub(super) fn is_comprehension(parser: &Parser) -> bool {
    let mut depth = 0usize;
    for position in 1..COMPREHENSION_TOKENS_MAX {
        match &parser.peek_nth_token_ref(position).token {
            Token::LBracket | Token::LParen | Token::LBrace => depth += 1,
            Token::RBracket | Token::RParen | Token::RBrace if depth == 0 => return false,
            Token::RBracket | Token::RParen | Token::RBrace => depth -= 1,
            Token::Comma if depth == 0 => return false,
            Token::Word(word) if depth == 0 && word.keyword == Keyword::FOR => return true,
            Token::EOF => return false,
            _ => {}
        }
    }
    false
}

/// Tokens of the value of a comprehension; bounds the look ahead.
const COMPREHENSION_TOKENS_MAX: usize = 200;

/// `[value FOR x IN list IF condition]` is a filter of the list and a transform of what it keeps.
pub(super) fn comprehension(parser: &mut Parser) -> Result<Expr, ParserError> {
    let opening = parser.expect_token(&Token::LBracket)?.span;
    let value = parser.parse_expr()?;
    parser.expect_keyword_is(Keyword::FOR)?;
    let mut parameters = vec![parameter(parser)?];
    while parser.consume_token(&Token::Comma) {
        parameters.push(parameter(parser)?);
    }
    parser.expect_keyword_is(Keyword::IN)?;
    let mut list = parser.parse_expr()?;
    let lambda = |body: Expr| {
        let params = OneOrManyWithParens::Many(parameters.clone());
        Expr::Lambda(LambdaFunction { params, body: Box::new(body), syntax: LambdaSyntax::LambdaKeyword })
    };
    if parser.parse_keyword(Keyword::IF) {
        list = call("list_filter", opening, [list, lambda(parser.parse_expr()?)]);
    }
    parser.expect_token(&Token::RBracket)?;
    Ok(call("list_transform", opening, [list, lambda(value)]))
}

fn call(name: &str, span: Span, arguments: [Expr; 2]) -> Expr {
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)));
    let list = FunctionArgumentList { duplicate_treatment: None, args: args.collect(), clauses: Vec::new() };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_span(span, name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// `CAST(value AS type)`, read here because the parser knows MAP types only in other dialects.
pub(super) fn cast(parser: &mut Parser, kind: CastKind) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_expr()?);
    parser.expect_keyword_is(Keyword::AS)?;
    let data_type = nested_type(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Cast { kind, expr, data_type, format: None })
}

pub(super) fn is_nested_type(token: &Token) -> bool {
    matches!(token, Token::Word(word) if matches!(word.keyword, Keyword::MAP | Keyword::STRUCT | Keyword::ROW))
}

/// A type that may hold MAP and STRUCT types at any depth.
pub(super) fn nested_type(parser: &mut Parser) -> Result<DataType, ParserError> {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if !is_nested_type(&parser.peek_token_ref().token)
            || parser.peek_nth_token_ref(1).token != Token::LParen
        {
            return parser.parse_data_type();
        }
        let word = parser.next_token();
        parser.expect_token(&Token::LParen)?;
        let mut data_type = if matches!(&word.token, Token::Word(word) if word.keyword == Keyword::MAP) {
            let key = nested_type(parser)?;
            parser.expect_token(&Token::Comma)?;
            DataType::Map(Box::new(key), Box::new(nested_type(parser)?), MapBracketKind::Parentheses)
        } else {
            let fields = parser.parse_comma_separated(|parser| {
                let field_name = Some(parser.parse_identifier()?);
                Ok(StructField { field_name, field_type: nested_type(parser)?, options: None })
            })?;
            DataType::Struct(fields, StructBracketKind::Parentheses)
        };
        parser.expect_token(&Token::RParen)?;
        while parser.consume_token(&Token::LBracket) {
            let dimension = match parser.peek_token_ref().token {
                Token::RBracket => None,
                _ => Some(parser.parse_literal_uint()?),
            };
            parser.expect_token(&Token::RBracket)?;
            data_type = DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(data_type), dimension));
        }
        Ok(data_type)
    })
}

//! The SQL dialect: DuckDB's words, operators and precedences, as answers to the parser's questions.

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, CastKind, DataType, DictionaryField, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, LambdaFunction, LambdaFunctionParameter,
    LambdaSyntax, MapBracketKind, ObjectName, OneOrManyWithParens, StructBracketKind, StructField,
    TypedString, UnaryOperator, Value,
};
use sqlparser::dialect::{Dialect, DuckDbDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token};

/// Visits allowed per token. The parser tries readings one after the other; real queries stay under 20.
const VISITS_PER_TOKEN_MAX: usize = 200;

/// Binding strength, weakest first. DuckDB's (and so PostgreSQL's) table; the parser's own differs.
mod strength {
    pub const OR: u8 = 5;
    pub const AND: u8 = 10;
    pub const NOT: u8 = 15;
    pub const IS: u8 = 17;
    pub const COMPARE: u8 = 20;
    pub const BETWEEN: u8 = 22;
    pub const OTHER: u8 = 25;
    pub const PLUS: u8 = 30;
    pub const MULTIPLY: u8 = 40;
    pub const POWER: u8 = 42;
    pub const ZONE: u8 = 44;
    pub const SIGN: u8 = 46;
    pub const CAST: u8 = 50;
    pub const PERIOD: u8 = 100;
}

/// What the grammar is, and how far a parse of one text got.
#[derive(Debug)]
pub struct HypostyleDialect {
    visits: Cell<usize>,
    visits_max: usize,
    furthest: Cell<Location>,
}

impl HypostyleDialect {
    /// A dialect for one text of this many tokens.
    pub fn new(token_count: usize) -> Self {
        Self {
            visits: Cell::new(0),
            visits_max: token_count.saturating_mul(VISITS_PER_TOKEN_MAX).saturating_add(1_000),
            furthest: Cell::new(Location { line: 0, column: 0 }),
        }
    }

    /// The furthest token that was looked at. The parser tries several readings and reports the failure of the last
    /// one; the one that got furthest is what the user meant.
    pub fn furthest(&self) -> Location {
        self.furthest.get()
    }

    fn visit(&self, parser: &Parser) -> Result<(), ParserError> {
        let start = parser.peek_token_ref().span.start;
        if start > self.furthest.get() {
            self.furthest.set(start);
        }
        self.visits.set(self.visits.get() + 1);
        if self.visits.get() > self.visits_max {
            return Err(ParserError::ParserError("the statement is too complex to parse".into()));
        }
        Ok(())
    }
}

impl Dialect for HypostyleDialect {
    fn dialect(&self) -> TypeId {
        // The parser asks for DuckDB by type where it knows a form of it: `//`, struct types, MAP literals.
        TypeId::of::<DuckDbDialect>()
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '$' || ch == '_'
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        match precedence {
            Precedence::Period => strength::PERIOD,
            Precedence::DoubleColon => strength::CAST,
            Precedence::AtTz => strength::ZONE,
            Precedence::MulDivModOp => strength::MULTIPLY,
            Precedence::PlusMinus => strength::PLUS,
            Precedence::Xor
            | Precedence::Ampersand
            | Precedence::Caret
            | Precedence::Pipe
            | Precedence::PgOther => strength::OTHER,
            Precedence::Between | Precedence::Like => strength::BETWEEN,
            Precedence::Eq => strength::COMPARE,
            Precedence::Is => strength::IS,
            Precedence::UnaryNot => strength::NOT,
            Precedence::And => strength::AND,
            Precedence::Or => strength::OR,
            // A colon ends an expression: in slices, struct literals and lambdas.
            Precedence::Colon => 0,
        }
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        if let Err(error) = self.visit(parser) {
            return Some(Err(error));
        }
        let strength = match &parser.peek_token_ref().token {
            Token::Mul if next_is_adjacent_star(parser) => strength::POWER,
            Token::Caret => strength::POWER,
            Token::StringConcat
            | Token::ShiftLeft
            | Token::ShiftRight
            | Token::CaretAt
            | Token::Overlap
            | Token::Tilde
            | Token::ExclamationMarkTilde
            | Token::DoubleTilde
            | Token::DoubleTildeAsterisk
            | Token::ExclamationMarkDoubleTilde
            | Token::ExclamationMarkDoubleTildeAsterisk => strength::OTHER,
            Token::Colon | Token::Assignment => 0,
            Token::Word(word) if word.value.eq_ignore_ascii_case("isnull") => strength::IS,
            _ => return None,
        };
        Some(Ok(strength))
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        if let Err(error) = self.visit(parser) {
            return Some(Err(error));
        }
        match &parser.peek_token_ref().token {
            Token::Word(word)
                if matches!(word.keyword, Keyword::CAST | Keyword::TRY_CAST)
                    && parser.peek_nth_token_ref(1).token == Token::LParen =>
            {
                let kind = if word.keyword == Keyword::CAST { CastKind::Cast } else { CastKind::TryCast };
                Some(cast(parser, kind))
            }
            Token::Word(word) => {
                let lambda = word.keyword == Keyword::LAMBDA && word.quote_style.is_none();
                match &parser.peek_nth_token_ref(1).token {
                    Token::Arrow if word.keyword != Keyword::NULL => Some(arrow_lambda(parser)),
                    Token::SingleQuotedString(_) if is_timestamp_type(&word.value) => {
                        Some(typed_text(parser))
                    }
                    // `date: 1` is a name before a colon, never a DATE literal.
                    Token::Colon => Some(parser.parse_identifier().map(Expr::Identifier)),
                    Token::Word(_) | Token::LParen if lambda && is_keyword_lambda(parser) => {
                        Some(keyword_lambda(parser))
                    }
                    _ => None,
                }
            }
            Token::LBracket if is_comprehension(parser) => Some(comprehension(parser)),
            Token::LParen if is_parenthesized_lambda(parser) => Some(arrow_lambda(parser)),
            Token::LBrace => Some(struct_literal(parser)),
            // Signs bind more strongly than every operator but a cast: `-2 ^ 2` is 4.
            // In `x[2:-:3]` a lone minus is the end of the list.
            Token::Minus if matches!(parser.peek_nth_token_ref(1).token, Token::Colon | Token::RBracket) => {
                let span = parser.next_token().span;
                Some(Ok(Expr::Value(Value::Null.with_span(span))))
            }
            Token::Minus => Some(sign(parser, UnaryOperator::Minus)),
            Token::Plus => Some(sign(parser, UnaryOperator::Plus)),
            Token::AtSign => Some(sign(parser, UnaryOperator::PGAbs)),
            Token::EscapedStringLiteral(_) => {
                let token = parser.next_token();
                let Token::EscapedStringLiteral(text) = token.token else { return None };
                Some(Ok(Expr::Value(Value::EscapedStringLiteral(text).with_span(token.span))))
            }
            _ => None,
        }
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        expression: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        let operator = match &parser.peek_token_ref().token {
            Token::Mul if next_is_adjacent_star(parser) => {
                parser.advance_token();
                BinaryOperator::PGExp
            }
            Token::DoubleColon if is_nested_type(&parser.peek_nth_token_ref(1).token) => {
                parser.advance_token();
                return Some(nested_type(parser).map(|data_type| Expr::Cast {
                    kind: CastKind::DoubleColon,
                    expr: Box::new(expression.clone()),
                    data_type,
                    format: None,
                }));
            }
            Token::CaretAt => BinaryOperator::PGStartsWith,
            Token::Overlap => BinaryOperator::PGOverlap,
            Token::Word(word) if word.keyword == Keyword::GLOB => BinaryOperator::Glob,
            Token::Word(word) if word.value.eq_ignore_ascii_case("isnull") => {
                parser.advance_token();
                return Some(Ok(Expr::IsNull(Box::new(expression.clone()))));
            }
            _ => return None,
        };
        parser.advance_token();
        Some(parser.parse_subexpr(precedence).map(|right| Expr::BinaryOp {
            left: Box::new(expression.clone()),
            op: operator,
            right: Box::new(right),
        }))
    }

    fn is_column_alias(&self, keyword: &Keyword, parser: &mut Parser) -> bool {
        // `a GLOB b` and `a ISNULL` are operators.
        *keyword != Keyword::GLOB && DuckDbDialect.is_column_alias(keyword, parser)
    }

    fn supports_trailing_commas(&self) -> bool {
        true
    }
    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }
    fn supports_group_by_expr(&self) -> bool {
        true
    }
    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }
    fn supports_named_fn_args_with_assignment_operator(&self) -> bool {
        true
    }
    fn support_map_literal_syntax(&self) -> bool {
        true
    }
    fn allow_extract_custom(&self) -> bool {
        true
    }
    fn allow_extract_single_quotes(&self) -> bool {
        true
    }
    fn supports_array_typedef_with_brackets(&self) -> bool {
        true
    }
    fn supports_from_first_select(&self) -> bool {
        true
    }
    fn supports_order_by_all(&self) -> bool {
        true
    }
    fn supports_select_wildcard_exclude(&self) -> bool {
        true
    }
    fn supports_select_wildcard_replace(&self) -> bool {
        true
    }
    fn supports_select_wildcard_rename(&self) -> bool {
        true
    }
    fn supports_select_wildcard_ilike(&self) -> bool {
        true
    }
    fn supports_notnull_operator(&self) -> bool {
        true
    }
    fn supports_comma_separated_trim(&self) -> bool {
        true
    }
    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }
    fn supports_dollar_placeholder(&self) -> bool {
        // Off: `$$text$$` is a string, and `$1` is read as a placeholder either way.
        false
    }
    fn supports_string_escape_constant(&self) -> bool {
        true
    }
    fn supports_in_unparenthesized_expr(&self) -> bool {
        true
    }
    fn supports_factorial_operator(&self) -> bool {
        true
    }
    fn supports_values_as_table_factor(&self) -> bool {
        true
    }
    fn supports_limit_comma(&self) -> bool {
        false
    }
    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }
    fn supports_nested_comments(&self) -> bool {
        true
    }
    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }
    fn supports_left_associative_joins_without_parens(&self) -> bool {
        true
    }
}

/// `**` is written without a space; the tokenizer knows only single stars.
fn next_is_adjacent_star(parser: &Parser) -> bool {
    let next = parser.peek_nth_token_ref(1);
    next.token == Token::Mul && parser.peek_token_ref().span.end == next.span.start
}

fn sign(parser: &mut Parser, op: UnaryOperator) -> Result<Expr, ParserError> {
    parser.advance_token();
    let operand = parser.parse_subexpr(strength::SIGN)?;
    Ok(Expr::UnaryOp { op, expr: Box::new(operand) })
}

/// `x -> body` or `(x, y) -> body`; the caller has looked ahead.
fn arrow_lambda(parser: &mut Parser) -> Result<Expr, ParserError> {
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
fn keyword_lambda(parser: &mut Parser) -> Result<Expr, ParserError> {
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
fn is_parenthesized_lambda(parser: &Parser) -> bool {
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
fn is_keyword_lambda(parser: &Parser) -> bool {
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
fn struct_literal(parser: &mut Parser) -> Result<Expr, ParserError> {
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
fn is_timestamp_type(word: &str) -> bool {
    ["timestamp_s", "timestamp_ms", "timestamp_us", "timestamp_ns"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

/// `TIMESTAMP_S '..'`.
fn typed_text(parser: &mut Parser) -> Result<Expr, ParserError> {
    let data_type = parser.parse_data_type()?;
    let value = parser.parse_value()?;
    Ok(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }))
}

/// Looks ahead for FOR between this bracket and its partner.
fn is_comprehension(parser: &Parser) -> bool {
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
fn comprehension(parser: &mut Parser) -> Result<Expr, ParserError> {
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
fn cast(parser: &mut Parser, kind: CastKind) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_expr()?);
    parser.expect_keyword_is(Keyword::AS)?;
    let data_type = nested_type(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Cast { kind, expr, data_type, format: None })
}

fn is_nested_type(token: &Token) -> bool {
    matches!(token, Token::Word(word) if matches!(word.keyword, Keyword::MAP | Keyword::STRUCT | Keyword::ROW))
}

/// A type that may hold MAP and STRUCT types at any depth.
fn nested_type(parser: &mut Parser) -> Result<DataType, ParserError> {
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

//! The SQL dialect: DuckDB's words, operators and precedences, as answers to the parser's questions.

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast::{BinaryOperator, CastKind, Expr, UnaryOperator, Value};
use sqlparser::dialect::{Dialect, DuckDbDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token};

use crate::parse::asof;
use crate::parse::forms::{
    arrow_lambda, cast, comprehension, is_comprehension, is_keyword_lambda, is_nested_type,
    is_parenthesized_lambda, is_timestamp_type, keyword_lambda, nested_type, struct_literal, typed_text,
};

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
            Token::Word(word) if asof::is_marker(word) => Some(asof::condition(parser)),
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

    fn is_table_alias(&self, keyword: &Keyword, parser: &mut Parser) -> bool {
        // The word that stands for POSITIONAL JOIN.
        *keyword != Keyword::STRAIGHT_JOIN && DuckDbDialect.is_table_alias(keyword, parser)
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

//! The parser's expressions into ours: one form for each meaning, every node with its place.

use sqlparser::ast::{self, AccessExpr, Expr, Subscript};

use crate::error::{Error, Result};
use crate::parse::literal::literal;
use crate::parse::{Notes, call, query, span_of, type_name};
use crate::span::Span;
use crate::tree::{
    BinaryOperator, CaseBranch, Expression, ExpressionKind, LiteralText, MatchKind, Name, OrderTerm,
    Quantifier, UnaryOperator,
};

/// Stack kept free for one level of conversion.
const STACK_FREE_BYTES: usize = 128 << 10;
/// Stack allocated when it runs out.
const STACK_GROW_BYTES: usize = 2 << 20;

/// Converts one expression.
pub(super) fn convert(expression: Expr, notes: &mut Notes) -> Result<Expression> {
    stacker::maybe_grow(STACK_FREE_BYTES, STACK_GROW_BYTES, || match expression {
        Expr::BinaryOp { left, op, right } => convert_chain(*left, op, *right, notes),
        other => convert_one(other, notes),
    })
}

pub(super) fn convert_all(expressions: Vec<Expr>, notes: &mut Notes) -> Result<Vec<Expression>> {
    expressions.into_iter().map(|expression| convert(expression, notes)).collect()
}

fn boxed(expression: Expr, notes: &mut Notes) -> Result<Box<Expression>> {
    convert(expression, notes).map(Box::new)
}

fn boxed_optional(expression: Option<Box<Expr>>, notes: &mut Notes) -> Result<Option<Box<Expression>>> {
    expression.map(|expression| boxed(*expression, notes)).transpose()
}

/// Walks the left spine of a chain of operators in a loop, since chains are long where nesting is not.
fn convert_chain(left: Expr, op: ast::BinaryOperator, right: Expr, notes: &mut Notes) -> Result<Expression> {
    let mut links = vec![(op, right)];
    let mut first = left;
    while let Expr::BinaryOp { left, op, right } = first {
        links.push((op, *right));
        first = *left;
    }
    let mut chain = convert(first, notes)?;
    let mut chain_is_comparison = false;
    for (op, right) in links.into_iter().rev() {
        let right_is_comparison = matches!(&right, Expr::BinaryOp { op, .. } if is_comparison(op));
        let right = convert(right, notes)?;
        let comparison = is_comparison(&op);
        if comparison && (chain_is_comparison || right_is_comparison) {
            let message = "comparisons cannot be chained; combine them with AND";
            return Err(Error::syntax(message, chain.span.union(right.span)));
        }
        chain_is_comparison = comparison;
        chain = join_link(chain, op, right)?;
    }
    Ok(chain)
}

fn is_comparison(op: &ast::BinaryOperator) -> bool {
    use ast::BinaryOperator as Op;
    matches!(op, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
}

fn join_link(left: Expression, op: ast::BinaryOperator, right: Expression) -> Result<Expression> {
    use ast::BinaryOperator as Op;
    let span = left.span.union(right.span);
    let negated = matches!(op, Op::PGRegexNotMatch | Op::PGNotLikeMatch | Op::PGNotILikeMatch);
    let kind = match op {
        Op::And => flattened(left, right, ExpressionKind::And, |kind| match kind {
            ExpressionKind::And(terms) => Ok(terms),
            other => Err(other),
        }),
        Op::Or => flattened(left, right, ExpressionKind::Or, |kind| match kind {
            ExpressionKind::Or(terms) => Ok(terms),
            other => Err(other),
        }),
        Op::PGRegexMatch | Op::PGRegexNotMatch => {
            let name = Name::new("regexp_matches", span);
            let call = ExpressionKind::Call(Box::new(crate::tree::Call::plain(name, vec![left, right])));
            match negated {
                true => ExpressionKind::Unary(UnaryOperator::Not, Box::new(Expression::new(call, span))),
                false => call,
            }
        }
        Op::PGLikeMatch | Op::PGNotLikeMatch => match_kind(MatchKind::Like, left, right, negated),
        Op::PGILikeMatch | Op::PGNotILikeMatch => match_kind(MatchKind::ILike, left, right, negated),
        Op::Glob => match_kind(MatchKind::Glob, left, right, false),
        other => ExpressionKind::Binary(binary_operator(&other, span)?, Box::new(left), Box::new(right)),
    };
    Ok(Expression::new(kind, span))
}

fn match_kind(kind: MatchKind, operand: Expression, pattern: Expression, negated: bool) -> ExpressionKind {
    ExpressionKind::Match {
        kind,
        operand: Box::new(operand),
        pattern: Box::new(pattern),
        escape: None,
        negated,
    }
}

fn flattened(
    left: Expression,
    right: Expression,
    wrap: impl Fn(Vec<Expression>) -> ExpressionKind,
    terms_of: impl Fn(ExpressionKind) -> Result<Vec<Expression>, ExpressionKind>,
) -> ExpressionKind {
    let mut terms = match terms_of(left.kind) {
        Ok(terms) => terms,
        Err(kind) => vec![Expression::new(kind, left.span)],
    };
    match terms_of(right.kind) {
        Ok(more) => terms.extend(more),
        Err(kind) => terms.push(Expression::new(kind, right.span)),
    }
    wrap(terms)
}

pub(super) fn binary_operator(op: &ast::BinaryOperator, span: Span) -> Result<BinaryOperator> {
    use ast::BinaryOperator as Op;
    Ok(match op {
        Op::Plus => BinaryOperator::Plus,
        Op::Minus => BinaryOperator::Minus,
        Op::Multiply => BinaryOperator::Multiply,
        Op::Divide => BinaryOperator::Divide,
        Op::DuckIntegerDivide => BinaryOperator::IntegerDivide,
        Op::Modulo => BinaryOperator::Modulo,
        Op::BitwiseXor => BinaryOperator::Power,
        Op::PGExp => BinaryOperator::PowerStars,
        Op::StringConcat => BinaryOperator::Concat,
        Op::Eq => BinaryOperator::Equal,
        Op::NotEq => BinaryOperator::NotEqual,
        Op::Lt => BinaryOperator::Less,
        Op::LtEq => BinaryOperator::LessOrEqual,
        Op::Gt => BinaryOperator::Greater,
        Op::GtEq => BinaryOperator::GreaterOrEqual,
        Op::BitwiseAnd => BinaryOperator::BitAnd,
        Op::BitwiseOr => BinaryOperator::BitOr,
        Op::PGBitwiseShiftLeft => BinaryOperator::ShiftLeft,
        Op::PGBitwiseShiftRight => BinaryOperator::ShiftRight,
        Op::PGStartsWith => BinaryOperator::StartsWith,
        Op::Arrow => BinaryOperator::JsonGet,
        Op::LongArrow => BinaryOperator::JsonGetText,
        Op::AtArrow => BinaryOperator::ContainsAll,
        Op::ArrowAt => BinaryOperator::ContainedBy,
        Op::PGOverlap => BinaryOperator::Overlaps,
        other => return Err(Error::unsupported(format!("operator {other} is"), span)),
    })
}

/// Converts every form but chains of operators.
fn convert_one(expression: Expr, notes: &mut Notes) -> Result<Expression> {
    use ExpressionKind as Kind;
    match expression {
        Expr::Identifier(ident) => {
            let name = name_of(ident);
            let span = name.span;
            Ok(Expression::new(Kind::Column(vec![name]), span))
        }
        Expr::CompoundIdentifier(idents) => {
            let names: Vec<Name> = idents.into_iter().map(name_of).collect();
            let span = names_span(&names);
            Ok(Expression::new(Kind::Column(names), span))
        }
        Expr::CompoundFieldAccess { root, access_chain } => access(*root, access_chain, notes),
        Expr::Nested(inner) => convert(*inner, notes),
        Expr::Value(value) => literal(value, notes),
        Expr::TypedString(typed) => {
            let value = literal(typed.value, notes)?;
            let span = value.span;
            let target = type_name::convert(typed.data_type, span)?;
            Ok(Expression::new(Kind::Cast { operand: Box::new(value), target, lenient: false }, span))
        }
        Expr::UnaryOp { op, expr } => unary(op, *expr, notes),
        Expr::IsNull(operand) => is_null(*operand, false, notes),
        Expr::IsUnknown(operand) => is_null(*operand, false, notes),
        Expr::IsNotNull(operand) | Expr::IsNotUnknown(operand) => is_null(*operand, true, notes),
        Expr::IsTrue(operand) => is_boolean(*operand, true, false, notes),
        Expr::IsNotTrue(operand) => is_boolean(*operand, true, true, notes),
        Expr::IsFalse(operand) => is_boolean(*operand, false, false, notes),
        Expr::IsNotFalse(operand) => is_boolean(*operand, false, true, notes),
        Expr::IsDistinctFrom(left, right) => is_distinct(*left, *right, false, notes),
        Expr::IsNotDistinctFrom(left, right) => is_distinct(*left, *right, true, notes),
        Expr::InList { expr, list, negated } => {
            let operand = boxed(*expr, notes)?;
            let list = convert_all(list, notes)?;
            let span = list.iter().fold(operand.span, |span, item| span.union(item.span));
            Ok(Expression::new(Kind::InList { operand, list, negated }, span))
        }
        Expr::InSubquery { expr, subquery, negated } => {
            let operand = boxed(*expr, notes)?;
            let query = Box::new(query::convert(*subquery, notes)?);
            let span = operand.span.union(query.span);
            Ok(Expression::new(Kind::InQuery { operand, query, negated }, span))
        }
        Expr::Between { expr, negated, low, high } => {
            let operand = boxed(*expr, notes)?;
            let low = boxed(*low, notes)?;
            let high = boxed(*high, notes)?;
            let span = operand.span.union(high.span);
            Ok(Expression::new(Kind::Between { operand, low, high, negated }, span))
        }
        Expr::Like { negated, any: false, expr, pattern, escape_char } => {
            text_match(MatchKind::Like, negated, *expr, *pattern, escape_char, notes)
        }
        Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
            text_match(MatchKind::ILike, negated, *expr, *pattern, escape_char, notes)
        }
        Expr::SimilarTo { negated, expr, pattern, escape_char } => {
            text_match(MatchKind::SimilarTo, negated, *expr, *pattern, escape_char, notes)
        }
        Expr::AnyOp { left, compare_op, right, .. } => {
            quantified(Quantifier::Any, *left, compare_op, *right, notes)
        }
        Expr::AllOp { left, compare_op, right } => {
            quantified(Quantifier::All, *left, compare_op, *right, notes)
        }
        Expr::Cast { kind, expr, data_type, format: None } => {
            let operand = boxed(*expr, notes)?;
            let target = type_name::convert(data_type, operand.span)?;
            let lenient = matches!(kind, ast::CastKind::TryCast | ast::CastKind::SafeCast);
            let span = operand.span;
            Ok(Expression::new(Kind::Cast { operand, target, lenient }, span))
        }
        Expr::Case { case_token, end_token, operand, conditions, else_result } => {
            let operand = boxed_optional(operand, notes)?;
            let branches = conditions
                .into_iter()
                .map(|branch| {
                    Ok(CaseBranch {
                        condition: convert(branch.condition, notes)?,
                        result: convert(branch.result, notes)?,
                    })
                })
                .collect::<Result<_>>()?;
            let otherwise = boxed_optional(else_result, notes)?;
            let span = span_of(case_token.0.span).union(span_of(end_token.0.span));
            Ok(Expression::new(Kind::Case { operand, branches, otherwise }, span))
        }
        Expr::Exists { subquery, negated } => {
            let query = Box::new(query::convert(*subquery, notes)?);
            let span = query.span;
            Ok(Expression::new(Kind::Exists { query, negated }, span))
        }
        Expr::Subquery(subquery) => {
            let query = Box::new(query::convert(*subquery, notes)?);
            let span = query.span;
            Ok(Expression::new(Kind::ScalarQuery(query), span))
        }
        Expr::Tuple(items) => collection(items, Kind::Row, notes),
        Expr::Array(array) => collection(array.elem, Kind::List, notes),
        Expr::Dictionary(fields) => {
            let fields = fields
                .into_iter()
                .map(|field| Ok((name_of(field.key), convert(*field.value, notes)?)))
                .collect::<Result<Vec<_>>>()?;
            let span =
                fields.iter().fold(Span::NONE, |span, (name, value)| span.union(name.span).union(value.span));
            Ok(Expression::new(Kind::Struct(fields), span))
        }
        Expr::Map(map) => {
            let entries = map
                .entries
                .into_iter()
                .map(|entry| Ok((convert(*entry.key, notes)?, convert(*entry.value, notes)?)))
                .collect::<Result<Vec<_>>>()?;
            let span =
                entries.iter().fold(Span::NONE, |span, (key, value)| span.union(key.span).union(value.span));
            Ok(Expression::new(Kind::Map(entries), span))
        }
        Expr::Lambda(lambda) => {
            let parameters: Vec<Name> = match lambda.params {
                ast::OneOrManyWithParens::One(parameter) => vec![name_of(parameter.name)],
                ast::OneOrManyWithParens::Many(many) => {
                    many.into_iter().map(|one| name_of(one.name)).collect()
                }
            };
            let body = boxed(*lambda.body, notes)?;
            let span = names_span(&parameters).union(body.span);
            let arrow = lambda.syntax == ast::LambdaSyntax::Arrow;
            Ok(Expression::new(Kind::Lambda { parameters, body, arrow }, span))
        }
        Expr::Interval(interval) => {
            let value = boxed(*interval.value, notes)?;
            let span = value.span;
            if interval.last_field.is_some() {
                return Err(Error::unsupported("intervals with two units are", span));
            }
            let unit = interval.leading_field.map(|field| field.to_string());
            Ok(Expression::new(Kind::Interval { value, unit }, span))
        }
        Expr::Collate { expr, collation } => {
            let operand = boxed(*expr, notes)?;
            let span = operand.span;
            let parts = names_of(collation)?;
            let place = parts.first().map_or(span, |part| part.span);
            // Several collations at once are written as one name: NOCASE.NOACCENT.
            let joined = parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join(".");
            Ok(Expression::new(Kind::Collate(operand, Name::new(joined, place)), span))
        }
        other => call::convert(other, notes),
    }
}

/// The name of a function or collation, which has one part here.
pub(super) fn single_name(name: ast::ObjectName, span: Span) -> Result<Name> {
    let mut names = names_of(name)?;
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        (Some(name), false) => Err(Error::invalid(
            "a name without a schema is expected here",
            names_span(&names).union(name.span),
        )),
        (None, _) => Err(Error::syntax("a name is missing", span)),
    }
}

pub(super) fn names_of(name: ast::ObjectName) -> Result<Vec<Name>> {
    name.0
        .into_iter()
        .map(|part| match part {
            ast::ObjectNamePart::Identifier(ident) => Ok(name_of(ident)),
            ast::ObjectNamePart::Function(function) => {
                Err(Error::unsupported("a function call inside a name is", span_of(function.name.span)))
            }
        })
        .collect()
}

pub(super) fn name_of(ident: ast::Ident) -> Name {
    Name { quoted: ident.quote_style.is_some(), span: span_of(ident.span), text: ident.value }
}

pub(super) fn names_span(names: &[Name]) -> Span {
    names.iter().fold(Span::NONE, |span, name| span.union(name.span))
}

fn is_null(operand: Expr, negated: bool, notes: &mut Notes) -> Result<Expression> {
    let operand = boxed(operand, notes)?;
    let span = operand.span;
    Ok(Expression::new(ExpressionKind::IsNull { operand, negated }, span))
}

fn is_boolean(operand: Expr, value: bool, negated: bool, notes: &mut Notes) -> Result<Expression> {
    let operand = boxed(operand, notes)?;
    let span = operand.span;
    Ok(Expression::new(ExpressionKind::IsBoolean { operand, value, negated }, span))
}

fn is_distinct(left: Expr, right: Expr, negated: bool, notes: &mut Notes) -> Result<Expression> {
    let left = boxed(left, notes)?;
    let right = boxed(right, notes)?;
    let span = left.span.union(right.span);
    Ok(Expression::new(ExpressionKind::IsDistinct { left, right, negated }, span))
}

fn text_match(
    kind: MatchKind,
    negated: bool,
    operand: Expr,
    pattern: Expr,
    escape: Option<Box<Expr>>,
    notes: &mut Notes,
) -> Result<Expression> {
    let operand = boxed(operand, notes)?;
    let pattern = boxed(pattern, notes)?;
    let escape = boxed_optional(escape, notes)?;
    let span = operand.span.union(pattern.span);
    Ok(Expression::new(ExpressionKind::Match { kind, operand, pattern, escape, negated }, span))
}

fn quantified(
    quantifier: Quantifier,
    left: Expr,
    op: ast::BinaryOperator,
    right: Expr,
    notes: &mut Notes,
) -> Result<Expression> {
    let left = boxed(left, notes)?;
    let right = boxed(right, notes)?;
    let span = left.span.union(right.span);
    let operator = binary_operator(&op, span)?;
    Ok(Expression::new(ExpressionKind::Quantified { quantifier, operator, left, right }, span))
}

fn collection(
    items: Vec<Expr>,
    wrap: impl FnOnce(Vec<Expression>) -> ExpressionKind,
    notes: &mut Notes,
) -> Result<Expression> {
    let items = convert_all(items, notes)?;
    let span = items.iter().fold(Span::NONE, |span, item| span.union(item.span));
    Ok(Expression::new(wrap(items), span))
}

/// `-5` is the constant -5, so that the smallest integers can be written.
fn unary(op: ast::UnaryOperator, operand: Expr, notes: &mut Notes) -> Result<Expression> {
    let operand = convert(operand, notes)?;
    let span = operand.span;
    let operator = match op {
        ast::UnaryOperator::Minus => UnaryOperator::Minus,
        ast::UnaryOperator::Plus => UnaryOperator::Plus,
        ast::UnaryOperator::Not | ast::UnaryOperator::BangNot => UnaryOperator::Not,
        ast::UnaryOperator::BitwiseNot => UnaryOperator::BitNot,
        ast::UnaryOperator::PGAbs => UnaryOperator::Absolute,
        ast::UnaryOperator::PGPostfixFactorial => UnaryOperator::Factorial,
        other => return Err(Error::unsupported(format!("operator {other} is"), span)),
    };
    let kind = match (operator, operand.kind) {
        (UnaryOperator::Minus, ExpressionKind::Literal(LiteralText::Number(digits))) => {
            let negative = match digits.strip_prefix('-') {
                Some(positive) => positive.to_owned(),
                None => format!("-{digits}"),
            };
            ExpressionKind::Literal(LiteralText::Number(negative))
        }
        (operator, kind) => ExpressionKind::Unary(operator, Box::new(Expression::new(kind, span))),
    };
    Ok(Expression::new(kind, span))
}

/// `root[1].field[2:3]`, link by link.
fn access(root: Expr, chain: Vec<AccessExpr>, notes: &mut Notes) -> Result<Expression> {
    let mut value = convert(root, notes)?;
    for link in chain {
        let operand = Box::new(value);
        let span = operand.span;
        value = match link {
            AccessExpr::Dot(Expr::Identifier(ident)) => {
                let name = name_of(ident);
                let span = span.union(name.span);
                Expression::new(ExpressionKind::Field(operand, name), span)
            }
            AccessExpr::Dot(Expr::Function(function)) => {
                // `value.function(arguments)` is the function with the value before its arguments.
                call::method(*operand, function, notes)?
            }
            AccessExpr::Dot(other) => {
                return Err(Error::syntax(format!("\"{other}\" is no name of a field"), span));
            }
            AccessExpr::Subscript(Subscript::Index { index }) => {
                let index = boxed(index, notes)?;
                let span = span.union(index.span);
                Expression::new(ExpressionKind::Index(operand, index), span)
            }
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                let mut bound = |bound: Option<Expr>| bound.map(|bound| boxed(bound, notes)).transpose();
                let (low, high, step) = (bound(lower_bound)?, bound(upper_bound)?, bound(stride)?);
                Expression::new(ExpressionKind::Slice { operand, low, high, step }, span)
            }
        };
    }
    Ok(value)
}

/// Converts the terms of an ORDER BY.
pub(super) fn order_terms(terms: Vec<ast::OrderByExpr>, notes: &mut Notes) -> Result<Vec<OrderTerm>> {
    terms
        .into_iter()
        .map(|term| {
            let expression = convert(term.expr, notes)?;
            let descending = match term.options.sort {
                None | Some(ast::OrderBySort::Asc) => false,
                Some(ast::OrderBySort::Desc) => true,
                Some(ast::OrderBySort::Using(_)) => {
                    return Err(Error::unsupported("ORDER BY .. USING is", expression.span));
                }
            };
            Ok(OrderTerm { expression, descending, nulls_first: term.options.nulls_first })
        })
        .collect()
}

//! Function calls, and the forms that are calls with words for commas: EXTRACT, SUBSTRING, TRIM and their like.

use sqlparser::ast::Spanned;
use sqlparser::ast::{self, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments};

use crate::error::{Error, Result};
use crate::parse::adjust::is_no_argument;
use crate::parse::expression::{convert as convert_expression, convert_all, name_of, names_of, order_terms};
use crate::parse::{Notes, query, span_of, window};
use crate::span::Span;
use crate::tree::{Argument, Call, Expression, ExpressionKind, LiteralText, Name, Star};

/// Converts a call or a form that is one.
pub(super) fn convert(expression: Expr, notes: &mut Notes) -> Result<Expression> {
    match expression {
        Expr::Function(function) => function_call(function, Vec::new(), notes),
        Expr::Extract { field, expr, .. } => {
            let value = convert_expression(*expr, notes)?;
            let part = text(field.to_string().trim_matches('\'').to_lowercase(), value.span);
            Ok(plain("date_part", vec![part, value]))
        }
        Expr::Position { expr, r#in } => {
            let wanted = convert_expression(*expr, notes)?;
            let searched = convert_expression(*r#in, notes)?;
            Ok(plain("position", vec![searched, wanted]))
        }
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let value = convert_expression(*expr, notes)?;
            let start = match substring_from {
                Some(start) => convert_expression(*start, notes)?,
                None => number("1", value.span),
            };
            let mut arguments = vec![value, start];
            if let Some(length) = substring_for {
                arguments.push(convert_expression(*length, notes)?);
            }
            Ok(plain("substring", arguments))
        }
        Expr::Trim { expr, trim_where, trim_what, trim_characters } => {
            let name = match trim_where {
                None | Some(ast::TrimWhereField::Both) => "trim",
                Some(ast::TrimWhereField::Leading) => "ltrim",
                Some(ast::TrimWhereField::Trailing) => "rtrim",
            };
            let mut arguments = vec![convert_expression(*expr, notes)?];
            if let Some(what) = trim_what {
                arguments.push(convert_expression(*what, notes)?);
            }
            arguments.extend(convert_all(trim_characters.unwrap_or_default(), notes)?);
            Ok(plain(name, arguments))
        }
        Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
            let mut arguments = Vec::new();
            for argument in [expr, overlay_what, overlay_from].into_iter().chain(overlay_for) {
                arguments.push(convert_expression(*argument, notes)?);
            }
            Ok(plain("overlay", arguments))
        }
        Expr::Ceil { expr, field } => rounded("ceil", *expr, field, notes),
        Expr::Floor { expr, field } => rounded("floor", *expr, field, notes),
        Expr::AtTimeZone { timestamp, time_zone } => {
            let timestamp = convert_expression(*timestamp, notes)?;
            let zone = convert_expression(*time_zone, notes)?;
            Ok(plain("timezone", vec![zone, timestamp]))
        }
        Expr::Wildcard(token) => {
            let span = span_of(token.0.span);
            Ok(Expression::new(ExpressionKind::Star(Box::default()), span))
        }
        Expr::QualifiedWildcard(name, token) => {
            let star = Star { qualifier: names_of(name)?, ..Star::default() };
            Ok(Expression::new(ExpressionKind::Star(Box::new(star)), span_of(token.0.span)))
        }
        other => Err(Error::unsupported(format!("the form {other} is"), Span::NONE)),
    }
}

/// `value.function(arguments)`.
pub(super) fn method(value: Expression, function: ast::Function, notes: &mut Notes) -> Result<Expression> {
    function_call(function, vec![Argument { name: None, value }], notes)
}

fn plain(name: &str, arguments: Vec<Expression>) -> Expression {
    let span = arguments.iter().fold(Span::NONE, |span, argument| span.union(argument.span));
    let call = Call::plain(Name::new(name, span), arguments);
    Expression::new(ExpressionKind::Call(Box::new(call)), span)
}

fn text(text: String, span: Span) -> Expression {
    Expression::new(ExpressionKind::Literal(LiteralText::Text(text)), span)
}

fn number(digits: &str, span: Span) -> Expression {
    Expression::new(ExpressionKind::Literal(LiteralText::Number(digits.to_owned())), span)
}

fn rounded(name: &str, value: Expr, field: ast::CeilFloorKind, notes: &mut Notes) -> Result<Expression> {
    let value = convert_expression(value, notes)?;
    match field {
        ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) => Ok(plain(name, vec![value])),
        ast::CeilFloorKind::Scale(scale) => {
            let scale = convert_expression(Expr::Value(scale), notes)?;
            Ok(plain(name, vec![value, scale]))
        }
        ast::CeilFloorKind::DateTimeField(_) => {
            let message = format!("{name} of a date is written date_trunc('day', x)");
            Err(Error::invalid(message, value.span))
        }
    }
}

fn function_call(
    function: ast::Function,
    mut arguments: Vec<Argument>,
    notes: &mut Notes,
) -> Result<Expression> {
    let span = span_of(function.name.span());
    let mut names = names_of(function.name)?;
    let Some(name) = names.pop() else { return Err(Error::syntax("a name is missing", span)) };
    if !names.is_empty() {
        // `column.function(arguments)` is the function with the column before its arguments.
        let value = Expression::new(ExpressionKind::Column(names), span);
        arguments.insert(0, Argument { name: None, value });
    }
    let mut call = Call {
        name,
        arguments: Vec::new(),
        distinct: false,
        order_by: Vec::new(),
        filter: None,
        within_group: false,
        ignore_nulls: null_treatment(function.null_treatment),
        over: None,
    };
    match function.args {
        FunctionArguments::None => {}
        FunctionArguments::Subquery(subquery) => {
            if !call.name.is("array") {
                return Err(Error::syntax("a subquery as argument needs its own parentheses", span));
            }
            let query = Box::new(query::convert(*subquery, notes)?);
            let span = span.union(query.span);
            return Ok(Expression::new(ExpressionKind::ArrayQuery(query), span));
        }
        FunctionArguments::List(list) => {
            call.distinct = list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
            for argument in list.args.into_iter().filter(|argument| !is_missing(argument)) {
                arguments.push(convert_argument(argument, span, notes)?);
            }
            for clause in list.clauses {
                apply_clause(&mut call, clause, notes)?;
            }
        }
    }
    if !function.within_group.is_empty() {
        call.order_by = order_terms(function.within_group, notes)?;
        call.within_group = true;
    }
    call.filter =
        function.filter.map(|filter| convert_expression(*filter, notes).map(Box::new)).transpose()?;
    call.over = function.over.map(|over| window::over(over, span, notes).map(Box::new)).transpose()?;
    let span = arguments.iter().fold(span, |span, argument| span.union(argument.value.span));
    call.arguments = arguments;
    Ok(Expression::new(ExpressionKind::Call(Box::new(call)), span))
}

fn null_treatment(treatment: Option<ast::NullTreatment>) -> Option<bool> {
    treatment.map(|treatment| treatment == ast::NullTreatment::IgnoreNulls)
}

fn apply_clause(call: &mut Call, clause: FunctionArgumentClause, notes: &mut Notes) -> Result<()> {
    match clause {
        FunctionArgumentClause::OrderBy(terms) => {
            call.order_by = order_terms(terms, notes)?;
            Ok(())
        }
        FunctionArgumentClause::IgnoreOrRespectNulls(treatment) => {
            call.ignore_nulls = null_treatment(Some(treatment));
            Ok(())
        }
        other => Err(Error::unsupported(format!("{other} inside a function call is"), call.name.span)),
    }
}

/// True for what stands for the argument of `f(ORDER BY x)`.
fn is_missing(argument: &FunctionArg) -> bool {
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name))) = argument else { return false };
    is_no_argument(&name.value)
}

fn convert_argument(argument: FunctionArg, span: Span, notes: &mut Notes) -> Result<Argument> {
    match argument {
        FunctionArg::Unnamed(value) => {
            Ok(Argument { name: None, value: argument_value(value, span, notes)? })
        }
        FunctionArg::Named { name, arg, .. } => {
            let name = name_of(name);
            let value = argument_value(arg, name.span, notes)?;
            Ok(Argument { name: Some(name), value })
        }
        FunctionArg::ExprNamed { name, .. } => {
            Err(Error::syntax(format!("\"{name}\" is no name of an argument"), span))
        }
    }
}

fn argument_value(value: FunctionArgExpr, span: Span, notes: &mut Notes) -> Result<Expression> {
    match value {
        FunctionArgExpr::Expr(expression) => convert_expression(expression, notes),
        FunctionArgExpr::Wildcard => Ok(Expression::new(ExpressionKind::Star(Box::default()), span)),
        FunctionArgExpr::QualifiedWildcard(name) => {
            let star = Star { qualifier: names_of(name)?, ..Star::default() };
            Ok(Expression::new(ExpressionKind::Star(Box::new(star)), span))
        }
        FunctionArgExpr::WildcardWithOptions(options) => {
            let star = query::star(Vec::new(), options, notes)?;
            Ok(Expression::new(ExpressionKind::Star(Box::new(star)), span))
        }
    }
}

/// The arguments of a table function; `name = value` names an argument there.
pub(super) fn table_arguments(arguments: Vec<FunctionArg>, notes: &mut Notes) -> Result<Vec<Argument>> {
    arguments
        .into_iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp {
                left,
                op: ast::BinaryOperator::Eq,
                right,
            })) if matches!(*left, Expr::Identifier(_)) => {
                let Expr::Identifier(ident) = *left else {
                    return Err(Error::internal("an argument's name changed while it was looked at"));
                };
                Ok(Argument { name: Some(name_of(ident)), value: convert_expression(*right, notes)? })
            }
            other => convert_argument(other, Span::NONE, notes),
        })
        .collect()
}

//! Values of constant expressions while a query is bound.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::expression::evaluate_constant;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::Literal;
use hypostyle_functions::scalar::{ScalarFunction, Volatility};

use crate::bind::literal::{adapt_integer, as_integer};
use crate::error::{Error, ErrorKind, Result};
use crate::span::Span;

/// The value of an expression of constants; `None` if it is not one.
pub fn evaluate(expression: &Expression, context: &Arc<Context>) -> Option<Result<Literal>> {
    match expression {
        Expression::Literal(literal) => return Some(Ok(literal.clone())),
        Expression::Cast { input, to, .. } => {
            if let Expression::Literal(literal) = &**input
                && let Some(value) = as_integer(literal).and_then(|value| adapt_integer(value, to))
            {
                return Some(Ok(Literal { data_type: to.clone(), value }));
            }
        }
        _ => {}
    }
    if !is_closed(expression, context) {
        return None;
    }
    let value = evaluate_constant(expression, context).map_err(|error| match error {
        hypostyle_engine::Error::Function(error) => error.into(),
        other => Error::new(ErrorKind::Source(other.to_string()), Span::NONE),
    });
    Some(value.and_then(|literal| Ok(literal.shared()?)))
}

/// Functions whose result may be much larger than their arguments: a plan holds it only where those are small.
const GROWING: [&str; 6] = ["range", "generate_series", "repeat", "list_resize", "lpad", "rpad"];

/// Largest integer argument of a growing function whose result a plan holds.
const GROWTH_MAX: u64 = 10_000;

/// True for constants that let a growing function make no more than a plan may hold.
fn is_small(argument: &Expression) -> bool {
    match argument {
        Expression::Literal(literal) => match literal.value.as_i64() {
            Some(value) => value.unsigned_abs() <= GROWTH_MAX,
            None => !literal.data_type.is_temporal() && !literal.data_type.is_numeric(),
        },
        _ => false,
    }
}

/// True if the expression reads nothing from outside and gives the same value each time.
fn is_closed(expression: &Expression, context: &Arc<Context>) -> bool {
    let mut closed = true;
    let mut parameters = Vec::new();
    expression.walk(&mut |part| match part {
        Expression::Column { .. } | Expression::Parameter { .. } => closed = false,
        Expression::Lambda { parameters: own, .. } => parameters.extend(own.iter().map(|(id, _)| *id)),
        Expression::Variable { id, .. } => closed &= parameters.contains(id),
        Expression::Call { function, arguments, .. } => {
            let known = context.registry.scalar(function);
            closed &= known.is_some_and(|known| known.volatility == Volatility::Immutable);
            closed &= !GROWING.contains(&function.as_str()) || arguments.iter().all(is_small);
        }
        _ => {}
    });
    closed
}

/// A call of constants as its value, if it has one: what fails stays a call, and fails only where its row is used.
pub fn folded(call: Expression, function: &ScalarFunction, context: &Arc<Context>) -> Expression {
    let constant = function.volatility == Volatility::Immutable
        && call.children().iter().all(|argument| matches!(argument, Expression::Literal(_)));
    match constant.then(|| evaluate(&call, context)) {
        Some(Some(Ok(literal))) => Expression::Literal(literal),
        _ => call,
    }
}

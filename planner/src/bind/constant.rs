//! Values of constant expressions while a query is bound.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::scalar::{ScalarFunction, Volatility};
use hypostyle_functions::{Literal, Type};

use crate::bind::literal::{adapt_integer, as_integer};
use crate::error::Result;

/// The value of an expression of constants; `None` if it is not one.
pub fn evaluate(expression: &Expression, _context: &Arc<Context>) -> Option<Result<Literal>> {
    match expression {
        Expression::Literal(literal) => Some(Ok(literal.clone())),
        Expression::Cast { input, to, .. } => {
            let Expression::Literal(literal) = &**input else { return None };
            if literal.value.is_null() {
                return Some(Ok(Literal::null(to.clone())));
            }
            let value = adapt_integer(as_integer(literal)?, to)?;
            Some(Ok(Literal { data_type: to.clone(), value }))
        }
        _ => None,
    }
}

/// The whole number, from 0, that LIMIT and OFFSET take.
pub fn row_count(literal: &Literal) -> Option<u64> {
    match literal.data_type {
        Type::Float32 | Type::Float64 => {
            let value = literal.value.as_f64()?;
            (value >= 0.0 && value < 9e18).then_some(value as u64)
        }
        _ => u64::try_from(as_integer(literal)?).ok(),
    }
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

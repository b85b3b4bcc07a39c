//! Expressions of constants as their values, for rewrites.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::scalar::Volatility;

use crate::bind::constant;

/// The value of an expression whose operands are all constant; `None` if it has none, or fails, in which case it fails
/// only where a row uses it.
pub fn value(expression: &Expression, context: &Arc<Context>) -> Option<Expression> {
    let constant = match expression {
        Expression::Call { function, .. } => {
            context.registry.scalar(function).is_some_and(|known| known.volatility == Volatility::Immutable)
        }
        Expression::Cast { .. } => true,
        _ => false,
    };
    let operands = expression.children();
    if !constant || !operands.iter().all(|operand| matches!(operand, Expression::Literal(_))) {
        return None;
    }
    match constant::evaluate(expression, context) {
        Some(Ok(literal)) => Some(Expression::Literal(literal)),
        _ => None,
    }
}

/// True if two evaluations of the expression can differ.
pub fn is_volatile(expression: &Expression, context: &Arc<Context>) -> bool {
    first_volatile(expression, context).is_some()
}

/// The first function of an expression whose calls differ within one query.
pub fn first_volatile(expression: &Expression, context: &Arc<Context>) -> Option<String> {
    first_changing(expression, context)
        .filter(|(_, volatility)| *volatility == Volatility::Volatile)
        .map(|(name, _)| name)
}

/// The function of an expression that changes most: within one query, else from one query to the next.
pub fn first_changing(expression: &Expression, context: &Arc<Context>) -> Option<(String, Volatility)> {
    let mut found: Option<(String, Volatility)> = None;
    expression.walk(&mut |part| {
        if let Expression::Call { function, .. } = part
            && let Some(known) = context.registry.scalar(function)
            && known.volatility != Volatility::Immutable
            && found.as_ref().is_none_or(|(_, held)| {
                *held == Volatility::Stable && known.volatility == Volatility::Volatile
            })
        {
            found = Some((function.clone(), known.volatility));
        }
    });
    found
}

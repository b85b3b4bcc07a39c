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
    let mut volatile = false;
    expression.walk(&mut |part| {
        if let Expression::Call { function, .. } = part {
            let known = context.registry.scalar(function);
            volatile |= known.is_some_and(|known| known.volatility == Volatility::Volatile);
        }
    });
    volatile
}

//! Comparisons of a widened column with a constant, as comparisons of the column itself: `CAST(d AS TIMESTAMP) <
//! TIMESTAMP '1995-03-15 00:00:00'` is `d < DATE '1995-03-15'`. Only then can a table prune by them.

use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, TimeUnit, Type, Value};

use crate::bind::{adapt_integer, as_integer, operator};

/// The comparison without its cast, if that is equal for every row.
pub fn comparison(expression: &Expression) -> Option<Expression> {
    let Expression::Call { function, arguments, .. } = expression else { return None };
    let (cast, literal, function) = match arguments.as_slice() {
        [cast @ Expression::Cast { .. }, Expression::Literal(literal)] => (cast, literal, function.as_str()),
        [Expression::Literal(literal), cast @ Expression::Cast { .. }] => {
            (cast, literal, operator::mirrored(function)?)
        }
        _ => return None,
    };
    let Expression::Cast { input, to, is_try: false, .. } = cast else { return None };
    if !operator::is_comparison(function)
        || literal.value.is_null()
        || matches!(**input, Expression::Literal(_))
    {
        return None;
    }
    let (function, constant) = match (input.data_type(), to) {
        (Type::Date, Type::Timestamp(unit)) => date_constant(function, literal, *unit)?,
        (from, to) if from.is_integer() && (to.is_integer() || *to == Type::HUGEINT) => {
            (function, adapt_integer(as_integer(literal)?, &from)?)
        }
        _ => return None,
    };
    let constant = Expression::Literal(Literal { data_type: input.data_type(), value: constant });
    Some(Expression::call(function, vec![(**input).clone(), constant], Type::Boolean))
}

/// A border inside a day lies between two dates: `d < noon` is `d <= day`, `d > noon` is `d > day`.
fn date_constant<'f>(function: &'f str, literal: &Literal, unit: TimeUnit) -> Option<(&'f str, Value)> {
    let Value::Timestamp(ticks, _) = literal.value else { return None };
    let ticks_a_day = unit.per_second().checked_mul(86_400)?;
    let day = i32::try_from(ticks.div_euclid(ticks_a_day)).ok()?;
    if ticks.rem_euclid(ticks_a_day) == 0 {
        return Some((function, Value::Date(day)));
    }
    match function {
        operator::LESS | operator::LESS_OR_EQUAL => Some((operator::LESS_OR_EQUAL, Value::Date(day))),
        operator::GREATER | operator::GREATER_OR_EQUAL => Some((operator::GREATER, Value::Date(day))),
        _ => None,
    }
}

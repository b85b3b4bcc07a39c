//! Makes expressions smaller: constants, AND and OR, comparisons behind casts, lists of equalities.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::{fold, operator};
use crate::logical::{Relation, conjuncts};
use crate::rewrite::unwrap_cast;

/// Simplifies all expressions of a plan; a filter that nothing passes becomes an empty relation.
pub fn rewrite(relation: &mut Relation, context: &Arc<Context>) {
    relation.walk_mut(&mut |relation| {
        relation
            .expressions_mut()
            .into_iter()
            .for_each(|expression| expression_in_place(expression, context));
        if let Relation::Filter { input, predicates } = relation {
            let mut flat = Vec::with_capacity(predicates.len());
            predicates.drain(..).for_each(|predicate| conjuncts(predicate, &mut flat));
            flat.retain(|predicate| truth(predicate) != Some(Some(true)));
            let nothing = flat.iter().any(|predicate| matches!(truth(predicate), Some(None | Some(false))));
            *predicates = flat;
            if nothing {
                let columns = input.columns();
                *relation = Relation::Values { columns, rows: Vec::new() };
            } else if predicates.is_empty() {
                let input = std::mem::replace(&mut **input, crate::logical::one_row());
                *relation = input;
            }
        }
    });
}

/// Simplifies one expression, operands first.
pub fn expression_in_place(expression: &mut Expression, context: &Arc<Context>) {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        for child in expression.children_mut() {
            expression_in_place(child, context);
        }
        if let Some(simpler) = step(expression, context) {
            *expression = simpler;
        }
    });
}

/// The value of a constant truth value: `Some(None)` for null, `None` for what is no constant.
fn truth(expression: &Expression) -> Option<Option<bool>> {
    match expression {
        Expression::Literal(literal) if literal.value.is_null() => Some(None),
        Expression::Literal(literal) => literal.value.as_bool().map(Some),
        _ => None,
    }
}

fn boolean(value: Option<bool>) -> Expression {
    Expression::Literal(Literal {
        data_type: Type::Boolean,
        value: value.map_or(Value::Null, Value::Boolean),
    })
}

fn step(expression: &mut Expression, context: &Arc<Context>) -> Option<Expression> {
    match expression {
        Expression::And(terms) => and(std::mem::take(terms)),
        Expression::Or(terms) => or(std::mem::take(terms)),
        Expression::Case { branches, otherwise, data_type } => {
            case(std::mem::take(branches), otherwise.take(), data_type.clone())
        }
        Expression::Coalesce { arguments, .. } => {
            arguments.retain(
                |argument| !matches!(argument, Expression::Literal(literal) if literal.value.is_null()),
            );
            (arguments.len() == 1).then(|| arguments.remove(0))
        }
        Expression::Try(input) if matches!(**input, Expression::Literal(_) | Expression::Column { .. }) => {
            Some((**input).clone())
        }
        Expression::Cast { input, to, .. } if input.data_type() == *to => Some((**input).clone()),
        Expression::Cast { .. } => fold::value(expression, context),
        Expression::Call { function, arguments, .. } => {
            if function == operator::NOT
                && let [Expression::Call { function, version, arguments, data_type, place }] =
                    arguments.as_slice()
                && let Some(opposite) = operator::negated(function)
            {
                let (version, arguments, data_type) = (*version, arguments.clone(), data_type.clone());
                return Some(Expression::Call {
                    function: opposite.to_owned(),
                    version,
                    arguments,
                    data_type,
                    place: *place,
                });
            }
            unwrap_cast::comparison(expression).or_else(|| fold::value(expression, context))
        }
        _ => None,
    }
}

/// Flattens, drops true and repeated terms; one false term decides.
fn and(terms: Vec<Expression>) -> Option<Expression> {
    let mut flat = Vec::with_capacity(terms.len());
    for term in terms {
        conjuncts(term, &mut flat);
    }
    if flat.iter().any(|term| truth(term) == Some(Some(false))) {
        return Some(boolean(Some(false)));
    }
    flat.retain(|term| truth(term) != Some(Some(true)));
    dedup(&mut flat);
    Some(match flat.len() {
        0 => boolean(Some(true)),
        1 => flat.remove(0),
        _ => Expression::And(flat),
    })
}

/// Flattens, drops false and repeated terms; one true term decides; equalities with constants become a list.
fn or(terms: Vec<Expression>) -> Option<Expression> {
    let mut flat = Vec::with_capacity(terms.len());
    let mut stack: Vec<Expression> = terms.into_iter().rev().collect();
    while let Some(term) = stack.pop() {
        match term {
            Expression::Or(inner) => stack.extend(inner.into_iter().rev()),
            other => flat.push(other),
        }
    }
    if flat.iter().any(|term| truth(term) == Some(Some(true))) {
        return Some(boolean(Some(true)));
    }
    flat.retain(|term| truth(term) != Some(Some(false)));
    let mut flat = equalities_as_lists(flat);
    dedup(&mut flat);
    Some(match flat.len() {
        0 => boolean(Some(false)),
        1 => flat.remove(0),
        _ => Expression::Or(flat),
    })
}

/// Terms up to which each is compared with all others.
const DEDUP_TERMS_MAX: usize = 64;

fn dedup(terms: &mut Vec<Expression>) {
    if terms.len() > DEDUP_TERMS_MAX {
        return;
    }
    let mut kept: Vec<Expression> = Vec::with_capacity(terms.len());
    for term in terms.drain(..) {
        if !kept.contains(&term) {
            kept.push(term);
        }
    }
    *terms = kept;
}

/// `x = 1 OR x = 2 OR x IN (3, 4)` is `x IN (1, 2, 3, 4)`.
fn equalities_as_lists(terms: Vec<Expression>) -> Vec<Expression> {
    let mut others = Vec::with_capacity(terms.len());
    let mut lists: Vec<(Expression, Vec<Expression>)> = Vec::new();
    for term in terms {
        match as_list(term) {
            Ok((value, items)) => match lists.iter_mut().find(|(held, _)| *held == value) {
                Some((_, held)) => held.extend(items),
                None => lists.push((value, items)),
            },
            Err(term) => others.push(term),
        }
    }
    let gathered = lists.into_iter().map(|(value, mut items)| match items.len() {
        1 => Expression::call(operator::EQUAL, vec![value, items.remove(0)], Type::Boolean),
        _ => {
            let arguments = std::iter::once(value).chain(items).collect();
            Expression::call(operator::IN, arguments, Type::Boolean)
        }
    });
    gathered.chain(others).collect()
}

fn as_list(term: Expression) -> Result<(Expression, Vec<Expression>), Expression> {
    let is_constant = |expression: &Expression| matches!(expression, Expression::Literal(_));
    match term {
        Expression::Call { function, mut arguments, .. }
            if function == operator::EQUAL
                && arguments.len() == 2
                && arguments.get(1).is_some_and(is_constant)
                && !arguments.first().is_some_and(is_constant) =>
        {
            let items = arguments.split_off(1);
            Ok((arguments.remove(0), items))
        }
        Expression::Call { function, mut arguments, .. }
            if function == operator::IN
                && arguments.len() > 1
                && arguments.iter().skip(1).all(is_constant)
                && !arguments.first().is_some_and(is_constant) =>
        {
            let items = arguments.split_off(1);
            Ok((arguments.remove(0), items))
        }
        other => Err(other),
    }
}

/// Drops branches that cannot be taken; a first branch that always is decides.
fn case(
    branches: Vec<(Expression, Expression)>,
    otherwise: Option<Box<Expression>>,
    data_type: Type,
) -> Option<Expression> {
    let mut kept = Vec::with_capacity(branches.len());
    let mut otherwise = otherwise;
    for (condition, value) in branches {
        match truth(&condition) {
            Some(Some(true)) => {
                otherwise = Some(Box::new(value));
                break;
            }
            Some(_) => {}
            None => kept.push((condition, value)),
        }
    }
    Some(match kept.is_empty() {
        true => otherwise.map_or(Expression::Literal(Literal::null(data_type)), |value| *value),
        false => Expression::Case { branches: kept, otherwise, data_type },
    })
}

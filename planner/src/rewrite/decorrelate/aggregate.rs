//! Groupings that depend on the outer row: each equality with it becomes a key.

use hypostyle_engine::plan::{AggregateCall, Expression};
use hypostyle_functions::scalar::Arguments;
use hypostyle_functions::signature::Given;
use hypostyle_functions::{Literal, Type};

use super::pulled::Pulled;
use super::{Decorrelator, equality};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation};
use crate::rewrite::substitute::substitute;

impl Decorrelator<'_> {
    pub(super) fn pull_aggregate(
        &mut self,
        input: Relation,
        mut keys: Vec<Computed>,
        mut aggregates: Vec<(Column, AggregateCall)>,
    ) -> Result<Pulled> {
        let mut pulled = self.pull(input)?;
        {
            let values = pulled.values();
            for expression in parts(&mut keys, &mut aggregates) {
                let taken = std::mem::replace(expression, Expression::Literal(Literal::null(Type::Null)));
                *expression = substitute(taken, &values);
            }
        }
        let reads_outer = parts(&mut keys, &mut aggregates).iter().any(|part| self.reads_outer(part));
        let is_grouped = !keys.is_empty();
        let can_pass = |condition: &Expression| {
            self.key_pair(condition).is_some()
                || condition.columns().iter().all(|id| self.is_outer(*id) || is_grouped && is_key(*id, &keys))
        };
        if pulled.always_one || reads_outer || !pulled.conditions.iter().all(can_pass) {
            let further = self.outer_of(parts(&mut keys, &mut aggregates).iter().map(|part| &**part));
            pulled = self.ground(pulled, further)?;
            let ties: Vec<_> = pulled.conditions.iter().filter_map(|tie| self.key_pair(tie)).collect();
            for expression in parts(&mut keys, &mut aggregates) {
                expression.walk_mut(&mut |part| {
                    if let Some((_, inner, _)) = ties.iter().find(|(outer, _, _)| outer == part) {
                        *part = inner.clone();
                    }
                });
            }
        }
        let conditions = std::mem::take(&mut pulled.conditions);
        let conditions: Vec<Expression> =
            conditions.into_iter().map(|condition| self.through_group(condition, &mut keys)).collect();
        let mut computed = Vec::new();
        if !is_grouped {
            for (column, call) in &mut aggregates {
                if let Some(value) = self.of_no_rows(call)? {
                    computed.push(self.defaulted(column, value));
                }
            }
        }
        let always_one = !is_grouped && !conditions.is_empty();
        let relation = Relation::Aggregate { input: Box::new(pulled.relation), keys, sets: None, aggregates };
        Ok(Pulled { relation, conditions, computed, always_one, at_most_one: !is_grouped })
    }

    /// The condition over the columns of a grouping, with a key for its inner side.
    pub(super) fn through_group(&mut self, condition: Expression, keys: &mut Vec<Computed>) -> Expression {
        let Some((outer, inner, nulls_match)) = self.key_pair(&condition) else { return condition };
        let column = match keys.iter().find(|key| key.expression == inner) {
            Some(key) => key.column.clone(),
            None => {
                let column = match &inner {
                    Expression::Column { index, data_type } => {
                        Column { id: *index, name: "key".to_owned(), data_type: data_type.clone() }
                    }
                    other => self.numbering.column("key", other.data_type()),
                };
                keys.push(Computed { column: column.clone(), expression: inner });
                column
            }
        };
        equality(outer, column.read(), nulls_match)
    }

    /// A column under its number that has a value even where there is no group; the aggregate gets another number.
    fn defaulted(&mut self, column: &mut Column, value: Literal) -> Computed {
        let shown = column.clone();
        *column = self.numbering.column(shown.name.clone(), shown.data_type.clone());
        let arguments = vec![column.read(), Expression::Literal(value)];
        let data_type = shown.data_type.clone();
        Computed { column: shown, expression: Expression::Coalesce { arguments, data_type } }
    }

    /// What an aggregate gives for no rows, if that is not null.
    fn of_no_rows(&self, call: &AggregateCall) -> Result<Option<Literal>> {
        let Some(function) = self.context.registry.aggregate(&call.function) else {
            return Err(Error::internal(format!("the registry has no aggregate {}", call.function)));
        };
        let types: Vec<Type> = call.arguments.iter().map(Expression::data_type).collect();
        let given: Vec<Given<'_>> = types.iter().map(Given::Typed).collect();
        let (overload, _) = function.resolve(&given)?;
        let constants: Vec<Option<Literal>> = call.arguments.iter().map(constant).collect();
        let settings = &self.context.settings;
        let surroundings =
            Arguments { function: &call.function, types: &types, constants: &constants, settings };
        let literal = (overload.bind)(&surroundings)?.of_no_rows()?;
        Ok((!literal.value.is_null()).then_some(literal))
    }
}

fn constant(argument: &Expression) -> Option<Literal> {
    match argument {
        Expression::Literal(literal) => Some(literal.clone()),
        _ => None,
    }
}

/// True if this column of the input is a key, under its number.
fn is_key(id: usize, keys: &[Computed]) -> bool {
    keys.iter().any(|key| key.column.id == id && key.is_passed())
}

/// All expressions of a grouping.
pub(super) fn parts<'g>(
    keys: &'g mut [Computed],
    aggregates: &'g mut [(Column, AggregateCall)],
) -> Vec<&'g mut Expression> {
    let calls = aggregates.iter_mut().flat_map(|(_, call)| {
        let order = call.order.iter_mut().map(|key| &mut key.expression);
        call.arguments.iter_mut().chain(call.filter.as_mut()).chain(order)
    });
    keys.iter_mut().map(|key| &mut key.expression).chain(calls).collect()
}

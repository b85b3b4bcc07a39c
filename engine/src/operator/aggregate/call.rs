//! How the columns of an aggregation's expression set are laid out, and the bound aggregates.

use std::sync::Arc;

use hypostyle_functions::aggregate::BoundAggregate;
use hypostyle_functions::scalar::Arguments;
use hypostyle_functions::signature::Given;
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Literal;

use super::grouping_sets::GroupingSets;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::operator::aggregate::distinct::distinct;
use crate::operator::aggregate::ordered::ordered;
use crate::operator::sort::KeyOrder;
use crate::plan::{AggregateCall, CallPhase, Expression, SortKey};

/// One call: where its inputs are among the evaluated columns.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Positions of the arguments, and after them of the order keys.
    pub arguments: Vec<usize>,
    /// Position of the filter.
    pub filter: Option<usize>,
    /// Number of arguments whose null skips the row; 0 for an aggregate that sees nulls.
    pub strict: usize,
    /// The aggregate, wrapped where it is DISTINCT or ordered.
    pub bound: BoundAggregate,
    /// Number of the state that it reads.
    pub state: usize,
}

impl Call {
    /// Whether this call can read its result from the state of another.
    fn shares_with(&self, other: &Self) -> bool {
        let states = self.bound.sharing.as_ref().zip(other.bound.sharing.as_ref());
        states.is_some_and(|(own, other)| own.state == other.state)
            && (&self.arguments, self.filter, self.strict) == (&other.arguments, other.filter, other.strict)
    }
}

/// Types and calls of an aggregation.
#[derive(Debug)]
pub(crate) struct AggregateShape {
    /// Types of the evaluated columns: keys first.
    pub column_types: Vec<Type>,
    /// Types of the keys; with grouping sets, the number of the set is the last of them.
    pub key_types: Vec<Type>,
    /// The grouping sets.
    pub sets: Option<GroupingSets>,
    /// The calls.
    pub calls: Vec<Call>,
    /// The call that each state is kept for; others may read it too.
    owners: Vec<usize>,
    /// Types of rows given out: keys, ordinal of the first row, states.
    pub state_types: Vec<Type>,
}

impl AggregateShape {
    /// Lays out keys and calls; the expressions to evaluate come with it.
    ///
    /// # Errors
    /// An aggregate that the registry does not have in this form and version.
    pub fn bind(
        keys: &[Expression],
        sets: &[Vec<usize>],
        calls: &[AggregateCall],
        context: &Arc<Context>,
    ) -> Result<(Self, Vec<Expression>)> {
        let mut expressions = keys.to_vec();
        let mut bound_calls: Vec<Call> = Vec::with_capacity(calls.len());
        let mut owners: Vec<usize> = Vec::new();
        for (position, call) in calls.iter().enumerate() {
            let mut call = bind_call(call, &mut expressions, context)?;
            let shared = owners.iter().position(|&owner| call.shares_with(&bound_calls[owner]));
            call.state = shared.unwrap_or(owners.len());
            if shared.is_none() {
                owners.push(position);
            }
            bound_calls.push(call);
        }
        let mut key_types: Vec<Type> = keys.iter().map(Expression::data_type).collect();
        let sets = (!sets.is_empty()).then(|| GroupingSets::new(sets, &key_types));
        key_types.extend(sets.as_ref().map(|_| Type::UInt32));
        let mut state_types = key_types.clone();
        state_types.push(Type::UInt64);
        state_types.extend(owners.iter().flat_map(|&owner| bound_calls[owner].bound.states.iter().cloned()));
        let column_types = expressions.iter().map(Expression::data_type).collect();
        Ok((Self { column_types, key_types, sets, calls: bound_calls, owners, state_types }, expressions))
    }
}

impl AggregateShape {
    /// True if groups can be told apart by the hash of their keys.
    pub fn can_partition(&self) -> bool {
        !self.key_types.is_empty()
    }

    /// Bytes of keys and states of a group, roughly: values of varying length are taken as short ones.
    pub fn state_bytes(&self) -> usize {
        self.state_types.iter().map(|data_type| data_type.to_arrow().primitive_width().unwrap_or(32)).sum()
    }

    /// The call that each state is kept for.
    pub fn states(&self) -> impl Iterator<Item = &Call> {
        self.owners.iter().map(|&owner| &self.calls[owner])
    }

    /// How often each row is grouped.
    pub fn sets_count(&self) -> usize {
        self.sets.as_ref().map_or(1, GroupingSets::len)
    }
}

/// Binds one call; the expressions it reads are added to `expressions` where they are not there yet.
///
/// # Errors
/// An aggregate that the registry does not have in this form and version.
pub(crate) fn bind_call(
    call: &AggregateCall,
    expressions: &mut Vec<Expression>,
    context: &Arc<Context>,
) -> Result<Call> {
    let function = context
        .registry
        .aggregate(&call.function)
        .ok_or_else(|| Error::Function(context.registry.unknown(&call.function)))?;
    if function.version != call.version {
        return Err(Error::user(format!(
            "aggregate {} has version {}; the plan needs version {}",
            call.function, function.version, call.version
        )));
    }
    let (types, constants) = argument_types(call);
    let given: Vec<Given<'_>> = types.iter().map(Given::Typed).collect();
    let (overload, _) = function.resolve(&given)?;
    let settings = &context.settings;
    let bind = overload.bind.as_ref();
    let mut bound =
        bind(&Arguments { function: &call.function, types: &types, constants: &constants, settings })?;
    bound = match &call.phase {
        CallPhase::Whole => bound,
        CallPhase::State { piece } => bound.giving_state(function.order_sensitive.then_some(*piece)),
        CallPhase::Merge { keeps_state, .. } => bound.of_states(*keeps_state),
    };
    if bound.result != call.data_type {
        return Err(Error::user(format!(
            "aggregate {} gives {}; the plan expects {}",
            call.function, bound.result, call.data_type
        )));
    }
    let strict = if bound.strict { types.len() } else { 0 };
    let order: &[SortKey] = if function.order_sensitive { &call.order } else { &[] };
    if !call.phase.is_whole() && (call.distinct || !order.is_empty()) {
        return Err(Error::user(format!(
            "aggregate {} with DISTINCT or ORDER BY has no states",
            call.function
        )));
    }
    let is_distinct = call.distinct && !(function.ignores_duplicates && types.len() == 1);
    if !order.is_empty() {
        let keys = order.iter().map(KeyOrder::of).collect();
        bound = ordered(bound, types.clone(), keys, is_distinct);
    } else if is_distinct {
        bound = distinct(bound, types.clone());
    }
    let mut place = |expression: &Expression| {
        // Equal expressions share a column; the expression set would compute them once anyway.
        expressions.iter().position(|known| known == expression).unwrap_or_else(|| {
            expressions.push(expression.clone());
            expressions.len() - 1
        })
    };
    let arguments =
        call.arguments.iter().chain(order.iter().map(|key| &key.expression)).map(&mut place).collect();
    let filter = call.filter.as_ref().map(&mut place);
    Ok(Call { arguments, filter, strict, bound, state: 0 })
}

/// Types and constants of the arguments that the aggregate itself takes.
fn argument_types(call: &AggregateCall) -> (Vec<Type>, Vec<Option<Literal>>) {
    if let CallPhase::Merge { types, constants, .. } = &call.phase {
        return (types.clone(), constants.clone());
    }
    let constant = |argument: &Expression| match argument {
        Expression::Literal(literal) => Some(literal.clone()),
        _ => None,
    };
    let types = call.arguments.iter().map(Expression::data_type).collect();
    (types, call.arguments.iter().map(constant).collect())
}

impl AggregateCall {
    /// The same call with its state for a result.
    ///
    /// # Errors
    /// An aggregate that the registry does not have in this form and version.
    pub fn giving_state(&self, piece: u32, context: &Arc<Context>) -> Result<Self> {
        Ok(Self {
            phase: CallPhase::State { piece },
            data_type: bind_call(self, &mut Vec::new(), context)?.bound.state_type(),
            ..self.clone()
        })
    }

    /// The call that merges states of this one.
    pub fn of_states(&self, states: Expression, keeps_state: bool) -> Self {
        let (types, constants) = argument_types(self);
        let data_type = if keeps_state { states.data_type() } else { self.data_type.clone() };
        Self {
            arguments: vec![states],
            filter: None,
            phase: CallPhase::Merge { types, constants, keeps_state },
            data_type,
            ..self.clone()
        }
    }
}

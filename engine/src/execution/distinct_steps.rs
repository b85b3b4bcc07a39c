//! DISTINCT aggregates in two steps: group by the keys and the arguments, then aggregate what is left by the keys.
//!
//! Each step spills, is divided among workers and holds one row for each distinct one, whereas a DISTINCT
//! aggregate on its own holds sets of values for every group and cannot divide the set of one giant group.

use hypostyle_functions::Registry;
use hypostyle_functions::types::{Field, Schema};

use crate::plan::{AggregateCall, Expression};

/// The second step; the first one groups by `first_keys`.
pub(super) struct DistinctSteps {
    /// Keys of the first step: those of the aggregation, then the arguments.
    pub first_keys: Vec<Expression>,
    /// Columns between the steps.
    pub schema: Schema,
    /// Keys over these columns.
    pub keys: Vec<Expression>,
    /// Calls over these columns, no longer DISTINCT.
    pub calls: Vec<AggregateCall>,
}

/// How to divide an aggregation into two steps; `None` if not all its calls are DISTINCT over the same arguments, or
/// if one has a filter or depends on the order of the rows.
pub(super) fn distinct_steps(
    keys: &[Expression],
    calls: &[AggregateCall],
    registry: &Registry,
) -> Option<DistinctSteps> {
    let arguments = &calls.first()?.arguments;
    let can_divide = |call: &AggregateCall| {
        call.distinct
            && call.filter.is_none()
            && call.order.is_empty()
            && call.arguments == *arguments
            && registry.aggregate(&call.function).is_some_and(|function| !function.order_sensitive)
    };
    // A constant argument means something when an aggregate is bound, so it must stay a constant.
    let is_constant = |argument: &Expression| matches!(argument, Expression::Literal(_));
    if arguments.is_empty() || arguments.iter().any(is_constant) || !calls.iter().all(can_divide) {
        return None;
    }
    let first_keys: Vec<Expression> = keys.iter().chain(arguments).cloned().collect();
    let field = |(position, key): (usize, &Expression)| Field::new(format!("c{position}"), key.data_type());
    let schema = Schema::new(first_keys.iter().enumerate().map(field).collect());
    let column = |position: usize| Expression::column(position, first_keys[position].data_type());
    let arguments: Vec<Expression> = (keys.len()..first_keys.len()).map(column).collect();
    let keys = (0..keys.len()).map(column).collect();
    let calls = calls
        .iter()
        .map(|call| AggregateCall { arguments: arguments.clone(), distinct: false, ..call.clone() })
        .collect();
    Some(DistinctSteps { first_keys, schema, keys, calls })
}

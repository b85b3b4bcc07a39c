//! Questions about a whole plan.

use hypostyle_functions::types::Type;

use super::{Expression, Node, Plan};
use crate::error::{Error, Result};

/// Number of nodes.
pub fn count_nodes(plan: &Plan) -> usize {
    1 + plan.inputs().into_iter().map(count_nodes).sum::<usize>()
}

/// The name of the first node, from the root, that holds rows between batches.
pub fn first_breaker(plan: &Plan) -> Option<&'static str> {
    match &plan.node {
        Node::Scan { .. } | Node::Values { .. } | Node::WorkTable { .. } => None,
        Node::Filter { .. }
        | Node::Project { .. }
        | Node::Unnest { .. }
        | Node::Repeat { .. }
        | Node::Union { .. } => plan.inputs().into_iter().find_map(first_breaker),
        other => Some(other.name()),
    }
}

/// Types of the parameters, by position.
///
/// # Errors
/// A parameter that is used with two types, or a position that nothing uses.
pub fn parameters(plan: &Plan) -> Result<Vec<Type>> {
    let mut found: Vec<Option<Type>> = Vec::new();
    let mut conflict = None;
    visit_expressions(plan, &mut |expression| {
        expression.walk(&mut |expression| {
            let Expression::Parameter { index, data_type } = expression else { return };
            if *index >= PARAMETERS_MAX {
                conflict = Some(Error::user(format!(
                    "parameter {}; at most {PARAMETERS_MAX} are possible",
                    index + 1
                )));
                return;
            }
            if found.len() <= *index {
                found.resize(index + 1, None);
            }
            match &found[*index] {
                Some(held) if held != data_type => {
                    conflict = Some(Error::user(format!(
                        "parameter {} is both {held} and {data_type}; cast one use",
                        index + 1
                    )));
                }
                _ => found[*index] = Some(data_type.clone()),
            }
        });
    });
    if let Some(error) = conflict {
        return Err(error);
    }
    // A position that nothing uses takes any value.
    Ok(found.into_iter().map(|data_type| data_type.unwrap_or(Type::Null)).collect())
}

/// Most parameters of a plan.
const PARAMETERS_MAX: usize = 1 << 16;

/// Calls `visit` with every expression of every node.
pub fn visit_expressions(plan: &Plan, visit: &mut impl FnMut(&Expression)) {
    plan.node.expressions().into_iter().for_each(&mut *visit);
    for input in plan.inputs() {
        visit_expressions(input, visit);
    }
}

impl Node {
    /// The expressions of this node.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Scan { filters, .. } => filters.iter().collect(),
            Self::Values { rows } => rows.iter().flatten().collect(),
            Self::Filter { predicate, .. } => vec![predicate],
            Self::Project { expressions, .. } => expressions.iter().collect(),
            Self::Sort { keys, .. } => keys.iter().map(|key| &key.expression).collect(),
            Self::Aggregate { keys, aggregates, .. } => {
                let of_calls = aggregates.iter().flat_map(|call| {
                    call.arguments
                        .iter()
                        .chain(&call.filter)
                        .chain(call.order.iter().map(|key| &key.expression))
                });
                keys.iter().chain(of_calls).collect()
            }
            Self::HashJoin { keys, residual, .. } => {
                keys.iter().flat_map(|key| [&key.left, &key.right]).chain(residual).collect()
            }
            Self::CrossJoin { condition, .. } => condition.iter().collect(),
            Self::AsofJoin(join) => join.expressions(),
            Self::RangeJoin(join) => join.expressions(),
            Self::Unnest { lists, .. } => lists.iter().collect(),
            Self::Window { window, .. } => window.expressions(),
            Self::Repeat { count, .. } => vec![count],
            Self::Limit { .. }
            | Self::Union { .. }
            | Self::SingleRow { .. }
            | Self::Sample { .. }
            | Self::ComputedLimit { .. }
            | Self::PositionalJoin { .. }
            | Self::Recursive { .. }
            | Self::WorkTable { .. }
            | Self::Shared { .. }
            | Self::SharedRows { .. }
            | Self::Write { .. } => Vec::new(),
        }
    }

    /// The name by which plans are shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scan { .. } => "Scan",
            Self::Values { .. } => "Values",
            Self::Filter { .. } => "Filter",
            Self::Project { .. } => "Project",
            Self::Limit { .. } => "Limit",
            Self::Sort { limit: None, .. } => "Sort",
            Self::Sort { limit: Some(_), .. } => "TopN",
            Self::Aggregate { .. } => "Aggregate",
            Self::HashJoin { .. } => "HashJoin",
            Self::CrossJoin { .. } => "CrossJoin",
            Self::AsofJoin(_) => "AsofJoin",
            Self::RangeJoin(_) => "RangeJoin",
            Self::Union { .. } => "Union",
            Self::Unnest { .. } => "Unnest",
            Self::Window { .. } => "Window",
            Self::Repeat { .. } => "Repeat",
            Self::Sample { .. } => "Sample",
            Self::ComputedLimit { .. } => "ComputedLimit",
            Self::PositionalJoin { .. } => "PositionalJoin",
            Self::Recursive { .. } => "Recursive",
            Self::WorkTable { .. } => "WorkTable",
            Self::SingleRow { .. } => "SingleRow",
            Self::Shared { .. } => "Shared",
            Self::SharedRows { .. } => "SharedRows",
            Self::Write { .. } => "Write",
        }
    }
}

//! Checks a plan that may come from anywhere: sizes, indexes, types and versions, with clear errors.

use std::sync::Arc;

use hypostyle_functions::types::{Schema, Type};

use super::ordered_join::Side;
use super::{
    Expression, GROUPING_KEYS_MAX, GROUPING_SETS_MAX, JoinKind, Node, Plan, SampleSize, ScannedTable,
    TableReference,
};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::table::TableProvider;

/// Deepest nesting of nodes, and of expressions; beyond it the stack of a worker could overflow.
const DEPTH_MAX: usize = 500;

/// Checks the plan against the session it is to run in.
///
/// # Errors
/// The first fault found, with the node it is in.
pub fn verify(plan: &Plan, context: &Arc<Context>) -> Result<()> {
    verify_over(plan, context, &mut |table| context.catalog.resolve(table, context))
}

/// As [`verify`], with the tables that `resolve` finds.
pub(crate) fn verify_over(plan: &Plan, context: &Arc<Context>, resolve: &mut Resolve<'_>) -> Result<()> {
    verify_node(plan, context, resolve, 0)
}

/// Finds the table of a reference.
type Resolve<'a> = dyn FnMut(&TableReference) -> Result<Arc<dyn TableProvider>> + 'a;

fn verify_node(plan: &Plan, context: &Arc<Context>, resolve: &mut Resolve<'_>, depth: usize) -> Result<()> {
    let name = plan.node.name();
    if depth > DEPTH_MAX {
        return Err(fault(name, format!("the plan is nested deeper than {DEPTH_MAX} nodes")));
    }
    for input in plan.inputs() {
        verify_node(input, context, resolve, depth + 1)?;
    }
    verify_itself(plan, context, resolve)
}

/// A node over inputs that were verified. Apart from the recursion, whose frames are to stay small.
#[inline(never)]
fn verify_itself(plan: &Plan, context: &Arc<Context>, resolve: &mut Resolve<'_>) -> Result<()> {
    let name = plan.node.name();
    for expression in plan.node.expressions() {
        verify_depth(expression, 0).map_err(|problem| fault(name, problem))?;
    }
    let provider = match &plan.node {
        Node::Scan { table, .. } => Some(resolve(table)?),
        _ => None,
    };
    let table = provider.as_ref().map(|provider| ScannedTable::of(plan, provider.as_ref()));
    let table = table.transpose().map_err(|problem| fault(name, problem))?;
    let schema = table.as_ref().map(ScannedTable::schema);
    verify_contents(plan, schema, context).map_err(|problem| fault(name, problem))?;
    let expected = output_types(plan).map_err(|problem| fault(name, problem))?;
    let Some(expected) = expected else { return Ok(()) };
    let actual: Vec<&Type> = plan.schema.fields.iter().map(|field| &field.data_type).collect();
    if expected.len() != actual.len() {
        return Err(fault(
            name,
            format!("it has {} columns; its schema names {}", expected.len(), actual.len()),
        ));
    }
    for (position, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        if expected != actual {
            return Err(fault(
                name,
                format!("column {} has type {expected}; its schema says {actual}", position + 1),
            ));
        }
    }
    Ok(())
}

fn fault(node: &str, problem: String) -> Error {
    Error::user(format!("plan node {node}: {problem}"))
}

fn verify_depth(expression: &Expression, depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("an expression is nested deeper than {DEPTH_MAX}"));
    }
    expression.children().into_iter().try_for_each(|child| verify_depth(child, depth + 1))
}

/// Columns and functions that the expressions of a node use.
fn verify_contents(plan: &Plan, table: Option<&Schema>, context: &Arc<Context>) -> Result<(), String> {
    let check = |expression: &Expression, schema: &Schema| verify_expression(expression, schema, context);
    match &plan.node {
        Node::Scan { projection, filters, .. } => {
            let Some(schema) = table else { return Err("its table was not found".into()) };
            let read = projection.iter().map(|&column| &schema.fields[column].data_type);
            for (position, (actual, field)) in read.zip(&plan.schema.fields).enumerate() {
                if *actual != field.data_type {
                    return Err(format!(
                        "column {} has type {actual} in the table; the plan was made for {}",
                        position + 1,
                        field.data_type
                    ));
                }
            }
            filters.iter().try_for_each(|filter| predicate(filter).and_then(|()| check(filter, schema)))
        }
        Node::Values { rows } => rows.iter().flatten().try_for_each(|value| check(value, &Schema::default())),
        Node::HashJoin { left, right, keys, residual, .. } => {
            for key in keys {
                check(&key.left, &left.schema)?;
                check(&key.right, &right.schema)?;
                if key.left.data_type() != key.right.data_type() {
                    return Err(format!(
                        "a key has type {} on the left and {} on the right",
                        key.left.data_type(),
                        key.right.data_type()
                    ));
                }
            }
            residual.iter().try_for_each(|condition| {
                predicate(condition).and_then(|()| check(condition, &both(left, right)))
            })
        }
        Node::CrossJoin { left, right, condition, .. } => condition.iter().try_for_each(|condition| {
            predicate(condition).and_then(|()| check(condition, &both(left, right)))
        }),
        Node::AsofJoin(join) => {
            join.verify(&|expression, side| check_side(expression, side, &join.left, &join.right, context))
        }
        Node::RangeJoin(join) => {
            join.verify(&|expression, side| check_side(expression, side, &join.left, &join.right, context))
        }
        node => {
            let Some(input) = plan.inputs().into_iter().next() else { return Ok(()) };
            match node {
                Node::Filter { predicate: condition, .. } => predicate(condition)?,
                Node::Window { window, .. } => window.verify()?,
                _ => {}
            }
            node.expressions().into_iter().try_for_each(|expression| check(expression, &input.schema))
        }
    }
}

/// Checks an expression of a join against the side whose columns it reads.
fn check_side(
    expression: &Expression,
    side: Side,
    left: &Plan,
    right: &Plan,
    context: &Arc<Context>,
) -> Result<(), String> {
    match side {
        Side::Left => verify_expression(expression, &left.schema, context),
        Side::Right => verify_expression(expression, &right.schema, context),
        Side::Both => {
            predicate(expression)?;
            verify_expression(expression, &both(left, right), context)
        }
    }
}

fn both(left: &Plan, right: &Plan) -> Schema {
    Schema::new(left.schema.fields.iter().chain(&right.schema.fields).cloned().collect())
}

fn predicate(expression: &Expression) -> Result<(), String> {
    match expression.data_type() {
        Type::Boolean => Ok(()),
        other => Err(format!("a condition has type {other}; expected BOOLEAN")),
    }
}

fn verify_expression(expression: &Expression, schema: &Schema, context: &Arc<Context>) -> Result<(), String> {
    let mut result = Ok(());
    expression.walk(&mut |expression| {
        if result.is_ok() {
            result = verify_operand(expression, schema, context);
        }
    });
    result
}

fn verify_operand(expression: &Expression, schema: &Schema, context: &Arc<Context>) -> Result<(), String> {
    match expression {
        Expression::Column { index, data_type } => match schema.fields.get(*index) {
            None => Err(format!("an expression reads column {index}; there are {}", schema.fields.len())),
            Some(field) if field.data_type != *data_type => Err(format!(
                "column {index} has type {}; an expression reads it as {data_type}",
                field.data_type
            )),
            Some(_) => Ok(()),
        },
        Expression::Call { function, version, .. } => match context.registry.scalar(function) {
            None => Err(context.registry.unknown(function).to_string()),
            Some(known) if known.version != *version => Err(format!(
                "function {function} has version {}; the plan needs version {version}",
                known.version
            )),
            Some(_) => Ok(()),
        },
        Expression::And(operands) | Expression::Or(operands) => operands.iter().try_for_each(predicate),
        _ => Ok(()),
    }
}

/// The work table of a recursion has the recursion's columns wherever it is read.
fn verify_work_table(plan: &Plan, table: u32, types: &[Type]) -> Result<(), String> {
    if let Node::WorkTable { table: read, .. } = &plan.node
        && *read == table
    {
        let own = plan.schema.fields.iter().map(|field| &field.data_type);
        return match own.eq(types) {
            true => Ok(()),
            false => Err("its work table is read with other columns".into()),
        };
    }
    plan.inputs().into_iter().try_for_each(|input| verify_work_table(input, table, types))
}

/// Every reader of shared rows asks for columns that these have.
fn verify_shared(plan: &Plan, table: u32, schema: &Schema) -> Result<(), String> {
    if let Node::SharedRows { table: read, projection } = &plan.node
        && *read == table
    {
        let types = projection.iter().map(|&column| schema.fields.get(column).map(|field| &field.data_type));
        let own = plan.schema.fields.iter().map(|field| Some(&field.data_type));
        if !types.eq(own) {
            return Err(format!("a reader of #{table} expects other columns than these"));
        }
    }
    plan.inputs().into_iter().try_for_each(|input| verify_shared(input, table, schema))
}

fn verify_sets(keys: usize, sets: &[Vec<usize>]) -> Result<(), String> {
    if !sets.is_empty() && keys > GROUPING_KEYS_MAX {
        return Err(format!(
            "it has {keys} keys and grouping sets; at most {GROUPING_KEYS_MAX} are possible"
        ));
    }
    if sets.len() > GROUPING_SETS_MAX {
        return Err(format!("it has {} grouping sets; at most {GROUPING_SETS_MAX} are possible", sets.len()));
    }
    match sets.iter().flatten().find(|&&key| key >= keys) {
        Some(key) => Err(format!("a grouping set names key {key}; there are {keys}")),
        None => Ok(()),
    }
}

/// Types of the node's columns as its parts make them; `None` where the table decides.
fn output_types(plan: &Plan) -> Result<Option<Vec<Type>>, String> {
    let of = |plan: &Plan| plan.schema.fields.iter().map(|field| field.data_type.clone()).collect::<Vec<_>>();
    let results =
        |expressions: &[Expression]| expressions.iter().map(Expression::data_type).collect::<Vec<_>>();
    Ok(match &plan.node {
        Node::Scan { projection, .. } if projection.len() != plan.schema.fields.len() => {
            return Err(format!(
                "it reads {} columns; its schema names {}",
                projection.len(),
                plan.schema.fields.len()
            ));
        }
        Node::Scan { .. } => None,
        Node::Values { rows } => {
            let own = of(plan);
            for row in rows {
                if results(row) != own {
                    return Err("a row does not have the columns of its schema".into());
                }
            }
            Some(own)
        }
        Node::Filter { input, .. }
        | Node::Limit { input, .. }
        | Node::Sort { input, .. }
        | Node::SingleRow { input } => Some(of(input)),
        Node::Sample { input, size, .. } => match size {
            SampleSize::Percent(percent) if !(0.0..=100.0).contains(percent) => {
                return Err(format!("it samples {percent}% of the rows; expected 0 to 100"));
            }
            _ => Some(of(input)),
        },
        Node::ComputedLimit { input, amounts } => match of(amounts).as_slice() {
            [Type::Int64 | Type::Float64, Type::Int64] => Some(of(input)),
            _ => return Err("its numbers are not a BIGINT or DOUBLE and a BIGINT".into()),
        },
        Node::PositionalJoin { left, right } => Some(of(left).into_iter().chain(of(right)).collect()),
        Node::Recursive { initial, step, table, keys, .. } => {
            let own = of(plan);
            if let Some(key) = keys.iter().find(|key| **key >= own.len()) {
                return Err(format!("key {key} of the recursion is not among its {} columns", own.len()));
            }
            if of(initial) != own || of(step) != own {
                return Err("a plan of the recursion does not have the columns of its schema".into());
            }
            verify_work_table(step, *table, &own)?;
            Some(own)
        }
        // Where it stands is checked with the recursion around it.
        Node::WorkTable { .. } => Some(of(plan)),
        Node::Repeat { input, count } => match count.data_type() {
            Type::Int64 => Some(of(input)),
            other => return Err(format!("it repeats rows by a {other}; expected BIGINT")),
        },
        Node::Project { expressions, .. } => Some(results(expressions)),
        Node::Aggregate { keys, sets, aggregates, .. } => {
            verify_sets(keys.len(), sets)?;
            let calls = aggregates.iter().map(|call| call.data_type.clone());
            let grouping_id = (!sets.is_empty()).then_some(Type::Int64);
            Some(results(keys).into_iter().chain(calls).chain(grouping_id).collect())
        }
        Node::HashJoin { left, right, kind, .. } | Node::CrossJoin { left, right, kind, .. } => {
            Some(joined(of(left), of(right), *kind))
        }
        Node::AsofJoin(join) => Some(joined(of(&join.left), of(&join.right), join.kind)),
        Node::RangeJoin(join) => Some(joined(of(&join.left), of(&join.right), join.kind)),
        Node::Union { inputs } => {
            let own = of(plan);
            if inputs.iter().any(|input| of(input) != own) {
                return Err("an input does not have the columns of its schema".into());
            }
            Some(own)
        }
        Node::Unnest { input, lists, .. } => {
            let mut columns = of(input);
            for list in results(lists) {
                match (list.element(), &list) {
                    (Some(element), _) => columns.push(element.clone()),
                    (None, Type::Null) => columns.push(Type::Null),
                    (None, other) => {
                        return Err(format!("it unnests a column of type {other}; expected a list"));
                    }
                }
            }
            Some(columns)
        }
        Node::Window { input, window } => {
            let mut columns = of(input);
            columns.extend(window.calls.iter().map(|call| call.data_type.clone()));
            Some(columns)
        }
        Node::Shared { table, definition, input } => {
            verify_shared(input, *table, &definition.schema)?;
            Some(of(input))
        }
        Node::SharedRows { .. } => None,
        Node::Write { .. } => Some(vec![Type::Int64]),
    })
}

/// Types of a join's columns.
fn joined(mut left: Vec<Type>, right: Vec<Type>, kind: JoinKind) -> Vec<Type> {
    match kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::LeftSingle => {
            left.extend(right);
        }
        JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::LeftAntiNullAware => {}
        JoinKind::RightSemi | JoinKind::RightAnti => left = right,
        JoinKind::LeftMark => left.push(Type::Boolean),
    }
    left
}

//! Finds the scans that a column of a plan comes from, where leaving out rows of the scan only leaves out rows of the plan
//! that have the same value in the column.

use crate::plan::{Expression, JoinKey, JoinKind, Node, Plan, count_nodes};

/// Adds the scans (by their position in the plan, `id` being that of this node) and the columns of their tables.
pub(super) fn scans_of_column(plan: &Plan, id: usize, column: usize, scans: &mut Vec<(usize, usize)>) {
    match &plan.node {
        Node::Scan { projection, limit: None, .. } => {
            scans.extend(projection.get(column).map(|&column| (id, column)));
        }
        Node::Filter { input, .. } | Node::Sort { input, limit: None, .. } => {
            scans_of_column(input, id + 1, column, scans);
        }
        Node::Project { input, expressions } => {
            of_expression(input, id + 1, expressions.get(column), scans);
        }
        Node::Aggregate { input, keys, sets, .. } if sets.is_empty() => {
            of_expression(input, id + 1, keys.get(column), scans);
        }
        Node::HashJoin { left, right, kind, keys, .. } => {
            of_join(left, right, *kind, keys, (id, column), scans);
        }
        Node::CrossJoin { left, right, kind, .. } => of_join(left, right, *kind, &[], (id, column), scans),
        Node::Union { inputs } => {
            let mut next = id + 1;
            for input in inputs {
                scans_of_column(input, next, column, scans);
                next += count_nodes(input);
            }
        }
        _ => {}
    }
}

fn of_expression(input: &Plan, id: usize, expression: Option<&Expression>, scans: &mut Vec<(usize, usize)>) {
    if let Some(Expression::Column { index, .. }) = expression {
        scans_of_column(input, id, *index, scans);
    }
}

/// A column of a join; through an equality of an inner join also its partner on the other side.
fn of_join(
    left: &Plan,
    right: &Plan,
    kind: JoinKind,
    keys: &[JoinKey],
    (id, column): (usize, usize),
    scans: &mut Vec<(usize, usize)>,
) {
    let gives_right_rows = matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti);
    let width = if gives_right_rows { 0 } else { left.schema.fields.len() };
    let (left_id, right_id) = (id + 1, id + 1 + count_nodes(left));
    let reads = |expression: &Expression, wanted: usize| matches!(expression, Expression::Column { index, .. } if *index == wanted);
    if column < width {
        if matches!(kind, JoinKind::Right | JoinKind::Full | JoinKind::LeftSingle) {
            return;
        }
        scans_of_column(left, left_id, column, scans);
        let is_choice = matches!(kind, JoinKind::Inner | JoinKind::LeftSemi);
        for key in keys.iter().filter(|key| is_choice && reads(&key.left, column)) {
            of_expression(right, right_id, Some(&key.right), scans);
        }
    } else if gives_right_rows {
        scans_of_column(right, right_id, column, scans);
    } else if kind == JoinKind::Inner {
        scans_of_column(right, right_id, column - width, scans);
        for key in keys.iter().filter(|key| reads(&key.right, column - width)) {
            of_expression(left, left_id, Some(&key.left), scans);
        }
    }
}

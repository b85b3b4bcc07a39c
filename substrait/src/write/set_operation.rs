//! Set operations that count rows.

use hypostyle_engine::plan::{AggregateCall, Expression as Bound};
use hypostyle_planner::logical::{Computed, Relation};

use crate::error::{Error, Result};
use crate::message::relation::{RelKind, Set};

use super::{Writer, Written};

/// `SET_OP_MINUS_PRIMARY_ALL` and `SET_OP_INTERSECTION_MULTISET_ALL`.
const MINUS_ALL: i32 = 7;
const INTERSECTION_ALL: i32 = 8;

/// INTERSECT ALL or EXCEPT ALL, as the planner makes it: rows of both sides under one another, grouped, with a count of each
/// side's, and repeated as the counts say.
struct Counted<'a> {
    operation: i32,
    inputs: &'a [Relation],
    /// Columns of the result, with the position of each among those of the inputs.
    columns: Vec<(usize, usize)>,
    /// Position of the column that tells the side.
    mark: usize,
}

impl<'a> Counted<'a> {
    fn of(input: &'a Relation, count: &Bound) -> Option<Self> {
        let Relation::Aggregate { input, keys, sets: None, aggregates } = input else { return None };
        let Relation::Union { inputs, columns } = input.as_ref() else { return None };
        let [left, right] = aggregates.as_slice() else { return None };
        let position = |id: usize| columns.iter().position(|column| column.id == id);
        let mark = position(counted_column(&left.1)?)?;
        let is_other_side = match &right.1.filter {
            Some(Bound::Call { function, arguments, .. }) if function == "not" => {
                matches!(arguments.as_slice(), [Bound::Column { index, .. }] if position(*index) == Some(mark))
            }
            _ => false,
        };
        let Bound::Call { function, arguments, .. } = count else { return None };
        let [Bound::Column { index: first, .. }, Bound::Column { index: second, .. }] = arguments.as_slice()
        else {
            return None;
        };
        let operation = match function.as_str() {
            "least" => INTERSECTION_ALL,
            "-" => MINUS_ALL,
            _ => return None,
        };
        let counts_are_these = (*first, *second) == (left.0.id, right.0.id);
        let is_plain = right.1.function == "count" && right.1.arguments.is_empty();
        if !is_other_side || !counts_are_these || !is_plain {
            return None;
        }
        let key = |key: &Computed| match &key.expression {
            Bound::Column { index, .. } => Some((key.column.id, position(*index)?)),
            _ => None,
        };
        let columns = keys.iter().map(key).collect::<Option<Vec<_>>>()?;
        // The rows are counted by all of their columns.
        let width = inputs.first()?.columns().len();
        let is_whole =
            (0..width).all(|place| place == mark || columns.iter().any(|(_, held)| *held == place));
        is_whole.then_some(Self { operation, inputs, columns, mark })
    }
}

/// The column that a count of rows is limited to.
fn counted_column(call: &AggregateCall) -> Option<usize> {
    match &call.filter {
        Some(Bound::Column { index, .. }) if call.function == "count" && call.arguments.is_empty() => {
            Some(*index)
        }
        _ => None,
    }
}

impl<'a> Writer<'a> {
    /// Rows repeated by a number: what a set operation that counts rows comes to.
    pub(super) fn repeated(&mut self, input: &'a Relation, count: &Bound) -> Result<Written> {
        let refused =
            || Error::unsupported("INTERSECT ALL or EXCEPT ALL over sides that were rewritten into one");
        let counted = Counted::of(input, count).ok_or_else(refused)?;
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for input in counted.inputs {
            let Relation::Project { input, columns } = input else { return Err(refused()) };
            let mark = columns.get(counted.mark).map(|computed| &computed.expression);
            let side = match mark {
                Some(Bound::Literal(literal)) if literal.value.as_bool() == Some(true) => &mut left,
                Some(Bound::Literal(literal)) if literal.value.as_bool() == Some(false) => &mut right,
                _ => return Err(refused()),
            };
            side.push((input.as_ref(), columns));
        }
        let ([left], [right]) = (left.as_slice(), right.as_slice()) else { return Err(refused()) };
        let mut inputs = Vec::with_capacity(2);
        for (input, columns) in [left, right] {
            let read = counted.columns.iter().filter_map(|(_, position)| columns.get(*position).cloned());
            let read: Vec<Computed> = read.collect();
            let written = self.relation(input)?;
            inputs.push(self.project(written, &read)?.rel);
        }
        let ids = counted.columns.iter().map(|(id, _)| *id).collect();
        let set = Set { common: None, inputs, operation: counted.operation };
        Ok(Written::new(RelKind::Set(set), ids))
    }
}

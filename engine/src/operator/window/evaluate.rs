//! Evaluates all calls over the rows of a part, which holds whole partitions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use hypostyle_functions::column::Column;

use super::arrange::Arrangement;
use super::shape::{Function, WindowShape};
use super::stage::Stage;
use super::{aggregate, position};
use crate::error::Result;

/// The result of a call over a part.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    /// The values, in the order of the call.
    pub values: ArrayRef,
    /// The position of each row in that order; `None` if it is the order of the input.
    pub positions: Option<Arc<Vec<u32>>>,
}

impl Computed {
    /// Bytes held; positions that calls share count for each.
    pub fn memory_bytes(&self) -> usize {
        let positions = self.positions.as_ref().map_or(0, |positions| positions.len() * size_of::<u32>());
        self.values.get_array_memory_size() + positions
    }

    /// The values, rows in the order of the input.
    pub fn restored(&self) -> Result<ArrayRef> {
        match &self.positions {
            None => Ok(Arc::clone(&self.values)),
            Some(positions) => {
                let positions = UInt32Array::from(positions.to_vec());
                Ok(arrow_select::take::take(&self.values, &positions, None)?)
            }
        }
    }
}

/// The results of the calls.
pub(super) fn evaluate(shape: &WindowShape, columns: &[Column], rows: usize) -> Result<Vec<Computed>> {
    evaluate_from(shape, columns, Arrangement::partitioned(shape, columns, rows))
}

/// The results of the calls over rows that are cut into partitions.
pub(super) fn evaluate_from(
    shape: &WindowShape,
    columns: &[Column],
    partitioned: Arrangement,
) -> Result<Vec<Computed>> {
    let mut results: Vec<Option<Computed>> = vec![None; shape.calls.len()];
    let mut sorted: Option<(usize, Arrangement)> = None;
    for (position, keys) in shape.orders.iter().enumerate() {
        // An order that begins with the one before is a finer one.
        let (arrangement, known) = match sorted.take() {
            Some((before, arrangement)) if keys.starts_with(&shape.orders[before]) => {
                (arrangement, shape.orders[before].len())
            }
            _ => (partitioned.clone(), 0),
        };
        let arrangement = arrangement.refined(&keys[known..], columns, &shape.column_types);
        let mut of_order = evaluate_calls(shape, columns, &arrangement, position)?.into_iter();
        let calls = shape.calls.iter().zip(&mut results).filter(|(call, _)| call.order == position);
        calls.for_each(|(_, result)| *result = of_order.next());
        sorted = Some((position, arrangement));
    }
    Ok(results.into_iter().flatten().collect())
}

/// The results of the calls over one order, rows in the order they are given.
pub(super) fn evaluate_order(
    shape: &WindowShape,
    columns: &[Column],
    rows: usize,
    order: usize,
) -> Result<Vec<ArrayRef>> {
    let arrangement = Arrangement::partitioned(shape, columns, rows);
    let arrangement = arrangement.refined(&shape.orders[order], columns, &shape.column_types);
    evaluate_calls(shape, columns, &arrangement, order)?.iter().map(Computed::restored).collect()
}

fn evaluate_calls(
    shape: &WindowShape,
    columns: &[Column],
    arrangement: &Arrangement,
    order: usize,
) -> Result<Vec<Computed>> {
    let stage = Stage::new(shape, columns, arrangement, &shape.orders[order]);
    let positions = (!arrangement.is_identity).then(|| Arc::new(arrangement.positions()));
    let calls = shape.calls.iter().filter(|call| call.order == order);
    calls
        .map(|call| {
            let values = match &call.function {
                Function::Aggregate(function) => aggregate::evaluate(&stage, call, function)?,
                Function::Positional(function) => position::evaluate(&stage, call, function)?,
            };
            debug_assert_eq!(values.len(), stage.rows());
            Ok(Computed { values, positions: positions.clone() })
        })
        .collect()
}

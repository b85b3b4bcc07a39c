//! Evaluates all calls over the rows of a part, which holds whole partitions.

use arrow::array::{ArrayRef, UInt32Array};
use hypostyle_functions::column::Column;

use super::arrange::Arrangement;
use super::shape::{Function, WindowShape};
use super::stage::Stage;
use super::{aggregate, position};
use crate::error::Result;

/// The results of the calls, rows in the order of the input.
pub(super) fn evaluate(shape: &WindowShape, columns: &[Column], rows: usize) -> Result<Vec<ArrayRef>> {
    let mut results: Vec<Option<ArrayRef>> = vec![None; shape.calls.len()];
    let partitioned = Arrangement::partitioned(shape, columns, rows);
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
    evaluate_calls(shape, columns, &arrangement, order)
}

fn evaluate_calls(
    shape: &WindowShape,
    columns: &[Column],
    arrangement: &Arrangement,
    order: usize,
) -> Result<Vec<ArrayRef>> {
    let stage = Stage::new(shape, columns, arrangement, &shape.orders[order]);
    let positions = UInt32Array::from(match arrangement.is_identity {
        true => Vec::new(),
        false => arrangement.positions(),
    });
    let calls = shape.calls.iter().filter(|call| call.order == order);
    calls
        .map(|call| {
            let computed = match &call.function {
                Function::Aggregate(function) => aggregate::evaluate(&stage, call, function)?,
                Function::Positional(function) => position::evaluate(&stage, call, function)?,
            };
            stage.restored(computed, &positions)
        })
        .collect()
}

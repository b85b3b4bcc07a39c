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
        let stage = Stage::new(shape, columns, &arrangement, keys);
        let positions = UInt32Array::from(match arrangement.is_identity {
            true => Vec::new(),
            false => arrangement.positions(),
        });
        for (call, result) in shape.calls.iter().zip(&mut results) {
            if call.order == position {
                let computed = match &call.function {
                    Function::Aggregate(function) => aggregate::evaluate(&stage, call, function)?,
                    Function::Positional(function) => position::evaluate(&stage, call, function)?,
                };
                *result = Some(stage.restored(computed, &positions)?);
            }
        }
        sorted = Some((position, arrangement));
    }
    Ok(results.into_iter().flatten().collect())
}

//! min, max, arg_min, arg_max with a number: the n least or greatest values of a group, the best first.

use super::collector::{Summary, collected, write_list};
use crate::aggregate::{AggregateFunction, BoundAggregate};
use crate::column::{Output, View, compare};
use crate::error::{Error, Result};
use crate::scalar::Arguments;
use crate::signature::{any, exact};
use crate::types::Type;

/// One more than the most values a group may keep.
const COUNT_END: i64 = 1_000_000;

/// Adds the form with a number to `min` or `max`.
pub(super) fn with_count<const GREATEST: bool>(function: AggregateFunction) -> AggregateFunction {
    function
        .overload([any("value"), exact("n", Type::Int64)], |arguments| {
            top::<GREATEST>(arguments, vec![arguments.types[0].clone()])
        })
        .note("With a number n, a constant: a list of the n best values that are not null, the best first.")
}

/// Adds the form with a number to `arg_min` or `arg_max`.
pub(super) fn with_key_and_count<const GREATEST: bool>(function: AggregateFunction) -> AggregateFunction {
    function
        .overload([any("value"), any("key"), exact("n", Type::Int64)], |arguments| {
            top::<GREATEST>(arguments, arguments.types[..2].to_vec())
        })
        .note("With a number n, a constant: a list of the values at the n best keys, the best first.")
}

fn top<const GREATEST: bool>(arguments: &Arguments<'_>, columns: Vec<Type>) -> Result<BoundAggregate> {
    let position = columns.len();
    let count = arguments.constant(position)?.as_i64().filter(|count| (1..COUNT_END).contains(count));
    let count = count.ok_or_else(|| {
        let wanted = format!("must be a constant number from 1 to {}", COUNT_END - 1);
        Error::argument(arguments.function, position + 1, wanted)
    })?;
    let result = Type::list(columns[0].clone());
    Ok(collected(columns, result, Top::<GREATEST> { count: count as usize }))
}

#[derive(Clone)]
struct Top<const GREATEST: bool> {
    count: usize,
}

impl<const GREATEST: bool> Top<GREATEST> {
    /// The best rows by the last column, the best first; of equal keys the first row wins.
    fn best(&self, columns: &[View<'_>], members: &mut Vec<u32>) {
        let Some(keys) = columns.last() else { return };
        members.sort_by(|&left, &right| {
            let order = compare(keys, left as usize, keys, right as usize);
            if GREATEST { order.reverse() } else { order }
        });
        members.truncate(self.count);
    }
}

impl<const GREATEST: bool> Summary for Top<GREATEST> {
    const DROPS: bool = true;

    fn write(&self, columns: &[View<'_>], members: &[u32], output: &mut Output, row: usize) {
        let mut best = members.to_vec();
        self.best(columns, &mut best);
        write_list(output, row, &columns[0], &best);
    }

    fn keep(&self, columns: &[View<'_>], members: &mut Vec<u32>) {
        if members.len() > self.count {
            self.best(columns, members);
        }
    }
}

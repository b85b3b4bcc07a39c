//! Text, bytes or a list several times over.

use crate::Registry;
use crate::column::{Output, Rows, View};
use crate::error::{Error, Result};
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{exact, list_of_variable};
use crate::types::Type;

/// Longest result of one row, so that a mistyped count is an error and not the end of the process.
const RESULT_BYTES_MAX: usize = 1 << 30;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("repeat", "text", "A text, binary value or list several times over.")
            .overload([exact("text", Type::Text), exact("count", Type::Int64)], |_| {
                Ok(Bound::strict(Type::Text, |arguments, rows, output, _| {
                    repeat_bytes(arguments, rows, output)
                }))
            })
            .overload([exact("bytes", Type::Binary), exact("count", Type::Int64)], |_| {
                Ok(Bound::strict(Type::Binary, |arguments, rows, output, _| {
                    repeat_bytes(arguments, rows, output)
                }))
            })
            .overload([list_of_variable("list"), exact("count", Type::Int64)], |arguments| {
                let result = arguments.types[0].clone();
                Ok(Bound::strict(result, |arguments, rows, output, _| repeat_list(arguments, rows, output)))
            })
            .note("A count below 1 gives an empty value; a result above 1 GiB is an error of the row.")
            .example("repeat('ab', 3)", "ababab")
            .example("repeat([1, 2], 2)", "[1, 2, 1, 2]"),
    );
}

fn times(count: i64, unit: usize) -> Result<usize> {
    let count = usize::try_from(count).unwrap_or(0);
    if count.saturating_mul(unit) > RESULT_BYTES_MAX {
        return Err(Error::argument(
            "repeat",
            2,
            format!("is {count}, which makes a result larger than 1 GiB"),
        ));
    }
    Ok(count)
}

fn repeat_bytes(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
    let (values, counts) = (arguments[0].bytes(), arguments[1].fixed::<i64>());
    rows.for_each(|row| {
        let value = values.get(row);
        match times(counts.get(row), value.len()) {
            Ok(count) => {
                let bytes = output.bytes();
                let start = bytes.begin();
                if !value.is_empty() {
                    (0..count).for_each(|_| bytes.block().extend_from_slice(value));
                }
                bytes.finish(row, start);
            }
            Err(error) => output.fail(row, || error),
        }
    });
    Ok(())
}

fn repeat_list(arguments: &[View<'_>], rows: Rows<'_>, output: &mut Output) -> Result<()> {
    let (lists, counts) = (arguments[0].list(), arguments[1].fixed::<i64>());
    rows.for_each(|row| {
        let range = lists.range(row);
        match times(counts.get(row), range.len() * 16) {
            Ok(count) => {
                let mut list = output.list();
                let start = list.start();
                if !range.is_empty() {
                    (0..count).for_each(|_| list.child().push_range(lists.child(), range.clone()));
                }
                list.finish(row, start);
            }
            Err(error) => output.fail(row, || error),
        }
    });
    Ok(())
}

//! Lists of token numbers as blocks: `chunk_tokens`, `pack_tokens` and `attention_mask`.

use super::arguments::{CATEGORY, count, flag};
use super::chunk::{chunks, size_and_step};
use crate::Registry;
use crate::column::{Output, View};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the functions.
pub fn register(registry: &mut Registry) {
    let tokens = || exact("tokens", Type::list(Type::Int32));
    registry.register_scalar(
        ScalarFunction::new("chunk_tokens", CATEGORY, "The parts of a list of so many elements each, with an overlap.")
            .overload(
                [tokens(), exact("size", Type::Int64), exact("overlap", Type::Int64).or(Literal::new(Value::Int64(0)))],
                bind_chunks,
            )
            .note("A part starts size - overlap elements behind the start of the part before; the last one ends with the list. Both are constants, and the overlap is smaller.")
            .example("chunk_tokens([1, 2, 3, 4, 5], 3, overlap => 1)", "[[1, 2, 3], [3, 4, 5]]"),
    );
    registry.register_scalar(
        ScalarFunction::new("pack_tokens", CATEGORY, "Lists of tokens put end to end and cut into blocks of one size.")
            .alias("pack_sequences")
            .overload(
                [
                    exact("sequences", Type::list(Type::list(Type::Int32))),
                    exact("size", Type::Int64),
                    exact("separator", Type::Int64).or(Literal::null(Type::Int64)),
                    exact("keep_rest", Type::Boolean).or(Literal::new(Value::Boolean(true))),
                ],
                bind_pack,
            )
            .note("The separator, where there is one, stands behind each list; null lists are left out. keep_rest => false drops a last block that is not full.")
            .note("Rows are packed together with list: pack_tokens(list(tokens ORDER BY id), 2048, 50256).")
            .example("pack_tokens([[1, 2, 3], [4, 5]], 4, separator => 0)", "[[1, 2, 3, 0], [4, 5, 0]]"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "attention_mask",
            CATEGORY,
            "1 for each token and 0 for each padding token of a list.",
        )
        .overload([tokens(), exact("padding", Type::Int64).or(Literal::new(Value::Int64(0)))], bind_mask)
        .note("Only padding at the end of the list counts; a null element is padding.")
        .example("attention_mask([101, 7592, 0, 102, 0, 0])", "[1, 1, 1, 1, 0, 0]"),
    );
}

/// Copies elements of a list of numbers, nulls too.
fn copy(target: &mut Output, source: &View<'_>, places: std::ops::Range<usize>) {
    let start = target.grow(places.len());
    places.enumerate().for_each(|(position, place)| target.copy(start + position, source, place));
}

fn bind_chunks(arguments: &Arguments<'_>) -> Result<Bound> {
    let (size, step) = size_and_step(arguments, 1, 2)?;
    Ok(Bound::null_aware(Type::list(Type::list(Type::Int32)), move |arguments, rows, output, _| {
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                return output.set_null(row);
            }
            let tokens = arguments[0].list();
            let range = tokens.range(row);
            let mut list = output.list();
            let start = list.start();
            chunks(range.len(), size, step, |first, end| {
                let place = list.child().grow(1);
                let mut inner = list.child().list();
                let inner_start = inner.start();
                copy(inner.child(), tokens.child(), range.start + first..range.start + end);
                inner.finish(place, inner_start);
            });
            list.finish(row, start);
        });
        output.check_capacity()
    }))
}

fn bind_pack(arguments: &Arguments<'_>) -> Result<Bound> {
    let size = count(arguments, 1, 1)?.ok_or_else(|| {
        Error::argument(arguments.function, 2, "must be a constant of at least 1, not NULL")
    })?;
    let separator = count(arguments, 2, 0)?.map(|separator| separator as i32);
    let keeps_rest = flag(arguments, 3)?;
    Ok(Bound::null_aware(Type::list(Type::list(Type::Int32)), move |arguments, rows, output, _| {
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                return output.set_null(row);
            }
            let sequences = arguments[0].list();
            let tokens = sequences.child().list();
            let mut list = output.list();
            let start = list.start();
            // The blocks of a row lie end to end, so they are one run of tokens with borders.
            let mut blocks = list.child().list();
            let first = blocks.start();
            for place in sequences.range(row).filter(|&place| sequences.child().is_valid(place)) {
                copy(blocks.child(), tokens.child(), tokens.range(place));
                if let Some(separator) = separator {
                    let at = blocks.child().grow(1);
                    blocks.child().fixed::<i32>()[at] = separator;
                }
            }
            let packed = blocks.start() - first;
            let count = if keeps_rest { packed.div_ceil(size) } else { packed / size };
            let place = list.child().grow(count);
            let mut blocks = list.child().list();
            for block in 0..count {
                let from = block * size;
                blocks.set(place + block, first + from, size.min(packed - from));
            }
            list.finish(row, start);
        });
        output.check_capacity()
    }))
}

fn bind_mask(arguments: &Arguments<'_>) -> Result<Bound> {
    let padding = arguments.constant(1)?.as_i64();
    Ok(Bound::null_aware(Type::list(Type::Int32), move |arguments, rows, output, _| {
        rows.for_each(|row| {
            if arguments[0].is_null(row) {
                return output.set_null(row);
            }
            let tokens = arguments[0].list();
            let (numbers, range) = (tokens.child().fixed::<i32>(), tokens.range(row));
            let is_padding = |place: usize| {
                tokens.child().is_null(place) || Some(i64::from(numbers.get(place))) == padding
            };
            let kept = range.len() - range.clone().rev().take_while(|&place| is_padding(place)).count();
            let mut list = output.list();
            let start = list.child().grow(range.len());
            let mask = &mut list.child().fixed::<i32>()[start..];
            mask.iter_mut().enumerate().for_each(|(position, mask)| *mask = i32::from(position < kept));
            list.finish(row, start);
        });
        output.check_capacity()
    }))
}

//! Sequences of one length: truncated, padded, masked, with tokens at their ends.

use super::CATEGORY;
use crate::error::{Error, Result};
use crate::list::element_of;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, exact, list_of_variable, variable};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Which end of a sequence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("seq_truncate", CATEGORY, "A sequence of at most a length, cut at one side.")
            .note("side => 'right' drops the last elements, 'left' the first, which keeps the most recent events.")
            .example("seq_truncate([1, 2, 3], 2)", "[1, 2]")
            .example("seq_truncate([1, 2, 3], 2, side => 'left')", "[2, 3]")
            .overload([list_of_variable("list"), exact("length", Type::Int64), side()], truncate),
    );
    registry.register_scalar(
        ScalarFunction::new("pad_to", CATEGORY, "A sequence of exactly a length: padded with a value, or cut.")
            .note("The length must be constant: the result is a fixed list. Padding and cutting happen at the side, 'right' or 'left'.")
            .note("A null sequence gives null; null elements stay.")
            .example("pad_to([7, 8], 4, 0)", "[7, 8, 0, 0]")
            .example("pad_to([7, 8], 4, 0, side => 'left')", "[0, 0, 7, 8]")
            .overload([list_of_variable("list"), exact("length", Type::Int64), variable("value"), side()], pad),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "seq_mask",
            CATEGORY,
            "1 for each place of `pad_to` that holds an element, 0 for padding.",
        )
        .note("The length must be constant: the result is a fixed list of TINYINT.")
        .example("seq_mask([7, 8], 4)", "[1, 1, 0, 0]")
        .example("seq_mask([7, 8], 4, side => 'left')", "[0, 0, 1, 1]")
        .overload([list_of_variable("list"), exact("length", Type::Int64), side()], mask),
    );
    registry.register_scalar(
        ScalarFunction::new("add_tokens", CATEGORY, "A list with other elements before or behind its own.")
            .example("add_tokens([1, 2], [0], true)", "[0, 1, 2]")
            .example("add_tokens([1, 2], [6], false)", "[1, 2, 6]")
            .overload(
                [list_of_variable("list"), list_of_variable("tokens"), exact("at_begin", Type::Boolean)],
                |arguments| {
                    Ok(Bound::strict(arguments.types[0].clone(), |arguments, rows, output, _| {
                        rows.for_each(|row| {
                            let (mut first, mut second) = (&arguments[0], &arguments[1]);
                            if arguments[2].boolean().get(row) {
                                std::mem::swap(&mut first, &mut second);
                            }
                            let mut writer = output.list();
                            let start = writer.start();
                            for part in [first.list(), second.list()] {
                                writer.child().push_range(part.child(), part.range(row));
                            }
                            writer.finish(row, start);
                        });
                        output.check_capacity()
                    }))
                },
            ),
    );
}

fn side() -> Parameter {
    exact("side", Type::Text).or(Literal::new(Value::from("right")))
}

fn chosen_side(arguments: &Arguments<'_>, position: usize) -> Result<Side> {
    match arguments.constant_text(position)? {
        side if side.eq_ignore_ascii_case("right") => Ok(Side::Right),
        side if side.eq_ignore_ascii_case("left") => Ok(Side::Left),
        other => {
            let problem = format!("is \"{other}\"; expected 'left' or 'right'");
            Err(Error::argument(arguments.function, position + 1, problem))
        }
    }
}

/// Most elements of a fixed list that a function makes.
const LENGTH_MAX: i64 = 1 << 20;

/// The constant length of the result.
fn length(arguments: &Arguments<'_>) -> Result<usize> {
    match arguments.constant(1)?.as_i64() {
        Some(length @ 1..=LENGTH_MAX) => Ok(length as usize),
        _ => {
            let problem = format!("is not a length; expected a constant from 1 to {LENGTH_MAX}");
            Err(Error::argument(arguments.function, 2, problem))
        }
    }
}

fn truncate(arguments: &Arguments<'_>) -> Result<Bound> {
    let side = chosen_side(arguments, 2)?;
    Ok(Bound::strict(arguments.types[0].clone(), move |arguments, rows, output, _| {
        let (list, lengths) = (arguments[0].list(), arguments[1].fixed::<i64>());
        rows.for_each(|row| {
            let Ok(length) = usize::try_from(lengths.get(row)) else {
                let problem = format!("is {}; expected a length of at least 0", lengths.get(row));
                return output.fail(row, || Error::argument("seq_truncate", 2, problem));
            };
            let range = list.range(row);
            let kept = match side {
                Side::Right => range.start..range.end.min(range.start + length.min(range.len())),
                Side::Left => range.end - length.min(range.len())..range.end,
            };
            let mut writer = output.list();
            let start = writer.start();
            writer.child().push_range(list.child(), kept);
            writer.finish(row, start);
        });
        output.check_capacity()
    }))
}

fn pad(arguments: &Arguments<'_>) -> Result<Bound> {
    let (length, side) = (length(arguments)?, chosen_side(arguments, 3)?);
    let result = Type::fixed_list(element_of(arguments.types, 0), length);
    // A padding of NULL is a value like any other, so nulls are looked at here.
    Ok(Bound::null_aware(result, move |arguments, rows, output, _| {
        let (sequences, value) = (&arguments[0], &arguments[2]);
        rows.for_each(|row| {
            if sequences.is_null(row) {
                return output.set_null(row);
            }
            let list = sequences.list();
            let range = list.range(row);
            let kept = range.len().min(length);
            let target = output.fixed_list_child();
            let (first, padding) = match side {
                Side::Right => (row * length, row * length + kept..(row + 1) * length),
                Side::Left => ((row + 1) * length - kept, row * length..(row + 1) * length - kept),
            };
            let source = match side {
                Side::Right => range.start,
                Side::Left => range.end - kept,
            };
            (0..kept).for_each(|place| target.copy(first + place, list.child(), source + place));
            padding.for_each(|place| target.copy(place, value, row));
        });
        output.check_capacity()
    }))
}

fn mask(arguments: &Arguments<'_>) -> Result<Bound> {
    let (length, side) = (length(arguments)?, chosen_side(arguments, 2)?);
    Ok(Bound::strict(Type::fixed_list(Type::Int8, length), move |arguments, rows, output, _| {
        let list = arguments[0].list();
        rows.for_each(|row| {
            let kept = list.length(row).min(length);
            let places = &mut output.fixed_list_child().fixed::<i8>()[row * length..(row + 1) * length];
            let border = if side == Side::Right { kept } else { length - kept };
            let (before, after) = places.split_at_mut(border);
            before.fill(i8::from(side == Side::Right));
            after.fill(i8::from(side == Side::Left));
        });
        output.check_capacity()
    }))
}

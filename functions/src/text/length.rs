//! Lengths of text in characters, graphemes, bytes and bits.

use unicode_segmentation::UnicodeSegmentation;

use super::lift::measure;
use crate::Registry;
use crate::column::Rows;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("length", "text", "Number of characters of a text, or of elements of a list.")
            .alias("len")
            .alias("char_length")
            .alias("character_length")
            .overload([exact("text", Type::Text)], |_| Ok(measure(Type::Int64, characters)))
            .overload([parameter("list", Pattern::AnyList(Box::new(Pattern::Any)))], |_| Ok(elements()))
            .note("Characters are Unicode code points; length_grapheme counts what a reader sees as one.")
            .note("Null elements of a list are counted; a null gives null.")
            .example("length('héllo')", "5")
            .example("length([1, NULL, 3])", "3"),
    );
    registry.register_scalar(
        ScalarFunction::new("length_grapheme", "text", "Number of grapheme clusters of a text.")
            .overload([exact("text", Type::Text)], |_| Ok(measure(Type::Int64, graphemes)))
            .example("length_grapheme('🤦🏼‍♂️x')", "2"),
    );
    registry.register_scalar(
        ScalarFunction::new("strlen", "text", "Number of bytes of a text in UTF-8.")
            .overload([exact("text", Type::Text)], |_| Ok(bytes(1)))
            .example("strlen('é')", "2"),
    );
    registry.register_scalar(
        ScalarFunction::new("bit_length", "text", "Number of bits of a text in UTF-8.")
            .overload([exact("text", Type::Text)], |_| Ok(bytes(8)))
            .example("bit_length('abc')", "24"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "octet_length",
            "text",
            "Number of bytes of a binary value or of a text in UTF-8.",
        )
        .overload([exact("bytes", Type::Binary)], |_| Ok(bytes(1)))
        .overload([exact("text", Type::Text)], |_| Ok(bytes(1)))
        .example("octet_length('abc'::BLOB)", "3"),
    );
    registry.register_scalar(
        ScalarFunction::new("array_length", "list", "Number of elements of a list.")
            .overload([parameter("list", Pattern::AnyList(Box::new(Pattern::Any)))], |_| Ok(elements()))
            .overload(
                [
                    parameter("list", Pattern::AnyList(Box::new(Pattern::Any))),
                    exact("dimension", Type::Int64),
                ],
                |arguments| match arguments.constant(1)?.as_i64() {
                    Some(1) => Ok(elements()),
                    _ => Err(crate::Error::argument(
                        "array_length",
                        2,
                        "must be 1, the only dimension supported",
                    )),
                },
            )
            .example("array_length([4, 5, 6])", "3"),
    );
}

fn characters(text: &str) -> i64 {
    text.chars().count() as i64
}

fn graphemes(text: &str) -> i64 {
    if text.is_ascii() { text.len() as i64 } else { text.graphemes(true).count() as i64 }
}

fn bytes(factor: i64) -> Bound {
    Bound::strict(Type::Int64, move |arguments, rows, output, _| {
        let bytes = arguments[0].bytes();
        let values = output.fixed::<i64>();
        rows.for_each(|row| values[row] = bytes.length(row) as i64 * factor);
        Ok(())
    })
}

/// Number of elements of each list.
fn elements() -> Bound {
    Bound::strict(Type::Int64, |arguments, rows, output, _| {
        let list = arguments[0].list();
        let values = output.fixed::<i64>();
        if let (Rows::All(_), Some(offsets)) = (rows, list.offsets()) {
            let lists = values.iter_mut().zip(offsets.array_windows());
            lists.for_each(|(value, &[start, end])| *value = i64::from(end - start));
            return Ok(());
        }
        rows.for_each(|row| values[row] = list.length(row) as i64);
        Ok(())
    })
}

//! Characters and their numbers.

use super::lift::measure;
use crate::Registry;
use crate::error::Error;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("chr", "text", "The character with a Unicode number.")
            .overload([exact("code_point", Type::Int32)], |_| Ok(chr()))
            .note("A number that is no character is an error of the row.")
            .example("chr(65)", "A"),
    );
    registry.register_scalar(
        ScalarFunction::new("ascii", "text", "Unicode number of the first character; 0 for an empty text.")
            .overload([exact("text", Type::Text)], |_| Ok(measure(Type::Int32, |text| first(text, 0))))
            .example("ascii('A')", "65"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "unicode",
            "text",
            "Unicode number of the first character; -1 for an empty text.",
        )
        .alias("ord")
        .overload([exact("text", Type::Text)], |_| Ok(measure(Type::Int32, |text| first(text, -1))))
        .example("unicode('é')", "233"),
    );
}

fn first(text: &str, otherwise: i32) -> i32 {
    text.chars().next().map_or(otherwise, |c| c as i32)
}

fn chr() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let numbers = arguments[0].fixed::<i32>();
        rows.for_each(|row| {
            let number = numbers.get(row);
            match u32::try_from(number).ok().and_then(char::from_u32) {
                Some(c) => output.text().set(row, c.encode_utf8(&mut [0; 4])),
                None => output.fail(row, || {
                    Error::argument("chr", 1, format!("is {number}, which is no Unicode character"))
                }),
            }
        });
        Ok(())
    })
}

//! Text as its UTF-8 bytes, and back.

use super::lift::try_decode;
use crate::Registry;
use crate::error::Error;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("encode", "text", "The UTF-8 bytes of a text.")
            .overload([exact("text", Type::Text)], |_| {
                Ok(try_decode(|text, bytes| {
                    bytes.extend_from_slice(text.as_bytes());
                    Ok(())
                }))
            })
            .example("encode('é')", "\\xC3\\xA9"),
    );
    registry.register_scalar(
        ScalarFunction::new("decode", "text", "The text that UTF-8 bytes stand for.")
            .overload([exact("bytes", Type::Binary)], |_| Ok(decode()))
            .note("Bytes that are not UTF-8 are an error of the row.")
            .example("decode('\\xC3\\xA9'::BLOB)", "é"),
    );
}

fn decode() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let bytes = arguments[0].bytes();
        rows.for_each(|row| match std::str::from_utf8(bytes.get(row)) {
            Ok(text) => output.text().set(row, text),
            Err(error) => {
                let position = error.valid_up_to() + 1;
                let problem = format!("is not UTF-8 at byte {position}");
                output.fail(row, || Error::argument("decode", 1, problem));
            }
        });
        Ok(())
    })
}

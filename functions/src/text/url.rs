//! Percent encoding of text, RFC 3986.

use std::fmt::Write;

use super::lift::build;
use crate::Registry;
use crate::column::TextBuilder;
use crate::error::Error;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "url_encode",
            "text",
            "Percent-encodes every byte that is not unreserved in a URL.",
        )
        .overload([exact("text", Type::Text)], |_| Ok(build(encode)))
        .example("url_encode('a b/é')", "a%20b%2F%C3%A9"),
    );
    registry.register_scalar(
        ScalarFunction::new("url_decode", "text", "Undoes percent-encoding.")
            .overload([exact("text", Type::Text)], |_| Ok(url_decode()))
            .note("A plus stays; a percent sign without two digits stays too; bytes that are not UTF-8 are an error of the row.")
            .example("url_decode('a%20b%2F%C3%A9')", "a b/é"),
    );
}

fn encode(text: &str, builder: &mut TextBuilder<'_>) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                builder.push(char::from(byte))
            }
            other => {
                // Writing into a builder does not fail.
                let _ = write!(builder, "%{other:02X}");
            }
        }
    }
}

fn url_decode() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, scratch| {
        let text = arguments[0].text();
        let decoded = scratch.slot::<Decoded>();
        rows.for_each(|row| {
            decoded.0.clear();
            decode(text.get(row).as_bytes(), &mut decoded.0);
            match std::str::from_utf8(&decoded.0) {
                Ok(value) => output.text().set(row, value),
                Err(_) => {
                    output.fail(row, || Error::argument("url_decode", 1, "does not decode to valid UTF-8"))
                }
            }
        });
        Ok(())
    })
}

/// Decoded bytes of one row.
#[derive(Default)]
struct Decoded(Vec<u8>);

fn decode(bytes: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let digits = |bytes: &[u8]| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            Some((digit(*bytes.first()?)? * 16 + digit(*bytes.get(1)?)?) as u8)
        };
        match (first, digits(tail)) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            (other, _) => {
                decoded.push(*other);
                rest = tail;
            }
        }
    }
}

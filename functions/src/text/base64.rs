//! Bytes as base64 text, and back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::lift::{build_from_bytes, try_decode};
use crate::Registry;
use crate::error::Error;
use crate::scalar::ScalarFunction;
use crate::signature::exact;
use crate::types::Type;

/// Bytes encoded at a time; a multiple of three, so that only the last block is padded.
const BLOCK_BYTES: usize = 48;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("to_base64", "text", "Bytes as base64 text, with padding.")
            .alias("base64")
            .overload([exact("bytes", Type::Binary)], |_| Ok(build_from_bytes(encode)))
            .example("to_base64('duck'::BLOB)", "ZHVjaw=="),
    );
    registry.register_scalar(
        ScalarFunction::new("from_base64", "text", "The bytes that a base64 text stands for.")
            .overload([exact("text", Type::Text)], |_| {
                Ok(try_decode(|text, bytes| {
                    STANDARD.decode_vec(text, bytes).map_err(|error| {
                        Error::argument("from_base64", 1, format!("is no base64: {error}").to_lowercase())
                    })
                }))
            })
            .note("Text that is not base64 with padding is an error of the row.")
            .example("from_base64('ZHVjaw==')", "duck"),
    );
}

fn encode(bytes: &[u8], builder: &mut crate::column::TextBuilder<'_>) {
    let mut block = [0u8; BLOCK_BYTES / 3 * 4];
    for piece in bytes.chunks(BLOCK_BYTES) {
        let written = STANDARD.encode_slice(piece, &mut block).unwrap_or(0);
        builder.push_str(std::str::from_utf8(&block[..written]).unwrap_or_default());
    }
}

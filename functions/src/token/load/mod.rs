//! Tokenizers from the bytes of their files.

mod byte_level;
mod json;
mod model;
mod protocol_buffer;
mod sentence_piece;
mod steps;

use super::tokenizer::{Model, Parts, Tokenizer};
use crate::kernel::bpe::{Encoding, Vocabulary};
use crate::kernel::hash::xxhash3::xxhash3_64;
use crate::kernel::pretokenize::Pretokenizer;
use crate::token::decoder::Decoder;

/// The tokenizer of a `tokenizer.json` file.
///
/// # Errors
/// What is wrong with the file, or not supported.
pub fn from_json(bytes: &[u8]) -> Result<Tokenizer, String> {
    json::tokenizer(bytes, xxhash3_64(bytes))
}

/// The tokenizer of a `.model` file of SentencePiece.
///
/// # Errors
/// What is wrong with the file, or not supported.
pub fn from_sentence_piece(bytes: &[u8]) -> Result<Tokenizer, String> {
    sentence_piece::tokenizer(bytes, xxhash3_64(bytes))
}

/// The tokenizer of a `.tiktoken` file with the pattern of a published encoding.
///
/// # Errors
/// What is wrong with the file.
pub fn from_tiktoken(bytes: &[u8], pretokenizer: Pretokenizer) -> Result<Tokenizer, String> {
    let vocabulary = Vocabulary::from_tiktoken(bytes).map_err(|error| error.to_string())?;
    let encoding = Encoding::new(vocabulary, pretokenizer);
    byte_level_tokenizer(encoding, Vec::new())
}

/// A tokenizer of a byte-level vocabulary, which reads added tokens only when asked to.
///
/// # Errors
/// What is wrong with the added tokens.
pub fn byte_level_tokenizer(
    encoding: Encoding,
    added: Vec<super::added::AddedToken>,
) -> Result<Tokenizer, String> {
    use super::pattern::Pattern;
    use super::splitter::{Behavior, Splitter};
    let splitter = Splitter::Pattern {
        pattern: Pattern::Published(encoding.pretokenizer()),
        behavior: Behavior::Isolated,
        is_inverted: false,
    };
    let parts = Parts {
        splitters: vec![splitter],
        added,
        decoders: Some(vec![Decoder::ByteLevel]),
        ..Parts::default()
    };
    Tokenizer::new(Model::Bytes { encoding, numbers: None }, parts)
}

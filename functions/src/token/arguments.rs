//! What the functions of tokens have in common: how a tokenizer is named, and what is said of it in the reference.

use std::sync::Arc;

use super::library::Library;
use super::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Cost, ScalarFunction};
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

/// The heading in the reference.
pub const CATEGORY: &str = "token";

/// A function with the notes on names.
pub fn function(name: &str, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .cost(Cost::Parse)
        .note("Encodings: cl100k_base (the default), o200k_base, o200k_harmony, p50k_base, p50k_edit and r50k_base (also gpt2), token for token as tiktoken gives them.")
        .note("A constant path names a file instead: a tokenizer.json of Hugging Face (BPE, WordPiece, WordLevel or Unigram, token for token as tokenizers gives them), a .model file of SentencePiece (unigram or BPE, token for token as sentencepiece gives them), or a .tiktoken file, whose pattern is told by the start of its name or written in front: 'cl100k_base:my.tiktoken'. It is read once, when the call is bound.")
}

/// The parameter that names the tokenizer.
pub fn encoding_parameter() -> Parameter {
    exact("encoding", Type::Text).or(Literal::new(Value::text("cl100k_base")))
}

/// The tokenizer that argument `index` names.
///
/// # Errors
/// A name that is none, or a file that is none.
pub fn tokenizer_of(library: &Library, arguments: &Arguments<'_>, index: usize) -> Result<Arc<Tokenizer>> {
    library.tokenizer(arguments.constant_text(index)?, arguments.function, index + 1)
}

/// The parameter that says whether added tokens are recognised.
pub fn reads_parameter() -> Parameter {
    exact("read_added", Type::Boolean).or(Literal::null(Type::Boolean))
}

/// What it says; by itself files of Hugging Face recognise them, and encodings of tiktoken do not.
///
/// # Errors
/// An argument that is not constant.
pub fn reads_added(arguments: &Arguments<'_>, index: usize, tokenizer: &Tokenizer) -> Result<bool> {
    Ok(arguments.constant(index)?.as_bool().unwrap_or(tokenizer.reads_added()))
}

/// A constant truth value.
///
/// # Errors
/// Anything else.
pub fn flag(arguments: &Arguments<'_>, index: usize) -> Result<bool> {
    arguments
        .constant(index)?
        .as_bool()
        .ok_or_else(|| Error::argument(arguments.function, index + 1, "must be true or false, not NULL"))
}

/// A constant count of at least `least`; `None` for NULL.
///
/// # Errors
/// Anything else.
pub fn count(arguments: &Arguments<'_>, index: usize, least: i64) -> Result<Option<usize>> {
    match arguments.constant(index)? {
        Value::Null => Ok(None),
        value => match value.as_i64() {
            Some(count) if (least..=i64::from(i32::MAX)).contains(&count) => Ok(Some(count as usize)),
            _ => {
                let problem = format!("is not a count; expected a constant of at least {least}");
                Err(Error::argument(arguments.function, index + 1, problem))
            }
        },
    }
}

/// The error of a row that the vocabulary cannot express.
pub fn unknown_character(function: &str) -> Error {
    Error::argument(
        function,
        1,
        "has a character that the vocabulary does not know, and it has no token for such",
    )
}

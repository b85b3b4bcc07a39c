//! Text as the token numbers of language models, and back.
//!
//! [`load`] reads files, [`library`] keeps what was read, [`tokenizer`] is what comes of it, [`encode_text`] runs its steps ([`added`], [`normalizer`], [`splitter`], the
//! models of `kernel::token` and `kernel::bpe`, [`template`], [`decoder`]); the other files are SQL functions.

mod added;
mod aligned;
mod arguments;
mod block;
mod character_set;
mod chunk;
mod decode;
mod decoder;
mod encode;
mod encode_text;
mod library;
mod load;
mod model_input;
mod normalizer;
mod pattern;
mod places;
mod precompiled;
mod splitter;
mod template;
mod text_of_tokens;
mod tokenizer;
mod words;

use std::sync::Arc;

use crate::Registry;
use library::Library;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let library = Arc::new(Library::new(registry.files().clone()));
    encode::register(registry, &library);
    places::register(registry, &library);
    decode::register(registry, &library);
    chunk::register(registry, &library);
    model_input::register(registry, &library);
    block::register(registry);
}

#[cfg(test)]
mod linear_time;
#[cfg(test)]
mod tests;

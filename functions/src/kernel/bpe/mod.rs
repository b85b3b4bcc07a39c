//! Byte-pair encoding: text to the token numbers of a vocabulary, and back.
//!
//! A text is split into pieces (`pretokenize`), and each piece, if it is no token itself, starts as single bytes; then the
//! adjacent pair whose concatenation has the lowest rank is merged, the leftmost of equals first, until no pair is a token
//! ([`vocabulary`] and [`merge`]); [`encode`] runs over a text. Results equal those of `tiktoken` token for token.

mod encode;
mod merge;
mod piece_cache;
mod short_cache;
mod short_key;
mod short_tokens;
mod vocabulary;
mod word;

pub use merge::MergeScratch;
pub use piece_cache::{CACHED_BYTES, PieceCache, PieceKey};
pub use vocabulary::{Vocabulary, VocabularyError};

use super::pretokenize::Pretokenizer;

/// A vocabulary with the pattern that its pieces are split by.
#[derive(Clone, Debug)]
pub struct Encoding {
    vocabulary: Vocabulary,
    pretokenizer: Pretokenizer,
}

impl Encoding {
    /// The encoding of a vocabulary and its pattern.
    pub fn new(vocabulary: Vocabulary, pretokenizer: Pretokenizer) -> Encoding {
        Encoding { vocabulary, pretokenizer }
    }

    /// The vocabulary.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The pattern that pieces are split by.
    pub fn pretokenizer(&self) -> Pretokenizer {
        self.pretokenizer
    }
}

#[cfg(test)]
mod tests;

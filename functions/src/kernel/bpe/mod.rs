//! Byte-pair encoding: text to the token numbers of a vocabulary, and back.
//!
//! A text is split into pieces (`pretokenize`), and each piece, if it is no token itself, starts as single bytes; then the
//! adjacent pair whose concatenation has the lowest rank is merged, the leftmost of equals first, until no pair is a token
//! ([`vocabulary`] and [`merge`]). Results equal those of `tiktoken` token for token.

mod merge;
mod piece_cache;
mod vocabulary;

pub use merge::MergeScratch;
pub use piece_cache::{CACHED_BYTES, PieceCache, PieceKey};
pub use vocabulary::{Vocabulary, VocabularyError};

use super::pretokenize::Pretokenizer;
use vocabulary::NO_RANK;

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

    /// Appends the tokens of `text`. Special tokens have no meaning: their text is encoded as any other.
    pub fn encode(&self, text: &str, scratch: &mut MergeScratch, tokens: &mut Vec<u32>) {
        let bytes = text.as_bytes();
        for piece in self.pretokenizer.pieces(text) {
            match self.vocabulary.rank_of_piece(bytes, piece.clone()) {
                NO_RANK => self.vocabulary.merge(&bytes[piece], scratch, tokens),
                rank => tokens.push(rank),
            }
        }
    }

    /// The number of tokens of `text`; nothing is allocated once the scratch has grown.
    pub fn count(&self, text: &str, scratch: &mut MergeScratch) -> usize {
        let bytes = text.as_bytes();
        let mut merged = scratch.take_tokens();
        let mut count = 0;
        for piece in self.pretokenizer.pieces(text) {
            if self.vocabulary.rank_of_piece(bytes, piece.clone()) == NO_RANK {
                merged.clear();
                self.vocabulary.merge(&bytes[piece], scratch, &mut merged);
                count += merged.len();
            } else {
                count += 1;
            }
        }
        scratch.give_back_tokens(merged);
        count
    }
}

#[cfg(test)]
mod tests;

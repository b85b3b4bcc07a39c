//! Byte-pair encoding: text to the token numbers of a vocabulary, and back.
//!
//! A text is split into pieces (`pretokenize`), and each piece, if it is no token itself, starts as single bytes; then the
//! adjacent pair whose concatenation has the lowest rank is merged, the leftmost of equals first, until no pair is a token
//! ([`vocabulary`] and [`merge`]). Results equal those of `tiktoken` token for token.

mod merge;
mod vocabulary;

pub use merge::MergeScratch;
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

    /// Appends the tokens of `text`. Special tokens have no meaning: their text is encoded as any other.
    pub fn encode(&self, text: &str, scratch: &mut MergeScratch, tokens: &mut Vec<u32>) {
        for piece in self.pretokenizer.pieces(text) {
            self.vocabulary.encode_piece(&text.as_bytes()[piece], scratch, tokens);
        }
    }

    /// The number of tokens of `text`; nothing is allocated once the scratch has grown.
    pub fn count(&self, text: &str, scratch: &mut MergeScratch) -> usize {
        let mut tokens = scratch.take_tokens();
        let mut count = 0;
        for piece in self.pretokenizer.pieces(text) {
            let bytes = &text.as_bytes()[piece];
            if self.vocabulary.rank(bytes).is_some() {
                count += 1;
            } else {
                tokens.clear();
                self.vocabulary.encode_piece(bytes, scratch, &mut tokens);
                count += tokens.len();
            }
        }
        scratch.give_back_tokens(tokens);
        count
    }
}

#[cfg(test)]
mod tests;

//! Models that turn pieces of text into token numbers, apart from byte-pair encoding over bytes (`kernel::bpe`).
//!
//! - [`prefix_tree`]: which tokens a text starts with.
//! - [`word_level`]: whole words.
//! - [`word_piece`]: the longest token first (BERT).
//! - [`unigram`]: the most probable tokens together (SentencePiece).
//! - [`pair_merge`]: byte-pair encoding over characters by a list of merges.

pub mod pair_merge;
pub mod prefix_tree;
pub mod unigram;
pub mod word_level;
pub mod word_piece;

/// Token numbers and, where they are tracked, where each token ends in the piece that was encoded.
#[derive(Debug, Clone, Default)]
pub struct Encoded {
    /// The numbers.
    pub ids: Vec<u32>,
    /// The end of each token in bytes from the start of its piece; empty unless tracked.
    pub ends: Vec<u32>,
    /// The start of each token, likewise.
    pub starts: Vec<u32>,
    /// Whether places are noted.
    pub is_tracked: bool,
}

impl Encoded {
    /// Appends a token that stands at these bytes of its piece.
    #[inline(always)]
    pub fn push(&mut self, id: u32, start: usize, end: usize) {
        self.ids.push(id);
        if self.is_tracked {
            self.starts.push(start as u32);
            self.ends.push(end as u32);
        }
    }

    /// Forgets the tokens.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.starts.clear();
        self.ends.clear();
    }
}

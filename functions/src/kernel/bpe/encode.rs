//! A text to tokens: pieces as windows of the text give them, each looked up by its bytes among the pieces that were seen before,
//! else in the vocabulary, else merged.
//!
//! Most pieces of prose are short and were seen before. The path of those is a load, a hash and a comparison, without a branch on
//! their length or on the number of their tokens. The pieces of one window are looked up while those of the next are already
//! asked for, since the table is larger than the nearest caches. Everything else is kept out of that loop.

use super::merge::MergeScratch;
use super::short_cache::SHORT_TOKENS;
use super::short_key::{LOAD_BYTES, SHORT_BYTES, ShortKey, load};
use super::vocabulary::NO_RANK;
use super::word::merge_word_at;
use super::{Encoding, Vocabulary};
use crate::kernel::level::Level;
use crate::kernel::pretokenize::{BLOCK, BLOCK_AND_BEYOND, PieceSink};

/// Room for the tokens that the pieces of one block can append without growing, a store of a whole entry included.
const ROOM: usize = BLOCK * SHORT_TOKENS + SHORT_TOKENS + 1;

impl Encoding {
    /// Appends the tokens of `text`. Special tokens have no meaning: their text is encoded as any other.
    pub fn encode(&self, text: &str, scratch: &mut MergeScratch, tokens: &mut Vec<u32>) {
        self.encode_at(Level::current(), text, scratch, tokens);
    }

    /// [`Encoding::encode`] at the level given.
    pub fn encode_at(&self, level: Level, text: &str, scratch: &mut MergeScratch, tokens: &mut Vec<u32>) {
        let vocabulary = self.vocabulary();
        scratch.short.claim(vocabulary.identity());
        let (text_bytes, windows) = (text.as_bytes(), [Window::default(), Window::default()]);
        let mut encoder =
            Encoder { vocabulary, level, text: text_bytes, scratch, tokens, windows, latest: 0 };
        self.pretokenizer().scan_at(level, text, &mut encoder);
        encoder.encode_window(encoder.latest ^ 1);
    }

    /// The number of tokens of `text`; nothing is allocated once the scratch has grown.
    pub fn count(&self, text: &str, scratch: &mut MergeScratch) -> usize {
        let mut tokens = scratch.take_tokens();
        tokens.clear();
        self.encode(text, scratch, &mut tokens);
        let count = tokens.len();
        scratch.give_back_tokens(tokens);
        count
    }
}

/// A piece that waits: a short one with its hash; of any other a key without length, and where it is.
#[derive(Clone, Copy, Debug, Default)]
struct Waiting {
    key: ShortKey,
    hash: u64,
}

/// The pieces of a window that wait.
#[derive(Clone, Copy, Debug)]
struct Window {
    pieces: [Waiting; BLOCK],
    count: usize,
}

impl Default for Window {
    fn default() -> Window {
        Window { pieces: [Waiting::default(); BLOCK], count: 0 }
    }
}

/// Appends the tokens of pieces.
struct Encoder<'a> {
    vocabulary: &'a Vocabulary,
    level: Level,
    text: &'a [u8],
    scratch: &'a mut MergeScratch,
    tokens: &'a mut Vec<u32>,
    windows: [Window; 2],
    /// Which of them is filled; the other one waits.
    latest: usize,
}

impl Encoder<'_> {
    #[inline(always)]
    fn push(&mut self, key: ShortKey, hash: u64) {
        let window = &mut self.windows[self.latest];
        window.pieces[window.count % BLOCK] = Waiting { key, hash };
        window.count += 1;
    }

    /// Appends the tokens of a window that waits.
    #[inline(always)]
    fn encode_window(&mut self, which: usize) {
        let window = &self.windows[which];
        self.tokens.reserve(ROOM);
        let mut length = self.tokens.len();
        for &Waiting { key, hash } in &window.pieces[..window.count.min(BLOCK)] {
            match self.scratch.short.get(key, hash) {
                Some(entry) if entry.count as usize <= SHORT_TOKENS => {
                    let [first, second, third] = entry.tokens;
                    let place = self.tokens.as_mut_ptr().wrapping_add(length).cast::<[u32; 4]>();
                    // SAFETY: there is room for `ROOM` tokens behind those before the window, or before the pieces behind the last
                    // that was not remembered; a window has at most `BLOCK` pieces, each of which moves `length` by at most
                    // `SHORT_TOKENS`, and a store reaches one token further.
                    unsafe { place.write_unaligned([first, second, third, 0]) };
                    length += entry.count as usize;
                }
                found => {
                    let is_many = found.is_some();
                    // SAFETY: every token below `length` was in the list or has been written, and the list has room for them.
                    unsafe { self.tokens.set_len(length) };
                    let Encoder { vocabulary, level, text, scratch, tokens, .. } = self;
                    encode_unseen(vocabulary, *level, text, Waiting { key, hash }, is_many, scratch, tokens);
                    length = tokens.len();
                }
            }
        }
        // SAFETY: as above.
        unsafe { self.tokens.set_len(length) };
        self.windows[which].count = 0;
    }
}

impl PieceSink for Encoder<'_> {
    #[inline(always)]
    fn piece(&mut self, block: &[u8; BLOCK_AND_BEYOND], start: usize, length: usize, position: usize) {
        if length > SHORT_BYTES {
            return self.long_piece(position, length);
        }
        let key = ShortKey::of(load(block, start % BLOCK), length);
        let hash = key.hash();
        self.scratch.short.prefetch(hash);
        self.push(key, hash);
    }

    #[inline(always)]
    fn long_piece(&mut self, position: usize, length: usize) {
        self.push(ShortKey::place(position, length), 0);
    }

    #[inline(always)]
    fn end_window(&mut self) {
        self.latest ^= 1;
        self.encode_window(self.latest);
    }
}

/// A piece that is not remembered, or by [`Vocabulary::merge`] if it has many tokens; and room for what follows in its window.
#[cold]
#[inline(never)]
fn encode_unseen(
    vocabulary: &Vocabulary,
    level: Level,
    text: &[u8],
    Waiting { key, hash }: Waiting,
    is_many: bool,
    scratch: &mut MergeScratch,
    tokens: &mut Vec<u32>,
) {
    if let Some((position, length)) = key.as_place() {
        vocabulary.encode_piece(&text[position..position + length], scratch, tokens);
    } else if is_many {
        let (bytes, length) = key.bytes();
        vocabulary.merge(&bytes[..length], scratch, tokens);
    } else {
        let first = tokens.len();
        let (bytes, length) = key.bytes();
        let mut word = bytes;
        word[LOAD_BYTES - 1] = 0; // the length
        match vocabulary.rank_of_key(key, hash) {
            NO_RANK if vocabulary.ranks_fit_words() => {
                merge_word_at(level, vocabulary, &word, length, tokens);
            }
            NO_RANK => vocabulary.merge(&bytes[..length], scratch, tokens),
            rank => tokens.push(rank),
        }
        scratch.short.remember(key, hash, &tokens[first..]);
    }
    tokens.reserve(ROOM);
}

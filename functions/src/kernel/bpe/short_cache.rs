//! What short pieces became, remembered from text to text.
//!
//! A line of the memory holds two pieces that share a place. Of pieces that were merged the older makes room for a new one; pieces that are
//! tokens themselves, which are the frequent ones, make room only for one another. The table starts small and grows while pieces
//! keep coming, to six mebibytes. It only saves time: tokens are the same with and without it.

use std::hint::select_unpredictable;

use super::short_key::ShortKey;
use crate::kernel::prefetch::prefetch;

/// Most tokens that are remembered for a piece.
pub(super) const SHORT_TOKENS: usize = 3;

/// Places at first: 32 KiB together.
const LINES_MIN: usize = 1 << 9;

/// Most places: 6 MiB together.
const LINES_MAX: usize = 3 << 15;

/// One remembered piece; the default is none.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct ShortEntry {
    pub(super) key: ShortKey,
    pub(super) tokens: [u32; SHORT_TOKENS],
    /// More than [`SHORT_TOKENS`] if the tokens are remembered elsewhere.
    pub(super) count: u32,
}

impl ShortEntry {
    /// Whether the piece is a token itself.
    fn is_token(&self) -> bool {
        self.count == 1
    }
}

/// Pieces that share a place: those that are tokens first, the later one first of others.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line([ShortEntry; 2]);

/// The remembered pieces of one vocabulary.
#[derive(Clone, Debug, Default)]
pub(super) struct ShortCache {
    /// None before the first piece.
    lines: Vec<Line>,
    /// Pieces.
    held: usize,
    vocabulary: u64,
}

impl ShortCache {
    /// Forgets everything if the vocabulary is another one than that of the pieces.
    #[inline]
    pub(super) fn claim(&mut self, vocabulary: u64) {
        if self.vocabulary != vocabulary {
            self.lines.fill(Line::default());
            self.held = 0;
            self.vocabulary = vocabulary;
        }
    }

    /// The line of a hash, among any number of them.
    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        (((hash >> 32) * self.lines.len() as u64) >> 32) as usize
    }

    /// Asks for the line of a hash.
    #[inline(always)]
    pub(super) fn prefetch(&self, hash: u64) {
        prefetch(&self.lines, self.place(hash));
    }

    /// The remembered piece with this key and its hash.
    #[inline(always)]
    pub(super) fn get(&self, key: ShortKey, hash: u64) -> Option<&ShortEntry> {
        let Line([first, second]) = self.lines.get(self.place(hash))?;
        let (is_first, is_second) = (first.key.is(key), second.key.is(key));
        // Which of the two it is cannot be told beforehand, that it is one of them mostly can.
        let entry = select_unpredictable(is_first, first, second);
        (is_first | is_second).then_some(entry)
    }

    /// Remembers the tokens of a piece; of many only that there are many.
    pub(super) fn remember(&mut self, key: ShortKey, hash: u64, tokens: &[u32]) {
        if self.held >= self.lines.len() && self.lines.len() < LINES_MAX {
            self.grow();
        }
        let mut entry = ShortEntry { key, count: tokens.len() as u32, ..ShortEntry::default() };
        if tokens.len() <= SHORT_TOKENS {
            entry.tokens[..tokens.len()].copy_from_slice(tokens);
        }
        self.put(entry, hash);
    }

    fn put(&mut self, entry: ShortEntry, hash: u64) {
        let place = self.place(hash);
        let Line([first, second]) = &mut self.lines[place];
        self.held += usize::from(second.count == 0);
        if !first.is_token() {
            *second = *first;
            *first = entry;
        } else if entry.is_token() || !second.is_token() {
            *second = entry;
        }
    }

    /// Twice the places, with what is remembered.
    #[cold]
    fn grow(&mut self) {
        let length = (2 * self.lines.len()).clamp(LINES_MIN, LINES_MAX);
        let before = std::mem::replace(&mut self.lines, vec![Line::default(); length]);
        self.held = 0;
        for Line([first, second]) in before {
            for entry in [second, first].into_iter().filter(|entry| entry.count != 0) {
                self.put(entry, entry.key.hash());
            }
        }
    }

    /// Bytes held, for the budget.
    pub(super) fn memory_bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> (ShortKey, u64) {
        let key = ShortKey::of_piece(format!("piece {number}").as_bytes());
        (key, key.hash())
    }

    #[test]
    fn the_table_grows_and_keeps_most_of_what_it_holds() {
        let mut cache = ShortCache::default();
        cache.claim(1);
        assert!(cache.get(key(0).0, key(0).1).is_none());
        for number in 0..200_000 {
            let (key, hash) = key(number);
            cache.remember(key, hash, &[number]);
        }
        assert_eq!(cache.memory_bytes(), LINES_MAX * 64);
        let mut kept = 0;
        for number in 0..200_000 {
            let (key, hash) = key(number);
            if let Some(entry) = cache.get(key, hash) {
                assert_eq!((entry.tokens[0], entry.count), (number, 1));
                kept += 1;
            }
        }
        assert!(kept > LINES_MAX, "{kept}");
    }

    #[test]
    fn merged_pieces_do_not_push_out_tokens() {
        let mut cache = ShortCache::default();
        cache.claim(1);
        let mut remember = |numbers: std::ops::Range<u32>, tokens: &[u32]| {
            for (key, hash) in numbers.map(key) {
                cache.remember(key, hash, tokens);
            }
            (0..10_000).map(key).filter(|&(key, hash)| cache.get(key, hash).is_some()).count()
        };
        let before = remember(0..10_000, &[1]);
        let after = remember(10_000..300_000, &[2, 3]);
        // The last step of growth is less than twofold, so that a few lines are put together.
        assert!(after <= before && after * 100 >= before * 99, "{after} of {before}");
    }

    #[test]
    fn pieces_are_remembered_for_their_vocabulary_only() {
        let mut cache = ShortCache::default();
        let (key, hash) = key(7);
        cache.claim(1);
        cache.remember(key, hash, &[9; SHORT_TOKENS + 1]);
        assert!(cache.get(key, hash).is_some_and(|entry| entry.count as usize > SHORT_TOKENS));
        cache.remember(key, hash, &[3, 4]);
        cache.claim(1);
        assert_eq!(cache.get(key, hash).map(|entry| entry.count), Some(2), "the later one is found");
        cache.claim(2);
        assert!(cache.get(key, hash).is_none());
    }
}

//! What pieces became, remembered from text to text.
//!
//! A table in which a piece has one place; a newer piece takes the place of an older one. It starts small and grows while pieces
//! keep coming, to two mebibytes. It only saves time: tokens are the same with and without it.

use crate::kernel::hash::row::hash_u64;

/// Longest piece that is remembered.
pub const CACHED_BYTES: usize = 32;

/// Most tokens that are remembered for a piece.
const CACHED_TOKENS: usize = 6;

/// Places at first: 64 KiB together.
const ENTRIES_MIN: usize = 1 << 10;

/// Most places: 2 MiB together.
const ENTRIES_MAX: usize = 1 << 15;

/// The bytes of a piece as words: the first and last bytes of each half, which overlap in short pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PieceKey {
    words: [u64; 4],
    length: u32,
}

impl PieceKey {
    /// The key of a piece of 1 to [`CACHED_BYTES`] bytes; pieces have equal keys only if they are equal.
    #[inline(always)]
    pub fn of(piece: &[u8]) -> PieceKey {
        let length = piece.len();
        let word = |start: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&piece[start..start + 8]);
            u64::from_le_bytes(bytes)
        };
        let words = match length {
            17.. => [word(0), word(8), word(length - 16), word(length - 8)],
            8..=16 => [word(0), word(length - 8), 0, 0],
            _ => {
                let mut bytes = [0; 8];
                bytes[..length].copy_from_slice(piece);
                [u64::from_le_bytes(bytes), 0, 0, 0]
            }
        };
        PieceKey { words, length: length as u32 }
    }

    #[inline(always)]
    fn hash(&self) -> usize {
        let [first, second, third, fourth] = self.words;
        let front = first ^ second.rotate_left(23);
        let back = third.rotate_left(41) ^ fourth.rotate_left(11);
        hash_u64(front.wrapping_add(back), u64::from(self.length)) as usize
    }
}

/// One remembered piece; length 0 marks a free place.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Entry {
    words: [u64; 4],
    tokens: [u32; CACHED_TOKENS],
    length: u32,
    count: u32,
}

/// The remembered pieces of one vocabulary.
#[derive(Clone, Debug, Default)]
pub struct PieceCache {
    /// None before the first piece.
    entries: Vec<Entry>,
    /// Places that are taken.
    held: usize,
    vocabulary: u64,
}

impl PieceCache {
    /// Appends the tokens of a piece, if they are remembered; forgets everything if the vocabulary is another one.
    #[inline(always)]
    pub fn append(&mut self, vocabulary: u64, key: &PieceKey, tokens: &mut Vec<u32>) -> bool {
        if self.vocabulary != vocabulary {
            self.entries.fill(Entry::default());
            self.held = 0;
            self.vocabulary = vocabulary;
        }
        match self.entries.get(key.hash() & self.entries.len().wrapping_sub(1)) {
            Some(entry) if entry.words == key.words && entry.length == key.length => {
                tokens.extend_from_slice(&entry.tokens[..entry.count as usize]);
                true
            }
            _ => false,
        }
    }

    /// Remembers the tokens of a piece of the vocabulary last asked for, unless there are many.
    pub fn remember(&mut self, key: PieceKey, tokens: &[u32]) {
        if tokens.len() > CACHED_TOKENS {
            return;
        }
        if 2 * self.held >= self.entries.len() && self.entries.len() < ENTRIES_MAX {
            self.grow();
        }
        let place = key.hash() & (self.entries.len() - 1);
        let entry = &mut self.entries[place];
        self.held += usize::from(entry.length == 0);
        *entry = Entry { words: key.words, length: key.length, count: tokens.len() as u32, ..*entry };
        entry.tokens[..tokens.len()].copy_from_slice(tokens);
    }

    /// Twice the places, with what is remembered.
    #[cold]
    fn grow(&mut self) {
        let length = (2 * self.entries.len()).max(ENTRIES_MIN);
        let before = std::mem::replace(&mut self.entries, vec![Entry::default(); length]);
        for entry in before.into_iter().filter(|entry| entry.length != 0) {
            let key = PieceKey { words: entry.words, length: entry.length };
            // Entries of different places stay in different ones.
            self.entries[key.hash() & (length - 1)] = entry;
        }
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_pieces_have_different_keys() {
        let mut seen = std::collections::HashSet::new();
        let text: Vec<u8> = (0..80u8).map(|index| index % 3).collect();
        for length in 1..=CACHED_BYTES {
            for start in 0..3 {
                let piece = &text[start..start + length];
                let key = PieceKey::of(piece);
                assert!(seen.insert((key.words, key.length)), "{piece:?}");
            }
        }
    }

    #[test]
    fn the_table_grows_and_keeps_what_it_holds() {
        let mut cache = PieceCache::default();
        let mut tokens = Vec::new();
        assert!(!cache.append(1, &PieceKey::of(b"piece"), &mut tokens));
        for number in 0..200_000u32 {
            cache.remember(PieceKey::of(format!("piece {number}").as_bytes()), &[number]);
        }
        assert_eq!(cache.memory_bytes(), ENTRIES_MAX * 64);
        let mut kept = 0;
        for number in 0..200_000u32 {
            tokens.clear();
            if cache.append(1, &PieceKey::of(format!("piece {number}").as_bytes()), &mut tokens) {
                assert_eq!(tokens, [number]);
                kept += 1;
            }
        }
        assert!(kept > ENTRIES_MAX / 2, "{kept}");
    }

    #[test]
    fn pieces_are_remembered_for_their_vocabulary_only() {
        let mut cache = PieceCache::default();
        let key = PieceKey::of(b"piece");
        let mut tokens = Vec::new();
        assert!(!cache.append(1, &key, &mut tokens));
        cache.remember(key, &[3, 4]);
        assert!(cache.append(1, &key, &mut tokens));
        assert!(!cache.append(1, &PieceKey::of(b"pieces"), &mut tokens));
        assert_eq!(tokens, [3, 4]);
        assert!(!cache.append(2, &key, &mut tokens));
        assert!(!cache.append(1, &key, &mut tokens));
        cache.remember(key, &[0; CACHED_TOKENS + 1]);
        assert!(!cache.append(1, &key, &mut tokens));
    }
}

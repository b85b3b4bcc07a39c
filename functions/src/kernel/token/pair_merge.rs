//! Byte-pair encoding by a list of merges over symbols, where tokens are not all strings of bytes: vocabularies of characters with
//! bytes to fall back to, and those that mark the ends of words.
//!
//! The pair of the earliest merge is merged first, the leftmost of equals. Parts are linked; candidates wait in a heap and are
//! skipped when they come up outdated: n log n for any text.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ahash::RandomState;
use hashbrown::HashMap;

use super::Encoded;

/// No symbol.
const NONE: u32 = u32::MAX;

/// What a pair becomes.
#[derive(Debug, Clone, Copy)]
struct Merge {
    rank: u32,
    id: u32,
}

/// How symbols and unknown characters are treated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairOptions {
    /// Written before every character but the first of a word.
    pub continuing_prefix: String,
    /// Written behind the last character of a word.
    pub end_suffix: String,
    /// The number of unknown characters; they vanish without one.
    pub unknown: Option<u32>,
    /// Whether unknown characters side by side become one.
    pub fuse_unknown: bool,
    /// Whether unknown characters become the tokens `<0x00>` to `<0xFF>` of their bytes.
    pub spell_bytes: bool,
    /// Whether a word that is a token is taken whole, merges or not.
    pub whole_words: bool,
}

/// A vocabulary and its merges.
#[derive(Debug, Clone)]
pub struct PairMerge {
    ids: HashMap<Box<str>, u32, RandomState>,
    merges: HashMap<(u32, u32), Merge, RandomState>,
    bytes: Option<Box<[u32; 256]>>,
    /// Numbers of the ASCII characters as they stand in the middle of a word; [`NONE`] for those that are no token.
    ascii: Box<[u32; 128]>,
    options: PairOptions,
}

/// Why a list of merges was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairMergeError {
    /// A merge names a token, or makes one, that is not in the vocabulary.
    UnknownToken(String),
}

#[derive(Debug, Clone, Copy)]
struct Symbol {
    id: u32,
    start: u32,
    end: u32,
    previous: u32,
    next: u32,
}

/// Buffers, reused from word to word.
#[derive(Debug, Clone, Default)]
pub struct PairScratch {
    symbols: Vec<Symbol>,
    heap: BinaryHeap<Reverse<u64>>,
    text: String,
}

impl PairScratch {
    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.symbols.capacity() * size_of::<Symbol>() + self.heap.capacity() * 8 + self.text.capacity()
    }
}

impl PairMerge {
    /// The vocabulary of these tokens and merges, earliest first.
    ///
    /// # Errors
    /// A merge of tokens that there are not.
    pub fn new<'a>(
        tokens: impl Iterator<Item = (&'a str, u32)>,
        merges: impl Iterator<Item = (&'a str, &'a str)>,
        options: PairOptions,
    ) -> Result<PairMerge, PairMergeError> {
        PairMerge::with_ranks(tokens, merges.zip(0u32..), options)
    }

    /// The vocabulary of these tokens and merges, each with its rank: lower ones come first, the leftmost of equals.
    ///
    /// # Errors
    /// A merge of tokens that there are not.
    pub fn with_ranks<'a>(
        tokens: impl Iterator<Item = (&'a str, u32)>,
        merges: impl Iterator<Item = ((&'a str, &'a str), u32)>,
        options: PairOptions,
    ) -> Result<PairMerge, PairMergeError> {
        let ids: HashMap<Box<str>, u32, RandomState> =
            tokens.map(|(token, id)| (Box::from(token), id)).collect();
        let id_of = |token: &str| {
            ids.get(token).copied().ok_or_else(|| PairMergeError::UnknownToken(token.to_owned()))
        };
        let mut pairs = HashMap::with_hasher(RandomState::new());
        let mut made = String::new();
        for ((left, right), rank) in merges {
            made.clear();
            made.push_str(left);
            made.push_str(right.strip_prefix(options.continuing_prefix.as_str()).unwrap_or(right));
            let merge = Merge { rank, id: id_of(&made)? };
            pairs.insert((id_of(left)?, id_of(right)?), merge);
        }
        let bytes = if options.spell_bytes { byte_tokens(&ids) } else { None };
        let mut ascii = Box::new([NONE; 128]);
        for (code, id) in ascii.iter_mut().enumerate() {
            let name = format!("{}{}", options.continuing_prefix, char::from(code as u8));
            *id = ids.get(name.as_str()).copied().unwrap_or(NONE);
        }
        Ok(PairMerge { ids, merges: pairs, bytes, ascii, options })
    }

    /// The number of a token.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// Appends the tokens of a word.
    ///
    /// # Panics
    /// If the word has 2^32 - 1 bytes or more.
    pub fn encode(&self, word: &str, scratch: &mut PairScratch, encoded: &mut Encoded) {
        if word.is_empty() {
            return;
        }
        if self.options.whole_words
            && let Some(id) = self.id(word)
        {
            return encoded.push(id, 0, word.len());
        }
        self.encode_by_merges(word, scratch, encoded);
    }

    /// Appends what a word becomes by the merges alone.
    ///
    /// # Panics
    /// As [`PairMerge::encode`].
    pub fn encode_by_merges(&self, word: &str, scratch: &mut PairScratch, encoded: &mut Encoded) {
        assert!(word.len() < NONE as usize, "a word has fewer than 2^32 bytes");
        self.split(word, scratch);
        self.merge(scratch);
        let mut at = if scratch.symbols.is_empty() { NONE } else { 0 };
        while at != NONE {
            let symbol = scratch.symbols[at as usize];
            encoded.push(symbol.id, symbol.start as usize, symbol.end as usize);
            at = symbol.next;
        }
    }

    /// The symbols of a word's characters.
    fn split(&self, word: &str, scratch: &mut PairScratch) {
        let PairScratch { symbols, text, .. } = scratch;
        symbols.clear();
        let mut add = |id: u32, start: usize, end: usize| {
            let previous = (symbols.len() as u32).wrapping_sub(1);
            if let Some(last) = symbols.last_mut() {
                last.next = previous.wrapping_add(1);
            }
            symbols.push(Symbol { id, start: start as u32, end: end as u32, previous, next: NONE });
        };
        let mut unknown: Option<(u32, usize, usize)> = None;
        for (start, character) in word.char_indices() {
            let end = start + character.len_utf8();
            let is_last = end == word.len() && !self.options.end_suffix.is_empty();
            let known = match character {
                '\0'..='\x7f' if start > 0 && !is_last => {
                    Some(self.ascii[character as usize]).filter(|&id| id != NONE)
                }
                _ => {
                    text.clear();
                    if start > 0 {
                        text.push_str(&self.options.continuing_prefix);
                    }
                    text.push(character);
                    if is_last {
                        text.push_str(&self.options.end_suffix);
                    }
                    self.id(text)
                }
            };
            match (known, &self.bytes, self.options.unknown) {
                (Some(id), ..) => {
                    if let Some((id, start, end)) = unknown.take() {
                        add(id, start, end);
                    }
                    add(id, start, end);
                }
                (None, Some(tokens), _) => {
                    for place in start..end {
                        // Every byte stands for the whole character.
                        add(tokens[usize::from(word.as_bytes()[place])], start, end);
                    }
                }
                (None, None, Some(id)) => match unknown {
                    Some((_, _, ref mut last)) if self.options.fuse_unknown => *last = end,
                    _ => {
                        if let Some((id, start, end)) = unknown.replace((id, start, end)) {
                            add(id, start, end);
                        }
                    }
                },
                (None, None, None) => {}
            }
        }
        if let Some((id, start, end)) = unknown {
            add(id, start, end);
        }
    }

    fn merge(&self, scratch: &mut PairScratch) {
        let PairScratch { symbols, heap, .. } = scratch;
        heap.clear();
        for place in 1..symbols.len() {
            self.put_up(symbols, heap, place - 1, place);
        }
        while let Some(Reverse(lowest)) = heap.pop() {
            let (rank, place) = ((lowest >> 32) as u32, lowest as u32 as usize);
            let left = symbols[place];
            if left.id == NONE || left.next == NONE {
                continue;
            }
            let right = symbols[left.next as usize];
            let Some(merge) = self.merges.get(&(left.id, right.id)).filter(|merge| merge.rank == rank) else {
                continue;
            };
            symbols[left.next as usize].id = NONE;
            symbols[place] = Symbol { id: merge.id, end: right.end, next: right.next, ..left };
            if right.next != NONE {
                symbols[right.next as usize].previous = place as u32;
                self.put_up(symbols, heap, place, right.next as usize);
            }
            if left.previous != NONE {
                self.put_up(symbols, heap, left.previous as usize, place);
            }
        }
    }

    #[inline]
    fn put_up(&self, symbols: &[Symbol], heap: &mut BinaryHeap<Reverse<u64>>, left: usize, right: usize) {
        if let Some(merge) = self.merges.get(&(symbols[left].id, symbols[right].id)) {
            heap.push(Reverse((u64::from(merge.rank) << 32) | left as u64));
        }
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        let names: usize = self.ids.keys().map(|name| name.len() + 24).sum();
        names + self.merges.capacity() * 20
    }
}

fn byte_tokens(ids: &HashMap<Box<str>, u32, RandomState>) -> Option<Box<[u32; 256]>> {
    let mut tokens = Box::new([0; 256]);
    for (byte, token) in tokens.iter_mut().enumerate() {
        *token = *ids.get(format!("<0x{byte:02X}>").as_str())?;
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(options: PairOptions, tokens: &[&str], merges: &[(&str, &str)], word: &str) -> Vec<u32> {
        let tokens = tokens.iter().zip(0u32..).map(|(token, id)| (*token, id));
        let model = PairMerge::new(tokens, merges.iter().copied(), options).unwrap();
        let mut encoded = Encoded::default();
        model.encode(word, &mut PairScratch::default(), &mut encoded);
        encoded.ids
    }

    #[test]
    fn earlier_merges_come_first_and_the_leftmost_of_equals() {
        let tokens = ["a", "b", "c", "ab", "bc", "abc", "aa"];
        assert_eq!(ids(PairOptions::default(), &tokens, &[("b", "c"), ("a", "bc")], "abcab"), [5, 0, 1]);
        assert_eq!(ids(PairOptions::default(), &tokens, &[("a", "b"), ("b", "c")], "abc"), [3, 2]);
        assert_eq!(ids(PairOptions::default(), &tokens, &[("a", "a")], "aaaaa"), [6, 6, 0]);
    }

    #[test]
    fn unknown_characters_fuse_spell_or_vanish() {
        let tokens = ["<unk>", "a"];
        let unknown = PairOptions { unknown: Some(0), ..PairOptions::default() };
        assert_eq!(ids(unknown.clone(), &tokens, &[], "xyaz"), [0, 0, 1, 0]);
        assert_eq!(ids(PairOptions { fuse_unknown: true, ..unknown }, &tokens, &[], "xyaz"), [0, 1, 0]);
        assert_eq!(ids(PairOptions::default(), &tokens, &[], "xa"), [1]);
    }

    #[test]
    fn the_end_of_a_word_is_marked() {
        let tokens = ["a", "b</w>", "ab</w>", "a</w>"];
        let options = PairOptions { end_suffix: "</w>".into(), ..PairOptions::default() };
        assert_eq!(ids(options.clone(), &tokens, &[("a", "b</w>")], "aab"), [0, 2]);
        assert_eq!(ids(options, &tokens, &[], "aa"), [0, 3]);
    }

    #[test]
    fn a_merge_of_no_token_is_refused() {
        let merges = [("a", "b")];
        let refused = PairMerge::new([("a", 0)].into_iter(), merges.into_iter(), PairOptions::default());
        assert_eq!(refused.unwrap_err(), PairMergeError::UnknownToken("ab".into()));
    }
}

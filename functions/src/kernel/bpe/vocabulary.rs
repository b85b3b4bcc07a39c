//! The tokens of a vocabulary by their bytes and by their rank.
//!
//! Tokens of up to fifteen bytes, which are most of what text looks up, are found in a table that holds the bytes themselves;
//! longer ones in a table of ranks that is compared with the bytes in one buffer.

use super::short_key::{SHORT_BYTES, ShortKey, load};
use super::short_tokens::ShortTokens;
use crate::kernel::hash::row::hash_bytes;
use std::fmt;

/// Why a vocabulary was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VocabularyError {
    /// A line of the text format is not a token in base64, a space and a rank.
    Line {
        /// The line, from 1.
        line: usize,
    },
    /// A single byte is no token, so some text could not be encoded.
    MissingByte {
        /// The lowest such byte.
        byte: u8,
    },
    /// Two tokens have one rank, or one token two ranks.
    Repeated {
        /// The rank found again.
        rank: u32,
    },
    /// A token is empty.
    Empty {
        /// Its rank.
        rank: u32,
    },
    /// The ranks are spread so far that they cannot be an index.
    Sparse {
        /// The highest rank.
        rank: u32,
        /// The number of tokens.
        tokens: usize,
    },
    /// The vocabulary holds more than 2^32 bytes.
    TooLarge,
}

impl fmt::Display for VocabularyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VocabularyError::Line { line } => {
                write!(formatter, "line {line}: expected a token in base64, a space and its rank")
            }
            VocabularyError::MissingByte { byte } => {
                write!(formatter, "no token is the single byte 0x{byte:02x}; expected all 256")
            }
            VocabularyError::Repeated { rank } => {
                write!(formatter, "rank {rank} or its token appears twice; expected each once")
            }
            VocabularyError::Empty { rank } => write!(formatter, "the token of rank {rank} is empty"),
            VocabularyError::Sparse { rank, tokens } => {
                write!(
                    formatter,
                    "rank {rank} is far above the number of tokens, {tokens}; expected ranks without large gaps"
                )
            }
            VocabularyError::TooLarge => formatter.write_str("the tokens exceed 4 GiB"),
        }
    }
}

impl std::error::Error for VocabularyError {}

/// No token: the rank that no vocabulary gives.
pub(super) const NO_RANK: u32 = u32::MAX;

/// The tokens of a vocabulary; the rank of a token is its number.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// The bytes of all tokens.
    bytes: Vec<u8>,
    /// Where the token of each rank starts and ends in `bytes`; both 0 for a rank without token.
    spans: Vec<(u32, u32)>,
    tokens: usize,
    short: ShortTokens,
    /// Ranks of the longer tokens, with the upper half of their hash; at most half full.
    long: Vec<(u32, u32)>,
    /// Ranks of all single bytes.
    singles: Vec<u32>,
    /// Ranks of all pairs of bytes: the first merges of every piece.
    pairs: Vec<u32>,
    /// Differs between different vocabularies, but for one case in 2^64.
    identity: u64,
    longest: usize,
}

impl Vocabulary {
    /// The vocabulary in the text format of `tiktoken`: a line for each token, in base64, with its rank.
    pub fn from_tiktoken(text: &[u8]) -> Result<Vocabulary, VocabularyError> {
        let mut tokens = Vec::new();
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                tokens.push(token_of_line(line).ok_or(VocabularyError::Line { line: index + 1 })?);
            }
        }
        Vocabulary::from_tokens(tokens)
    }

    /// The vocabulary of tokens with their ranks, in any order.
    pub fn from_tokens<T: AsRef<[u8]>>(
        tokens: impl IntoIterator<Item = (T, u32)>,
    ) -> Result<Vocabulary, VocabularyError> {
        let tokens: Vec<(T, u32)> = tokens.into_iter().collect();
        let highest = tokens.iter().map(|&(_, rank)| rank).max().unwrap_or(0);
        if highest > ShortTokens::RANK_MAX || highest as usize > 16 * tokens.len() + 1024 {
            return Err(VocabularyError::Sparse { rank: highest, tokens: tokens.len() });
        }
        let total: usize = tokens.iter().map(|(token, _)| token.as_ref().len()).sum();
        let mut bytes = Vec::with_capacity(total);
        let mut spans = vec![(0, 0); highest as usize + 1];
        for (token, rank) in &tokens {
            let start = u32::try_from(bytes.len()).map_err(|_| VocabularyError::TooLarge)?;
            bytes.extend_from_slice(token.as_ref());
            let end = u32::try_from(bytes.len()).map_err(|_| VocabularyError::TooLarge)?;
            let span = &mut spans[*rank as usize];
            match (start == end, *span) {
                (true, _) => return Err(VocabularyError::Empty { rank: *rank }),
                (false, (0, 0)) => *span = (start, end),
                (false, _) => return Err(VocabularyError::Repeated { rank: *rank }),
            }
        }
        let longest = tokens.iter().map(|(token, _)| token.as_ref().len()).max().unwrap_or(0);
        let short_count = tokens.iter().filter(|(token, _)| token.as_ref().len() <= SHORT_BYTES).count();
        let slots = |count: usize| (2 * count).next_power_of_two().max(2);
        let mut vocabulary = Vocabulary {
            bytes,
            spans,
            tokens: tokens.len(),
            short: ShortTokens::new(short_count, highest as usize + 1),
            long: vec![(NO_RANK, 0); slots(tokens.len() - short_count)],
            singles: Vec::new(),
            pairs: Vec::new(),
            identity: 0,
            longest,
        };
        let mut in_order: Vec<&(T, u32)> = tokens.iter().collect();
        in_order.sort_unstable_by_key(|(_, rank)| *rank);
        for (token, rank) in in_order {
            vocabulary.insert(token.as_ref(), *rank)?;
        }
        vocabulary.index_pairs()?;
        Ok(vocabulary)
    }

    fn insert(&mut self, token: &[u8], rank: u32) -> Result<(), VocabularyError> {
        if self.rank(token).is_some() {
            return Err(VocabularyError::Repeated { rank });
        }
        if token.len() <= SHORT_BYTES {
            self.short.insert(ShortKey::of_piece(token), rank);
        } else {
            let hash = hash_bytes(token, 0);
            let mask = self.long.len() - 1;
            let mut slot = hash as usize & mask;
            while self.long[slot].0 != NO_RANK {
                slot = (slot + 1) & mask;
            }
            self.long[slot] = (rank, (hash >> 32) as u32);
        }
        Ok(())
    }

    /// Checks that every byte is a token and finds the ranks of all pairs of bytes.
    fn index_pairs(&mut self) -> Result<(), VocabularyError> {
        if let Some(byte) = (0..=u8::MAX).find(|&byte| self.rank(&[byte]).is_none()) {
            return Err(VocabularyError::MissingByte { byte });
        }
        self.singles = (0..=u8::MAX).map(|byte| self.rank_or_none(&[byte])).collect();
        let pair = |pair: u16| self.rank(&pair.to_le_bytes()).unwrap_or(NO_RANK);
        self.pairs = (0..=u16::MAX).map(pair).collect();
        self.identity = (0..self.ranks()).fold(1, |identity, rank| hash_bytes(self.span(rank), identity));
        Ok(())
    }

    /// The rank of a token; `None` if the bytes are no token.
    #[inline]
    pub fn rank(&self, token: &[u8]) -> Option<u32> {
        Some(self.rank_or_none(token)).filter(|&rank| rank != NO_RANK)
    }

    /// The rank of a token, or [`NO_RANK`].
    #[inline(always)]
    pub(super) fn rank_or_none(&self, token: &[u8]) -> u32 {
        if token.len() <= SHORT_BYTES { self.rank_of_short(token) } else { self.rank_of_long(token) }
    }

    #[inline(always)]
    fn rank_of_short(&self, token: &[u8]) -> u32 {
        if token.is_empty() {
            return NO_RANK;
        }
        let key = ShortKey::of_piece(token);
        self.rank_of_key(key, key.hash())
    }

    /// The rank of the token with this key and its hash, or [`NO_RANK`].
    #[inline(always)]
    pub(super) fn rank_of_key(&self, key: ShortKey, hash: u64) -> u32 {
        self.short.rank(key, hash)
    }

    /// The rank of a short token that may have this key, or [`NO_RANK`]; see [`ShortTokens::candidate`].
    #[inline(always)]
    pub(super) fn candidate(&self, key: ShortKey) -> u32 {
        self.short.candidate(key, key.hash())
    }

    /// Whether the token of a rank has this key.
    #[inline(always)]
    pub(super) fn has(&self, rank: u32, key: ShortKey) -> bool {
        self.short.has(rank, key)
    }

    /// The rank of the token that is a part of padded bytes, or [`NO_RANK`].
    #[inline(always)]
    pub(super) fn rank_of_part<const PADDED: usize>(
        &self,
        bytes: &[u8; PADDED],
        start: usize,
        end: usize,
    ) -> u32 {
        if end - start > SHORT_BYTES {
            return self.rank_of_long(&bytes[start..end]);
        }
        let key = ShortKey::of(load(bytes, start), end - start);
        self.rank_of_key(key, key.hash())
    }

    #[inline]
    fn rank_of_long(&self, token: &[u8]) -> u32 {
        if token.len() > self.longest {
            return NO_RANK;
        }
        let hash = hash_bytes(token, 0);
        let mask = self.long.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let (rank, upper) = self.long[slot];
            if rank == NO_RANK || (upper == (hash >> 32) as u32 && self.span(rank) == token) {
                return rank;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn span(&self, rank: u32) -> &[u8] {
        let (start, end) = self.spans.get(rank as usize).copied().unwrap_or((0, 0));
        &self.bytes[start as usize..end as usize]
    }

    /// The rank of the token of one byte.
    #[inline(always)]
    pub(super) fn rank_of_byte(&self, byte: u8) -> u32 {
        self.singles[usize::from(byte)]
    }

    /// The number of ranks: one more than the highest.
    #[inline(always)]
    pub(super) fn ranks(&self) -> u32 {
        self.spans.len() as u32
    }

    /// A number that tells this vocabulary from others.
    #[inline(always)]
    pub(super) fn identity(&self) -> u64 {
        self.identity
    }

    /// The rank of the token of two bytes, or [`NO_RANK`].
    #[inline(always)]
    pub(super) fn rank_of_pair(&self, first: u8, second: u8) -> u32 {
        self.pairs[usize::from(u16::from_le_bytes([first, second]))]
    }

    /// The bytes of a token; `None` if no token has this rank.
    pub fn bytes(&self, rank: u32) -> Option<&[u8]> {
        Some(self.span(rank)).filter(|bytes| !bytes.is_empty())
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.tokens
    }

    /// Whether there are no tokens; never, since all single bytes are tokens.
    pub fn is_empty(&self) -> bool {
        self.tokens == 0
    }

    /// Bytes held, for the budget.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.spans.capacity() * size_of::<(u32, u32)>()
            + self.short.memory_bytes()
            + self.long.capacity() * size_of::<(u32, u32)>()
            + self.pairs.capacity() * size_of::<u32>()
    }

    /// Appends the bytes of tokens; the first number that is no token is given back.
    pub fn decode(&self, tokens: &[u32], bytes: &mut Vec<u8>) -> Result<(), u32> {
        for &token in tokens {
            bytes.extend_from_slice(self.bytes(token).ok_or(token)?);
        }
        Ok(())
    }
}

/// A token and its rank from a line of the text format.
fn token_of_line(line: &[u8]) -> Option<(Vec<u8>, u32)> {
    let space = line.iter().position(|&byte| byte == b' ')?;
    let rank = std::str::from_utf8(&line[space + 1..]).ok()?.parse().ok()?;
    Some((decode_base64(&line[..space])?, rank))
}

/// Bytes from base64 in the standard alphabet, padded.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for (index, group) in text.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|&&symbol| symbol == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 < text.len() / 4) {
            return None;
        }
        let mut word = 0u32;
        for &symbol in &group[..4 - padding] {
            word = (word << 6) | base64_digit(symbol)?;
        }
        let word = word << (6 * padding + 8);
        bytes.extend_from_slice(&word.to_be_bytes()[..3 - padding]);
    }
    Some(bytes)
}

fn base64_digit(symbol: u8) -> Option<u32> {
    let digit = match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}

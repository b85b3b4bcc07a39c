//! The merges of one short piece, as most words are, with everything in registers: a bit for the start of each part, and a lane
//! for each of the pairs, the lowest of which is the next merge.

use std::hint::select_unpredictable;

use super::short_key::{LOAD_BYTES, SHORT_BYTES, ShortKey, load};
use super::vocabulary::{NO_RANK, Vocabulary};

/// Bits of a place in a word.
const PLACE_BITS: u32 = LOAD_BYTES.trailing_zeros();

/// Lanes: as many as places.
type Lanes = [u32; LOAD_BYTES];

/// The bytes of a word, with as many behind them as a load reaches.
type Padded = [u8; 2 * LOAD_BYTES];

/// Where the parts of a word start, and one bit where it ends.
#[derive(Clone, Copy)]
struct Parts(u32);

impl Parts {
    /// The first start behind a place.
    #[inline(always)]
    fn next(self, place: usize) -> usize {
        (self.0 >> (place + 1)).trailing_zeros() as usize + place + 1
    }

    /// The last start before a place that is not the first.
    #[inline(always)]
    fn previous(self, place: usize) -> usize {
        let before = self.0 & ((1 << place) - 1);
        (u32::BITS - 1 - (before | 1).leading_zeros()) as usize
    }
}

/// A pair at a place, in the order of merges.
#[inline(always)]
fn pair(rank: u32, place: usize) -> u32 {
    select_unpredictable(rank == NO_RANK, NO_RANK, (rank << PLACE_BITS) | place as u32)
}

#[inline(always)]
fn set(lanes: &mut Lanes, place: usize, value: u32) {
    for (index, lane) in lanes.iter_mut().enumerate() {
        // Spelled as a mask, since a choice would become a jump.
        let mask = u32::from(index == place).wrapping_neg();
        *lane ^= (*lane ^ value) & mask;
    }
}

at_each_level! {
    /// Appends the tokens of a piece of up to [`SHORT_BYTES`] bytes that is no token itself, the first bytes of `bytes`; the others
    /// are zero.
    #[allow(dead_code)] // Whoever merges has a level at hand.
    pub(super) fn merge_word / merge_word_at(
        vocabulary: &Vocabulary,
        bytes: &[u8; LOAD_BYTES],
        length: usize,
        tokens: &mut Vec<u32>,
    ) {
        vocabulary.merge_word(bytes, length, tokens);
    }
}

impl Vocabulary {
    /// Whether a rank leaves room for a place in a word.
    #[inline(always)]
    pub(super) fn ranks_fit_words(&self) -> bool {
        self.ranks() < 1 << (u32::BITS - PLACE_BITS)
    }

    #[inline(always)]
    fn merge_word(&self, bytes: &[u8; LOAD_BYTES], length: usize, tokens: &mut Vec<u32>) {
        let mut padded: Padded = [0; 2 * LOAD_BYTES];
        padded[..LOAD_BYTES].copy_from_slice(bytes);
        let length = length.min(SHORT_BYTES);
        let mut ranks: Lanes = [NO_RANK; LOAD_BYTES];
        let mut pairs: Lanes = [NO_RANK; LOAD_BYTES];
        for place in 0..length {
            ranks[place] = self.rank_of_byte(padded[place]);
        }
        for place in 0..length.saturating_sub(1) {
            pairs[place] = pair(self.rank_of_pair(padded[place], padded[place + 1]), place);
        }
        let mut parts = Parts((2 << length) - 1);
        loop {
            let lowest = pairs.iter().fold(NO_RANK, |lowest, &pair| lowest.min(pair));
            if lowest == NO_RANK {
                break;
            }
            let left = lowest as usize % LOAD_BYTES;
            let right = parts.next(left);
            let end = parts.next(right);
            let rank = lowest >> PLACE_BITS;
            let key = part(&padded, left, end);
            if !self.has(rank, key) {
                let rank = self.rank_of_key(key, key.hash());
                set(&mut pairs, left, pair(rank, left));
                continue;
            }
            ranks[left] = rank;
            parts.0 &= !(1 << right);
            // Both neighbours are asked for, whether they are there or not, since that cannot be told beforehand.
            let before = parts.previous(left);
            let next_end = parts.next(end.min(length - 1)).max(end);
            let with_before = self.candidate(part(&padded, before, end));
            let with_next = self.candidate(part(&padded, left, next_end));
            let with_before = select_unpredictable(left == 0, NO_RANK, pair(with_before, before));
            let with_next = select_unpredictable(end >= length, NO_RANK, pair(with_next, left));
            set(&mut pairs, right, NO_RANK);
            set(&mut pairs, before, with_before);
            set(&mut pairs, left, with_next);
        }
        let mut left = parts.0 & !(1 << length);
        while left != 0 {
            tokens.push(ranks[left.trailing_zeros() as usize % LOAD_BYTES]);
            left &= left - 1;
        }
    }
}

#[inline(always)]
fn part(padded: &Padded, start: usize, end: usize) -> ShortKey {
    ShortKey::of(load(padded, start % LOAD_BYTES), end - start)
}

//! The tokens of up to fifteen bytes of a vocabulary.
//!
//! A bucket has eight places, and a token lies in the bucket that its hash names, or, if that is full, in one behind it. What a search needs
//! is in one word for each place, so that all of those stay in the near caches: the rank and a part of the hash. The keys, by rank, are
//! compared where that part agrees.
//!
//! Merging asks for many pairs of which few are merged. It takes the word for it, without the comparison of keys, and has the rank
//! confirmed only of the pair that it is about to merge ([`ShortTokens::candidate`], [`ShortTokens::has`]).

use super::short_key::ShortKey;
use super::vocabulary::NO_RANK;

/// Places of a bucket.
const PLACES: usize = 8;

/// Bits of a rank in a word; the highest value is no rank.
const RANK_BITS: u32 = 24;

const NO_RANK_HERE: u32 = (1 << RANK_BITS) - 1;

/// In the first word of a bucket: whether a token that belongs here lies in a later one.
const PASSED: u32 = 1 << RANK_BITS;

/// Where the part of the hash begins.
const TAG_SHIFT: u32 = RANK_BITS + 1;

/// The words of a bucket.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Bucket([u32; PLACES]);

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct ShortTokens {
    buckets: Vec<Bucket>,
    /// By rank.
    keys: Vec<ShortKey>,
}

impl ShortTokens {
    /// The largest rank that fits.
    pub(super) const RANK_MAX: u32 = NO_RANK_HERE - 1;

    /// Room for so many tokens of ranks below `ranks`.
    pub(super) fn new(tokens: usize, ranks: usize) -> ShortTokens {
        let buckets = (2 * tokens).next_power_of_two().max(PLACES) / PLACES;
        ShortTokens {
            buckets: vec![Bucket([NO_RANK_HERE; PLACES]); buckets],
            keys: vec![ShortKey::default(); ranks],
        }
    }

    /// Adds a token that is not there; its rank is below the number of ranks.
    pub(super) fn insert(&mut self, key: ShortKey, rank: u32) {
        let (hash, mask) = (key.hash(), self.buckets.len() - 1);
        let mut place = hash as usize & mask;
        self.keys[rank as usize] = key;
        loop {
            let Bucket(words) = &mut self.buckets[place];
            if let Some(index) = words.iter().position(|word| word & NO_RANK_HERE == NO_RANK_HERE) {
                words[index] = (tag(hash) << TAG_SHIFT) | (words[index] & PASSED) | rank;
                return;
            }
            words[0] |= PASSED;
            place = (place + 1) & mask;
        }
    }

    /// The rank of the token with this key and its hash, or [`NO_RANK`].
    #[inline]
    pub(super) fn rank(&self, key: ShortKey, hash: u64) -> u32 {
        let mask = self.buckets.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let words = &self.buckets[place].0;
            let mut agree = agreeing(words, hash);
            while agree != 0 {
                let index = agree.trailing_zeros() as usize % PLACES;
                agree &= agree - 1;
                let rank = words[index] & NO_RANK_HERE;
                if self.has(rank, key) {
                    return rank;
                }
            }
            if words[0] & PASSED == 0 {
                return NO_RANK;
            }
            place = (place + 1) & mask;
        }
    }

    /// The rank of a token whose hash agrees with this one in part, or [`NO_RANK`]: if there is a token with the key, its rank
    /// or a lower one.
    #[inline(always)]
    pub(super) fn candidate(&self, key: ShortKey, hash: u64) -> u32 {
        let Some(Bucket(words)) = self.buckets.get(hash as usize & self.buckets.len().wrapping_sub(1)) else {
            return NO_RANK;
        };
        let agree = agreeing(words, hash);
        // Two that agree and buckets that overflowed are rare.
        if words[0] & PASSED != 0 || agree & agree.wrapping_sub(1) != 0 {
            return self.rank(key, hash);
        }
        let rank = words[agree.trailing_zeros() as usize % PLACES] & NO_RANK_HERE;
        if agree == 0 { NO_RANK } else { rank }
    }

    /// Whether the token of a rank has this key.
    #[inline(always)]
    pub(super) fn has(&self, rank: u32, key: ShortKey) -> bool {
        self.keys.get(rank as usize) == Some(&key)
    }

    /// Bytes held, for the budget.
    pub(super) fn memory_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>() + self.keys.capacity() * size_of::<ShortKey>()
    }
}

/// The part of a hash that is kept.
#[inline(always)]
fn tag(hash: u64) -> u32 {
    (hash >> (u64::BITS - (u32::BITS - TAG_SHIFT))) as u32
}

/// A bit for each place with a token whose hash agrees.
#[inline(always)]
fn agreeing(words: &[u32; PLACES], hash: u64) -> u32 {
    let tag = tag(hash);
    let mut agree = 0;
    for (index, word) in words.iter().enumerate() {
        let agrees = (word >> TAG_SHIFT == tag) & (word & NO_RANK_HERE != NO_RANK_HERE);
        agree |= u32::from(agrees) << index;
    }
    agree
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_and_others_are_not() {
        let key = |number: u32| ShortKey::of_piece(format!("token {number}").as_bytes());
        let mut tokens = ShortTokens::new(50_000, 50_000);
        (0..50_000).for_each(|number| tokens.insert(key(number), number));
        for number in 0..100_000 {
            let (key, expected) = (key(number), if number < 50_000 { number } else { NO_RANK });
            assert_eq!(tokens.rank(key, key.hash()), expected);
            assert!(tokens.candidate(key, key.hash()) <= expected);
        }
    }
}

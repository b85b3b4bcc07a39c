//! xxHash64 of many values of up to 12 bytes, which views hold in place: each step runs over a block of values at once.
//!
//! A view is 16 bytes: four of length and twelve of value. Which steps a value takes depends on its length alone, so
//! a block of one length runs exactly its steps, and a mixed block runs all of them and keeps what each length asks for.

use super::xxhash64::{PRIME_1, PRIME_2, PRIME_3, PRIME_4, PRIME_5, avalanche, round};

/// Longest value that a view holds in place.
pub const SHORT_BYTES: u32 = 12;
/// Values that are hashed together: their words stay in the first-level cache.
pub const BLOCK: usize = 64;

/// The lengths of a block of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengths {
    /// All values have this length, of at most 12.
    Equal(u32),
    /// All values have at most 12 bytes.
    Short,
    /// A value is longer.
    Long,
}

at_each_level! {
    /// The lengths of these views.
    pub fn lengths_of / lengths_of_at(views: &[u128]) -> Lengths {
        let first = views.first().map_or(0, |&view| view as u32);
        let (mut longest, mut different) = (first, 0);
        for &view in views {
            longest = longest.max(view as u32);
            different |= view as u32 ^ first;
        }
        if longest > SHORT_BYTES {
            Lengths::Long
        } else if different == 0 {
            Lengths::Equal(first)
        } else {
            Lengths::Short
        }
    }

    /// Writes the hash of the value of each view, none of which has more than 12 bytes.
    ///
    /// # Panics
    /// If there are more views than a block holds, or another number of hashes.
    pub fn xxhash64_short / xxhash64_short_at(views: &[u128], lengths: Lengths, seed: u64, hashes: &mut [u64]) {
        assert!(views.len() <= BLOCK && views.len() == hashes.len());
        // The bytes of each value, of which those behind its end are never looked at.
        let mut first = [0u64; BLOCK];
        let mut last = [0u64; BLOCK];
        for ((first, last), &view) in first.iter_mut().zip(&mut last).zip(views) {
            *first = (view >> 32) as u64;
            *last = (view >> 96) as u64;
        }
        match lengths {
            Lengths::Equal(length) => hash_equal(&first, &mut last, length, seed, hashes),
            _ => hash_mixed(views, &first, &last, seed, hashes),
        }
    }
}

#[inline(always)]
fn hash_equal(first: &[u64; BLOCK], last: &mut [u64; BLOCK], length: u32, seed: u64, hashes: &mut [u64]) {
    let start = seed.wrapping_add(PRIME_5).wrapping_add(u64::from(length));
    if length >= 8 {
        hashes.iter_mut().zip(first).for_each(|(hash, &bytes)| *hash = take_eight(start, bytes));
    } else {
        hashes.fill(start);
        *last = *first;
    }
    if length & 4 != 0 {
        for (hash, bytes) in hashes.iter_mut().zip(&mut *last) {
            *hash = take_four(*hash, *bytes);
            *bytes >>= 32;
        }
    }
    for place in 0..length & 3 {
        hashes
            .iter_mut()
            .zip(&*last)
            .for_each(|(hash, &bytes)| *hash = take_one(*hash, bytes >> (8 * place)));
    }
    hashes.iter_mut().for_each(|hash| *hash = avalanche(*hash));
}

#[inline(always)]
fn hash_mixed(views: &[u128], first: &[u64; BLOCK], last: &[u64; BLOCK], seed: u64, hashes: &mut [u64]) {
    let start = seed.wrapping_add(PRIME_5);
    for (((hash, &view), &first), &last) in hashes.iter_mut().zip(views).zip(first).zip(last) {
        let length = view as u64 & 0xffff_ffff;
        let begun = start.wrapping_add(length);
        let is_long = length >= 8;
        let eight = take_eight(begun, first);
        let mut held = if is_long { eight } else { begun };
        let mut bytes = if is_long { last } else { first };
        let has_four = length & 4 != 0;
        let four = take_four(held, bytes);
        held = if has_four { four } else { held };
        bytes = if has_four { bytes >> 32 } else { bytes };
        for place in 0..3 {
            let one = take_one(held, bytes >> (8 * place));
            held = if length & 3 > place { one } else { held };
        }
        *hash = avalanche(held);
    }
}

#[inline(always)]
fn take_eight(hash: u64, bytes: u64) -> u64 {
    (hash ^ round(0, bytes)).rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4)
}

#[inline(always)]
fn take_four(hash: u64, bytes: u64) -> u64 {
    (hash ^ (bytes & 0xffff_ffff).wrapping_mul(PRIME_1))
        .rotate_left(23)
        .wrapping_mul(PRIME_2)
        .wrapping_add(PRIME_3)
}

#[inline(always)]
fn take_one(hash: u64, bytes: u64) -> u64 {
    (hash ^ (bytes & 0xff).wrapping_mul(PRIME_5)).rotate_left(11).wrapping_mul(PRIME_1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::hash::test_bytes;
    use crate::kernel::hash::xxhash64::xxhash64;
    use crate::kernel::level::Level;

    /// A view of a short value; what stands behind its end is anything.
    fn view(value: &[u8]) -> u128 {
        let mut bytes = [0xa5; 16];
        bytes[..4].copy_from_slice(&(value.len() as u32).to_le_bytes());
        bytes[4..4 + value.len()].copy_from_slice(value);
        u128::from_le_bytes(bytes)
    }

    #[test]
    fn blocks_hash_as_single_values_at_every_level() {
        let bytes = test_bytes(200);
        let of_length = |length: usize, count: usize| -> Vec<&[u8]> {
            (0..count).map(|at| &bytes[at..at + length]).collect()
        };
        let mut blocks: Vec<Vec<&[u8]>> = (0..=12).map(|length| of_length(length, BLOCK)).collect();
        blocks.extend((0..=12).map(|length| of_length(length, 1 + length * 3)));
        blocks.push((0..BLOCK).map(|at| &bytes[at..at + at % 13]).collect());
        blocks.push(Vec::new());
        for level in Level::available() {
            for seed in [0, 42, u64::MAX] {
                for block in &blocks {
                    let views: Vec<u128> = block.iter().map(|value| view(value)).collect();
                    let expected: Vec<u64> = block.iter().map(|value| xxhash64(value, seed)).collect();
                    for lengths in [lengths_of_at(level, &views), Lengths::Short] {
                        let mut hashes = vec![0; views.len()];
                        xxhash64_short_at(level, &views, lengths, seed, &mut hashes);
                        assert_eq!(hashes, expected, "{level}, {lengths:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn lengths_are_told_apart() {
        let views =
            |lengths: &[usize]| -> Vec<u128> { lengths.iter().map(|&length| length as u128).collect() };
        for level in Level::available() {
            assert_eq!(lengths_of_at(level, &views(&[8; 20])), Lengths::Equal(8));
            assert_eq!(lengths_of_at(level, &views(&[8, 8, 12])), Lengths::Short);
            assert_eq!(lengths_of_at(level, &views(&[8, 13, 8])), Lengths::Long);
            assert_eq!(lengths_of_at(level, &[]), Lengths::Equal(0));
        }
    }
}

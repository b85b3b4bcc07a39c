//! xxHash64 of many values of up to 12 bytes, which views hold in place: each step runs over a block of values at once.
//!
//! A view is 16 bytes: four of length and twelve of value. Which steps a value takes depends on its length alone, so
//! a block of one length runs exactly its steps, and a mixed block runs all of them and keeps what each length asks for.

use super::xxhash64::{PRIME_1, PRIME_2, PRIME_3, PRIME_4, PRIME_5, avalanche, round};

/// Longest value that a view holds in place.
pub const SHORT_BYTES: u32 = 12;
/// Values that are hashed together: their words stay in the first-level cache.
pub const BLOCK: usize = 64;

/// Views by their halves: the length with the first four bytes, and the other eight.
struct Halves {
    low: [u64; BLOCK],
    high: [u64; BLOCK],
}

/// The lengths of a block of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    /// All values have this length, of at most 12.
    Equal(u32),
    /// All values have at most 12 bytes.
    Short,
    /// A value is longer.
    Long,
}

at_each_level! {
    /// Writes the hash of the value of each view whose bit in `valid` is set, and any hash for the others; false, and nothing is
    /// written, if one of those values has more than 12 bytes or if there is none.
    pub fn xxhash64_short / xxhash64_short_at(
        views: &[u128; BLOCK],
        valid: u64,
        seed: u64,
        hashes: &mut [u64; BLOCK],
    ) -> bool {
        if valid == 0 {
            return false;
        }
        let halves = halves_of(views, valid);
        match lengths_of(&halves.low) {
            Lengths::Equal(length) => hash_equal(&halves, length, seed, hashes),
            Lengths::Short => hash_mixed(&halves, seed, hashes),
            Lengths::Long => return false,
        }
        true
    }
}

/// A null hides any view, so a value of the block stands in for it: a block of one length stays one.
#[inline(always)]
fn halves_of(views: &[u128; BLOCK], valid: u64) -> Halves {
    let mut halves =
        Halves { low: views.map(|view| view as u64), high: views.map(|view| (view >> 64) as u64) };
    if valid != u64::MAX {
        let held = views[valid.trailing_zeros() as usize % BLOCK];
        let (low, high) = (held as u64, (held >> 64) as u64);
        for place in 0..BLOCK {
            let is_valid = valid >> place & 1 == 1;
            halves.low[place] = if is_valid { halves.low[place] } else { low };
            halves.high[place] = if is_valid { halves.high[place] } else { high };
        }
    }
    halves
}

#[inline(always)]
fn lengths_of(low: &[u64; BLOCK]) -> Lengths {
    let first = low[0] as u32;
    let (mut longest, mut different) = (first, 0);
    for &half in low {
        longest = longest.max(half as u32);
        different |= half as u32 ^ first;
    }
    if longest > SHORT_BYTES {
        Lengths::Long
    } else if different == 0 {
        Lengths::Equal(first)
    } else {
        Lengths::Short
    }
}

/// The first eight bytes of a value; those behind its end are never looked at.
#[inline(always)]
fn first_eight(low: u64, high: u64) -> u64 {
    low >> 32 | high << 32
}

#[inline(always)]
fn hash_equal(halves: &Halves, length: u32, seed: u64, hashes: &mut [u64; BLOCK]) {
    let start = seed.wrapping_add(PRIME_5).wrapping_add(u64::from(length));
    let mut last = [0; BLOCK];
    for place in 0..BLOCK {
        let (low, high) = (halves.low[place], halves.high[place]);
        let first = first_eight(low, high);
        (hashes[place], last[place]) =
            if length >= 8 { (take_eight(start, first), high >> 32) } else { (start, first) };
    }
    if length & 4 != 0 {
        for (hash, bytes) in hashes.iter_mut().zip(&mut last) {
            *hash = take_four(*hash, *bytes);
            *bytes >>= 32;
        }
    }
    for place in 0..length & 3 {
        hashes.iter_mut().zip(&last).for_each(|(hash, &bytes)| *hash = take_one(*hash, bytes >> (8 * place)));
    }
    hashes.iter_mut().for_each(|hash| *hash = avalanche(*hash));
}

#[inline(always)]
fn hash_mixed(halves: &Halves, seed: u64, hashes: &mut [u64; BLOCK]) {
    let start = seed.wrapping_add(PRIME_5);
    for ((hash, &low), &high) in hashes.iter_mut().zip(&halves.low).zip(&halves.high) {
        let length = low & 0xffff_ffff;
        let first = first_eight(low, high);
        let begun = start.wrapping_add(length);
        let is_long = length >= 8;
        let eight = take_eight(begun, first);
        let mut held = if is_long { eight } else { begun };
        let mut bytes = if is_long { high >> 32 } else { first };
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

    /// A view of a value; what stands behind the end of a short one is anything.
    fn view(value: &[u8]) -> u128 {
        let mut bytes = [0xa5; 16];
        bytes[..4].copy_from_slice(&(value.len() as u32).to_le_bytes());
        let held = value.len().min(SHORT_BYTES as usize);
        bytes[4..4 + held].copy_from_slice(&value[..held]);
        u128::from_le_bytes(bytes)
    }

    fn check(level: Level, values: &[&[u8]; BLOCK], valid: u64) {
        let views: [u128; BLOCK] = values.map(view);
        for seed in [0, 42, u64::MAX] {
            let mut hashes = [0; BLOCK];
            let is_short = (0..BLOCK).all(|place| valid >> place & 1 == 0 || values[place].len() <= 12);
            assert_eq!(xxhash64_short_at(level, &views, valid, seed, &mut hashes), is_short && valid != 0);
            for place in (0..BLOCK).filter(|place| is_short && valid >> place & 1 == 1) {
                assert_eq!(hashes[place], xxhash64(values[place], seed), "{level}, {place} of {valid:x}");
            }
        }
    }

    #[test]
    fn blocks_hash_as_single_values_at_every_level() {
        let bytes = test_bytes(200);
        let mut blocks: Vec<[&[u8]; BLOCK]> = Vec::new();
        blocks.extend((0..=13).map(|length| std::array::from_fn(|at| &bytes[at..at + length])));
        blocks.extend((2..=14).map(|lengths| std::array::from_fn(|at| &bytes[at..at + at % lengths])));
        for level in Level::available() {
            for block in &blocks {
                for valid in [u64::MAX, 0, 1, 1 << 63, 0xffff_0000_ffff_0000, 0x5555_5555_5555_5555, 1 << 30]
                {
                    check(level, block, valid);
                }
            }
        }
    }

    #[test]
    fn what_a_null_hides_may_be_long() {
        let bytes = test_bytes(200);
        let values: [&[u8]; BLOCK] =
            std::array::from_fn(|at| &bytes[at..at + if at % 5 == 0 { 40 } else { 8 }]);
        let valid = (0..BLOCK).filter(|at| at % 5 != 0).fold(0, |valid, at| valid | 1 << at);
        for level in Level::available() {
            check(level, &values, valid);
            check(level, &values, valid | 1);
        }
    }
}

//! xxHash64, with a seed. Source: the published specification.

use super::{read_u32, read_u64};

pub(super) const PRIME_1: u64 = 0x9e37_79b1_85eb_ca87;
pub(super) const PRIME_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
pub(super) const PRIME_3: u64 = 0x1656_67b1_9e37_79f9;
pub(super) const PRIME_4: u64 = 0x85eb_ca77_c2b2_ae63;
pub(super) const PRIME_5: u64 = 0x27d4_eb2f_1656_67c5;

/// The hash of `bytes` with `seed`.
pub fn xxhash64(bytes: &[u8], seed: u64) -> u64 {
    let mut stripes = bytes.chunks_exact(32);
    let hash = if bytes.len() >= 32 {
        let mut lanes = [
            seed.wrapping_add(PRIME_1).wrapping_add(PRIME_2),
            seed.wrapping_add(PRIME_2),
            seed,
            seed.wrapping_sub(PRIME_1),
        ];
        for stripe in stripes.by_ref() {
            for (index, lane) in lanes.iter_mut().enumerate() {
                *lane = round(*lane, read_u64(stripe, index * 8));
            }
        }
        let rotated = lanes[0].rotate_left(1).wrapping_add(lanes[1].rotate_left(7));
        let joined = rotated.wrapping_add(lanes[2].rotate_left(12)).wrapping_add(lanes[3].rotate_left(18));
        lanes
            .into_iter()
            .fold(joined, |hash, lane| (hash ^ round(0, lane)).wrapping_mul(PRIME_1).wrapping_add(PRIME_4))
    } else {
        seed.wrapping_add(PRIME_5)
    };
    avalanche(tail(hash.wrapping_add(bytes.len() as u64), stripes.remainder()))
}

/// [`xxhash64`] of the eight little-endian bytes of `value`.
#[inline(always)]
pub fn xxhash64_u64(value: u64, seed: u64) -> u64 {
    let hash = seed.wrapping_add(PRIME_5).wrapping_add(8) ^ round(0, value);
    avalanche(hash.rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4))
}

/// [`xxhash64`] of the four little-endian bytes of `value`.
#[inline(always)]
pub fn xxhash64_u32(value: u32, seed: u64) -> u64 {
    let hash = seed.wrapping_add(PRIME_5).wrapping_add(4) ^ u64::from(value).wrapping_mul(PRIME_1);
    avalanche(hash.rotate_left(23).wrapping_mul(PRIME_2).wrapping_add(PRIME_3))
}

#[inline(always)]
pub(super) fn round(lane: u64, input: u64) -> u64 {
    lane.wrapping_add(input.wrapping_mul(PRIME_2)).rotate_left(31).wrapping_mul(PRIME_1)
}

/// Takes in the last bytes, fewer than 32.
fn tail(hash: u64, bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let mut hash = words.by_ref().fold(hash, |hash, word| {
        (hash ^ round(0, read_u64(word, 0))).rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4)
    });
    let mut rest = words.remainder();
    if rest.len() >= 4 {
        hash ^= u64::from(read_u32(rest, 0)).wrapping_mul(PRIME_1);
        hash = hash.rotate_left(23).wrapping_mul(PRIME_2).wrapping_add(PRIME_3);
        rest = &rest[4..];
    }
    rest.iter().fold(hash, |hash, &byte| {
        (hash ^ u64::from(byte).wrapping_mul(PRIME_5)).rotate_left(11).wrapping_mul(PRIME_1)
    })
}

#[inline(always)]
pub(super) fn avalanche(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(PRIME_2);
    let hash = (hash ^ (hash >> 29)).wrapping_mul(PRIME_3);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lengths_agree_with_the_reference_implementation() {
        assert_eq!(
            crate::kernel::hash::digest_of_all_lengths(600, |bytes| xxhash64(bytes, 42)),
            1_708_036_389_151_865_600
        );
        assert_eq!(
            crate::kernel::hash::digest_of_all_lengths(600, |bytes| xxhash64(bytes, 0)),
            15_770_809_243_964_725_343
        );
    }

    #[test]
    fn words_hash_as_their_bytes() {
        for value in [0u64, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(xxhash64_u64(value, 42), xxhash64(&value.to_le_bytes(), 42));
            assert_eq!(xxhash64_u32(value as u32, 42), xxhash64(&(value as u32).to_le_bytes(), 42));
        }
    }
}

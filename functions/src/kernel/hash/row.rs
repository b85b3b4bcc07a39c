//! The hash of row keys, for joins, aggregation, distinct and spill partitions.
//!
//! The project's own, fixed and portable: spilled files and prebuilt indexes depend on its output, so a change is a new
//! algorithm, never an edit. [`VERSION`] names it.
//!
//! - Words: `value ^ spread(seed)` through two rounds of xor-shift and multiply. It is a bijection for each seed, so
//!   equal hashes of one column of 64-bit keys mean equal keys, and it vectorizes.
//! - Bytes: words of the input are xored with constants and multiplied to 128 bits, and the halves are xored; the length enters
//!   at the end, so that no padding is ambiguous.
//! - Several columns: the hash so far is the seed of the next column, in column order.

use super::{folded_product, read_u32, read_u64};

/// The version of this algorithm, for whatever stores its output.
pub const VERSION: u32 = 1;

/// The hash of a null: no value hashes to it on purpose, and combining keeps the column order.
pub const NULL_WORD: u64 = 0x6e75_6c6c_2d6b_6579;

// Fractional bits of the square roots of 2, 3, 5 and 7, made odd.
const KEYS: [u64; 4] =
    [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];

/// Spreads a seed, so that seeds 0, 1, 2 give unrelated hashes and seed 0 is no special case.
#[inline(always)]
fn spread(seed: u64) -> u64 {
    (seed ^ KEYS[3]).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
}

/// The hash of one word under a seed.
#[inline(always)]
pub fn hash_u64(value: u64, seed: u64) -> u64 {
    let mixed = value ^ spread(seed);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 32)
}

/// The hash of a 128-bit value under a seed.
#[inline(always)]
pub fn hash_u128(value: u128, seed: u64) -> u64 {
    hash_u64((value >> 64) as u64, hash_u64(value as u64, seed))
}

/// The hash of an `f64` under a seed: equal values hash alike, so -0 as 0 and every NaN as one.
#[inline(always)]
pub fn hash_f64(value: f64, seed: u64) -> u64 {
    hash_u64(key_bits(value), seed)
}

/// The bits of an `f64` as a key: -0 as 0 and every NaN as one.
#[inline(always)]
pub fn key_bits(value: f64) -> u64 {
    let bits = if value == 0.0 { 0.0f64 } else { value }.to_bits();
    if value.is_nan() { f64::NAN.to_bits() } else { bits }
}

at_each_level! {
    /// The hash of every word under one seed.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn hash_words / hash_words_at(values: &[u64], seed: u64, hashes: &mut [u64]) {
        assert_eq!(values.len(), hashes.len());
        for (hash, &value) in hashes.iter_mut().zip(values) {
            *hash = hash_u64(value, seed);
        }
    }

    /// Takes one more column of words into the hash of every row.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn combine_words / combine_words_at(values: &[u64], hashes: &mut [u64]) {
        assert_eq!(values.len(), hashes.len());
        for (hash, &value) in hashes.iter_mut().zip(values) {
            *hash = hash_u64(value, *hash);
        }
    }
}

/// The hash of bytes under a seed.
#[inline]
pub fn hash_bytes(bytes: &[u8], seed: u64) -> u64 {
    let length = bytes.len();
    let seed = spread(seed);
    let (first, last) = match length {
        0 => (0, 0),
        1..=3 => {
            let ends = (u64::from(bytes[0]) << 16) | u64::from(bytes[length - 1]);
            (ends | (u64::from(bytes[length >> 1]) << 8), 0)
        }
        4..=7 => (u64::from(read_u32(bytes, 0)), u64::from(read_u32(bytes, length - 4))),
        8..=16 => (read_u64(bytes, 0), read_u64(bytes, length - 8)),
        _ => {
            return finish(
                hash_long(bytes, seed),
                read_u64(bytes, length - 16),
                read_u64(bytes, length - 8),
                length,
            );
        }
    };
    finish(seed, first, last, length)
}

/// Takes in the last two words and the length.
#[inline(always)]
fn finish(state: u64, first: u64, last: u64, length: usize) -> u64 {
    let inner = folded_product(first ^ KEYS[0], last ^ state);
    folded_product(inner ^ KEYS[1], state.rotate_left(17) ^ KEYS[2] ^ length as u64)
}

/// The state after all but the last 16 bytes or fewer; the caller takes in the last 16, overlapping.
#[inline]
fn hash_long(bytes: &[u8], seed: u64) -> u64 {
    let mut state = seed;
    let mut rest = bytes;
    if rest.len() > 48 {
        // Three independent chains, so that multiplications overlap.
        let mut others = [seed ^ KEYS[1], seed ^ KEYS[2]];
        while rest.len() > 48 {
            state = folded_product(read_u64(rest, 0) ^ KEYS[0], read_u64(rest, 8) ^ state);
            others[0] = folded_product(read_u64(rest, 16) ^ KEYS[1], read_u64(rest, 24) ^ others[0]);
            others[1] = folded_product(read_u64(rest, 32) ^ KEYS[2], read_u64(rest, 40) ^ others[1]);
            rest = &rest[48..];
        }
        state ^= others[0] ^ others[1].rotate_left(29);
    }
    while rest.len() > 16 {
        state = folded_product(read_u64(rest, 0) ^ KEYS[0], read_u64(rest, 8) ^ state);
        rest = &rest[16..];
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::hash::{digest_of_all_lengths, test_bytes};
    use crate::kernel::level::Level;
    use std::collections::HashSet;

    #[test]
    fn output_is_fixed() {
        assert_eq!(hash_u64(0, 0), 0x6d00_a031_b1b1_ab16);
        assert_eq!(hash_u64(1, 7), 0x26c0_4289_5eff_76ac);
        assert_eq!(hash_bytes(b"", 0), 0x4e3b_c286_8a8d_435e);
        assert_eq!(hash_bytes(b"hypostyle", 1), 0x0ea2_b45b_e668_0e52);
        assert_eq!(digest_of_all_lengths(300, |bytes| hash_bytes(bytes, 3)), 0x910a_ed30_57bf_3caf);
    }

    #[test]
    fn slices_give_the_hashes_of_their_values_at_every_level() {
        let values: Vec<u64> = (0..1001u64).map(|index| index.wrapping_mul(index) << 13).collect();
        for level in Level::available() {
            let mut hashes = vec![0; values.len()];
            hash_words_at(level, &values, 5, &mut hashes);
            let expected: Vec<u64> = values.iter().map(|&value| hash_u64(value, 5)).collect();
            assert_eq!(hashes, expected);
            combine_words_at(level, &values, &mut hashes);
            let expected: Vec<u64> =
                values.iter().zip(expected).map(|(&value, hash)| hash_u64(value, hash)).collect();
            assert_eq!(hashes, expected);
        }
    }

    #[test]
    fn every_length_and_every_changed_bit_gives_another_hash() {
        let bytes = test_bytes(200);
        let mut seen = HashSet::new();
        for length in 0..200 {
            assert!(seen.insert(hash_bytes(&bytes[..length], 0)));
            for position in 0..length {
                let mut changed = bytes[..length].to_vec();
                changed[position] ^= 1 << (position % 8);
                assert!(seen.insert(hash_bytes(&changed, 0)), "length {length}, byte {position}");
            }
        }
    }

    #[test]
    fn a_changed_bit_changes_about_half_of_the_bits() {
        let flips = |hash: &dyn Fn(u64) -> u64| {
            let mut worst: (u32, u32) = (u32::MAX, 0);
            for bit in 0..64 {
                let changed: u32 =
                    (0..256u64).map(|value| (hash(value) ^ hash(value ^ (1 << bit))).count_ones()).sum();
                worst = (worst.0.min(changed / 256), worst.1.max(changed / 256));
            }
            worst
        };
        for worst in [flips(&|value| hash_u64(value, 0)), flips(&|value| hash_bytes(&value.to_le_bytes(), 0))]
        {
            assert!(worst.0 >= 28 && worst.1 <= 36, "{worst:?}");
        }
    }

    #[test]
    fn low_and_high_bits_of_sequential_keys_spread_over_partitions() {
        for shift in [0, 20, 56] {
            let mut counts = [0; 256];
            for key in 0..65_536u64 {
                counts[((hash_u64(key, 1) >> shift) & 255) as usize] += 1;
            }
            assert!(counts.iter().all(|&count| (160..=360).contains(&count)), "{shift}");
        }
    }

    #[test]
    fn equal_floats_hash_alike() {
        assert_eq!(hash_f64(0.0, 1), hash_f64(-0.0, 1));
        assert_eq!(hash_f64(f64::NAN, 1), hash_f64(-f64::NAN, 1));
        assert_ne!(hash_f64(1.0, 1), hash_f64(-1.0, 1));
    }
}

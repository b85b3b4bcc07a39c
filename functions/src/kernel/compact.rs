//! Keeps the values whose bit is set, in order.

#[cfg(target_arch = "x86_64")]
use super::level::{Level, Tier};
#[cfg(target_arch = "x86_64")]
use super::prefetch::prefetch_line_far;

/// Set bits of a word from which on every lane is written and the place moves on by the lane's bit,
/// rather than set bits looked up one by one.
const DENSE_BITS: u32 = 12;

/// Values of which no more than one is kept from which on set bits are looked up, instead of storing every vector.
const SPARSE: usize = 48;

/// Values that a word has bits for.
const WORD: usize = 64;

/// Bytes that are stored at once: with room for as many behind the kept values their vector does not grow.
pub const VECTOR_BYTES: usize = 64;

/// Appends the values whose bit is set to `kept`, in order. `word(i)` gives the bits of values
/// `i * 64 ..`, lowest first; bits past the values are zero.
pub fn compact<T: Copy>(values: &[T], word: impl Fn(usize) -> u64, kept: &mut Vec<T>) {
    for (index, chunk) in values.chunks(WORD).enumerate() {
        compact_word(chunk, word(index), kept);
    }
}

fn compact_word<T: Copy>(chunk: &[T], bits: u64, kept: &mut Vec<T>) {
    match bits.count_ones() {
        0 => {}
        64 => kept.extend_from_slice(chunk),
        count if count >= DENSE_BITS && chunk.len() == WORD => {
            // Every lane is stored, and kept by moving on: no branch depends on the data.
            let mut block = [chunk[0]; WORD];
            let mut place = 0;
            for (position, &value) in chunk.iter().enumerate() {
                block[place & 63] = value;
                place += (bits >> position & 1) as usize;
            }
            kept.extend_from_slice(&block[..place]);
        }
        _ => {
            let mut left = bits;
            while left != 0 {
                kept.push(chunk[left.trailing_zeros() as usize]);
                left &= left - 1;
            }
        }
    }
}

/// Declares [`compact`] for one type, with the instruction that compresses a whole vector where the machine has it.
///
/// `compact_u32 / compact_u32_before: u32, 16, u16, ...` declares `compact_u32(values, bits, kept)` over vectors of 16 lanes, whose
/// bits lie lowest first in whole bytes, and one that asks the memory system for the values that come next.
macro_rules! compacted {
    ($($(#[$meta:meta])* $name:ident / $name_before:ident: $type:ty, $lanes:literal, $mask:ty, $compress:ident;)+) => {$(
        $(#[$meta])*
        pub fn $name(values: &[$type], bits: &[u8], kept: &mut Vec<$type>) {
            $name_before(values, bits, kept, 0);
        }

        #[doc = concat!("As [`", stringify!($name), "`], asking for `following` values behind the slice meanwhile.")]
        pub fn $name_before(values: &[$type], bits: &[u8], kept: &mut Vec<$type>, following: usize) {
            assert!(bits.len() * 8 >= values.len(), "{} bytes of bits for {} values", bits.len(), values.len());
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,popcnt")]
            fn avx512(values: &[$type], bits: &[u8], kept: &mut Vec<$type>, following: usize) {
                use std::arch::x86_64::{$compress, _mm512_loadu_si512, _mm512_storeu_si512};
                let (vectors, rest) = values.as_chunks::<$lanes>();
                let (masks, _) = bits.as_chunks::<{ $lanes / 8 }>();
                let masks = &masks[..vectors.len()];
                let masks_of_rest = &bits[vectors.len() * $lanes / 8..];
                let count = count_bits(masks.as_flattened());
                let asked = following.min(values.len()) / $lanes;
                let ask = |line: usize| {
                    if line < asked {
                        prefetch_line_far(values.as_ptr().wrapping_add(values.len() + line * $lanes));
                    }
                };
                if count * SPARSE < values.len() {
                    let word = |index: usize| {
                        (index * WORD / $lanes..(index + 1) * WORD / $lanes).for_each(ask);
                        word_of(bits, index, values.len())
                    };
                    return compact(values, word, kept);
                }
                // Each store writes a whole vector, of which the lanes behind the kept ones are overwritten.
                kept.reserve(count + $lanes);
                let target = kept.spare_capacity_mut().as_mut_ptr();
                let mut place = 0;
                for (index, (vector, mask)) in vectors.iter().zip(masks).enumerate() {
                    ask(index);
                    let mask = <$mask>::from_le_bytes(*mask);
                    // SAFETY: the vector has as many lanes as are loaded.
                    let lanes = unsafe { _mm512_loadu_si512(vector.as_ptr().cast()) };
                    // SAFETY: `place` is the number of bits before this vector, at most `count`, and room for `count` values
                    // and a vector was reserved.
                    unsafe { _mm512_storeu_si512(target.add(place).cast(), $compress(mask, lanes)) };
                    place += mask.count_ones() as usize;
                }
                // SAFETY: the stores above wrote `place` values behind the first ones.
                unsafe { kept.set_len(kept.len() + place) };
                compact(rest, |index| word_of(masks_of_rest, index, rest.len()), kept);
            }

            #[cfg(target_arch = "x86_64")]
            if Level::current().tier() == Tier::Avx512 {
                // SAFETY: a `Level` of this tier exists only where the machine was found to have these features.
                return unsafe { avx512(values, bits, kept, following) };
            }
            let _ = following;
            compact(values, |index| word_of(bits, index, values.len()), kept);
        }
    )+};
}

/// Word `index` of bits in bytes, of which there are `length`.
fn word_of(bits: &[u8], index: usize, length: usize) -> u64 {
    let bytes = &bits[(index * 8).min(bits.len())..];
    let word = match bytes.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    match length.saturating_sub(index * WORD) {
        left if left < WORD => word & ((1 << left) - 1),
        _ => word,
    }
}

at_each_level! {
    /// Number of set bits.
    pub fn count_bits / count_bits_at(bits: &[u8]) -> usize {
        let (words, rest) = bits.as_chunks::<8>();
        let words: u32 = words.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum();
        words as usize + rest.iter().map(|byte| byte.count_ones() as usize).sum::<usize>()
    }
}

compacted! {
    /// [`compact`] for values of four bytes.
    compact_u32 / compact_u32_before: u32, 16, u16, _mm512_maskz_compress_epi32;
    /// [`compact`] for values of eight bytes.
    compact_u64 / compact_u64_before: u64, 8, u8, _mm512_maskz_compress_epi64;
    /// [`compact`] for signed numbers of four bytes.
    compact_i32 / compact_i32_before: i32, 16, u16, _mm512_maskz_compress_epi32;
    /// [`compact`] for signed numbers of eight bytes.
    compact_i64 / compact_i64_before: i64, 8, u8, _mm512_maskz_compress_epi64;
    /// [`compact`] for floats, whose bits are moved as they are.
    compact_f32 / compact_f32_before: f32, 16, u16, _mm512_maskz_compress_epi32;
    /// [`compact`] for doubles, whose bits are moved as they are.
    compact_f64 / compact_f64_before: f64, 8, u8, _mm512_maskz_compress_epi64;
}

at_each_level! {
    /// Clears `keep[i]` where bit `places[i]`, taken modulo 64, is not set; over the shorter length.
    pub fn keep_bits / keep_bits_at(bits: u64, places: &[u32], keep: &mut [bool]) {
        for (keep, &place) in keep.iter_mut().zip(places) {
            *keep &= bits >> (place & 63) & 1 == 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_where_the_bit_of_their_place_is_set() {
        let places: Vec<u32> = (0..200).map(|i| i * 7 % 64).collect();
        for bits in [0, u64::MAX, 1, 1 << 63, 0x5555_0000_FFFF_1234] {
            for level in crate::kernel::level::Level::available() {
                let mut keep: Vec<bool> = (0..200).map(|i| i % 3 != 0).collect();
                keep_bits_at(level, bits, &places, &mut keep);
                let expected = (0..200).map(|i| i % 3 != 0 && bits >> places[i] & 1 == 1);
                assert!(keep.iter().copied().eq(expected), "{bits:#x}, {level}");
            }
        }
    }

    #[test]
    fn set_lanes_are_kept_in_order() {
        for length in [0usize, 1, 63, 64, 65, 200, 640] {
            let values: Vec<u32> = (0..length as u32).collect();
            let wide: Vec<u64> = values.iter().map(|&value| u64::from(value) << 40 | 7).collect();
            for keep in
                [|_: u32| true, |_| false, |v| v % 3 == 0, |v| v % 17 == 5, |v| v % 64 != 63, |v| v == 63]
            {
                let word = |index: usize| {
                    let lanes = values.iter().skip(index * 64).take(64).enumerate();
                    lanes.map(|(bit, &value)| u64::from(keep(value)) << bit).sum()
                };
                let mut expected = vec![7];
                expected.extend(values.iter().filter(|&&value| keep(value)));
                let (mut kept, mut same) = (vec![7], vec![7]);
                let bits: Vec<u8> =
                    (0..=length / 64).flat_map(|index| u64::to_le_bytes(word(index))).collect();
                compact(&values, word, &mut kept);
                compact_u32_before(&values, &bits, &mut same, length);
                assert_eq!(kept, expected);
                assert_eq!(same, expected);
                let mut kept = Vec::new();
                compact_u64_before(&wide, &bits, &mut kept, length / 2);
                let expected: Vec<u64> =
                    expected[1..].iter().map(|&value| u64::from(value) << 40 | 7).collect();
                assert_eq!(kept, expected);
            }
        }
    }
}

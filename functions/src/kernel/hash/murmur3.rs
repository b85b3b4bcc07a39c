//! MurmurHash3 for 32-bit x86, with a seed. Source: the published definition.

use super::read_u32;

/// The hash of `bytes` with `seed`; the last one to three bytes are taken together, as the definition has it.
pub fn murmur3_32(bytes: &[u8], seed: u32) -> u32 {
    let mut words = bytes.chunks_exact(4);
    let mut hash = words.by_ref().fold(seed, |hash, word| {
        (hash ^ scramble(read_u32(word, 0))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= scramble(rest.iter().rev().fold(0, |word, &byte| (word << 8) | u32::from(byte)));
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[inline(always)]
fn scramble(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lengths_agree_with_the_reference_implementation() {
        assert_eq!(
            crate::kernel::hash::digest_of_all_lengths(300, |bytes| murmur3_32(bytes, 42).into()),
            11_599_880_576_602_099_141
        );
        assert_eq!(murmur3_32(b"", 0), 0);
        assert_eq!(murmur3_32(b"", 1), 0x514e_28b7);
    }
}

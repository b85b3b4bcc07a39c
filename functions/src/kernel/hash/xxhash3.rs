//! XXH3, 64 bits, with the default secret and seed 0. Source: the published specification.

use super::{folded_product, read_u32, read_u64};

const PRIME32_1: u64 = 0x9e37_79b1;
const PRIME32_2: u64 = 0x85eb_ca77;
const PRIME32_3: u64 = 0xc2b2_ae3d;
const PRIME64_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME64_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const PRIME64_3: u64 = 0x1656_67b1_9e37_79f9;
const PRIME64_4: u64 = 0x85eb_ca77_c2b2_ae63;
const PRIME64_5: u64 = 0x27d4_eb2f_1656_67c5;
const PRIME_MX1: u64 = 0x1656_6791_9e37_79f9;
const PRIME_MX2: u64 = 0x9fb2_1c65_1e98_df25;

/// The default secret of the specification.
static SECRET: [u8; 192] = [
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde,
    0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79,
    0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21, 0xb8, 0x08, 0x46,
    0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb,
    0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2,
    0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c,
    0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59,
    0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3,
    0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3,
    0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8,
    0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb,
    0xca, 0xbb, 0x4b, 0x40, 0x7e,
];

/// The hash of `bytes`.
pub fn xxhash3_64(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0 => final_mix_64(secret(56) ^ secret(64)),
        1..=3 => up_to_3(bytes),
        4..=8 => up_to_8(bytes),
        9..=16 => up_to_16(bytes),
        17..=128 => up_to_128(bytes),
        129..=240 => up_to_240(bytes),
        _ => longer(bytes),
    }
}

#[inline(always)]
fn secret(position: usize) -> u64 {
    read_u64(&SECRET, position)
}

/// The final mix of XXH64.
fn final_mix_64(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(PRIME64_2);
    let hash = (hash ^ (hash >> 29)).wrapping_mul(PRIME64_3);
    hash ^ (hash >> 32)
}

fn final_mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 37)).wrapping_mul(PRIME_MX1);
    hash ^ (hash >> 32)
}

fn up_to_3(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let (first, middle, last) =
        (u32::from(bytes[0]), u32::from(bytes[length >> 1]), u32::from(bytes[length - 1]));
    let combined = (first << 16) | (middle << 24) | last | ((length as u32) << 8);
    let flip = u64::from(read_u32(&SECRET, 0) ^ read_u32(&SECRET, 4));
    final_mix_64(u64::from(combined) ^ flip)
}

fn up_to_8(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let (first, last) = (u64::from(read_u32(bytes, 0)), u64::from(read_u32(bytes, length - 4)));
    let value = (last.wrapping_add(first << 32)) ^ (secret(8) ^ secret(16));
    let mixed = (value ^ value.rotate_left(49) ^ value.rotate_left(24)).wrapping_mul(PRIME_MX2);
    let mixed = (mixed ^ (mixed >> 35).wrapping_add(length as u64)).wrapping_mul(PRIME_MX2);
    mixed ^ (mixed >> 28)
}

fn up_to_16(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let low = read_u64(bytes, 0) ^ (secret(24) ^ secret(32));
    let high = read_u64(bytes, length - 8) ^ (secret(40) ^ secret(48));
    let sum = (length as u64).wrapping_add(low.swap_bytes()).wrapping_add(high);
    final_mix(sum.wrapping_add(folded_product(low, high)))
}

/// Sixteen bytes mixed with the secret from `secret_position`.
#[inline(always)]
fn mix_16(bytes: &[u8], position: usize, secret_position: usize) -> u64 {
    folded_product(
        read_u64(bytes, position) ^ secret(secret_position),
        read_u64(bytes, position + 8) ^ secret(secret_position + 8),
    )
}

fn up_to_128(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let mut hash = (length as u64).wrapping_mul(PRIME64_1);
    for pair in (0..=(length - 1) / 32).rev() {
        hash = hash.wrapping_add(mix_16(bytes, pair * 16, pair * 32));
        hash = hash.wrapping_add(mix_16(bytes, length - 16 * (pair + 1), pair * 32 + 16));
    }
    final_mix(hash)
}

fn up_to_240(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let mut hash = (length as u64).wrapping_mul(PRIME64_1);
    for index in 0..8 {
        hash = hash.wrapping_add(mix_16(bytes, 16 * index, 16 * index));
    }
    hash = final_mix(hash);
    for index in 8..length / 16 {
        hash = hash.wrapping_add(mix_16(bytes, 16 * index, 16 * (index - 8) + 3));
    }
    final_mix(hash.wrapping_add(mix_16(bytes, length - 16, 136 - 17)))
}

/// Takes 64 bytes into the eight lanes.
#[inline(always)]
fn accumulate(lanes: &mut [u64; 8], stripe: &[u8], secret_position: usize) {
    for index in 0..8 {
        let value = read_u64(stripe, index * 8);
        let keyed = value ^ secret(secret_position + index * 8);
        lanes[index ^ 1] = lanes[index ^ 1].wrapping_add(value);
        lanes[index] = lanes[index].wrapping_add((keyed & 0xffff_ffff).wrapping_mul(keyed >> 32));
    }
}

fn longer(bytes: &[u8]) -> u64 {
    const STRIPE_BYTES: usize = 64;
    const STRIPES_PER_BLOCK: usize = (192 - 64) / 8;
    const BLOCK_BYTES: usize = STRIPE_BYTES * STRIPES_PER_BLOCK;
    let mut lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1];
    let length = bytes.len();
    let whole_blocks = (length - 1) / BLOCK_BYTES;
    for block in bytes[..whole_blocks * BLOCK_BYTES].chunks_exact(BLOCK_BYTES) {
        for (index, stripe) in block.chunks_exact(STRIPE_BYTES).enumerate() {
            accumulate(&mut lanes, stripe, index * 8);
        }
        for (index, lane) in lanes.iter_mut().enumerate() {
            *lane = (*lane ^ (*lane >> 47) ^ secret(128 + index * 8)).wrapping_mul(PRIME32_1);
        }
    }
    let rest = &bytes[whole_blocks * BLOCK_BYTES..];
    for index in 0..(rest.len() - 1) / STRIPE_BYTES {
        accumulate(&mut lanes, &rest[index * STRIPE_BYTES..], index * 8);
    }
    accumulate(&mut lanes, &bytes[length - STRIPE_BYTES..], 192 - 64 - 7);
    let merged = (0..4).fold((length as u64).wrapping_mul(PRIME64_1), |hash, pair| {
        let left = lanes[2 * pair] ^ secret(11 + 16 * pair);
        let right = lanes[2 * pair + 1] ^ secret(11 + 16 * pair + 8);
        hash.wrapping_add(folded_product(left, right))
    });
    final_mix(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lengths_agree_with_the_reference_implementation() {
        assert_eq!(crate::kernel::hash::digest_of_all_lengths(3000, xxhash3_64), 4_181_667_999_936_678_412);
    }
}

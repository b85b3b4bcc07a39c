//! Hash functions.
//!
//! Two families, never to be mixed: the published ones, reproduced bit for bit since other systems store their
//! output ([`sigrid`], [`farm`], [`xxhash64`], [`xxhash3`], [`murmur3`], [`crc32c`]), and [`row`], the project's own for keys of joins,
//! aggregation and partitions. All read bytes as little-endian and give the same output on every machine.

pub mod consistent;
pub mod crc32c;
pub mod farm;
pub mod murmur3;
pub mod row;
pub mod sigrid;
pub mod xxhash3;
pub mod xxhash64;
pub mod xxhash64_short;

/// The eight bytes from `position`, little-endian.
#[inline(always)]
fn read_u64(bytes: &[u8], position: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[position..position + 8]);
    u64::from_le_bytes(word)
}

/// The four bytes from `position`, little-endian.
#[inline(always)]
fn read_u32(bytes: &[u8], position: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[position..position + 4]);
    u32::from_le_bytes(word)
}

/// The two halves of the 128-bit product, xored.
#[inline(always)]
pub(super) fn folded_product(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

/// Test bytes of any length: a sequence with no short period.
#[cfg(test)]
fn test_bytes(count: usize) -> Vec<u8> {
    (0..count as u64).map(|index| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

/// One number for the hashes of the first `0..count` test bytes, to compare with other implementations.
#[cfg(test)]
fn digest_of_all_lengths(count: usize, hash: impl Fn(&[u8]) -> u64) -> u64 {
    let bytes = test_bytes(count);
    (0..count).fold(0u64, |digest, length| digest.rotate_left(5).wrapping_mul(31) ^ hash(&bytes[..length]))
}

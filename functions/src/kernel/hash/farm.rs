//! FarmHash Fingerprint64: a 64-bit hash whose output is fixed for good; the basis of hash buckets in several systems.
//!
//! Source: the published definition of FarmHash (`farmhashna`).

use super::read_u64;

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

/// The fingerprint of `bytes`; read as signed where SQL has no unsigned type.
pub fn farm_fingerprint64(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => up_to_16(bytes),
        17..=32 => up_to_32(bytes),
        33..=64 => up_to_64(bytes),
        _ => longer(bytes),
    }
}

fn fold(value: u64) -> u64 {
    value ^ (value >> 47)
}

fn combine(left: u64, right: u64, multiplier: u64) -> u64 {
    let first = fold((left ^ right).wrapping_mul(multiplier));
    fold((right ^ first).wrapping_mul(multiplier)).wrapping_mul(multiplier)
}

fn multiplier_for(length: usize) -> u64 {
    K2.wrapping_add((length as u64).wrapping_mul(2))
}

fn up_to_16(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let multiplier = multiplier_for(length);
    if length >= 8 {
        let first = read_u64(bytes, 0).wrapping_add(K2);
        let last = read_u64(bytes, length - 8);
        let left = last.rotate_right(37).wrapping_mul(multiplier).wrapping_add(first);
        let right = first.rotate_right(25).wrapping_add(last).wrapping_mul(multiplier);
        combine(left, right, multiplier)
    } else if length >= 4 {
        let first = u64::from(super::read_u32(bytes, 0));
        let last = u64::from(super::read_u32(bytes, length - 4));
        combine((length as u64).wrapping_add(first << 3), last, multiplier)
    } else if length > 0 {
        let (first, middle, last) = (bytes[0], bytes[length >> 1], bytes[length - 1]);
        let left = u64::from(first).wrapping_add(u64::from(middle) << 8);
        let right = (length as u64).wrapping_add(u64::from(last) << 2);
        fold(left.wrapping_mul(K2) ^ right.wrapping_mul(K0)).wrapping_mul(K2)
    } else {
        K2
    }
}

fn up_to_32(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let multiplier = multiplier_for(length);
    let a = read_u64(bytes, 0).wrapping_mul(K1);
    let b = read_u64(bytes, 8);
    let c = read_u64(bytes, length - 8).wrapping_mul(multiplier);
    let d = read_u64(bytes, length - 16).wrapping_mul(K2);
    let left = a.wrapping_add(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let right = a.wrapping_add(b.wrapping_add(K2).rotate_right(18)).wrapping_add(c);
    combine(left, right, multiplier)
}

fn up_to_64(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let multiplier = multiplier_for(length);
    let a = read_u64(bytes, 0).wrapping_mul(K2);
    let b = read_u64(bytes, 8);
    let c = read_u64(bytes, length - 8).wrapping_mul(multiplier);
    let d = read_u64(bytes, length - 16).wrapping_mul(K2);
    let y = a.wrapping_add(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let z = combine(y, a.wrapping_add(b.wrapping_add(K2).rotate_right(18)).wrapping_add(c), multiplier);
    let e = read_u64(bytes, 16).wrapping_mul(multiplier);
    let f = read_u64(bytes, 24);
    let g = y.wrapping_add(read_u64(bytes, length - 32)).wrapping_mul(multiplier);
    let h = z.wrapping_add(read_u64(bytes, length - 24)).wrapping_mul(multiplier);
    let left = e.wrapping_add(f).rotate_right(43).wrapping_add(g.rotate_right(30)).wrapping_add(h);
    let right = e.wrapping_add(f.wrapping_add(a).rotate_right(18)).wrapping_add(g);
    combine(left, right, multiplier)
}

/// A weak hash of 32 bytes from `position` and two seeds.
fn of_32(bytes: &[u8], position: usize, a: u64, b: u64) -> (u64, u64) {
    let [w, x, y, z] = [0, 8, 16, 24].map(|offset| read_u64(bytes, position + offset));
    let a = a.wrapping_add(w);
    let b = b.wrapping_add(a).wrapping_add(z).rotate_right(21);
    let c = a;
    let a = a.wrapping_add(x).wrapping_add(y);
    let b = b.wrapping_add(a.rotate_right(44));
    (a.wrapping_add(z), b.wrapping_add(c))
}

fn longer(bytes: &[u8]) -> u64 {
    const SEED: u64 = 81;
    let length = bytes.len();
    let mut x = SEED;
    let mut y = SEED.wrapping_mul(K1).wrapping_add(113);
    let mut z = fold(y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2);
    let (mut v, mut w) = ((0u64, 0u64), (0u64, 0u64));
    x = x.wrapping_mul(K2).wrapping_add(read_u64(bytes, 0));
    // The last 64 bytes are hashed apart, overlapping the blocks before them.
    let end = (length - 1) / 64 * 64;
    let last_block = length - 64;
    for position in (0..end).step_by(64) {
        x = x.wrapping_add(y).wrapping_add(v.0).wrapping_add(read_u64(bytes, position + 8));
        x = x.rotate_right(37).wrapping_mul(K1);
        y = y
            .wrapping_add(v.1)
            .wrapping_add(read_u64(bytes, position + 48))
            .rotate_right(42)
            .wrapping_mul(K1);
        x ^= w.1;
        y = y.wrapping_add(v.0).wrapping_add(read_u64(bytes, position + 40));
        z = z.wrapping_add(w.0).rotate_right(33).wrapping_mul(K1);
        v = of_32(bytes, position, v.1.wrapping_mul(K1), x.wrapping_add(w.0));
        let seed = y.wrapping_add(read_u64(bytes, position + 16));
        w = of_32(bytes, position + 32, z.wrapping_add(w.1), seed);
        std::mem::swap(&mut z, &mut x);
    }
    let multiplier = K1.wrapping_add((z & 0xff) << 1);
    let position = last_block;
    w.0 = w.0.wrapping_add((length as u64 - 1) & 63);
    v.0 = v.0.wrapping_add(w.0);
    w.0 = w.0.wrapping_add(v.0);
    x = x.wrapping_add(y).wrapping_add(v.0).wrapping_add(read_u64(bytes, position + 8));
    x = x.rotate_right(37).wrapping_mul(multiplier);
    y = y
        .wrapping_add(v.1)
        .wrapping_add(read_u64(bytes, position + 48))
        .rotate_right(42)
        .wrapping_mul(multiplier);
    x ^= w.1.wrapping_mul(9);
    y = y.wrapping_add(v.0.wrapping_mul(9)).wrapping_add(read_u64(bytes, position + 40));
    z = z.wrapping_add(w.0).rotate_right(33).wrapping_mul(multiplier);
    v = of_32(bytes, position, v.1.wrapping_mul(multiplier), x.wrapping_add(w.0));
    w = of_32(bytes, position + 32, z.wrapping_add(w.1), y.wrapping_add(read_u64(bytes, position + 16)));
    std::mem::swap(&mut z, &mut x);
    let left = combine(v.0, w.0, multiplier).wrapping_add(fold(y).wrapping_mul(K0)).wrapping_add(z);
    combine(left, combine(v.1, w.1, multiplier).wrapping_add(x), multiplier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values_are_reproduced() {
        let signed = |text: &str| farm_fingerprint64(text.as_bytes()) as i64;
        assert_eq!(signed("alphabet"), -2_427_165_924_636_348_523);
        assert_eq!(signed("1footrue"), -1_541_654_101_129_638_711);
        assert_eq!(signed("2applefalse"), 2_794_438_866_806_483_259);
        assert_eq!(signed("3true"), -4_880_158_226_897_771_312);
        assert_eq!(farm_fingerprint64(&3u32.to_le_bytes()), 2_681_491_882_390_849_628);
    }

    #[test]
    fn all_lengths_agree_with_the_reference_implementation() {
        assert_eq!(
            crate::kernel::hash::digest_of_all_lengths(600, farm_fingerprint64),
            10_498_863_604_625_197_174
        );
    }
}

//! The id hash of recommendation models: a 64-bit mix of the id, folded with a salt, floor-modulo a table size.
//!
//! `h = hash_128_to_64(high = salt, low = twang_mix64(id))`, read as signed, then the flooring remainder by `max`, so results
//! are in `0..max`. Source: the published semantics of `sigrid_hash`; the mixes are those of Thomas Wang and of CityHash.

use crate::kernel::divisor::{Divisor, DoubleDivisor};
use crate::kernel::level::{Level, Tier};

/// The hash for one salt and one table size, with the division prepared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SigridHash {
    salt: u64,
    divisor: Divisor,
    /// For divisors of up to 32 bits.
    double: Option<DoubleDivisor>,
}

impl SigridHash {
    /// A hash into `0..max`; `None` unless `max` is positive.
    pub fn new(salt: i64, max: i64) -> Option<SigridHash> {
        let divisor = Divisor::new(max)?;
        Some(SigridHash { salt: salt as u64, divisor, double: DoubleDivisor::new(divisor) })
    }

    /// The hash of one id.
    #[inline(always)]
    pub fn hash_one(&self, id: i64) -> i64 {
        self.divisor.floor_remainder(self.mix(id))
    }

    #[inline(always)]
    fn mix(&self, id: i64) -> i64 {
        mix::<false>(self.salt, id)
    }
}

/// The hash of every id.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn sigrid_hash(hash: &SigridHash, ids: &[i64], output: &mut [i64]) {
    sigrid_hash_at(Level::current(), hash, ids, output);
}

/// [`sigrid_hash`] at the level given.
pub fn sigrid_hash_at(level: Level, hash: &SigridHash, ids: &[i64], output: &mut [i64]) {
    assert_eq!(ids.len(), output.len());
    match (&hash.double, level.tier()) {
        (Some(divisor), Tier::Avx512) => wide_at(level, hash.salt, divisor, ids, output),
        (Some(divisor), _) => narrow_at(level, hash.salt, divisor, ids, output),
        (None, _) => large_at(level, hash, ids, output),
    }
}

/// Sum of the hashes of `count` ids from `first` on, which are made in registers: the arithmetic of
/// [`sigrid_hash`] without memory, against which benches hold it.
pub fn sigrid_sum_at(level: Level, hash: &SigridHash, first: i64, count: usize) -> i64 {
    match (&hash.double, level.tier()) {
        (Some(divisor), Tier::Avx512) => wide_sum_at(level, hash.salt, divisor, first, count),
        (Some(divisor), _) => narrow_sum_at(level, hash.salt, divisor, first, count),
        (None, _) => (0..count as i64).fold(0, |sum, offset| sum.wrapping_add(hash.hash_one(first + offset))),
    }
}

at_each_level! {
    #[allow(dead_code)] // The level is chosen where it is called.
    fn wide / wide_at(salt: u64, divisor: &DoubleDivisor, ids: &[i64], output: &mut [i64]) {
        hash_all::<true>(salt, divisor, ids, output);
    }

    #[allow(dead_code)] // The level is chosen where it is called.
    fn narrow / narrow_at(salt: u64, divisor: &DoubleDivisor, ids: &[i64], output: &mut [i64]) {
        hash_all::<false>(salt, divisor, ids, output);
    }

    #[allow(dead_code)] // The level is chosen where it is called.
    fn wide_sum / wide_sum_at(salt: u64, divisor: &DoubleDivisor, first: i64, count: usize) -> i64 {
        sum_all::<true>(salt, divisor, first, count)
    }

    #[allow(dead_code)] // The level is chosen where it is called.
    fn narrow_sum / narrow_sum_at(salt: u64, divisor: &DoubleDivisor, first: i64, count: usize) -> i64 {
        sum_all::<false>(salt, divisor, first, count)
    }

    /// For divisors that doubles do not serve.
    #[allow(dead_code)] // The level is chosen where it is called.
    fn large / large_at(hash: &SigridHash, ids: &[i64], output: &mut [i64]) {
        let hash = *hash;
        if hash.divisor.is_small() {
            for (result, &id) in output.iter_mut().zip(ids) {
                *result = hash.divisor.floor_remainder_by_small(hash.mix(id));
            }
        } else {
            for (result, &id) in output.iter_mut().zip(ids) {
                *result = hash.hash_one(id);
            }
        }
    }
}

/// Ids whose hashes are computed side by side: one chain of dependent steps alone leaves the multipliers waiting.
const ABREAST: usize = 32;

#[inline(always)]
fn hash_all<const WIDE: bool>(salt: u64, divisor: &DoubleDivisor, ids: &[i64], output: &mut [i64]) {
    let divisor = *divisor;
    if divisor.is_small() {
        for_each_abreast(ids, output, |id| divisor.reduce(divisor.remainder::<WIDE>(mix::<WIDE>(salt, id))));
    } else {
        for_each_abreast(ids, output, |id| divisor.remainder::<WIDE>(mix::<WIDE>(salt, id)));
    }
}

#[inline(always)]
fn for_each_abreast(ids: &[i64], output: &mut [i64], hash: impl Fn(i64) -> i64) {
    let (blocks, rest) = ids.as_chunks::<ABREAST>();
    let (results, last) = output.as_chunks_mut::<ABREAST>();
    for (results, ids) in results.iter_mut().zip(blocks) {
        for (result, &id) in results.iter_mut().zip(ids) {
            *result = hash(id);
        }
    }
    for (result, &id) in last.iter_mut().zip(rest) {
        *result = hash(id);
    }
}

/// Ids that are made at once for a sum; they stay in registers or on the stack's first lines.
const SUMMED: usize = 64;

#[inline(always)]
fn sum_all<const WIDE: bool>(salt: u64, divisor: &DoubleDivisor, first: i64, count: usize) -> i64 {
    let divisor = *divisor;
    let mut sums = [0i64; SUMMED];
    for start in (0..count).step_by(SUMMED) {
        for (place, sum) in sums[..SUMMED.min(count - start)].iter_mut().enumerate() {
            let id = first.wrapping_add((start + place) as i64);
            let remainder = divisor.remainder::<WIDE>(mix::<WIDE>(salt, id));
            *sum = sum.wrapping_add(if divisor.is_small() { divisor.reduce(remainder) } else { remainder });
        }
    }
    sums.into_iter().fold(0, i64::wrapping_add)
}

/// The hash before the division, read as signed.
#[inline(always)]
fn mix<const WIDE: bool>(salt: u64, id: i64) -> i64 {
    let key = if WIDE { twang_mix64_by_products(id as u64) } else { twang_mix64(id as u64) };
    hash_128_to_64(salt, key) as i64
}

/// [`twang_mix64`] with products for sums of three terms, which is an instruction less where there are products of 64 bits.
#[inline(always)]
fn twang_mix64_by_products(key: u64) -> u64 {
    let key = (!key).wrapping_add(key << 21);
    let key = (key ^ (key >> 24)).wrapping_mul(265);
    let key = (key ^ (key >> 14)).wrapping_mul(21);
    let key = key ^ (key >> 28);
    key.wrapping_add(key << 31)
}

/// Thomas Wang's bijective mix of 64 bits.
#[inline(always)]
pub fn twang_mix64(key: u64) -> u64 {
    let key = (!key).wrapping_add(key << 21);
    let key = key ^ (key >> 24);
    let key = key.wrapping_add(key << 3).wrapping_add(key << 8);
    let key = key ^ (key >> 14);
    let key = key.wrapping_add(key << 2).wrapping_add(key << 4);
    let key = key ^ (key >> 28);
    key.wrapping_add(key << 31)
}

/// CityHash's reduction of two words to one.
#[inline(always)]
pub fn hash_128_to_64(high: u64, low: u64) -> u64 {
    const MULTIPLIER: u64 = 0x9ddf_ea08_eb38_2d69;
    let first = (low ^ high).wrapping_mul(MULTIPLIER);
    let first = first ^ (first >> 47);
    let second = (high ^ first).wrapping_mul(MULTIPLIER);
    let second = second ^ (second >> 47);
    second.wrapping_mul(MULTIPLIER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values_are_reproduced() {
        let hash = SigridHash::new(0, 100).unwrap();
        let ids: Vec<i64> = (0..=16).collect();
        let mut output = vec![0; ids.len()];
        sigrid_hash(&hash, &ids, &mut output);
        assert_eq!(output, [6, 60, 54, 54, 9, 4, 91, 11, 67, 79, 2, 25, 92, 98, 83, 66, 2]);
        assert_eq!(hash.hash_one(-1), 75);
        assert_eq!(hash.hash_one(1 << 40), 32);
        let salted = SigridHash::new(7, 1000).unwrap();
        assert_eq!([1, 2, 3].map(|id| salted.hash_one(id)), [84, 892, 537]);
        assert_eq!(hash_128_to_64(0, twang_mix64(1)), 3_312_372_336_822_847_760);
        assert_eq!(hash_128_to_64(0, twang_mix64(2)), 670_940_560_248_074_554);
    }

    #[test]
    fn results_equal_the_definition_at_every_level() {
        let ids: Vec<i64> = (0..1003i64).map(|index| index.wrapping_mul(0x1357_9bdf_2468_ace1)).collect();
        for max in [1, 2, 97, 16_383, 1 << 20, 1_000_000, (1 << 31) - 1, 1 << 31, i64::MAX] {
            let hash = SigridHash::new(-5, max).unwrap();
            let expected: Vec<i64> = ids
                .iter()
                .map(|&id| (hash_128_to_64(-5i64 as u64, twang_mix64(id as u64)) as i64).rem_euclid(max))
                .collect();
            for level in Level::available() {
                let mut output = vec![0; ids.len()];
                sigrid_hash_at(level, &hash, &ids, &mut output);
                assert_eq!(output, expected, "{level}");
                let sum = (40..77).map(|id| hash.hash_one(id)).fold(0, i64::wrapping_add);
                assert_eq!(sigrid_sum_at(level, &hash, 40, 37), sum, "{level}");
            }
        }
    }

    #[test]
    fn a_table_without_slots_is_refused() {
        assert_eq!(SigridHash::new(0, 0), None);
        assert_eq!(SigridHash::new(0, -1), None);
    }
}

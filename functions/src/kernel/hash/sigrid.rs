//! The id hash of recommendation models: a 64-bit mix of the id, folded with a salt, floor-modulo a table size.
//!
//! `h = hash_128_to_64(high = salt, low = twang_mix64(id))`, read as signed, then the flooring remainder by `max`, so results
//! are in `0..max`. Source: the published semantics of `sigrid_hash`; the mixes are those of Thomas Wang and of CityHash.

use crate::kernel::divisor::Divisor;

/// The hash for one salt and one table size, with the division prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigridHash {
    salt: u64,
    divisor: Divisor,
}

impl SigridHash {
    /// A hash into `0..max`; `None` unless `max` is positive.
    pub fn new(salt: i64, max: i64) -> Option<SigridHash> {
        Some(SigridHash { salt: salt as u64, divisor: Divisor::new(max)? })
    }

    /// The hash of one id.
    #[inline(always)]
    pub fn hash_one(&self, id: i64) -> i64 {
        self.divisor.floor_remainder(self.mix(id))
    }

    /// The hash before the division, read as signed.
    #[inline(always)]
    fn mix(&self, id: i64) -> i64 {
        hash_128_to_64(self.salt, twang_mix64(id as u64)) as i64
    }
}

at_each_level! {
    /// The hash of every id.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn sigrid_hash / sigrid_hash_at(hash: &SigridHash, ids: &[i64], output: &mut [i64]) {
        assert_eq!(ids.len(), output.len());
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

    /// Sum of the hashes of `count` ids from `first` on, which are made in registers: the arithmetic of
    /// [`sigrid_hash`] without memory, against which benches hold it.
    pub fn sigrid_sum / sigrid_sum_at(hash: &SigridHash, first: i64, count: usize) -> i64 {
        let hash = *hash;
        let ids = (0..count as i64).map(|offset| first.wrapping_add(offset));
        if hash.divisor.is_small() {
            ids.map(|id| hash.divisor.floor_remainder_by_small(hash.mix(id))).fold(0, i64::wrapping_add)
        } else {
            ids.map(|id| hash.hash_one(id)).fold(0, i64::wrapping_add)
        }
    }
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
    use crate::kernel::level::Level;

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
        for max in [1, 2, 97, 1 << 20, 1_000_000, i64::MAX] {
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

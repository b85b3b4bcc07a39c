//! Consistent hashing: numbers below a bound that hardly change when the bound does.
//!
//! - [`jump_hash`]: one number. When the bound grows from n to n + 1 it stays, or becomes n with probability 1 / (n + 1).
//!   Source: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014.
//! - [`consistent_choose`]: k distinct numbers, every set equally likely. When the bound grows, at most one of them changes, and
//!   the choice of k - 1 is part of that of k.
//!
//! The largest of k numbers chosen below n is below m with probability (m / n) ((m - 1) / (n - 1)) ... ((m - k + 1) / (n - k + 1)).
//! So is the largest of `jump_hash(key of i, n - i) + i` for i below k, since each factor is the probability of one of
//! them. The other k - 1 numbers are a choice below the largest one, and so on.

use super::xxhash64::xxhash64_u64;

/// A number from 0 to below `bound`, which must be at least 1.
#[inline]
pub fn jump_hash(key: u64, bound: i64) -> i64 {
    const MULTIPLIER: u64 = 2_862_933_555_777_941_757;
    const STEPS: f64 = (1u64 << 31) as f64;
    let mut key = key;
    let (mut held, mut next) = (-1i64, 0i64);
    while next < bound {
        held = next;
        key = key.wrapping_mul(MULTIPLIER).wrapping_add(1);
        // The conversion saturates far above every bound.
        next = ((held + 1) as f64 * (STEPS / ((key >> 33) + 1) as f64)) as i64;
    }
    held
}

/// Writes distinct numbers from 0 to below `bound`, in descending order: as many as `chosen` has places, which must not be more
/// than `bound`.
pub fn consistent_choose(key: u64, bound: i64, chosen: &mut [i64]) {
    let mut bound = bound;
    for position in 0..chosen.len() {
        let left = chosen.len() - position;
        let largest =
            (0..left as i64).map(|turn| jump_hash(xxhash64_u64(key, turn as u64), bound - turn) + turn).max();
        bound = largest.unwrap_or(0);
        chosen[position] = bound;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jump_hash_gives_the_published_values() {
        let published = [
            (1, 1, 0),
            (42, 57, 43),
            (0xdead_10cc, 1, 0),
            (0xdead_10cc, 666, 361),
            (256, 1024, 520),
            (10_863_919_174_838_991, 11, 6),
            (2_016_238_256_797_177_309, 11, 3),
            (1_673_758_223_894_951_030, 11, 5),
            (2, 100_001, 80_343),
            (2201, 100_001, 22_152),
            (2202, 100_001, 15_018),
        ];
        for (key, bound, expected) in published {
            assert_eq!(jump_hash(key, bound), expected, "{key} below {bound}");
        }
    }

    fn choice(key: u64, bound: i64, count: usize) -> Vec<i64> {
        let mut chosen = vec![0; count];
        consistent_choose(key, bound, &mut chosen);
        chosen
    }

    #[test]
    fn choices_are_distinct_nested_and_change_in_one_place() {
        for key in 0..50u64 {
            for count in 1..6usize {
                let mut before: Vec<i64> = Vec::new();
                for bound in count as i64..60 {
                    let chosen = choice(key, bound, count);
                    assert!(chosen.is_sorted_by(|a, b| a > b), "{chosen:?}");
                    assert!(chosen.iter().all(|number| (0..bound).contains(number)));
                    let fresh: Vec<_> = chosen.iter().filter(|number| !before.contains(number)).collect();
                    assert!(before.is_empty() || fresh.is_empty() || fresh == [&(bound - 1)], "{fresh:?}");
                    let fewer = choice(key, bound, count - 1);
                    assert!(fewer.iter().all(|number| chosen.contains(number)));
                    before = chosen;
                }
            }
        }
    }

    #[test]
    fn every_number_is_chosen_equally_often() {
        let mut counts = [0u32; 10];
        for key in 0..20_000u64 {
            choice(key, 10, 3).into_iter().for_each(|number| counts[number as usize] += 1);
        }
        // 6,000 are expected, with a standard deviation of 65.
        assert!(counts.iter().all(|&count| (5_700..6_300).contains(&count)), "{counts:?}");
    }
}

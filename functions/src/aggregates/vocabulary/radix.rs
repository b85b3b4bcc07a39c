//! Sorts numbers of 128 bits by their upper 96, which are keys: bucket by bucket, by the bytes that differ.

/// The bits of a key.
const KEY: u128 = u128::MAX << 32;

/// Numbers that are sorted by comparing.
const COMPARED: usize = 192;

/// Buckets of a pass over numbers that lie outside the caches: so many places are written to in turn.
const BUCKETS_FAR: usize = 2048;

/// Buckets of a pass over others, which are to hold one number or few.
const BUCKETS_NEAR: usize = 8192;

/// So many numbers lie in the caches.
const NEAR: usize = 1 << 16;

/// Numbers of buckets that need no sorting one by one.
const FEW: u32 = 24;

/// Bytes of a key that a pass looks at.
const DIGITS: usize = 3;

/// Puts all numbers of these slices in order by key; what equal keys are followed by is in any order.
///
/// # Panics
/// Unless there is room for as many numbers as there are.
pub(super) fn sort_into(slices: &[&[u128]], sorted: &mut [u128]) {
    match Buckets::of(slices) {
        Some(buckets) => {
            let ends = buckets.scatter(slices, sorted);
            each_bucket(sorted, &ends, &mut Vec::new());
        }
        None => {
            let mut rest = sorted;
            for slice in slices {
                let (own, next) = rest.split_at_mut(slice.len());
                own.copy_from_slice(slice);
                rest = next;
            }
        }
    }
}

/// Sorts each of the buckets that end here.
fn each_bucket(numbers: &mut [u128], ends: &[u32], scratch: &mut Vec<u128>) {
    let sizes = std::iter::once(0).chain(ends.iter().copied()).zip(ends).map(|(start, end)| end - start);
    if sizes.max() <= Some(FEW) {
        return insert_each(numbers);
    }
    let (mut rest, mut start) = (numbers, 0);
    for &end in ends {
        let (bucket, next) = rest.split_at_mut((end - start) as usize);
        sort_bucket(bucket, scratch);
        (rest, start) = (next, end);
    }
}

/// Sorts numbers that are near their places: of which each bucket holds few.
fn insert_each(numbers: &mut [u128]) {
    for at in 1..numbers.len() {
        let number = numbers[at];
        let mut to = at;
        while to > 0 && numbers[to - 1] > number {
            numbers[to] = numbers[to - 1];
            to -= 1;
        }
        numbers[to] = number;
    }
}

fn sort_bucket(numbers: &mut [u128], scratch: &mut Vec<u128>) {
    if numbers.len() <= COMPARED {
        return numbers.sort_unstable();
    }
    // Else all keys are equal.
    if let Some(buckets) = Buckets::of(&[numbers]) {
        if scratch.len() < numbers.len() {
            scratch.resize(numbers.len(), 0);
        }
        let ends = buckets.scatter(&[numbers], &mut scratch[..numbers.len()]);
        numbers.copy_from_slice(&scratch[..numbers.len()]);
        each_bucket(numbers, &ends, scratch);
    }
}

/// The buckets of some numbers, by the first bytes in which their keys differ. A byte counts by its rank among those that occur in
/// its place, since letters and digits are few of all bytes.
struct Buckets {
    /// Whether the bytes lie in the upper half of a number.
    is_upper: bool,
    shifts: [u32; DIGITS],
    /// What each byte adds to the number of the bucket; nothing for a place that is not looked at.
    ranks: [[u16; 256]; DIGITS],
    count: usize,
}

impl Buckets {
    /// `None` where all keys are equal.
    fn of(slices: &[&[u128]]) -> Option<Self> {
        let first = slices.iter().find_map(|slice| slice.first())?;
        let mut differing = 0;
        for slice in slices {
            for number in *slice {
                differing |= number ^ first;
            }
        }
        differing &= KEY;
        if differing == 0 {
            return None;
        }
        let is_upper = differing >> 64 != 0;
        let half = if is_upper { (differing >> 64) as u64 } else { differing as u64 };
        let mut places = (0..8).rev().map(|byte| byte * 8).filter(|shift| half >> shift & 0xff != 0);
        // A place that is not there is the first one again, which tells nothing more apart.
        let first = places.next()?;
        let shifts = [first, places.next().unwrap_or(first), places.next().unwrap_or(first)];
        let mut buckets = Self { is_upper, shifts, ranks: [[0; 256]; DIGITS], count: 1 };
        for slice in slices {
            for &number in *slice {
                let [first, second, third] = buckets.bytes(number);
                buckets.ranks[0][first] = 1;
                buckets.ranks[1][second] = 1;
                buckets.ranks[2][third] = 1;
            }
        }
        buckets.rank(slices.iter().map(|slice| slice.len()).sum());
        Some(buckets)
    }

    /// Turns what was seen into ranks, of as many places as there are buckets for.
    fn rank(&mut self, numbers: usize) {
        let most = if numbers < NEAR { BUCKETS_NEAR.min(numbers * 2) } else { BUCKETS_FAR };
        let differing = self.ranks.map(|seen| seen.iter().sum::<u16>());
        let mut looked_at = 1;
        self.count = usize::from(differing[0]);
        while looked_at < DIGITS && self.count * usize::from(differing[looked_at]) <= most {
            self.count *= usize::from(differing[looked_at]);
            looked_at += 1;
        }
        self.ranks[looked_at..].fill([0; 256]);
        let mut weight = 1;
        for (ranks, differing) in self.ranks[..looked_at].iter_mut().zip(differing).rev() {
            let mut rank = 0;
            ranks.iter_mut().for_each(|seen| rank += weight * std::mem::replace(seen, rank));
            weight *= differing;
        }
    }

    /// The bytes of a number that are looked at, 0 for those that are not there.
    #[inline(always)]
    fn bytes(&self, number: u128) -> [usize; DIGITS] {
        let half = if self.is_upper { (number >> 64) as u64 } else { number as u64 };
        let [first, second, third] = self.shifts;
        let byte = |shift: u32| (half >> shift & 0xff) as usize;
        [byte(first), byte(second), byte(third)]
    }

    #[inline(always)]
    fn bucket(&self, number: u128) -> usize {
        let [first, second, third] = self.bytes(number);
        usize::from(self.ranks[0][first] + self.ranks[1][second] + self.ranks[2][third])
    }

    /// Moves each number to its bucket, and gives the ends of the buckets.
    fn scatter(&self, slices: &[&[u128]], to: &mut [u128]) -> Vec<u32> {
        let mut places = vec![0u32; self.count];
        for slice in slices {
            for &number in *slice {
                places[self.bucket(number)] += 1;
            }
        }
        let mut start = 0;
        for count in &mut places {
            start += std::mem::replace(count, start);
        }
        for slice in slices {
            for &number in *slice {
                let place = &mut places[self.bucket(number)];
                to[*place as usize] = number;
                *place += 1;
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers whose keys are made of a few bits of a generator.
    fn check(count: usize, key: impl Fn(u64) -> u128) {
        let mut state = 42u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 11
        };
        let numbers: Vec<u128> = (0..count).map(|_| key(next()) << 32 | u128::from(next() as u32)).collect();
        let middle = count / 3;
        let mut found = vec![0; count];
        sort_into(&[&numbers[..middle], &[], &numbers[middle..]], &mut found);
        assert!(found.is_sorted_by_key(|number| number >> 32));
        let mut expected = numbers;
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn keys_of_every_form_are_sorted() {
        for count in [0, 1, 2, 100, 1_000, 50_000] {
            check(count, |_| 7);
            check(count, |random| u128::from(random % 3));
            check(count, u128::from);
            check(count, |random| u128::from(random) << 43);
            check(count, |random| u128::from(random % 16) << 88 | u128::from(random % 1_000));
            check(count, |random| if random % 50 == 0 { u128::from(random) } else { 5 << 64 });
            // Digits of text.
            check(count, |random| {
                (0..8).fold(0, |key, byte| key << 8 | u128::from(b'0' + (random >> (4 * byte) & 7) as u8))
                    << 32
            });
        }
    }
}

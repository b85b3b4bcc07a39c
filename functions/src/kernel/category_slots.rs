//! Open addressing over 64-bit slots that can lie in a file: the high half of a hash, and a place plus one in the low half; 0
//! where free.
//!
//! The first slot of a hash is its low half, scaled to the number of slots; what does not fit there goes into the next free
//! slot, around the end. So a table has as many slots as its entries need and no power of two.

use super::prefetch::{DISTANCE, prefetch};

/// High half of a hash.
const TAG: u64 = 0xffff_ffff_0000_0000;

/// Slots for this many entries: half as many again, so that what is not there is found missing within a line of the caches.
pub fn slots_of(entries: usize) -> usize {
    match entries {
        0 => 0,
        entries => entries + entries / 2 + 1,
    }
}

/// The first slot of a hash.
#[inline]
fn first(hash: u64, slots: usize) -> usize {
    (((hash & !TAG) as u128 * slots as u128) >> 32) as usize
}

/// Puts an entry for each hash, by its place, into slots that are all free and more than the hashes. The first place whose
/// entry `is_same` as one before it ends the filling and is returned.
pub fn fill(slots: &mut [u64], hashes: &[u64], is_same: impl Fn(usize, usize) -> bool) -> Option<usize> {
    for (place, &hash) in hashes.iter().enumerate() {
        if let Some(&ahead) = hashes.get(place + DISTANCE) {
            prefetch(slots, first(ahead, slots.len()));
        }
        let mut slot = first(hash, slots.len());
        while slots[slot] != 0 {
            if slots[slot] & TAG == hash & TAG && is_same((slots[slot] & !TAG) as usize - 1, place) {
                return Some(place);
            }
            slot = if slot + 1 == slots.len() { 0 } else { slot + 1 };
        }
        slots[slot] = hash & TAG | (place as u64 + 1);
    }
    None
}

/// The place whose entry has this hash and `is_it`. Ends after one round whatever the slots hold.
#[inline]
pub fn find(slots: &[u64], hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
    find_readable(slots, hash, |_| true, is_it)
}

/// As [`find`], where the search ends at a slot that cannot be read.
#[inline]
pub fn find_readable(
    slots: &[u64],
    hash: u64,
    is_readable: impl Fn(&u64) -> bool,
    is_it: impl Fn(usize) -> bool,
) -> Option<usize> {
    if slots.is_empty() {
        return None;
    }
    let start = first(hash, slots.len());
    let (before, from) = slots.split_at(start);
    for held in from.iter().chain(before) {
        if !is_readable(held) {
            return None;
        }
        let held = *held;
        if held & !TAG == 0 {
            return None;
        }
        let place = (held & !TAG) as usize - 1;
        if held & TAG == hash & TAG && is_it(place) {
            return Some(place);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{fill, find, slots_of};
    use crate::kernel::hash::xxhash64::xxhash64_u64;

    #[test]
    fn every_entry_is_found_and_no_other() {
        for count in [0usize, 1, 2, 3, 100, 2_000] {
            // Hashes that share their tags, their first slots, or nothing.
            let makes: [fn(u64) -> u64; 4] =
                [|n| xxhash64_u64(n, 0), |n| n, |n| n << 32 | 7, |n| n | 0xffff_ff00];
            for make in makes {
                let hashes: Vec<u64> = (0..count as u64).map(make).collect();
                let mut slots = vec![0; slots_of(count)];
                let equal = |left: usize, right: usize| hashes[left] == hashes[right] && left == right;
                assert_eq!(fill(&mut slots, &hashes, equal), None);
                for (place, &hash) in hashes.iter().enumerate() {
                    assert_eq!(find(&slots, hash, |held| held == place), Some(place));
                }
                assert_eq!(find(&slots, make(count as u64 + 5), |_| false), None);
            }
        }
    }

    #[test]
    fn the_first_repetition_is_told() {
        let hashes = [5, 6, 7, 6, 5];
        let mut slots = vec![0; slots_of(hashes.len())];
        assert_eq!(fill(&mut slots, &hashes, |left, right| hashes[left] == hashes[right]), Some(3));
    }

    #[test]
    fn slots_of_any_content_end() {
        let full = vec![u64::MAX; 9];
        assert_eq!(find(&full, u64::MAX, |_| false), None);
        assert_eq!(find(&full, 3, |place| place == 1), None);
    }
}

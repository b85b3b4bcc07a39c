//! Moves values that lie side by side to the places of set bits, in order: compaction the other way round.

use std::ops::Range;

#[cfg(target_arch = "x86_64")]
use super::level::{Level, Tier};

/// Values that a word has bits for.
const WORD: usize = 64;

/// Moves the first `count` values to the places whose bit is set; the other places get the default. `word(i)` gives the
/// bits of places `i * 64 ..`, lowest first; bits past the values are zero.
///
/// # Panics
/// If another number of bits than `count` is set.
pub fn expand<T: Copy + Default>(values: &mut [T], word: impl Fn(usize) -> u64, count: usize) {
    expand_words(values, word, count, |values, bits, next, start| {
        expand_word(values, bits, next, start..start + WORD);
    });
}

/// [`expand`] of values of four bytes, with the instruction that expands a whole vector where the machine has it.
///
/// # Panics
/// As [`expand`].
pub fn expand_u32(values: &mut [u32], word: impl Fn(usize) -> u64, count: usize) {
    #[cfg(target_arch = "x86_64")]
    if Level::current().tier() == Tier::Avx512 {
        return expand_words(values, word, count, |values, bits, next, start| {
            // SAFETY: a `Level` of this tier exists only where the machine was found to have these features.
            unsafe { expand_word_avx512(values, bits, next, start) };
        });
    }
    expand(values, word, count);
}

/// Gives the places whose bit is not set this value. `word(i)` gives the bits of places `i * 64 ..`, lowest first.
pub fn fill_unset(values: &mut [u32], word: impl Fn(usize) -> u64, fill: u32) {
    for (index, values) in values.chunks_mut(WORD).enumerate() {
        let bits = word(index);
        if bits != u64::MAX {
            fill_word(values, bits, fill);
        }
    }
}

at_each_level! {
    fn fill_word / fill_word_at(values: &mut [u32], bits: u64, fill: u32) {
        for (place, value) in values.iter_mut().enumerate() {
            *value = if bits >> place & 1 == 1 { *value } else { fill };
        }
    }
}

/// Goes over the words from the last to the first: values move towards the end only, so none is overwritten that is still
/// needed. `whole` expands `values[next..]` to the 64 places from `start` on, where `next` is at most `start`.
#[inline(always)]
fn expand_words<T: Copy + Default>(
    values: &mut [T],
    word: impl Fn(usize) -> u64,
    count: usize,
    whole: impl Fn(&mut [T], u64, usize, usize),
) {
    let mut next = count;
    for index in (0..values.len().div_ceil(WORD)).rev() {
        let (bits, start) = (word(index), index * WORD);
        let places = (values.len() - start).min(WORD);
        let set = bits.count_ones() as usize;
        assert!(set <= next && next - set <= start, "{count} values for another number of bits");
        next -= set;
        if set == places {
            values.copy_within(next..next + places, start);
        } else if bits == 0 {
            values[start..start + places].fill(T::default());
        } else if places == WORD {
            whole(values, bits, next, start);
        } else {
            expand_word(values, bits, next, start..start + places);
        }
    }
    assert_eq!(next, 0, "{count} values for another number of bits");
}

/// Moves the values from `next` on to the set ones of these places.
#[inline(always)]
fn expand_word<T: Copy + Default>(values: &mut [T], bits: u64, next: usize, places: Range<usize>) {
    let mut from = next + bits.count_ones() as usize;
    for place in places.clone().rev() {
        values[place] = if bits >> (place - places.start) & 1 == 1 {
            from -= 1;
            values[from]
        } else {
            T::default()
        };
    }
}

/// Sixteen places at a time.
///
/// # Panics
/// If the values end before the 64 places from `start` on, or `next` is behind `start`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,popcnt")]
fn expand_word_avx512(values: &mut [u32], bits: u64, next: usize, start: usize) {
    use std::arch::x86_64::{_mm512_loadu_si512, _mm512_maskz_expand_epi32, _mm512_storeu_si512};
    const LANES: usize = 16;
    assert!(next <= start && start + WORD <= values.len());
    let mut next = next + bits.count_ones() as usize;
    for part in (0..WORD / LANES).rev() {
        let mask = (bits >> (part * LANES)) as u16;
        next -= mask.count_ones() as usize;
        let place = start + part * LANES;
        // SAFETY: `next` is the first `next` of the caller and the bits below this part, so it is at most `place`, and the
        // places of this part end inside the values.
        let lanes = unsafe { _mm512_loadu_si512(values.as_ptr().add(next).cast()) };
        // SAFETY: as above.
        unsafe {
            _mm512_storeu_si512(
                values.as_mut_ptr().add(place).cast(),
                _mm512_maskz_expand_epi32(mask, lanes),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_move_to_the_places_of_set_bits() {
        for length in [0usize, 1, 5, 63, 64, 65, 127, 128, 200, 640] {
            for (name, is_set) in [
                ("all", (|_| true) as fn(usize) -> bool),
                ("none", |_| false),
                ("every third", |place| place % 3 == 1),
                ("few", |place| place % 17 == 16),
                ("most", |place| place % 23 != 0),
                ("the last half", |place| place % 128 >= 64),
                ("the first", |place| place < 3),
            ] {
                let word = |index: usize| {
                    let places = index * 64..(index * 64 + 64).min(length);
                    places.fold(0, |bits, place| bits | u64::from(is_set(place)) << (place % 64))
                };
                let count = (0..length).filter(|&place| is_set(place)).count();
                let mut given = 0..;
                let expected: Vec<u32> = (0..length)
                    .map(|place| if is_set(place) { given.next().unwrap() + 1 } else { 0 })
                    .collect();
                // What lies behind the values is not looked at.
                let values = || (0..length).map(|place| if place < count { place as u32 + 1 } else { 999 });
                let mut narrow: Vec<u32> = values().collect();
                expand_u32(&mut narrow, word, count);
                assert_eq!(narrow, expected, "{name} of {length}");
                let mut wide: Vec<u64> = values().map(u64::from).collect();
                expand(&mut wide, word, count);
                assert!(
                    wide.iter().copied().eq(expected.iter().copied().map(u64::from)),
                    "{name} of {length}"
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "another number of bits")]
    fn more_values_than_bits_are_refused() {
        expand_u32(&mut [1; 128], |_| 1, 3);
    }
}

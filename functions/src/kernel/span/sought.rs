//! Where a value stands in lists that adjoin in one slice, with AVX-512.
//!
//! The elements of eight lists are compared into a bitmap, from which the eight are answered at once. That is little enough for the
//! processor to read the elements of the next lists meanwhile: what is answered while nothing is read takes longer than the memory has to.

use crate::kernel::level::Level;
#[cfg(target_arch = "x86_64")]
use crate::kernel::level::Tier;

/// Whole numbers that are sought with masked vectors, which do nothing where a level does not have them.
///
/// Lists adjoin: each lies between two offsets. `found` gets a bit for each list that has the value, and zeros behind the last.
pub trait Sought: Sized {
    /// Tells which lists have a value; false, with nothing written, where there is no such kernel.
    ///
    /// # Panics
    /// If a list does not lie inside the values, or if there are fewer results than lists.
    fn found(level: Level, values: &[Self], offsets: &[i32], wanted: Self, found: &mut [u64]) -> bool;

    /// As [`Sought::found`], and writes the place of the value in each list, from 1, and 0 where there is none.
    ///
    /// # Panics
    /// As [`Sought::found`].
    fn places(
        level: Level,
        values: &[Self],
        offsets: &[i32],
        wanted: Self,
        places: &mut [i32],
        found: &mut [u64],
    ) -> bool;
}

macro_rules! sought {
    ($($number:ty: $seek:ident;)*) => {$(
        impl Sought for $number {
            fn found(level: Level, values: &[Self], offsets: &[i32], wanted: Self, found: &mut [u64]) -> bool {
                #[cfg(target_arch = "x86_64")]
                if level.tier() == Tier::Avx512 {
                    // SAFETY: a `Level` of this tier exists only where the machine was found to have these features.
                    unsafe { avx512::$seek::<false>(values, offsets, wanted, &mut [], found) };
                    return true;
                }
                let _ = (level, values, offsets, wanted, found);
                false
            }
            fn places(
                level: Level,
                values: &[Self],
                offsets: &[i32],
                wanted: Self,
                places: &mut [i32],
                found: &mut [u64],
            ) -> bool {
                #[cfg(target_arch = "x86_64")]
                if level.tier() == Tier::Avx512 {
                    // SAFETY: as above.
                    unsafe { avx512::$seek::<true>(values, offsets, wanted, places, found) };
                    return true;
                }
                let _ = (level, values, offsets, wanted, places, found);
                false
            }
        }
    )*};
}
// One arm expands to the impl of one type.
sought! {
    i32: seek_i32;
    i64: seek_i64;
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;
    use std::ops::Range;

    use crate::kernel::prefetch::{helps_over_lists, look_ahead, look_at};

    /// Lists that are answered at once.
    const LISTS: usize = 8;
    /// Bytes of a word, of which each list is answered from one.
    const WORD_BYTES: usize = 8;
    /// Elements of the longest list that lies in a word, wherever in a byte it starts.
    const LENGTH_MAX: i32 = 57;
    /// Bytes of a bitmap of the elements of [`LISTS`] lists, and of the word that starts at the last.
    const BITMAP_BYTES: usize = LISTS * LENGTH_MAX as usize / 8 + 2 * WORD_BYTES;

    type Bitmap = [u8; BITMAP_BYTES];

    /// Declares what compares elements into a bitmap, what seeks in one list, and what seeks in all lists.
    ///
    /// `seek_i64, mark_i64, first_i64: i64, 8 as __mmask8, _mm512_set1_epi64, ...` declares
    /// `seek_i64::<PLACES>(values, offsets, wanted, places, found)`, which writes places where `PLACES` says so.
    macro_rules! seek {
        ($($seek:ident, $mark:ident, $first:ident: $number:ty, $lanes:literal as $mask:ty, $set:ident, $load:ident, $equal:ident;)*) => {$(
            /// Sets bit `i` of the bitmap where value `i` of a range is the wanted one, of no more values than it has bits for.
            #[inline]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn $mark(all: &[$number], own: Range<usize>, wanted: $number, bitmap: &mut Bitmap) {
                let (values, mut at, is_asked) = (&all[own.clone()], own.start, helps_over_lists());
                let wanted = $set(wanted);
                let (places, _) = bitmap.as_chunks_mut::<{ $lanes / 8 }>();
                let (blocks, rest) = values.as_chunks::<$lanes>();
                for (place, block) in places.iter_mut().zip(blocks) {
                    if is_asked {
                        look_ahead(all, at, $lanes);
                        at += $lanes;
                    }
                    // SAFETY: a block has as many values as the vector.
                    let numbers = unsafe { $load(<$mask>::MAX, block.as_ptr()) };
                    *place = $equal(<$mask>::MAX, numbers, wanted).to_le_bytes();
                }
                if let Some(place) = places.get_mut(blocks.len()) {
                    let lanes = _bzhi_u32(u32::MAX, rest.len() as u32) as $mask;
                    // SAFETY: the lanes of the mask lie inside the rest; nothing is read of the others.
                    let numbers = unsafe { $load(lanes, rest.as_ptr()) };
                    *place = $equal(lanes, numbers, wanted).to_le_bytes();
                }
            }

            /// The place of the first wanted value, from 1; 0 where there is none.
            #[cold]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn $first(values: &[$number], wanted: $number) -> i32 {
                let wanted = $set(wanted);
                for (index, block) in values.chunks($lanes).enumerate() {
                    let lanes = _bzhi_u32(u32::MAX, block.len() as u32) as $mask;
                    // SAFETY: the lanes of the mask lie inside the block; nothing is read of the others.
                    let numbers = unsafe { $load(lanes, block.as_ptr()) };
                    let equal = $equal(lanes, numbers, wanted);
                    if equal != 0 {
                        return index as i32 * $lanes + equal.trailing_zeros() as i32 + 1;
                    }
                }
                0
            }

            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt")]
            pub fn $seek<const PLACES: bool>(
                values: &[$number],
                offsets: &[i32],
                wanted: $number,
                places: &mut [i32],
                found: &mut [u64],
            ) {
                let count = offsets.len().saturating_sub(1);
                found[..count.div_ceil(u64::BITS as usize)].fill(0);
                let mut bitmap = [0; BITMAP_BYTES];
                if let (Some(&first), Some(&last), true) = (offsets.first(), offsets.last(), helps_over_lists()) {
                    look_at(values.get(..last as usize).unwrap_or_default(), first as usize);
                }
                for first in (0..count).step_by(LISTS) {
                    let mut room = [0; LISTS + 1];
                    let own = offsets[first..].first_chunk().unwrap_or_else(|| filled_up(&offsets[first..], &mut room));
                    let mut here = [0; LISTS];
                    let has = if are_short(own) {
                        $mark(values, own[0] as usize..own[LISTS] as usize, wanted, &mut bitmap);
                        answer::<PLACES>(own, &bitmap, &mut here)
                    } else {
                        let lists = own.array_windows().map(|&[start, end]| &values[start as usize..end as usize]);
                        here.iter_mut().zip(lists).for_each(|(place, list)| *place = $first(list, wanted));
                        (0..LISTS).fold(0, |has, bit| has | u8::from(here[bit] != 0) << bit)
                    };
                    found[first / 64] |= u64::from(has) << (first % 64);
                    if PLACES {
                        match places[first..count].first_chunk_mut() {
                            // A copy of a length that is known is one store.
                            Some(own) => *own = here,
                            None => places[first..count].copy_from_slice(&here[..count - first]),
                        }
                    }
                }
            }
        )*};
    }
    seek! {
        seek_i32, mark_i32, first_i32: i32, 16 as __mmask16, _mm512_set1_epi32, _mm512_maskz_loadu_epi32, _mm512_mask_cmpeq_epi32_mask;
        seek_i64, mark_i64, first_i64: i64, 8 as __mmask8, _mm512_set1_epi64, _mm512_maskz_loadu_epi64, _mm512_mask_cmpeq_epi64_mask;
    }

    /// The last offsets, and behind them lists without elements.
    #[cold]
    fn filled_up<'a>(offsets: &[i32], room: &'a mut [i32; LISTS + 1]) -> &'a [i32; LISTS + 1] {
        room.fill(offsets.last().copied().unwrap_or(0));
        room.iter_mut().zip(offsets).for_each(|(place, &offset)| *place = offset);
        room
    }

    /// Where the lists start, and how long they are.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    fn starts_and_lengths(offsets: &[i32; LISTS + 1]) -> (__m256i, __m256i) {
        // SAFETY: there are as many offsets as lanes, and one more.
        let starts = unsafe { _mm256_loadu_epi32(offsets.as_ptr()) };
        // SAFETY: as above.
        let ends = unsafe { _mm256_loadu_epi32(offsets[1..].as_ptr()) };
        (starts, _mm256_sub_epi32(ends, starts))
    }

    /// True where all lists lie in a word each, and so all of their elements in a bitmap.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    fn are_short(offsets: &[i32; LISTS + 1]) -> bool {
        let (_, lengths) = starts_and_lengths(offsets);
        _mm256_cmpgt_epu32_mask(lengths, _mm256_set1_epi32(LENGTH_MAX)) == 0
    }

    /// A bit for each list that has a set bit in the bitmap of short lists, and with `PLACES` the place of the first one, from 1.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn answer<const PLACES: bool>(
        offsets: &[i32; LISTS + 1],
        bitmap: &Bitmap,
        places: &mut [i32; LISTS],
    ) -> u8 {
        let (starts, lengths) = starts_and_lengths(offsets);
        let starts = _mm256_sub_epi32(starts, _mm256_set1_epi32(offsets[0]));
        // SAFETY: short lists that adjoin start no later than LISTS * LENGTH_MAX bits behind the first, and a word follows these.
        let words =
            unsafe { _mm512_i32gather_epi64::<1>(_mm256_srli_epi32::<3>(starts), bitmap.as_ptr().cast()) };
        let bits = _mm512_cvtepu32_epi64(_mm256_and_si256(starts, _mm256_set1_epi32(7)));
        let one = _mm512_set1_epi64(1);
        let inside = _mm512_sub_epi64(_mm512_sllv_epi64(one, _mm512_cvtepu32_epi64(lengths)), one);
        let own = _mm512_and_si512(_mm512_srlv_epi64(words, bits), inside);
        let has = _mm512_test_epi64_mask(own, own);
        if PLACES {
            let lowest = _mm512_and_si512(own, _mm512_sub_epi64(_mm512_setzero_si512(), own));
            // A power of two as a double: its exponent is biased by 1023.
            let exponents = _mm512_srli_epi64::<52>(_mm512_castpd_si512(_mm512_cvtepu64_pd(lowest)));
            let from_one = _mm512_maskz_sub_epi64(has, exponents, _mm512_set1_epi64(1022));
            // SAFETY: there are as many places as lanes.
            unsafe { _mm256_storeu_epi32(places.as_mut_ptr(), _mm512_cvtepi64_epi32(from_one)) };
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places of `wanted` in lists that adjoin from the third value on, at every level that has the kernel, against plain loops.
    fn check<T: Sought + Copy + PartialEq>(values: &[T], lengths: &[usize], wanted: T) {
        let mut end = 2;
        let mut offsets = vec![2i32];
        offsets.extend(lengths.iter().map(|length| {
            end += *length as i32;
            end
        }));
        let list = |row: usize| &values[offsets[row] as usize..offsets[row + 1] as usize];
        let expected: Vec<i32> = (0..lengths.len())
            .map(|row| list(row).iter().position(|&value| value == wanted).map_or(0, |at| at as i32 + 1))
            .collect();
        let words = lengths.len().div_ceil(64);
        for level in Level::available() {
            let (mut found, mut same, mut places) =
                (vec![u64::MAX; words], vec![3; words], vec![-1; lengths.len()]);
            if !T::found(level, values, &offsets, wanted, &mut found) {
                assert!(!T::places(level, values, &offsets, wanted, &mut places, &mut same));
                continue;
            }
            assert!(T::places(level, values, &offsets, wanted, &mut places, &mut same));
            assert_eq!((&places, &found), (&expected, &same));
            for bit in 0..words * 64 {
                let has = expected.get(bit).is_some_and(|&place| place != 0);
                assert_eq!(found[bit / 64] >> (bit % 64) & 1 == 1, has, "list {bit}");
            }
        }
    }

    #[test]
    fn places_in_lists_of_every_length_are_those_of_a_plain_loop() {
        let values: Vec<i64> = (0..40_000i64).map(|at| at * at % 97).collect();
        let narrow: Vec<i32> = values.iter().map(|&value| value as i32).collect();
        for count in 0..150 {
            for lengths in [
                (0..count).collect::<Vec<usize>>(),
                (0..count).rev().collect(),
                (0..count).map(|row| row * 31 % 58).collect(),
                (0..count).map(|row| if row % 40 == 7 { 300 } else { row % 3 }).collect(),
                vec![57; count],
                vec![1; count],
                vec![0; count],
            ] {
                for wanted in [0, 1, 5, 36] {
                    check(&values, &lengths, wanted);
                    check(&narrow, &lengths, wanted as i32);
                }
            }
        }
        check::<i64>(&[], &[], 1);
    }

    #[test]
    fn the_ends_of_the_numbers_are_found() {
        for wanted in [i64::MIN, -1, i64::MAX] {
            check(&[7, 7, 7, wanted, 7, wanted, wanted], &[1, 2, 0, 2], wanted);
        }
    }

    #[test]
    fn lists_outside_the_values_are_refused() {
        for offsets in [[0, 4], [3, 2], [-1, 2], [i32::MIN, i32::MAX], [0, 100]] {
            let run = || i64::found(Level::current(), &[1, 2, 3], &offsets, 1, &mut [0]);
            assert!(matches!(std::panic::catch_unwind(run), Err(_) | Ok(false)), "{offsets:?}");
        }
    }
}

//! Loops over lanes that call a closure, compiled for every CPU level, and the loops on truth values
//! that fused programs are made of.
//!
//! The closure is inlined into the copy of the loop made for the level, so `|a, b| a * b` becomes a loop
//! of whole vectors. No copy contracts or reorders float operations: all give the same bits.

use std::hint::select_unpredictable;

use super::level::{Level, Tier};
use super::prefetch::look_ahead_of;
use super::whole_arithmetic::Whole;

/// Declares generic functions whose body is compiled for every level and chosen at each call.
///
/// ```text
/// lane_loops! {
///     /// Doubles.
///     pub fn twice[T: Copy](values: &mut [T]) { ... }
/// }
/// ```
/// declares `twice(values)`, which runs at [`Level::current`].
macro_rules! lane_loops {
    ($(
        $(#[$meta:meta])*
        pub fn $name:ident [$($generic:ident $(: $bound:path)?),*] ($($argument:ident: $type:ty),* $(,)?)
        $(-> $result:ty)? $(where [$($where:tt)*])? $body:block
    )+) => {$(
        $(#[$meta])*
        #[inline]
        pub fn $name<$($generic $(: $bound)?),*>($($argument: $type),*) $(-> $result)? $(where $($where)*)? {
            #[inline(always)]
            fn portable<$($generic $(: $bound)?),*>($($argument: $type),*) $(-> $result)? $(where $($where)*)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn avx2<$($generic $(: $bound)?),*>($($argument: $type),*) $(-> $result)? $(where $($where)*)? {
                portable($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512vl,avx512dq,avx512bw")]
            fn avx512<$($generic $(: $bound)?),*>($($argument: $type),*) $(-> $result)? $(where $($where)*)? {
                portable($($argument),*)
            }

            match Level::current().tier() {
                // SAFETY: a `Level` of this tier exists only where the machine was found to have these features.
                #[cfg(target_arch = "x86_64")]
                Tier::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Tier::Avx2 => unsafe { avx2($($argument),*) },
                _ => portable($($argument),*),
            }
        }
    )+};
}

/// Lanes that are computed between two looks ahead.
const CHUNK: usize = 32;
/// Lanes narrower than this are over before what was asked for is there: a batch of them is shorter than the way ahead.
const WIDE_BYTES: usize = 8;

/// Calls `step` with each result and its lane, over the shorter length, and asks meanwhile for wide lanes some pages further on.
///
/// For steps of a few instructions: others no longer become loops of vectors in chunks of a fixed length.
#[inline(always)]
fn for_each_lane<T>(first: &[T], results: &mut [T], mut step: impl FnMut(&mut T, &T)) {
    let count = first.len().min(results.len());
    let (chunks, rest) = first[..count].as_chunks::<CHUNK>();
    let (targets, last) = results[..count].as_chunks_mut::<CHUNK>();
    for (target, chunk) in targets.iter_mut().zip(chunks) {
        if size_of::<T>() >= WIDE_BYTES {
            look_ahead_of(chunk);
        }
        target.iter_mut().zip(chunk).for_each(|(result, a)| step(result, a));
    }
    last.iter_mut().zip(rest).for_each(|(result, a)| step(result, a));
}

lane_loops! {
    /// `results[i] = function(first[i])`, over the shorter length.
    pub fn unary[A: Copy, R, F](function: &F, first: &[A], results: &mut [R])
    where [F: Fn(A) -> R] {
        for (result, &a) in results.iter_mut().zip(first) {
            *result = function(a);
        }
    }

    /// `results[i] = function(first[i], second[i])`, over the shortest length.
    pub fn binary[A: Copy, B: Copy, R, F](function: &F, first: &[A], second: &[B], results: &mut [R])
    where [F: Fn(A, B) -> R] {
        for ((result, &a), &b) in results.iter_mut().zip(first).zip(second) {
            *result = function(a, b);
        }
    }

    /// `results[i] = function(first[i], second[i], third[i])`, over the shortest length.
    pub fn ternary[A: Copy, B: Copy, C: Copy, R, F](
        function: &F,
        first: &[A],
        second: &[B],
        third: &[C],
        results: &mut [R],
    )
    where [F: Fn(A, B, C) -> R] {
        for (((result, &a), &b), &c) in results.iter_mut().zip(first).zip(second).zip(third) {
            *result = function(a, b, c);
        }
    }

    /// `results[i] = function(first[i], second[i], third[i], fourth[i])`, over the shortest length.
    pub fn quaternary[A: Copy, B: Copy, C: Copy, D: Copy, R, F](
        function: &F,
        first: &[A],
        second: &[B],
        third: &[C],
        fourth: &[D],
        results: &mut [R],
    )
    where [F: Fn(A, B, C, D) -> R] {
        let lanes = results.iter_mut().zip(first).zip(second).zip(third).zip(fourth);
        for ((((result, &a), &b), &c), &d) in lanes {
            *result = function(a, b, c, d);
        }
    }

    /// As [`binary`] for a function that also says whether it overflowed; true if any lane did.
    pub fn overflowing[A: Copy, B: Copy, R, F](
        function: &F,
        first: &[A],
        second: &[B],
        results: &mut [R],
    ) -> bool
    where [F: Fn(A, B) -> (R, bool)] {
        let mut any = false;
        for ((result, &a), &b) in results.iter_mut().zip(first).zip(second) {
            let (value, overflowed) = function(a, b);
            *result = value;
            any |= overflowed;
        }
        any
    }

    /// As [`unary`] for a function that also gives two words; the bits that any lane's words have.
    pub fn united_unary[T: Whole, F](function: &F, first: &[T], results: &mut [T]) -> [T; 2]
    where [F: Fn(T) -> (T, [T; 2])] {
        let [mut one, mut other] = [T::ZERO; 2];
        for (result, &a) in results.iter_mut().zip(first) {
            let (value, words) = function(a);
            *result = value;
            (one, other) = (one.unite(words[0]), other.unite(words[1]));
        }
        [one, other]
    }

    /// As [`binary`] for a function that also gives two words; the bits that any lane's words have.
    pub fn united_binary[T: Whole, F](function: &F, first: &[T], second: &[T], results: &mut [T]) -> [T; 2]
    where [F: Fn(T, T) -> (T, [T; 2])] {
        let [mut one, mut other] = [T::ZERO; 2];
        for ((result, &a), &b) in results.iter_mut().zip(first).zip(second) {
            let (value, words) = function(a, b);
            *result = value;
            (one, other) = (one.unite(words[0]), other.unite(words[1]));
        }
        [one, other]
    }

    /// As [`united_unary`] for a function that gives four words.
    pub fn united_steps[T: Whole, F](function: &F, first: &[T], results: &mut [T]) -> [T; 4]
    where [F: Fn(T) -> (T, [T; 4])] {
        let mut united = [T::ZERO; 4];
        for_each_lane(first, results, |result, &a| {
            let (value, words) = function(a);
            *result = value;
            united.iter_mut().zip(words).for_each(|(united, word)| *united = united.unite(word));
        });
        united
    }

    /// As [`ternary`] for a function that gives four words; the bits that any lane's words have.
    pub fn united_steps_of_three[T: Whole, F](function: &F, lanes: [&[T]; 3], results: &mut [T]) -> [T; 4]
    where [F: Fn(T, T, T) -> (T, [T; 4])] {
        let mut united = [T::ZERO; 4];
        let [first, second, third] = lanes;
        for (((result, &a), &b), &c) in results.iter_mut().zip(first).zip(second).zip(third) {
            let (value, words) = function(a, b, c);
            *result = value;
            united.iter_mut().zip(words).for_each(|(united, word)| *united = united.unite(word));
        }
        united
    }

    /// `results[i] = conditions[i] ? first[i] : second[i]`, over the shortest length.
    pub fn select[T: Copy](conditions: &[bool], first: &[T], second: &[T], results: &mut [T]) {
        for (((result, &condition), &a), &b) in results.iter_mut().zip(conditions).zip(first).zip(second) {
            // A plain `if` becomes a choice of addresses and a gather, three times as slow.
            *result = select_unpredictable(condition, a, b);
        }
    }

    /// `results[i] = values[i]` where `conditions[i]`, over the shortest length.
    pub fn replace[T: Copy](conditions: &[bool], values: &[T], results: &mut [T]) {
        for ((result, &condition), &value) in results.iter_mut().zip(conditions).zip(values) {
            *result = select_unpredictable(condition, value, *result);
        }
    }

    /// Unpacks bits, lowest first, into truth values.
    pub fn unpack[](words: &[u64], values: &mut [bool]) {
        for (chunk, &word) in values.chunks_mut(64).zip(words) {
            for (position, value) in chunk.iter_mut().enumerate() {
                *value = word >> position & 1 == 1;
            }
        }
    }
}

/// Packs truth values into bits, lowest first; bits past the end are zero.
///
/// # Panics
/// If the words hold fewer bits.
pub fn pack(values: &[bool], words: &mut [u64]) {
    pack_at(Level::current(), values, words);
}

fn pack_at(level: Level, values: &[bool], words: &mut [u64]) {
    assert!(words.len() * 64 >= values.len(), "{} words for {} values", words.len(), values.len());
    let (whole, rest) = values.as_chunks::<64>();
    match level.tier() {
        // SAFETY: a `Level` of this tier exists only where the machine was found to have AVX2.
        #[cfg(target_arch = "x86_64")]
        Tier::Avx2 | Tier::Avx512 => unsafe { pack_words(whole, words) },
        _ => words.iter_mut().zip(whole).for_each(|(word, chunk)| *word = packed(chunk)),
    }
    if !rest.is_empty() {
        words[whole.len()] = packed(rest);
    }
}

/// One bit for each of up to 64 values.
fn packed(values: &[bool]) -> u64 {
    let eights = values.chunks(8).enumerate().map(|(group, eight)| {
        let mut bytes = [0u8; 8];
        bytes.iter_mut().zip(eight).for_each(|(byte, &value)| *byte = u8::from(value));
        // The product moves the low bit of byte `i` to bit `56 + i`; no two partial products meet there.
        u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (group * 8)
    });
    eights.fold(0, |word, bits| word | bits)
}

/// The sign bits of 32 bytes are one instruction.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn pack_words(chunks: &[[bool; 64]], words: &mut [u64]) {
    use std::arch::x86_64::{_mm256_loadu_si256, _mm256_movemask_epi8, _mm256_slli_epi16};
    for (word, chunk) in words.iter_mut().zip(chunks) {
        let half = |start: usize| {
            // SAFETY: 32 bytes from place 0 or 32 of 64.
            let bytes = unsafe { _mm256_loadu_si256(chunk.as_ptr().add(start).cast()) };
            // A truth value is 0 or 1: its lowest bit becomes the highest of its byte.
            u64::from(_mm256_movemask_epi8(_mm256_slli_epi16::<7>(bytes)) as u32)
        };
        *word = half(0) | half(32) << 32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_and_unpacking_are_inverse_at_every_length() {
        for length in 0..200usize {
            let values: Vec<bool> = (0..length).map(|i| i * i % 7 < 3).collect();
            let mut words = vec![u64::MAX; length.div_ceil(64)];
            for level in Level::available() {
                words.fill(u64::MAX);
                pack_at(level, &values, &mut words);
                for (i, &value) in values.iter().enumerate() {
                    assert_eq!(words[i / 64] >> (i % 64) & 1 == 1, value, "bit {i} of {length}, {level}");
                }
            }
            if length % 64 != 0 {
                assert_eq!(words[length / 64] >> (length % 64), 0, "bits past {length}");
            }
            let mut back = vec![false; length];
            unpack(&words, &mut back);
            assert_eq!(back, values);
        }
    }

    #[test]
    fn loops_stop_at_the_shortest_slice() {
        let mut results = [0i64; 3];
        binary(&|a: i64, b: i64| a + b, &[1, 2, 3, 4], &[10, 20], &mut results);
        assert_eq!(results, [11, 22, 0]);
        assert!(overflowing(&i64::overflowing_add, &[i64::MAX], &[1], &mut results));
        select(&[true, false, true], &[1, 2, 3], &[4, 5, 6], &mut results);
        assert_eq!(results, [1, 5, 3]);
    }
}

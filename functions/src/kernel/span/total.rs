//! Exact sums and extremes of spans of whole numbers.
//!
//! The sum of a short span is the difference of two running totals, so there is no loop whose end has to be foreseen for
//! each span: a third less time for lists of twenty elements.

use super::masked::{Masked, Sums};
use super::{Span, Stretches, elements};
use crate::kernel::level::Level;
use crate::kernel::prefetch::{helps_over_lists, look_at};

/// Elements whose running totals are held at once, in half of the first-level cache.
const BLOCK: usize = 2048;
/// Elements between two spans that are summed up with them.
const GAP_MAX: u32 = 8;
/// Fewer spans, such as the one of a single row, are not worth the room for totals.
const TOTALED_MIN: usize = 16;
/// Numbers of fewer bits than this, besides the sign, have totals of 64 bits over a block.
const SUMMED_BITS: u32 = i64::BITS - 1 - BLOCK.trailing_zeros();

/// The low half of a word.
const LOW: i64 = 0xffff_ffff;

/// The exact sum of up to 2^31 numbers, by the halves of their words, which no such sum leaves.
#[inline(always)]
fn sum_of<T: Copy + Into<i64>>(elements: &[T]) -> i128 {
    let (low, high) = elements.iter().fold((0i64, 0i64), |(low, high), &value| {
        let value: i64 = value.into();
        (low + (value & LOW), high + (value >> 32))
    });
    (i128::from(high) << 32) + i128::from(low)
}

/// How many spans from the first on follow one another in a block that starts at `first`, and where they end.
#[inline(always)]
fn block_of(spans: &[Span], first: u32) -> (usize, u32) {
    let mut last = first;
    for (count, &(start, end)) in spans.iter().enumerate() {
        let follows = start >= last && start - last <= GAP_MAX && (end - first) as usize <= BLOCK;
        if !follows {
            return (count, last);
        }
        last = end;
    }
    (spans.len(), last)
}

/// Writes the sums of all spans, those that lie in one block of elements together.
#[inline(always)]
fn sum_spans<T: Copy + Into<i64>>(values: &[T], spans: &[Span], sums: &mut [i128]) {
    if spans.len() < TOTALED_MIN {
        sums.iter_mut().zip(spans).for_each(|(sum, &span)| *sum = sum_of(elements(values, span)));
        return;
    }
    let mut totals = [0i64; BLOCK + 1];
    let (mut spans, mut sums) = (spans, sums);
    while let Some(&(first, _)) = spans.first() {
        let (count, last) = block_of(spans, first);
        let (own, others) = spans.split_at(count.max(1));
        let (results, rest) = std::mem::take(&mut sums).split_at_mut(own.len());
        // The first total is that of no elements.
        let (mut total, mut bits) = (0i64, 0i64);
        for (place, &value) in totals[1..].iter_mut().zip(elements(values, (first, last))) {
            let value: i64 = value.into();
            total = total.wrapping_add(value);
            bits |= value ^ (value >> 63);
            *place = total;
        }
        if count > 0 && bits >> SUMMED_BITS == 0 {
            for (sum, &(start, end)) in results.iter_mut().zip(own) {
                let at = |place: u32| totals[((place - first) as usize).min(BLOCK)];
                *sum = i128::from(at(end).wrapping_sub(at(start)));
            }
        } else {
            for (sum, &span) in results.iter_mut().zip(own) {
                *sum = sum_of(elements(values, span));
            }
        }
        (spans, sums) = (others, rest);
    }
}

/// Writes the least number of each span by a loop over its elements.
#[inline(always)]
fn least_spans<T: Copy + Ord>(values: &[T], spans: &[Span], results: &mut [T], greatest: T) {
    for (result, &span) in results.iter_mut().zip(spans) {
        *result = elements(values, span).iter().fold(greatest, |least, &value| least.min(value));
    }
}

/// Writes the greatest number of each span by a loop over its elements.
#[inline(always)]
fn greatest_spans<T: Copy + Ord>(values: &[T], spans: &[Span], results: &mut [T], least: T) {
    for (result, &span) in results.iter_mut().zip(spans) {
        *result = elements(values, span).iter().fold(least, |greatest, &value| greatest.max(value));
    }
}

/// Whole numbers with totals.
pub trait Totaled: Copy + Into<i64> + Masked {
    /// [`sum`] without masked vectors.
    fn sum_loop(level: Level, values: &[Self], spans: &[Span], sums: &mut [i128]);
    /// [`least`] without masked vectors.
    fn least_loop(level: Level, values: &[Self], spans: &[Span], results: &mut [Self]);
    /// [`greatest`] without masked vectors.
    fn greatest_loop(level: Level, values: &[Self], spans: &[Span], results: &mut [Self]);
}

macro_rules! totaled {
    ($($number:ident: $sum:ident / $sum_at:ident, $least:ident / $least_at:ident, $greatest:ident / $greatest_at:ident;)*) => {$(
        at_each_level! {
            /// Writes the exact sum of each span, by running totals.
            pub fn $sum / $sum_at(values: &[$number], spans: &[Span], sums: &mut [i128]) {
                sum_spans(values, spans, sums);
            }
            /// Writes the least number of each span, by a loop over its elements.
            pub fn $least / $least_at(values: &[$number], spans: &[Span], results: &mut [$number]) {
                least_spans(values, spans, results, $number::MAX);
            }
            /// Writes the greatest number of each span, by a loop over its elements.
            pub fn $greatest / $greatest_at(values: &[$number], spans: &[Span], results: &mut [$number]) {
                greatest_spans(values, spans, results, $number::MIN);
            }
        }

        impl Totaled for $number {
            fn sum_loop(level: Level, values: &[Self], spans: &[Span], sums: &mut [i128]) {
                $sum_at(level, values, spans, sums);
            }
            fn least_loop(level: Level, values: &[Self], spans: &[Span], results: &mut [Self]) {
                $least_at(level, values, spans, results);
            }
            fn greatest_loop(level: Level, values: &[Self], spans: &[Span], results: &mut [Self]) {
                $greatest_at(level, values, spans, results);
            }
        }
    )*};
}
// One arm expands to the loops of one type at each level, and the impl that names them.
totaled! {
    i32: sum_i32 / sum_i32_at, least_i32 / least_i32_at, greatest_i32 / greatest_i32_at;
    i64: sum_i64 / sum_i64_at, least_i64 / least_i64_at, greatest_i64 / greatest_i64_at;
}

/// Spans that are taken at once: what is known of them stays in the first-level cache until their totals are written.
const HELD: usize = 256;

/// Hands the exact sums of [`HELD`] spans after others to `give`: as words where all of them fit, and else at full width.
fn sums_in_parts<T: Totaled>(
    level: Level,
    values: &[T],
    spans: Stretches<'_>,
    mut give: impl FnMut(usize, Result<&[i64], &[i128]>),
) {
    let (mut words, mut wide, mut room) = ([0i64; HELD], [0i128; HELD], [(0, 0); HELD]);
    // Numbers below zero are seldom alone: after the first, all others are expected to have a sign.
    let mut signed = false;
    look_at_first(values, spans);
    for (first, spans) in spans.parts(HELD) {
        let (words, wide) = (&mut words[..spans.len()], &mut wide[..spans.len()]);
        let mut told = T::sums(level, values, spans, signed, words);
        if told == Some(Sums::Unsure) && !signed {
            signed = true;
            told = T::sums(level, values, spans, signed, words);
        }
        let sums = match told {
            Some(Sums::Exact) => Ok(&*words),
            Some(Sums::Unsure) => {
                let spans = spans.spans_in(&mut room);
                wide.iter_mut().zip(spans).for_each(|(sum, &span)| *sum = sum_of(elements(values, span)));
                Err(&*wide)
            }
            None => {
                T::sum_loop(level, values, spans.spans_in(&mut room), wide);
                Err(&*wide)
            }
        };
        give(first, sums);
    }
}

/// Asks for the values that the kernels do not look ahead for.
fn look_at_first<T>(values: &[T], spans: Stretches<'_>) {
    if let Some((start, end)) = spans.ends().filter(|_| helps_over_lists()) {
        look_at(&values[..end.min(values.len())], start);
    }
}

/// Writes the exact sum of each span, 0 for an empty one.
///
/// # Panics
/// If a span does not lie inside the values, as in all functions of this module.
pub fn sum<T: Totaled>(level: Level, values: &[T], spans: Stretches<'_>, sums: &mut [i128]) {
    sums_in_parts(level, values, spans, |first, part| match part {
        Ok(words) => sums[first..].iter_mut().zip(words).for_each(|(sum, &word)| *sum = i128::from(word)),
        Err(wide) => sums[first..][..wide.len()].copy_from_slice(wide),
    });
}

/// Writes the double next to each span's exact sum, divided by its length; NaN for an empty one.
///
/// # Panics
/// As [`sum`].
pub fn mean<T: Totaled>(level: Level, values: &[T], spans: Stretches<'_>, means: &mut [f64]) {
    let mut room = [(0, 0); HELD];
    sums_in_parts(level, values, spans, |first, part| {
        let count = part.map_or_else(<[_]>::len, <[_]>::len);
        let means = &mut means[first..first + count];
        let spans = spans.part(first..first + count).spans_in(&mut room);
        match part {
            Ok(words) => means_of_words_at(level, words, spans, means),
            Err(wide) => {
                let lengths = spans.iter().map(|(start, end)| f64::from(end - start));
                means
                    .iter_mut()
                    .zip(wide)
                    .zip(lengths)
                    .for_each(|((mean, &sum), count)| *mean = sum as f64 / count);
            }
        }
    });
}

at_each_level! {
    /// Writes sums divided by the lengths of their spans.
    pub fn means_of_words / means_of_words_at(sums: &[i64], spans: &[Span], means: &mut [f64]) {
        let lengths = spans.iter().map(|(start, end)| f64::from(end - start));
        means.iter_mut().zip(sums).zip(lengths).for_each(|((mean, &sum), count)| *mean = sum as f64 / count);
    }
}

/// Writes the least number of each span, and of an empty one the greatest there is.
///
/// # Panics
/// As [`sum`].
pub fn least<T: Totaled>(level: Level, values: &[T], spans: Stretches<'_>, results: &mut [T]) {
    look_at_first(values, spans);
    if !T::least(level, values, spans, results) {
        in_parts(spans, results, |spans, results| T::least_loop(level, values, spans, results));
    }
}

/// Writes the greatest number of each span, and of an empty one the least there is.
///
/// # Panics
/// As [`sum`].
pub fn greatest<T: Totaled>(level: Level, values: &[T], spans: Stretches<'_>, results: &mut [T]) {
    look_at_first(values, spans);
    if !T::greatest(level, values, spans, results) {
        in_parts(spans, results, |spans, results| T::greatest_loop(level, values, spans, results));
    }
}

/// Lets `write` write the results of [`HELD`] spans after others.
fn in_parts<T>(spans: Stretches<'_>, results: &mut [T], mut write: impl FnMut(&[Span], &mut [T])) {
    let mut room = [(0, 0); HELD];
    for (first, spans) in spans.parts(HELD) {
        write(spans.spans_in(&mut room), &mut results[first..first + spans.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::stretches;
    use super::*;

    /// All totals of some spans at every level, against plain loops; those of the lists between the ends of the spans besides.
    fn check<T: Totaled + Ord + Default + std::fmt::Debug>(values: &[T], spans: &[Span], ends: [T; 2]) {
        let mut offsets: Vec<i32> = spans.iter().map(|&(_, end)| end as i32).collect();
        offsets.sort_unstable();
        let between: Vec<Span> = stretches::adjoining(&offsets).collect();
        check_stretches(values, Stretches::Scattered(spans), spans, ends);
        check_stretches(values, Stretches::Adjoining(&offsets), &between, ends);
    }

    fn check_stretches<T: Totaled + Ord + Default + std::fmt::Debug>(
        values: &[T],
        stretches: Stretches<'_>,
        spans: &[Span],
        ends: [T; 2],
    ) {
        for level in Level::available() {
            let (mut sums, mut means) = (vec![1; spans.len()], vec![1.0; spans.len()]);
            let (mut smallest, mut largest) =
                (vec![T::default(); spans.len()], vec![T::default(); spans.len()]);
            sum(level, values, stretches, &mut sums);
            mean(level, values, stretches, &mut means);
            least(level, values, stretches, &mut smallest);
            greatest(level, values, stretches, &mut largest);
            for (at, &span) in spans.iter().enumerate() {
                let own = elements(values, span);
                let expected: i128 = own.iter().map(|&value| i128::from(value.into())).sum();
                assert_eq!(sums[at], expected, "{level}, {span:?}");
                let expected = expected as f64 / own.len() as f64;
                assert_eq!(means[at].to_bits(), expected.to_bits(), "{level}, {span:?}");
                assert_eq!(smallest[at], own.iter().copied().min().unwrap_or(ends[1]), "{level}, {span:?}");
                assert_eq!(largest[at], own.iter().copied().max().unwrap_or(ends[0]), "{level}, {span:?}");
            }
        }
    }

    #[test]
    fn totals_are_those_of_a_plain_loop_at_every_level() {
        let values: Vec<i64> =
            (0..200i64).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15u64 as i64)).collect();
        let narrow: Vec<i32> = values.iter().map(|&value| value as i32).collect();
        let mut spans: Vec<Span> = vec![(0, 0), (0, 1), (3, 20), (7, 107), (0, 200), (200, 200)];
        spans.extend((0..100).map(|length| (200 - length, 200)));
        check(&values, &spans, [i64::MIN, i64::MAX]);
        check(&narrow, &spans, [i32::MIN, i32::MAX]);
        check(&narrow[..0], &[(0, 0)], [i32::MIN, i32::MAX]);
    }

    #[test]
    fn sums_of_short_long_and_scattered_spans_are_exact_at_every_level() {
        // Numbers of 52 and of 53 bits, on both sides of what a block sums up in 64, and those whose sums of 9,000 do not fit.
        for bits in [10, 48, 49, 50, SUMMED_BITS, SUMMED_BITS + 1, 63] {
            let minimum = -(1i128 << bits) as i64;
            let values: Vec<i64> =
                (0..9000i64).map(|at| if at % 7 == 0 { minimum } else { -1 - minimum }).collect();
            let mut spans: Vec<Span> = (0..300u32).map(|at| (at * 20, at * 20 + at % 41)).collect();
            spans.extend([(6000, 8048), (6000, 8049), (0, 9000), (5, 5), (8999, 9000), (9000, 9000)]);
            spans.extend((0..100u32).rev().map(|at| (at * 31, at * 31 + 17)));
            spans.extend([(0, 2048), (0, 2047), (2047, 2048)]);
            check(&values, &spans, [i64::MIN, i64::MAX]);
        }
    }

    #[test]
    fn sums_beyond_64_bits_are_exact() {
        for level in Level::available() {
            let mut sums = [0];
            for length in [1, 2, 50] {
                sum(level, &[i64::MAX; 50], Stretches::Scattered(&[(0, length)]), &mut sums);
                assert_eq!(sums[0], i128::from(length) * i128::from(i64::MAX));
                sum(level, &[i64::MIN; 50], Stretches::Scattered(&[(0, length)]), &mut sums);
                assert_eq!(sums[0], i128::from(length) * i128::from(i64::MIN));
            }
        }
    }
}

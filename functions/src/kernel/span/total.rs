//! Exact sums and extremes of spans of whole numbers.
//!
//! The sum of a short span is the difference of two running totals, so there is no loop whose end has to be foreseen for
//! each span: a third less time for lists of twenty elements.

use super::{Span, elements};

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

at_each_level! {
    /// Writes the exact sum of each span, 0 for an empty one.
    ///
    /// # Panics
    /// If a span does not lie inside the values, as in all functions of this module.
    pub fn sum_i64 / sum_i64_at(values: &[i64], spans: &[Span], sums: &mut [i128]) {
        sum_spans(values, spans, sums);
    }

    /// As [`sum_i64`], for numbers of 32 bits.
    pub fn sum_i32 / sum_i32_at(values: &[i32], spans: &[Span], sums: &mut [i128]) {
        sum_spans(values, spans, sums);
    }

    /// Writes the least number of each span, and of an empty one the greatest there is.
    pub fn least_i64 / least_i64_at(values: &[i64], spans: &[Span], results: &mut [i64]) {
        for (result, &span) in results.iter_mut().zip(spans) {
            *result = elements(values, span).iter().fold(i64::MAX, |least, &value| least.min(value));
        }
    }

    /// Writes the greatest number of each span, and of an empty one the least there is.
    pub fn greatest_i64 / greatest_i64_at(values: &[i64], spans: &[Span], results: &mut [i64]) {
        for (result, &span) in results.iter_mut().zip(spans) {
            *result = elements(values, span).iter().fold(i64::MIN, |greatest, &value| greatest.max(value));
        }
    }

    /// As [`least_i64`], for numbers of 32 bits.
    pub fn least_i32 / least_i32_at(values: &[i32], spans: &[Span], results: &mut [i32]) {
        for (result, &span) in results.iter_mut().zip(spans) {
            *result = elements(values, span).iter().fold(i32::MAX, |least, &value| least.min(value));
        }
    }

    /// As [`greatest_i64`], for numbers of 32 bits.
    pub fn greatest_i32 / greatest_i32_at(values: &[i32], spans: &[Span], results: &mut [i32]) {
        for (result, &span) in results.iter_mut().zip(spans) {
            *result = elements(values, span).iter().fold(i32::MIN, |greatest, &value| greatest.max(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn totals_are_those_of_a_plain_loop_at_every_level() {
        let values: Vec<i64> =
            (0..200i64).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15u64 as i64)).collect();
        let narrow: Vec<i32> = values.iter().map(|&value| value as i32).collect();
        let spans: Vec<Span> = vec![(0, 0), (0, 1), (3, 20), (7, 107), (0, 200), (200, 200)];
        for level in Level::available() {
            let mut sums = vec![1; spans.len()];
            sum_i64_at(level, &values, &spans, &mut sums);
            let expected =
                |span: &Span| elements(&values, *span).iter().map(|&value| i128::from(value)).sum();
            assert!(sums.iter().copied().eq(spans.iter().map(expected)), "{level}");
            sum_i32_at(level, &narrow, &spans, &mut sums);
            let expected =
                |span: &Span| elements(&narrow, *span).iter().map(|&value| i128::from(value)).sum();
            assert!(sums.iter().copied().eq(spans.iter().map(expected)), "{level}");
            let mut results = vec![0; spans.len()];
            least_i64_at(level, &values, &spans, &mut results);
            assert!(results.iter().zip(&spans).all(|(&result, &span)| {
                result == elements(&values, span).iter().copied().min().unwrap_or(i64::MAX)
            }));
            greatest_i64_at(level, &values, &spans, &mut results);
            assert!(results.iter().zip(&spans).all(|(&result, &span)| {
                result == elements(&values, span).iter().copied().max().unwrap_or(i64::MIN)
            }));
            let mut results = vec![0; spans.len()];
            least_i32_at(level, &narrow, &spans, &mut results);
            assert!(results.iter().zip(&spans).all(|(&result, &span)| {
                result == elements(&narrow, span).iter().copied().min().unwrap_or(i32::MAX)
            }));
            greatest_i32_at(level, &narrow, &spans, &mut results);
            assert!(results.iter().zip(&spans).all(|(&result, &span)| {
                result == elements(&narrow, span).iter().copied().max().unwrap_or(i32::MIN)
            }));
        }
    }

    #[test]
    fn sums_of_short_long_and_scattered_spans_are_exact_at_every_level() {
        // Numbers of 52 and of 53 bits, on both sides of what a block sums up in 64.
        for bits in [10, SUMMED_BITS, SUMMED_BITS + 1, 63] {
            let least = -(1i128 << bits) as i64;
            let values: Vec<i64> =
                (0..9000i64).map(|at| if at % 7 == 0 { least } else { -1 - least }).collect();
            let mut spans: Vec<Span> = (0..300u32).map(|at| (at * 20, at * 20 + at % 41)).collect();
            spans.extend([(6000, 8048), (6000, 8049), (0, 9000), (5, 5), (8999, 9000), (9000, 9000)]);
            spans.extend((0..100u32).rev().map(|at| (at * 31, at * 31 + 17)));
            spans.extend([(0, 2048), (0, 2047), (2047, 2048)]);
            for level in Level::available() {
                let mut sums = vec![1; spans.len()];
                sum_i64_at(level, &values, &spans, &mut sums);
                for (&sum, &span) in sums.iter().zip(&spans) {
                    let expected: i128 = elements(&values, span).iter().map(|&value| i128::from(value)).sum();
                    assert_eq!(sum, expected, "{level}, {bits} bits, {span:?}");
                }
            }
        }
    }

    #[test]
    fn sums_beyond_64_bits_are_exact() {
        let mut sums = [0];
        sum_i64(&[i64::MAX; 50], &[(0, 50)], &mut sums);
        assert_eq!(sums[0], 50 * i128::from(i64::MAX));
        sum_i64(&[i64::MIN; 50], &[(0, 50)], &mut sums);
        assert_eq!(sums[0], 50 * i128::from(i64::MIN));
    }
}

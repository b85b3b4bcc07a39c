//! Exact sums and extremes of spans of whole numbers.

use super::{Span, elements};

/// The low half of a word.
const LOW: i64 = 0xffff_ffff;

/// The exact sum of up to 2^31 numbers, by the halves of their words, which no such sum leaves.
#[inline(always)]
fn sum_wide(values: &[i64]) -> i128 {
    let (low, high) =
        values.iter().fold((0i64, 0i64), |(low, high), &value| (low + (value & LOW), high + (value >> 32)));
    (i128::from(high) << 32) + i128::from(low)
}

at_each_level! {
    /// Writes the exact sum of each span, 0 for an empty one.
    ///
    /// # Panics
    /// If a span does not lie inside the values, as in all functions of this module.
    pub fn sum_i64 / sum_i64_at(values: &[i64], spans: &[Span], sums: &mut [i128]) {
        for (sum, &span) in sums.iter_mut().zip(spans) {
            *sum = sum_wide(elements(values, span));
        }
    }

    /// As [`sum_i64`], for numbers of 32 bits.
    pub fn sum_i32 / sum_i32_at(values: &[i32], spans: &[Span], sums: &mut [i128]) {
        for (sum, &span) in sums.iter_mut().zip(spans) {
            let total: i64 = elements(values, span).iter().map(|&value| i64::from(value)).sum();
            *sum = i128::from(total);
        }
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
    fn sums_beyond_64_bits_are_exact() {
        let mut sums = [0];
        sum_i64(&[i64::MAX; 50], &[(0, 50)], &mut sums);
        assert_eq!(sums[0], 50 * i128::from(i64::MAX));
        sum_i64(&[i64::MIN; 50], &[(0, 50)], &mut sums);
        assert_eq!(sums[0], 50 * i128::from(i64::MIN));
    }
}

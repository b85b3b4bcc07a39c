//! Products and distances of many pairs of vectors in one loop.
//!
//! Each result has the bits of the function of one pair. A column of embeddings is read once, at the speed of memory: the
//! loop over the rows stands inside the code for a CPU level, so that the loads of a row overlap the sums of the
//! row before. Nothing is asked for ahead: the machine looks ahead by itself, and requests of ours took a tenth to a quarter of the speed.

use half::f16;

use super::half_float::widen_half;
use crate::kernel::embedding::cosine_of_sums;
use crate::kernel::lane_total::{Lanes, Line, stored, totals};
use crate::kernel::level::{Level, Tier};

/// The vectors of one side of the pairs.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a, T> {
    values: &'a [T],
    /// Elements from one row's vector to the next one's.
    step: usize,
}

impl<'a, T> Side<'a, T> {
    /// Vectors of one dimension that adjoin, the first row's first.
    pub fn adjoining(values: &'a [T], dimension: usize) -> Self {
        Self { values, step: dimension }
    }

    /// One vector for all rows.
    pub fn same(vector: &'a [T]) -> Self {
        Self { values: vector, step: 0 }
    }

    #[inline(always)]
    fn vector(self, row: usize, dimension: usize) -> &'a [T]
    where
        T: Copy,
    {
        let start = row * self.step;
        &self.values[start..start + dimension]
    }
}

/// The level that measures these sides fastest: two columns are read from memory a tenth to a third faster by loads of 32 bytes than by
/// those of a whole line, and in the caches as fast. Halves have more to compute, for which the widest registers are best.
pub fn level_of<T>(left: Side<'_, T>, right: Side<'_, T>) -> Level {
    let reads_two = left.step != 0 && right.step != 0 && size_of::<T>() > size_of::<f16>();
    Level::current().at_most(if reads_two { Tier::Avx2 } else { Tier::Avx512 })
}

/// Sums of the terms of the pairs of some rows, in lanes: element i of a row goes to its lane i modulo their number.
#[inline(always)]
fn sum_pairs<T, W, const LANES: usize, const SUMS: usize, const ROWS: usize>(
    left: Side<'_, T>,
    right: Side<'_, T>,
    rows: [usize; ROWS],
    dimension: usize,
    terms: impl Fn(T, T) -> [W; SUMS],
) -> Line<[[[W; LANES]; SUMS]; ROWS]>
where
    T: Copy,
    W: Copy + Default + std::ops::Add<Output = W>,
{
    let blocks = dimension / LANES;
    let lefts = rows.map(|row| left.vector(row, dimension).as_chunks::<LANES>());
    let rights = rows.map(|row| right.vector(row, dimension).as_chunks::<LANES>());
    let (left_blocks, right_blocks) =
        (lefts.map(|(all, _)| &all[..blocks]), rights.map(|(all, _)| &all[..blocks]));
    let mut sums = [[[W::default(); LANES]; SUMS]; ROWS];
    for block in 0..blocks {
        for (row, sums) in sums.iter_mut().enumerate() {
            for (lane, (&a, &b)) in left_blocks[row][block].iter().zip(&right_blocks[row][block]).enumerate()
            {
                for (sums, term) in sums.iter_mut().zip(terms(a, b)) {
                    sums[lane] = sums[lane] + term;
                }
            }
        }
    }
    let mut lanes = stored(sums);
    for ((lanes, (_, left_rest)), (_, right_rest)) in lanes.0.iter_mut().zip(lefts).zip(rights) {
        for (lane, (&a, &b)) in left_rest.iter().zip(right_rest).enumerate() {
            for (lanes, term) in lanes.iter_mut().zip(terms(a, b)) {
                lanes[lane] = lanes[lane] + term;
            }
        }
    }
    lanes
}

/// Rows whose results are made together, from sums that are held until then.
const HELD: usize = 64;

/// Writes the results of rows that lie as far apart as their results do, one of each set at a time, from the sums of their pairs.
#[inline(always)]
fn measure_sets<T, W, const LANES: usize, const SUMS: usize, const SETS: usize>(
    left: Side<'_, T>,
    right: Side<'_, T>,
    dimension: usize,
    starts: [usize; SETS],
    mut results: [&mut [W]; SETS],
    terms: impl Fn(T, T) -> [W; SUMS] + Copy,
    result_of: impl Fn([W; SUMS]) -> W,
) where
    T: Copy,
    W: Copy + Default + std::ops::Add<Output = W>,
    [W; LANES]: Lanes<Number = W>,
{
    let rows = results.first().map_or(0, |results| results.len());
    let mut held = [[[W::default(); SUMS]; HELD]; SETS];
    for first in (0..rows).step_by(HELD) {
        let count = HELD.min(rows - first);
        for at in 0..count {
            let rows = starts.map(|start| start + first + at);
            let sums = sum_pairs::<T, W, LANES, SUMS, SETS>(left, right, rows, dimension, terms);
            for (held, lanes) in held.iter_mut().zip(&sums.0) {
                held[at] = totals(lanes);
            }
        }
        for (results, held) in results.iter_mut().zip(&held) {
            for (result, &sums) in results[first..first + count].iter_mut().zip(&held[..count]) {
                *result = result_of(sums);
            }
        }
    }
}

/// Writes the result of each row from the sums of its pairs, which `terms` gives for a pair of elements.
///
/// Where all rows share a vector, two rows that lie far apart are summed in one loop: memory is read a tenth to a half faster
/// from two places than from one, and the sums of one row fill the time in which those of the other are added up. Pairs of
/// two columns are read from two places as it is.
#[inline(always)]
fn measure_rows<T, W, const LANES: usize, const SUMS: usize>(
    left: Side<'_, T>,
    right: Side<'_, T>,
    dimension: usize,
    results: &mut [W],
    terms: impl Fn(T, T) -> [W; SUMS] + Copy,
    result_of: impl Fn([W; SUMS]) -> W + Copy,
) where
    T: Copy,
    W: Copy + Default + std::ops::Add<Output = W>,
    [W; LANES]: Lanes<Number = W>,
{
    if let [result] = results {
        let lanes = sum_pairs::<T, W, LANES, SUMS, 1>(left, right, [0], dimension, terms);
        *result = result_of(totals(&lanes.0[0]));
        return;
    }
    let half = if left.step == 0 || right.step == 0 { results.len() / 2 } else { 0 };
    let (near, others) = results.split_at_mut(half);
    let (far, rest) = others.split_at_mut(half);
    if half > 0 {
        let sets = [near, far];
        measure_sets::<T, W, LANES, SUMS, 2>(left, right, dimension, [0, half], sets, terms, result_of);
    }
    if !rest.is_empty() {
        measure_sets::<T, W, LANES, SUMS, 1>(left, right, dimension, [2 * half], [rest], terms, result_of);
    }
}

/// Declares the functions of one element type.
macro_rules! row_measures {
    ($element:ty, $wide:ty, $lanes:expr, $widen:expr, $dot:ident, $dot_at:ident, $l2:ident, $l2_at:ident,
     $l1:ident, $l1_at:ident, $cosine:ident, $cosine_at:ident) => {
        at_each_level! {
            /// Writes the dot product of each pair.
            ///
            /// # Panics
            /// If a side holds fewer vectors than there are results.
            pub fn $dot / $dot_at(left: Side<'_, $element>, right: Side<'_, $element>, dimension: usize, results: &mut [$wide]) {
                let term = |a, b| [$widen(a) * $widen(b)];
                measure_rows::<$element, $wide, $lanes, 1>(left, right, dimension, results, term, |[sum]| sum);
            }

            /// Writes the Euclidean distance of each pair.
            ///
            /// # Panics
            /// If a side holds fewer vectors than there are results.
            pub fn $l2 / $l2_at(left: Side<'_, $element>, right: Side<'_, $element>, dimension: usize, results: &mut [$wide]) {
                let term = |a, b| {
                    let difference = $widen(a) - $widen(b);
                    [difference * difference]
                };
                measure_rows::<$element, $wide, $lanes, 1>(left, right, dimension, results, term, |[sum]| sum.sqrt());
            }

            /// Writes the sum of the differences of each pair.
            ///
            /// # Panics
            /// If a side holds fewer vectors than there are results.
            pub fn $l1 / $l1_at(left: Side<'_, $element>, right: Side<'_, $element>, dimension: usize, results: &mut [$wide]) {
                let term = |a, b| {
                    let difference: $wide = $widen(a) - $widen(b);
                    [difference.abs()]
                };
                measure_rows::<$element, $wide, $lanes, 1>(left, right, dimension, results, term, |[sum]| sum);
            }

            /// Writes the cosine of each pair, as [`cosine_of_sums`] has it.
            ///
            /// # Panics
            /// If a side holds fewer vectors than there are results.
            pub fn $cosine / $cosine_at(left: Side<'_, $element>, right: Side<'_, $element>, dimension: usize, results: &mut [$wide]) {
                // The cosine has the same bits either way around, so the vector that all rows share is the right one.
                let (left, right) = if left.step == 0 { (right, left) } else { (left, right) };
                if right.step == 0 && !results.is_empty() {
                    let square = |a, b| [$widen(a) * $widen(b)];
                    let squares = sum_pairs::<$element, $wide, $lanes, 1, 1>(right, right, [0], dimension, square);
                    let right_square = f64::from(squares.0[0][0].total());
                    let terms = |a, b| [$widen(a) * $widen(b), $widen(a) * $widen(a)];
                    let cosine = |sums: [$wide; 2]| {
                        let [product, left_square] = sums.map(f64::from);
                        cosine_of_sums(product, left_square, right_square) as $wide
                    };
                    measure_rows::<$element, $wide, $lanes, 2>(left, right, dimension, results, terms, cosine);
                    return;
                }
                let terms = |a, b| {
                    let (a, b) = ($widen(a), $widen(b));
                    [a * b, a * a, b * b]
                };
                let cosine = |sums: [$wide; 3]| {
                    let [product, left_square, right_square] = sums.map(f64::from);
                    cosine_of_sums(product, left_square, right_square) as $wide
                };
                measure_rows::<$element, $wide, $lanes, 3>(left, right, dimension, results, terms, cosine);
            }
        }
    };
}

row_measures!(
    f32,
    f32,
    32,
    std::convert::identity,
    dot_f32,
    dot_f32_at,
    l2_f32,
    l2_f32_at,
    l1_f32,
    l1_f32_at,
    cosine_f32,
    cosine_f32_at
);
row_measures!(
    f64,
    f64,
    16,
    std::convert::identity,
    dot_f64,
    dot_f64_at,
    l2_f64,
    l2_f64_at,
    l1_f64,
    l1_f64_at,
    cosine_f64,
    cosine_f64_at
);
row_measures!(
    f16,
    f32,
    32,
    widened,
    dot_f16,
    dot_f16_at,
    l2_f16,
    l2_f16_at,
    l1_f16,
    l1_f16_at,
    cosine_f16,
    cosine_f16_at
);

#[inline(always)]
fn widened(value: f16) -> f32 {
    widen_half(value.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{embedding, vector::half_measure};

    /// More than two halves of the rows that are held.
    const ROWS: usize = 2 * HELD + 7;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|index| ((index * 7919 + seed) % 2003) as f32 / 500.0 - 2.0).collect()
    }

    #[test]
    fn rows_have_the_bits_of_single_pairs_at_every_level() {
        for dimension in [1, 15, 16, 31, 32, 33, 100, 768] {
            let (left, right) = (values(ROWS * dimension, 1), values(ROWS * dimension, 77));
            let query = values(dimension, 5);
            let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
            let (left_wide, right_wide) = (wide(&left), wide(&right));
            for level in Level::available() {
                let mut results = [0.0; ROWS];
                let (a, b) = (Side::adjoining(&left, dimension), Side::adjoining(&right, dimension));
                let pair = |row: usize| {
                    let range = row * dimension..(row + 1) * dimension;
                    (&left[range.clone()], &right[range])
                };
                let check = |function: fn(&[f32], &[f32]) -> f32, results: &[f32]| {
                    for (row, result) in results.iter().enumerate() {
                        assert_eq!(result.to_bits(), function(pair(row).0, pair(row).1).to_bits());
                    }
                };
                dot_f32_at(level, a, b, dimension, &mut results);
                check(embedding::dot_f32, &results);
                l2_f32_at(level, a, b, dimension, &mut results);
                check(embedding::l2_f32, &results);
                l1_f32_at(level, a, b, dimension, &mut results);
                check(embedding::l1_f32, &results);
                cosine_f32_at(level, a, b, dimension, &mut results);
                check(embedding::cosine_f32, &results);
                let shared = Side::same(&query);
                dot_f32_at(level, a, shared, dimension, &mut results);
                assert!((0..ROWS).all(|row| results[row] == embedding::dot_f32(pair(row).0, &query)));
                for (left, right) in [(a, shared), (shared, a)] {
                    cosine_f32_at(level, left, right, dimension, &mut results);
                    let expected = |row: usize| embedding::cosine_f32(pair(row).0, &query);
                    assert!((0..ROWS).all(|row| results[row].to_bits() == expected(row).to_bits()));
                }
                let mut wide_results = [0.0; ROWS];
                let (a, b) =
                    (Side::adjoining(&left_wide, dimension), Side::adjoining(&right_wide, dimension));
                cosine_f64_at(level, a, b, dimension, &mut wide_results);
                let last = (ROWS - 1) * dimension..ROWS * dimension;
                let expected = embedding::cosine_f64(&left_wide[last.clone()], &right_wide[last]);
                assert_eq!(wide_results[ROWS - 1], expected);
            }
        }
    }

    #[test]
    fn rows_of_halves_have_the_bits_of_single_pairs() {
        let halves = |seed: usize| values(ROWS * 50, seed).into_iter().map(f16::from_f32).collect::<Vec<_>>();
        let (left, right) = (halves(3), halves(9));
        for level in Level::available() {
            let mut results = [0.0; ROWS];
            dot_f16_at(level, Side::adjoining(&left, 50), Side::adjoining(&right, 50), 50, &mut results);
            let pairs = left.chunks(50).zip(right.chunks(50));
            assert!(pairs.zip(results).all(|((a, b), result)| half_measure::dot_f16(a, b) == result));
        }
    }
}

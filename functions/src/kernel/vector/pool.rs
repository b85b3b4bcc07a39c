//! Pooling: several vectors of one dimension made one, element by element.
//!
//! Elements are combined in the order of the vectors, so a result has the bits of a plain loop. Halves are summed in
//! `f32` and rounded once.

use half::f16;

use super::half_float::{narrow_half, widen_half};
use crate::kernel::prefetch::prefetch;

/// Elements of a vector that are added before the next lines are asked for: a line of singles.
const PART: usize = 16;
/// Distance to look ahead in the values.
const AHEAD_BYTES: usize = 3072;

/// Vectors added in one pass over the sums, which are then read and written a quarter as often.
const TOGETHER: usize = 4;

/// Declares the sum of vectors of one element type.
macro_rules! sums {
    ($element:ty, $wide:ty, $widen:expr, $sum:ident, $sum_at:ident, $weighted:ident, $weighted_at:ident) => {
        at_each_level! {
            /// Adds the first `length` values, which are adjoining vectors of the dimension of `sums`, to it, the first
            /// vector first. The values behind them are those that will be asked for next.
            ///
            /// # Panics
            /// If the values are not whole vectors, or too few.
            pub fn $sum / $sum_at(around: &[$element], length: usize, sums: &mut [$wide]) {
                let vectors = &around[..length];
                let dimension = sums.len();
                if dimension == 0 {
                    return;
                }
                assert_eq!(vectors.len() % dimension, 0);
                let mut blocks = vectors.chunks_exact(dimension * TOGETHER);
                for (number, block) in blocks.by_ref().enumerate() {
                    let start = number * dimension * TOGETHER + AHEAD_BYTES / size_of::<$element>();
                    let (first, second) = block.split_at(dimension * 2);
                    let ((a, b), (c, d)) = (first.split_at(dimension), second.split_at(dimension));
                    for (part, sums) in sums.chunks_mut(PART).enumerate() {
                        let (from, to) = (part * PART, part * PART + sums.len());
                        (0..TOGETHER).for_each(|row| prefetch(around, start + row * dimension + from));
                        let rows = a[from..to].iter().zip(&b[from..to]).zip(&c[from..to]).zip(&d[from..to]);
                        for (sum, (((&a, &b), &c), &d)) in sums.iter_mut().zip(rows) {
                            *sum = *sum + $widen(a) + $widen(b) + $widen(c) + $widen(d);
                        }
                    }
                }
                for vector in blocks.remainder().chunks_exact(dimension) {
                    sums.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += $widen(value));
                }
            }

            /// Adds one vector times a weight.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $weighted / $weighted_at(vector: &[$element], weight: $wide, sums: &mut [$wide]) {
                assert_eq!(vector.len(), sums.len());
                sums.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += $widen(value) * weight);
            }
        }
    };
}

sums!(f32, f32, std::convert::identity, sum_f32, sum_f32_at, add_weighted_f32, add_weighted_f32_at);
sums!(f64, f64, std::convert::identity, sum_f64, sum_f64_at, add_weighted_f64, add_weighted_f64_at);
sums!(f16, f32, widened, sum_f16, sum_f16_at, add_weighted_f16, add_weighted_f16_at);

#[inline(always)]
fn widened(value: f16) -> f32 {
    widen_half(value.to_bits())
}

/// Declares the division of sums by a number, and the extremes.
macro_rules! rest {
    ($element:ty, $wide:ty, $widen:expr, $narrow:expr, $divide:ident, $divide_at:ident, $extreme:ident, $extreme_at:ident) => {
        at_each_level! {
            /// Writes each sum divided by `count`.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $divide / $divide_at(sums: &[$wide], count: $wide, output: &mut [$element]) {
                assert_eq!(sums.len(), output.len());
                output.iter_mut().zip(sums).for_each(|(result, &sum)| *result = $narrow(sum / count));
            }

            /// Takes a vector into the greatest elements so far, or into the least; NaN is greater than every number.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $extreme / $extreme_at(vector: &[$element], greatest: bool, held: &mut [$element]) {
                assert_eq!(vector.len(), held.len());
                if greatest {
                    for (held, &value) in held.iter_mut().zip(vector) {
                        let (wide, current) = ($widen(value), $widen(*held));
                        *held = if wide > current || wide.is_nan() { value } else { *held };
                    }
                } else {
                    for (held, &value) in held.iter_mut().zip(vector) {
                        let (wide, current) = ($widen(value), $widen(*held));
                        *held = if wide < current || current.is_nan() { value } else { *held };
                    }
                }
            }
        }
    };
}

rest!(
    f32,
    f32,
    std::convert::identity,
    std::convert::identity,
    divide_f32,
    divide_f32_at,
    extreme_f32,
    extreme_f32_at
);
rest!(
    f64,
    f64,
    std::convert::identity,
    std::convert::identity,
    divide_f64,
    divide_f64_at,
    extreme_f64,
    extreme_f64_at
);
rest!(f16, f32, widened, narrowed, divide_f16, divide_f16_at, extreme_f16, extreme_f16_at);

#[inline(always)]
fn narrowed(value: f32) -> f16 {
    f16::from_bits(narrow_half(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn sums_have_the_bits_of_a_plain_loop_at_every_level() {
        for dimension in [1, 3, 16, 33, 128] {
            for count in [0, 1, 3, 4, 5, 11] {
                let values: Vec<f32> =
                    (0..dimension * count).map(|index| (index as f32 * 0.731).sin() * 1e3).collect();
                let mut expected = vec![0.0f32; dimension];
                for vector in values.chunks_exact(dimension) {
                    expected.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
                }
                for level in Level::available() {
                    let mut sums = vec![0.0f32; dimension];
                    sum_f32_at(level, &values, values.len(), &mut sums);
                    assert_eq!(sums, expected, "{count} vectors of {dimension}");
                    let mut weighted = vec![0.0f32; dimension];
                    values
                        .chunks_exact(dimension)
                        .for_each(|vector| add_weighted_f32_at(level, vector, 1.0, &mut weighted));
                    assert_eq!(weighted, expected);
                }
            }
        }
    }

    #[test]
    fn nan_is_the_greatest_element() {
        for level in Level::available() {
            let mut greatest = vec![1.0f32, f32::NAN, 3.0, -0.0];
            extreme_f32_at(level, &[2.0, 1.0, f32::NAN, 0.0], true, &mut greatest);
            assert!(greatest[0] == 2.0 && greatest[1].is_nan() && greatest[2].is_nan());
            let mut least = vec![1.0f32, f32::NAN, 3.0, 5.0];
            extreme_f32_at(level, &[2.0, 1.0, f32::NAN, -7.0], false, &mut least);
            assert_eq!(least, [1.0, 1.0, 3.0, -7.0]);
        }
    }

    #[test]
    fn a_dimension_of_zero_has_no_elements() {
        sum_f32(&[], 0, &mut []);
    }
}

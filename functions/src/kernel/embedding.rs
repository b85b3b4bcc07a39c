//! Products, norms and distances of two vectors of equal length.
//!
//! Sums run in a fixed number of independent lanes: element i goes to lane i modulo the number of lanes, in order of i, and the
//! lanes are added pairwise in halves (0 with 8, 1 with 9, ... then 0 with 4, ...). The order is part of the
//! result and the same at every level, so bits do not depend on the CPU. `f32` sums are kept in `f32` lanes: for vectors of
//! some thousand elements the relative error of a sum of n non-negative terms is below (n / 32 + 6) 2^-24.
//!
//! Empty vectors: products, norms and distances are 0; the cosine is NaN, as for any zero vector.

use super::lane_total::{Lanes, stored, totals};

/// Lanes of an `f32` sum: two registers of 512 bits, so that additions overlap.
const LANES_F32: usize = 32;
/// Lanes of an `f64` sum.
const LANES_F64: usize = 16;

/// Declares `$name(left, right, term)`: the sum over all pairs of `term(left, right)` in fixed lanes.
macro_rules! lane_sum {
    ($name:ident, $float:ty, $lanes:expr) => {
        #[inline(always)]
        fn $name(left: &[$float], right: &[$float], term: impl Fn($float, $float) -> $float) -> $float {
            assert_eq!(left.len(), right.len());
            let mut lanes = [0.0; $lanes];
            let (mut left_blocks, mut right_blocks) = (left.chunks_exact($lanes), right.chunks_exact($lanes));
            for (left, right) in left_blocks.by_ref().zip(right_blocks.by_ref()) {
                for lane in 0..$lanes {
                    lanes[lane] += term(left[lane], right[lane]);
                }
            }
            let rest = left_blocks.remainder().iter().zip(right_blocks.remainder());
            for (lane, (&left, &right)) in lanes.iter_mut().zip(rest) {
                *lane += term(left, right);
            }
            stored(lanes).0.total()
        }
    };
}

lane_sum!(sum_f32, f32, LANES_F32);
lane_sum!(sum_f64, f64, LANES_F64);

/// Declares the functions of one float type.
macro_rules! vector_functions {
    (
        $float:ty, $sum:ident, $lanes:expr,
        $dot:ident, $dot_at:ident, $l2_squared:ident, $l2_squared_at:ident, $l1:ident, $l1_at:ident,
        $sums:ident, $sums_at:ident, $norm_squared:ident, $norm_squared_at:ident, $norm:ident, $l2:ident, $cosine:ident
    ) => {
        at_each_level! {
            /// The sum of `left[i] * right[i]`.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $dot / $dot_at(left: &[$float], right: &[$float]) -> $float {
                $sum(left, right, |left, right| left * right)
            }

            /// The sum of `(left[i] - right[i])^2`.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $l2_squared / $l2_squared_at(left: &[$float], right: &[$float]) -> $float {
                $sum(left, right, |left, right| (left - right) * (left - right))
            }

            /// The sum of `|left[i] - right[i]|`.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $l1 / $l1_at(left: &[$float], right: &[$float]) -> $float {
                $sum(left, right, |left, right| (left - right).abs())
            }

            /// The sum of `vector[i]^2`.
            pub fn $norm_squared / $norm_squared_at(vector: &[$float]) -> $float {
                $sum(vector, vector, |left, right| left * right)
            }

            /// The three sums of the cosine in one pass: of products, of squares of `left` and of squares of `right`;
            /// each has the bits of its own function.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $sums / $sums_at(left: &[$float], right: &[$float]) -> [$float; 3] {
                assert_eq!(left.len(), right.len());
                let mut lanes = [[0.0; $lanes]; 3];
                let (mut left_blocks, mut right_blocks) = (left.chunks_exact($lanes), right.chunks_exact($lanes));
                for (left, right) in left_blocks.by_ref().zip(right_blocks.by_ref()) {
                    for lane in 0..$lanes {
                        lanes[0][lane] += left[lane] * right[lane];
                        lanes[1][lane] += left[lane] * left[lane];
                        lanes[2][lane] += right[lane] * right[lane];
                    }
                }
                let rest = left_blocks.remainder().iter().zip(right_blocks.remainder());
                for (lane, (&left, &right)) in rest.enumerate() {
                    lanes[0][lane] += left * right;
                    lanes[1][lane] += left * left;
                    lanes[2][lane] += right * right;
                }
                totals(&stored(lanes).0)
            }
        }

        /// The Euclidean length of a vector.
        #[inline]
        pub fn $norm(vector: &[$float]) -> $float {
            $norm_squared(vector).sqrt()
        }

        /// The Euclidean distance of two vectors.
        ///
        /// # Panics
        /// If the lengths differ.
        #[inline]
        pub fn $l2(left: &[$float], right: &[$float]) -> $float {
            $l2_squared(left, right).sqrt()
        }

        /// The cosine of the angle between two vectors: the product over both lengths, divided in `f64` and
        /// kept in [-1, 1].
        ///
        /// NaN if a vector is zero or holds NaN, or if a sum overflows.
        ///
        /// # Panics
        /// If the lengths differ.
        #[inline]
        pub fn $cosine(left: &[$float], right: &[$float]) -> $float {
            let [product, left_square, right_square] = $sums(left, right).map(f64::from);
            cosine_of_sums(product, left_square, right_square) as $float
        }
    };
}

vector_functions!(
    f32,
    sum_f32,
    LANES_F32,
    dot_f32,
    dot_f32_at,
    l2_squared_f32,
    l2_squared_f32_at,
    l1_f32,
    l1_f32_at,
    cosine_sums_f32,
    cosine_sums_f32_at,
    norm_squared_f32,
    norm_squared_f32_at,
    norm_f32,
    l2_f32,
    cosine_f32
);
vector_functions!(
    f64,
    sum_f64,
    LANES_F64,
    dot_f64,
    dot_f64_at,
    l2_squared_f64,
    l2_squared_f64_at,
    l1_f64,
    l1_f64_at,
    cosine_sums_f64,
    cosine_sums_f64_at,
    norm_squared_f64,
    norm_squared_f64_at,
    norm_f64,
    l2_f64,
    cosine_f64
);

/// The cosine from its three sums; NaN where it has no meaning, the one positive quiet NaN in every case.
#[inline]
pub fn cosine_of_sums(product: f64, left_square: f64, right_square: f64) -> f64 {
    // Two roots, since the product of the squares may leave the range.
    let cosine = product / (left_square.sqrt() * right_square.sqrt());
    if cosine.is_nan() { f64::NAN } else { cosine.clamp(-1.0, 1.0) }
}

at_each_level! {
    /// Writes the vector scaled to length 1; a zero vector stays zero.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn normalize_f32 / normalize_f32_at(vector: &[f32], output: &mut [f32]) {
        assert_eq!(vector.len(), output.len());
        let norm = f64::from(sum_f32(vector, vector, |left, right| left * right)).sqrt();
        let divisor = if norm == 0.0 { 1.0 } else { norm };
        for (result, &value) in output.iter_mut().zip(vector) {
            *result = (f64::from(value) / divisor) as f32;
        }
    }

    /// As [`normalize_f32`], for `f64`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn normalize_f64 / normalize_f64_at(vector: &[f64], output: &mut [f64]) {
        assert_eq!(vector.len(), output.len());
        let norm = sum_f64(vector, vector, |left, right| left * right).sqrt();
        let divisor = if norm == 0.0 { 1.0 } else { norm };
        for (result, &value) in output.iter_mut().zip(vector) {
            *result = value / divisor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    const LENGTHS: [usize; 12] = [0, 1, 2, 15, 16, 17, 31, 32, 33, 64, 100, 768];

    fn vector(length: usize, seed: u64) -> Vec<f64> {
        let value = |index: u64| {
            ((index + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / 8_388_608.0 - 1.0
        };
        (0..length as u64).map(value).collect()
    }

    /// The definition of the order of additions.
    fn by_definition(terms: &[f32]) -> f32 {
        let mut lanes = [0.0f32; LANES_F32];
        for (index, term) in terms.iter().enumerate() {
            lanes[index % LANES_F32] += term;
        }
        let mut count = LANES_F32;
        while count > 1 {
            count /= 2;
            for lane in 0..count {
                lanes[lane] += lanes[lane + count];
            }
        }
        lanes[0]
    }

    fn narrow(vector: &[f64]) -> Vec<f32> {
        vector.iter().map(|&value| value as f32).collect()
    }

    #[test]
    fn every_level_adds_in_the_stated_order() {
        for length in LENGTHS {
            let (left, right) = (narrow(&vector(length, 1)), narrow(&vector(length, 99)));
            let terms = |term: fn(f32, f32) -> f32| {
                by_definition(
                    &left.iter().zip(&right).map(|(&left, &right)| term(left, right)).collect::<Vec<_>>(),
                )
            };
            for level in Level::available() {
                assert_eq!(dot_f32_at(level, &left, &right), terms(|left, right| left * right));
                let squared = |left: f32, right: f32| (left - right) * (left - right);
                assert_eq!(l2_squared_f32_at(level, &left, &right), terms(squared));
                assert_eq!(l1_f32_at(level, &left, &right), terms(|left, right| (left - right).abs()));
                assert_eq!(norm_squared_f32_at(level, &left), terms(|left, _| left * left));
                let sums = [dot_f32(&left, &right), norm_squared_f32(&left), norm_squared_f32(&right)];
                assert_eq!(cosine_sums_f32_at(level, &left, &right), sums);
            }
        }
    }

    #[test]
    fn wide_and_narrow_results_agree() {
        for length in LENGTHS {
            let (left, right) = (vector(length, 1), vector(length, 99));
            let (left_f32, right_f32) = (narrow(&left), narrow(&right));
            let near = |narrow: f32, wide: f64| {
                assert!((f64::from(narrow) - wide).abs() <= 1e-4 * (1.0 + wide.abs()))
            };
            near(dot_f32(&left_f32, &right_f32), dot_f64(&left, &right));
            near(l2_f32(&left_f32, &right_f32), l2_f64(&left, &right));
            near(l1_f32(&left_f32, &right_f32), l1_f64(&left, &right));
            near(norm_f32(&left_f32), norm_f64(&left));
            if length > 0 {
                near(cosine_f32(&left_f32, &right_f32), cosine_f64(&left, &right));
            }
            let plain: f64 = left.iter().zip(&right).map(|(left, right)| left * right).sum();
            assert!((dot_f64(&left, &right) - plain).abs() <= 1e-12);
            let expected = [dot_f64(&left, &right), norm_squared_f64(&left), norm_squared_f64(&right)];
            for level in Level::available() {
                assert_eq!(dot_f64_at(level, &left, &right), dot_f64(&left, &right));
                assert_eq!(l2_squared_f64_at(level, &left, &right), l2_squared_f64(&left, &right));
                assert_eq!(l1_f64_at(level, &left, &right), l1_f64(&left, &right));
                assert_eq!(cosine_sums_f64_at(level, &left, &right), expected);
            }
        }
    }

    #[test]
    fn known_values() {
        assert_eq!(dot_f32(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 32.0);
        assert_eq!(norm_f32(&[3.0, 4.0]), 5.0);
        assert_eq!(norm_f32(&[]), 0.0);
        assert_eq!(l2_squared_f64(&[1.0], &[2.0]), 1.0);
        assert_eq!(cosine_f32(&[1.0], &[2.0]), 1.0);
        assert_eq!(cosine_f64(&[1.0, 0.0], &[0.0, 5.0]), 0.0);
        assert_eq!(cosine_f32(&[0.1, 0.3], &[0.1, 0.3]), 1.0);
    }

    #[test]
    fn cosine_of_a_zero_or_empty_vector_is_nan() {
        assert!(cosine_f32(&[], &[]).is_nan());
        assert!(cosine_f32(&[0.0, 0.0], &[1.0, 2.0]).is_nan());
        assert!(cosine_f64(&[f64::NAN], &[1.0]).is_nan());
        assert!(cosine_f64(&[f64::INFINITY], &[1.0]).is_nan());
    }

    #[test]
    fn normalized_vectors_have_length_one_and_zero_stays_zero() {
        let mut output = [0.0f32; 5];
        for level in Level::available() {
            normalize_f32_at(level, &[4.0, 1.0, 2.0, 2.0, 0.0], &mut output);
            assert_eq!(output, [0.8, 0.2, 0.4, 0.4, 0.0]);
            let mut wide = [1.0f64; 2];
            normalize_f64_at(level, &[0.0, 0.0], &mut wide);
            assert_eq!(wide, [0.0, 0.0]);
            normalize_f64_at(level, &[3.0, -4.0], &mut wide);
            assert_eq!(wide, [0.6, -0.8]);
        }
    }
}

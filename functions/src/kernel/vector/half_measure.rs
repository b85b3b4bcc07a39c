//! Products and distances of vectors of halves: widened exactly, then summed as vectors of `f32` are.

use half::f16;

use super::half_float::{narrow_half, widen_half};
use crate::kernel::lane_total::{Lanes, stored, totals};

/// Lanes of a sum, as of `f32` vectors, whose bits these functions give.
const LANES: usize = 32;

/// Calls `add(lane, left, right)` for each pair of elements.
#[inline(always)]
fn each_pair(left: &[f16], right: &[f16], mut add: impl FnMut(usize, f32, f32)) {
    assert_eq!(left.len(), right.len());
    let (mut left_blocks, mut right_blocks) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    for (left, right) in left_blocks.by_ref().zip(right_blocks.by_ref()) {
        for lane in 0..LANES {
            add(lane, widen_half(left[lane].to_bits()), widen_half(right[lane].to_bits()));
        }
    }
    let rest = left_blocks.remainder().iter().zip(right_blocks.remainder());
    for (lane, (left, right)) in rest.enumerate() {
        add(lane, widen_half(left.to_bits()), widen_half(right.to_bits()));
    }
}

#[inline(always)]
fn sum(left: &[f16], right: &[f16], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    each_pair(left, right, |lane, left, right| lanes[lane] += term(left, right));
    stored(lanes).0.total()
}

at_each_level! {
    /// The sum of `left[i] * right[i]`.
    ///
    /// # Panics
    /// If the lengths differ, as in all functions of this module.
    pub fn dot_f16 / dot_f16_at(left: &[f16], right: &[f16]) -> f32 {
        sum(left, right, |left, right| left * right)
    }

    /// The sum of `(left[i] - right[i])^2`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn l2_squared_f16 / l2_squared_f16_at(left: &[f16], right: &[f16]) -> f32 {
        sum(left, right, |left, right| (left - right) * (left - right))
    }

    /// The sum of `|left[i] - right[i]|`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn l1_f16 / l1_f16_at(left: &[f16], right: &[f16]) -> f32 {
        sum(left, right, |left, right| (left - right).abs())
    }

    /// The sums of products, of squares of `left` and of squares of `right`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn cosine_sums_f16 / cosine_sums_f16_at(left: &[f16], right: &[f16]) -> [f32; 3] {
        let mut lanes = [[0.0; LANES]; 3];
        each_pair(left, right, |lane, left, right| {
            lanes[0][lane] += left * right;
            lanes[1][lane] += left * left;
            lanes[2][lane] += right * right;
        });
        totals(&stored(lanes).0)
    }

    /// Writes the vector scaled to length 1; a zero vector stays zero.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn normalize_f16 / normalize_f16_at(vector: &[f16], output: &mut [f16]) {
        assert_eq!(vector.len(), output.len());
        let norm = sum(vector, vector, |left, right| left * right).sqrt();
        let divisor = if norm == 0.0 { 1.0 } else { norm };
        for (result, value) in output.iter_mut().zip(vector) {
            *result = f16::from_bits(narrow_half(widen_half(value.to_bits()) / divisor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::embedding::{cosine_sums_f32, dot_f32, l1_f32, l2_squared_f32};
    use crate::kernel::level::Level;

    #[test]
    fn halves_give_the_bits_of_the_same_values_in_singles() {
        for length in [0, 1, 31, 32, 33, 64, 100, 768] {
            let value =
                |index: usize, seed: usize| f16::from_f32(((index * seed) % 1000) as f32 / 300.0 - 1.5);
            let left: Vec<f16> = (0..length).map(|index| value(index, 7919)).collect();
            let right: Vec<f16> = (0..length).map(|index| value(index, 104_729)).collect();
            let wide = |values: &[f16]| values.iter().map(|value| value.to_f32()).collect::<Vec<f32>>();
            let (a, b) = (wide(&left), wide(&right));
            for level in Level::available() {
                assert_eq!(dot_f16_at(level, &left, &right), dot_f32(&a, &b));
                assert_eq!(l2_squared_f16_at(level, &left, &right), l2_squared_f32(&a, &b));
                assert_eq!(l1_f16_at(level, &left, &right), l1_f32(&a, &b));
                assert_eq!(cosine_sums_f16_at(level, &left, &right), cosine_sums_f32(&a, &b));
            }
        }
    }
}

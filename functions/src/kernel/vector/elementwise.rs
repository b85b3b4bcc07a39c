//! Arithmetic of vectors, element by element. Halves are computed in `f32` and rounded once.

use half::f16;

use super::half_float::{narrow_half, widen_half};

/// Declares the operations of one element type, which are computed in `$wide`.
macro_rules! elementwise {
    ($element:ty, $wide:ty, $widen:expr, $narrow:expr, $add:ident, $add_at:ident, $subtract:ident, $subtract_at:ident,
     $multiply:ident, $multiply_at:ident, $scale:ident, $scale_at:ident) => {
        at_each_level! {
            /// Writes `left[i] + right[i]`.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $add / $add_at(left: &[$element], right: &[$element], output: &mut [$element]) {
                assert!(left.len() == output.len() && right.len() == output.len());
                for ((result, &left), &right) in output.iter_mut().zip(left).zip(right) {
                    *result = $narrow($widen(left) + $widen(right));
                }
            }

            /// Writes `left[i] - right[i]`.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $subtract / $subtract_at(left: &[$element], right: &[$element], output: &mut [$element]) {
                assert!(left.len() == output.len() && right.len() == output.len());
                for ((result, &left), &right) in output.iter_mut().zip(left).zip(right) {
                    *result = $narrow($widen(left) - $widen(right));
                }
            }

            /// Writes `left[i] * right[i]`.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $multiply / $multiply_at(left: &[$element], right: &[$element], output: &mut [$element]) {
                assert!(left.len() == output.len() && right.len() == output.len());
                for ((result, &left), &right) in output.iter_mut().zip(left).zip(right) {
                    *result = $narrow($widen(left) * $widen(right));
                }
            }

            /// Writes `vector[i] * factor`.
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $scale / $scale_at(vector: &[$element], factor: $wide, output: &mut [$element]) {
                assert_eq!(vector.len(), output.len());
                for (result, &value) in output.iter_mut().zip(vector) {
                    *result = $narrow($widen(value) * factor);
                }
            }
        }
    };
}

elementwise!(
    f32,
    f32,
    std::convert::identity,
    std::convert::identity,
    add_f32,
    add_f32_at,
    subtract_f32,
    subtract_f32_at,
    multiply_f32,
    multiply_f32_at,
    scale_f32,
    scale_f32_at
);
elementwise!(
    f64,
    f64,
    std::convert::identity,
    std::convert::identity,
    add_f64,
    add_f64_at,
    subtract_f64,
    subtract_f64_at,
    multiply_f64,
    multiply_f64_at,
    scale_f64,
    scale_f64_at
);
elementwise!(
    f16,
    f32,
    widened,
    narrowed,
    add_f16,
    add_f16_at,
    subtract_f16,
    subtract_f16_at,
    multiply_f16,
    multiply_f16_at,
    scale_f16,
    scale_f16_at
);

#[inline(always)]
fn widened(value: f16) -> f32 {
    widen_half(value.to_bits())
}

#[inline(always)]
fn narrowed(value: f32) -> f16 {
    f16::from_bits(narrow_half(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn every_level_computes_each_element_alone() {
        let left: Vec<f32> = (0..77).map(|index| index as f32 * 0.37 - 9.0).collect();
        let right: Vec<f32> = (0..77).map(|index| 5.0 - index as f32 * 0.11).collect();
        let halves = |values: &[f32]| values.iter().map(|&value| f16::from_f32(value)).collect::<Vec<_>>();
        let (left_half, right_half) = (halves(&left), halves(&right));
        let (mut output, mut output_half) = (vec![0.0f32; 77], vec![f16::ZERO; 77]);
        for level in Level::available() {
            add_f32_at(level, &left, &right, &mut output);
            assert!(output.iter().enumerate().all(|(i, &sum)| sum == left[i] + right[i]));
            subtract_f32_at(level, &left, &right, &mut output);
            assert!(output.iter().enumerate().all(|(i, &rest)| rest == left[i] - right[i]));
            multiply_f32_at(level, &left, &right, &mut output);
            assert!(output.iter().enumerate().all(|(i, &product)| product == left[i] * right[i]));
            scale_f32_at(level, &left, 0.3, &mut output);
            assert!(output.iter().enumerate().all(|(i, &scaled)| scaled == left[i] * 0.3));
            add_f16_at(level, &left_half, &right_half, &mut output_half);
            let sum = |i: usize| f16::from_f32(left_half[i].to_f32() + right_half[i].to_f32());
            assert!((0..77).all(|i| output_half[i] == sum(i)));
        }
    }
}

//! Eight-bit codes of float vectors: `code = round(value / scale) + zero`, saturated to -128 .. 127.
//!
//! The quotient is rounded to nearest, ties to even, by adding and taking away 1.5 * 2^23, which every level does alike.
//! Products and distances of codes are exact.

use crate::kernel::prefetch::prefetch;

/// 1.5 * 2^23: a float of this size has no digits after the point.
const ROUNDER: f32 = 12_582_912.0;
/// Quotients beyond this saturate whatever the zero point is.
const QUOTIENT_MAX: f32 = 512.0;
/// Elements that are quantized before the next lines are asked for.
const PART: usize = 64;
/// Elements to look ahead, across the border of a page.
const AHEAD: usize = 768;
/// Elements whose products fit 32 bits for certain: 2^16 products below 2^14.
const BLOCK: usize = 1 << 16;

/// The code of one value; a NaN gives the code of 0, and the callers report it.
#[inline(always)]
fn code(value: f32, scale: f32, zero: i32) -> i8 {
    let quotient = value / scale;
    let quotient = if quotient > QUOTIENT_MAX { QUOTIENT_MAX } else { quotient };
    let quotient = if quotient < -QUOTIENT_MAX { -QUOTIENT_MAX } else { quotient };
    let quotient = if quotient.is_nan() { 0.0 } else { quotient };
    let rounded = (quotient + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32;
    (rounded + zero).clamp(-128, 127) as i8
}

at_each_level! {
    /// Writes the codes of values that share a scale; false if a value is NaN or no quotient exists (0 / 0).
    ///
    /// # Panics
    /// If the lengths differ, as in all functions of this module.
    pub fn quantize / quantize_at(values: &[f32], scale: f32, zero: i32, codes: &mut [i8]) -> bool {
        assert_eq!(values.len(), codes.len());
        let mut unknown = 0u32;
        for (block, (codes, part)) in codes.chunks_mut(PART).zip(values.chunks(PART)).enumerate() {
            (0..PART).step_by(16).for_each(|line| prefetch(values, block * PART + line + AHEAD));
            for (result, &value) in codes.iter_mut().zip(part) {
                unknown |= u32::from((value / scale).is_nan());
                *result = code(value, scale, zero);
            }
        }
        unknown == 0
    }

    /// As [`quantize`] with a scale for each element.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn quantize_each / quantize_each_at(values: &[f32], scales: &[f32], zero: i32, codes: &mut [i8]) -> bool {
        assert!(values.len() == codes.len() && scales.len() == codes.len());
        let mut unknown = 0u32;
        for ((result, &value), &scale) in codes.iter_mut().zip(values).zip(scales) {
            unknown |= u32::from((value / scale).is_nan());
            *result = code(value, scale, zero);
        }
        unknown == 0
    }

    /// Writes `(code - zero) * scale`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dequantize / dequantize_at(codes: &[i8], scale: f32, zero: i32, values: &mut [f32]) {
        assert_eq!(values.len(), codes.len());
        for (value, &code) in values.iter_mut().zip(codes) {
            *value = (i32::from(code) - zero) as f32 * scale;
        }
    }

    /// As [`dequantize`] with a scale for each element.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dequantize_each / dequantize_each_at(codes: &[i8], scales: &[f32], zero: i32, values: &mut [f32]) {
        assert!(values.len() == codes.len() && scales.len() == codes.len());
        for ((value, &code), &scale) in values.iter_mut().zip(codes).zip(scales) {
            *value = (i32::from(code) - zero) as f32 * scale;
        }
    }

    /// The least and the greatest of 0 and the values; a NaN is passed over.
    pub fn range_with_zero / range_with_zero_at(values: &[f32]) -> (f32, f32) {
        let (mut least, mut greatest) = ([0.0f32; 16], [0.0f32; 16]);
        let mut blocks = values.chunks_exact(16);
        for block in blocks.by_ref() {
            for lane in 0..16 {
                least[lane] = if block[lane] < least[lane] { block[lane] } else { least[lane] };
                greatest[lane] = if block[lane] > greatest[lane] { block[lane] } else { greatest[lane] };
            }
        }
        for &value in blocks.remainder() {
            least[0] = if value < least[0] { value } else { least[0] };
            greatest[0] = if value > greatest[0] { value } else { greatest[0] };
        }
        (least.into_iter().fold(0.0, f32::min), greatest.into_iter().fold(0.0, f32::max))
    }

    /// The exact sum of `left[i] * right[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot_i8 / dot_i8_at(left: &[i8], right: &[i8]) -> i64 {
        assert_eq!(left.len(), right.len());
        let mut total = 0i64;
        for (left, right) in left.chunks(BLOCK).zip(right.chunks(BLOCK)) {
            let products = left.iter().zip(right).map(|(&left, &right)| i32::from(i16::from(left) * i16::from(right)));
            total += i64::from(products.sum::<i32>());
        }
        total
    }

    /// The exact sum of `(left[i] - right[i])^2`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn l2_squared_i8 / l2_squared_i8_at(left: &[i8], right: &[i8]) -> i64 {
        assert_eq!(left.len(), right.len());
        let mut total = 0i64;
        for (left, right) in left.chunks(BLOCK / 2).zip(right.chunks(BLOCK / 2)) {
            let squares = left.iter().zip(right).map(|(&left, &right)| {
                let difference = i32::from(i16::from(left) - i16::from(right));
                difference * difference
            });
            total += squares.map(|square| square as u32).sum::<u32>() as i64;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    fn naive(value: f32, scale: f32, zero: i32) -> i8 {
        let rounded = f64::from(value / scale).round_ties_even() + f64::from(zero);
        rounded.clamp(-128.0, 127.0) as i8
    }

    #[test]
    fn codes_are_rounded_to_even_and_saturate_at_every_level() {
        let mut values: Vec<f32> = (-3000..3000).map(|step| step as f32 * 0.05).collect();
        values.extend([0.5, 1.5, 2.5, -0.5, -1.5, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -0.0, 1e-40]);
        for level in Level::available() {
            for (scale, zero) in [(1.0, 0), (0.1, 0), (0.7, -128), (2.0, 127), (1e-30, 5)] {
                let mut codes = vec![0; values.len()];
                assert!(quantize_at(level, &values, scale, zero, &mut codes));
                for (&value, &code) in values.iter().zip(&codes) {
                    assert_eq!(code, naive(value, scale, zero), "{value} / {scale} + {zero} at {level}");
                }
                let mut each = vec![0; values.len()];
                assert!(quantize_each_at(level, &values, &vec![scale; values.len()], zero, &mut each));
                assert_eq!(each, codes);
            }
        }
    }

    #[test]
    fn a_nan_is_reported() {
        let mut codes = [1; 3];
        assert!(!quantize(&[1.0, f32::NAN, 2.0], 1.0, 7, &mut codes));
        assert_eq!(codes, [8, 7, 9]);
    }

    #[test]
    fn codes_come_back_within_half_a_scale() {
        let values: Vec<f32> = (0..200).map(|step| step as f32 * 0.6 - 60.0).collect();
        let (mut codes, mut back) = (vec![0; 200], vec![0.0; 200]);
        assert!(quantize(&values, 0.5, 3, &mut codes));
        dequantize(&codes, 0.5, 3, &mut back);
        assert!(values.iter().zip(&back).all(|(value, back)| (value - back).abs() <= 0.25));
    }

    #[test]
    fn products_and_distances_are_exact() {
        let left: Vec<i8> = (0..200_003).map(|index| if index % 3 == 0 { -128 } else { 127 }).collect();
        let right: Vec<i8> = (0..200_003).map(|index| if index % 2 == 0 { -128 } else { 127 }).collect();
        let pairs = || left.iter().zip(&right).map(|(&a, &b)| (i64::from(a), i64::from(b)));
        for level in Level::available() {
            assert_eq!(dot_i8_at(level, &left, &right), pairs().map(|(a, b)| a * b).sum::<i64>());
            assert_eq!(
                l2_squared_i8_at(level, &left, &right),
                pairs().map(|(a, b)| (a - b) * (a - b)).sum::<i64>()
            );
        }
    }

    #[test]
    fn a_range_holds_zero() {
        for level in Level::available() {
            assert_eq!(range_with_zero_at(level, &[]), (0.0, 0.0));
            assert_eq!(range_with_zero_at(level, &[3.0, 5.0]), (0.0, 5.0));
            let values: Vec<f32> = (0..40).map(|index| (index * 7 % 41) as f32 - 20.0).collect();
            assert_eq!(range_with_zero_at(level, &values), (-20.0, 20.0));
        }
    }
}

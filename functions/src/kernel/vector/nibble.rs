//! Four-bit codes of float vectors, two to a byte: `code = round(value / scale)`, saturated to -8 .. 7, in two's
//! complement. The first element of a pair is in the low half of the byte; an odd last one has a zero beside it.

/// 1.5 * 2^23: a float of this size has no digits after the point.
const ROUNDER: f32 = 12_582_912.0;
/// Bytes whose products fit 32 bits for certain.
const BLOCK: usize = 1 << 20;

#[inline(always)]
fn code(value: f32, scale: f32) -> u8 {
    let quotient = value / scale;
    let quotient = if quotient > 7.0 { 7.0 } else { quotient };
    let quotient = if quotient < -8.0 { -8.0 } else { quotient };
    let quotient = if quotient.is_nan() { 0.0 } else { quotient };
    let rounded = (quotient + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32;
    rounded as u8 & 0x0f
}

#[inline(always)]
fn low(byte: u8) -> i32 {
    i32::from((byte << 4) as i8 >> 4)
}

#[inline(always)]
fn high(byte: u8) -> i32 {
    i32::from(byte as i8 >> 4)
}

at_each_level! {
    /// Appends the codes of values; false if a value is NaN or no quotient exists.
    pub fn quantize / quantize_at(values: &[f32], scale: f32, bytes: &mut Vec<u8>) -> bool {
        let start = bytes.len();
        bytes.resize(start + values.len().div_ceil(2), 0);
        let mut unknown = false;
        for (byte, pair) in bytes[start..].iter_mut().zip(values.chunks(2)) {
            for (place, &value) in pair.iter().enumerate() {
                unknown |= (value / scale).is_nan();
                *byte |= code(value, scale) << (4 * place);
            }
        }
        !unknown
    }

    /// Writes `code * scale` for as many codes as there are values.
    ///
    /// # Panics
    /// If there are fewer codes.
    pub fn dequantize / dequantize_at(bytes: &[u8], scale: f32, values: &mut [f32]) {
        assert!(bytes.len() >= values.len().div_ceil(2));
        for (pair, &byte) in values.chunks_mut(2).zip(bytes) {
            for (value, code) in pair.iter_mut().zip([low(byte), high(byte)]) {
                *value = code as f32 * scale;
            }
        }
    }

    /// The exact sum of the products of codes.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot_i4 / dot_i4_at(left: &[u8], right: &[u8]) -> i64 {
        assert_eq!(left.len(), right.len());
        let mut total = 0i64;
        for (left, right) in left.chunks(BLOCK).zip(right.chunks(BLOCK)) {
            let products = left.iter().zip(right).map(|(&a, &b)| low(a) * low(b) + high(a) * high(b));
            total += i64::from(products.sum::<i32>());
        }
        total
    }

    /// The exact sum of the squared differences of codes.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn l2_squared_i4 / l2_squared_i4_at(left: &[u8], right: &[u8]) -> i64 {
        assert_eq!(left.len(), right.len());
        let mut total = 0i64;
        for (left, right) in left.chunks(BLOCK).zip(right.chunks(BLOCK)) {
            let squares = left.iter().zip(right).map(|(&a, &b)| {
                let (first, second) = (low(a) - low(b), high(a) - high(b));
                first * first + second * second
            });
            total += i64::from(squares.sum::<i32>());
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn codes_are_packed_low_half_first() {
        for level in Level::available() {
            let mut bytes = Vec::new();
            assert!(quantize_at(level, &[1.0, -1.0, 100.0, -100.0, 2.5], 1.0, &mut bytes));
            assert_eq!(bytes, [0xf1, 0x87, 0x02]);
            let mut values = [0.0; 5];
            dequantize_at(level, &bytes, 0.5, &mut values);
            assert_eq!(values, [0.5, -0.5, 3.5, -4.0, 1.0]);
            assert!(!quantize_at(level, &[f32::NAN], 1.0, &mut bytes));
        }
    }

    #[test]
    fn products_and_distances_are_those_of_single_codes() {
        let left: Vec<u8> = (0..999u32).map(|index| (index * 37) as u8).collect();
        let right: Vec<u8> = (0..999u32).map(|index| (index * 101 + 9) as u8).collect();
        let codes = |bytes: &[u8]| -> Vec<i64> {
            let half = |code: u8| if code > 7 { i64::from(code) - 16 } else { i64::from(code) };
            bytes.iter().flat_map(|&byte| [half(byte & 15), half(byte >> 4)]).collect()
        };
        let (a, b) = (codes(&left), codes(&right));
        for level in Level::available() {
            assert_eq!(dot_i4_at(level, &left, &right), a.iter().zip(&b).map(|(a, b)| a * b).sum::<i64>());
            let squares = a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b));
            assert_eq!(l2_squared_i4_at(level, &left, &right), squares.sum::<i64>());
        }
    }
}

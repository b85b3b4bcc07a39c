//! Conversions between `f32` and the 16-bit floats: IEEE half and bfloat16.
//!
//! Widening is exact. Narrowing rounds to nearest, ties to even; what lies beyond the range becomes an infinity, and
//! every NaN the quiet NaN of its sign. The bodies have no branches, so that they vectorize at every level.

use half::f16;

/// Magnitude bits of the least `f32` that rounds to an infinite half: 65,520.
const HALF_INFINITE: u32 = 0x477f_f000;
/// Magnitude bits of the least normal half, 2^-14.
const HALF_NORMAL: u32 = 0x3880_0000;
/// Magnitude bits of an infinite `f32`.
const INFINITE: u32 = 0x7f80_0000;

/// The `f32` of a half given by its bits.
#[inline(always)]
pub fn widen_half(bits: u16) -> f32 {
    /// 2^112, the difference of the exponent biases.
    const SCALE: f32 = f32::from_bits(0x7780_0000);
    let magnitude = u32::from(bits & 0x7fff) << 13;
    let finite = (f32::from_bits(magnitude) * SCALE).to_bits();
    let special = if magnitude >= 0x0f80_0000 { INFINITE } else { 0 };
    f32::from_bits(finite | special | u32::from(bits & 0x8000) << 16)
}

/// The bits of the half nearest to a value.
#[inline(always)]
pub fn narrow_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    let normal = (magnitude.wrapping_sub(0x3800_0000) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    // Half an ulp of a half's subnormals is half an ulp of 0.5: the addition rounds.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0x3f00_0000);
    let finite = if magnitude < HALF_NORMAL { subnormal } else { normal };
    let special = if magnitude > INFINITE { 0x7e00 } else { 0x7c00 };
    let narrow = if magnitude >= HALF_INFINITE { special } else { finite };
    (narrow | (bits >> 16) & 0x8000) as u16
}

/// The half nearest to a double, rounded once: what is lost in between stays visible as an odd last bit.
#[inline]
pub fn narrow_double(value: f64) -> f16 {
    let single = value as f32;
    let (back, bits) = (f64::from(single), single.to_bits());
    let odd = if back == value || value.is_nan() || bits & 1 == 1 {
        bits
    } else if back.abs() > value.abs() {
        bits - 1
    } else {
        bits + 1
    };
    f16::from_bits(narrow_half(f32::from_bits(odd)))
}

/// The bits of the bfloat16 nearest to a value.
#[inline(always)]
pub fn narrow_bfloat(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    let quiet = ((bits >> 16) & 0x8000) | 0x7fc0;
    (if bits & 0x7fff_ffff > INFINITE { quiet } else { rounded }) as u16
}

/// The `f32` of a bfloat16 given by its bits.
#[inline(always)]
pub fn widen_bfloat(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

at_each_level! {
    /// Widens halves, as [`widen_half`].
    ///
    /// # Panics
    /// If the lengths differ, as in all functions of this module.
    pub fn widen_halves / widen_halves_at(values: &[f16], output: &mut [f32]) {
        assert_eq!(values.len(), output.len());
        output.iter_mut().zip(values).for_each(|(wide, value)| *wide = widen_half(value.to_bits()));
    }

    /// Narrows to halves, as [`narrow_half`].
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn narrow_to_halves / narrow_to_halves_at(values: &[f32], output: &mut [f16]) {
        assert_eq!(values.len(), output.len());
        output.iter_mut().zip(values).for_each(|(half, &value)| *half = f16::from_bits(narrow_half(value)));
    }

    /// Narrows to the bits of bfloat16, as [`narrow_bfloat`].
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn narrow_to_bfloats / narrow_to_bfloats_at(values: &[f32], output: &mut [u16]) {
        assert_eq!(values.len(), output.len());
        output.iter_mut().zip(values).for_each(|(bits, &value)| *bits = narrow_bfloat(value));
    }

    /// Widens the bits of bfloat16, as [`widen_bfloat`].
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn widen_bfloats / widen_bfloats_at(values: &[u16], output: &mut [f32]) {
        assert_eq!(values.len(), output.len());
        output.iter_mut().zip(values).for_each(|(wide, &bits)| *wide = widen_bfloat(bits));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;
    use half::bf16;

    #[test]
    fn every_half_widens_exactly_and_comes_back() {
        for bits in 0..=u16::MAX {
            let (expected, wide) = (f16::from_bits(bits), widen_half(bits));
            if expected.is_nan() {
                assert!(wide.is_nan());
                assert_eq!(narrow_half(wide), (bits & 0x8000) | 0x7e00);
            } else {
                assert_eq!(wide.to_bits(), expected.to_f32().to_bits(), "{bits:#x}");
                assert_eq!(narrow_half(wide), bits);
            }
        }
    }

    /// Values around every border between two halves, and values of every exponent.
    fn hard_values() -> Vec<f32> {
        let borders = (0..0x7c00u16).flat_map(|bits| {
            let (low, high) = (f16::from_bits(bits).to_f64(), f16::from_bits(bits + 1).to_f64());
            let high = if high.is_infinite() { 65_536.0 } else { high };
            let middle = (((low + high) / 2.0) as f32).to_bits();
            [middle - 1, middle, middle + 1].map(f32::from_bits)
        });
        let exponents = (0..=u32::MAX >> 15).map(|high| f32::from_bits(high << 15 | ((high % 7) << 3)));
        borders.chain(exponents).flat_map(|value| [value, -value]).collect()
    }

    #[test]
    fn narrowing_rounds_to_nearest_even_at_every_level() {
        let values = hard_values();
        let mut halves = vec![f16::ZERO; values.len()];
        let mut bfloats = vec![0u16; values.len()];
        for level in Level::available() {
            narrow_to_halves_at(level, &values, &mut halves);
            narrow_to_bfloats_at(level, &values, &mut bfloats);
            for ((&value, half), &bits) in values.iter().zip(&halves).zip(&bfloats) {
                let (expected, expected_bfloat) = (f16::from_f32(value), bf16::from_f32(value));
                if value.is_nan() {
                    assert!(half.is_nan() && bf16::from_bits(bits).is_nan());
                } else {
                    assert_eq!(half.to_bits(), expected.to_bits(), "half of {value:e}");
                    assert_eq!(bits, expected_bfloat.to_bits(), "bfloat16 of {value:e}");
                }
            }
        }
    }

    #[test]
    fn doubles_are_rounded_once() {
        for bits in (0..0x7bffu16).step_by(3) {
            let (low, high) = (f16::from_bits(bits), f16::from_bits(bits + 1));
            let middle = (low.to_f64() + high.to_f64()) / 2.0;
            let even = if bits & 1 == 0 { low } else { high };
            for sign in [1.0, -1.0] {
                let narrow = |value: f64| narrow_double(value * sign).to_f64() * sign;
                assert_eq!(narrow(middle), even.to_f64());
                assert_eq!(narrow(f64::from_bits(middle.to_bits() - 1)), low.to_f64());
                assert_eq!(narrow(f64::from_bits(middle.to_bits() + 1)), high.to_f64());
                assert_eq!(narrow(low.to_f64()), low.to_f64());
            }
        }
        assert_eq!(narrow_double(f64::MAX), f16::INFINITY);
        assert_eq!(narrow_double(65_519.999), f16::MAX);
        assert!(narrow_double(f64::NAN).is_nan());
    }

    #[test]
    fn columns_widen_as_single_values_do() {
        let halves: Vec<f16> = (0..=u16::MAX).step_by(7).map(f16::from_bits).collect();
        let bits: Vec<u16> = halves.iter().map(|half| half.to_bits()).collect();
        let mut wide = vec![0.0; halves.len()];
        for level in Level::available() {
            widen_halves_at(level, &halves, &mut wide);
            assert!(wide.iter().zip(&bits).all(|(wide, &bits)| wide.to_bits() == widen_half(bits).to_bits()));
            widen_bfloats_at(level, &bits, &mut wide);
            assert!(wide.iter().zip(&bits).all(|(wide, &bits)| wide.to_bits() == u32::from(bits) << 16));
        }
    }
}

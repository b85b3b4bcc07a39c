//! The remainder of an angle after whole quarter turns, for sine, cosine and tangent.
//!
//! Up to [`ANGLE_MAX`], n = round(2 x / pi) has 20 bits, and pi/2 is taken off in three parts of 33 bits, whose products with
//! n are exact, and a fourth that is rounded: 152 bits in all. No f64 in this range is closer than 2^-60
//! to a multiple of pi/2, so the remainder keeps more than 70 bits. Beyond, [`reduce_large`] multiplies by as
//! many bits of 2/pi as matter, in integers (Payne and Hanek).

use super::exact::{ROUND, fast_two_sum, two_sum};

/// Largest size that [`reduce`] serves: 2^19 pi.
pub(super) const ANGLE_MAX: f64 = 1_647_099.0;

const HALF_PI_1: f64 = 1.5707963267341256;
const HALF_PI_2: f64 = 6.077100506303966e-11;
const HALF_PI_3: f64 = 2.0222662487111665e-21;
const HALF_PI_4: f64 = 8.4784276603689e-32;

/// pi/2 as a rounded value and the rest.
const HALF_PI: f64 = std::f64::consts::FRAC_PI_2;
const HALF_PI_REST: f64 = 6.123233995736766e-17;

/// What is left of an angle: `remainder + rest` within pi/4, and the quarter turns taken off, modulo 4.
#[derive(Clone, Copy)]
pub(super) struct Angle {
    pub remainder: f64,
    pub rest: f64,
    pub quarter_turns: u64,
}

/// Reduces an angle of at most [`ANGLE_MAX`] in size; others give numbers without meaning.
#[inline(always)]
pub(super) fn reduce(x: f64) -> Angle {
    let shifted = x * std::f64::consts::FRAC_2_PI + ROUND;
    let n = shifted - ROUND;
    let first = x - n * HALF_PI_1;
    let (second, second_error) = two_sum(first, -(n * HALF_PI_2));
    let (third, third_error) = two_sum(second, -(n * HALF_PI_3));
    let (remainder, rest) = fast_two_sum(third, (second_error + third_error) - n * HALF_PI_4);
    Angle { remainder, rest, quarter_turns: shifted.to_bits() & 3 }
}

/// The bits of 2/pi after the point, most significant first.
const TWO_OVER_PI: [u64; 20] = [
    0xa2f9836e4e441529,
    0xfc2757d1f534ddc0,
    0xdb6295993c439041,
    0xfe5163abdebbc561,
    0xb7246e3a424dd2e0,
    0x06492eea09d1921c,
    0xfe1deb1cb129a73e,
    0xe88235f52ebb4484,
    0xe99c7026b45f7e41,
    0x3991d639835339f4,
    0x9c845f8bbdf9283b,
    0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f,
    0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
];

/// 64 bits of 2/pi from bit `position` after the point; bits before the point are zero.
fn two_over_pi_bits(position: i64) -> u64 {
    let word = |index: i64| {
        usize::try_from(index).ok().and_then(|index| TWO_OVER_PI.get(index)).copied().unwrap_or(0)
    };
    let (index, shift) = (position.div_euclid(64), position.rem_euclid(64));
    if shift == 0 { word(index) } else { (word(index) << shift) | (word(index + 1) >> (64 - shift)) }
}

/// Reduces a finite angle larger than 2 in size.
///
/// x = m 2^e with an integer m of 53 bits. Bits of 2/pi that contribute whole turns only are skipped: of
/// m 2^e 2/pi modulo 4, 192 bits are computed, of which 2 are the quarter turns, and at least 125 are right after the point.
#[cold]
pub(super) fn reduce_large(x: f64) -> Angle {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64 - 1075;
    let mantissa = (bits & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000;
    // The window starts at the bit of weight 2^1 after the product with 2^e: bit p after the point weighs 2^(e - p).
    let start = exponent - 2;
    let window = [two_over_pi_bits(start), two_over_pi_bits(start + 64), two_over_pi_bits(start + 128)];
    // The low 192 bits of mantissa * window; overflow is a multiple of four quarter turns.
    let low = u128::from(mantissa) * u128::from(window[2]);
    let middle = u128::from(mantissa) * u128::from(window[1]) + (low >> 64);
    let top = mantissa.wrapping_mul(window[0]).wrapping_add((middle >> 64) as u64);
    let product = (u128::from(top) << 64) | u128::from(middle as u64);
    // Two bits of quarter turns, then the fraction of a quarter turn; a fraction above one half counts down from the next.
    let mut quarter_turns = (product >> 126) as u64;
    let mut fraction = ((product << 2) | u128::from((low as u64) >> 62)) as i128;
    if fraction < 0 {
        quarter_turns += 1;
    }
    let negative = fraction < 0;
    if negative {
        fraction = fraction.wrapping_neg();
    }
    let (high, low) = two_floats(fraction.unsigned_abs());
    let (remainder, rest) = times_half_pi(high, low);
    let flip = negative != (x < 0.0);
    let sign = if flip { -1.0 } else { 1.0 };
    let quarter_turns = if x < 0.0 { quarter_turns.wrapping_neg() } else { quarter_turns };
    Angle { remainder: remainder * sign, rest: rest * sign, quarter_turns: quarter_turns & 3 }
}

/// `fraction / 2^128` as the sum of two floats, to 2^-106 of it.
fn two_floats(fraction: u128) -> (f64, f64) {
    const SCALE: f64 = 1.0 / 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
    let high = fraction as f64;
    let rest = fraction.wrapping_sub(high as u128) as i128; // negative where `high` was rounded up
    (high * SCALE, rest as f64 * SCALE)
}

/// (high + low) pi / 2 as the sum of two floats.
fn times_half_pi(high: f64, low: f64) -> (f64, f64) {
    let (product, error) = super::exact::two_product(high, HALF_PI);
    fast_two_sum(product, error + (high * HALF_PI_REST + low * HALF_PI))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_reductions_agree_where_both_apply() {
        for index in 0..100_000u64 {
            let x = 3.0 + index as f64 * 16.47 + (index as f64 * 0.618).fract();
            for x in [x, -x] {
                let (small, large) = (reduce(x), reduce_large(x));
                assert_eq!(small.quarter_turns, large.quarter_turns, "{x}");
                assert_eq!(small.remainder, large.remainder, "{x}");
                assert!((small.rest - large.rest).abs() <= small.remainder.abs() * 2f64.powi(-90), "{x}");
            }
        }
    }
}

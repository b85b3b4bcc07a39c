//! The cube root.
//!
//! An estimate from the bits (a third of exponent and fraction, within 6 %) is improved by three Halley steps, each of which
//! triples the number of right digits, and the last rounding is corrected with the exact residual.

use super::exact::{canonical, select, two_product, with_sign_of};

/// Two thirds of the bits of 1.0, less what centres the error of the estimate.
const ESTIMATE_OFFSET: u64 = 0x2a9f_7900_0000_0000;

/// 2^300 and 2^-300 bring the smallest and largest sizes away from the ends of the range, where products lose their errors.
const LARGER: f64 = 2.037035976334486e90;
const SMALLER: f64 = 1.0 / LARGER;
/// The cube roots of [`LARGER`] and [`SMALLER`].
const ROOT_LARGER: f64 = 1.2676506002282294e30;
const ROOT_SMALLER: f64 = 1.0 / ROOT_LARGER;

#[inline(always)]
fn body(x: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    let (tiny, huge) = (size < 1e-200, size > 1e200);
    let scaled = size * select(tiny, LARGER, select(huge, SMALLER, 1.0));
    let estimate = f64::from_bits(third(scaled.to_bits()) + ESTIMATE_OFFSET);
    let r = halley(halley(halley(estimate, scaled), scaled), scaled);
    let (square, square_error) = two_product(r, r);
    let (cube, cube_error) = two_product(square, r);
    let residual = ((scaled - cube) - cube_error) - square_error * r;
    let r = r + residual / (3.0 * square);
    let value = r * select(tiny, ROOT_SMALLER, select(huge, ROOT_LARGER, 1.0));
    let value = select((size == 0.0) | (size == f64::INFINITY), size, value);
    canonical(select(x.is_nan(), x, with_sign_of(value, x)))
}

/// A third of the bits of a float, in their upper half.
#[inline(always)]
fn third(bits: u64) -> u64 {
    ((bits >> 32) * 0x5555_5556) & 0xffff_ffff_0000_0000
}

/// One step of Halley's method.
#[inline(always)]
fn halley(r: f64, x: f64) -> f64 {
    let ratio = x / (r * r);
    r + r * ((ratio - r) / (2.0 * r + ratio))
}

unary_faces!(0.51, "cube root", body, cbrt, cbrt_at, cbrt_one, cbrt_f32, cbrt_f32_at, cbrt_f32_one);

//! Powers x^y = e^(y ln |x|) with the sign and the edges of IEEE 754 `pow`.
//!
//! ln |x| and its product with y are kept to about 2^-65, so the error before the last rounding is at most half an
//! ulp where the power is near the ends of the range, and powers that are floats come out exact.

use super::exact::{select, two_product, with_sign_of};
use super::exp::exp_of_pair;
use super::ln_pair::ln_pair;

/// A larger exponent changes nothing: the float next to 1 raised to it already leaves the range.
const EXPONENT_MAX: f64 = 36_893_488_147_419_103_232.0; // 2^65

/// Whether a float is an integer; infinities are.
#[inline(always)]
fn is_integer(value: f64) -> bool {
    let size = with_sign_of(value, 1.0);
    // Adding 2^52 leaves no bit for a fraction.
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    (size >= TWO_52) | ((size + TWO_52) - TWO_52 == size)
}

#[inline(always)]
fn body(x: f64, y: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    let integer = is_integer(y);
    let odd = integer & !is_integer(y * 0.5);

    let (logarithm, rest) = ln_pair(size);
    let y_bounded = select(y > EXPONENT_MAX, EXPONENT_MAX, y);
    let y_bounded = select(y < -EXPONENT_MAX, -EXPONENT_MAX, y_bounded);
    let (product, error) = two_product(y_bounded, logarithm);
    let value = exp_of_pair(product, error + y_bounded * rest);

    let value = select(size == 0.0, select(y > 0.0, 0.0, f64::INFINITY), value);
    let value = select(size == f64::INFINITY, select(y > 0.0, f64::INFINITY, 0.0), value);
    let value = select((x < 0.0) & (size < f64::INFINITY) & !integer, f64::NAN, value);
    let negative = odd & (with_sign_of(1.0, x) < 0.0);
    let value = select(negative, -value, value);
    let value = select(x.is_nan() | y.is_nan() | value.is_nan(), f64::NAN, value);
    select((y == 0.0) | (x == 1.0), 1.0, value)
}

/// x^y, within 1.2 ulp; exact where the power is a float.
///
/// `x^0` and `1^y` are 1 even for NaN; a negative `x` with a fractional `y` gives NaN; zero and infinity follow IEEE 754.
#[inline]
pub fn pow_one(x: f64, y: f64) -> f64 {
    body(x, y)
}

/// [`pow_one`] of `f32`, computed in `f64` and rounded once.
#[inline]
pub fn pow_f32_one(x: f32, y: f32) -> f32 {
    body(f64::from(x), f64::from(y)) as f32
}

at_each_level! {
    /// [`pow_one`] of every pair.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn pow / pow_at(base: &[f64], exponent: &[f64], output: &mut [f64]) {
        assert_eq!(base.len(), output.len());
        assert_eq!(exponent.len(), output.len());
        for ((result, &x), &y) in output.iter_mut().zip(base).zip(exponent) {
            *result = body(x, y);
        }
    }

    /// [`pow_one`] of every base with one exponent.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn pow_constant / pow_constant_at(base: &[f64], exponent: f64, output: &mut [f64]) {
        assert_eq!(base.len(), output.len());
        for (result, &x) in output.iter_mut().zip(base) {
            *result = body(x, exponent);
        }
    }

    /// [`pow_f32_one`] of every pair.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn pow_f32 / pow_f32_at(base: &[f32], exponent: &[f32], output: &mut [f32]) {
        assert_eq!(base.len(), output.len());
        assert_eq!(exponent.len(), output.len());
        for ((result, &x), &y) in output.iter_mut().zip(base).zip(exponent) {
            *result = pow_f32_one(x, y);
        }
    }
}

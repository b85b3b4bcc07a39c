//! The natural logarithm.
//!
//! With x = 2^k m, m in [sqrt(1/2), sqrt(2)), f = m - 1 (exact) and s = f / (2 + f):
//! ln m = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + s^2 P(s^2))), with P of degree 7 (fit error 2^-65). The sum with k ln 2 keeps
//! the error of its leading addition.

use super::exact::{LN2_HIGH, LN2_LOW, canonical, fast_two_sum, polynomial, select, split_exponent};

/// P(z) = (2 atanh(s)/s - 2) / z with z = s^2, on |s| <= 0.1716.
pub(super) const LN_TAIL: [f64; 8] = [
    0.666_666_666_666_666_6,
    0.400_000_000_000_062_36,
    0.285_714_285_690_883_4,
    0.222_222_226_465_058_18,
    0.181_817_756_826_455_5,
    0.153_870_902_530_674_98,
    0.132_501_246_391_481_73,
    0.132_513_083_322_470_47,
];

/// k ln 2 + ln(1 + f + f_rest) for f in [sqrt(1/2) - 1, sqrt(2) - 1) and an `f_rest` already divided by 1 + f.
#[inline(always)]
pub(super) fn ln_of_parts(k: f64, f: f64, f_rest: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let half_square = 0.5 * f * f;
    let tail = half_square - s * (half_square + z * polynomial(z, &LN_TAIL));
    let (sum, error) = fast_two_sum(k * LN2_HIGH, f);
    sum + (error + ((k * LN2_LOW + f_rest) - tail))
}

#[inline(always)]
fn body(x: f64) -> f64 {
    let (k, m) = split_exponent(x);
    let value = ln_of_parts(k, m - 1.0, 0.0);
    let value = select(x == f64::INFINITY, f64::INFINITY, value);
    let value = select(x == 0.0, f64::NEG_INFINITY, value);
    canonical(select(x >= 0.0, value, f64::NAN))
}

unary_faces!(0.9, "natural logarithm", body, ln, ln_at, ln_one, ln_f32, ln_f32_at, ln_f32_one);

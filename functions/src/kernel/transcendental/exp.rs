//! The exponential.
//!
//! With n = round(x / ln 2) and r = x - n ln 2, |r| <= ln 2 / 2, the result is 2^n e^r, and
//! e^r = 1 + r + r^2 q(r) with q of degree 10 (fit error 2^-64). The reduction keeps r as an exact part and a small one, and
//! the leading 1 is added with its error kept, so that only the last addition rounds at full size. Subnormal results round a
//! second time, and are within 1 ulp.

use super::exact::{
    LN2_HIGH, LN2_LOW, LOG2_E, ROUND, canonical, fast_two_sum, polynomial, power_of_two, select,
};

/// q(r) = (e^r - 1 - r) / r^2 on |r| <= 0.3466.
pub(super) const EXP_TAIL: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_85,
    0.041_666_666_666_666_73,
    0.008_333_333_333_316_74,
    0.001_388_888_888_885_866_6,
    0.000_198_412_698_970_581_77,
    2.480_158_737_330_387e-5,
    2.755_723_423_599_965_4e-6,
    2.755_723_371_828_298e-7,
    2.511_224_046_792_539_6e-8,
    2.092_683_818_951_798_3e-9,
];

/// Every argument above gives infinity; e^710 > 2^1024.
const ARGUMENT_MAX: f64 = 710.0;
/// Every argument below gives zero; e^-746 < 2^-1076.
const ARGUMENT_MIN: f64 = -746.0;

/// e^(high + low) as a product (leading + rest) * scale[0] * scale[1].
pub(super) struct Exponential {
    pub leading: f64,
    pub rest: f64,
    /// Two powers of two, since their product leaves the range of f64 for the largest and smallest results.
    pub scale: [f64; 2],
}

/// e^(high + low) in parts, for a `low` below an ulp of `high` in size; leading + rest is within 2^-56 of the value.
///
/// A NaN in `high` gives some NaN in `leading`.
#[inline(always)]
#[allow(clippy::manual_range_contains)] // `contains` branches, which keeps loops from vectorizing
pub(super) fn exp_parts(high: f64, low: f64) -> Exponential {
    let low = select((high > ARGUMENT_MAX) | (high < ARGUMENT_MIN), 0.0, low);
    let high = select(high > ARGUMENT_MAX, ARGUMENT_MAX, high);
    let high = select(high < ARGUMENT_MIN, ARGUMENT_MIN, high);
    let shifted = high * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let exact = high - n * LN2_HIGH;
    let correction = low - n * LN2_LOW;
    let r = exact + correction;
    let tail = r * r * polynomial(r, &EXP_TAIL) + correction;
    let (leading, error) = fast_two_sum(1.0, exact);
    let half = n * 0.5 + ROUND;
    let other_half = (n - (half - ROUND)) + ROUND;
    Exponential { leading, rest: error + tail, scale: [power_of_two(half), power_of_two(other_half)] }
}

/// e^(high + low), rounded: within 0.7 ulp of the pair given, 1 ulp where the result is subnormal.
#[inline(always)]
pub(super) fn exp_of_pair(high: f64, low: f64) -> f64 {
    let parts = exp_parts(high, low);
    (parts.leading + parts.rest) * parts.scale[0] * parts.scale[1]
}

#[inline(always)]
fn body(x: f64) -> f64 {
    canonical(exp_of_pair(x, 0.0))
}

unary_faces!(0.7, "exponential", body, exp, exp_at, exp_one, exp_f32, exp_f32_at, exp_f32_one);

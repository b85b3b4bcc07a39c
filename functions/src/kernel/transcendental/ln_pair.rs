//! The natural logarithm as an unevaluated sum of two floats, to about 2^-65 relative: the base of `pow`, `log2` and
//! `log10`, whose exact cases (`pow(10, 2)`, `log10(1000)`) then come out exact.
//!
//! Reduced as `ln.rs`. In ln m = 2 s + (2/3) s^3 + s^5 Q(s^2), the first two terms are computed with their errors kept; the last
//! is below 2^-12 of the whole, so that plain arithmetic serves.

use super::exact::{LN2_HIGH, LN2_LOW, fast_two_sum, polynomial, split_exponent, two_product};

/// Q(z) = (2 atanh(s)/s - 2 - (2/3) z) / z^2 with z = s^2, on |s| <= 0.1716 (fit error of z^2 Q: 2^-72).
const TAIL: [f64; 8] = [
    0.3999999999999998,
    0.2857142857144508,
    0.22222222217543025,
    0.1818181886970886,
    0.15384556901213362,
    0.13336316604000006,
    0.11674829312744989,
    0.11988962291024673,
];

const TWO_THIRDS_HIGH: f64 = 0.6666666666666666;
const TWO_THIRDS_LOW: f64 = 3.700743415417188e-17;

/// ln `x` as a rounded value and the rest; `x` is positive and finite, anything else gives a pair without meaning.
#[inline(always)]
pub(super) fn ln_pair(x: f64) -> (f64, f64) {
    let (k, m) = split_exponent(x);
    let f = m - 1.0;
    let (divisor, divisor_rest) = fast_two_sum(2.0, f);
    let reciprocal = 1.0 / divisor;
    let s = f * reciprocal;
    let (product, product_rest) = two_product(s, divisor);
    let s_rest = ((f - product) - product_rest - s * divisor_rest) * reciprocal;

    let (square, square_error) = two_product(s, s);
    let square_rest = square_error + 2.0 * s * s_rest;
    let (cube, cube_error) = two_product(s, square);
    let cube_rest = cube_error + (s * square_rest + s_rest * square);
    let (third, third_error) = two_product(cube, TWO_THIRDS_HIGH);
    let third_rest = third_error + (cube * TWO_THIRDS_LOW + cube_rest * TWO_THIRDS_HIGH);
    let fifth = cube * square * polynomial(square, &TAIL);

    let (inner, inner_error) = fast_two_sum(2.0 * s, third);
    let (sum, sum_error) = fast_two_sum(k * LN2_HIGH, inner);
    let rest = sum_error + (inner_error + (fifth + (2.0 * s_rest + third_rest) + k * LN2_LOW));
    fast_two_sum(sum, rest)
}

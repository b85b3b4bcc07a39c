//! ln(1 + x), exact in the small: no digits are lost near zero.
//!
//! u = 1 + x is rounded, and its error c is carried along: ln(1 + x) = ln u + c / u, where u is reduced as in `ln.rs`.
//! Since c is below an ulp of u, 1 / (1 + f) is needed to a few bits when f is large, and to f^3 relative when it is small:
//! (1 - f)(1 + f^2) serves both.

use super::exact::{ROUND, canonical, power_of_two, select, split_exponent, two_sum};
use super::ln::ln_of_parts;

#[inline(always)]
fn body(x: f64) -> f64 {
    let (u, c) = two_sum(1.0, x);
    let (k, m) = split_exponent(u);
    let f = m - 1.0;
    // Beyond 2^100 the correction is far below the last bit; the bound keeps 2^-k a normal number.
    let scale = power_of_two(ROUND - select(k > 100.0, 100.0, k));
    let f_rest = (c * scale) * ((1.0 - f) * (1.0 + f * f));
    let value = ln_of_parts(k, f, f_rest);
    let value = select(x == f64::INFINITY, f64::INFINITY, value);
    let value = select(x == -1.0, f64::NEG_INFINITY, value);
    let value = select(x == 0.0, x, value); // zero keeps its sign
    canonical(select(x >= -1.0, value, f64::NAN))
}

unary_faces!(
    1.0,
    "logarithm of one plus x",
    body,
    log1p,
    log1p_at,
    log1p_one,
    log1p_f32,
    log1p_f32_at,
    log1p_f32_one
);

//! The logistic function 1 / (1 + e^-x).
//!
//! With e = e^-|x|, which cannot overflow: 1 / (1 + e) for x >= 0 and e / (1 + e) below. The quotient is corrected to first
//! order for the rounding of 1 + e.

use super::exact::{canonical, fast_two_sum, select, with_sign_of};
use super::exp::exp_of_pair;

#[inline(always)]
fn body(x: f64) -> f64 {
    let e = exp_of_pair(-with_sign_of(x, 1.0), 0.0);
    let (divisor, error) = fast_two_sum(1.0, e);
    let numerator = select(x >= 0.0, 1.0, e);
    let quotient = numerator / divisor;
    let reciprocal = 1.457 - 0.5 * divisor; // within 0.05 of 1 / divisor
    canonical(quotient - quotient * error * reciprocal)
}

unary_faces!(
    1.8,
    "logistic function",
    body,
    sigmoid,
    sigmoid_at,
    sigmoid_one,
    sigmoid_f32,
    sigmoid_f32_at,
    sigmoid_f32_one
);

//! e^x - 1, exact in the small: no digits are lost near zero.
//!
//! Reduced as the exponential (see `exp.rs`), then 2^n (1 + r + t) - 1 = (2^n - 1) + 2^n r + 2^n t, where the first two
//! terms are added with their error kept.

use super::exact::{
    LN2_HIGH, LN2_LOW, LOG2_E, ROUND, canonical, fast_two_sum, polynomial, power_of_two, select,
};
use super::exp::EXP_TAIL;

/// Every argument below gives -1 to the last bit.
const ARGUMENT_MIN: f64 = -50.0;
/// Every argument above gives infinity.
const ARGUMENT_MAX: f64 = 710.0;

/// e^x - 1 as a leading part, a rest below a quarter of it, and a power of two that multiplies both; together within
/// 2^-56 of the value. The power of two is 1 below x = 693.
#[inline(always)]
pub(super) fn expm1_pair(x: f64) -> (f64, f64, f64) {
    let x = select(x > ARGUMENT_MAX, ARGUMENT_MAX, x);
    let x = select(x < ARGUMENT_MIN, ARGUMENT_MIN, x);
    let n = (x * LOG2_E + ROUND) - ROUND;
    let exact = x - n * LN2_HIGH;
    let correction = -(n * LN2_LOW);
    let r = exact + correction;
    let tail = r * r * polynomial(r, &EXP_TAIL) + correction;
    // Up to 2^24 of the scale is held back, so that 2^n does not overflow before the sum.
    let inner = select(n > 1000.0, 1000.0, n);
    let scale = power_of_two(inner + ROUND);
    let held_back = power_of_two((n - inner) + ROUND);
    let offset = scale - 1.0;
    let offset_error = (scale - offset) - 1.0;
    let (sum, error) = fast_two_sum(offset, scale * exact);
    (sum, error + (offset_error + scale * tail), held_back)
}

#[inline(always)]
fn body(x: f64) -> f64 {
    let (leading, rest, held_back) = expm1_pair(x);
    // Zero keeps its sign.
    canonical(select(x == 0.0, x, (leading + rest) * held_back))
}

unary_faces!(
    1.1,
    "exponential less one",
    body,
    expm1,
    expm1_at,
    expm1_one,
    expm1_f32,
    expm1_f32_at,
    expm1_f32_one
);

//! The logarithm to base 10; exact for powers of ten that are floats.

use super::log2::scaled_ln;

const LOG10_E_HIGH: f64 = std::f64::consts::LOG10_E;
const LOG10_E_LOW: f64 = 1.098319650216765e-17;

#[inline(always)]
fn body(x: f64) -> f64 {
    scaled_ln(x, LOG10_E_HIGH, LOG10_E_LOW)
}

unary_faces!(
    0.51,
    "logarithm to base 10",
    body,
    log10,
    log10_at,
    log10_one,
    log10_f32,
    log10_f32_at,
    log10_f32_one
);

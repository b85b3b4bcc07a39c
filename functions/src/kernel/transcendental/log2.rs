//! The logarithm to base 2; exact for powers of two.

use super::exact::{canonical, select, two_product};
use super::ln_pair::ln_pair;

const LOG2_E_HIGH: f64 = std::f64::consts::LOG2_E;
const LOG2_E_LOW: f64 = 2.0355273740931033e-17;

/// ln x / ln `base`, where 1 / ln `base` is `high + low`; the edges are those of the logarithm.
#[inline(always)]
pub(super) fn scaled_ln(x: f64, high: f64, low: f64) -> f64 {
    let (logarithm, rest) = ln_pair(x);
    let (product, error) = two_product(logarithm, high);
    let value = product + (error + (logarithm * low + rest * high));
    let value = select(x == 1.0, 0.0, value);
    let value = select(x == f64::INFINITY, f64::INFINITY, value);
    let value = select(x == 0.0, f64::NEG_INFINITY, value);
    canonical(select(x >= 0.0, value, f64::NAN))
}

#[inline(always)]
fn body(x: f64) -> f64 {
    scaled_ln(x, LOG2_E_HIGH, LOG2_E_LOW)
}

unary_faces!(0.51, "logarithm to base 2", body, log2, log2_at, log2_one, log2_f32, log2_f32_at, log2_f32_one);

//! The hyperbolic tangent.
//!
//! With t = e^(-2|x|) - 1, tanh |x| = -t / (2 + t). The quotient of the rounded parts is corrected to first order for what
//! the rounding of t and of 2 + t left out; 1 / (2 + t), with 2 + t in (1, 2], is needed to a few bits only for that.

use super::exact::{canonical, fast_two_sum, select, with_sign_of};
use super::expm1::expm1_pair;

#[inline(always)]
fn body(x: f64) -> f64 {
    let magnitude = with_sign_of(x, 1.0);
    let (leading, rest, _) = expm1_pair(-2.0 * magnitude);
    let (t, t_rest) = fast_two_sum(leading, rest);
    let (divisor, error) = fast_two_sum(2.0, t);
    let quotient = -t / divisor;
    let reciprocal = 1.457 - 0.5 * divisor; // within 0.05 of 1 / divisor
    let value = quotient - (t_rest + quotient * (error + t_rest)) * reciprocal;
    let value = select(x == 0.0, 0.0, value);
    canonical(select(x.is_nan(), x, with_sign_of(value, x)))
}

unary_faces!(1.5, "hyperbolic tangent", body, tanh, tanh_at, tanh_one, tanh_f32, tanh_f32_at, tanh_f32_one);

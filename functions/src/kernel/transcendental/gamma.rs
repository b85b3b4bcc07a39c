//! The gamma function and the logarithm of its size.
//!
//! Both rest on Stirling's series for z >= 12, ln gamma(z) = (z - 1/2) ln z - z + ln(2 pi)/2 + sum of B(2k) / (2k (2k-1) z^(2k-1)),
//! cut after nine terms (error below 2^-63 at 12) and computed as a pair of floats. Smaller and moderately negative
//! arguments are shifted up by gamma(x) = gamma(x + n) / (x (x + 1) ... (x + n - 1)), with the product as a pair; far
//! negative ones are reflected, gamma(x) = -pi / (x sin(pi x) gamma(-x)). Near its zeros at 1 and 2, ln gamma is
//! a polynomial in the distance to them.
//!
//! Bounds: gamma 1 ulp, and 4 ulp below -20. ln gamma 1.5 ulp for positive arguments; for negative ones, where it has a
//! zero beside every integer, 3 ulp or 2^-58, whichever is larger. The bodies have branches, so slices are not vectorized.

use super::exact::{canonical, fast_two_sum, polynomial, two_product, two_sum};
use super::exp::{exp_of_pair, exp_parts};
use super::ln_pair::ln_pair;
use super::trigonometric::sin_one;

/// Arguments from here on use Stirling's series.
const STIRLING_MIN: f64 = 12.0;
/// Arguments below are reflected.
const SHIFT_MIN: f64 = -20.0;

/// B(2k) / (2k (2k - 1)) for k = 1, 2, ...
const STIRLING: [f64; 9] = [
    0.08333333333333333,
    -0.002777777777777778,
    0.0007936507936507937,
    -0.0005952380952380953,
    0.0008417508417508417,
    -0.0019175269175269176,
    0.00641025641025641,
    -0.029550653594771242,
    0.17964437236883057,
];

const HALF_LN_TWO_PI: (f64, f64) = (0.9189385332046728, -3.8782941580672414e-17);
const LN_PI: (f64, f64) = (1.1447298858494002, 1.0265951162707826e-17);
/// Euler's constant.
const EULER: (f64, f64) = (0.5772156649015329, -4.942915152430645e-18);
/// One less Euler's constant.
const ONE_LESS_EULER: (f64, f64) = (0.42278433509846713, 4.942915152430645e-18);

/// (ln gamma(1 + d) + Euler d) / d^2 on |d| <= 1/4 (fit error 2^-56).
const NEAR_ONE: [f64; 18] = [
    0.8224670334241132,
    -0.40068563438653154,
    0.2705808084277655,
    -0.2073855510285612,
    0.16955717700548734,
    -0.14404989679772046,
    0.12550966820585505,
    -0.11133426248487135,
    0.10009956517368798,
    -0.0909542331467654,
    0.0833489178616388,
    -0.0769243964574117,
    0.07156450990364935,
    -0.0668531285378255,
    0.06047191806819884,
    -0.05635082538052682,
    0.0720135405657797,
    -0.07034421042868172,
];

/// (ln gamma(2 + d) - (1 - Euler) d) / d^2 on |d| <= 1/2 (fit error 2^-61).
const NEAR_TWO: [f64; 19] = [
    0.3224670334241132,
    -0.0673523010531981,
    0.020580808427784588,
    -0.007385551028671971,
    0.0028905103307367832,
    -0.0011927539118443851,
    0.0005096695249655591,
    -0.00022315475396471053,
    9.945750744800767e-05,
    -4.492631393261963e-05,
    2.0507286491828174e-05,
    -9.438710812217568e-06,
    4.3742454442131055e-06,
    -2.0439237069259297e-06,
    9.58378487683646e-07,
    -4.3247976989832394e-07,
    2.0195555717055908e-07,
    -1.3224193447037354e-07,
    6.47615339752568e-08,
];

/// ln gamma(z + rest) for z >= [`STIRLING_MIN`] and a `rest` below an ulp of z, as a pair.
fn stirling(z: f64, rest: f64) -> (f64, f64) {
    let (logarithm, logarithm_rest) = ln_pair(z);
    let factor = z - 0.5;
    let factor_rest = (z - factor) - 0.5;
    let (product, error) = two_product(factor, logarithm);
    if product.is_infinite() {
        return (f64::INFINITY, 0.0);
    }
    let reciprocal = 1.0 / z;
    let series = reciprocal * polynomial(reciprocal * reciprocal, &STIRLING);
    // The derivative of ln gamma, to the bits that `rest` needs.
    let slope = logarithm - 0.5 * reciprocal;
    let product_rest = error + factor * logarithm_rest + factor_rest * logarithm + rest * slope;
    let (sum, sum_error) = two_sum(product, -z);
    let (sum, constant_error) = two_sum(sum, HALF_LN_TWO_PI.0);
    fast_two_sum(sum, (sum_error + constant_error) + (product_rest + HALF_LN_TWO_PI.1 + series))
}

/// An argument shifted up to at least [`STIRLING_MIN`], and the product of the steps passed, each as a pair.
fn shift_up(x: f64) -> ((f64, f64), (f64, f64)) {
    let mut product = (1.0, 0.0);
    let mut steps = 0.0;
    let mut current = (x, 0.0);
    while current.0 < STIRLING_MIN {
        let (high, error) = two_product(product.0, current.0);
        product = fast_two_sum(high, error + (product.0 * current.1 + product.1 * current.0));
        steps += 1.0;
        current = two_sum(x, steps);
    }
    (current, product)
}

/// sin(pi x) for a finite x that is no integer, and its sign.
fn sine_of_half_turns(x: f64) -> f64 {
    let nearest = x.round_ties_even();
    let fraction = x - nearest;
    let sine = sin_one(fraction * std::f64::consts::PI);
    if nearest.rem_euclid(2.0) == 1.0 { -sine } else { sine }
}

fn gamma_body(x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY.copysign(x);
    }
    if x == f64::INFINITY {
        return x;
    }
    if x.is_nan() || x < 0.0 && x == x.floor() {
        return f64::NAN;
    }
    if x > 0.0 && x <= 23.0 && x == x.floor() {
        return (2..x as u64).fold(1.0, |product, factor| product * factor as f64);
    }
    if x.abs() < 1e-18 {
        return 1.0 / x;
    }
    if x >= SHIFT_MIN {
        let (shifted, product) = shift_up(x);
        let (high, low) = stirling(shifted.0, shifted.1);
        let grown = exp_parts(high, low);
        let quotient = grown.leading / product.0;
        let (back, error) = two_product(quotient, product.0);
        let missing = ((grown.leading - back) - error) + (grown.rest - quotient * product.1);
        return canonical((quotient + missing / product.0) * grown.scale[0] * grown.scale[1]);
    }
    // Two factors, since 1 / gamma(-x) may be subnormal before the division by a small sine.
    let (high, low) = stirling(-x, 0.0);
    let half = exp_of_pair(-0.5 * high, -0.5 * low);
    canonical((-std::f64::consts::PI / (x * sine_of_half_turns(x)) * half) * half)
}

fn ln_gamma_body(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x.is_infinite() || x <= 0.0 && x == x.floor() {
        return f64::INFINITY;
    }
    if x.abs() < 1e-18 {
        return -super::ln::ln_one(x.abs());
    }
    if (x - 1.0).abs() <= 0.25 {
        let d = x - 1.0;
        return near_zero(d, (-EULER.0, -EULER.1), polynomial(d, &NEAR_ONE));
    }
    if (x - 2.0).abs() <= 0.5 {
        let d = x - 2.0;
        return near_zero(d, ONE_LESS_EULER, polynomial(d, &NEAR_TWO));
    }
    if x >= SHIFT_MIN {
        let (shifted, product) = shift_up(x);
        let (high, low) = stirling(shifted.0, shifted.1);
        if high == f64::INFINITY {
            return high;
        }
        let (product_high, product_low) = ln_pair(product.0.abs());
        let (difference, error) = two_sum(high, -product_high);
        return difference + (error + (low - product_low - product.1 / product.0));
    }
    let (high, low) = stirling(-x, 0.0);
    if high == f64::INFINITY {
        return f64::NEG_INFINITY;
    }
    let (sine_high, sine_low) = ln_pair((x * sine_of_half_turns(x)).abs());
    let (sum, error) = two_sum(-high, -sine_high);
    let (sum, pi_error) = two_sum(sum, LN_PI.0);
    sum + (error + pi_error + (LN_PI.1 - low - sine_low))
}

/// slope d + d^2 curve, with the leading product exact.
fn near_zero(d: f64, slope: (f64, f64), curve: f64) -> f64 {
    if d == 0.0 {
        return 0.0;
    }
    let (product, error) = two_product(d, slope.0);
    product + (error + d * slope.1 + d * d * curve)
}

unary_faces!(
    "1 (4 below -20)",
    "gamma function",
    gamma_body,
    gamma,
    gamma_at,
    gamma_one,
    gamma_f32,
    gamma_f32_at,
    gamma_f32_one
);
unary_faces!(
    "1.5 (of positive arguments)",
    "logarithm of the size of the gamma function",
    ln_gamma_body,
    ln_gamma,
    ln_gamma_at,
    ln_gamma_one,
    ln_gamma_f32,
    ln_gamma_f32_at,
    ln_gamma_f32_one
);

//! Hyperbolic sine and cosine and the inverse hyperbolic functions.
//!
//! - sinh x = (t + t / (t + 1)) / 2 and cosh x = 1 + t^2 / (2 (t + 1)) with t = e^|x| - 1, and e^(|x| - ln 2) where e^-|x|
//!   no longer matters;
//! - asinh, acosh and atanh through the logarithm of a pair 1 + f + rest, so that nothing is lost near their zeros.

use super::exact::{canonical, fast_two_sum, select, split_exponent, two_product, two_sum, with_sign_of};
use super::exp::exp_of_pair;
use super::expm1::expm1_pair;
use super::ln::ln_of_parts;

/// ln 2 as a rounded value and the rest.
const LN2: (f64, f64) = (std::f64::consts::LN_2, 2.319046813846299e-17);

/// Above, e^-x is below 2^-57 of e^x.
const LARGE: f64 = 20.0;

/// e^(size - ln 2), which overflows only where half of e^size does.
#[inline(always)]
fn half_exponential(size: f64) -> f64 {
    let (sum, error) = two_sum(size, -LN2.0);
    exp_of_pair(sum, error - LN2.1)
}

#[inline(always)]
fn hyperbolic_sine(x: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    let bounded = select(size > LARGE, LARGE, size);
    let (leading, rest, _) = expm1_pair(bounded);
    let (t, t_rest) = fast_two_sum(leading, rest);
    // Half of t + t / (t + 1); the rest of t counts with the derivative, 1 + 1 / (t + 1)^2.
    let (divisor, divisor_rest) = two_sum(1.0, t);
    let quotient = t / divisor;
    let reciprocal = 1.0 / divisor;
    let (sum, error) = fast_two_sum(t, quotient);
    let small = 0.5
        * (sum + (error + t_rest * (1.0 + reciprocal * reciprocal) - quotient * divisor_rest * reciprocal));
    let value = select(size > LARGE, half_exponential(size), small);
    let value = select(size == 0.0, 0.0, value);
    canonical(select(x.is_nan(), x, with_sign_of(value, x)))
}

#[inline(always)]
fn hyperbolic_cosine(x: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    let bounded = select(size > LARGE, LARGE, size);
    let grown = exp_of_pair(bounded, 0.0);
    let small = 0.5 * grown + 0.5 / grown;
    canonical(select(size > LARGE, half_exponential(size), small))
}

/// ln(high + low) for a positive `high` and a `low` below 2^-20 of it.
#[inline(always)]
fn ln_of_sum(high: f64, low: f64) -> f64 {
    let (sum, rest) = fast_two_sum(high, low);
    let (k, m) = split_exponent(sum);
    ln_of_parts(k, m - 1.0, rest / sum)
}

/// ln(1 + high + low), for high + low > -1 and a small `low`.
#[inline(always)]
fn log1p_of_pair(high: f64, low: f64) -> f64 {
    let (sum, error) = two_sum(1.0, high);
    ln_of_sum(sum, error + low)
}

/// The square root of a pair, as a pair.
#[inline(always)]
fn square_root(high: f64, low: f64) -> (f64, f64) {
    let root = high.sqrt();
    let (product, error) = two_product(root, root);
    let rest = (((high - product) - error) + low) / (root + root);
    fast_two_sum(root, select(root > 0.0, rest, 0.0))
}

/// asinh x = ln(1 + x + (sqrt(1 + x^2) - 1)), and sqrt(1 + x^2) - 1 = x^2 / (1 + sqrt(1 + x^2)).
#[inline(always)]
fn inverse_hyperbolic_sine(x: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    let bounded = select(size > 1e8, 1e8, size);
    let bounded = select(size < 1e-9, 1e-9, bounded);
    let (square, square_rest) = two_product(bounded, bounded);
    let (radicand, radicand_error) = two_sum(1.0, square);
    let (root, root_rest) = square_root(radicand, radicand_error + square_rest);
    let (divisor, divisor_error) = fast_two_sum(root, 1.0);
    let divisor_rest = divisor_error + root_rest;
    let quotient = square / divisor;
    let (product, error) = two_product(quotient, divisor);
    let quotient_rest = (((square - product) - error) + (square_rest - quotient * divisor_rest)) / divisor;
    let (sum, sum_error) = fast_two_sum(bounded, quotient);
    let middle = log1p_of_pair(sum, sum_error + quotient_rest);
    let value = select(size > 1e8, ln_of_large(size), middle);
    let value = select(size < 1e-9, size, value);
    canonical(select(x.is_nan(), x, with_sign_of(value, x)))
}

/// ln(2 size) where 2 size may overflow.
#[inline(always)]
fn ln_of_large(size: f64) -> f64 {
    let (k, m) = split_exponent(size);
    let value = ln_of_parts(k + 1.0, m - 1.0, 0.0);
    select(size == f64::INFINITY, f64::INFINITY, value)
}

/// acosh x = ln(1 + d + sqrt(d (d + 2))) with d = x - 1.
#[inline(always)]
fn inverse_hyperbolic_cosine(x: f64) -> f64 {
    let bounded = select(x > 1e9, 1e9, x);
    let d = bounded - 1.0; // exact up to 2^53: an f64 of at least 1 has no bits below those of 1
    let (sum, sum_error) = two_sum(d, 2.0);
    let (square, square_error) = two_product(d, sum);
    let (root, root_rest) = square_root(square, square_error + d * sum_error);
    let (large, small) = (select(d > root, d, root), select(d > root, root, d));
    let (total, total_error) = fast_two_sum(large, small);
    let middle = log1p_of_pair(total, total_error + root_rest);
    let value = select(x > 1e9, ln_of_large(x), middle);
    let value = select(x == 1.0, 0.0, value);
    canonical(select(x >= 1.0, value, f64::NAN))
}

/// atanh x = ln((1 + x) / (1 - x)) / 2 = ln(1 + 2 x / (1 - x)) / 2.
#[inline(always)]
fn inverse_hyperbolic_tangent(x: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    let bounded = select(size < 1e-9, 1e-9, size);
    let (divisor, divisor_rest) = fast_two_sum(1.0, -bounded);
    let above = 2.0 * bounded;
    let quotient = above / divisor;
    let (product, error) = two_product(quotient, divisor);
    let rest = (((above - product) - error) - quotient * divisor_rest) / divisor;
    let value = 0.5 * log1p_of_pair(quotient, rest);
    let value = select(size < 1e-9, size, value);
    let value = select(size == 1.0, f64::INFINITY, value);
    canonical(select(size <= 1.0, with_sign_of(value, x), f64::NAN))
}

unary_faces!(
    1.0,
    "hyperbolic sine",
    hyperbolic_sine,
    sinh,
    sinh_at,
    sinh_one,
    sinh_f32,
    sinh_f32_at,
    sinh_f32_one
);
unary_faces!(
    1.2,
    "hyperbolic cosine",
    hyperbolic_cosine,
    cosh,
    cosh_at,
    cosh_one,
    cosh_f32,
    cosh_f32_at,
    cosh_f32_one
);
unary_faces!(
    1.0,
    "inverse hyperbolic sine",
    inverse_hyperbolic_sine,
    asinh,
    asinh_at,
    asinh_one,
    asinh_f32,
    asinh_f32_at,
    asinh_f32_one
);
unary_faces!(
    1.0,
    "inverse hyperbolic cosine",
    inverse_hyperbolic_cosine,
    acosh,
    acosh_at,
    acosh_one,
    acosh_f32,
    acosh_f32_at,
    acosh_f32_one
);
unary_faces!(
    1.0,
    "inverse hyperbolic tangent",
    inverse_hyperbolic_tangent,
    atanh,
    atanh_at,
    atanh_one,
    atanh_f32,
    atanh_f32_at,
    atanh_f32_one
);

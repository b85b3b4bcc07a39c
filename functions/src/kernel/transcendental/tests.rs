//! Bounds in ulp against values of high precision and against the standard library, edges, and equality of all faces.

use super::oracle::{self, Point};
use super::*;
use crate::kernel::level::Level;

type One = fn(f64) -> f64;
type Slice = fn(Level, &[f64], &mut [f64]);
type OneF32 = fn(f32) -> f32;
type SliceF32 = fn(Level, &[f32], &mut [f32]);

/// One function with its faces, its bound in ulp and what it is compared with.
struct Case {
    name: &'static str,
    one: One,
    slice: Slice,
    one_f32: OneF32,
    slice_f32: SliceF32,
    bound: f64,
    oracle: &'static [Point],
    standard: One,
}

macro_rules! case {
    ($name:literal, $one:ident, $slice:ident, $f32:ident, $slice_f32:ident, $bound:literal, $oracle:expr, $standard:expr) => {
        Case {
            name: $name,
            one: $one,
            slice: $slice,
            one_f32: $f32,
            slice_f32: $slice_f32,
            bound: $bound,
            oracle: $oracle,
            standard: $standard,
        }
    };
}

const CASES: &[Case] = &[
    case!("exp", exp_one, exp_at, exp_f32_one, exp_f32_at, 0.7, oracle::EXP, f64::exp),
    case!("expm1", expm1_one, expm1_at, expm1_f32_one, expm1_f32_at, 1.1, oracle::EXPM1, f64::exp_m1),
    case!("ln", ln_one, ln_at, ln_f32_one, ln_f32_at, 0.9, oracle::LN, f64::ln),
    case!("log1p", log1p_one, log1p_at, log1p_f32_one, log1p_f32_at, 1.0, oracle::LOG1P, f64::ln_1p),
    case!("tanh", tanh_one, tanh_at, tanh_f32_one, tanh_f32_at, 1.5, oracle::TANH, f64::tanh),
    case!("sigmoid", sigmoid_one, sigmoid_at, sigmoid_f32_one, sigmoid_f32_at, 1.8, oracle::SIGMOID, |x| {
        let e = (-x.abs()).exp();
        if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
    }),
];

/// Distance between neighbours at the size of `value`.
fn ulp(value: f64) -> f64 {
    let size = value.abs().max(f64::MIN_POSITIVE);
    f64::from_bits(size.to_bits() + 1) - size
}

/// A sequence of 64-bit numbers without visible pattern.
fn random_bits(count: usize, seed: u64) -> impl Iterator<Item = u64> {
    (0..count as u64).map(move |index| {
        let mut state = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed;
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    })
}

/// Floats of all sizes and signs, with the special ones in front.
fn arguments(count: usize) -> Vec<f64> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
        5e-324,
        -5e-324,
        f64::MAX,
    ];
    let moderate = random_bits(count / 2, 1).map(|bits| (bits as i64 as f64) / 2f64.powi(58));
    let any = random_bits(count / 2, 2).map(f64::from_bits);
    special.into_iter().chain(moderate).chain(any).collect()
}

#[test]
fn errors_stay_within_the_stated_bounds() {
    for case in CASES {
        for &(x, _, value, rest) in case.oracle {
            let result = (case.one)(x);
            let error = ((result - value) - rest).abs() / ulp(value);
            // A subnormal result is rounded twice.
            let bound =
                if value.abs() < f64::MIN_POSITIVE * 2.0 { 1.0f64.max(case.bound) } else { case.bound };
            assert!(error <= bound, "{}({x:e}) = {result:e}: {error} ulp", case.name);
        }
    }
}

#[test]
fn results_agree_with_the_standard_library() {
    // The standard library is within 1 ulp of the value, the composed comparison functions within 2.
    for case in CASES {
        for x in arguments(if cfg!(debug_assertions) { 20_000 } else { 2_000_000 }) {
            let (result, standard) = ((case.one)(x), (case.standard)(x));
            if standard.is_nan() || standard.is_infinite() || standard == 0.0 {
                assert!(
                    same(result, standard) || close_to_overflow(result, standard),
                    "{}({x:e}): {result:e} {standard:e}",
                    case.name
                );
            } else {
                let error = (result - standard).abs() / ulp(standard);
                assert!(error <= case.bound + 2.0, "{}({x:e}): {result:e} {standard:e}", case.name);
            }
        }
    }
}

/// Both are NaN, or equal with equal signs.
fn same(left: f64, right: f64) -> bool {
    (left.is_nan() && right.is_nan()) || left.to_bits() == right.to_bits()
}

/// One of the two rounds to the largest float or the smallest, the other beyond.
fn close_to_overflow(result: f64, standard: f64) -> bool {
    (standard.is_infinite() && result.abs() == f64::MAX) || (standard == 0.0 && result.abs() == 5e-324)
}

#[test]
fn every_face_and_level_gives_the_same_bits() {
    let input = arguments(2_000);
    let input_f32: Vec<f32> = input.iter().map(|&x| x as f32).collect();
    for case in CASES {
        let expected: Vec<u64> = input.iter().map(|&x| (case.one)(x).to_bits()).collect();
        let expected_f32: Vec<u32> = input_f32.iter().map(|&x| (case.one_f32)(x).to_bits()).collect();
        for level in Level::available() {
            for length in [0, 1, 2, 3, 7, 8, 9, 31, 33, input.len()] {
                let mut output = vec![0.0; length];
                (case.slice)(level, &input[..length], &mut output);
                let bits: Vec<u64> = output.iter().map(|value| value.to_bits()).collect();
                assert_eq!(bits, expected[..length], "{} at {level}", case.name);
                let mut output = vec![0.0; length];
                (case.slice_f32)(level, &input_f32[..length], &mut output);
                let bits: Vec<u32> = output.iter().map(|value| value.to_bits()).collect();
                assert_eq!(bits, expected_f32[..length], "{} of f32 at {level}", case.name);
            }
        }
    }
}

#[test]
fn nan_comes_out_as_the_one_positive_quiet_nan() {
    for case in CASES {
        for nan in [
            f64::NAN,
            -f64::NAN,
            f64::from_bits(0x7ff0_0000_0000_0001),
            f64::from_bits(0xffff_ffff_ffff_ffff),
        ] {
            assert_eq!((case.one)(nan).to_bits(), f64::NAN.to_bits(), "{}", case.name);
        }
    }
}

#[test]
fn edges_of_the_exponentials() {
    assert_eq!(exp_one(0.0), 1.0);
    assert_eq!(exp_one(f64::INFINITY), f64::INFINITY);
    assert_eq!(exp_one(f64::NEG_INFINITY).to_bits(), 0);
    assert_eq!(exp_one(709.782_712_893_384), 1.797_693_134_862_273_2e308);
    assert_eq!(exp_one(709.782_712_893_385), f64::INFINITY);
    assert_eq!(exp_one(-745.133_219_101_941), 5e-324);
    assert_eq!(exp_one(-745.2), 0.0);
    assert_eq!(expm1_one(-0.0).to_bits(), (-0.0f64).to_bits());
    assert_eq!(expm1_one(f64::NEG_INFINITY), -1.0);
    assert_eq!(expm1_one(f64::INFINITY), f64::INFINITY);
    assert_eq!(expm1_one(1e-300), 1e-300);
    assert_eq!(expm1_one(5e-324), 5e-324);
}

#[test]
fn edges_of_the_logarithms() {
    for (ln, name) in [(ln_one as One, "ln")] {
        assert_eq!(ln(0.0), f64::NEG_INFINITY, "{name}");
        assert_eq!(ln(-0.0), f64::NEG_INFINITY, "{name}");
        assert_eq!(ln(1.0).to_bits(), 0, "{name}");
        assert_eq!(ln(f64::INFINITY), f64::INFINITY, "{name}");
        assert!(ln(-1.0).is_nan() && ln(-5e-324).is_nan() && ln(f64::NEG_INFINITY).is_nan(), "{name}");
    }
    assert_eq!(ln_one(5e-324), -744.440_071_921_381_2);
    assert_eq!(log1p_one(-1.0), f64::NEG_INFINITY);
    assert!(log1p_one(-1.000_000_000_000_000_2).is_nan());
    assert_eq!(log1p_one(f64::MAX), 709.782_712_893_384);
    assert_eq!(log1p_one(-0.0).to_bits(), (-0.0f64).to_bits());
    assert_eq!(log1p_one(5e-324), 5e-324);
    assert_eq!(log1p_one(-1e-300), -1e-300);
}

#[test]
fn edges_of_the_sigmoids() {
    assert_eq!(tanh_one(-0.0).to_bits(), (-0.0f64).to_bits());
    assert_eq!(tanh_one(f64::INFINITY), 1.0);
    assert_eq!(tanh_one(f64::NEG_INFINITY), -1.0);
    assert_eq!(tanh_one(5e-324), 5e-324);
    assert_eq!(sigmoid_one(0.0), 0.5);
    assert_eq!(sigmoid_one(f64::INFINITY), 1.0);
    assert_eq!(sigmoid_one(f64::NEG_INFINITY), 0.0);
    assert_eq!(sigmoid_one(1.1) as f32, 0.750_260_1);
    assert_eq!(sigmoid_one(-2.0) as f32, 0.119_202_92);
}

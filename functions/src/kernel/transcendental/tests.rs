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
    /// The standard library's function, where it has one.
    standard: Option<One>,
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
    case!("exp", exp_one, exp_at, exp_f32_one, exp_f32_at, 0.7, oracle::EXP, Some(f64::exp)),
    case!("expm1", expm1_one, expm1_at, expm1_f32_one, expm1_f32_at, 1.1, oracle::EXPM1, Some(f64::exp_m1)),
    case!("ln", ln_one, ln_at, ln_f32_one, ln_f32_at, 0.9, oracle::LN, Some(f64::ln)),
    case!("log1p", log1p_one, log1p_at, log1p_f32_one, log1p_f32_at, 1.0, oracle::LOG1P, Some(f64::ln_1p)),
    case!("tanh", tanh_one, tanh_at, tanh_f32_one, tanh_f32_at, 1.5, oracle::TANH, Some(f64::tanh)),
    case!("sigmoid", sigmoid_one, sigmoid_at, sigmoid_f32_one, sigmoid_f32_at, 1.8, oracle::SIGMOID, None),
    case!("log2", log2_one, log2_at, log2_f32_one, log2_f32_at, 0.51, oracle::LOG2, Some(f64::log2)),
    case!("log10", log10_one, log10_at, log10_f32_one, log10_f32_at, 0.51, oracle::LOG10, Some(f64::log10)),
    case!("sin", sin_one, sin_at, sin_f32_one, sin_f32_at, 0.8, oracle::SIN, Some(f64::sin)),
    case!("cos", cos_one, cos_at, cos_f32_one, cos_f32_at, 0.9, oracle::COS, Some(f64::cos)),
    case!("tan", tan_one, tan_at, tan_f32_one, tan_f32_at, 1.0, oracle::TAN, Some(f64::tan)),
    case!("asin", asin_one, asin_at, asin_f32_one, asin_f32_at, 0.8, oracle::ASIN, Some(f64::asin)),
    case!("acos", acos_one, acos_at, acos_f32_one, acos_f32_at, 0.8, oracle::ACOS, Some(f64::acos)),
    case!("atan", atan_one, atan_at, atan_f32_one, atan_f32_at, 0.8, oracle::ATAN, Some(f64::atan)),
    case!("sinh", sinh_one, sinh_at, sinh_f32_one, sinh_f32_at, 1.0, oracle::SINH, Some(f64::sinh)),
    case!("cosh", cosh_one, cosh_at, cosh_f32_one, cosh_f32_at, 1.2, oracle::COSH, Some(f64::cosh)),
    case!("asinh", asinh_one, asinh_at, asinh_f32_one, asinh_f32_at, 1.0, oracle::ASINH, None),
    case!("acosh", acosh_one, acosh_at, acosh_f32_one, acosh_f32_at, 1.0, oracle::ACOSH, None),
    case!("atanh", atanh_one, atanh_at, atanh_f32_one, atanh_f32_at, 1.0, oracle::ATANH, None),
    case!("cbrt", cbrt_one, cbrt_at, cbrt_f32_one, cbrt_f32_at, 0.51, oracle::CBRT, Some(f64::cbrt)),
    case!("gamma", gamma_one, gamma_at, gamma_f32_one, gamma_f32_at, 4.0, oracle::GAMMA, None),
    case!(
        "ln_gamma",
        ln_gamma_one,
        ln_gamma_at,
        ln_gamma_f32_one,
        ln_gamma_f32_at,
        3.0,
        oracle::LN_GAMMA,
        None
    ),
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
            // Beside its zeros at negative arguments, ln gamma is right in absolute terms only.
            if case.name == "ln_gamma" && x < 0.0 && ((result - value) - rest).abs() < 2f64.powi(-58) {
                continue;
            }
            // A subnormal result is rounded twice.
            let bound =
                if value.abs() < f64::MIN_POSITIVE * 2.0 { 1.0f64.max(case.bound) } else { case.bound };
            assert!(error <= bound, "{}({x:e}) = {result:e}: {error} ulp", case.name);
        }
    }
}

#[test]
fn results_agree_with_the_standard_library() {
    // The standard library is within 2 ulp of the value.
    for case in CASES {
        let Some(standard) = case.standard else { continue };
        for x in arguments(if cfg!(debug_assertions) { 20_000 } else { 2_000_000 }) {
            let (result, standard) = ((case.one)(x), standard(x));
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
    for (ln, name) in [(ln_one as One, "ln"), (log2_one, "log2"), (log10_one, "log10")] {
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

#[test]
fn powers_and_logarithms_that_are_floats_are_exact() {
    for base in 1..40i32 {
        for exponent in 0..40u32 {
            let Some(power) = i64::from(base).checked_pow(exponent).filter(|&power| power < 1 << 53) else {
                break;
            };
            assert_eq!(pow_one(f64::from(base), f64::from(exponent)), power as f64, "{base}^{exponent}");
            assert_eq!(pow_one(power as f64, 1.0), power as f64);
        }
    }
    for exponent in 0..=22 {
        assert_eq!(log10_one(10f64.powi(exponent)), f64::from(exponent));
    }
    for exponent in -1022..1024 {
        assert_eq!(log2_one(f64::from_bits(((exponent + 1023) as u64) << 52)), exponent as f64);
    }
    assert_eq!(log2_one(5e-324), -1074.0);
    assert_eq!(pow_one(2.0, -1074.0), 5e-324);
    assert_eq!(pow_one(2.0, 0.5), std::f64::consts::SQRT_2);
}

#[test]
fn powers_follow_ieee_754_at_the_edges() {
    let values = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        -2.0,
        3.0,
        -3.0,
        1e300,
        -1e300,
        1e-300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        5e-324,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        4_503_599_627_370_497.0,
        0.999_999_999_999_999_9,
    ];
    for x in values {
        for y in values {
            let (result, standard) = (pow_one(x, y), x.powf(y));
            let close = (result - standard).abs() <= 3.0 * ulp(standard);
            assert!(same(result, standard) || (close && standard != 0.0), "{x}^{y}: {result} {standard}");
        }
    }
}

#[test]
fn powers_agree_with_values_of_high_precision() {
    for &(x, y, value, rest) in oracle::POW {
        let error = ((pow_one(x, y) - value) - rest).abs() / ulp(value);
        assert!(error <= 1.2, "{x}^{y}: {error} ulp");
    }
}

#[test]
fn powers_of_slices_give_the_bits_of_single_powers() {
    let base = arguments(1_000);
    let exponent: Vec<f64> = base.iter().rev().copied().collect();
    let base_f32: Vec<f32> = base.iter().map(|&x| x as f32).collect();
    let exponent_f32: Vec<f32> = exponent.iter().map(|&x| x as f32).collect();
    for level in Level::available() {
        let mut output = vec![0.0; base.len()];
        pow_at(level, &base, &exponent, &mut output);
        let mut constant = vec![0.0; base.len()];
        pow_constant_at(level, &base, 1.75, &mut constant);
        let mut output_f32 = vec![0.0; base.len()];
        pow_f32_at(level, &base_f32, &exponent_f32, &mut output_f32);
        for index in 0..base.len() {
            assert_eq!(output[index].to_bits(), pow_one(base[index], exponent[index]).to_bits());
            assert_eq!(constant[index].to_bits(), pow_one(base[index], 1.75).to_bits());
            assert_eq!(
                output_f32[index].to_bits(),
                pow_f32_one(base_f32[index], exponent_f32[index]).to_bits()
            );
        }
    }
}

#[test]
fn arc_tangent_of_two_arguments_follows_ieee_754() {
    let values = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -2.5,
        1e308,
        -1e308,
        1e-308,
        -5e-324,
        5e-324,
        1e-300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        1e200,
    ];
    for y in values {
        for x in values {
            let (result, standard) = (atan2_one(y, x), y.atan2(x));
            assert!(
                same(result, standard) || (result - standard).abs() <= 2.0 * ulp(standard),
                "{y} {x}: {result} {standard}"
            );
        }
    }
    for &(y, x, value, rest) in oracle::ATAN2 {
        let error = ((atan2_one(y, x) - value) - rest).abs() / ulp(value);
        assert!(error <= 1.0, "atan2({y}, {x}): {error} ulp");
    }
}

#[test]
fn edges_of_the_gamma_function() {
    assert_eq!(gamma_one(5.0), 24.0);
    assert_eq!(gamma_one(0.5), 1.772_453_850_905_516);
    assert_eq!(gamma_one(0.0), f64::INFINITY);
    assert_eq!(gamma_one(-0.0), f64::NEG_INFINITY);
    assert!(gamma_one(-3.0).is_nan() && gamma_one(f64::NEG_INFINITY).is_nan());
    assert_eq!(gamma_one(172.0), f64::INFINITY);
    assert_eq!(gamma_one(-1000.5), 0.0);
    assert_eq!(ln_gamma_one(1.0).to_bits(), 0);
    assert_eq!(ln_gamma_one(2.0).to_bits(), 0);
    assert_eq!(ln_gamma_one(0.0), f64::INFINITY);
    assert_eq!(ln_gamma_one(-2.0), f64::INFINITY);
    assert_eq!(ln_gamma_one(f64::NEG_INFINITY), f64::INFINITY);
    assert_eq!(ln_gamma_one(1e306), f64::INFINITY);
}

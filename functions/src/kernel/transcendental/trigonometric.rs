//! Sine, cosine and tangent, one body for all three.
//!
//! The angle is reduced to |y| <= pi/4 (see `angle.rs`), sin y = y + y^3 S(y^2) and cos y = 1 - y^2/2 + y^4 C(y^2) (fit errors
//! 2^-68 and 2^-75) are both computed, and the quarter turns choose between them and give the sign. Slices run
//! the reduction of small angles, which vectorizes, over all values, and then correct the rare large ones.

use super::angle::{ANGLE_MAX, Angle, reduce, reduce_large};
use super::exact::{canonical, fast_two_sum, polynomial, select, two_product, with_sign_of};

/// S(z) = (sin y - y) / y^3 with z = y^2, on |y| <= pi/4.
const SINE: [f64; 7] = [
    -0.16666666666666666,
    0.008333333333333323,
    -0.00019841269841255142,
    2.7557319214227908e-06,
    -2.505210492114862e-08,
    1.6058367823911268e-10,
    -7.57875634006249e-13,
];

/// C(z) = (cos y - 1 + z/2) / z^2 with z = y^2, on |y| <= pi/4.
const COSINE: [f64; 7] = [
    0.041666666666666664,
    -0.0013888888888888874,
    2.4801587301571537e-05,
    -2.7557319215392406e-07,
    2.087675436968913e-09,
    -1.1470293648559085e-11,
    4.7381256153594623e-14,
];

/// Sine and cosine of a reduced angle, each as a leading part and a rest below a fifth of it.
#[inline(always)]
fn sine_and_cosine(angle: Angle) -> ((f64, f64), (f64, f64)) {
    let Angle { remainder: y, rest, .. } = angle;
    let square = y * y;
    let sine_rest = y * square * polynomial(square, &SINE) + rest * (1.0 - 0.5 * square);
    let half_square = 0.5 * square;
    let (cosine, cosine_error) = fast_two_sum(1.0, -half_square);
    let cosine_rest = cosine_error + (square * square * polynomial(square, &COSINE) - y * rest);
    ((y, sine_rest), (cosine, cosine_rest))
}

#[inline(always)]
fn negate_if(condition: bool, value: f64) -> f64 {
    f64::from_bits(value.to_bits() ^ (u64::from(condition) << 63))
}

/// The sine of the angle with `ahead` quarter turns added: 0 for the sine, 1 for the cosine.
#[inline(always)]
fn sine_of(angle: Angle, ahead: u64) -> f64 {
    let (sine, cosine) = sine_and_cosine(angle);
    let turns = angle.quarter_turns + ahead;
    let odd = turns & 1 == 1;
    let value = select(odd, cosine.0 + cosine.1, sine.0 + sine.1);
    negate_if(turns & 2 == 2, value)
}

/// The quotient of sine and cosine, corrected to first order for the rounding of both and of the quotient.
#[inline(always)]
fn tangent_of(angle: Angle) -> f64 {
    let (sine, cosine) = sine_and_cosine(angle);
    let sine = fast_two_sum(sine.0, sine.1);
    let cosine = fast_two_sum(cosine.0, cosine.1);
    let odd = angle.quarter_turns & 1 == 1;
    let (above, above_rest) = (select(odd, cosine.0, sine.0), select(odd, cosine.1, sine.1));
    let (below, below_rest) = (select(odd, sine.0, cosine.0), select(odd, sine.1, cosine.1));
    let quotient = above / below;
    let (product, error) = two_product(quotient, below);
    let missing = ((above - product) - error) + (above_rest - quotient * below_rest);
    negate_if(odd, quotient + missing / below)
}

#[inline(always)]
fn sin_reduced(x: f64, angle: Angle) -> f64 {
    select(x == 0.0, x, sine_of(angle, 0))
}

#[inline(always)]
fn cos_reduced(_: f64, angle: Angle) -> f64 {
    sine_of(angle, 1)
}

#[inline(always)]
fn tan_reduced(x: f64, angle: Angle) -> f64 {
    // The errors of products of numbers this small would underflow.
    select(with_sign_of(x, 1.0) < 1e-150, x, tangent_of(angle))
}

#[inline(always)]
fn is_large(x: f64) -> bool {
    with_sign_of(x, 1.0) > ANGLE_MAX
}

/// Applies `body` to one angle of any size.
#[inline(always)]
fn any_angle(x: f64, body: impl Fn(f64, Angle) -> f64) -> f64 {
    if x.is_infinite() || x.is_nan() {
        f64::NAN
    } else if is_large(x) {
        canonical(body(x, reduce_large(x)))
    } else {
        canonical(body(x, reduce(x)))
    }
}

/// Applies `body` to every angle: all as small ones first, then the large ones again.
#[inline(always)]
fn every_angle(input: &[f64], output: &mut [f64], body: impl Fn(f64, Angle) -> f64) {
    assert_eq!(input.len(), output.len());
    let mut any_large = false;
    for (result, &x) in output.iter_mut().zip(input) {
        *result = canonical(body(x, reduce(x)));
        any_large |= is_large(x);
    }
    if any_large {
        for (result, &x) in output.iter_mut().zip(input) {
            if is_large(x) {
                *result = any_angle(x, &body);
            }
        }
    }
}

/// As [`every_angle`], for `f32`.
#[inline(always)]
fn every_angle_f32(input: &[f32], output: &mut [f32], body: impl Fn(f64, Angle) -> f64) {
    assert_eq!(input.len(), output.len());
    let mut any_large = false;
    for (result, &x) in output.iter_mut().zip(input) {
        let x = f64::from(x);
        *result = canonical(body(x, reduce(x))) as f32;
        any_large |= is_large(x);
    }
    if any_large {
        for (result, &x) in output.iter_mut().zip(input) {
            if is_large(f64::from(x)) {
                *result = any_angle(f64::from(x), &body) as f32;
            }
        }
    }
}

/// Declares the faces of one of the three functions, as `unary_faces!` does for functions without a large case.
macro_rules! angle_faces {
    (
        $bound:literal, $what:literal, $body:path,
        $slice:ident, $slice_at:ident, $one:ident, $slice_f32:ident, $slice_f32_at:ident, $one_f32:ident
    ) => {
        #[doc = concat!("The ", $what, " of one angle in radians, within ", $bound, " ulp; NaN for infinities.")]
        #[inline]
        pub fn $one(x: f64) -> f64 {
            any_angle(x, $body)
        }

        #[doc = concat!("The ", $what, " of one `f32` angle in radians, computed in `f64` and rounded once.")]
        #[inline]
        pub fn $one_f32(x: f32) -> f32 {
            any_angle(f64::from(x), $body) as f32
        }

        at_each_level! {
            #[doc = concat!("The ", $what, " of every angle in radians, within ", $bound, " ulp; NaN for infinities.")]
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $slice / $slice_at(input: &[f64], output: &mut [f64]) {
                every_angle(input, output, $body);
            }

            #[doc = concat!("The ", $what, " of every `f32` angle in radians, computed in `f64` and rounded once.")]
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $slice_f32 / $slice_f32_at(input: &[f32], output: &mut [f32]) {
                every_angle_f32(input, output, $body);
            }
        }
    };
}

angle_faces!(0.8, "sine", sin_reduced, sin, sin_at, sin_one, sin_f32, sin_f32_at, sin_f32_one);
angle_faces!(0.9, "cosine", cos_reduced, cos, cos_at, cos_one, cos_f32, cos_f32_at, cos_f32_one);
angle_faces!(1.0, "tangent", tan_reduced, tan, tan_at, tan_one, tan_f32, tan_f32_at, tan_f32_one);

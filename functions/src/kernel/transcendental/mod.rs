//! Transcendental functions over `f64` and `f32`, computed by the project's own polynomials.
//!
//! Every function has a body for one `f64` made of IEEE additions, multiplications, divisions, square roots, bit
//! operations and selects, without fused multiply-add and without libm. So a result depends on the argument alone:
//! not on the CPU, the level, the length of the slice or the position in it. Coefficients come from a Remez fit
//! (`fit.py` beside this file); error bounds are stated per function in ulp and tested against values
//! computed with 60 digits.
//!
//! Faces of a function `f`, made by [`unary_faces!`]:
//! - `f_one(x)`: one `f64`;
//! - `f(input, output)`: slices of `f64`, vectorized; `f_at(level, input, output)` at a given level;
//! - `f_f32_one(x)`, `f_f32(input, output)`, `f_f32_at(...)`: computed in `f64` inside and rounded once, hence
//!   within 0.5000001 ulp of `f32`.
//!
//! Every NaN that comes out is the one positive quiet NaN, since the payload of a NaN made by the hardware differs
//! between CPUs.

/// Declares the slice, level and `f32` faces of a function whose body takes one `f64`.
///
/// `unary_faces!(1.0, "natural logarithm", body, ln, ln_at, ln_one, ln_f32, ln_f32_at, ln_f32_one)` declares the six
/// functions named last; the first argument is the error bound in ulp, for the docs.
macro_rules! unary_faces {
    (
        $bound:literal, $what:literal, $body:path,
        $slice:ident, $slice_at:ident, $one:ident, $slice_f32:ident, $slice_f32_at:ident, $one_f32:ident
    ) => {
        #[doc = concat!("The ", $what, " of one value, within ", $bound, " ulp.")]
        // A loop over it is compiled for wide vectors only where it is part of the loop.
        #[inline(always)]
        pub fn $one(x: f64) -> f64 {
            $body(x)
        }

        #[doc = concat!("The ", $what, " of one `f32`, computed in `f64` and rounded once.")]
        #[inline(always)]
        pub fn $one_f32(x: f32) -> f32 {
            $body(f64::from(x)) as f32
        }

        at_each_level! {
            #[doc = concat!("The ", $what, " of every value, within ", $bound, " ulp.")]
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $slice / $slice_at(input: &[f64], output: &mut [f64]) {
                assert_eq!(input.len(), output.len());
                for (result, &x) in output.iter_mut().zip(input) {
                    *result = $body(x);
                }
            }

            #[doc = concat!("The ", $what, " of every `f32`, computed in `f64` and rounded once.")]
            ///
            /// # Panics
            /// If the lengths differ.
            pub fn $slice_f32 / $slice_f32_at(input: &[f32], output: &mut [f32]) {
                assert_eq!(input.len(), output.len());
                for (result, &x) in output.iter_mut().zip(input) {
                    *result = $body(f64::from(x)) as f32;
                }
            }
        }
    };
}

pub(in crate::kernel) mod exact;

mod angle;
mod arc;
mod cbrt;
mod exp;
mod expm1;
mod gamma;
mod hyperbolic;
mod ln;
mod ln_pair;
mod log10;
mod log1p;
mod log2;
mod pow;
mod sigmoid;
mod tanh;
mod trigonometric;

pub use arc::{
    acos, acos_at, acos_f32, acos_f32_at, acos_f32_one, acos_one, asin, asin_at, asin_f32, asin_f32_at,
    asin_f32_one, asin_one, atan, atan_at, atan_f32, atan_f32_at, atan_f32_one, atan_one, atan2, atan2_at,
    atan2_one,
};
pub use cbrt::{cbrt, cbrt_at, cbrt_f32, cbrt_f32_at, cbrt_f32_one, cbrt_one};
pub use exp::{exp, exp_at, exp_f32, exp_f32_at, exp_f32_one, exp_one};
pub use expm1::{expm1, expm1_at, expm1_f32, expm1_f32_at, expm1_f32_one, expm1_one};
pub use gamma::{
    gamma, gamma_at, gamma_f32, gamma_f32_at, gamma_f32_one, gamma_one, ln_gamma, ln_gamma_at, ln_gamma_f32,
    ln_gamma_f32_at, ln_gamma_f32_one, ln_gamma_one,
};
pub use hyperbolic::{
    acosh, acosh_at, acosh_f32, acosh_f32_at, acosh_f32_one, acosh_one, asinh, asinh_at, asinh_f32,
    asinh_f32_at, asinh_f32_one, asinh_one, atanh, atanh_at, atanh_f32, atanh_f32_at, atanh_f32_one,
    atanh_one, cosh, cosh_at, cosh_f32, cosh_f32_at, cosh_f32_one, cosh_one, sinh, sinh_at, sinh_f32,
    sinh_f32_at, sinh_f32_one, sinh_one,
};
pub use ln::{ln, ln_at, ln_f32, ln_f32_at, ln_f32_one, ln_one};
pub use log1p::{log1p, log1p_at, log1p_f32, log1p_f32_at, log1p_f32_one, log1p_one};
pub use log2::{log2, log2_at, log2_f32, log2_f32_at, log2_f32_one, log2_one};
pub use log10::{log10, log10_at, log10_f32, log10_f32_at, log10_f32_one, log10_one};
pub use pow::{pow, pow_at, pow_constant, pow_constant_at, pow_f32, pow_f32_at, pow_f32_one, pow_one};
pub use sigmoid::{sigmoid, sigmoid_at, sigmoid_f32, sigmoid_f32_at, sigmoid_f32_one, sigmoid_one};
pub use tanh::{tanh, tanh_at, tanh_f32, tanh_f32_at, tanh_f32_one, tanh_one};
pub use trigonometric::{
    cos, cos_at, cos_f32, cos_f32_at, cos_f32_one, cos_one, sin, sin_at, sin_f32, sin_f32_at, sin_f32_one,
    sin_one, tan, tan_at, tan_f32, tan_f32_at, tan_f32_one, tan_one,
};

#[cfg(test)]
#[allow(clippy::approx_constant)] // values of functions, some of which are near a named constant
mod oracle;
#[cfg(test)]
mod tests;

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
        #[inline]
        pub fn $one(x: f64) -> f64 {
            $body(x)
        }

        #[doc = concat!("The ", $what, " of one `f32`, computed in `f64` and rounded once.")]
        #[inline]
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

mod exact;

mod exp;
mod expm1;
mod ln;
mod log1p;
mod sigmoid;
mod tanh;

pub use exp::*;
pub use expm1::*;
pub use ln::*;
pub use log1p::*;
pub use sigmoid::*;
pub use tanh::*;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

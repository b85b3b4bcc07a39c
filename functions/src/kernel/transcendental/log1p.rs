//! ln(1 + x), exact in the small: no digits are lost near zero.
//!
//! u = 1 + x is rounded, and its error c is carried along: ln(1 + x) = ln u + c / u, where u is reduced as in `ln.rs`.
//! Since c is below an ulp of u, 1 / (1 + f) is needed to a few bits when f is large, and to f^3 relative when it is small:
//! (1 - f)(1 + f^2) serves both.
//!
//! What is asked for most is the logarithm of counts: small whole numbers, a block of which is looked up in a table of what the
//! body gives for them.

use std::sync::LazyLock;

use crate::kernel::level::Level;

use super::exact::{ROUND, canonical, power_of_two, select, split_exponent, two_sum};
use super::ln::ln_of_parts;

#[inline(always)]
fn body(x: f64) -> f64 {
    let (u, c) = two_sum(1.0, x);
    let (k, m) = split_exponent(u);
    let f = m - 1.0;
    // Beyond 2^100 the correction is far below the last bit; the bound keeps 2^-k a normal number.
    let scale = power_of_two(ROUND - select(k > 100.0, 100.0, k));
    let f_rest = (c * scale) * ((1.0 - f) * (1.0 + f * f));
    let value = ln_of_parts(k, f, f_rest);
    let value = select(x == f64::INFINITY, f64::INFINITY, value);
    let value = select(x == -1.0, f64::NEG_INFINITY, value);
    let value = select(x == 0.0, x, value); // zero keeps its sign
    canonical(select(x >= -1.0, value, f64::NAN))
}

unary_faces!(
    1.0,
    "logarithm of one plus x",
    body,
    computed,
    computed_at,
    log1p_one,
    log1p_f32,
    log1p_f32_at,
    log1p_f32_one
);

/// Whole numbers whose logarithms are in the table, which is an eighth of the first cache.
const COUNTS: usize = 512;
/// Values that are looked up together, or computed together.
const BLOCK: usize = 64;
/// From here on doubles are whole numbers, so adding it leaves a count in the low bits.
const WHOLE: f64 = 4_503_599_627_370_496.0;

static LOGARITHMS: LazyLock<[f64; COUNTS]> =
    LazyLock::new(|| std::array::from_fn(|count| body(count as f64)));

/// The logarithm of one plus x of every value, within 1 ulp.
///
/// # Panics
/// If the lengths differ.
pub fn log1p(input: &[f64], output: &mut [f64]) {
    in_blocks(input, output, counts, computed);
}

/// [`log1p`] at the level given.
pub fn log1p_at(level: Level, input: &[f64], output: &mut [f64]) {
    let counts = |values: &_, places: &mut _| counts_at(level, values, places);
    in_blocks(input, output, counts, |input: &_, output: &mut _| computed_at(level, input, output));
}

#[inline(always)]
fn in_blocks(
    input: &[f64],
    output: &mut [f64],
    counts: impl Fn(&[f64; BLOCK], &mut [u32; BLOCK]) -> bool,
    computed: impl Fn(&[f64], &mut [f64]),
) {
    assert_eq!(input.len(), output.len());
    let (blocks, rest) = input.as_chunks::<BLOCK>();
    let (targets, last) = output.as_chunks_mut::<BLOCK>();
    let mut places = [0; BLOCK];
    for (values, results) in blocks.iter().zip(targets) {
        // Other numbers are mostly told by the first of them.
        if is_count(values[0]) && counts(values, &mut places) {
            let logarithms = &*LOGARITHMS;
            for (result, &place) in results.iter_mut().zip(&places) {
                *result = logarithms[place as usize % COUNTS];
            }
        } else {
            computed(values, results);
        }
    }
    computed(rest, last);
}

/// True for whole numbers from zero (but not minus zero) to below [`COUNTS`].
#[inline(always)]
fn is_count(x: f64) -> bool {
    // The bits of numbers that are not negative ascend with them; those of all others are larger.
    (x.to_bits() < (COUNTS as f64).to_bits()) & ((x + WHOLE) - WHOLE == x)
}

at_each_level! {
    /// Writes the values as whole numbers; false if one is no count.
    fn counts / counts_at(values: &[f64; BLOCK], places: &mut [u32; BLOCK]) -> bool {
        let mut all = true;
        for (place, &x) in places.iter_mut().zip(values) {
            *place = (x + WHOLE).to_bits() as u32;
            all &= is_count(x);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_bits_that_are_computed() {
        let counts: Vec<f64> = (0..2_000).map(f64::from).collect();
        let mixed: Vec<f64> = (0..2_000)
            .map(|at| match at % 67 {
                3 => -0.0,
                5 => 0.5,
                7 => f64::NAN,
                11 => f64::INFINITY,
                13 => -1.0,
                17 => 511.999,
                19 => 1e300,
                _ => f64::from(at % 600),
            })
            .collect();
        let zeros = vec![-0.0; 130];
        for level in Level::available() {
            for values in [&counts, &mixed, &zeros] {
                for start in [0, 1, 63, 64] {
                    let values = &values[start..];
                    let (mut given, mut expected) = (vec![1.0; values.len()], vec![2.0; values.len()]);
                    log1p_at(level, values, &mut given);
                    computed_at(level, values, &mut expected);
                    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(&given), bits(&expected), "{level}, from {start}");
                }
            }
        }
    }

    #[test]
    fn only_whole_numbers_of_the_table_are_counts() {
        for count in [0.0, 1.0, 511.0] {
            assert!(is_count(count), "{count}");
        }
        for other in
            [-0.0, -1.0, 0.5, 511.5, 512.0, 1e300, f64::NAN, -f64::NAN, f64::INFINITY, f64::MIN_POSITIVE]
        {
            assert!(!is_count(other), "{other}");
        }
    }
}

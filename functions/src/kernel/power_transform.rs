//! The power transforms of Box and Cox and of Yeo and Johnson, of slices.

use super::transcendental::{expm1_one, ln_one, log1p_one};

/// From the logarithm by `expm1`, which loses no digits for a small lambda. Both results are computed and one is taken, so
/// that the loop has no branch.
#[inline(always)]
fn of_logarithm(logarithm: f64, lambda: f64) -> f64 {
    let power = expm1_one(lambda * logarithm) / lambda;
    std::hint::select_unpredictable(lambda == 0.0, logarithm, power)
}

at_each_level! {
    /// (x to the power lambda - 1) / lambda, and ln(x) for lambda 0.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn boxcox / boxcox_at(input: &[f64], lambdas: &[f64], output: &mut [f64]) {
        assert!(input.len() == lambdas.len() && input.len() == output.len());
        for ((result, &x), &lambda) in output.iter_mut().zip(input).zip(lambdas) {
            // At 0 with a lambda above 0 the logarithm is -inf and the result -1 / lambda, as it should be.
            *result = of_logarithm(ln_one(x), lambda);
        }
    }

    /// The Box-Cox transform of x + 1, and below 0 that of 1 - x with 2 - lambda, with the sign turned.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn yeo_johnson / yeo_johnson_at(input: &[f64], lambdas: &[f64], output: &mut [f64]) {
        assert!(input.len() == lambdas.len() && input.len() == output.len());
        for ((result, &x), &lambda) in output.iter_mut().zip(input).zip(lambdas) {
            // The argument and lambda are mirrored, so that one formula is computed and not two.
            let is_below = x < 0.0;
            let lambda = std::hint::select_unpredictable(is_below, 2.0 - lambda, lambda);
            let value = of_logarithm(log1p_one(x.abs()), lambda);
            *result = std::hint::select_unpredictable(is_below, -value, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn every_level_gives_the_same_bits_for_a_slice_and_for_single_values() {
        let values: Vec<f64> = (-300..300)
            .map(|step| f64::from(step) * 0.37)
            .chain([0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 5e-324])
            .collect();
        for lambda in [0.0, 0.5, 1.0, 2.0, -1.5, 1e-12, f64::NAN] {
            let lambdas = vec![lambda; values.len()];
            for transform in [boxcox_at, yeo_johnson_at] {
                let alone: Vec<u64> = values
                    .iter()
                    .map(|&x| {
                        let mut result = [0.0];
                        transform(Level::PORTABLE, &[x], &[lambda], &mut result);
                        result[0].to_bits()
                    })
                    .collect();
                for level in Level::available() {
                    let mut output = vec![0.0; values.len()];
                    transform(level, &values, &lambdas, &mut output);
                    let bits: Vec<u64> = output.iter().map(|result| result.to_bits()).collect();
                    assert_eq!(bits, alone, "lambda {lambda} at {level}");
                }
            }
        }
    }

    #[test]
    fn a_small_lambda_comes_near_the_logarithm() {
        let mut output = [0.0; 2];
        boxcox(&[2.5, 1e9], &[1e-14; 2], &mut output);
        assert!((output[0] - 2.5f64.ln()).abs() < 1e-13 && (output[1] - 1e9f64.ln()).abs() < 1e-11);
    }
}

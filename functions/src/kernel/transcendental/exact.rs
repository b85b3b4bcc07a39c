//! Building blocks of the transcendental bodies: exact sums and products of two floats, rounding to an integer,
//! powers of two, selects and polynomials. All are branch-free, so that the loops around them vectorize.

/// Adding and subtracting this rounds a float below 2^51 in size to an integer, ties to even; after the
/// addition the low bits of the float hold that integer in two's complement.
pub(in crate::kernel) const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// ln 2 to 40 bits, so that its product with an integer below 2^13 is exact.
pub(in crate::kernel) const LN2_HIGH: f64 = 0.693_147_180_559_208_2;
/// ln 2 less [`LN2_HIGH`].
pub(in crate::kernel) const LN2_LOW: f64 = 7.371_002_565_167_799e-13;
/// 1 / ln 2, rounded.
pub(in crate::kernel) const LOG2_E: f64 = std::f64::consts::LOG2_E;

/// `yes` where `condition`, else `no`; both are evaluated.
#[inline(always)]
pub(in crate::kernel) fn select(condition: bool, yes: f64, no: f64) -> f64 {
    std::hint::select_unpredictable(condition, yes, no)
}

/// `value`, with every NaN replaced by the one positive quiet NaN.
#[inline(always)]
pub(in crate::kernel) fn canonical(value: f64) -> f64 {
    select(value.is_nan(), f64::NAN, value)
}

/// `value` with the sign of `sign`.
#[inline(always)]
pub(in crate::kernel) fn with_sign_of(value: f64, sign: f64) -> f64 {
    const SIGN: u64 = 1 << 63;
    f64::from_bits((value.to_bits() & !SIGN) | (sign.to_bits() & SIGN))
}

/// The sum of two floats as a rounded sum and its error, exactly.
#[inline(always)]
pub(in crate::kernel) fn two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    let right_part = sum - left;
    let left_part = sum - right_part;
    (sum, (left - left_part) + (right - right_part))
}

/// As [`two_sum`], for a `large` that is zero or at least as large in size as `small`.
#[inline(always)]
pub(in crate::kernel) fn fast_two_sum(large: f64, small: f64) -> (f64, f64) {
    let sum = large + small;
    (sum, small - (sum - large))
}

/// `value` as a part of 26 bits and the rest.
#[inline(always)]
fn split(value: f64) -> (f64, f64) {
    let high = f64::from_bits(value.to_bits() & 0xffff_ffff_f800_0000);
    (high, value - high)
}

/// The product of two floats as a rounded product and its error, to 2^-106 of the product.
///
/// The product and its error must be normal numbers.
#[inline(always)]
pub(in crate::kernel) fn two_product(left: f64, right: f64) -> (f64, f64) {
    let product = left * right;
    let (left_high, left_low) = split(left);
    let (right_high, right_low) = split(right);
    let error = ((left_high * right_high - product) + left_high * right_low + left_low * right_high)
        + left_low * right_low;
    (product, error)
}

/// 2^n for the integer that `shifted`, a float that had [`ROUND`] added, holds; -1023 < n < 1024.
#[inline(always)]
pub(in crate::kernel) fn power_of_two(shifted: f64) -> f64 {
    f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

/// `coefficients[0] + coefficients[1] * x + ...`, as an even and an odd chain that run side by side.
#[inline(always)]
pub(in crate::kernel) fn polynomial<const COUNT: usize>(x: f64, coefficients: &[f64; COUNT]) -> f64 {
    let square = x * x;
    let last = COUNT - 1;
    let mut leading = coefficients[last];
    let mut other = coefficients[last - 1];
    let mut index = last - 1;
    while index >= 2 {
        leading = leading * square + coefficients[index - 1];
        other = other * square + coefficients[index - 2];
        index -= 2;
    }
    // With an even count `leading` holds the odd powers and both chains end at the same step.
    if COUNT.is_multiple_of(2) {
        leading * x + other
    } else {
        (leading * square + coefficients[0]) + other * x
    }
}

/// A positive float as `exponent` and `fraction` in [sqrt(1/2), sqrt(2)), with `value = fraction * 2^exponent`.
///
/// Zero, negative, infinite and NaN give numbers without meaning.
#[inline(always)]
pub(in crate::kernel) fn split_exponent(value: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const FRACTION: u64 = 0x000f_ffff_ffff_ffff;
    const INTEGER: u64 = 0x4330_0000_0000_0000; // 2^52, whose low bits count in ones
    let subnormal = value < f64::MIN_POSITIVE;
    let normal = select(subnormal, value * 18_014_398_509_481_984.0, value); // 2^54
    let shifted = normal.to_bits().wrapping_add(ONE - SQRT_HALF);
    let biased = f64::from_bits((shifted >> 52) | INTEGER);
    let exponent = biased - select(subnormal, 4_503_599_627_371_573.0, 4_503_599_627_371_519.0); // 2^52 + 1023 (+ 54)
    let fraction = f64::from_bits((shifted & FRACTION) + SQRT_HALF);
    (exponent, fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomial_equals_its_definition_for_even_and_odd_counts() {
        assert_eq!(polynomial(2.0, &[1.0, 10.0]), 21.0);
        assert_eq!(polynomial(2.0, &[1.0, 10.0, 100.0]), 421.0);
        assert_eq!(polynomial(2.0, &[1.0, 10.0, 100.0, 1000.0]), 8421.0);
        assert_eq!(polynomial(2.0, &[1.0, 10.0, 100.0, 1000.0, 10000.0]), 168_421.0);
    }

    #[test]
    fn exponent_and_fraction_multiply_back() {
        for value in [1.0, 1.5, 0.7, 5e-324, 2.2e-308, 1e308, 3.7e-310, 123.456] {
            let (exponent, fraction) = split_exponent(value);
            assert!((std::f64::consts::FRAC_1_SQRT_2..std::f64::consts::SQRT_2).contains(&fraction));
            assert_eq!(
                fraction * 2f64.powi(exponent as i32 / 2) * 2f64.powi(exponent as i32 - exponent as i32 / 2),
                value
            );
        }
    }

    #[test]
    fn products_are_exact() {
        let (product, error) = two_product(1.0 + f64::EPSILON, 1.0 + f64::EPSILON);
        assert_eq!(product, 1.0 + 2.0 * f64::EPSILON);
        assert_eq!(error, f64::EPSILON * f64::EPSILON);
    }
}

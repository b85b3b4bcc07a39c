//! Division by a divisor known beforehand: remainders without a division instruction, so that loops vectorize.
//!
//! With m = floor((2^64 - 1) / d), the high half of u m is the quotient or one less (Barrett). The high half is put together
//! from three of the four products of 32 bits, which vector units have; the fourth and the carries are left out, so the
//! quotient is up to three too small and the remainder is brought below d by subtracting 2d and d where that fits.

/// A positive divisor with what remainders by it need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divisor {
    divisor: u64,
    /// floor((2^64 - 1) / divisor).
    reciprocal: u64,
    /// What is added to the remainder of a negative number's bits: -2^64 modulo the divisor.
    negative_offset: u64,
}

impl Divisor {
    /// A divisor from 1 to `i64::MAX`; `None` for zero and below.
    pub fn new(divisor: i64) -> Option<Divisor> {
        let divisor = u64::try_from(divisor).ok().filter(|&divisor| divisor > 0)?;
        let power_remainder = (u64::MAX % divisor + 1) % divisor; // 2^64 modulo the divisor
        Some(Divisor {
            divisor,
            reciprocal: u64::MAX / divisor,
            negative_offset: (divisor - power_remainder) % divisor,
        })
    }

    /// The divisor itself.
    pub fn value(&self) -> i64 {
        self.divisor as i64
    }

    /// Whether 4 d fits 64 bits, as [`Divisor::remainder`] needs.
    const SMALL_BITS: u32 = 62;

    /// Whether the vectorizable remainder serves this divisor.
    #[inline(always)]
    pub(super) fn is_small(&self) -> bool {
        self.divisor >> Self::SMALL_BITS == 0
    }

    /// `value % divisor`.
    #[inline(always)]
    pub fn remainder(&self, value: u64) -> u64 {
        if self.is_small() { self.remainder_by_small(value) } else { value % self.divisor }
    }

    /// The remainder of flooring division, from 0 to `divisor - 1` for negative values too.
    #[inline(always)]
    pub fn floor_remainder(&self, value: i64) -> i64 {
        self.make_floor(self.remainder(value as u64), value)
    }

    /// [`Divisor::remainder`] without the branch on the divisor, which must be small.
    #[inline(always)]
    fn remainder_by_small(&self, value: u64) -> u64 {
        const LOW: u64 = 0xffff_ffff;
        let (value_high, value_low) = (value >> 32, value & LOW);
        let (reciprocal_high, reciprocal_low) = (self.reciprocal >> 32, self.reciprocal & LOW);
        let quotient = value_high * reciprocal_high
            + ((value_high * reciprocal_low) >> 32)
            + ((value_low * reciprocal_high) >> 32);
        let remainder = value.wrapping_sub(quotient.wrapping_mul(self.divisor));
        bring_below(bring_below(remainder, self.divisor * 2), self.divisor)
    }

    /// [`Divisor::floor_remainder`] without the branch on the divisor, which must be small.
    #[inline(always)]
    pub(super) fn floor_remainder_by_small(&self, value: i64) -> i64 {
        self.make_floor(self.remainder_by_small(value as u64), value)
    }

    /// The flooring remainder of a signed value from the remainder of its bits.
    #[inline(always)]
    fn make_floor(&self, remainder: u64, value: i64) -> i64 {
        let offset = if value < 0 { self.negative_offset } else { 0 };
        bring_below(remainder + offset, self.divisor) as i64
    }
}

/// Subtracts `limit` once where that leaves no negative number.
#[inline(always)]
fn bring_below(value: u64, limit: u64) -> u64 {
    value.min(value.wrapping_sub(limit))
}

at_each_level! {
    /// The remainder of flooring division of every value: in `0..divisor`, unlike `%` for negative values.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn floor_remainder / floor_remainder_at(input: &[i64], divisor: Divisor, output: &mut [i64]) {
        assert_eq!(input.len(), output.len());
        if divisor.is_small() {
            for (result, &value) in output.iter_mut().zip(input) {
                *result = divisor.floor_remainder_by_small(value);
            }
        } else {
            for (result, &value) in output.iter_mut().zip(input) {
                *result = divisor.floor_remainder(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    fn edges() -> Vec<i64> {
        let mut edges =
            vec![0, 1, 2, 3, 5, 7, 10, 97, 100, 1_000_000, i64::MAX, i64::MAX - 1, 1 << 62, (1 << 62) + 1];
        edges.extend((0..63).map(|shift| 1i64 << shift));
        edges.extend((0..200).map(|index: i64| index.wrapping_mul(0x1234_5678_9abc_def1) ^ (index << 40)));
        edges
    }

    #[test]
    fn remainders_equal_the_definition() {
        for divisor in edges() {
            let Some(prepared) = Divisor::new(divisor) else {
                assert!(divisor <= 0);
                continue;
            };
            assert_eq!(prepared.value(), divisor);
            let values: Vec<i64> =
                edges().into_iter().flat_map(|value| [value, value.wrapping_neg(), !value]).collect();
            let expected: Vec<i64> = values.iter().map(|value| value.rem_euclid(divisor)).collect();
            for level in Level::available() {
                let mut output = vec![0; values.len()];
                floor_remainder_at(level, &values, prepared, &mut output);
                assert_eq!(output, expected, "modulo {divisor} at {level}");
            }
            for value in values {
                assert_eq!(prepared.remainder(value as u64), value as u64 % divisor as u64);
            }
        }
    }

    #[test]
    fn zero_and_negative_divisors_are_refused() {
        assert_eq!(Divisor::new(0), None);
        assert_eq!(Divisor::new(-3), None);
    }
}

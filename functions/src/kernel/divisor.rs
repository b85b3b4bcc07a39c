//! Division by a divisor known beforehand: remainders without a division instruction, so that loops vectorize.
//!
//! With m = floor((2^64 - 1) / d), the high half of u m is the quotient or one less (Barrett). The high half is put together
//! from three of the four products of 32 bits, which vector units have; the fourth and the carries are left out, so the
//! quotient is up to three too small and the remainder is brought below d by subtracting 2d and d where that fits.

use super::level::{Level, Tier};

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

/// A divisor below 2^31, prepared for flooring remainders whose quotient is found in doubles.
///
/// With the reciprocal as a double, value times reciprocal is off by three roundings: less than 3 * 2^10 / divisor for values of
/// 64 bits. For a divisor of at least 2^14 that is less than 0.2, so the whole number nearest to it leaves a remainder between
/// -0.7 and 0.7 divisors. One divisor more makes it positive and still 32 bits wide, so that only the low halves
/// of the quotient and of the product count. A smaller divisor is multiplied up by a power of two, and the remainder, which has
/// 15 bits then, is reduced once more with a reciprocal of 32 bits.
///
/// Adding 1.5 * 2^52 to a double below 2^51 rounds it to a whole number in the low bits, which saves a conversion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::kernel) struct DoubleDivisor {
    divisor: u32,
    reciprocal: f64,
    /// The divisor before it was multiplied up, and its reciprocal; 0 if it was not.
    small: u32,
    small_reciprocal: u32,
}

/// 1.5 * 2^52 - 1: the quotient comes out one too small, and the remainder by a divisor too large.
const ROUNDING: f64 = 6_755_399_441_055_743.0;

/// The low half of a word.
const LOW: u64 = 0xffff_ffff;

impl DoubleDivisor {
    /// Least divisor whose quotients are near enough, and the first that is too large.
    const RANGE: std::ops::Range<u64> = 1 << 14..1 << 31;

    /// `None` for divisors that are too large, and for 1, whose reciprocal has one bit too many.
    pub(in crate::kernel) fn new(divisor: Divisor) -> Option<DoubleDivisor> {
        if divisor.divisor == 1 || divisor.divisor >= Self::RANGE.end {
            return None;
        }
        let small = divisor.divisor as u32;
        let is_small = divisor.divisor < Self::RANGE.start;
        let places =
            if is_small { small.leading_zeros() - (Self::RANGE.start as u32).leading_zeros() } else { 0 };
        let scaled = small << places;
        Some(DoubleDivisor {
            divisor: scaled,
            reciprocal: 1.0 / f64::from(scaled),
            small: if is_small { small } else { 0 },
            // 2^32 over the divisor, rounded up.
            small_reciprocal: if is_small { (1u64 << 32).div_ceil(small.into()) as u32 } else { 0 },
        })
    }

    /// Whether the remainder must be reduced once more, by [`DoubleDivisor::reduce`].
    #[inline(always)]
    pub(in crate::kernel) fn is_small(&self) -> bool {
        self.small != 0
    }

    /// The remainder of flooring division of a value; `WIDE` where vectors convert 64-bit integers to doubles.
    #[inline(always)]
    pub(in crate::kernel) fn remainder<const WIDE: bool>(&self, value: i64) -> i64 {
        let double = if WIDE { value as f64 } else { to_double(value) };
        let divisor = u64::from(self.divisor);
        let quotient = (double * self.reciprocal + ROUNDING).to_bits();
        let remainder = (value as u64).wrapping_sub((quotient & LOW) * divisor) & LOW;
        let less = remainder.wrapping_sub(divisor);
        // A negative number is a large unsigned one.
        if WIDE {
            less.min(remainder) as i64
        } else if (less as i64) < 0 {
            remainder as i64
        } else {
            less as i64
        }
    }

    #[inline(always)]
    fn remainders<const WIDE: bool>(self, input: &[i64], output: &mut [i64]) {
        if self.is_small() {
            for (result, &value) in output.iter_mut().zip(input) {
                *result = self.reduce(self.remainder::<WIDE>(value));
            }
        } else {
            for (result, &value) in output.iter_mut().zip(input) {
                *result = self.remainder::<WIDE>(value);
            }
        }
    }

    /// Remainders of unsigned values; `wrapped` is 2^64 modulo the divisor, which is added where the sign bit is set.
    #[inline(always)]
    fn unsigned_remainders<const WIDE: bool>(
        self,
        divisor: i64,
        wrapped: i64,
        input: &[u64],
        output: &mut [i64],
    ) {
        let finish = |remainder: i64, value: u64| {
            let sum = remainder + (wrapped & (value as i64 >> 63));
            if sum >= divisor { sum - divisor } else { sum }
        };
        if self.is_small() {
            for (result, &value) in output.iter_mut().zip(input) {
                *result = finish(self.reduce(self.remainder::<WIDE>(value as i64)), value);
            }
        } else {
            for (result, &value) in output.iter_mut().zip(input) {
                *result = finish(self.remainder::<WIDE>(value as i64), value);
            }
        }
    }

    /// The remainder by the divisor itself of a remainder by its multiple.
    #[inline(always)]
    pub(in crate::kernel) fn reduce(&self, remainder: i64) -> i64 {
        let remainder = remainder as u64 & LOW;
        let quotient = (remainder * u64::from(self.small_reciprocal)) >> 32;
        (remainder - quotient * u64::from(self.small)) as i64
    }
}

/// The double nearest to an integer, put together from its halves.
#[inline(always)]
fn to_double(value: i64) -> f64 {
    // 2^84 and the high half with its sign turned; 2^52 and the low half; 2^84 + 2^63 + 2^52.
    const HIGH: u64 = 0x4530_0000_8000_0000;
    const LOW_HALF: u64 = 0x4330_0000_0000_0000;
    const BOTH: u64 = 0x4530_0000_8010_0000;
    let bits = value as u64;
    let high = f64::from_bits(bits >> 32 ^ HIGH);
    let low = f64::from_bits(bits & LOW | LOW_HALF);
    high - f64::from_bits(BOTH) + low
}

/// Subtracts `limit` once where that leaves no negative number.
#[inline(always)]
fn bring_below(value: u64, limit: u64) -> u64 {
    value.min(value.wrapping_sub(limit))
}

/// The remainder of flooring division of every value: in `0..divisor`, unlike `%` for negative values.
///
/// # Panics
/// If the lengths differ.
pub fn floor_remainder(input: &[i64], divisor: Divisor, output: &mut [i64]) {
    floor_remainder_at(Level::current(), input, divisor, output);
}

/// [`floor_remainder`] at the level given.
pub fn floor_remainder_at(level: Level, input: &[i64], divisor: Divisor, output: &mut [i64]) {
    assert_eq!(input.len(), output.len());
    match (DoubleDivisor::new(divisor), level.tier()) {
        (Some(divisor), Tier::Avx512) => wide_at(level, &divisor, input, output),
        (Some(divisor), _) => narrow_at(level, &divisor, input, output),
        (None, _) => large_at(level, divisor, input, output),
    }
}

/// Remainders of unsigned values, with what they need worked out beforehand: short slices are worth a call then.
#[derive(Clone, Copy, Debug)]
pub struct UnsignedRemainder {
    divisor: Divisor,
    double: Option<DoubleDivisor>,
    /// 2^64 modulo the divisor: a value of 2^63 and more is read as one that is 2^64 less.
    wrapped: i64,
}

impl UnsignedRemainder {
    /// Remainders by this divisor.
    pub fn new(divisor: Divisor) -> Self {
        let wrapped = ((divisor.divisor - divisor.negative_offset) % divisor.divisor) as i64;
        Self { divisor, double: DoubleDivisor::new(divisor), wrapped }
    }

    /// `value % divisor` of every value.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn write(&self, input: &[u64], output: &mut [i64]) {
        self.write_at(Level::current(), input, output);
    }

    /// [`UnsignedRemainder::write`] at the level given.
    pub fn write_at(&self, level: Level, input: &[u64], output: &mut [i64]) {
        assert_eq!(input.len(), output.len());
        let (divisor, wrapped) = (self.divisor, self.wrapped);
        match (&self.double, level.tier()) {
            (Some(double), Tier::Avx512) => {
                wide_unsigned_at(level, double, divisor.value(), wrapped, input, output)
            }
            (Some(double), _) => narrow_unsigned_at(level, double, divisor.value(), wrapped, input, output),
            (None, _) => {
                let each = input.iter().zip(output);
                each.for_each(|(&value, result)| *result = divisor.remainder(value) as i64);
            }
        }
    }
}

at_each_level! {
    #[allow(dead_code)] // The level is chosen where it is called.
    fn wide_unsigned / wide_unsigned_at(double: &DoubleDivisor, divisor: i64, wrapped: i64, input: &[u64], output: &mut [i64]) {
        double.unsigned_remainders::<true>(divisor, wrapped, input, output);
    }

    #[allow(dead_code)] // The level is chosen where it is called.
    fn narrow_unsigned / narrow_unsigned_at(double: &DoubleDivisor, divisor: i64, wrapped: i64, input: &[u64], output: &mut [i64]) {
        double.unsigned_remainders::<false>(divisor, wrapped, input, output);
    }

    #[allow(dead_code)] // The level is chosen where it is called.
    fn wide / wide_at(divisor: &DoubleDivisor, input: &[i64], output: &mut [i64]) {
        divisor.remainders::<true>(input, output);
    }

    #[allow(dead_code)] // The level is chosen where it is called.
    fn narrow / narrow_at(divisor: &DoubleDivisor, input: &[i64], output: &mut [i64]) {
        divisor.remainders::<false>(input, output);
    }

    #[allow(dead_code)] // The level is chosen where it is called.
    fn large / large_at(divisor: Divisor, input: &[i64], output: &mut [i64]) {
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

    fn edges() -> Vec<i64> {
        let mut edges = vec![
            16_383,
            16_385,
            (1 << 31) - 1,
            (1 << 32) - 1,
            0,
            1,
            2,
            3,
            5,
            7,
            10,
            97,
            100,
            1_000_000,
            i64::MAX,
            i64::MAX - 1,
            1 << 62,
            (1 << 62) + 1,
        ];
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
    fn quotients_in_doubles_are_near_enough_at_multiples() {
        for divisor in [2, 3, 97, 8_191, 16_383, 16_384, 16_385, 1_000_003, 999_999_937, (1 << 31) - 1] {
            let prepared = Divisor::new(divisor).unwrap();
            // Around multiples near the ends of 64 bits the quotient is least exact.
            let multiples = (0..2000).map(|step| (i64::MAX / divisor - step) * divisor);
            let near = multiples.flat_map(|multiple| [multiple - 1, multiple, multiple.wrapping_add(1)]);
            let values: Vec<i64> = near.flat_map(|value| [value, value.wrapping_neg()]).collect();
            let expected: Vec<i64> = values.iter().map(|value| value.rem_euclid(divisor)).collect();
            for level in Level::available() {
                let mut output = vec![0; values.len()];
                floor_remainder_at(level, &values, prepared, &mut output);
                assert!(output == expected, "modulo {divisor} at {level}");
            }
        }
    }

    #[test]
    fn zero_and_negative_divisors_are_refused() {
        assert_eq!(Divisor::new(0), None);
        assert_eq!(Divisor::new(-3), None);
    }

    #[test]
    fn unsigned_remainders_equal_the_definition_at_every_level() {
        let values: Vec<u64> = (0..500u64)
            .map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .chain([0, 1, u64::MAX, 1 << 63, (1 << 63) - 1, (1 << 63) + 1])
            .collect();
        for divisor in [1, 2, 3, 97, 16_383, 16_384, 1_000_003, (1 << 31) - 1, 1 << 31, 1 << 40, i64::MAX] {
            let prepared = Divisor::new(divisor).unwrap();
            let expected: Vec<i64> = values.iter().map(|&value| (value % divisor as u64) as i64).collect();
            for level in Level::available() {
                let mut output = vec![0; values.len()];
                UnsignedRemainder::new(prepared).write_at(level, &values, &mut output);
                assert_eq!(output, expected, "{divisor}, {level}");
            }
        }
    }
}

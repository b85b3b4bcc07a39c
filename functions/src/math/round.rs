//! Rounding of floats without a branch or a library call, so that loops over it vectorize on every level.

/// Floats that round to whole numbers.
pub(crate) trait Round: Copy {
    /// To the nearest, halves to the even one.
    fn half_even(self) -> Self;
    /// To the nearest, halves away from zero.
    fn half_away(self) -> Self;
    /// To the next below.
    fn down(self) -> Self;
    /// To the next above.
    fn up(self) -> Self;
    /// To the next toward zero.
    fn toward_zero(self) -> Self;
}

macro_rules! round {
    ($rust:ty, $whole:expr) => {
        impl Round for $rust {
            // From `$whole` on every value is whole. Below it, adding it drops the fraction, halves to even.
            #[inline(always)]
            fn half_even(self) -> Self {
                let magnitude = self.abs();
                let rounded = (magnitude + $whole) - $whole;
                (if magnitude < $whole { rounded } else { magnitude }).copysign(self)
            }

            #[inline(always)]
            fn half_away(self) -> Self {
                let magnitude = self.abs();
                let even = magnitude.half_even();
                (if magnitude - even == 0.5 { even + 1.0 } else { even }).copysign(self)
            }

            #[inline(always)]
            fn down(self) -> Self {
                let nearest = self.half_even();
                (if nearest > self { nearest - 1.0 } else { nearest }).copysign(self)
            }

            #[inline(always)]
            fn up(self) -> Self {
                let nearest = self.half_even();
                (if nearest < self { nearest + 1.0 } else { nearest }).copysign(self)
            }

            #[inline(always)]
            fn toward_zero(self) -> Self {
                self.abs().down().copysign(self)
            }
        }
    };
}
// Each expands to the impl for one float type, with the power of two from which on it holds no fractions.
round!(f32, 8_388_608.0);
round!(f64, 4_503_599_627_370_496.0);

#[cfg(test)]
mod tests {
    use super::Round;

    #[test]
    fn rounding_equals_the_library_on_edges_and_random_bits() {
        let mut values = vec![0.0, -0.0, 0.5, 1.5, 2.5, -0.5, 0.49999999999999994, 4503599627370495.5, 1e300];
        values.extend([f64::NAN, f64::INFINITY, -0.3, 0.3, 2251799813685248.5, -4503599627370496.0]);
        let mut state = 1u64;
        for _ in 0..100_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            values.push(f64::from_bits(state));
            values.push((state >> 11) as f64 / 1e6 - 4e9);
        }
        for x in values {
            let pairs = [
                (x.half_even(), x.round_ties_even()),
                (x.half_away(), x.round()),
                (x.down(), x.floor()),
                (x.up(), x.ceil()),
                (x.toward_zero(), x.trunc()),
            ];
            for (ours, library) in pairs {
                assert!(
                    ours.to_bits() == library.to_bits() || (ours.is_nan() && x.is_nan()),
                    "{x}: {ours} {library}"
                );
            }
            let single = x as f32;
            let pairs = [
                (single.half_even(), single.round_ties_even()),
                (single.half_away(), single.round()),
                (single.down(), single.floor()),
                (single.up(), single.ceil()),
            ];
            for (ours, library) in pairs {
                assert!(ours.to_bits() == library.to_bits() || ours.is_nan(), "{single}: {ours} {library}");
            }
        }
    }
}

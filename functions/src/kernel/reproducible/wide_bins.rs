//! Bins of 128 bits, the form in which states are finished, stored and held beyond 2^30 rows.

use super::grid::{Top, raise_to};
use super::wide_integer::WideInteger;

/// As the bins of a narrow state, with room for 2^64 rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WideBins<const BINS: usize> {
    bins: [i128; BINS],
    top: Top,
}

impl<const BINS: usize> WideBins<BINS> {
    pub(super) const EMPTY: WideBins<BINS> = WideBins { bins: [0; BINS], top: Top::lowest(BINS) };

    /// Words that [`WideBins::write_words`] fills: two a bin and the top.
    pub(super) const WORDS: usize = 2 * BINS + 1;

    pub(super) fn from_narrow(bins: &[i64; BINS], top: Top) -> WideBins<BINS> {
        WideBins { bins: bins.map(i128::from), top }
    }

    pub(super) fn merged(mut self, other: &WideBins<BINS>) -> WideBins<BINS> {
        let mut other = *other;
        raise_to(&mut self.bins, &mut self.top, other.top.number());
        raise_to(&mut other.bins, &mut other.top, self.top.number());
        for (bin, other) in self.bins.iter_mut().zip(other.bins) {
            *bin = bin.wrapping_add(other);
        }
        self
    }

    /// The bins as those of a narrow state, if they fit.
    pub(super) fn narrowed(&self) -> Option<([i64; BINS], Top)> {
        let mut bins = [0; BINS];
        for (narrow, &bin) in bins.iter_mut().zip(&self.bins) {
            *narrow = i64::try_from(bin).ok()?;
        }
        Some((bins, self.top))
    }

    /// The value as an integer, to be multiplied by 2^[`WideBins::exponent`].
    pub(super) fn integer(&self) -> WideInteger {
        self.bins.iter().rev().enumerate().fold(WideInteger::ZERO, |sum, (position, &bin)| {
            sum.add(&WideInteger::shifted(bin, 32 * position as u32))
        })
    }

    /// The weight of the last bit of the lowest bin, as a power of two.
    pub(super) fn exponent(&self) -> i32 {
        32 * (i32::from(self.top.number()) - (BINS as i32 - 1)) - 1074
    }

    /// The value, rounded once.
    pub(super) fn value(&self) -> f64 {
        self.integer().to_f64(self.exponent())
    }

    /// The value as a float and what it leaves over, rounded.
    pub(super) fn value_and_rest(&self) -> (f64, f64) {
        let integer = self.integer();
        let value = integer.to_f64(self.exponent());
        // The float in units of the lowest bin: its integer mantissa, shifted.
        let exponent = ((value.to_bits() >> 52) & 0x7ff) as i32;
        let fraction = (value.to_bits() & 0x000f_ffff_ffff_ffff) as i64;
        let (mantissa, weight) =
            if exponent == 0 { (fraction, -1074) } else { (fraction | (1 << 52), exponent - 1075) };
        let signed = i128::from(if value < 0.0 { -mantissa } else { mantissa });
        match u32::try_from(weight - self.exponent()) {
            Ok(shift) if value.is_finite() => {
                (value, integer.subtract(&WideInteger::shifted(signed, shift)).to_f64(self.exponent()))
            }
            // A float finer than the lowest bin holds the value exactly.
            _ => (value, 0.0),
        }
    }

    pub(super) fn write_words(&self, words: &mut [u64]) {
        for (pair, &bin) in words.chunks_exact_mut(2).zip(&self.bins) {
            pair.copy_from_slice(&[bin as u64, (bin >> 64) as u64]);
        }
        words[2 * BINS] = u64::from(self.top.number());
    }

    pub(super) fn read_words(words: &[u64]) -> Option<WideBins<BINS>> {
        let bins = std::array::from_fn(|index| {
            (u128::from(words[2 * index]) | (u128::from(words[2 * index + 1]) << 64)) as i128
        });
        // Sums of 2^63 rows stay below 2^95; more would overflow when finished.
        let fits = bins.iter().all(|bin: &i128| bin.unsigned_abs() < 1 << 96);
        fits.then_some(WideBins { bins, top: Top::from_number(words[2 * BINS], BINS)? })
    }
}

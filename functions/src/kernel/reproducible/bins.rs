//! Bins with their top, for states where compactness matters less than in [`super::Sum`] and [`super::Moments`].

use super::Specials;
use super::grid::{self, SIZE_BITS, Top};
use super::wide_bins::WideBins;

/// 64-bit bins and the number of the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bins<const BINS: usize> {
    bins: [i64; BINS],
    top: Top,
}

impl<const BINS: usize> Bins<BINS> {
    pub(super) const EMPTY: Bins<BINS> = Bins { bins: [0; BINS], top: Top::lowest(BINS) };

    /// Adds a value; one that is not finite is recorded as special.
    #[inline(always)]
    pub(super) fn add(&mut self, value: f64, specials: &mut Specials) {
        if self.top.absorbs(value.to_bits() & SIZE_BITS) {
            grid::add_absorbed(&mut self.bins, self.top, value);
        } else if value.is_finite() {
            grid::add_finite(&mut self.bins, &mut self.top, value);
        } else {
            specials.record(value);
        }
    }

    /// Adds a value in two parts, as products are; one that is not finite counts as NaN.
    #[inline(always)]
    pub(super) fn add_pair(&mut self, (value, rest): (f64, f64), specials: &mut Specials) {
        if value.is_finite() && rest.is_finite() {
            self.add(value, specials);
            self.add(rest, specials);
        } else {
            specials.record(f64::NAN);
        }
    }

    /// Adds finite values of which the largest has this size, or none is larger and one that was added before has it.
    pub(super) fn add_sized(&mut self, values: &[f64], largest: f64) {
        grid::add_sized(&mut self.bins, &mut self.top, values, largest, |_| ());
    }

    pub(super) fn merge(&mut self, other: &Bins<BINS>) {
        grid::merge(&mut self.bins, &mut self.top, &other.bins, other.top);
    }

    pub(super) fn widened(&self) -> WideBins<BINS> {
        WideBins::from_narrow(&self.bins, self.top)
    }

    pub(super) fn from_wide(wide: &WideBins<BINS>) -> Option<Bins<BINS>> {
        wide.narrowed().map(|(bins, top)| Bins { bins, top })
    }
}

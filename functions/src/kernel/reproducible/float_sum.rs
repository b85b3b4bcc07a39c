//! The sum of a column of `f64`, and its mean.

use super::grid::{self, SIZE_BITS, Top};
use super::wide_bins::WideBins;
use super::{Narrow, ROWS_MAX, Reproducible, Specials, Wide};

/// A reproducible sum: equal bits for equal values in any order, batches and merges.
pub type Sum = Reproducible<NarrowSum>;

/// The sum of at most 2^30 rows, in 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(32))]
pub struct NarrowSum {
    bins: [i64; 3],
    rows: u32,
    top: Top,
    specials: Specials,
}

/// The sum of any number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WideSum {
    bins: WideBins<3>,
    rows: u64,
    specials: Specials,
}

const _: () = assert!(size_of::<Sum>() == 32, "two states share a cache line");

impl Narrow for NarrowSum {
    type Row = f64;
    type Wide = WideSum;

    const EMPTY: NarrowSum = NarrowSum { bins: [0; 3], rows: 0, top: Top::lowest(3), specials: Specials(0) };

    #[inline(always)]
    fn rows(&self) -> u32 {
        self.rows
    }

    #[inline(always)]
    fn add(&mut self, value: f64) {
        self.rows += 1;
        if self.top.absorbs(value.to_bits() & SIZE_BITS) {
            grid::add_absorbed(&mut self.bins, self.top, value);
        } else if value.is_finite() {
            grid::add_finite(&mut self.bins, &mut self.top, value);
        } else {
            self.specials.record(value);
        }
    }

    fn merge(&mut self, other: &NarrowSum) {
        grid::merge(&mut self.bins, &mut self.top, &other.bins, other.top);
        self.rows += other.rows;
        self.specials.0 |= other.specials.0;
    }
}

impl Wide for WideSum {
    type Narrow = NarrowSum;

    const WORDS: usize = WideBins::<3>::WORDS + 1;

    fn empty() -> WideSum {
        WideSum { bins: WideBins::EMPTY, rows: 0, specials: Specials(0) }
    }

    fn with(self, narrow: &NarrowSum) -> WideSum {
        WideSum {
            bins: self.bins.merged(&WideBins::from_narrow(&narrow.bins, narrow.top)),
            rows: self.rows + u64::from(narrow.rows),
            specials: Specials(self.specials.0 | narrow.specials.0),
        }
    }

    fn merged(self, other: &WideSum) -> WideSum {
        WideSum {
            bins: self.bins.merged(&other.bins),
            rows: self.rows + other.rows,
            specials: Specials(self.specials.0 | other.specials.0),
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn narrowed(&self) -> Option<NarrowSum> {
        let rows = u32::try_from(self.rows).ok().filter(|&rows| rows < ROWS_MAX)?;
        let (bins, top) = self.bins.narrowed()?;
        Some(NarrowSum { bins, rows, top, specials: self.specials })
    }

    fn write_words(&self, words: &mut [u64]) {
        self.bins.write_words(words);
        words[WideBins::<3>::WORDS - 1] |= u64::from(self.specials.0) << 8;
        words[Self::WORDS - 1] = self.rows;
    }

    fn read_words(words: &[u64]) -> Option<WideSum> {
        let mut bins = [0; WideBins::<3>::WORDS];
        bins.copy_from_slice(&words[..WideBins::<3>::WORDS]);
        let specials = Specials::from_number(bins[WideBins::<3>::WORDS - 1] >> 8)?;
        bins[WideBins::<3>::WORDS - 1] &= 0xff;
        let rows = Some(words[Self::WORDS - 1]).filter(|&rows| rows < 1 << 62)?;
        Some(WideSum { bins: WideBins::read_words(&bins)?, rows, specials })
    }
}

impl Sum {
    /// Adds every value of a slice, faster than one by one.
    pub fn add_slice(&mut self, values: &[f64]) {
        const CHUNK: usize = 1 << 20;
        for chunk in values.chunks(CHUNK) {
            if self.recent_mut().rows() as usize + chunk.len() >= ROWS_MAX as usize {
                self.widen();
            }
            let state = self.recent_mut();
            state.rows += chunk.len() as u32;
            grid::add_slice(&mut state.bins, &mut state.top, chunk, |value| state.specials.record(value));
        }
    }

    /// The sum, rounded once; +0 of no rows.
    pub fn finish(&self) -> f64 {
        let wide = self.to_wide();
        wide.specials.apply(wide.bins.value())
    }

    /// The mean: the sum over the number of rows; NaN of no rows. It is finite for finite values.
    pub fn mean(&self) -> f64 {
        let wide = self.to_wide();
        let sum = wide.bins.value();
        let mean = if sum.is_finite() {
            sum / wide.rows as f64
        } else {
            // The sum leaves the range, the mean does not.
            const SCALE: f64 = 18_446_744_073_709_551_616.0; // 2^64
            wide.bins.integer().to_f64(wide.bins.exponent() - 64) / wide.rows as f64 * SCALE
        };
        if wide.rows == 0 { f64::NAN } else { wide.specials.apply(mean) }
    }
}

//! Sums, squares and products of two columns, for covariance, correlation and linear regression.

use super::bins::Bins;
use super::grid::{SIZE_BITS, largest_size};
use super::moments::centred;
use super::wide_bins::WideBins;
use super::{Narrow, ROWS_MAX, Reproducible, Specials, Wide};
use crate::kernel::transcendental::exact::two_product;

/// Pairs that are added together.
const BLOCK: usize = 256;

/// Reproducible joint moments of pairs (x, y).
pub type Comoments = Reproducible<NarrowComoments>;

/// The joint moments of at most 2^30 rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NarrowComoments {
    x: Bins<3>,
    y: Bins<3>,
    xx: Bins<4>,
    yy: Bins<4>,
    xy: Bins<4>,
    rows: u32,
    specials: Specials,
}

/// The joint moments of any number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WideComoments {
    x: WideBins<3>,
    y: WideBins<3>,
    xx: WideBins<4>,
    yy: WideBins<4>,
    xy: WideBins<4>,
    rows: u64,
    specials: Specials,
}

impl Narrow for NarrowComoments {
    type Row = (f64, f64);
    type Wide = WideComoments;

    const EMPTY: NarrowComoments = NarrowComoments {
        x: Bins::EMPTY,
        y: Bins::EMPTY,
        xx: Bins::EMPTY,
        yy: Bins::EMPTY,
        xy: Bins::EMPTY,
        rows: 0,
        specials: Specials(0),
    };

    #[inline(always)]
    fn rows(&self) -> u32 {
        self.rows
    }

    #[inline(always)]
    fn add(&mut self, (x, y): (f64, f64)) {
        self.rows += 1;
        if !(x.is_finite() && y.is_finite()) {
            return self.specials.record(f64::NAN);
        }
        self.x.add(x, &mut self.specials);
        self.y.add(y, &mut self.specials);
        self.xx.add_pair(two_product(x, x), &mut self.specials);
        self.yy.add_pair(two_product(y, y), &mut self.specials);
        self.xy.add_pair(two_product(x, y), &mut self.specials);
    }

    fn merge(&mut self, other: &NarrowComoments) {
        self.x.merge(&other.x);
        self.y.merge(&other.y);
        self.xx.merge(&other.xx);
        self.yy.merge(&other.yy);
        self.xy.merge(&other.xy);
        self.rows += other.rows;
        self.specials.0 |= other.specials.0;
    }
}

impl NarrowComoments {
    /// Adds pairs, at most [`BLOCK`] of them; false, with nothing added, where a value or a square is not finite.
    fn add_block(&mut self, x: &[f64], y: &[f64]) -> bool {
        let (x_largest, y_largest) = (largest_size(x), largest_size(y));
        // No product is beyond both squares.
        if !((x_largest * x_largest).is_finite() && (y_largest * y_largest).is_finite()) {
            return false;
        }
        self.x.add_sized(x, x_largest);
        self.y.add_sized(y, y_largest);
        for (left, right, bins) in [(x, x, &mut self.xx), (y, y, &mut self.yy), (x, y, &mut self.xy)] {
            let (mut room, mut room_of_errors) = ([0.0; BLOCK], [0.0; BLOCK]);
            let (exact, errors) = (&mut room[..x.len()], &mut room_of_errors[..x.len()]);
            let (largest, has_errors) = products(left, right, exact, errors);
            bins.add_sized(exact, largest);
            if has_errors {
                bins.add_sized(errors, largest);
            }
        }
        self.rows += x.len() as u32;
        true
    }
}

at_each_level! {
    /// The product of every pair with its rounding error; the largest size of a product, and whether there is an error.
    fn products / products_at(left: &[f64], right: &[f64], products: &mut [f64], errors: &mut [f64]) -> (f64, bool) {
        let (mut largest, mut all_errors) = (0i64, 0u64);
        for (((&left, &right), product), error) in left.iter().zip(right).zip(products).zip(errors) {
            (*product, *error) = two_product(left, right);
            largest = largest.max((product.to_bits() & SIZE_BITS) as i64);
            all_errors |= error.to_bits() & SIZE_BITS;
        }
        (f64::from_bits(largest as u64), all_errors != 0)
    }
}

impl Wide for WideComoments {
    type Narrow = NarrowComoments;

    const WORDS: usize = 2 * WideBins::<3>::WORDS + 3 * WideBins::<4>::WORDS + 2;

    fn empty() -> WideComoments {
        WideComoments {
            x: WideBins::EMPTY,
            y: WideBins::EMPTY,
            xx: WideBins::EMPTY,
            yy: WideBins::EMPTY,
            xy: WideBins::EMPTY,
            rows: 0,
            specials: Specials(0),
        }
    }

    fn with(self, narrow: &NarrowComoments) -> WideComoments {
        self.merged(&WideComoments {
            x: narrow.x.widened(),
            y: narrow.y.widened(),
            xx: narrow.xx.widened(),
            yy: narrow.yy.widened(),
            xy: narrow.xy.widened(),
            rows: u64::from(narrow.rows),
            specials: narrow.specials,
        })
    }

    fn merged(self, other: &WideComoments) -> WideComoments {
        WideComoments {
            x: self.x.merged(&other.x),
            y: self.y.merged(&other.y),
            xx: self.xx.merged(&other.xx),
            yy: self.yy.merged(&other.yy),
            xy: self.xy.merged(&other.xy),
            rows: self.rows + other.rows,
            specials: Specials(self.specials.0 | other.specials.0),
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn narrowed(&self) -> Option<NarrowComoments> {
        Some(NarrowComoments {
            x: Bins::from_wide(&self.x)?,
            y: Bins::from_wide(&self.y)?,
            xx: Bins::from_wide(&self.xx)?,
            yy: Bins::from_wide(&self.yy)?,
            xy: Bins::from_wide(&self.xy)?,
            rows: u32::try_from(self.rows).ok().filter(|&rows| rows < ROWS_MAX)?,
            specials: self.specials,
        })
    }

    fn write_words(&self, words: &mut [u64]) {
        let (linear, rest) = words.split_at_mut(2 * WideBins::<3>::WORDS);
        for (words, bins) in linear.chunks_exact_mut(WideBins::<3>::WORDS).zip([&self.x, &self.y]) {
            bins.write_words(words);
        }
        let (products, rest) = rest.split_at_mut(3 * WideBins::<4>::WORDS);
        for (words, bins) in
            products.chunks_exact_mut(WideBins::<4>::WORDS).zip([&self.xx, &self.yy, &self.xy])
        {
            bins.write_words(words);
        }
        rest[0] = self.rows;
        rest[1] = u64::from(self.specials.0);
    }

    fn read_words(words: &[u64]) -> Option<WideComoments> {
        let (linear, rest) = words.split_at(2 * WideBins::<3>::WORDS);
        let (x, y) = linear.split_at(WideBins::<3>::WORDS);
        let (products, rest) = rest.split_at(3 * WideBins::<4>::WORDS);
        let (xx, products) = products.split_at(WideBins::<4>::WORDS);
        let (yy, xy) = products.split_at(WideBins::<4>::WORDS);
        Some(WideComoments {
            x: WideBins::read_words(x)?,
            y: WideBins::read_words(y)?,
            xx: WideBins::read_words(xx)?,
            yy: WideBins::read_words(yy)?,
            xy: WideBins::read_words(xy)?,
            rows: Some(rest[0]).filter(|&rows| rows < 1 << 62)?,
            specials: Specials::from_number(rest[1])?,
        })
    }
}

/// Sums over all rows of products of deviations from the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviations {
    /// Sum of (x - mean x)^2.
    pub xx: f64,
    /// Sum of (y - mean y)^2.
    pub yy: f64,
    /// Sum of (x - mean x) (y - mean y).
    pub xy: f64,
}

impl Comoments {
    /// Adds every pair of two slices, faster than one by one.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_slices(&mut self, x: &[f64], y: &[f64]) {
        assert_eq!(x.len(), y.len());
        for (x, y) in x.chunks(BLOCK).zip(y.chunks(BLOCK)) {
            if self.recent_mut().rows() as usize + x.len() >= ROWS_MAX as usize {
                self.widen();
            }
            let state = self.recent_mut();
            if !state.add_block(x, y) {
                x.iter().zip(y).for_each(|(&x, &y)| state.add((x, y)));
            }
        }
    }

    /// The means of x and of y; NaN of no rows, and where a value was not finite.
    pub fn means(&self) -> (f64, f64) {
        let wide = self.to_wide();
        let rows = wide.rows as f64;
        let mean = |bins: &WideBins<3>| if wide.specials.is_empty() { bins.value() / rows } else { f64::NAN };
        (mean(&wide.x), mean(&wide.y))
    }

    /// The sums of products of deviations; NaN of no rows, and where a value was not finite.
    pub fn deviations(&self) -> Deviations {
        let wide = self.to_wide();
        let rows = wide.rows as f64;
        if !wide.specials.is_empty() {
            return Deviations { xx: f64::NAN, yy: f64::NAN, xy: f64::NAN };
        }
        let square = |squares, sum| centred(wide.rows, squares, sum, sum).max(0.0) / rows;
        Deviations {
            xx: square(&wide.xx, &wide.x),
            yy: square(&wide.yy, &wide.y),
            xy: centred(wide.rows, &wide.xy, &wide.x, &wide.y) / rows,
        }
    }

    /// The covariance with `rows - freedom_lost` in the denominator: 0 for the population, 1 for a sample; NaN where
    /// the denominator is not positive.
    pub fn covariance(&self, freedom_lost: u64) -> f64 {
        match self.rows().checked_sub(freedom_lost) {
            None | Some(0) => f64::NAN,
            Some(freedom) => self.deviations().xy / freedom as f64,
        }
    }

    /// The correlation, in [-1, 1]; NaN where x or y is constant.
    pub fn correlation(&self) -> f64 {
        let Deviations { xx, yy, xy } = self.deviations();
        // One root keeps the correlation of a line at 1; two stay in range where the product does not.
        let product = xx * yy;
        let scale = if product.is_normal() { product.sqrt() } else { xx.sqrt() * yy.sqrt() };
        let correlation = xy / scale;
        if correlation.is_nan() || xx == 0.0 || yy == 0.0 { f64::NAN } else { correlation.clamp(-1.0, 1.0) }
    }
}

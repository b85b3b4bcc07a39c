//! Sum and sum of squares of a column, for variance and standard deviation.

use super::grid::{self, SIZE_BITS, Top};
use super::wide_bins::WideBins;
use super::wide_integer::WideInteger;
use super::{Narrow, ROWS_MAX, Reproducible, Specials, Wide};
use crate::kernel::transcendental::exact::two_product;

/// Reproducible first and second moments.
pub type Moments = Reproducible<NarrowMoments>;

/// The moments of at most 2^30 rows, in one cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct NarrowMoments {
    sum: [i64; 3],
    squares: [i64; 4],
    rows: u32,
    sum_top: Top,
    squares_top: Top,
    specials: Specials,
}

/// The moments of any number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WideMoments {
    sum: WideBins<3>,
    squares: WideBins<4>,
    rows: u64,
    specials: Specials,
}

const _: () = assert!(size_of::<Moments>() == 64, "a state is one cache line");

/// Adds a product of two finite values with its rounding error; a product beyond the range is recorded as special.
#[inline(always)]
pub(super) fn add_product(
    bins: &mut [i64; 4],
    top: &mut Top,
    specials: &mut Specials,
    left: f64,
    right: f64,
) {
    let (product, error) = two_product(left, right);
    if top.absorbs(product.to_bits() & SIZE_BITS) {
        grid::add_absorbed(bins, *top, product);
        grid::add_absorbed(bins, *top, error);
    } else if product.is_finite() && error.is_finite() {
        grid::add_finite(bins, top, product);
        grid::add_finite(bins, top, error);
    } else {
        specials.record(f64::NAN);
    }
}

impl Narrow for NarrowMoments {
    type Row = f64;
    type Wide = WideMoments;

    const EMPTY: NarrowMoments = NarrowMoments {
        sum: [0; 3],
        squares: [0; 4],
        rows: 0,
        sum_top: Top::lowest(3),
        squares_top: Top::lowest(4),
        specials: Specials(0),
    };

    #[inline(always)]
    fn rows(&self) -> u32 {
        self.rows
    }

    #[inline(always)]
    fn add(&mut self, value: f64) {
        self.rows += 1;
        if self.sum_top.absorbs(value.to_bits() & SIZE_BITS) {
            grid::add_absorbed(&mut self.sum, self.sum_top, value);
        } else if value.is_finite() {
            grid::add_finite(&mut self.sum, &mut self.sum_top, value);
        } else {
            return self.specials.record(value);
        }
        add_product(&mut self.squares, &mut self.squares_top, &mut self.specials, value, value);
    }

    fn merge(&mut self, other: &NarrowMoments) {
        grid::merge(&mut self.sum, &mut self.sum_top, &other.sum, other.sum_top);
        grid::merge(&mut self.squares, &mut self.squares_top, &other.squares, other.squares_top);
        self.rows += other.rows;
        self.specials.0 |= other.specials.0;
    }
}

impl Wide for WideMoments {
    type Narrow = NarrowMoments;

    const WORDS: usize = WideBins::<3>::WORDS + WideBins::<4>::WORDS + 2;

    fn empty() -> WideMoments {
        WideMoments { sum: WideBins::EMPTY, squares: WideBins::EMPTY, rows: 0, specials: Specials(0) }
    }

    fn with(self, narrow: &NarrowMoments) -> WideMoments {
        self.merged(&WideMoments {
            sum: WideBins::from_narrow(&narrow.sum, narrow.sum_top),
            squares: WideBins::from_narrow(&narrow.squares, narrow.squares_top),
            rows: u64::from(narrow.rows),
            specials: narrow.specials,
        })
    }

    fn merged(self, other: &WideMoments) -> WideMoments {
        WideMoments {
            sum: self.sum.merged(&other.sum),
            squares: self.squares.merged(&other.squares),
            rows: self.rows + other.rows,
            specials: Specials(self.specials.0 | other.specials.0),
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn narrowed(&self) -> Option<NarrowMoments> {
        let rows = u32::try_from(self.rows).ok().filter(|&rows| rows < ROWS_MAX)?;
        let ((sum, sum_top), (squares, squares_top)) = (self.sum.narrowed()?, self.squares.narrowed()?);
        Some(NarrowMoments { sum, squares, rows, sum_top, squares_top, specials: self.specials })
    }

    fn write_words(&self, words: &mut [u64]) {
        let (sum, rest) = words.split_at_mut(WideBins::<3>::WORDS);
        let (squares, rest) = rest.split_at_mut(WideBins::<4>::WORDS);
        self.sum.write_words(sum);
        self.squares.write_words(squares);
        rest[0] = self.rows;
        rest[1] = u64::from(self.specials.0);
    }

    fn read_words(words: &[u64]) -> Option<WideMoments> {
        let (sum, rest) = words.split_at(WideBins::<3>::WORDS);
        let (squares, rest) = rest.split_at(WideBins::<4>::WORDS);
        Some(WideMoments {
            sum: WideBins::read_words(sum)?,
            squares: WideBins::read_words(squares)?,
            rows: Some(rest[0]).filter(|&rows| rows < 1 << 62)?,
            specials: Specials::from_number(rest[1])?,
        })
    }
}

/// `rows * sum(x y) - sum(x) * sum(y)`, exact but for pieces below the bins, rounded once: `rows^2` times the population
/// covariance.
pub(super) fn centred(rows: u64, products: &WideBins<4>, left: &WideBins<3>, right: &WideBins<3>) -> f64 {
    let scaled = WideInteger::shifted(i128::from(rows), 0).multiply(&products.integer());
    let product = left.integer().multiply(&right.integer());
    let (scaled_exponent, product_exponent) = (products.exponent(), left.exponent() + right.exponent());
    // Both sides are brought to the lower exponent. Where the sums are far from the products, one side is lost in the other.
    const SHIFT_MAX: i32 = 180;
    match scaled_exponent - product_exponent {
        shift @ 0..=SHIFT_MAX => scaled.shift_left(shift as u32).subtract(&product).to_f64(product_exponent),
        shift if (-SHIFT_MAX..0).contains(&shift) => {
            scaled.subtract(&product.shift_left(shift.unsigned_abs())).to_f64(scaled_exponent)
        }
        _ => scaled.to_f64(scaled_exponent) - product.to_f64(product_exponent),
    }
}

impl Moments {
    /// Adds every value of a slice, faster than one by one.
    pub fn add_slice(&mut self, values: &[f64]) {
        const BLOCK: usize = 256;
        for block in values.chunks(BLOCK) {
            if self.recent_mut().rows() as usize + block.len() >= ROWS_MAX as usize {
                self.widen();
            }
            let state = self.recent_mut();
            let (mut products, mut errors) = ([0.0; BLOCK], [0.0; BLOCK]);
            let (products, errors) = (&mut products[..block.len()], &mut errors[..block.len()]);
            let (largest, has_errors) = squares(block, products, errors);
            // Rounding keeps the order, so this is the largest square.
            let largest_square = largest * largest;
            if largest_square.is_finite() {
                let (sum, squares) = (&mut state.sum, &mut state.squares);
                grid::add_sized(sum, &mut state.sum_top, block, largest, |_| ());
                grid::add_sized(squares, &mut state.squares_top, products, largest_square, |_| ());
                // Squares of whole numbers are mostly exact.
                if has_errors {
                    grid::add_sized(squares, &mut state.squares_top, errors, largest_square, |_| ());
                }
                state.rows += block.len() as u32;
            } else {
                block.iter().for_each(|&value| state.add(value));
            }
        }
    }

    /// The sum, as [`super::Sum::finish`].
    pub fn sum(&self) -> f64 {
        let wide = self.to_wide();
        wide.specials.apply(wide.sum.value())
    }

    /// The mean, `sum / rows`; NaN of no rows.
    pub fn mean(&self) -> f64 {
        self.sum() / self.rows() as f64
    }

    /// The variance with `rows - freedom_lost` in the denominator: 0 for the population, 1 for a sample.
    ///
    /// Never negative; NaN where the denominator is not positive, or a value was not finite.
    pub fn variance(&self, freedom_lost: u64) -> f64 {
        let wide = self.to_wide();
        if wide.rows <= freedom_lost || !wide.specials.is_empty() {
            return f64::NAN;
        }
        let (rows, freedom) = (wide.rows as f64, (wide.rows - freedom_lost) as f64);
        (centred(wide.rows, &wide.squares, &wide.sum, &wide.sum) / rows / freedom).max(0.0)
    }

    /// The square root of [`Moments::variance`].
    pub fn standard_deviation(&self, freedom_lost: u64) -> f64 {
        self.variance(freedom_lost).sqrt()
    }
}

at_each_level! {
    /// The square of every value with its rounding error; the largest size of a value, NaN if there is a NaN, and whether there is an error.
    fn squares / squares_at(values: &[f64], products: &mut [f64], errors: &mut [f64]) -> (f64, bool) {
        let (mut largest, mut all_errors) = (0i64, 0u64);
        for ((&value, product), error) in values.iter().zip(products).zip(errors) {
            (*product, *error) = two_product(value, value);
            // As integers, sizes order as floats do, with NaN above all.
            largest = largest.max((value.to_bits() & SIZE_BITS) as i64);
            all_errors |= error.to_bits() & SIZE_BITS;
        }
        (f64::from_bits(largest as u64), all_errors != 0)
    }
}

//! Sums of the first four powers of a column, for skewness and kurtosis.

use super::bins::Bins;
use super::wide_bins::WideBins;
use super::{Narrow, ROWS_MAX, Reproducible, Specials, Wide};
use crate::kernel::transcendental::exact::{fast_two_sum, two_product, two_sum};

/// Reproducible sums of x, x^2, x^3 and x^4.
pub type PowerSums = Reproducible<NarrowPowerSums>;

/// The power sums of at most 2^30 rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NarrowPowerSums {
    powers: [Bins<4>; 4],
    rows: u32,
    specials: Specials,
}

/// The power sums of any number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WidePowerSums {
    powers: [WideBins<4>; 4],
    rows: u64,
    specials: Specials,
}

impl Narrow for NarrowPowerSums {
    type Row = f64;
    type Wide = WidePowerSums;

    const EMPTY: NarrowPowerSums =
        NarrowPowerSums { powers: [Bins::EMPTY; 4], rows: 0, specials: Specials(0) };

    #[inline(always)]
    fn rows(&self) -> u32 {
        self.rows
    }

    #[inline(always)]
    fn add(&mut self, value: f64) {
        self.rows += 1;
        let (square, square_rest) = two_product(value, value);
        let (cube, cube_rest) = two_product(square, value);
        let (fourth, fourth_rest) = two_product(square, square);
        let [first, second, third, last] = &mut self.powers;
        first.add(value, &mut self.specials);
        second.add_pair((square, square_rest), &mut self.specials);
        third.add_pair((cube, cube_rest + square_rest * value), &mut self.specials);
        last.add_pair((fourth, fourth_rest + 2.0 * square * square_rest), &mut self.specials);
    }

    fn merge(&mut self, other: &NarrowPowerSums) {
        for (power, other) in self.powers.iter_mut().zip(&other.powers) {
            power.merge(other);
        }
        self.rows += other.rows;
        self.specials.0 |= other.specials.0;
    }
}

impl Wide for WidePowerSums {
    type Narrow = NarrowPowerSums;

    const WORDS: usize = 4 * WideBins::<4>::WORDS + 2;

    fn empty() -> WidePowerSums {
        WidePowerSums { powers: [WideBins::EMPTY; 4], rows: 0, specials: Specials(0) }
    }

    fn with(self, narrow: &NarrowPowerSums) -> WidePowerSums {
        self.merged(&WidePowerSums {
            powers: narrow.powers.map(|power| power.widened()),
            rows: u64::from(narrow.rows),
            specials: narrow.specials,
        })
    }

    fn merged(self, other: &WidePowerSums) -> WidePowerSums {
        WidePowerSums {
            powers: std::array::from_fn(|index| self.powers[index].merged(&other.powers[index])),
            rows: self.rows + other.rows,
            specials: Specials(self.specials.0 | other.specials.0),
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn narrowed(&self) -> Option<NarrowPowerSums> {
        let mut powers = [Bins::EMPTY; 4];
        for (narrow, wide) in powers.iter_mut().zip(&self.powers) {
            *narrow = Bins::from_wide(wide)?;
        }
        let rows = u32::try_from(self.rows).ok().filter(|&rows| rows < ROWS_MAX)?;
        Some(NarrowPowerSums { powers, rows, specials: self.specials })
    }

    fn write_words(&self, words: &mut [u64]) {
        for (words, power) in words.chunks_exact_mut(WideBins::<4>::WORDS).zip(&self.powers) {
            power.write_words(words);
        }
        words[Self::WORDS - 2] = self.rows;
        words[Self::WORDS - 1] = u64::from(self.specials.0);
    }

    fn read_words(words: &[u64]) -> Option<WidePowerSums> {
        let mut powers = [WideBins::EMPTY; 4];
        for (power, words) in powers.iter_mut().zip(words.chunks_exact(WideBins::<4>::WORDS)) {
            *power = WideBins::read_words(words)?;
        }
        Some(WidePowerSums {
            powers,
            rows: Some(words[Self::WORDS - 2]).filter(|&rows| rows < 1 << 62)?,
            specials: Specials::from_number(words[Self::WORDS - 1])?,
        })
    }
}

/// A number as the sum of two floats.
#[derive(Clone, Copy)]
struct Pair(f64, f64);

impl Pair {
    fn plus(self, other: Pair) -> Pair {
        let (sum, error) = two_sum(self.0, other.0);
        let (sum, error) = fast_two_sum(sum, error + (self.1 + other.1));
        Pair(sum, error)
    }

    fn times(self, other: Pair) -> Pair {
        let (product, error) = two_product(self.0, other.0);
        let (product, error) = fast_two_sum(product, error + (self.0 * other.1 + self.1 * other.0));
        Pair(product, error)
    }

    fn over(self, divisor: f64) -> Pair {
        let quotient = self.0 / divisor;
        let (product, error) = two_product(quotient, divisor);
        let (quotient, rest) = fast_two_sum(quotient, (((self.0 - product) - error) + self.1) / divisor);
        Pair(quotient, rest)
    }

    fn scaled(self, factor: f64) -> Pair {
        self.times(Pair(factor, 0.0))
    }
}

impl PowerSums {
    /// Adds every value of a slice.
    pub fn add_slice(&mut self, values: &[f64]) {
        values.iter().for_each(|&value| self.add(value));
    }

    /// The second, third and fourth central moments of the population: means of powers of the deviation from the
    /// mean. NaN of no rows, and where a value or a power was not finite.
    pub fn central_moments(&self) -> [f64; 3] {
        let wide = self.to_wide();
        if wide.rows == 0 || !wide.specials.is_empty() {
            return [f64::NAN; 3];
        }
        let [mean, second, third, fourth] = wide.powers.map(|power| {
            let (value, rest) = power.value_and_rest();
            Pair(value, rest).over(wide.rows as f64)
        });
        let square = mean.times(mean);
        let variance = second.plus(square.scaled(-1.0));
        let skew = third.plus(mean.times(second).scaled(-3.0)).plus(mean.times(square).scaled(2.0));
        let flatness = fourth
            .plus(mean.times(third).scaled(-4.0))
            .plus(square.times(second).scaled(6.0))
            .plus(square.times(square).scaled(-3.0));
        [variance.0.max(0.0), skew.0, flatness.0.max(0.0)]
    }

    /// The skewness of a sample, with the usual correction for its size; NaN below three rows and for a constant.
    pub fn skewness(&self) -> f64 {
        let rows = self.rows() as f64;
        let [variance, skew, _] = self.central_moments();
        if rows < 3.0 || variance <= 0.0 {
            return f64::NAN;
        }
        (rows * (rows - 1.0)).sqrt() / (rows - 2.0) * (skew / (variance * variance.sqrt()))
    }

    /// The excess kurtosis of a sample, with the usual correction for its size; NaN below four rows and for a constant.
    pub fn kurtosis(&self) -> f64 {
        let rows = self.rows() as f64;
        if rows < 4.0 {
            return f64::NAN;
        }
        let excess = self.population_kurtosis();
        (rows - 1.0) / ((rows - 2.0) * (rows - 3.0)) * ((rows + 1.0) * excess + 6.0)
    }

    /// The excess kurtosis of the population; NaN for a constant.
    pub fn population_kurtosis(&self) -> f64 {
        let [variance, _, flatness] = self.central_moments();
        if variance <= 0.0 { f64::NAN } else { flatness / (variance * variance) - 3.0 }
    }
}

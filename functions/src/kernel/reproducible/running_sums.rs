//! Sums of many ranges of one column, each with the bits that [`super::Sum`] gives for its rows.
//!
//! Bins are integers, so the sum of a range is the difference of two running totals, without a rounding between. What a
//! state drops depends on the highest bin that a value of the range needs. So there is one row of totals for each top that
//! a value of the column needs, holding the values that need at most that top, cut as a state with that top cuts them;
//! and a range reads the totals of the highest top that one of its values needs.

use super::ROWS_MAX;
use super::grid::{SIZE_BITS, Top, add_absorbed};

/// Tops that are told apart: values of 2^96 times another's size are rare enough to be left to the states.
const TOPS_MAX: u8 = 3;

/// Bins of a sum.
const BINS: usize = 3;

/// Running totals of a column.
#[derive(Debug)]
pub struct RunningSums {
    /// Highest top first.
    levels: Vec<Level>,
}

/// The values that need at most one top.
#[derive(Debug)]
struct Level {
    /// Value of the last bit of the lowest bin, an exact power of two.
    unit: f64,
    /// The total of the rows before each place, in units.
    totals: Vec<i128>,
    /// Rows before each place whose value needs exactly this top; empty for the lowest level, which nothing lies below.
    needing: Vec<u32>,
}

impl RunningSums {
    /// The totals of `rows` values; `None` if one of them is not finite, if they are too many, or too unlike in size.
    pub fn new(rows: usize, value: impl Fn(usize) -> f64) -> Option<Self> {
        if rows >= ROWS_MAX as usize {
            return None;
        }
        // A zero needs no bin, and adds nothing to any: it is not among the least.
        let (mut least, mut greatest) = (u64::MAX, 0);
        for row in 0..rows {
            let size_bits = value(row).to_bits() & SIZE_BITS;
            greatest = greatest.max(size_bits);
            least = least.min(size_bits.wrapping_sub(1));
        }
        let lowest = Top::lowest(BINS).number();
        let greatest = Top::needed(greatest).max(lowest);
        let least = if least == u64::MAX { greatest } else { Top::needed(least + 1).max(lowest) };
        let top = Top::from_number(u64::from(greatest), BINS)?;
        if greatest - least >= TOPS_MAX || !top.holds_unscaled() {
            return None;
        }
        let levels = (least..=greatest).rev().map(|top| Level::new(top, top > least, rows, &value));
        Some(Self { levels: levels.collect::<Option<_>>()? })
    }

    /// The sum of the rows of some ranges, each its first row and the one behind its last; +0 of none.
    #[inline]
    pub fn sum(&self, ranges: impl Iterator<Item = (usize, usize)> + Clone) -> f64 {
        for level in &self.levels {
            let is_needed = |(start, end): (usize, usize)| level.needing[start] != level.needing[end];
            if level.needing.is_empty() || ranges.clone().any(is_needed) {
                let total: i128 = ranges.map(|(start, end)| level.totals[end] - level.totals[start]).sum();
                // The conversion rounds once, to even; what it gives is a multiple of the unit that the format holds.
                return total as f64 * level.unit;
            }
        }
        0.0
    }
}

impl Level {
    fn new(top_number: u8, has_lower: bool, rows: usize, value: &impl Fn(usize) -> f64) -> Option<Self> {
        let top = Top::from_number(u64::from(top_number), BINS)?;
        let mut totals = vec![0i128; rows + 1];
        let mut total = 0i128;
        for (row, next) in totals[1..].iter_mut().enumerate() {
            let value = value(row);
            let is_higher = Top::needed(value.to_bits() & SIZE_BITS) > top_number;
            let mut bins = [0i64; BINS];
            add_absorbed(&mut bins, top, if is_higher { 0.0 } else { value });
            let [high, middle, low] = bins;
            total += (i128::from(high) << 64) + (i128::from(middle) << 32) + i128::from(low);
            *next = total;
        }
        let mut needing = Vec::new();
        if has_lower {
            let mut count = 0u32;
            needing = vec![0u32; rows + 1];
            for (row, next) in needing[1..].iter_mut().enumerate() {
                count += u32::from(Top::needed(value(row).to_bits() & SIZE_BITS) == top_number);
                *next = count;
            }
        }
        Some(Self {
            unit: power_of_two(32 * (i32::from(top_number) - (BINS as i32 - 1)) - 1074),
            totals,
            needing,
        })
    }
}

/// `2^exponent`, from the least `f64` on.
fn power_of_two(exponent: i32) -> f64 {
    debug_assert!((-1074..1024).contains(&exponent));
    match exponent {
        -1074..=-1023 => f64::from_bits(1 << (exponent + 1074)),
        _ => f64::from_bits(((exponent + 1023) as u64) << 52),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Narrow, NarrowSum, Reproducible, Sum};
    use super::*;

    fn state(values: &[f64]) -> f64 {
        let mut sum: Sum = Reproducible::Narrow(NarrowSum::EMPTY);
        values.iter().for_each(|&value| sum.add(value));
        sum.finish()
    }

    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 11
    }

    /// Values of both signs whose exponents lie within `spread` of `exponent`, some of them zero.
    fn values(seed: u64, exponent: i32, spread: u64) -> Vec<f64> {
        let mut seed = seed;
        (0..300)
            .map(|_| {
                let exponent = i64::from(exponent) + (random(&mut seed) % spread) as i64;
                let fraction = random(&mut seed) & ((1 << 52) - 1);
                let sign = (random(&mut seed) & 1) << 63;
                match random(&mut seed) % 10 {
                    0 => f64::from_bits(sign),
                    _ => f64::from_bits(sign | ((exponent + 1023) as u64) << 52 | fraction),
                }
            })
            .collect()
    }

    #[test]
    fn ranges_have_the_bits_of_their_states() {
        let mut compared = 0;
        for (exponent, spread) in
            [(0, 1), (0, 13), (-30, 60), (-60, 70), (-19, 33), (-1023, 5), (-1023, 70), (900, 60), (-400, 64)]
        {
            for seed in 0..8 {
                let values = values(seed, exponent, spread);
                let Some(sums) = RunningSums::new(values.len(), |row| values[row]) else {
                    panic!("{exponent} {spread}: refused");
                };
                let mut seed = seed;
                for _ in 0..200 {
                    let mut ends = [0; 4].map(|_| random(&mut seed) as usize % (values.len() + 1));
                    ends.sort_unstable();
                    let [a, b, c, d] = ends;
                    let one = sums.sum(std::iter::once((a, c)));
                    assert_eq!(one.to_bits(), state(&values[a..c]).to_bits(), "{exponent} {spread} {a} {c}");
                    let two = sums.sum([(a, b), (c, d)].into_iter());
                    let both = [&values[a..b], &values[c..d]].concat();
                    assert_eq!(two.to_bits(), state(&both).to_bits(), "{exponent} {spread} {ends:?}");
                    compared += 2;
                }
            }
        }
        assert_eq!(compared, 9 * 8 * 400);
    }

    #[test]
    fn what_running_totals_cannot_hold_is_refused() {
        let refuses = |values: &[f64]| RunningSums::new(values.len(), |row| values[row]).is_none();
        assert!(refuses(&[1.0, f64::NAN]));
        assert!(refuses(&[f64::INFINITY]));
        assert!(refuses(&[f64::MAX]));
        assert!(refuses(&[1e-60, 1.0, 1e60]));
        assert!(!refuses(&[]));
        assert!(!refuses(&[0.0, -0.0]));
        assert!(!refuses(&[1e-9, 1.0, 1e9]));
    }

    #[test]
    fn nothing_and_zeros_sum_to_positive_zero() {
        let values = [-0.0, -0.0, 1.0, -1.0];
        let sums = RunningSums::new(4, |row| values[row]).expect("finite");
        for (start, end) in [(0, 0), (0, 2), (2, 4), (1, 1)] {
            assert_eq!(sums.sum(std::iter::once((start, end))).to_bits(), 0);
        }
    }
}

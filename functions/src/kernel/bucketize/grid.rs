//! A grid over sorted keys: cells of values, and the number of keys below each.
//!
//! The cell of a value is computed, and never decreases from a value to a larger one. So keys in lower cells are below the
//! value, and keys in higher cells are above it: only those of its own cell are compared, by halving. At 1,024 borders at
//! random a cell of 4,096 holds three at most, so that one look at the grid and two at keys replace ten.
//!
//! Cells are of equal width, or hold equally many values of the type, which for floats means that their width grows with
//! the distance from 0, as borders at the quantiles of a skewed column do. The kind whose fullest cell holds less is taken,
//! and the tree where neither needs fewer steps.

use super::{BLOCK, BucketKey, reaches};

/// Cells for each key: more make cells emptier, and the table larger.
const CELLS_PER_KEY: usize = 4;
/// Most cells: 64 KiB of starts.
const CELLS_MAX: usize = 1 << 14;
/// Steps that the grid itself costs.
const STEPS_OF_GRID: u32 = 3;

/// How a value finds its cell.
pub(super) trait Locate<T>: Copy {
    /// The cell, below the number of cells that the grid was made with.
    fn cell(self, value: T) -> i32;
}

/// Cells of equal width.
#[derive(Clone, Copy, Debug)]
pub(super) struct EvenCells<T> {
    low: T,
    cells_per_unit: T,
    cells: u32,
}

impl<T: BucketKey> Locate<T> for EvenCells<T> {
    #[inline(always)]
    fn cell(self, value: T) -> i32 {
        value.even_cell(self.low, self.cells_per_unit, self.cells)
    }
}

/// Cells of equally many values.
#[derive(Clone, Copy, Debug)]
pub(super) struct BitCells<T> {
    low: T,
    high: T,
    shift: u32,
}

impl<T: BucketKey> Locate<T> for BitCells<T> {
    #[inline(always)]
    fn cell(self, value: T) -> i32 {
        value.bit_cell(self.low, self.high, self.shift)
    }
}

/// The kind of cells of a grid.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cells<T> {
    Even(EvenCells<T>),
    Bits(BitCells<T>),
}

/// Keys by cell.
#[derive(Clone, Debug)]
pub(super) struct Grid<T> {
    pub(super) cells: Cells<T>,
    /// The number of keys in the cells before each.
    starts: Vec<i32>,
    /// All keys in order, and as many of the last kind as steps may look at behind them.
    keys: Vec<T>,
    /// Steps by which the keys of the fullest cell are told apart.
    steps: u32,
    /// The highest bucket.
    reachable: i32,
}

impl<T: BucketKey> Grid<T> {
    /// A grid for sorted keys, if it takes fewer steps than a tree of this depth.
    pub(super) fn new(keys: &[T], depth: u32, reachable: i32) -> Option<Self> {
        let (low, high) = (*keys.first()?, *keys.last()?);
        let cells = (keys.len() * CELLS_PER_KEY).next_power_of_two().min(CELLS_MAX);
        let even = T::cells_per_unit(low, high, cells as u32)
            .map(|cells_per_unit| EvenCells { low, cells_per_unit, cells: cells as u32 })
            .map(|even| (counts(keys, cells, even), Cells::Even(even)));
        let distance_bits = u64::BITS - T::bit_distance(low, high).leading_zeros();
        let bits = BitCells { low, high, shift: distance_bits.saturating_sub(cells.trailing_zeros()) };
        let bits = (counts(keys, cells, bits), Cells::Bits(bits));
        let fullest = |counts: &[i32]| counts.iter().copied().max().unwrap_or(0);
        let (mut starts, kind) = match even {
            Some(even) if fullest(&even.0) <= fullest(&bits.0) => even,
            _ => bits,
        };
        let steps = i32::BITS - fullest(&starts).leading_zeros();
        if steps + STEPS_OF_GRID >= depth {
            return None;
        }
        let mut next = 0;
        for start in &mut starts {
            next += std::mem::replace(start, next);
        }
        let mut padded = keys.to_vec();
        padded.resize(keys.len() + (1 << steps), T::LAST);
        Some(Self { cells: kind, starts, keys: padded, steps, reachable })
    }

    /// The bucket of every value, by the cells of this grid.
    #[inline(always)]
    pub(super) fn search(&self, cells: impl Locate<T>, values: &[T], output: &mut [i32]) {
        let (starts, keys) = (self.starts.as_slice(), self.keys.as_slice());
        for (values, places) in values.chunks(BLOCK).zip(output.chunks_mut(BLOCK)) {
            for (&value, place) in values.iter().zip(places.iter_mut()) {
                // SAFETY: both kinds of cells were made for as many as there are starts, and give no others.
                *place = unsafe { *starts.get_unchecked(cells.cell(value) as isize as usize) };
            }
            for step in (0..self.steps).rev() {
                let half = 1i32 << step;
                for (&value, place) in values.iter().zip(places.iter_mut()) {
                    // SAFETY: a start is at most the number of keys, and all steps together add less than 2^steps, by
                    // which the keys are longer.
                    let key = unsafe { *keys.get_unchecked((*place + half - 1) as isize as usize) };
                    *place += i32::from(reaches(value, key)) << step;
                }
            }
            for (&value, place) in values.iter().zip(places) {
                // NaN reaches every key.
                let is_nan = value.partial_cmp(&value).is_none();
                *place = if is_nan { self.reachable } else { (*place).min(self.reachable) };
            }
        }
    }
}

/// How many keys each cell holds.
fn counts<T: BucketKey>(keys: &[T], cells: usize, kind: impl Locate<T>) -> Vec<i32> {
    let mut counts = vec![0; cells];
    keys.iter().for_each(|&key| counts[kind.cell(key) as usize] += 1);
    counts
}

#[cfg(test)]
mod tests {
    use super::super::{Borders, Closed, bucketize_f32_at, bucketize_f64_at, bucketize_i64_at};
    use super::Cells;
    use crate::kernel::level::Level;

    /// Borders that a grid serves: even, at random, in pairs, with a dense part.
    fn kinds() -> Vec<Vec<f64>> {
        let mut state = 9u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let even: Vec<f64> = (0..1000).map(|at| f64::from(at) * 0.37 - 50.0).collect();
        let random: Vec<f64> = (0..1024).map(|_| f64::from((next() * 1e6) as f32)).collect();
        let doubled: Vec<f64> = even.iter().flat_map(|&border| [border; 2]).collect();
        let dense: Vec<f64> =
            (0..900).map(|at| 1e3 + f64::from(at)).chain((0..40).map(|at| f64::from(at) * 1e-3)).collect();
        let skewed: Vec<f64> =
            (0..1000).map(|at| f64::from(((f64::from(at) - 100.0) * 0.02).exp() as f32)).collect();
        let both_signs: Vec<f64> = skewed.iter().flat_map(|border| [-border, *border, 0.0]).collect();
        let wide = vec![-1e300, 0.0, 1.0, 2.0, 1e300];
        let mut kinds = vec![even, random, doubled, dense, skewed, both_signs, wide];
        kinds.iter_mut().for_each(|borders| borders.sort_by(f64::total_cmp));
        kinds
    }

    #[test]
    fn a_grid_gives_the_definition_at_every_level() {
        for (kind, borders) in kinds().into_iter().enumerate() {
            let near = |border: &f64| [*border, border.next_down(), border.next_up(), border + 0.2];
            let mut values: Vec<f64> = borders.iter().flat_map(near).collect();
            values.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, -0.0, 0.0]);
            let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
            let whole: Vec<i64> = values.iter().map(|&value| value as i64).collect();
            for closed in [Closed::Left, Closed::Right] {
                let wide_borders = Borders::<f64>::new(&borders, closed).unwrap();
                let narrow_borders = Borders::<f32>::new(&borders, closed).unwrap();
                let whole_borders = Borders::<i64>::new(&borders, closed).unwrap();
                // The values of one cell are told apart by a tree, here of all.
                let expected: Vec<i32> = values.iter().map(|&value| wide_borders.bucket(value)).collect();
                let expected_narrow: Vec<i32> =
                    narrow.iter().map(|&value| narrow_borders.bucket(value)).collect();
                let expected_whole: Vec<i32> =
                    whole.iter().map(|&value| whole_borders.bucket(value)).collect();
                for level in Level::available() {
                    let mut output = vec![0; values.len()];
                    bucketize_f64_at(level, &wide_borders, &values, &mut output);
                    assert_eq!(output, expected, "kind {kind}, {closed:?}, {level}");
                    bucketize_f32_at(level, &narrow_borders, &narrow, &mut output);
                    assert_eq!(output, expected_narrow, "kind {kind}, {closed:?}, {level}");
                    bucketize_i64_at(level, &whole_borders, &whole, &mut output);
                    assert_eq!(output, expected_whole, "kind {kind}, {closed:?}, {level}");
                }
            }
        }
    }

    #[test]
    fn the_kind_of_cells_follows_the_borders() {
        let kinds: Vec<Option<bool>> = kinds()
            .iter()
            .map(|borders| {
                let grid = Borders::<f32>::new(borders, Closed::Left).unwrap().grid;
                grid.map(|grid| matches!(grid.cells, Cells::Even(_)))
            })
            .collect();
        assert_eq!(kinds[..2], [Some(true), Some(true)]);
        assert_eq!(kinds[4], Some(false));
        assert_eq!(kinds[6], None);
    }
}

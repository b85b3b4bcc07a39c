//! Sums of `f64` whose bits do not depend on order, batches or threads, and the statistics made of them.
//!
//! A state holds integer bins on an absolute grid of exponents (see `grid.rs`): the highest bin that any value needed and
//! two (for products three) below it. Adding and merging are integer additions, hence exact, and
//! associative. What is lost are pieces below the lowest bin kept: at most 2^-64 (for products 2^-96) of the largest value, a value.
//! So a sum of n values is within n 2^-64 max|x| of the exact sum, and rounded once.
//!
//! - [`Sum`]: 32 bytes a group; sum and mean.
//! - [`Moments`]: 64 bytes; variance and what follows from it.
//! - [`Comoments`]: covariance, correlation, regression.
//! - [`PowerSums`]: skewness and kurtosis.
//!
//! [`RunningSums`] gives the sums of many ranges of one column, as over the frames of a window.
//!
//! All are [`Reproducible`]: 64-bit bins up to [`ROWS_MAX`] rows, then 128-bit bins in a box, beyond any number of rows.
//! Squares and products enter with their rounding errors, so they are exact down to the lowest bin kept.
//!
//! Rules: any NaN, or infinities of both signs, give NaN; else an infinity gives itself; a sum that is zero is +0, also of
//! nothing and of -0. A sum may leave the range of `f64` on the way: only the final value is rounded.

mod bins;
mod comoments;
mod float_sum;
mod grid;
mod moments;
mod power_sums;
mod running_sums;
mod wide_bins;
mod wide_integer;

#[cfg(test)]
mod tests;

pub use comoments::{Comoments, Deviations, NarrowComoments, WideComoments};
pub use float_sum::{NarrowSum, Sum, WideSum};
pub use moments::{Moments, NarrowMoments, WideMoments};
pub use power_sums::{NarrowPowerSums, PowerSums, WidePowerSums};
pub use running_sums::RunningSums;

use crate::kernel::prefetch::{DISTANCE, prefetch};

/// Rows that a narrow state can hold: each adds two pieces of at most 2^31 to a bin of 63 bits.
pub const ROWS_MAX: u32 = 1 << 30;

/// A state with 64-bit bins, for at most [`ROWS_MAX`] rows.
pub trait Narrow: Copy + Send + std::fmt::Debug {
    /// What one row brings.
    type Row: Copy;
    /// The same state with bins for any number of rows.
    type Wide: Wide<Narrow = Self>;

    /// The state of no rows.
    const EMPTY: Self;

    /// Rows added so far.
    fn rows(&self) -> u32;

    /// Adds a row.
    fn add(&mut self, row: Self::Row);

    /// Adds the rows of another state; together they hold at most [`ROWS_MAX`].
    fn merge(&mut self, other: &Self);
}

/// A state with 128-bit bins, for any number of rows.
pub trait Wide: Copy + Send + std::fmt::Debug {
    /// The state that this one widens.
    type Narrow: Narrow<Wide = Self>;

    /// This state with the rows of a narrow one added.
    fn with(self, narrow: &Self::Narrow) -> Self;

    /// Both states together.
    fn merged(self, other: &Self) -> Self;

    /// The state of no rows.
    fn empty() -> Self;

    /// Rows added so far.
    fn rows(&self) -> u64;

    /// The narrow state of the same rows, if it can hold them.
    fn narrowed(&self) -> Option<Self::Narrow>;

    /// Writes the state to words; `words` holds at least [`Wide::WORDS`].
    fn write_words(&self, words: &mut [u64]);

    /// Reads what [`Wide::write_words`] wrote; `None` for words that no state has.
    fn read_words(words: &[u64]) -> Option<Self>;

    /// Words of a stored state.
    const WORDS: usize;
}

/// A state of rows in any number: narrow at first, widened when it is full.
#[derive(Clone, Debug)]
pub enum Reproducible<N: Narrow> {
    /// At most [`ROWS_MAX`] rows.
    Narrow(N),
    /// More rows.
    Wide(Box<Widened<N>>),
}

/// All full narrow states together, and the one that rows go to.
#[derive(Clone, Debug)]
pub struct Widened<N: Narrow> {
    full: N::Wide,
    recent: N,
}

impl<N: Narrow> Default for Reproducible<N> {
    fn default() -> Self {
        Reproducible::Narrow(N::EMPTY)
    }
}

impl<N: Narrow> Reproducible<N> {
    /// Words that [`Reproducible::to_words`] writes.
    pub const WORDS: usize = N::Wide::WORDS;

    /// Adds a row.
    #[inline(always)]
    pub fn add(&mut self, row: N::Row) {
        let state = self.recent_mut();
        state.add(row);
        if state.rows() >= ROWS_MAX {
            self.widen();
        }
    }

    /// The narrow state that rows go to; it has room for at least one.
    #[inline(always)]
    fn recent_mut(&mut self) -> &mut N {
        match self {
            Reproducible::Narrow(state) => state,
            Reproducible::Wide(state) => &mut state.recent,
        }
    }

    /// Moves the rows of the narrow state to the wide one.
    #[cold]
    fn widen(&mut self) {
        let full = self.to_wide();
        *self = Reproducible::Wide(Box::new(Widened { full, recent: N::EMPTY }));
    }

    /// All rows as one wide state.
    pub fn to_wide(&self) -> N::Wide {
        match self {
            Reproducible::Narrow(state) => N::Wide::empty().with(state),
            Reproducible::Wide(state) => N::Wide::empty().merged(&state.full).with(&state.recent),
        }
    }

    fn from_wide(wide: N::Wide) -> Self {
        match wide.narrowed() {
            Some(narrow) => Reproducible::Narrow(narrow),
            None => Reproducible::Wide(Box::new(Widened { full: wide, recent: N::EMPTY })),
        }
    }

    /// Adds the rows of another state.
    pub fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Reproducible::Narrow(state), Reproducible::Narrow(other))
                if state.rows() + other.rows() < ROWS_MAX =>
            {
                state.merge(other);
            }
            _ => *self = Self::from_wide(self.to_wide().merged(&other.to_wide())),
        }
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        match self {
            Reproducible::Narrow(state) => u64::from(state.rows()),
            Reproducible::Wide(state) => state.full.rows() + u64::from(state.recent.rows()),
        }
    }

    /// Writes the state to its [`Reproducible::WORDS`] words: equal for equal rows in any order.
    ///
    /// # Panics
    /// If `words` is shorter.
    pub fn to_words(&self, words: &mut [u64]) {
        self.to_wide().write_words(words);
    }

    /// The state stored in words; `None` for words that no state has.
    pub fn from_words(words: &[u64]) -> Option<Self> {
        (words.len() >= Self::WORDS).then(|| N::Wide::read_words(words)).flatten().map(Self::from_wide)
    }
}

/// Adds `row(i)` to `states[groups[i]]` for every i; states some rows ahead are prefetched.
///
/// # Panics
/// If a group has no state.
#[inline]
pub fn add_grouped<N: Narrow>(states: &mut [Reproducible<N>], groups: &[u32], row: impl Fn(usize) -> N::Row) {
    for (index, &group) in groups.iter().enumerate() {
        if let Some(&ahead) = groups.get(index + DISTANCE) {
            prefetch(states, ahead as usize);
        }
        states[group as usize].add(row(index));
    }
}

/// As [`add_grouped`], for the rows listed only.
///
/// # Panics
/// If a row has no group, or a group no state.
#[inline]
pub fn add_grouped_rows<N: Narrow>(
    states: &mut [Reproducible<N>],
    groups: &[u32],
    rows: &[u32],
    row: impl Fn(usize) -> N::Row,
) {
    for (position, &index) in rows.iter().enumerate() {
        if let Some(&ahead) = rows.get(position + DISTANCE) {
            prefetch(states, groups[ahead as usize] as usize);
        }
        states[groups[index as usize] as usize].add(row(index as usize));
    }
}

/// Which special values were added, as bits that merge by `|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Specials(u8);

impl Specials {
    const NAN: u8 = 1;
    const POSITIVE_INFINITY: u8 = 2;
    const NEGATIVE_INFINITY: u8 = 4;

    #[cold]
    fn record(&mut self, value: f64) {
        self.0 |= match value {
            f64::INFINITY => Self::POSITIVE_INFINITY,
            f64::NEG_INFINITY => Self::NEGATIVE_INFINITY,
            _ => Self::NAN,
        };
    }

    /// What the specials make of a sum of finite values.
    fn apply(self, sum: f64) -> f64 {
        match self.0 {
            0 => sum,
            Self::POSITIVE_INFINITY => f64::INFINITY,
            Self::NEGATIVE_INFINITY => f64::NEG_INFINITY,
            _ => f64::NAN,
        }
    }

    /// Whether all values were finite.
    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn from_number(number: u64) -> Option<Specials> {
        (number < 8).then_some(Specials(number as u8))
    }
}

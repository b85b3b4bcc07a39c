//! Keeps a part of the rows, chosen at random.
//!
//! A row is chosen by a number that depends on the seed and on the row's place among all rows of the input, and on
//! nothing else. So a seed gives the same rows with any number of threads and any size of batches.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use arrow::buffer::BooleanBuffer;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::Reservation;
use crate::memory::used_bytes_of;
use crate::operator::filter::{concat_batches, kept_rows};
use crate::operator::gather::Gathered;
use crate::operator::ordered::Consumer;
use crate::plan::{SampleMethod, SampleSize};
use crate::spill::RowStore;

/// Rows that SYSTEM takes or leaves together.
const BLOCK_ROWS: u64 = 2048;

/// Rows of which a reservoir by percentage takes its part, before it goes on with the next.
const PART_ROWS: u64 = 100_000;

/// Candidates that a reservoir gathers before it drops those it cannot want, beyond twice its size.
const SLACK_ROWS: usize = 4096;

/// Takes rows in order and keeps some.
pub struct Sample {
    choice: Choice,
    seed: u64,
    /// Place of the next row.
    ordinal: u64,
    store: Option<RowStore>,
    result: Arc<Gathered>,
}

enum Choice {
    /// Each row, or block of rows, whose number lies below the border.
    Share { border: u128, block_rows: u64 },
    /// This many rows of all.
    Rows(Reservoir),
    /// A share of every part of the rows.
    Parts { percent: f64, reservoir: Reservoir },
}

impl Sample {
    /// A consumer that keeps a sample in `store` and hands it to `result`. Without a seed every run has its own.
    pub fn new(
        method: SampleMethod,
        size: SampleSize,
        seed: Option<u64>,
        (store, reservation): (RowStore, Reservation),
        result: &Arc<Gathered>,
    ) -> Self {
        let share = |percent: f64, block_rows: u64| {
            let border = (percent / 100.0 * (1u128 << 64) as f64) as u128;
            Choice::Share { border, block_rows }
        };
        let choice = match (method, size) {
            (SampleMethod::Bernoulli, SampleSize::Percent(percent)) => share(percent, 1),
            (SampleMethod::System, SampleSize::Percent(percent)) => share(percent, BLOCK_ROWS),
            (SampleMethod::Reservoir, SampleSize::Percent(percent)) => {
                let rows = (percent / 100.0 * PART_ROWS as f64).ceil() as usize;
                Choice::Parts { percent, reservoir: Reservoir::new(rows, reservation) }
            }
            (_, SampleSize::Rows(rows)) => {
                Choice::Rows(Reservoir::new(usize::try_from(rows).unwrap_or(usize::MAX), reservation))
            }
        };
        // Any number will do where none is asked for, as long as runs differ.
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Self { choice, seed, ordinal: 0, store: Some(store), result: Arc::clone(result) }
    }
}

/// The number of a row: a counter mixed with the seed, both of whose bits reach all bits of the result.
fn number_of(seed: u64, counter: u64) -> u64 {
    mix(counter.wrapping_add(mix(seed)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The finalizer of SplitMix64.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Consumer for Sample {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        let (first, seed) = (self.ordinal, self.seed);
        self.ordinal += batch.rows as u64;
        let Some(store) = &mut self.store else {
            return Err(Error::internal("rows came after the last one"));
        };
        match &mut self.choice {
            Choice::Share { border, block_rows } => {
                let is_kept =
                    |row: usize| u128::from(number_of(seed, (first + row as u64) / *block_rows)) < *border;
                let keep = BooleanBuffer::collect_bool(batch.rows, is_kept);
                match keep.count_set_bits() {
                    0 => Ok(()),
                    rows if rows == batch.rows => store.add(batch),
                    rows => store.add(kept_rows(&batch, &keep, rows)?),
                }
            }
            Choice::Rows(reservoir) => reservoir.add(&batch, |row| number_of(seed, first + row as u64)),
            Choice::Parts { percent, reservoir } => {
                let mut start = 0;
                while start < batch.rows {
                    let place = (first + start as u64) % PART_ROWS;
                    let rows = ((PART_ROWS - place) as usize).min(batch.rows - start);
                    let offset = first + start as u64;
                    reservoir.add(&batch.slice(start, rows), |row| number_of(seed, offset + row as u64))?;
                    if place + rows as u64 == PART_ROWS {
                        give_part(reservoir, *percent, PART_ROWS, store)?;
                    }
                    start += rows;
                }
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        let Some(mut store) = self.store.take() else { return Ok(()) };
        match &mut self.choice {
            Choice::Share { .. } => {}
            Choice::Rows(reservoir) => {
                let rows = reservoir.size;
                reservoir.give(rows, &mut store)?;
            }
            Choice::Parts { percent, reservoir } => {
                give_part(reservoir, *percent, self.ordinal % PART_ROWS, &mut store)?;
            }
        }
        self.result.put(store)
    }
}

/// Gives out the share of a part of this many rows.
fn give_part(reservoir: &mut Reservoir, percent: f64, rows: u64, store: &mut RowStore) -> Result<()> {
    let wanted = (percent / 100.0 * rows as f64).round() as usize;
    reservoir.give(wanted.min(reservoir.size), store)
}

/// The rows with the smallest numbers so far, in the order in which they came.
struct Reservoir {
    size: usize,
    batches: Vec<Batch>,
    /// The number of each row of the batches.
    numbers: Vec<u64>,
    /// No row with a larger number is wanted.
    border: u64,
    /// Bytes of the batches, kept up to date so that a batch is looked at once.
    bytes: usize,
    reservation: Reservation,
}

impl Reservoir {
    fn new(size: usize, reservation: Reservation) -> Self {
        Self { size, batches: Vec::new(), numbers: Vec::new(), border: u64::MAX, bytes: 0, reservation }
    }

    fn add(&mut self, batch: &Batch, number: impl Fn(usize) -> u64) -> Result<()> {
        if self.size == 0 {
            return Ok(());
        }
        let before = self.numbers.len();
        let keep = BooleanBuffer::collect_bool(batch.rows, |row| number(row) <= self.border);
        self.numbers.extend(keep.set_indices().map(&number));
        let rows = self.numbers.len() - before;
        if rows == 0 {
            return Ok(());
        }
        let kept = kept_rows(batch, &keep, rows)?;
        self.bytes += used_bytes_of(&kept);
        self.batches.push(kept);
        if self.numbers.len() > self.size.saturating_mul(2).saturating_add(SLACK_ROWS) {
            self.cut(self.size)?;
        }
        self.reservation.resize(self.bytes + self.numbers.len() * size_of::<u64>())
    }

    /// Drops all but this many rows, those with the smallest numbers; of equal numbers the first ones stay.
    fn cut(&mut self, rows: usize) -> Result<()> {
        if self.numbers.len() <= rows || rows == 0 {
            if rows == 0 {
                self.batches.clear();
                self.numbers.clear();
                self.bytes = 0;
            }
            return Ok(());
        }
        let mut order: Vec<(u64, usize)> =
            self.numbers.iter().copied().enumerate().map(|(row, number)| (number, row)).collect();
        let (_, &mut last, _) = order.select_nth_unstable(rows - 1);
        self.border = last.0;
        let numbers = &self.numbers;
        let keep = BooleanBuffer::collect_bool(numbers.len(), |row| (numbers[row], row) <= last);
        let all = concat_batches(&self.batches)?;
        self.batches = vec![kept_rows(&all, &keep, rows)?];
        self.bytes = self.batches.iter().map(used_bytes_of).sum();
        self.numbers = keep.set_indices().map(|row| self.numbers[row]).collect();
        Ok(())
    }

    /// Gives out this many rows, and starts again without any.
    fn give(&mut self, rows: usize, store: &mut RowStore) -> Result<()> {
        self.cut(rows)?;
        self.numbers.clear();
        self.border = u64::MAX;
        self.bytes = 0;
        for batch in std::mem::take(&mut self.batches) {
            store.add(batch)?;
        }
        self.reservation.force(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn numbers_of_neighbours_and_of_seeds_are_unrelated() {
        let low = |seed: u64| (0..100_000).filter(|&row| number_of(seed, row) < u64::MAX / 10).count();
        for seed in [0, 1, 42, u64::MAX] {
            assert!((9_500..10_500).contains(&low(seed)), "seed {seed}: {}", low(seed));
        }
        let both = |row: &u64| number_of(1, *row) < u64::MAX / 10 && number_of(2, *row) < u64::MAX / 10;
        let both = (0..100_000).filter(both).count();
        assert!((800..1_200).contains(&both), "{both}");
    }
}

//! What an evaluator counts.

use serde::Serialize;

/// Work done for one output expression. What several outputs share counts for the first that asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ExpressionMetrics {
    /// Rows asked for.
    pub rows: u64,
    /// Time spent, in nanoseconds.
    pub nanoseconds: u64,
}

impl ExpressionMetrics {
    /// Adds the work of another worker.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.nanoseconds += other.nanoseconds;
    }
}

/// Batches of an evaluator that are all timed ...
const BATCHES_TIMED_FIRST: u64 = 4;

/// ... and of those that follow, one in so many: for a cheap expression over a thousand rows a look at the clock would be a
/// seventh of its work.
const BATCHES_PER_TIMED: u64 = 32;

/// Times the expressions of an evaluator on some of its batches, from which the time of all follows.
#[derive(Debug)]
pub(super) struct Clock {
    batches: u64,
    rows: u64,
    timed_rows: u64,
    /// Per expression, over the timed batches.
    nanoseconds: Vec<u64>,
}

impl Clock {
    pub(super) fn new(expressions: usize) -> Self {
        Self { batches: 0, rows: 0, timed_rows: 0, nanoseconds: vec![0; expressions] }
    }

    /// Counts a batch; true if it is to be timed.
    pub(super) fn begin(&mut self, rows: usize) -> bool {
        let is_timed = self.batches < BATCHES_TIMED_FIRST || self.batches.is_multiple_of(BATCHES_PER_TIMED);
        self.batches += 1;
        self.rows += rows as u64;
        if is_timed {
            self.timed_rows += rows as u64;
        }
        is_timed
    }

    /// Adds time spent on an expression in a timed batch.
    pub(super) fn add(&mut self, expression: usize, time: std::time::Duration) {
        if let Some(nanoseconds) = self.nanoseconds.get_mut(expression) {
            *nanoseconds += time.as_nanos() as u64;
        }
    }

    /// Work so far, one entry per expression.
    pub(super) fn work(&self) -> impl Iterator<Item = ExpressionMetrics> {
        let all = |timed: u64| match self.timed_rows {
            0 => 0,
            rows => (u128::from(timed) * u128::from(self.rows) / u128::from(rows)) as u64,
        };
        let work = move |&timed: &u64| ExpressionMetrics { rows: self.rows, nanoseconds: all(timed) };
        self.nanoseconds.iter().map(work)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_of_all_batches_follows_from_those_that_are_timed() {
        let mut clock = Clock::new(1);
        let timed = (0..1000).filter(|_| {
            let is_timed = clock.begin(10);
            if is_timed {
                clock.add(0, Duration::from_nanos(70));
            }
            is_timed
        });
        assert_eq!(timed.count(), 4 + 31);
        assert_eq!(clock.work().next(), Some(ExpressionMetrics { rows: 10_000, nanoseconds: 70_000 }));
    }
}

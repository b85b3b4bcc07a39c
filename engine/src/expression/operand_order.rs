//! The order in which the operands of an AND or OR are evaluated, learnt from what they cost and how many rows they decide.
//!
//! The result of AND and OR does not depend on this order, nor do the errors they report (see `branch`), so it is free. The
//! best one has the operand first that decides the most rows for its time: the compiler can only guess from the kind
//! of a function, and knows nothing of the data.

use std::time::Duration;

/// Fewer rows than this take less time than looking at the clock is worth.
const MEASURED_ROWS_MIN: usize = 256;
/// Batches that are measured at first, and how often one is after that.
const MEASURED_FIRST: u32 = 8;
const MEASURED_EVERY: u32 = 32;
/// Rows after which what was seen before counts half, so that the order follows data that change.
const HALVED_ROWS: u64 = 1 << 18;

/// What was seen of one operand.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    nanoseconds: u64,
    rows: u64,
    decided: u64,
}

/// The order of the operands of one node.
#[derive(Debug)]
pub(super) struct OperandOrder {
    order: Vec<usize>,
    figures: Vec<Figures>,
    evaluations: u32,
}

impl OperandOrder {
    /// The operands as they are written.
    pub fn new(operands: usize) -> Self {
        Self { order: (0..operands).collect(), figures: vec![Figures::default(); operands], evaluations: 0 }
    }

    /// The operand that is evaluated at this position.
    pub fn at(&self, position: usize) -> usize {
        self.order[position]
    }

    /// Whether the evaluation of so many rows that begins is one to be measured.
    pub fn is_measured(&mut self, rows: usize) -> bool {
        if rows < MEASURED_ROWS_MIN {
            return false;
        }
        self.evaluations = self.evaluations.wrapping_add(1);
        self.evaluations <= MEASURED_FIRST || self.evaluations.is_multiple_of(MEASURED_EVERY)
    }

    /// Notes that an operand took this time for `rows` rows and decided some of them.
    pub fn note(&mut self, operand: usize, rows: usize, decided: usize, time: Duration) {
        let figures = &mut self.figures[operand];
        if figures.rows > HALVED_ROWS {
            figures.nanoseconds /= 2;
            figures.rows /= 2;
            figures.decided /= 2;
        }
        figures.nanoseconds += u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 4);
        figures.rows += rows as u64;
        figures.decided += decided as u64;
    }

    /// Puts the operands in order by what is known now; those of equal worth, or never seen, stay as they are.
    pub fn improve(&mut self) {
        let Self { order, figures, .. } = self;
        order.sort_by(|&left, &right| figures[left].rank().total_cmp(&figures[right].rank()));
    }
}

impl Figures {
    /// Time for each row that is decided: the less, the earlier.
    fn rank(&self) -> f64 {
        if self.rows == 0 || self.decided == 0 {
            return f64::INFINITY;
        }
        self.nanoseconds as f64 / self.decided as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operand_that_decides_most_for_its_time_comes_first() {
        let mut order = OperandOrder::new(3);
        order.note(0, 1000, 0, Duration::from_nanos(10));
        order.note(1, 1000, 10, Duration::from_nanos(1000));
        order.note(2, 990, 900, Duration::from_nanos(9000));
        order.improve();
        assert_eq!((0..3).map(|position| order.at(position)).collect::<Vec<_>>(), [2, 1, 0]);
    }

    #[test]
    fn small_batches_are_not_measured_and_large_ones_now_and_then() {
        let mut order = OperandOrder::new(2);
        assert!(!order.is_measured(1));
        let measured = (0..MEASURED_EVERY * 4).filter(|_| order.is_measured(2048)).count();
        assert_eq!(measured as u32, MEASURED_FIRST + 4);
    }

    #[test]
    fn operands_never_seen_keep_their_order_behind_the_others() {
        let mut order = OperandOrder::new(3);
        order.note(2, 1000, 500, Duration::from_nanos(1000));
        order.improve();
        assert_eq!((0..3).map(|position| order.at(position)).collect::<Vec<_>>(), [2, 0, 1]);
    }
}

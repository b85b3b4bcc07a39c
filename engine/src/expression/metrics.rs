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

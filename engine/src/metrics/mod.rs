//! Counters per operator: written once per batch, read at any time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::expression::{Evaluator, ExpressionMetrics};
use crate::plan::Expression;

/// Counters of one operator, over all its workers.
#[derive(Debug, Default)]
pub struct OperatorMetrics {
    rows: AtomicU64,
    batches: AtomicU64,
    bytes: AtomicU64,
    nanoseconds: AtomicU64,
    peak_memory_bytes: AtomicU64,
    spilled_bytes: AtomicU64,
    /// Counted by the scan itself.
    read_bytes: Arc<AtomicU64>,
    /// Written when a worker lays an evaluator down, so the lock is taken once per worker and not per batch.
    expressions: Mutex<Vec<ExpressionFigures>>,
}

impl OperatorMetrics {
    /// Counts a batch that left the operator.
    pub fn add_output(&self, rows: usize, bytes: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts time spent.
    pub fn add_time(&self, elapsed: std::time::Duration) {
        self.nanoseconds.fetch_add(elapsed.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Raises the peak of memory held.
    pub fn raise_peak(&self, bytes: usize) {
        self.peak_memory_bytes.fetch_max(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes written to spill files.
    pub fn add_spilled(&self, bytes: u64) {
        self.spilled_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The counter of bytes that a scan takes from files.
    pub fn read_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read_bytes)
    }

    /// Adds what an evaluator of the operator has counted.
    pub fn add_expressions(&self, evaluator: &Evaluator) {
        let mut all = self.expressions.lock().unwrap_or_else(PoisonError::into_inner);
        let work = evaluator.set().sources().iter().zip(evaluator.metrics());
        // A column is passed on as it is: its time is that of reading the clock.
        let counted = work
            .filter(|(expression, work)| work.rows > 0 && !matches!(expression, Expression::Column { .. }));
        let is_first = all.is_empty();
        for (place, (expression, work)) in counted.enumerate() {
            // Workers evaluate the same set, so an expression mostly stands where it stood before.
            let is_same = |figures: &ExpressionFigures| figures.expression == *expression;
            let known = match all.get(place).is_some_and(is_same) {
                true => Some(place),
                // Of the first worker every expression is new: looking for thousands among thousands takes longer than they do.
                false if is_first => None,
                false => all.iter().position(is_same),
            };
            match known {
                Some(known) => all[known].work.merge(&work),
                None => all.push(ExpressionFigures { expression: expression.clone(), work }),
            }
        }
    }

    /// The counters now.
    pub fn snapshot(&self) -> OperatorFigures {
        OperatorFigures {
            rows: self.rows.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            nanoseconds: self.nanoseconds.load(Ordering::Relaxed),
            peak_memory_bytes: self.peak_memory_bytes.load(Ordering::Relaxed),
            spilled_bytes: self.spilled_bytes.load(Ordering::Relaxed),
            read_bytes: self.read_bytes.load(Ordering::Relaxed),
            expressions: self.expressions.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// Figures of one operator at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OperatorFigures {
    /// Rows that left it.
    pub rows: u64,
    /// Batches that left it.
    pub batches: u64,
    /// Bytes that left it, without buffers that batches share (long texts, dictionaries).
    pub bytes: u64,
    /// Time spent in it, over all workers.
    pub nanoseconds: u64,
    /// Most memory it held.
    pub peak_memory_bytes: u64,
    /// Bytes it wrote to spill files.
    pub spilled_bytes: u64,
    /// Bytes that a scan took from files, without footers and indexes.
    pub read_bytes: u64,
    /// Work per expression it evaluates, of the workers that are done with it.
    pub expressions: Vec<ExpressionFigures>,
}

/// Work done for one expression of an operator, over all workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpressionFigures {
    /// The expression, over the columns of the operator's input.
    pub expression: Expression,
    /// Rows and time; what several expressions share counts for the first of them.
    #[serde(flatten)]
    pub work: ExpressionMetrics,
}

/// Figures of all operators of a run, by position of their node in the plan (a node comes before its inputs).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// One entry per node.
    pub operators: Vec<OperatorFigures>,
}

/// Counters of all nodes of a plan.
#[derive(Debug)]
pub struct MetricsRegistry {
    operators: Vec<Arc<OperatorMetrics>>,
}

impl MetricsRegistry {
    /// Counters for this many nodes.
    pub fn new(nodes: usize) -> Self {
        Self { operators: (0..nodes).map(|_| Arc::default()).collect() }
    }

    /// The same counters for a part of the plan: `nodes` nodes from this one on.
    pub fn part(&self, first: usize, nodes: usize) -> Self {
        Self { operators: self.operators.iter().skip(first).take(nodes).cloned().collect() }
    }

    /// Counters of a node; those of the last one for a position past the end.
    pub fn of(&self, node: usize) -> Arc<OperatorMetrics> {
        self.operators.get(node).or(self.operators.last()).cloned().unwrap_or_default()
    }

    /// All figures now.
    pub fn snapshot(&self) -> Metrics {
        Metrics { operators: self.operators.iter().map(|operator| operator.snapshot()).collect() }
    }
}

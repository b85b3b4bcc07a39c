//! Counters per operator: written once per batch, read at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counters of one operator, over all its workers.
#[derive(Debug, Default)]
pub struct OperatorMetrics {
    rows: AtomicU64,
    batches: AtomicU64,
    bytes: AtomicU64,
    nanoseconds: AtomicU64,
    peak_memory_bytes: AtomicU64,
    spilled_bytes: AtomicU64,
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

    /// The counters now.
    pub fn snapshot(&self) -> OperatorFigures {
        OperatorFigures {
            rows: self.rows.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            nanoseconds: self.nanoseconds.load(Ordering::Relaxed),
            peak_memory_bytes: self.peak_memory_bytes.load(Ordering::Relaxed),
            spilled_bytes: self.spilled_bytes.load(Ordering::Relaxed),
        }
    }
}

/// Figures of one operator at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OperatorFigures {
    /// Rows that left it.
    pub rows: u64,
    /// Batches that left it.
    pub batches: u64,
    /// Bytes that left it; shared buffers count in full.
    pub bytes: u64,
    /// Time spent in it, over all workers.
    pub nanoseconds: u64,
    /// Most memory it held.
    pub peak_memory_bytes: u64,
    /// Bytes it wrote to spill files.
    pub spilled_bytes: u64,
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

    /// Counters of a node; those of the last one for a position past the end.
    pub fn of(&self, node: usize) -> Arc<OperatorMetrics> {
        self.operators.get(node).or(self.operators.last()).cloned().unwrap_or_default()
    }

    /// All figures now.
    pub fn snapshot(&self) -> Metrics {
        Metrics { operators: self.operators.iter().map(|operator| operator.snapshot()).collect() }
    }
}

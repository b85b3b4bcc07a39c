//! The rows that a predicate keeps.

use hypostyle_functions::arrow::buffer::BooleanBuffer;
use hypostyle_functions::kernel::compact::count_bits;

/// A bit per row, set where the predicate is true, and the number of such rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    bits: BooleanBuffer,
    count: usize,
}

impl Selection {
    /// The rows whose bit is set.
    pub fn new(bits: BooleanBuffer) -> Self {
        let count = match bits.offset() == 0 && bits.len().is_multiple_of(8) {
            true => count_bits(&bits.values()[..bits.len() / 8]),
            false => bits.count_set_bits(),
        };
        Self { bits, count }
    }

    /// The bits.
    pub fn bits(&self) -> &BooleanBuffer {
        &self.bits
    }

    /// Number of rows kept.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of rows looked at.
    pub fn rows(&self) -> usize {
        self.bits.len()
    }

    /// True if every row is kept.
    pub fn is_all(&self) -> bool {
        self.count == self.bits.len()
    }

    /// True if no row is kept.
    pub fn is_none(&self) -> bool {
        self.count == 0
    }
}

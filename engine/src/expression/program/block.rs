//! The lanes that a program computes together.

/// Lanes that run together.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    /// First row, where the block is a range.
    pub start: usize,
    /// Number of lanes.
    pub length: usize,
    /// The rows, where they are listed.
    pub rows: Option<&'a [u32]>,
    /// True if the result is written past the caches.
    pub is_streamed: bool,
    /// True if all lanes of all operands and results hold values.
    pub is_plain: bool,
}

impl Block<'_> {
    /// Number of words with a bit for each lane.
    pub fn words(&self) -> usize {
        self.length.div_ceil(64)
    }

    /// The lanes of word `index` that exist.
    pub fn lanes_of_word(&self, index: usize) -> u64 {
        let left = self.length - index * 64;
        if left < 64 { (1 << left) - 1 } else { u64::MAX }
    }

    /// The row of a lane.
    pub fn row(&self, lane: usize) -> usize {
        match self.rows {
            Some(rows) => rows[lane] as usize,
            None => self.start + lane,
        }
    }
}

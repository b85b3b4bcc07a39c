//! The place of each row in the order of its pipeline, as one number.

use crate::batch::Batch;
use crate::error::{Error, Result};

/// Bits of an ordinal that count the rows of a morsel.
const ROW_BITS: u32 = 40;

/// Counts the rows that one worker sees of each morsel.
#[derive(Debug, Default)]
pub struct OrdinalCounter {
    morsel: u32,
    rows: u64,
}

impl OrdinalCounter {
    /// Ordinal of the batch's first row; the others follow without a gap. Ordinals of different
    /// workers never meet, since a morsel belongs to one worker.
    ///
    /// # Errors
    /// More than 2^24 morsels.
    pub fn next(&mut self, batch: &Batch) -> Result<u64> {
        let morsel = batch.position.morsel;
        if morsel != self.morsel {
            self.morsel = morsel;
            self.rows = 0;
        }
        if morsel >> (64 - ROW_BITS) != 0 {
            return Err(Error::Resource(format!(
                "an input has more than {} morsels",
                1u32 << (64 - ROW_BITS)
            )));
        }
        let first = (u64::from(morsel) << ROW_BITS) + self.rows;
        self.rows += batch.rows as u64;
        Ok(first)
    }
}

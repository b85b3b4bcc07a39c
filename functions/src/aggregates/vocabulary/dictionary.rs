//! How often each value of a dictionary was met, over the batches that share it.

use std::sync::Arc;

use arrow::array::ArrayRef;
use bumpalo::Bump;

use super::counts::Values;
use super::each_valid;
use super::tally::Tally;
use crate::column::{Column, Encoding, Rows, View, borrow};
use crate::error::Result;
use crate::types::Type;

/// Rows that are counted before the counts are added, which have 32 bits.
const ROWS_MAX: usize = 1 << 31;

/// Counts by place in a dictionary. The values are looked up once for all batches of a dictionary and not for each.
#[derive(Default)]
pub(super) struct DictionaryCounts {
    /// The dictionary of the last batch. It is held, so that no other has its address.
    values: Option<ArrayRef>,
    /// How often each of its values was met; empty until it is there for the second time.
    seen: Vec<u32>,
    rows: usize,
    items: Vec<(u32, u32)>,
}

impl DictionaryCounts {
    /// Counts rows; false if the dictionary was not the last one, so that it may be there for one batch alone.
    pub fn count(
        &mut self,
        column: &Column,
        view: &View<'_>,
        rows: Rows<'_>,
        tally: &mut Tally,
    ) -> Result<bool> {
        let (Column::Dictionary { values, .. }, Encoding::Dictionary { indices, .. }) =
            (column, view.encoding)
        else {
            return Ok(false);
        };
        let is_known = self.values.as_ref().is_some_and(|held| Arc::ptr_eq(held, values));
        if !is_known || self.rows + rows.count() > ROWS_MAX {
            self.flush(view.data_type, tally)?;
            self.values = Some(Arc::clone(values));
            // A dictionary no longer than the batch is worth it at once.
            if !is_known && values.len() > rows.count() {
                return Ok(false);
            }
        }
        if self.seen.is_empty() {
            self.seen.resize(values.len(), 0);
        }
        self.rows += rows.count();
        count_codes(&mut self.seen, indices, view, rows);
        Ok(true)
    }

    /// Adds what was counted and lets go of the dictionary.
    pub fn flush(&mut self, data_type: &Type, tally: &mut Tally) -> Result<()> {
        let Some(values) = self.values.take() else { return Ok(()) };
        self.rows = 0;
        if self.seen.is_empty() {
            return Ok(());
        }
        let items = &mut self.items;
        items.clear();
        items.extend((0u32..).zip(self.seen.iter().copied()).filter(|(_, times)| *times > 0));
        self.seen.clear();
        let bump = Bump::new();
        let values = Values::of(&borrow(&values, data_type, &bump))?;
        tally.add_distinct(values, items, *data_type == Type::Text)
    }

    pub fn memory_bytes(&self) -> usize {
        let values = if self.seen.is_empty() {
            0
        } else {
            self.values.as_ref().map_or(0, |values| values.get_buffer_memory_size())
        };
        values + self.seen.capacity() * 4 + self.items.capacity() * 8
    }
}

/// Counts the codes of rows that hold a value. Where most do, all are counted and those without one are taken back.
fn count_codes(seen: &mut [u32], indices: &[u32], view: &View<'_>, rows: Rows<'_>) {
    if let (Some(valid), Rows::All(count)) = (view.row_validity(), rows) {
        let valid = valid.slice(0, count);
        if valid.count() * 2 > count {
            indices[..count].iter().for_each(|&index| seen[index as usize] += 1);
            for place in 0..valid.words() {
                let rows = (count - place * 64).min(64);
                let mut nulls = !valid.word(place) & (u64::MAX >> (64 - rows));
                while nulls != 0 {
                    seen[indices[place * 64 + nulls.trailing_zeros() as usize] as usize] -= 1;
                    nulls &= nulls - 1;
                }
            }
            return;
        }
    }
    each_valid(view, rows, |row| seen[indices[row] as usize] += 1);
}

//! What a vocabulary has met: entries of dictionaries, or a table where values are long or stand row by row.

use super::Choice;
use super::counts::{Counts, Values};
use super::entries::Entries;
use crate::column::Output;
use crate::error::Result;

/// The distinct values of one group and how often each occurs. Either part is empty.
#[derive(Debug, Default)]
pub(super) struct Tally {
    entries: Entries,
    table: Counts,
}

impl Tally {
    /// Adds values by their places, each as often as is said.
    pub fn add(&mut self, values: Values<'_>, items: &[(u32, u32)], is_text: bool) -> Result<()> {
        self.table(is_text).add(values, items)
    }

    /// The same for values of which none is there twice.
    pub fn add_distinct(&mut self, values: Values<'_>, items: &[(u32, u32)], is_text: bool) -> Result<()> {
        if self.table.is_empty() && self.entries.add(values, items) {
            return Ok(());
        }
        self.add(values, items, is_text)
    }

    /// Adds what another has met.
    pub fn absorb(&mut self, mut other: Self, is_text: bool) -> Result<()> {
        if self.table.is_empty() && other.table.is_empty() && self.entries.absorb(&mut other.entries) {
            return Ok(());
        }
        // Which of them is the first shows nowhere.
        if other.table(is_text).len() > self.table(is_text).len() {
            std::mem::swap(self, &mut other);
        }
        self.table.absorb(&other.table, is_text)
    }

    /// All that was met as a table.
    pub fn table(&mut self, is_text: bool) -> &mut Counts {
        if !self.entries.is_empty() {
            self.table = self.entries.take_counts(is_text);
        }
        &mut self.table
    }

    /// Writes the values that are chosen as the list of a row, and lets go of what only adding needs.
    pub fn write(&mut self, choice: Choice, is_text: bool, output: &mut Output, row: usize) {
        if self.table.is_empty() {
            return self.entries.write(choice, output, row);
        }
        self.table.close();
        self.table.write(&self.table.chosen(choice, is_text), output, row);
    }

    pub fn memory_bytes(&self) -> usize {
        self.entries.memory_bytes() + self.table.memory_bytes()
    }
}

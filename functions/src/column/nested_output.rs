//! Writer of lists and maps.

use arrow::array::ArrayRef;

use super::Output;
use crate::kernel::span::part;

/// Writes one list at a time: append its elements to [`ListWriter::child`], then [`ListWriter::finish`].
#[derive(Debug)]
pub struct ListWriter<'a> {
    pub(super) offsets: &'a mut Vec<i32>,
    pub(super) sizes: &'a mut Vec<i32>,
    pub(super) child: &'a mut Output,
}

impl<'a> ListWriter<'a> {
    /// The elements of all lists, for as long as the column is borrowed.
    pub fn into_child(self) -> &'a mut Output {
        self.child
    }

    /// The elements of all lists; append only. Of a map, structs of key and value.
    pub fn child(&mut self) -> &mut Output {
        self.child
    }

    /// Where the next list starts in the child.
    pub fn start(&self) -> usize {
        self.child.len()
    }

    /// Gives `row` the elements appended since `start`.
    pub fn finish(&mut self, row: usize, start: usize) {
        self.set(row, start, self.child.len() - start);
    }

    /// Gives each row a list of its length, one after the other from `start` on.
    pub fn set_all(&mut self, start: usize, lengths: impl Iterator<Item = usize>) {
        let mut next = start;
        for ((offset, size), length) in self.offsets.iter_mut().zip(self.sizes.iter_mut()).zip(lengths) {
            // As in `set`.
            *offset = next as i32;
            *size = length as i32;
            next += length;
        }
    }

    /// Gives each row a list as long as that between two adjoining `offsets`, one after the other from `start` on.
    pub fn set_lengths_of(&mut self, start: usize, offsets: &[i32]) {
        // As in `set`.
        part::lengths_from(start as i32, offsets, self.offsets, self.sizes);
    }

    /// Lets the lists lie in these elements of another column instead of appended ones; where they do is then written by row, starts
    /// and lengths. `None`, with nothing done, where elements are there already or the array may not be kept.
    pub fn share(self, elements: &ArrayRef) -> Option<(&'a mut [i32], &'a mut [i32])> {
        self.child.lend(elements).then_some((self.offsets, self.sizes))
    }

    /// Gives `row` the `length` elements from `start`; lists may share elements.
    #[inline]
    pub fn set(&mut self, row: usize, start: usize, length: usize) {
        // A start past 31 bits is refused by `Output::check_capacity` before anything reads it.
        self.offsets[row] = start as i32;
        self.sizes[row] = length as i32;
    }
}

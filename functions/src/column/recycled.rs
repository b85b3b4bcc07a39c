//! Buffers that were handed out, to be written again once nobody reads them any more.

use std::collections::VecDeque;

use arrow::buffer::Buffer;
use arrow::datatypes::ArrowNativeType;

/// Buffers that are looked at for one whose readers are gone.
const TRIED: usize = 4;

/// Buffers whose readers may be gone, the oldest first.
///
/// Room that was written a batch ago lies in the caches and belongs to this thread, which new room does not.
#[derive(Debug, Default)]
pub struct Recycled {
    buffers: VecDeque<Buffer>,
    most: usize,
}

impl Recycled {
    /// Keeps at most so many.
    pub fn of_at_most(most: usize) -> Self {
        Self { buffers: VecDeque::new(), most }
    }

    /// Keeps a buffer that is handed out; of too many, the oldest is let go.
    pub fn keep(&mut self, buffer: Buffer) {
        if self.most > 0 {
            while self.buffers.len() >= self.most {
                self.buffers.pop_front();
            }
            self.buffers.push_back(buffer);
        }
    }

    /// A buffer that nobody reads and that holds such values, with what was written to it.
    pub fn take<T: ArrowNativeType>(&mut self) -> Option<Vec<T>> {
        for _ in 0..self.buffers.len().min(TRIED) {
            match self.buffers.pop_front()?.into_vec::<T>() {
                Ok(values) => return Some(values),
                Err(still_read) => self.buffers.push_back(still_read),
            }
        }
        None
    }

    /// Room for values, empty: a buffer that nobody reads, or new.
    pub fn room<T: ArrowNativeType>(&mut self, values: usize) -> Vec<T> {
        let mut room = self.take().unwrap_or_default();
        room.clear();
        room.reserve(values);
        room
    }

    /// Lets all buffers go.
    pub fn clear(&mut self) {
        self.buffers.clear();
    }

    /// True if none is kept.
    pub fn is_empty(&self) -> bool {
        self.buffers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_written_again_once_nobody_reads_it() {
        let mut recycled = Recycled::of_at_most(2);
        let read = Buffer::from_vec(vec![1i64, 2, 3]);
        let start = read.as_ptr();
        recycled.keep(read.clone());
        assert!(recycled.take::<i64>().is_none());
        drop(read);
        let room = recycled.room::<i64>(3);
        assert_eq!((room.as_ptr().cast(), room.len()), (start, 0));
        assert!(recycled.is_empty());
    }

    #[test]
    fn values_of_another_layout_stay_what_they_are() {
        let mut recycled = Recycled::of_at_most(2);
        recycled.keep(Buffer::from_vec(vec![1u8; 24]));
        assert!(recycled.take::<i64>().is_none());
        assert_eq!(recycled.take::<u8>(), Some(vec![1; 24]));
    }

    #[test]
    fn the_oldest_is_let_go() {
        let mut recycled = Recycled::of_at_most(3);
        (0..5u8).for_each(|number| recycled.keep(Buffer::from_vec(vec![number])));
        assert_eq!(recycled.take::<u8>(), Some(vec![2]));
        let mut nothing = Recycled::default();
        nothing.keep(Buffer::from_vec(vec![9u8]));
        assert!(nothing.is_empty());
    }
}

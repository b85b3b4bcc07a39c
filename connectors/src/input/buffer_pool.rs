//! Buffers that reads and decompression fill, used again and again: fresh pages of memory cost more than the copy into them.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hypostyle_engine::memory::Reservation;

/// Most buffers that wait to be used again.
const WAITING_MAX: usize = 64;
/// Buffers above this size are made in multiples of it, smaller ones in powers of two, so that they fit the next user.
const STEP_BYTES: usize = 64 << 10;
/// Smallest buffer.
const SMALL_BYTES: usize = 1 << 10;
/// A waiting buffer is not used for less than this share of it: a small asker would keep it from a large one.
const USED_SHARE: usize = 16;

/// Buffers of one scan, charged to the budget before they are made and for as long as they are there.
#[derive(Debug)]
pub struct BufferPool {
    shared: Mutex<Shared>,
    read_bytes: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Shared {
    waiting: Vec<Vec<u8>>,
    memory: Reservation,
}

/// A buffer of asked length; its content is whatever was there. It goes back to its pool when it is dropped.
#[derive(Debug)]
pub struct PooledBuffer {
    bytes: Vec<u8>,
    length: usize,
    pool: Arc<BufferPool>,
}

impl BufferPool {
    /// A pool whose buffers are charged to `memory`. What is read into them is counted in `read_bytes`.
    pub fn new(memory: Reservation, read_bytes: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { shared: Mutex::new(Shared { waiting: Vec::new(), memory }), read_bytes })
    }

    /// Counts bytes that were read from a file.
    pub fn note_read(&self, bytes: usize) {
        self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A buffer of this length.
    ///
    /// # Errors
    /// A spent memory budget.
    pub fn take(self: &Arc<Self>, length: usize) -> hypostyle_engine::Result<PooledBuffer> {
        let bytes = self.fitting(length)?;
        Ok(PooledBuffer { bytes, length, pool: Arc::clone(self) })
    }

    fn fitting(&self, length: usize) -> hypostyle_engine::Result<Vec<u8>> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let made = made_bytes(length);
        let fits = |buffer: &Vec<u8>| buffer.len() >= length && buffer.len() / USED_SHARE <= made;
        let fitting = shared.waiting.iter().enumerate().filter(|(_, buffer)| fits(buffer));
        if let Some((index, _)) = fitting.min_by_key(|(_, buffer)| buffer.len()) {
            return Ok(shared.waiting.swap_remove(index));
        }
        let held = shared.memory.bytes();
        if !shared.memory.try_resize(held.saturating_add(made)) {
            // What waits was made for others and may be given up first.
            let waiting: usize = shared.waiting.drain(..).map(|buffer| buffer.len()).sum();
            let held = held.saturating_sub(waiting);
            shared.memory.resize(held)?;
            shared.memory.resize(held.saturating_add(made))?;
        }
        drop(shared);
        Ok(vec![0; made])
    }

    fn put_back(&self, buffer: Vec<u8>) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.waiting.len() < WAITING_MAX {
            shared.waiting.push(buffer);
        } else {
            let held = shared.memory.bytes().saturating_sub(buffer.len());
            // A smaller share is never refused.
            let _ = shared.memory.try_resize(held);
        }
    }
}

/// The size of a new buffer for this length.
fn made_bytes(length: usize) -> usize {
    if length <= STEP_BYTES {
        return length.next_power_of_two().max(SMALL_BYTES);
    }
    length.checked_next_multiple_of(STEP_BYTES).unwrap_or(length)
}

impl PooledBuffer {
    /// The buffer as shared bytes.
    pub fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl Deref for PooledBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl DerefMut for PooledBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        self.pool.put_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use hypostyle_engine::memory::Budget;

    use super::*;

    #[test]
    fn a_dropped_buffer_is_used_again_and_charged_once() {
        let budget = Budget::new(Some(1 << 20));
        let pool = BufferPool::new(budget.query().account("test").reserve(), Arc::default());
        let first = pool.take(STEP_BYTES - 1).unwrap();
        assert_eq!((first.len(), budget.used_bytes()), (STEP_BYTES - 1, STEP_BYTES));
        drop(first.freeze());
        assert_eq!(pool.take(STEP_BYTES).unwrap().len(), STEP_BYTES);
        assert_eq!(budget.used_bytes(), STEP_BYTES);
        let small = pool.take(3).unwrap();
        assert_eq!(budget.used_bytes(), STEP_BYTES + SMALL_BYTES, "a small asker leaves the large buffer");
        drop(small);
        drop(pool);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn waiting_buffers_make_room_and_a_spent_budget_is_an_error() {
        let budget = Budget::new(Some(4 * STEP_BYTES));
        let pool = BufferPool::new(budget.query().account("test").reserve(), Arc::default());
        drop(pool.take(STEP_BYTES).unwrap());
        let large = pool.take(4 * STEP_BYTES).unwrap();
        assert_eq!(budget.used_bytes(), 4 * STEP_BYTES);
        assert!(pool.take(1).is_err());
        drop(large);
        assert!(pool.take(1).is_ok());
    }
}

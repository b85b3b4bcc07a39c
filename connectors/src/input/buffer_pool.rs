//! Buffers that reads and decompression fill, used again and again: fresh pages of memory cost more than the copy into them.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// Bytes of all buffers there are.
    made: usize,
    /// Bytes that readers have been assured of.
    assured: usize,
    /// Nobody will ask for buffers any more.
    is_closed: bool,
    memory: Reservation,
}

/// A buffer of asked length; its content is whatever was there. It goes back to its pool when it is dropped.
#[derive(Debug)]
pub struct PooledBuffer {
    bytes: Vec<u8>,
    length: usize,
    pool: Arc<BufferPool>,
}

/// Buffers of so many bytes that a reader can take without being refused, while this lives.
#[derive(Debug)]
pub struct Assurance {
    bytes: usize,
    pool: Arc<BufferPool>,
}

impl BufferPool {
    /// A pool whose buffers are charged to `memory`. What is read into them is counted in `read_bytes`.
    pub fn new(memory: Reservation, read_bytes: Arc<AtomicU64>) -> Arc<Self> {
        let (made, assured) = (0, 0);
        let shared = Shared { waiting: Vec::new(), made, assured, is_closed: false, memory };
        Arc::new(Self { shared: Mutex::new(shared), read_bytes })
    }

    /// Counts bytes that were read from a file.
    pub fn note_read(&self, bytes: usize) {
        self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer of this length.
    ///
    /// # Errors
    /// A spent memory budget.
    pub fn take(self: &Arc<Self>, length: usize) -> hypostyle_engine::Result<PooledBuffer> {
        let fitting = self.lock().fitting(length);
        let bytes = match fitting {
            Some(buffer) => buffer,
            None => self.made(length)?,
        };
        Ok(PooledBuffer { bytes, length, pool: Arc::clone(self) })
    }

    /// A buffer of this length if there is memory for it without others spilling theirs.
    pub fn try_take(self: &Arc<Self>, length: usize) -> Option<PooledBuffer> {
        let fitting = self.lock().fitting(length);
        let bytes = match fitting {
            Some(buffer) => buffer,
            None => {
                let made = made_bytes(length);
                let mut shared = self.lock();
                let bytes = shared.made.saturating_add(made);
                if !shared.charge(bytes) {
                    return None;
                }
                shared.made = bytes;
                drop(shared);
                vec![0; made]
            }
        };
        Some(PooledBuffer { bytes, length, pool: Arc::clone(self) })
    }

    fn made(&self, length: usize) -> hypostyle_engine::Result<Vec<u8>> {
        let made = made_bytes(length);
        let mut shared = self.lock();
        let mut bytes = shared.made.saturating_add(made);
        if !shared.charge(bytes) {
            // What waits was made for others and may be given up first.
            shared.give_up_waiting();
            bytes = shared.made.saturating_add(made);
            let wanted = bytes.max(shared.assured);
            shared.memory.resize(wanted)?;
        }
        shared.made = bytes;
        drop(shared);
        Ok(vec![0; made])
    }

    /// Assures a reader of buffers of so many bytes; `None` if the budget has no room for them now.
    pub fn try_assure(self: &Arc<Self>, bytes: usize) -> Option<Assurance> {
        let mut shared = self.lock();
        let (assured, made) = (shared.assured.saturating_add(bytes), shared.made);
        shared.assured = assured;
        if !shared.charge(made) {
            shared.assured -= bytes;
            return None;
        }
        Some(Assurance { bytes, pool: Arc::clone(self) })
    }

    /// Assures a reader of buffers of so many bytes.
    ///
    /// # Errors
    /// A spent memory budget.
    pub fn assure(self: &Arc<Self>, bytes: usize) -> hypostyle_engine::Result<Assurance> {
        if let Some(assurance) = self.try_assure(bytes) {
            return Ok(assurance);
        }
        let mut shared = self.lock();
        shared.give_up_waiting();
        let wanted = shared.made.max(shared.assured.saturating_add(bytes));
        shared.memory.resize(wanted)?;
        shared.assured += bytes;
        Ok(Assurance { bytes, pool: Arc::clone(self) })
    }

    /// States that no reader is left: only buffers that others share are kept.
    pub fn close(&self) {
        let mut shared = self.lock();
        shared.is_closed = true;
        shared.give_up_waiting();
    }

    fn put_back(&self, buffer: Vec<u8>) {
        let mut shared = self.lock();
        if shared.waiting.len() < WAITING_MAX && !shared.is_closed {
            shared.waiting.push(buffer);
        } else {
            shared.made = shared.made.saturating_sub(buffer.len());
            shared.settle();
        }
    }
}

impl Shared {
    /// A waiting buffer for this length.
    fn fitting(&mut self, length: usize) -> Option<Vec<u8>> {
        let made = made_bytes(length);
        let fits = |buffer: &Vec<u8>| buffer.len() >= length && buffer.len() / USED_SHARE <= made;
        let fitting = self.waiting.iter().enumerate().filter(|(_, buffer)| fits(buffer));
        let (index, _) = fitting.min_by_key(|(_, buffer)| buffer.len())?;
        Some(self.waiting.swap_remove(index))
    }

    /// Charges buffers of so many bytes, or what readers have been assured of; false if the budget refuses.
    fn charge(&mut self, made: usize) -> bool {
        let wanted = made.max(self.assured);
        self.memory.try_resize(wanted)
    }

    fn give_up_waiting(&mut self) {
        let waiting: usize = self.waiting.drain(..).map(|buffer| buffer.len()).sum();
        self.made = self.made.saturating_sub(waiting);
        self.settle();
    }

    /// Charges less, which is never refused.
    fn settle(&mut self) {
        let wanted = self.made.max(self.assured).min(self.memory.bytes());
        let _ = self.memory.try_resize(wanted);
    }
}

impl Drop for Assurance {
    fn drop(&mut self) {
        let mut shared = self.pool.lock();
        shared.assured = shared.assured.saturating_sub(self.bytes);
        shared.settle();
    }
}

/// The size of a new buffer for this length.
pub fn made_bytes(length: usize) -> usize {
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

    #[test]
    fn an_assured_reader_is_not_refused_and_a_closed_pool_keeps_what_is_shared() {
        let budget = Budget::new(Some(6 * STEP_BYTES));
        let query = budget.query();
        let pool = BufferPool::new(query.account("scan").reserve(), Arc::default());
        let assurance = pool.assure(4 * STEP_BYTES).unwrap();
        let mut other = query.account("sort").reserve();
        assert!(other.try_resize(2 * STEP_BYTES));
        let buffers: Vec<_> = (0..4).map(|_| pool.take(STEP_BYTES).unwrap()).collect();
        assert!(pool.try_take(STEP_BYTES).is_none() && pool.try_assure(1).is_none());
        let shared = buffers.into_iter().next().unwrap().freeze();
        drop(assurance);
        assert_eq!(budget.used_bytes(), 6 * STEP_BYTES, "buffers wait for the next reader");
        pool.close();
        assert_eq!(budget.used_bytes(), 3 * STEP_BYTES);
        drop((shared, pool));
        assert_eq!(budget.used_bytes(), 2 * STEP_BYTES);
    }
}

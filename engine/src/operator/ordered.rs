//! Brings the batches of all workers into the order of the source: the end of every pipeline whose
//! order shows, and the place where LIMIT and OFFSET are decided.
//!
//! Workers deposit batches by morsel. The batches of the front morsel pass on at once; those of later
//! morsels wait, and a worker that is too far ahead is asked to come back later. An error is
//! deposited like a batch, so that it shows only if a single worker would have come to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hypostyle_functions::column::Recycled;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::{Account, Reservation, used_bytes_of};
use crate::operator::{LocalSink, Sink, Task};

/// Batches that may wait before workers ahead of the front are asked to pause, however large they are.
const WAITING_BATCHES: usize = 64;

/// Bytes that may wait where memory is plenty: about a row group of a wide table, so that whoever reads the next one
/// need not pause until the front is through.
const WAITING_BYTES: usize = 256 << 20;

/// Bytes that wait, from which on batches are no longer decoded before they wait: codes are smaller.
const DECODED_BYTES: usize = WAITING_BYTES / 4;

/// Share of the free memory that may wait.
const WAITING_SHARE: usize = 16;

/// Batches of the front morsel that may wait while whoever pulls is away. One that pulls is a worker too: while it is in the
/// middle of a step, such as one that opens a row group, the worker at the front goes on as those ahead of it do.
const FRONT_BATCHES: usize = 4;

/// Batches that come while whoever takes the output does something else, from which on it counts as away, or as the slower one:
/// while a batch is handed on, fewer come. They are counted and not timed, so that what is made ahead does not hang on the clock.
const AWAY_BATCHES: u64 = 32;

/// Most buffers of decoded batches that are looked at for room.
const RECYCLED_MAX: usize = 512;

/// Takes the batches of a pipeline in order.
pub trait Consumer: Send {
    /// Takes the next batch.
    ///
    /// # Errors
    /// What keeps it from being taken.
    fn consume(&mut self, batch: Batch) -> Result<()>;

    /// Told once that all rows have come.
    ///
    /// # Errors
    /// What keeps the result from being made.
    fn finish(&mut self) -> Result<()>;
}

/// The rows wanted of an ordered stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window {
    /// Rows to skip.
    pub offset: u64,
    /// Rows to keep; all if `None`.
    pub count: Option<u64>,
}

impl Window {
    /// Rows of any one morsel that can be inside the window.
    pub fn morsel_rows(&self) -> Option<u64> {
        self.count.map(|count| count.saturating_add(self.offset))
    }
}

#[derive(Default)]
struct Slot {
    batches: VecDeque<Result<Batch>>,
    ended: bool,
}

struct Sequence {
    window: Window,
    front: u32,
    slots: BTreeMap<u32, Slot>,
    waiting_batches: usize,
    waiting_rows: u64,
    waiting_bytes: usize,
    /// Batches that have come.
    pushed: u64,
    /// Of these, how many when whoever takes the output began to do something else; `None` while the output is awaited.
    left_at: Option<u64>,
    reservation: Reservation,
}

/// A sink that keeps order. Without a consumer it is the output of the run, and batches are taken with [`OrderedSink::pop`].
pub struct OrderedSink {
    sequence: Mutex<Sequence>,
    consumer: Option<Mutex<Box<dyn Consumer>>>,
    /// Whether workers leave no dictionaries to whoever takes the output.
    decodes: AtomicBool,
}

impl OrderedSink {
    /// The output of a run.
    pub fn output(window: Window, account: &Arc<Account>) -> Arc<Self> {
        let sequence = Self::sequence(window, account);
        Self::with(sequence, None)
    }

    /// A sink that hands every batch to `consumer`.
    pub fn new(window: Window, account: &Arc<Account>, consumer: Box<dyn Consumer>) -> Arc<Self> {
        let sequence = Self::sequence(window, account);
        Self::with(sequence, Some(Mutex::new(consumer)))
    }

    fn with(sequence: Mutex<Sequence>, consumer: Option<Mutex<Box<dyn Consumer>>>) -> Arc<Self> {
        Arc::new(Self { sequence, consumer, decodes: AtomicBool::new(false) })
    }

    fn sequence(window: Window, account: &Arc<Account>) -> Mutex<Sequence> {
        Mutex::new(Sequence {
            window,
            front: 0,
            slots: BTreeMap::new(),
            waiting_batches: 0,
            waiting_rows: 0,
            waiting_bytes: 0,
            pushed: 0,
            left_at: None,
            reservation: account.reserve(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Sequence> {
        self.sequence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch of the order, if it is there; an error ends the run.
    pub fn pop(&self) -> Option<Result<Batch>> {
        self.lock().pop()
    }

    /// True if a batch or an error is there to be taken.
    pub fn has_output(&self) -> bool {
        self.lock().has_front()
    }

    /// Told when whoever takes the output waits for it, and when it is left alone: if many batches come then, few more are
    /// made ahead of the front, which would only be kept.
    pub fn set_awaited(&self, is_awaited: bool) {
        let mut sequence = self.lock();
        sequence.left_at = (!is_awaited).then_some(sequence.pushed);
    }

    /// Workers are to give each row a value of its own, before they begin. Where a limit may cut rows off that is left to whoever takes
    /// the output.
    pub fn decode(&self) {
        let is_limited = self.lock().window.count.is_some();
        self.decodes.store(!is_limited, Ordering::Relaxed);
    }

    /// Deposits the error of a morsel at its place.
    pub fn fail(&self, morsel: u32, error: Error) {
        let mut sequence = self.lock();
        let slot = sequence.slots.entry(morsel).or_default();
        slot.batches.push_back(Err(error));
        slot.ended = true;
        sequence.waiting_batches += 1;
    }

    /// Hands over what is at the front. Whoever holds the consumer looks again after letting it go, so
    /// nothing deposited meanwhile is left behind.
    fn drain(&self) -> Result<()> {
        let Some(consumer) = &self.consumer else { return Ok(()) };
        loop {
            {
                let Ok(mut consumer) = consumer.try_lock() else { return Ok(()) };
                while let Some(batch) = self.pop() {
                    consumer.consume(batch?)?;
                }
            }
            if !self.lock().has_front() {
                return Ok(());
            }
        }
    }
}

impl Sequence {
    /// True if workers ahead of the front may go on.
    fn has_room(&self) -> bool {
        if self.waiting_batches < WAITING_BATCHES {
            return true;
        }
        if self.is_left() {
            return false;
        }
        let free_bytes = self.reservation.account().budget().free_bytes();
        // A limit may end the run before what is ahead is taken.
        self.window.count.is_none() && self.waiting_bytes < WAITING_BYTES.min(free_bytes / WAITING_SHARE)
    }

    /// True if whoever takes the output is away.
    fn is_left(&self) -> bool {
        self.left_at.is_some_and(|left| self.pushed - left >= AWAY_BATCHES)
    }

    fn has_front(&mut self) -> bool {
        if self.window.count == Some(0) {
            return false;
        }
        while let Some(slot) = self.slots.get(&self.front) {
            if !slot.batches.is_empty() {
                return true;
            }
            if !slot.ended {
                return false;
            }
            self.slots.remove(&self.front);
            self.front += 1;
        }
        false
    }

    fn pop(&mut self) -> Option<Result<Batch>> {
        while self.has_front() {
            let batch = self.slots.get_mut(&self.front)?.batches.pop_front()?;
            self.waiting_batches -= 1;
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            self.waiting_rows -= batch.rows as u64;
            self.waiting_bytes -= used_bytes_of(&batch).min(self.waiting_bytes);
            self.reservation.force(self.waiting_bytes);
            if let Some(batch) = self.window.cut(batch) {
                return Some(Ok(batch));
            }
        }
        None
    }

    fn push(&mut self, batch: Batch) {
        let slot = self.slots.entry(batch.position.morsel).or_default();
        self.waiting_bytes += used_bytes_of(&batch);
        self.waiting_batches += 1;
        self.pushed += 1;
        self.waiting_rows += batch.rows as u64;
        self.reservation.force(self.waiting_bytes);
        slot.batches.push_back(Ok(batch));
    }
}

impl Window {
    /// The rows of the batch that are wanted; the window moves on.
    fn cut(&mut self, batch: Batch) -> Option<Batch> {
        let skipped = self.offset.min(batch.rows as u64);
        self.offset -= skipped;
        let left = batch.rows as u64 - skipped;
        let kept = self.count.map_or(left, |count| count.min(left));
        if let Some(count) = &mut self.count {
            *count -= kept;
        }
        match kept {
            0 => None,
            _ if kept == batch.rows as u64 => Some(batch),
            _ => Some(batch.slice(skipped as usize, kept as usize)),
        }
    }
}

impl Sink for Arc<OrderedSink> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        let decoded = self.decodes.load(Ordering::Relaxed).then(|| Recycled::of_at_most(RECYCLED_MAX));
        Ok(Box::new(Depositor { sink: Arc::clone(self), decoded }))
    }

    fn accepts(&self, morsel: u32) -> bool {
        let mut sequence = self.lock();
        // A morsel without rows may be all that keeps the front from moving on.
        sequence.has_front();
        if morsel <= sequence.front {
            let waiting = sequence.slots.get(&morsel).map_or(0, |slot| slot.batches.len());
            if self.consumer.is_some() || waiting < FRONT_BATCHES {
                return true;
            }
            if sequence.is_left() {
                return false;
            }
        }
        // Rows that wait are enough once they fill the window, even if the morsels before them give none.
        let is_enough = sequence.window.morsel_rows().is_some_and(|rows| sequence.waiting_rows >= rows);
        sequence.has_room() && !is_enough
    }

    fn wants_more(&self) -> bool {
        self.lock().window.count != Some(0)
    }

    fn finish(&self) -> Result<Vec<Task>> {
        if let Some(consumer) = &self.consumer {
            self.drain()?;
            consumer.lock().unwrap_or_else(PoisonError::into_inner).finish()?;
        }
        Ok(Vec::new())
    }
}

/// One worker's way into the sink.
struct Depositor {
    sink: Arc<OrderedSink>,
    /// Room of batches that were decoded here; `None` where they are handed on as they are.
    decoded: Option<Recycled>,
}

impl LocalSink for Depositor {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let batch = match &mut self.decoded {
            Some(recycled) if self.sink.lock().waiting_bytes < DECODED_BYTES => batch.decoded(recycled)?,
            _ => batch,
        };
        self.sink.lock().push(batch);
        self.sink.drain()
    }

    fn end_morsel(&mut self, morsel: u32) -> Result<()> {
        self.sink.lock().slots.entry(morsel).or_default().ended = true;
        self.sink.drain()
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

//! Recursion: a first plan gives rows, and a second one is run over the rows of the round before until it gives none.
//!
//! Both are run by whoever reads the result, a step at a time, on the reader's thread. Between rounds the rows of one
//! round wait in the working table; where duplicates are dropped, every row ever given is remembered by its key.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::BooleanBuffer;
use bumpalo::Bump;
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::Result;
use crate::memory::{Account, Keeper, Reservation};
use crate::operator::filter::kept_rows;
use crate::operator::scan::Batches;
use crate::operator::sort::{KeyOrder, SortKeys};
use crate::operator::{Claim, RunContext, Source};
use crate::table::Reader;

/// The rows of the round before.
#[derive(Debug, Default)]
pub struct WorkTable {
    batches: Mutex<Arc<Vec<Batch>>>,
}

impl WorkTable {
    fn set(&self, batches: Vec<Batch>) {
        *self.batches.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(batches);
    }

    fn batches(&self) -> Arc<Vec<Batch>> {
        Arc::clone(&self.batches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The working table as a source of one morsel.
pub struct WorkTableSource {
    table: Arc<WorkTable>,
    claimed: AtomicBool,
}

impl WorkTableSource {
    /// A source over the rows that the table holds when it is read.
    pub fn new(table: &Arc<WorkTable>) -> Self {
        Self { table: Arc::clone(table), claimed: AtomicBool::new(false) }
    }
}

impl Source for WorkTableSource {
    fn claim(&self) -> Result<Claim> {
        if self.claimed.swap(true, Ordering::Relaxed) {
            return Ok(Claim::End);
        }
        let batches = self.table.batches().as_ref().clone();
        Ok(Claim::Morsel(Box::new(Batches(batches.into_iter()))))
    }
}

/// Starts a run of a plan that a recursion holds.
pub type Start = dyn Fn() -> Result<Box<dyn Reader>> + Send + Sync;

/// The rows of all rounds.
pub struct RecursiveSource {
    /// Starts the first plan.
    pub initial: Box<Start>,
    /// Starts a round.
    pub step: Arc<Start>,
    /// Where the rows of the round before are.
    pub table: Arc<WorkTable>,
    /// Types of the columns.
    pub types: Vec<Type>,
    /// Whether a row that was given before is dropped.
    pub distinct: bool,
    /// The run.
    pub run: Arc<RunContext>,
    /// What the rows are charged to.
    pub account: Arc<Account>,
    /// Set by the first claim.
    pub claimed: AtomicBool,
}

impl Source for RecursiveSource {
    fn claim(&self) -> Result<Claim> {
        if self.claimed.swap(true, Ordering::Relaxed) {
            return Ok(Claim::End);
        }
        let orders = self.types.iter().cloned();
        let orders = orders.map(|data_type| KeyOrder { data_type, descending: false, nulls_first: false });
        Ok(Claim::Morsel(Box::new(Rounds {
            at_work: (self.initial)()?,
            step: Arc::clone(&self.step),
            table: Arc::clone(&self.table),
            next: Kept { batches: Vec::new(), keeper: Keeper::default(), bytes: 0 },
            table_bytes: 0,
            seen: self.distinct.then(|| Seen {
                orders: orders.collect(),
                keys: HashSet::default(),
                bytes: 0,
            }),
            run: Arc::clone(&self.run),
            reservation: self.account.reserve(),
        })))
    }
}

/// Rows of the round at work, for the next one.
struct Kept {
    batches: Vec<Batch>,
    keeper: Keeper,
    bytes: usize,
}

/// The recursion at work.
struct Rounds {
    at_work: Box<dyn Reader>,
    step: Arc<Start>,
    table: Arc<WorkTable>,
    next: Kept,
    table_bytes: usize,
    seen: Option<Seen>,
    run: Arc<RunContext>,
    reservation: Reservation,
}

impl Reader for Rounds {
    fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            self.run.check_cancelled()?;
            match self.at_work.next()? {
                Some(batch) => {
                    if let Some(batch) = self.keep(batch)? {
                        return Ok(Some(batch));
                    }
                }
                None if self.next.batches.is_empty() => {
                    self.table.set(Vec::new());
                    return Ok(None);
                }
                None => {
                    let next = std::mem::replace(
                        &mut self.next,
                        Kept { batches: Vec::new(), keeper: Keeper::default(), bytes: 0 },
                    );
                    self.table_bytes = next.bytes;
                    self.table.set(next.batches);
                    self.charge()?;
                    self.at_work = (self.step)()?;
                }
            }
        }
    }
}

impl Rounds {
    /// Keeps a batch for the next round; gives what is new of it.
    fn keep(&mut self, batch: Batch) -> Result<Option<Batch>> {
        let batch = match &mut self.seen {
            Some(seen) => seen.new_rows(batch)?,
            None => Some(batch),
        };
        let Some(batch) = batch.filter(|batch| batch.rows > 0) else { return Ok(None) };
        let (kept, bytes) = self.next.keeper.keep(batch.clone());
        self.next.batches.push(kept);
        self.next.bytes += bytes;
        self.charge()?;
        Ok(Some(batch))
    }

    fn charge(&mut self) -> Result<()> {
        let seen = self.seen.as_ref().map_or(0, |seen| seen.bytes);
        self.reservation.resize(self.next.bytes + self.table_bytes + seen)
    }
}

/// Keys of all rows given so far.
struct Seen {
    orders: Vec<KeyOrder>,
    keys: HashSet<Box<[u8]>, ahash::RandomState>,
    bytes: usize,
}

/// Bytes of a remembered key beside its own.
const KEY_BYTES: usize = 48;

impl Seen {
    /// The rows that were not there before.
    fn new_rows(&mut self, batch: Batch) -> Result<Option<Batch>> {
        let bump = Bump::new();
        let columns = batch.columns.iter().zip(&self.orders);
        let views: Vec<_> = columns.map(|(column, order)| column.view(&order.data_type, &bump)).collect();
        let mut encoded = SortKeys::new(&self.orders);
        encoded.extend(&views, batch.rows, |_| 0);
        let mut keep = Vec::with_capacity(batch.rows);
        for row in 0..batch.rows {
            let key = encoded.get(row);
            let is_new = !self.keys.contains(key);
            if is_new {
                self.keys.insert(key.into());
                self.bytes += key.len() + KEY_BYTES;
            }
            keep.push(is_new);
        }
        let rows = keep.iter().filter(|&&keep| keep).count();
        Ok(match rows {
            0 => None,
            _ if rows == batch.rows => Some(batch),
            _ => Some(kept_rows(&batch, &BooleanBuffer::from(keep), rows)?),
        })
    }
}

//! Recursion: a first plan gives rows, and a second one is run over the rows of the round before until it gives none.
//!
//! Both are run by whoever reads the result, a step at a time, on the reader's thread. Between rounds the rows of one
//! round wait in the working table; where duplicates are dropped, every row ever given is remembered by its key. A recursion
//! with keys holds the last row of each, and gives them at the end.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::BooleanBuffer;
use bumpalo::Bump;
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::Result;
use crate::memory::{Account, Keeper, Reservation, used_bytes_of};
use crate::operator::filter::kept_rows;
use crate::operator::keyed_rows::KeyedRows;
use crate::operator::scan::Batches;
use crate::operator::sort::{KeyOrder, SortKeys};
use crate::operator::{Claim, RunContext, Source};
use crate::table::Reader;

/// The rows of the round before, and all rows before a round if anyone reads them.
#[derive(Debug, Default)]
pub struct WorkTable {
    last: Mutex<Arc<Vec<Batch>>>,
    all: Mutex<Arc<Vec<Batch>>>,
    reads_all: bool,
}

impl WorkTable {
    /// A table without rows; `reads_all` says whether anyone reads more than the rows of the round before.
    pub fn new(reads_all: bool) -> Self {
        Self { reads_all, ..Self::default() }
    }

    fn set(&self, batches: Vec<Batch>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(batches);
    }

    fn set_all(&self, batches: Vec<Batch>) {
        *self.all.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(batches);
    }

    fn batches(&self, all: bool) -> Arc<Vec<Batch>> {
        let table = if all { &self.all } else { &self.last };
        Arc::clone(&table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The working table as a source of one morsel.
pub struct WorkTableSource {
    table: Arc<WorkTable>,
    all: bool,
    claimed: AtomicBool,
}

impl WorkTableSource {
    /// A source over the rows that the table holds when it is read: those of the round before, or all.
    pub fn new(table: &Arc<WorkTable>, all: bool) -> Self {
        Self { table: Arc::clone(table), all, claimed: AtomicBool::new(false) }
    }
}

impl Source for WorkTableSource {
    fn claim(&self) -> Result<Claim> {
        if self.claimed.swap(true, Ordering::Relaxed) {
            return Ok(Claim::End);
        }
        let batches = self.table.batches(self.all).as_ref().clone();
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
    /// Columns of which each combination of values has one row; none for all rows.
    pub keys: Vec<usize>,
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
        if !self.keys.is_empty() {
            return Ok(Claim::Morsel(Box::new(KeyedRounds {
                at_work: Some((self.initial)()?),
                step: Arc::clone(&self.step),
                table: Arc::clone(&self.table),
                rows: KeyedRows::new(&self.types, &self.keys),
                distinct: self.distinct,
                given: None,
                run: Arc::clone(&self.run),
                reservation: self.account.reserve(),
            })));
        }
        Ok(Claim::Morsel(Box::new(Rounds {
            at_work: (self.initial)()?,
            step: Arc::clone(&self.step),
            table: Arc::clone(&self.table),
            all: Vec::new(),
            all_bytes: 0,
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
    /// The rows of all rounds before the last, where the step reads them.
    all: Vec<Batch>,
    all_bytes: usize,
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
                    self.table.set_all(Vec::new());
                    return Ok(None);
                }
                None => {
                    let next = std::mem::replace(
                        &mut self.next,
                        Kept { batches: Vec::new(), keeper: Keeper::default(), bytes: 0 },
                    );
                    self.table_bytes = next.bytes;
                    if self.table.reads_all {
                        self.all.extend(next.batches.iter().cloned());
                        self.all_bytes += next.bytes;
                        self.table.set_all(self.all.clone());
                    }
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
        self.reservation.resize(self.next.bytes + self.table_bytes + self.all_bytes + seen)
    }
}

/// A recursion with keys at work.
struct KeyedRounds {
    /// The round; `None` once there is none.
    at_work: Option<Box<dyn Reader>>,
    step: Arc<Start>,
    table: Arc<WorkTable>,
    rows: KeyedRows,
    distinct: bool,
    /// What is left to give.
    given: Option<std::vec::IntoIter<Batch>>,
    run: Arc<RunContext>,
    reservation: Reservation,
}

impl Reader for KeyedRounds {
    fn next(&mut self) -> Result<Option<Batch>> {
        while let Some(mut round) = self.at_work.take() {
            let mut batches = Vec::new();
            let (mut keeper, mut bytes) = (Keeper::default(), 0);
            while let Some(batch) = round.next()? {
                self.run.check_cancelled()?;
                let (kept, added) = keeper.keep(batch);
                bytes += added;
                self.reservation.resize(self.rows.bytes() + bytes)?;
                batches.push(kept);
            }
            self.begin_round(batches)?;
        }
        let given = match &mut self.given {
            Some(given) => given,
            None => self.given.insert(self.rows.rows()?.into_iter()),
        };
        Ok(given.next())
    }
}

impl KeyedRounds {
    /// Takes the rows of a round, and begins the next if there is anything for it.
    fn begin_round(&mut self, batches: Vec<Batch>) -> Result<()> {
        let changed = match self.distinct {
            true => self.rows.take_round(batches)?,
            false => {
                self.rows.take_round(batches.clone())?;
                batches
            }
        };
        let bytes: usize = changed.iter().map(used_bytes_of).sum();
        self.reservation.resize(self.rows.bytes() + bytes)?;
        let goes_on = changed.iter().any(|batch| batch.rows > 0);
        self.table.set(changed);
        if goes_on && self.table.reads_all {
            self.table.set_all(self.rows.rows()?);
        }
        if goes_on {
            self.at_work = Some((self.step)()?);
        } else {
            self.table.set_all(Vec::new());
        }
        Ok(())
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

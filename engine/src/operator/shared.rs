//! Rows that several readers share: gathered once, in memory while the budget allows and then in a file, and read as
//! often as the plan has readers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::Keeper;
use crate::metrics::OperatorMetrics;
use crate::operator::ordered::Consumer;
use crate::operator::{Claim, RunContext, Source};
use crate::spill::{KeptRows, RowStore};
use crate::table::Reader;

/// Batches that make one morsel of a reader.
const MORSEL_BATCHES: usize = 16;

/// The rows, once they are gathered.
#[derive(Default)]
pub struct SharedRows {
    kept: OnceLock<KeptRows>,
}

/// Gathers the rows in order.
pub struct Share {
    keeper: Keeper,
    store: RowStore,
    rows: Arc<SharedRows>,
}

impl Share {
    /// A consumer that leaves its rows in `rows`.
    pub fn new(run: &Arc<RunContext>, metrics: &Arc<OperatorMetrics>, rows: &Arc<SharedRows>) -> Self {
        let account = run.memory.account("shared rows");
        let store = RowStore::new(run, &account, metrics, "shared");
        Self { keeper: Keeper::default(), store, rows: Arc::clone(rows) }
    }
}

impl Consumer for Share {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        let (batch, _) = self.keeper.keep(batch);
        self.store.add(batch)
    }

    fn finish(&mut self) -> Result<()> {
        let kept = self.store.take_kept()?;
        let twice = |_| Error::internal("shared rows were gathered twice");
        self.rows.kept.set(kept).map_err(twice)
    }
}

/// One reader's source: morsels of the columns that it asks for.
pub struct SharedSource {
    rows: Arc<SharedRows>,
    columns: Vec<usize>,
    next: AtomicUsize,
    file_claimed: AtomicBool,
}

impl SharedSource {
    /// A source of these columns, by position.
    pub fn new(rows: &Arc<SharedRows>, columns: &[usize]) -> Self {
        Self {
            rows: Arc::clone(rows),
            columns: columns.to_vec(),
            next: AtomicUsize::new(0),
            file_claimed: AtomicBool::new(false),
        }
    }
}

impl Source for SharedSource {
    fn claim(&self) -> Result<Claim> {
        let Some(kept) = self.rows.kept.get() else {
            return Err(Error::internal("shared rows are read before they are gathered"));
        };
        let first = self.next.fetch_add(MORSEL_BATCHES, Ordering::Relaxed);
        if first < kept.batches().len() {
            let batches = kept.batches().iter().skip(first).take(MORSEL_BATCHES);
            let batches: Vec<Batch> = batches.map(|batch| picked(batch, &self.columns)).collect();
            return Ok(Claim::Morsel(Box::new(Held(batches.into_iter()))));
        }
        match self.file_claimed.swap(true, Ordering::Relaxed) {
            true => Ok(Claim::End),
            false => match kept.file_reader()? {
                Some(reader) => Ok(Claim::Morsel(Box::new(Picked { reader, columns: self.columns.clone() }))),
                None => Ok(Claim::End),
            },
        }
    }
}

/// These columns of a batch.
fn picked(batch: &Batch, columns: &[usize]) -> Batch {
    let columns = columns.iter().filter_map(|&column| batch.columns.get(column).cloned()).collect();
    Batch::new(columns, batch.rows)
}

/// Batches of one morsel.
struct Held(std::vec::IntoIter<Batch>);

impl Reader for Held {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(self.0.next())
    }
}

/// These columns of what a reader gives.
struct Picked<R> {
    reader: R,
    columns: Vec<usize>,
}

impl<R: Reader> Reader for Picked<R> {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(self.reader.next()?.map(|batch| picked(&batch, &self.columns)))
    }
}

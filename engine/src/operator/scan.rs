//! Reads a table by morsels, and hands on batches that a host pushes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::operator::{Claim, RunContext, Source};
use crate::table::{Reader, Scan, ScanRequest, TableProvider};

/// Morsels of a table. The scan starts at the first claim, so a run that never gets here opens nothing.
pub struct ScanSource {
    provider: Arc<dyn TableProvider>,
    request: ScanRequest,
    run: Arc<RunContext>,
    scan: OnceLock<Arc<dyn Scan>>,
}

impl ScanSource {
    /// A source over what `request` asks of `provider`.
    pub fn new(provider: Arc<dyn TableProvider>, request: ScanRequest, run: Arc<RunContext>) -> Self {
        Self { provider, request, run, scan: OnceLock::new() }
    }

    fn scan(&self) -> Result<&Arc<dyn Scan>> {
        if let Some(scan) = self.scan.get() {
            return Ok(scan);
        }
        let scan = self.provider.scan(self.request.clone(), &self.run.context)?;
        Ok(self.scan.get_or_init(|| scan))
    }
}

impl Source for ScanSource {
    fn claim(&self) -> Result<Claim> {
        Ok(self.scan()?.claim()?.map_or(Claim::End, Claim::Morsel))
    }

    fn progress(&self) -> (u64, u64) {
        self.scan.get().map_or((0, 0), |scan| scan.progress())
    }
}

/// Batches that a host pushes into a run; each is a morsel of its own, so that nothing waits for the next one.
#[derive(Debug)]
pub struct HostInput {
    columns: usize,
    queue: Mutex<HostQueue>,
}

#[derive(Debug, Default)]
struct HostQueue {
    batches: VecDeque<Batch>,
    finished: bool,
}

impl HostInput {
    /// An input of batches of this many columns.
    pub fn new(columns: usize) -> Self {
        Self { columns, queue: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HostQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a batch; an empty one is dropped.
    ///
    /// # Errors
    /// Another number of columns than the input has.
    pub fn push(&self, batch: Batch) -> Result<()> {
        if batch.columns.len() != self.columns {
            return Err(Error::user(format!(
                "a pushed batch has {} columns; the input has {}",
                batch.columns.len(),
                self.columns
            )));
        }
        if batch.rows > 0 {
            self.lock().batches.push_back(batch);
        }
        Ok(())
    }

    /// States that no batch will follow.
    pub fn finish(&self) {
        self.lock().finished = true;
    }

    /// True if a batch waits or the input has ended: a worker that steps will find something to do.
    pub fn is_ready(&self) -> bool {
        let queue = self.lock();
        queue.finished || !queue.batches.is_empty()
    }
}

/// The source over a [`HostInput`], with the columns that the plan asks for.
pub struct HostSource {
    /// The input.
    pub input: Arc<HostInput>,
    /// Columns, in the order they are wanted.
    pub projection: Vec<usize>,
}

impl Source for HostSource {
    fn claim(&self) -> Result<Claim> {
        let mut queue = self.input.lock();
        Ok(match queue.batches.pop_front() {
            Some(batch) => {
                let columns = self.projection.iter().map(|&column| batch.columns[column].clone()).collect();
                Claim::Morsel(Box::new(OneBatch(Some(Batch::new(columns, batch.rows)))))
            }
            None if queue.finished => Claim::End,
            None => Claim::Wait,
        })
    }
}

/// A morsel of one batch.
pub(crate) struct OneBatch(pub Option<Batch>);

impl Reader for OneBatch {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(self.0.take())
    }
}

/// A morsel of batches that are there already.
pub(crate) struct Batches(pub std::vec::IntoIter<Batch>);

impl Reader for Batches {
    fn next(&mut self) -> Result<Option<Batch>> {
        Ok(self.0.next())
    }
}

/// Batches as a source of one morsel each of `batches_each` batches, set once by an earlier pipeline.
#[derive(Default)]
pub struct BatchesSource {
    morsels: Mutex<VecDeque<Vec<Batch>>>,
}

impl BatchesSource {
    /// Adds morsels.
    pub fn extend(&self, morsels: impl IntoIterator<Item = Vec<Batch>>) {
        self.morsels.lock().unwrap_or_else(PoisonError::into_inner).extend(morsels);
    }
}

impl Source for Arc<BatchesSource> {
    fn claim(&self) -> Result<Claim> {
        let morsel = self.morsels.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        Ok(morsel.map_or(Claim::End, |batches| Claim::Morsel(Box::new(Batches(batches.into_iter())))))
    }
}

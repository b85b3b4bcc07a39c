//! Rows taken in order and kept, in memory or in a file, for a source that needs them all or needs to count them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::operator::ordered::Consumer;
use crate::operator::{Claim, Source};
use crate::spill::{RowReader, RowStore};
use crate::table::Reader;

/// Where gathered rows wait for their source.
#[derive(Default)]
pub struct Gathered {
    rows: Mutex<Option<RowReader>>,
}

impl Gathered {
    /// The rows, once; nothing if none were gathered.
    pub fn take(&self) -> Option<RowReader> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Puts the rows where their source finds them.
    ///
    /// # Errors
    /// A full disk.
    pub fn put(&self, store: RowStore) -> Result<()> {
        *self.rows.lock().unwrap_or_else(PoisonError::into_inner) = Some(store.into_reader()?);
        Ok(())
    }
}

/// Gathers all rows.
pub struct Gather {
    store: Option<RowStore>,
    result: Arc<Gathered>,
}

impl Gather {
    /// A consumer that keeps its rows in `store` and hands them to `result`.
    pub fn new(store: RowStore, result: &Arc<Gathered>) -> Self {
        Self { store: Some(store), result: Arc::clone(result) }
    }
}

impl Consumer for Gather {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        match &mut self.store {
            Some(store) => store.add(batch),
            None => Err(Error::internal("rows came after the last one")),
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.store.take().map_or(Ok(()), |store| self.result.put(store))
    }
}

/// Gathered rows as a source of one morsel.
pub struct GatheredSource {
    /// The rows.
    pub rows: Arc<Gathered>,
    /// Most rows of a batch.
    pub batch_rows: usize,
}

impl Source for GatheredSource {
    fn claim(&self) -> Result<Claim> {
        let Some(rows) = self.rows.take() else { return Ok(Claim::End) };
        Ok(Claim::Morsel(Box::new(GatheredReader { rows, rest: None, batch_rows: self.batch_rows })))
    }
}

struct GatheredReader {
    rows: RowReader,
    /// What is left of a batch that is too large to be given at once.
    rest: Option<Batch>,
    batch_rows: usize,
}

impl Reader for GatheredReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let next = match self.rest.take() {
            Some(rest) => Some(rest),
            None => self.rows.next()?,
        };
        let Some(batch) = next else { return Ok(None) };
        if batch.rows <= self.batch_rows {
            return Ok(Some(batch));
        }
        self.rest = Some(batch.slice(self.batch_rows, batch.rows - self.batch_rows));
        Ok(Some(batch.slice(0, self.batch_rows)))
    }
}

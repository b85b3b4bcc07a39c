//! Tables held in memory, and tables whose batches a host pushes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use hypostyle_functions::types::Schema;

use crate::batch::Batch;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::memory::Reservation;
use crate::table::{Reader, Scan, ScanRequest, Statistics, TableProvider};

/// Batches of a morsel.
const MORSEL_BATCHES: usize = 8;

/// A table in memory. It does not change: a new state is a new table under the same name.
#[derive(Debug)]
pub struct MemoryTable {
    schema: Schema,
    batches: Arc<Vec<Batch>>,
    rows: usize,
    /// Bytes that the rows take, without what they share with others.
    bytes: usize,
    _reservation: Option<Reservation>,
}

impl MemoryTable {
    /// A table of these batches.
    ///
    /// # Errors
    /// A batch with another number of columns than the schema.
    pub fn new(schema: Schema, batches: Vec<Batch>) -> Result<Self> {
        for batch in &batches {
            if batch.columns.len() != schema.fields.len() {
                return Err(Error::user(format!(
                    "a batch has {} columns; the table has {}",
                    batch.columns.len(),
                    schema.fields.len()
                )));
            }
        }
        let rows = batches.iter().map(|batch| batch.rows).sum();
        let bytes = batches.iter().map(Batch::row_bytes).sum();
        Ok(Self { schema, batches: Arc::new(batches), rows, bytes, _reservation: None })
    }

    /// A table of Arrow batches of one schema.
    ///
    /// # Errors
    /// A type that the engine does not hold, or batches of different schemas.
    pub fn from_arrow(schema: &arrow::datatypes::Schema, batches: &[RecordBatch]) -> Result<Self> {
        let schema = Schema::from_arrow(schema)?;
        let batches = batches.iter().map(|batch| Batch::import(batch, &schema)).collect::<Result<_>>()?;
        Self::new(schema, batches)
    }

    /// The same table, charged to this reservation as long as it lives.
    pub(crate) fn charged(mut self, reservation: Reservation) -> Self {
        self.bytes = reservation.bytes();
        self._reservation = Some(reservation);
        self
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The batches.
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }
}

impl TableProvider for MemoryTable {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn statistics(&self) -> Statistics {
        Statistics { rows: Some(self.rows as u64), bytes: Some(self.bytes as u64), columns: Vec::new() }
    }

    fn scan(&self, request: ScanRequest, _: &Arc<Context>) -> Result<Arc<dyn Scan>> {
        if let Some(column) = request.projection.iter().find(|&&column| column >= self.schema.fields.len()) {
            return Err(Error::internal(format!(
                "column {column} of a table of {}",
                self.schema.fields.len()
            )));
        }
        Ok(Arc::new(MemoryScan {
            morsels: morsels(&self.batches, request.batch_rows.max(1)),
            batches: Arc::clone(&self.batches),
            projection: request.projection,
            next: AtomicUsize::new(0),
        }))
    }
}

/// A part of a batch: its index, first row and number of rows.
type Part = (usize, usize, usize);

/// Parts of at most `batch_rows` rows, in morsels.
fn morsels(batches: &[Batch], batch_rows: usize) -> Vec<Vec<Part>> {
    let parts: Vec<Part> = batches
        .iter()
        .enumerate()
        .flat_map(|(index, batch)| {
            (0..batch.rows)
                .step_by(batch_rows)
                .map(move |start| (index, start, batch_rows.min(batch.rows - start)))
        })
        .collect();
    parts.chunks(MORSEL_BATCHES).map(<[Part]>::to_vec).collect()
}

struct MemoryScan {
    batches: Arc<Vec<Batch>>,
    morsels: Vec<Vec<Part>>,
    projection: Vec<usize>,
    next: AtomicUsize,
}

impl Scan for MemoryScan {
    fn claim(&self) -> Result<Option<Box<dyn Reader>>> {
        let morsel = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(parts) = self.morsels.get(morsel) else { return Ok(None) };
        Ok(Some(Box::new(MemoryReader {
            batches: Arc::clone(&self.batches),
            parts: parts.clone().into_iter(),
            projection: self.projection.clone(),
        })))
    }

    fn progress(&self) -> (u64, u64) {
        let all = self.morsels.len() as u64;
        (all.min(self.next.load(Ordering::Relaxed) as u64), all)
    }
}

struct MemoryReader {
    batches: Arc<Vec<Batch>>,
    parts: std::vec::IntoIter<Part>,
    projection: Vec<usize>,
}

impl Reader for MemoryReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let Some((index, start, rows)) = self.parts.next() else { return Ok(None) };
        let batch = &self.batches[index];
        let whole = rows == batch.rows;
        let columns = self.projection.iter().map(|&column| {
            let column = &batch.columns[column];
            if whole { column.clone() } else { column.slice(start, rows) }
        });
        Ok(Some(Batch::new(columns.collect(), rows)))
    }
}

/// A table without rows of its own: a host pushes its batches into each run.
#[derive(Debug)]
pub struct HostTable {
    schema: Schema,
}

impl HostTable {
    /// A table of this schema.
    pub fn new(schema: Schema) -> Self {
        Self { schema }
    }
}

impl TableProvider for HostTable {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn is_host_driven(&self) -> bool {
        true
    }

    fn scan(&self, _: ScanRequest, _: &Arc<Context>) -> Result<Arc<dyn Scan>> {
        Err(Error::internal("a host-driven table is read by the run itself"))
    }
}

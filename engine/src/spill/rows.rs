//! Rows that are kept until they are read once: in memory while the budget allows, then in a file.

use std::sync::Arc;

use super::file::{SpillCursor, SpillFile, SpillReader, SpillWriter};
use crate::batch::Batch;
use crate::error::Result;
use crate::memory::{Account, Reservation, used_bytes_of};
use crate::metrics::OperatorMetrics;
use crate::operator::RunContext;
use crate::operator::filter::concat_batches;
use crate::table::Reader;

/// Batches that are smaller than this many rows are put together before they go to a file ...
const FILE_ROWS: usize = 1024;

/// ... unless they hold this many bytes.
const FILE_BYTES: usize = 64 << 10;

/// Rows of one partition.
pub struct RowStore {
    run: Arc<RunContext>,
    metrics: Arc<OperatorMetrics>,
    operator: &'static str,
    batches: Vec<Batch>,
    rows: usize,
    reservation: Reservation,
    /// Nothing is kept in memory.
    is_on_disk: bool,
    writer: Option<SpillWriter>,
    /// Small batches on their way to the file.
    small: Vec<Batch>,
    small_rows: usize,
    /// Bytes that have gone to the file.
    file_bytes: usize,
}

impl RowStore {
    /// No rows, charged to `account`.
    pub fn new(
        run: &Arc<RunContext>,
        account: &Arc<Account>,
        metrics: &Arc<OperatorMetrics>,
        operator: &'static str,
    ) -> Self {
        Self {
            run: Arc::clone(run),
            metrics: Arc::clone(metrics),
            operator,
            batches: Vec::new(),
            rows: 0,
            reservation: account.reserve(),
            is_on_disk: false,
            writer: None,
            small: Vec::new(),
            small_rows: 0,
            file_bytes: 0,
        }
    }

    /// No rows, and none will be kept in memory: what waits for its turn must not take the memory of what is at work.
    pub fn on_disk(
        run: &Arc<RunContext>,
        account: &Arc<Account>,
        metrics: &Arc<OperatorMetrics>,
        operator: &'static str,
    ) -> Self {
        Self { is_on_disk: true, ..Self::new(run, account, metrics, operator) }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a batch; if the budget refuses it, what is held and what follows goes to a file.
    ///
    /// # Errors
    /// A full disk.
    pub fn add(&mut self, batch: Batch) -> Result<()> {
        self.rows += batch.rows;
        if !self.is_on_disk {
            let bytes = self.reservation.bytes() + used_bytes_of(&batch);
            if self.reservation.try_resize(bytes) {
                self.batches.push(batch);
                return Ok(());
            }
            self.spill()?;
        }
        self.write(batch)
    }

    /// Bytes that the rows in the file take when they are read.
    pub fn file_bytes(&self) -> usize {
        self.file_bytes
    }

    /// Bytes held in memory.
    pub fn held_bytes(&self) -> usize {
        self.reservation.bytes()
    }

    /// Sends what is held to the file; nothing that follows is kept in memory.
    ///
    /// # Errors
    /// A full disk.
    pub fn spill(&mut self) -> Result<()> {
        self.is_on_disk = true;
        for held in std::mem::take(&mut self.batches) {
            self.write(held)?;
        }
        let small = self.small.iter().map(used_bytes_of).sum();
        self.reservation.force(small);
        Ok(())
    }

    fn write(&mut self, batch: Batch) -> Result<()> {
        if batch.rows >= FILE_ROWS && self.small.is_empty() {
            return self.write_out(&batch);
        }
        self.small_rows += batch.rows;
        self.small.push(batch);
        // The rows that wait are few, and there is no other place for them.
        let bytes = self.small.iter().map(used_bytes_of).sum();
        self.reservation.force(bytes);
        if self.small_rows >= FILE_ROWS || bytes >= FILE_BYTES { self.write_small() } else { Ok(()) }
    }

    /// Sends the rows that wait for company to the file.
    ///
    /// # Errors
    /// A full disk.
    pub fn write_small(&mut self) -> Result<()> {
        if self.small.is_empty() {
            return Ok(());
        }
        self.small_rows = 0;
        let small = std::mem::take(&mut self.small);
        self.write_out(&concat_batches(&small)?)?;
        self.reservation.force(0);
        Ok(())
    }

    fn write_out(&mut self, batch: &Batch) -> Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(self.run.spill.create(self.operator)?),
        };
        let bytes = writer.write(batch)?;
        self.file_bytes += usize::try_from(bytes).unwrap_or(usize::MAX);
        self.metrics.add_spilled(bytes);
        Ok(())
    }

    /// The rows, for reading once.
    ///
    /// # Errors
    /// A full disk.
    pub fn into_reader(mut self) -> Result<RowReader> {
        self.take_reader()
    }

    /// The rows, for reading once; none are left here.
    ///
    /// # Errors
    /// A full disk.
    pub fn take_reader(&mut self) -> Result<RowReader> {
        self.write_small()?;
        let file = self.writer.take().map(SpillWriter::finish).transpose()?;
        let reader = file.map(SpillFile::into_reader).transpose()?;
        let empty = self.reservation.account().reserve();
        Ok(RowReader {
            batches: std::mem::take(&mut self.batches),
            place: 0,
            _reservation: std::mem::replace(&mut self.reservation, empty),
            file: reader,
            rows: std::mem::take(&mut self.rows),
        })
    }
}

impl RowStore {
    /// The rows, for reading any number of times; none are left here.
    ///
    /// # Errors
    /// A full disk.
    pub fn take_kept(&mut self) -> Result<KeptRows> {
        self.write_small()?;
        let file = self.writer.take().map(SpillWriter::finish).transpose()?;
        let empty = self.reservation.account().reserve();
        self.rows = 0;
        Ok(KeptRows {
            batches: std::mem::take(&mut self.batches),
            file,
            _reservation: std::mem::replace(&mut self.reservation, empty),
        })
    }
}

/// The rows of a [`RowStore`], for several readers: the batches in memory come before those of the file.
pub struct KeptRows {
    batches: Vec<Batch>,
    file: Option<SpillFile>,
    _reservation: Reservation,
}

impl KeptRows {
    /// The batches in memory.
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// A reader of the batches in the file, from the first one; `None` if there is no file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn file_reader(&self) -> Result<Option<SpillCursor>> {
        self.file.as_ref().map(SpillFile::cursor).transpose().map(Option::flatten)
    }
}

/// The rows of a [`RowStore`], given batch by batch.
pub struct RowReader {
    batches: Vec<Batch>,
    place: usize,
    _reservation: Reservation,
    file: Option<SpillReader>,
    rows: usize,
}

impl Reader for RowReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        Self::next(self)
    }
}

impl RowReader {
    /// Number of rows in all.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The next batch.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn next(&mut self) -> Result<Option<Batch>> {
        if let Some(batch) = self.batches.get(self.place) {
            self.place += 1;
            return Ok(Some(batch.clone()));
        }
        match &mut self.file {
            Some(file) => file.next(),
            None => Ok(None),
        }
    }

    /// Starts again at the first batch.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn rewind(&mut self) -> Result<()> {
        self.place = 0;
        match self.file.take() {
            Some(file) => {
                self.file = Some(file.rewound()?);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

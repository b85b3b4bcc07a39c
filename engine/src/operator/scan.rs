//! Reads a table by morsels, and hands on batches that a host pushes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::key_filter::{KeyCell, KeyFilter};
use crate::operator::filter::{Coalescer, kept_rows};
use crate::operator::{Claim, RunContext, Source, Step};
use crate::table::{Reader, Scan, ScanRequest, TableProvider};

/// Morsels of a table. The scan starts at the first claim, so a run that never gets here opens nothing, and what joins
/// above have found on their build sides is known.
pub struct ScanSource {
    provider: Arc<dyn TableProvider>,
    request: ScanRequest,
    /// Columns of the table whose keys a join leaves.
    key_cells: Vec<(usize, Arc<KeyCell>)>,
    run: Arc<RunContext>,
    state: Mutex<ScanState>,
}

#[derive(Clone)]
enum ScanState {
    Waiting,
    Started(Started),
    /// All morsels are handed out, and the scan's buffers are let go of with the last of their readers.
    Over {
        progress: (u64, u64),
    },
}

#[derive(Clone)]
struct Started {
    scan: Arc<dyn Scan>,
    /// What the scan does not do itself.
    row_filters: Arc<[RowFilter]>,
}

impl ScanSource {
    /// A source over what `request` asks of `provider`.
    pub fn new(
        provider: Arc<dyn TableProvider>,
        request: ScanRequest,
        key_cells: Vec<(usize, Arc<KeyCell>)>,
        run: Arc<RunContext>,
    ) -> Self {
        Self { provider, request, key_cells, run, state: Mutex::new(ScanState::Waiting) }
    }

    fn lock(&self) -> MutexGuard<'_, ScanState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Result<Started> {
        let filter = |(column, cell): &(usize, Arc<KeyCell>)| {
            cell.get().map(|keys| Arc::new(KeyFilter::new(*column, Arc::clone(keys))))
        };
        let key_filters: Vec<Arc<KeyFilter>> = self.key_cells.iter().filter_map(filter).collect();
        let request = ScanRequest { key_filters: key_filters.clone(), ..self.request.clone() };
        let scan = self.provider.scan(request, &self.run.context)?;
        let schema = self.provider.schema();
        let row_filter = |filter: Arc<KeyFilter>| {
            let place = self.request.projection.iter().position(|&column| column == filter.column())?;
            let data_type = schema.fields[filter.column()].data_type.clone();
            Some(RowFilter { place, data_type, filter })
        };
        let row_filters = match scan.applies_key_filters() {
            true => Arc::from([]),
            false => key_filters.into_iter().filter_map(row_filter).collect(),
        };
        Ok(Started { scan, row_filters })
    }
}

impl Source for ScanSource {
    fn claim(&self) -> Result<Claim> {
        // Claims come one at a time, so nobody starts the scan meanwhile.
        let state = self.lock().clone();
        let started = match state {
            ScanState::Over { .. } => return Ok(Claim::End),
            ScanState::Started(started) => started,
            ScanState::Waiting => {
                let started = self.start()?;
                *self.lock() = ScanState::Started(started.clone());
                started
            }
        };
        let Started { scan, row_filters } = started;
        if scan.must_wait()? {
            return Ok(Claim::Wait);
        }
        Ok(match scan.claim()? {
            Some(reader) if row_filters.is_empty() => Claim::Morsel(reader),
            Some(reader) => Claim::Morsel(Box::new(FilteredReader {
                reader,
                filters: row_filters,
                coalescer: Coalescer::new(self.run.batch_rows()),
                has_more: false,
                is_over: false,
            })),
            None => {
                *self.lock() = ScanState::Over { progress: scan.progress() };
                Claim::End
            }
        })
    }

    fn progress(&self) -> (u64, u64) {
        let state = self.lock().clone();
        match state {
            ScanState::Waiting => (0, 0),
            ScanState::Started(started) => started.scan.progress(),
            ScanState::Over { progress } => progress,
        }
    }
}

/// Keys that a join looks for in a column of the scan.
struct RowFilter {
    /// Position in the projection.
    place: usize,
    data_type: Type,
    filter: Arc<KeyFilter>,
}

/// The rows of a morsel whose keys a join looks for.
struct FilteredReader {
    reader: Box<dyn Reader>,
    filters: Arc<[RowFilter]>,
    coalescer: Coalescer,
    has_more: bool,
    is_over: bool,
}

impl Reader for FilteredReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            let step = match std::mem::take(&mut self.has_more) {
                true => self.coalescer.next()?,
                false => match self.kept_of_next()? {
                    Some(batch) => self.coalescer.push(batch)?,
                    None if std::mem::replace(&mut self.is_over, true) => return Ok(None),
                    None => self.coalescer.flush()?,
                },
            };
            self.has_more = matches!(step, Step::MoreOutput(_));
            if let Step::Output(batch) | Step::MoreOutput(batch) = step {
                return Ok(Some(batch));
            }
        }
    }
}

impl FilteredReader {
    /// What stays of the next batch of which something does.
    fn kept_of_next(&mut self) -> Result<Option<Batch>> {
        if self.is_over {
            return Ok(None);
        }
        while let Some(batch) = self.reader.next()? {
            let mut worthy = self.filters.iter().filter(|filter| filter.filter.is_worth_it()).peekable();
            if worthy.peek().is_none() {
                return Ok(Some(batch));
            }
            let mut keep = vec![true; batch.rows];
            for RowFilter { place, data_type, filter } in worthy {
                filter.select(&batch.columns[*place], data_type, &mut keep);
            }
            match keep.iter().filter(|&&keep| keep).count() {
                0 => {}
                kept if kept == batch.rows => return Ok(Some(batch)),
                kept => return kept_rows(&batch, &keep.into(), kept).map(Some),
            }
        }
        Ok(None)
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
    morsels: Mutex<VecDeque<Box<dyn Reader>>>,
}

impl BatchesSource {
    /// Adds morsels.
    pub fn extend(&self, morsels: impl IntoIterator<Item = Vec<Batch>>) {
        for batches in morsels {
            self.add_reader(Box::new(Batches(batches.into_iter())));
        }
    }

    /// Adds what this reader gives as one morsel.
    pub fn add_reader(&self, reader: Box<dyn Reader>) {
        self.morsels.lock().unwrap_or_else(PoisonError::into_inner).push_back(reader);
    }
}

impl Source for Arc<BatchesSource> {
    fn claim(&self) -> Result<Claim> {
        let morsel = self.morsels.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        Ok(morsel.map_or(Claim::End, Claim::Morsel))
    }
}

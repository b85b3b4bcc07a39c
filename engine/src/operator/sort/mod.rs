//! Orders rows; ties keep the input's order. With a limit, only the first rows are kept: top-n.
//!
//! Each worker gathers rows and their encoded keys ([`SortKeys`]) and sorts them into a run when its input
//! ends, or sooner where the budget refuses more: such a run is written to a spill file. The runs of all
//! workers are merged as the result is read.

mod first_key;
mod key;
mod merge;
pub(crate) mod run;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bumpalo::Bump;
use hypostyle_functions::column::View;
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::error::Result;
use crate::expression::{Evaluator, ExpressionSet};
use crate::memory::{Account, Keeper, Reservation};
use crate::metrics::OperatorMetrics;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::{Claim, LocalSink, RunContext, Sink, Source, filter};

pub use key::{KeyOrder, SortKeys};
use merge::MergeReader;
use run::{MemoryRun, Run, spill};

/// Rows that a top-n gathers before it throws away those past its limit, as a multiple of the limit.
const TOP_SLACK: usize = 4;

/// A run is not spilled below this size: it would be too small for its file.
const RUN_BYTES_MIN: usize = 1 << 20;

/// What all workers of one sort share.
pub struct Sort {
    keys: Arc<ExpressionSet>,
    orders: Vec<KeyOrder>,
    limit: Option<usize>,
    column_types: Vec<Type>,
    run: Arc<RunContext>,
    account: Arc<Account>,
    metrics: Arc<OperatorMetrics>,
    runs: Mutex<Vec<Run>>,
}

impl Sort {
    /// A sort by `keys`, which are ordered as `orders` says, of rows of these types.
    pub fn new(
        keys: Arc<ExpressionSet>,
        orders: Vec<KeyOrder>,
        limit: Option<u64>,
        column_types: Vec<Type>,
        run: Arc<RunContext>,
        metrics: Arc<OperatorMetrics>,
    ) -> Arc<Self> {
        let account = run.memory.account(if limit.is_some() { "top-n" } else { "sort" });
        let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Arc::new(Self { keys, orders, limit, column_types, run, account, metrics, runs: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sort {
    /// Sends the runs that are held to files, before the result is read.
    ///
    /// # Errors
    /// A full disk.
    pub(crate) fn spill_runs(&self) -> Result<()> {
        let runs = std::mem::take(&mut *self.lock());
        for run in runs {
            let run = match run {
                Run::Memory(rows, _) => {
                    Run::File(spill(&rows, &self.column_types, &self.run, &self.metrics)?)
                }
                file @ Run::File(_) => file,
            };
            self.lock().push(run);
        }
        Ok(())
    }
}

impl Sink for Arc<Sort> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        let mut reservation = self.account.reserve();
        reservation.set_spillable(true);
        Ok(Box::new(Local {
            sort: Arc::clone(self),
            evaluator: Evaluator::new(Arc::clone(&self.keys), &self.run.parameters)?,
            batches: Vec::new(),
            keys: SortKeys::new(&self.orders),
            keeper: Keeper::default(),
            bytes: 0,
            threshold: None,
            reservation,
            ordinals: OrdinalCounter::default(),
        }))
    }

    fn wants_more(&self) -> bool {
        self.limit != Some(0)
    }
}

struct Local {
    sort: Arc<Sort>,
    evaluator: Evaluator,
    batches: Vec<Batch>,
    keys: SortKeys,
    keeper: Keeper,
    bytes: usize,
    /// Key of the last row that a top-n can still want.
    threshold: Option<Vec<u8>>,
    reservation: Reservation,
    ordinals: OrdinalCounter,
}

impl LocalSink for Local {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let ordinal = self.ordinals.next(&batch)?;
        let columns = self.evaluator.evaluate(&batch)?;
        let bump = Bump::new();
        let sort = Arc::clone(&self.sort);
        let views: Vec<View<'_>> = columns
            .iter()
            .zip(&sort.orders)
            .map(|(column, order)| column.view(&order.data_type, &bump))
            .collect();
        match self.threshold.take() {
            Some(threshold) => {
                self.add_below(&batch, &views, ordinal, &threshold)?;
                self.threshold.get_or_insert(threshold);
            }
            None => {
                self.keys.extend(&views, batch.rows, |row| ordinal + row as u64);
                self.add(batch);
            }
        }
        if let Some(limit) = self.sort.limit
            && self.keys.len() >= limit.saturating_mul(TOP_SLACK).max(self.sort.run.batch_rows())
        {
            self.cut(limit)?;
        }
        self.charge()
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.keys.len() > 0 {
            let run = self.take_run();
            let reservation = std::mem::replace(&mut self.reservation, self.sort.account.reserve());
            self.sort.lock().push(Run::Memory(run, reservation));
        }
        self.sort.metrics.raise_peak(self.sort.account.peak_bytes());
        Ok(())
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        Some(&self.evaluator)
    }
}

impl Local {
    fn add(&mut self, batch: Batch) {
        let (batch, bytes) = self.keeper.keep(batch);
        self.bytes += bytes;
        self.batches.push(batch);
    }

    /// Adds the rows of a batch whose key lies below the threshold.
    fn add_below(&mut self, batch: &Batch, views: &[View<'_>], ordinal: u64, threshold: &[u8]) -> Result<()> {
        let orders = &self.sort.orders;
        let first = views.first().zip(orders.first());
        let candidates =
            first.and_then(|(key, order)| first_key::candidates(key, batch.rows, order, threshold));
        let candidates = candidates.unwrap_or_else(|| (0..batch.rows as u32).collect());
        let mut below = SortKeys::new(orders);
        below.extend_rows(views, candidates.iter().map(|&row| row as usize), |row| ordinal + row as u64);
        let (mut keep, mut kept) = (vec![false; batch.rows], 0);
        for (place, &row) in candidates.iter().enumerate() {
            if below.get(place) < threshold {
                self.keys.push(below.get(place));
                (keep[row as usize], kept) = (true, kept + 1);
            }
        }
        if kept == 0 {
            return Ok(());
        }
        self.add(filter::kept_rows(batch, &keep.into(), kept)?);
        Ok(())
    }

    /// Throws away what a top-n cannot want any more.
    fn cut(&mut self, limit: usize) -> Result<()> {
        let order = self.keys.first_sorted(limit);
        let Some(&last) = order.last() else { return Ok(()) };
        self.threshold = Some(self.keys.get(last as usize).to_vec());
        let mut keys = SortKeys::new(&self.sort.orders);
        order.iter().for_each(|&row| keys.push(self.keys.get(row as usize)));
        let run = MemoryRun::new(std::mem::take(&mut self.batches), std::mem::take(&mut self.keys), order);
        let kept = run.gather(0, run.len(), &self.sort.column_types)?;
        self.keys = keys;
        self.bytes = 0;
        self.keeper = Keeper::default();
        self.add(kept);
        Ok(())
    }

    fn take_run(&mut self) -> MemoryRun {
        let keys = std::mem::replace(&mut self.keys, SortKeys::new(&self.sort.orders));
        let order = match self.sort.limit {
            Some(limit) => keys.first_sorted(limit),
            None => keys.sorted(),
        };
        self.bytes = 0;
        self.keeper = Keeper::default();
        MemoryRun::new(std::mem::take(&mut self.batches), keys, order)
    }

    /// Charges what is held; spills it if the budget refuses.
    fn charge(&mut self) -> Result<()> {
        // The order, with its key prefixes while sorting, takes 16 bytes a row.
        let bytes = self.bytes + self.keys.memory_bytes() + self.keys.len() * 16;
        let asked = self.sort.account.take_spill_request();
        if !asked && self.reservation.try_resize(bytes) {
            return Ok(());
        }
        if bytes <= RUN_BYTES_MIN {
            self.reservation.force(bytes);
            return Ok(());
        }
        let run = self.take_run();
        let file = spill(&run, &self.sort.column_types, &self.sort.run, &self.sort.metrics)?;
        self.sort.lock().push(Run::File(file));
        self.reservation.force(0);
        Ok(())
    }
}

/// The rows in order, for the next pipeline.
pub struct SortSource(pub Arc<Sort>);

impl Source for SortSource {
    fn claim(&self) -> Result<Claim> {
        let runs = std::mem::take(&mut *self.0.lock());
        if runs.is_empty() {
            return Ok(Claim::End);
        }
        Ok(Claim::Morsel(Box::new(MergeReader::new(Arc::clone(&self.0), runs))))
    }
}

//! Gathers the right side of a range join.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::UInt32Array;
use bumpalo::Bump;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use super::RangeShape;
use super::spilled::Spill;
use super::table::Table;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::Evaluator;
use crate::memory::{Account, Keeper, Reservation};
use crate::metrics::OperatorMetrics;
use crate::operator::asof::words;
use crate::operator::filter::concat_batches;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::{Claim, LocalSink, RunContext, Sink, Source, Task};
use crate::table::Reader;

/// What all workers of one build share, and what the left side sees of it.
pub struct RangeBuild {
    pub(super) shape: Arc<RangeShape>,
    pub(super) run: Arc<RunContext>,
    pub(super) account: Arc<Account>,
    pub(super) metrics: Arc<OperatorMetrics>,
    table: OnceLock<Table>,
    /// Where both sides go once the right one does not fit.
    spill: OnceLock<Spill>,
    /// Whether the order of the output shows.
    pub(super) keeps_order: bool,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Batches with the ordinal of their first row.
    batches: Vec<(u64, Batch)>,
    reservations: Vec<Reservation>,
}

impl RangeBuild {
    /// A build of this shape.
    pub fn new(
        shape: Arc<RangeShape>,
        keeps_order: bool,
        run: &Arc<RunContext>,
        metrics: Arc<OperatorMetrics>,
    ) -> Arc<Self> {
        let account = run.memory.account("range join");
        let (run, held) = (Arc::clone(run), Mutex::default());
        let (table, spill) = (OnceLock::new(), OnceLock::new());
        Arc::new(Self { shape, run, account, metrics, table, spill, keeps_order, held })
    }

    /// Where the rows are if they did not fit.
    pub(super) fn spill(&self) -> Option<&Spill> {
        self.spill.get()
    }

    /// Decides for spilling.
    fn begin_spill(&self) -> Result<&Spill> {
        if let Some(spill) = self.spill.get() {
            return Ok(spill);
        }
        let made = Spill::new(self)?;
        // Another worker may have been faster; one that is not used holds nothing.
        Ok(self.spill.get_or_init(|| made))
    }

    /// Sends batches of right rows to the sort, which puts them in the order of the first value.
    fn sort_rows(&self, sorting: &mut dyn LocalSink, batches: Vec<(u64, Batch)>) -> Result<()> {
        for (ordinal, batch) in batches {
            self.run.check_cancelled()?;
            sorting.push(Spill::right_rows(&self.shape, batch, ordinal))?;
        }
        Ok(())
    }

    /// Sorts what was gathered before it was known that it does not fit.
    fn spill_held(&self, batches: Vec<(u64, Batch)>) -> Result<()> {
        let spill = self.begin_spill()?;
        if !batches.is_empty() {
            let mut sorting = spill.sort.local()?;
            self.sort_rows(sorting.as_mut(), batches)?;
            sorting.finish()?;
        }
        // The shares of the right side want the memory.
        spill.sort.spill_runs()
    }

    pub(super) fn table(&self) -> Option<&Table> {
        self.table.get()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The words of each compared value, turned around so that smaller ones match, and whether a row has all of them.
pub(super) fn condition_words(
    shape: &RangeShape,
    values: &[Column],
    rows: usize,
) -> (Vec<Vec<u64>>, Vec<bool>) {
    let bump = Bump::new();
    let mut valid = vec![true; rows];
    let words = values.iter().zip(&shape.conditions).map(|(column, (data_type, comparison))| {
        let view = column.view(data_type, &bump);
        if view.may_be_null() {
            valid.iter_mut().enumerate().for_each(|(row, valid)| *valid &= view.is_valid(row));
        }
        let mut into = Vec::new();
        words(&view, rows, !comparison.is_greater(), &mut into);
        into
    });
    (words.collect(), valid)
}

impl Sink for Arc<RangeBuild> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        Ok(Box::new(Local {
            build: Arc::clone(self),
            values: Evaluator::new(Arc::clone(&self.shape.right_values), &self.run.parameters)?,
            batches: Vec::new(),
            keeper: Keeper::default(),
            bytes: 0,
            reservation: {
                let mut reservation = self.account.reserve();
                reservation.set_spillable(true);
                reservation
            },
            ordinals: OrdinalCounter::default(),
            sorting: None,
        }))
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let Held { mut batches, reservations } = std::mem::take(&mut *self.lock());
        batches.sort_by_key(|(ordinal, _)| *ordinal);
        if self.spill.get().is_some() {
            drop(reservations);
            return self.spill_held(batches).map(|()| Vec::new());
        }
        let rows: usize = batches.iter().map(|(_, batch)| batch.rows).sum();
        if u32::try_from(rows).map_or(true, |rows| rows >= u32::MAX - 1) {
            return Err(Error::Resource(format!(
                "the right side of a range join has {rows} rows; at most 2^32 - 3 fit"
            )));
        }
        let held: usize = reservations.iter().map(Reservation::bytes).sum();
        drop(reservations);
        let mut reservation = self.account.reserve();
        // While columns are put together their parts are still there.
        if !reservation.try_resize(2 * held + Table::index_bytes(rows)) {
            drop(reservation);
            return self.spill_held(batches).map(|()| Vec::new());
        }
        let batches: Vec<Batch> = batches.into_iter().map(|(_, batch)| batch).collect();
        let mut columns = match batches.is_empty() {
            true => Vec::new(),
            false => concat_batches(&batches)?.columns,
        };
        drop(batches);
        let values = columns.split_off(columns.len().saturating_sub(self.shape.conditions.len()));
        let (values, valid) = condition_words(&self.shape, &values, rows);
        self.metrics.raise_peak(self.account.peak_bytes());
        reservation.force(held + Table::index_bytes(rows));
        let table = Table::new(columns, &values, &valid, self.shape.keeps_right(), reservation);
        self.table.get_or_init(|| table);
        Ok(Vec::new())
    }
}

struct Local {
    build: Arc<RangeBuild>,
    values: Evaluator,
    batches: Vec<(u64, Batch)>,
    keeper: Keeper,
    bytes: usize,
    reservation: Reservation,
    ordinals: OrdinalCounter,
    /// Takes the rows once they are spilled.
    sorting: Option<Box<dyn LocalSink>>,
}

impl LocalSink for Local {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let ordinal = self.ordinals.next(&batch)?;
        let values = self.values.evaluate(&batch)?;
        let Batch { columns, rows, position } = batch;
        let mut columns = if self.build.shape.needs_right_columns() { columns } else { Vec::new() };
        columns.extend(values);
        let (batch, bytes) = self.keeper.keep(Batch::new(columns, rows).at(position));
        self.bytes += bytes;
        self.batches.push((ordinal, batch));
        let asked = self.build.account.take_spill_request() || self.build.spill.get().is_some();
        if !asked && self.reservation.try_resize(self.bytes) { Ok(()) } else { self.spill() }
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if let Some(sorting) = self.sorting.take() {
            sorting.finish()?;
        }
        self.reservation.set_spillable(false);
        let mut held = self.build.lock();
        held.batches.extend(self.batches);
        held.reservations.push(self.reservation);
        Ok(())
    }
}

impl Local {
    fn spill(&mut self) -> Result<()> {
        let spill = self.build.begin_spill()?;
        let sorting = match &mut self.sorting {
            Some(sorting) => sorting,
            none => none.insert(spill.sort.local()?),
        };
        self.build.sort_rows(sorting.as_mut(), std::mem::take(&mut self.batches))?;
        self.bytes = 0;
        self.keeper = Keeper::default();
        self.reservation.force(0);
        Ok(())
    }
}

/// The right rows without a match, after all left rows have been seen.
pub struct UnmatchedSource {
    build: Arc<RangeBuild>,
    claimed: AtomicBool,
}

impl UnmatchedSource {
    /// Those of this join.
    pub fn new(build: Arc<RangeBuild>) -> Self {
        Self { build, claimed: AtomicBool::new(false) }
    }
}

impl Source for UnmatchedSource {
    fn claim(&self) -> Result<Claim> {
        let Some(table) = self.build.table() else { return Ok(Claim::End) };
        if self.claimed.swap(true, Ordering::Relaxed) {
            return Ok(Claim::End);
        }
        let rows = table.unmatched();
        Ok(Claim::Morsel(Box::new(UnmatchedReader { build: Arc::clone(&self.build), rows, given: 0 })))
    }
}

struct UnmatchedReader {
    build: Arc<RangeBuild>,
    rows: Vec<u32>,
    given: usize,
}

impl Reader for UnmatchedReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let end = self.rows.len().min(self.given + self.build.run.batch_rows());
        let rows = &self.rows[self.given..end];
        let Some(table) = self.build.table().filter(|_| !rows.is_empty()) else { return Ok(None) };
        self.given = end;
        let nulls = |data_type: &Type| Column::nulls(data_type, rows.len());
        let mut columns: Vec<Column> = self.build.shape.left_types.iter().map(nulls).collect();
        let rows = UInt32Array::from(rows.to_vec());
        for column in &table.columns {
            columns.push(column.take(&rows)?);
        }
        Ok(Some(Batch::new(columns, rows.len())))
    }
}

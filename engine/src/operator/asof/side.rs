//! Gathers one side of an as-of join: in memory in its order, or sorted where there is no memory for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::UInt64Array;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::{Field, Schema, Type};

use super::AsofShape;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::expression::{Evaluator, ExpressionSet};
use crate::memory::{Account, Keeper, Reservation};
use crate::metrics::OperatorMetrics;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::scan::Batches;
use crate::operator::sort::{KeyOrder, Sort, SortSource};
use crate::operator::{Claim, LocalSink, RunContext, Sink, Source};
use crate::plan::Expression;
use crate::table::Reader;

/// Rows of one side: its columns, what is evaluated over them, and where they are sorted the ordinal of each row.
pub struct Side {
    /// Columns of the side.
    pub(super) width: usize,
    /// The run.
    pub(super) run: Arc<RunContext>,
    /// What it holds.
    pub(super) account: Arc<Account>,
    /// Counters of the join.
    pub(super) metrics: Arc<OperatorMetrics>,
    types: Vec<Type>,
    orders: Vec<(usize, KeyOrder)>,
    is_sorted: AtomicBool,
    sorter: Mutex<Option<Sorter>>,
    held: Mutex<Held>,
}

/// The sort of a side, and the way of all workers into it.
struct Sorter {
    sort: Arc<Sort>,
    local: Box<dyn LocalSink>,
}

/// Batches with the ordinal of their first row.
pub(super) type Gathered = Vec<(u64, Batch)>;

/// Batches in memory.
#[derive(Default)]
pub(super) struct Held {
    pub batches: Gathered,
    pub reservations: Vec<Reservation>,
}

impl Side {
    /// A side with columns of `types`, followed by evaluated ones of `values`, of which the ones in `orders` are sorted by.
    pub(super) fn new(
        types: &[Type],
        values: Vec<Type>,
        orders: Vec<KeyOrder>,
        run: &Arc<RunContext>,
        metrics: &Arc<OperatorMetrics>,
        name: &str,
    ) -> Self {
        let width = types.len();
        let mut orders: Vec<(usize, KeyOrder)> =
            orders.into_iter().enumerate().map(|(index, order)| (width + index, order)).collect();
        let types: Vec<Type> = types.iter().cloned().chain(values).chain([Type::UInt64]).collect();
        let last = KeyOrder { data_type: Type::UInt64, descending: false, nulls_first: false };
        orders.push((types.len() - 1, last));
        Self {
            width,
            run: Arc::clone(run),
            account: run.memory.account(name),
            metrics: Arc::clone(metrics),
            types,
            orders,
            is_sorted: AtomicBool::new(false),
            sorter: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// Types of the columns: the side's, evaluated ones, and the ordinal.
    pub(super) fn types(&self) -> &[Type] {
        &self.types
    }

    /// Whether rows go to the sort.
    pub(super) fn is_sorted(&self) -> bool {
        self.is_sorted.load(Ordering::Acquire)
    }

    /// Sends all rows from here on to the sort.
    pub fn begin_sort(&self) {
        self.is_sorted.store(true, Ordering::Release);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds rows (columns, then evaluated ones) to the sort; `ordinal` is that of the first.
    pub(super) fn sort_from(&self, batch: Batch, ordinal: u64) -> Result<()> {
        let ordinals = UInt64Array::from_iter_values((0..batch.rows as u64).map(|row| ordinal + row));
        self.sort(batch, ordinals)
    }

    /// Adds rows with these ordinals to the sort.
    pub(super) fn sort(&self, batch: Batch, ordinals: UInt64Array) -> Result<()> {
        self.run.check_cancelled()?;
        let Batch { mut columns, rows, .. } = batch;
        columns.push(Column::Flat(Arc::new(ordinals)));
        let mut sorter = self.sorter.lock().unwrap_or_else(PoisonError::into_inner);
        if sorter.is_none() {
            let sort = self.new_sort()?;
            let local = sort.local()?;
            *sorter = Some(Sorter { sort, local });
        }
        match &mut *sorter {
            Some(Sorter { local, .. }) => local.push(Batch::new(columns, rows)),
            None => Err(Error::internal("a side of a join has no sort")),
        }
    }

    fn new_sort(&self) -> Result<Arc<Sort>> {
        sort_by(&self.types, &self.orders, &self.run, &self.metrics)
    }

    /// Sends what is held to the sort.
    pub(super) fn sort_held(&self) -> Result<()> {
        self.begin_sort();
        let Held { batches, reservations } = std::mem::take(&mut *self.lock());
        for (ordinal, batch) in batches {
            self.sort_from(batch, ordinal)?;
        }
        drop(reservations);
        Ok(())
    }

    /// The rows in order, once all have been added.
    pub(super) fn sorted(&self) -> Result<Box<dyn Reader>> {
        let sorter = self.sorter.lock().unwrap_or_else(PoisonError::into_inner).take();
        match sorter {
            Some(Sorter { sort, local }) => {
                local.finish()?;
                read(sort)
            }
            None => Ok(Box::new(Batches(Vec::new().into_iter()))),
        }
    }
}

/// A sort of rows of these types by some of their columns.
pub(super) fn sort_by(
    types: &[Type],
    orders: &[(usize, KeyOrder)],
    run: &Arc<RunContext>,
    metrics: &Arc<OperatorMetrics>,
) -> Result<Arc<Sort>> {
    let keys: Vec<Expression> =
        orders.iter().map(|(column, order)| Expression::column(*column, order.data_type.clone())).collect();
    let schema = Schema::new(types.iter().map(|data_type| Field::new("", data_type.clone())).collect());
    let set = ExpressionSet::compile(&keys, &schema, &run.context)?;
    let orders = orders.iter().map(|(_, order)| order.clone()).collect();
    Ok(Sort::new(set, orders, None, types.to_vec(), Arc::clone(run), Arc::clone(metrics)))
}

/// The rows of a sort that has all of them.
pub(super) fn read(sort: Arc<Sort>) -> Result<Box<dyn Reader>> {
    Ok(match SortSource(sort).claim()? {
        Claim::Morsel(reader) => reader,
        _ => Box::new(Batches(Vec::new().into_iter())),
    })
}

/// One worker's way of gathering a side.
pub(super) struct Gatherer {
    side: Arc<Side>,
    values: Evaluator,
    /// Puts nulls in place of columns that nothing reads.
    blank: Option<Arc<AsofShape>>,
    batches: Vec<(u64, Batch)>,
    keeper: Keeper,
    bytes: usize,
    reservation: Reservation,
    ordinals: OrdinalCounter,
}

impl Gatherer {
    /// Gathers rows with `values` evaluated over them; those of the right side without what nothing reads.
    pub fn new(side: &Arc<Side>, shape: &Arc<AsofShape>, is_right: bool) -> Result<Self> {
        let values = if is_right { &shape.right_values } else { &shape.left_values };
        let mut reservation = side.account.reserve();
        reservation.set_spillable(true);
        Ok(Self {
            values: Evaluator::new(Arc::clone(values), &side.run.parameters)?,
            blank: is_right.then(|| Arc::clone(shape)),
            batches: Vec::new(),
            keeper: Keeper::default(),
            bytes: 0,
            reservation,
            ordinals: OrdinalCounter::default(),
            side: Arc::clone(side),
        })
    }

    fn sort_held(&mut self) -> Result<()> {
        self.side.begin_sort();
        for (ordinal, batch) in std::mem::take(&mut self.batches) {
            self.side.sort_from(batch, ordinal)?;
        }
        self.bytes = 0;
        self.keeper = Keeper::default();
        self.reservation.force(0);
        Ok(())
    }
}

impl LocalSink for Gatherer {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let ordinal = self.ordinals.next(&batch)?;
        let values = self.values.evaluate(&batch)?;
        let Batch { columns, rows, position } = batch;
        let mut columns = match &self.blank {
            Some(shape) => shape.blanked(columns, rows),
            None => columns,
        };
        columns.extend(values);
        let batch = Batch::new(columns, rows).at(position);
        if self.side.is_sorted() {
            self.sort_held()?;
            return self.side.sort_from(batch, ordinal);
        }
        let (batch, bytes) = self.keeper.keep(batch);
        self.bytes += bytes;
        self.batches.push((ordinal, batch));
        let asked = self.side.account.take_spill_request();
        if asked || !self.reservation.try_resize(self.bytes) { self.sort_held() } else { Ok(()) }
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let mut held = self.side.lock();
        held.batches.extend(self.batches);
        held.reservations.push(self.reservation);
        self.side.metrics.raise_peak(self.side.account.peak_bytes());
        Ok(())
    }
}

impl Side {
    /// What was gathered, in order, with room for `more` bytes; `None` if it went to the sort.
    pub(super) fn take_held(
        &self,
        more: impl FnOnce(usize) -> usize,
    ) -> Result<Option<(Gathered, Reservation)>> {
        if self.is_sorted() {
            self.sort_held()?;
            return Ok(None);
        }
        let Held { mut batches, reservations } = std::mem::take(&mut *self.lock());
        batches.sort_by_key(|(ordinal, _)| *ordinal);
        let rows: usize = batches.iter().map(|(_, batch)| batch.rows).sum();
        if u32::try_from(rows).map_or(true, |rows| rows >= u32::MAX - 1) {
            return Err(Error::Resource(format!(
                "one side of an as-of join has {rows} rows in memory; at most 2^32 - 3 fit"
            )));
        }
        let held: usize = reservations.iter().map(Reservation::bytes).sum();
        drop(reservations);
        let mut reservation = self.account.reserve();
        if reservation.try_resize(held + more(rows)) {
            return Ok(Some((batches, reservation)));
        }
        self.begin_sort();
        for (ordinal, batch) in batches {
            self.sort_from(batch, ordinal)?;
        }
        Ok(None)
    }
}

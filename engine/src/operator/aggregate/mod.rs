//! Groups rows and aggregates them.
//!
//! Each worker fills a table of its own ([`groups::Groups`]). Small tables are merged into one. A table
//! that grows past the budget, or that another worker has a large twin of, is given out as rows of keys
//! and states, partitioned by hash; the partitions are then merged one by one, in memory where they fit
//! and through spill files where not.
//!
//! Groups leave in the order of their first row while there are few; from [`ORDERED_GROUPS`] on by
//! partition, and within a partition by first row. Neither depends on the number of workers.

mod call;
mod code_memo;
mod distinct;
mod group_table;
mod grouping_sets;
mod groups;
mod ordered;
mod result;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::Batch;
use crate::error::Result;
use crate::expression::{Evaluator, ExpressionSet};
use crate::memory::{Account, Reservation};
use crate::metrics::OperatorMetrics;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::{Claim, LocalSink, RunContext, Sink, Source, Task};
use crate::spill::RowStore;

pub(crate) use call::AggregateShape;
pub(crate) use group_table::{LEVELS_MAX, PARTITIONS, partition_of};
use groups::Groups;
use result::{PartitionReader, WholeReader};

/// Groups up to which the result is in the order of first rows.
const ORDERED_GROUPS: usize = 1 << 16;

/// A table is never given up below this size: the rows it gives out would be too few for their files.
const TABLE_BYTES_MIN: usize = 1 << 20;

/// What all workers of one aggregation share.
pub struct HashAggregate {
    shape: Arc<AggregateShape>,
    expressions: Arc<ExpressionSet>,
    run: Arc<RunContext>,
    account: Arc<Account>,
    metrics: Arc<OperatorMetrics>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tables: Vec<(Groups, Reservation)>,
    partitions: Option<Vec<RowStore>>,
    next_partition: usize,
    whole: Option<(Groups, Reservation)>,
    is_ready: bool,
}

impl HashAggregate {
    /// An aggregation; `expressions` gives keys, arguments, order keys and filters, as `shape` lays them out.
    pub fn new(
        shape: Arc<AggregateShape>,
        expressions: Arc<ExpressionSet>,
        run: Arc<RunContext>,
        metrics: Arc<OperatorMetrics>,
    ) -> Arc<Self> {
        let account = run.memory.account("aggregate");
        Arc::new(Self { shape, expressions, run, account, metrics, state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_peak(&self) {
        self.metrics.raise_peak(self.account.peak_bytes());
    }

    /// Decides between one table and partitions, once all tables are in.
    fn settle(self: &Arc<Self>, state: &mut State) -> Result<Vec<Task>> {
        if state.tables.is_empty() && state.partitions.is_none() {
            state.tables.push((Groups::new(&self.shape), self.account.reserve()));
        }
        let small = state.tables.iter().all(|(table, _)| table.len() <= ORDERED_GROUPS);
        if state.partitions.is_none() && (state.tables.len() == 1 || small) {
            let mut tables = std::mem::take(&mut state.tables).into_iter();
            let Some((mut whole, mut reservation)) = tables.next() else { return Ok(Vec::new()) };
            for (mut table, _held) in tables {
                let order: Vec<u32> = (0..table.len() as u32).collect();
                for batch in table.give_out(&self.shape, &order, self.run.batch_rows())? {
                    whole.merge(&self.shape, &batch)?;
                }
            }
            whole.open_single(&self.shape);
            reservation.force(whole.memory_bytes());
            state.whole = Some((whole, reservation));
            state.is_ready = true;
            return Ok(Vec::new());
        }
        if state.partitions.is_none() {
            state.partitions = Some(self.new_partitions());
        }
        let tables = std::mem::take(&mut state.tables);
        state.is_ready = tables.is_empty();
        if state.is_ready {
            // Nothing is added any more, and memory is wanted for the partition that is merged.
            state.partitions.iter_mut().flatten().try_for_each(RowStore::write_small)?;
        }
        Ok(tables
            .into_iter()
            .map(|(table, reservation)| {
                let aggregate = Arc::clone(self);
                Task::new(move || aggregate.partition(table, reservation).map(|()| Vec::new()))
            })
            .collect())
    }

    /// Gives a table out to the partitions.
    fn partition(&self, mut table: Groups, mut reservation: Reservation) -> Result<()> {
        let parts = table.give_out_partitioned(&self.shape, 0, self.run.batch_rows())?;
        let mut state = self.lock();
        let partitions = state.partitions.get_or_insert_with(|| self.new_partitions());
        for (partition, batches) in partitions.iter_mut().zip(parts) {
            for batch in batches {
                partition.add(batch)?;
            }
        }
        drop(state);
        drop(table);
        reservation.force(0);
        self.note_peak();
        Ok(())
    }
}

impl Sink for Arc<HashAggregate> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        let mut reservation = self.account.reserve();
        reservation.set_spillable(true);
        Ok(Box::new(Local {
            aggregate: Arc::clone(self),
            evaluator: Evaluator::new(Arc::clone(&self.expressions), &self.run.parameters)?,
            groups: Groups::new(&self.shape),
            reservation,
            ordinals: OrdinalCounter::default(),
        }))
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let mut state = self.lock();
        if state.is_ready { Ok(Vec::new()) } else { self.settle(&mut state) }
    }
}

struct Local {
    aggregate: Arc<HashAggregate>,
    evaluator: Evaluator,
    groups: Groups,
    reservation: Reservation,
    ordinals: OrdinalCounter,
}

impl LocalSink for Local {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let ordinal = self.ordinals.next(&batch)?;
        let columns = self.evaluator.evaluate(&batch)?;
        self.groups.update(&self.aggregate.shape, &columns, batch.rows, ordinal)?;
        let bytes = self.groups.memory_bytes();
        let asked = self.aggregate.account.take_spill_request();
        if !asked && self.reservation.try_resize(bytes) {
            return Ok(());
        }
        if bytes <= TABLE_BYTES_MIN {
            self.reservation.force(bytes);
            return Ok(());
        }
        self.give_up_table()?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.aggregate.note_peak();
        let Self { aggregate, groups, reservation, .. } = *self;
        aggregate.lock().tables.push((groups, reservation));
        Ok(())
    }

    fn evaluator(&self) -> Option<&Evaluator> {
        Some(&self.evaluator)
    }
}

impl Local {
    /// Sends the table to the partitions and starts an empty one.
    fn give_up_table(&mut self) -> Result<()> {
        let fresh = Groups::new(&self.aggregate.shape);
        let full = std::mem::replace(&mut self.groups, fresh);
        let mut reservation = self.aggregate.account.reserve();
        reservation.set_spillable(true);
        std::mem::swap(&mut self.reservation, &mut reservation);
        self.aggregate.partition(full, reservation)
    }
}

/// The groups, for the next pipeline.
pub struct AggregateSource(pub Arc<HashAggregate>);

impl Source for AggregateSource {
    fn claim(&self) -> Result<Claim> {
        let aggregate = &self.0;
        let mut state = aggregate.lock();
        if let Some((groups, reservation)) = state.whole.take() {
            return Ok(Claim::Morsel(Box::new(WholeReader::new(aggregate, groups, reservation))));
        }
        let next = state.next_partition;
        match state.partitions.as_mut().and_then(|partitions| partitions.get_mut(next)) {
            Some(partition) => {
                let partition = std::mem::replace(partition, aggregate.new_store());
                state.next_partition += 1;
                Ok(Claim::Morsel(Box::new(PartitionReader::new(aggregate, partition))))
            }
            None => Ok(Claim::End),
        }
    }
}

/// Parts that readers of the result need.
impl HashAggregate {
    fn shape(&self) -> &Arc<AggregateShape> {
        &self.shape
    }

    fn run(&self) -> &Arc<RunContext> {
        &self.run
    }

    fn new_store(&self) -> RowStore {
        RowStore::new(&self.run, &self.account, &self.metrics, "aggregate")
    }

    fn new_partitions(&self) -> Vec<RowStore> {
        (0..PARTITIONS).map(|_| self.new_store()).collect()
    }
}

//! Groups rows and aggregates them.
//!
//! Each worker fills a table of its own ([`groups::Groups`]). Small tables are merged into one. A table
//! that outgrows the caches without putting many rows together ([`local`]) or the budget, or that another worker
//! has a large twin of, is given out as rows of keys and states, partitioned by hash; the partitions are then merged
//! one by one, in memory where they fit and through spill files where not.
//!
//! Groups leave in the order of their first row while there are few; from [`ORDERED_GROUPS`] on by
//! partition, and within a partition by first row. Neither depends on the number of workers. So where rows were
//! partitioned and it is not yet certain that there are many groups, partitions are merged and counted before the
//! first group leaves.

mod call;
mod code_memo;
mod distinct;
mod gather;
mod group_table;
mod grouping_sets;
mod groups;
mod local;
mod ordered;
mod result;
mod single;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::expression::ExpressionSet;
use crate::memory::{Account, Reservation};
use crate::metrics::OperatorMetrics;
use crate::operator::{Claim, LocalSink, RunContext, Sink, Source, Task};
use crate::spill::RowStore;

pub(crate) use call::{AggregateShape, Call, bind_call};
pub(crate) use group_table::{GroupTable, LEVELS_MAX, PARTITIONS, partition_of};
use groups::Groups;
use local::Local;
use result::{Emission, Partition, PartitionReader, WholeReader};
use single::{Single, has_large_states};

/// Groups up to which the result is in the order of first rows.
const ORDERED_GROUPS: usize = 1 << 16;

/// Groups of all workers up to which one of them makes one table of all; more are merged by partition, each by one worker.
const UNITED_GROUPS: usize = 1 << 12;

/// A table is never given up below this size: the rows it gives out would be too few for their files.
const TABLE_BYTES_MIN: usize = 1 << 20;

/// Bytes of a table for each group, besides keys and states: slots, hash, ordinal, and room that was not needed.
const TABLE_ROW_BYTES: usize = 64;

/// What all workers of one aggregation share.
pub struct HashAggregate {
    shape: Arc<AggregateShape>,
    expressions: Arc<ExpressionSet>,
    run: Arc<RunContext>,
    account: Arc<Account>,
    metrics: Arc<OperatorMetrics>,
    /// Whether the order of the groups can be seen in the result of the run.
    order_shows: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the workers have left.
    tables: Vec<(Groups, Reservation)>,
    partitions: Vec<RowStore>,
    /// It is certain that there are more groups than [`ORDERED_GROUPS`].
    has_many: bool,
    /// Partitions that were merged to count their groups.
    counted: Vec<Option<Partition>>,
    counted_groups: usize,
    phase: Phase,
    whole: Option<Arc<Mutex<Emission>>>,
    /// The one group of an aggregation without keys whose states are large.
    single: Option<Single>,
    /// Place of the first group of `whole` that is not given out.
    next_group: usize,
    next_partition: usize,
}

/// What is to be done when the tasks before are done.
#[derive(Default, PartialEq)]
enum Phase {
    /// Decide between one table and partitions.
    #[default]
    Settle,
    /// All rows are in partitions: find out whether there are many groups.
    Count,
    /// The groups are counted.
    Unite,
    Ready,
}

impl HashAggregate {
    /// An aggregation; `expressions` gives keys, arguments, order keys and filters, as `shape` lays them out.
    /// Groups leave in no particular order unless `order_shows`.
    pub fn new(
        shape: Arc<AggregateShape>,
        expressions: Arc<ExpressionSet>,
        run: Arc<RunContext>,
        metrics: Arc<OperatorMetrics>,
        order_shows: bool,
    ) -> Arc<Self> {
        let account = run.memory.account("aggregate");
        Arc::new(Self { shape, expressions, run, account, metrics, order_shows, state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_peak(&self) {
        self.metrics.raise_peak(self.account.peak_bytes());
    }

    /// Decides between one table and partitions, once all tables are in.
    fn settle(self: &Arc<Self>, state: &mut State) -> Result<Vec<Task>> {
        let is_single = self.shape.key_types.is_empty() && state.partitions.is_empty();
        if is_single && has_large_states(&state.tables) {
            let (single, tasks) = Single::tasks(self, std::mem::take(&mut state.tables));
            state.single = Some(single);
            state.phase = Phase::Ready;
            return Ok(tasks);
        }
        let is_small = state.tables.iter().map(|(table, _)| table.len()).sum::<usize>() <= UNITED_GROUPS;
        if state.partitions.is_empty() && (state.tables.len() <= 1 || is_small) {
            let tables = std::mem::take(&mut state.tables);
            self.unite(state, tables, false)?;
            return Ok(Vec::new());
        }
        state.phase = Phase::Count;
        let tables = std::mem::take(&mut state.tables);
        let tasks = tables.into_iter().map(|(mut table, _held)| {
            let aggregate = Arc::clone(self);
            Task::new(move || {
                aggregate.partition(&mut table)?;
                drop((table, _held));
                Ok(Vec::new())
            })
        });
        Ok(tasks.collect())
    }

    /// Makes one table of several, which have no group in common if they `are_disjoint`.
    fn unite(&self, state: &mut State, tables: Vec<(Groups, Reservation)>, are_disjoint: bool) -> Result<()> {
        let mut tables = tables.into_iter();
        let (mut whole, mut reservation) =
            tables.next().unwrap_or_else(|| (Groups::new(&self.shape), self.account.reserve()));
        // Grouping sets without keys are looked for below, so their tables must stay what can be looked up.
        whole.set_raw(are_disjoint && self.shape.sets.is_none());
        for (mut table, _held) in tables {
            let order: Vec<u32> = (0..table.len() as u32).collect();
            for batch in table.give_out(&self.shape, &order, self.run.batch_rows())? {
                whole.merge(&self.shape, &batch)?;
            }
        }
        whole.set_raw(false);
        whole.open_single(&self.shape);
        reservation.force(whole.memory_bytes());
        state.whole = Some(Arc::new(Mutex::new(Emission::of_whole(self, whole, reservation)?)));
        state.phase = Phase::Ready;
        Ok(())
    }

    /// Finds out whether there are many groups: by the rows of the partitions, else by merging them.
    fn count(self: &Arc<Self>, state: &mut State) -> Result<Vec<Task>> {
        self.make_room(state)?;
        if state.has_many || !self.order_shows {
            state.phase = Phase::Ready;
            return Ok(Vec::new());
        }
        state.phase = Phase::Unite;
        state.counted.resize_with(PARTITIONS, || None);
        let tasks = (0..PARTITIONS).map(|partition| {
            let aggregate = Arc::clone(self);
            Task::new(move || aggregate.count_partition(partition).map(|()| Vec::new()))
        });
        Ok(tasks.collect())
    }

    /// Sends partitions to disk until there is memory for those that are merged first, the last ones to be merged first.
    fn make_room(&self, state: &mut State) -> Result<()> {
        // Nothing is added any more.
        state.partitions.iter_mut().try_for_each(RowStore::write_small)?;
        let budget = self.account.budget();
        let Some(limit) = budget.limit_bytes() else { return Ok(()) };
        let row_bytes = self.shape.state_bytes() + TABLE_ROW_BYTES;
        let largest = state.partitions.iter().map(RowStore::rows).max().unwrap_or(0) * row_bytes;
        let wanted = (largest * self.run.context.configuration.threads).min(limit / 2);
        for partition in state.partitions.iter_mut().rev() {
            if limit.saturating_sub(budget.used_bytes()) >= wanted {
                break;
            }
            if partition.held_bytes() > 0 {
                partition.spill()?;
                partition.write_small()?;
            }
        }
        Ok(())
    }

    /// Merges one partition, unless it is certain already that there are many groups.
    fn count_partition(self: &Arc<Self>, partition: usize) -> Result<()> {
        let mut state = self.lock();
        if state.has_many {
            return Ok(());
        }
        let rows = std::mem::replace(&mut state.partitions[partition], self.new_store());
        drop(state);
        let mut merged = Partition::new(rows);
        let groups = merged.merge_first(self)?;
        let mut state = self.lock();
        // A partition that does not fit leaves in the order of its parts, however few groups it has.
        state.counted_groups = state.counted_groups.saturating_add(groups.unwrap_or(usize::MAX));
        state.has_many = state.counted_groups > ORDERED_GROUPS;
        state.counted[partition] = Some(merged);
        Ok(())
    }

    /// Adds all groups to the partitions and leaves none.
    fn partition(&self, groups: &mut Groups) -> Result<()> {
        let is_large = !groups.is_raw() && groups.len() > ORDERED_GROUPS;
        let parts = groups.give_out_partitioned(&self.shape, 0, self.run.batch_rows())?;
        let mut state = self.lock();
        state.has_many |= is_large;
        if state.partitions.is_empty() {
            state.partitions = self.new_partitions();
        }
        for (partition, batches) in state.partitions.iter_mut().zip(parts) {
            for batch in batches {
                partition.add(batch)?;
            }
        }
        self.relieve(&mut state.partitions)?;
        drop(state);
        self.note_peak();
        Ok(())
    }

    /// Rows that wait for their turn get half of the budget; the tables into which they are merged want the rest.
    fn relieve(&self, partitions: &mut [RowStore]) -> Result<()> {
        let budget = self.account.budget();
        let Some(limit) = budget.limit_bytes() else { return Ok(()) };
        while budget.used_bytes() > limit / 2 {
            let largest = partitions.iter_mut().max_by_key(|partition| partition.held_bytes());
            match largest.filter(|partition| partition.held_bytes() >= TABLE_BYTES_MIN) {
                Some(partition) => partition.spill()?,
                None => break,
            }
        }
        Ok(())
    }

    fn new_store(&self) -> RowStore {
        RowStore::new(&self.run, &self.account, &self.metrics, "aggregate")
    }

    fn new_partitions(&self) -> Vec<RowStore> {
        (0..PARTITIONS).map(|_| self.new_store()).collect()
    }

    /// Partitions of a partition that does not fit.
    fn new_parts(&self) -> Vec<RowStore> {
        (0..PARTITIONS)
            .map(|_| RowStore::on_disk(&self.run, &self.account, &self.metrics, "aggregate"))
            .collect()
    }
}

impl Sink for Arc<HashAggregate> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        Ok(Box::new(Local::new(self)?))
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let mut state = self.lock();
        match state.phase {
            Phase::Settle => {
                let tasks = self.settle(&mut state)?;
                if tasks.is_empty() && state.phase == Phase::Count {
                    self.count(&mut state)
                } else {
                    Ok(tasks)
                }
            }
            Phase::Count => self.count(&mut state),
            Phase::Unite if state.has_many => {
                state.phase = Phase::Ready;
                Ok(Vec::new())
            }
            Phase::Unite => {
                let counted = std::mem::take(&mut state.counted);
                state.partitions.clear();
                let tables = counted.into_iter().flatten().filter_map(Partition::into_groups).collect();
                self.unite(&mut state, tables, true)?;
                Ok(Vec::new())
            }
            Phase::Ready => Ok(Vec::new()),
        }
    }
}

/// The groups, for the next pipeline.
pub struct AggregateSource(pub Arc<HashAggregate>);

impl Source for AggregateSource {
    fn claim(&self) -> Result<Claim> {
        let aggregate = &self.0;
        let mut state = aggregate.lock();
        if let Some(single) = state.single.take() {
            return Ok(Claim::Morsel(Box::new(single.into_reader()?)));
        }
        if let Some(whole) = state.whole.clone() {
            let groups = whole.lock().unwrap_or_else(PoisonError::into_inner).len();
            let reader = WholeReader::new(aggregate, whole, state.next_group..groups);
            state.next_group = reader.end();
            if state.next_group == groups {
                state.whole = None;
            }
            return Ok(Claim::Morsel(Box::new(reader)));
        }
        let next = state.next_partition;
        state.next_partition += 1;
        if let Some(counted) = state.counted.get_mut(next).and_then(Option::take) {
            return Ok(Claim::Morsel(Box::new(PartitionReader::new(aggregate, counted))));
        }
        match state.partitions.get_mut(next) {
            Some(partition) => {
                let partition = std::mem::replace(partition, aggregate.new_store());
                Ok(Claim::Morsel(Box::new(PartitionReader::new(aggregate, Partition::new(partition)))))
            }
            None => Ok(Claim::End),
        }
    }
}

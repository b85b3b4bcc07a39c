//! Gathers the build side: in memory in its order, or by partition in spill files.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

use arrow::array::{UInt32Array, UInt64Array};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, View};

use super::JoinShape;
use super::finished::{Finished, Residents};
use super::kept_rows::Side;
use super::partitions::Partitions;
use super::table::{BuildFacts, JoinTable, all_can_match, can_match};
use super::table_build::TableBuilder;
use crate::batch::Batch;
use crate::error::Result;
use crate::expression::Evaluator;
use crate::key_filter::{KeyCell, KeySet};
use crate::memory::{Account, Keeper, Reservation};
use crate::metrics::OperatorMetrics;
use crate::operator::aggregate::{PARTITIONS, partition_of};
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::row_hash::hash_rows;
use crate::operator::{LocalSink, RunContext, Sink, Task};
use crate::spill::RowStore;

/// What all workers of one build share, and what the probe side sees of it.
pub struct JoinBuild {
    pub(super) shape: Arc<JoinShape>,
    /// The shape of what is in spill files.
    pub(super) spilled_shape: Arc<JoinShape>,
    /// Whether the order of the output shows.
    pub(super) keeps_order: bool,
    pub(super) run: Arc<RunContext>,
    pub(super) account: Arc<Account>,
    pub(super) metrics: Arc<OperatorMetrics>,
    /// Per key, where scans of the probe side wait for its values.
    key_cells: Vec<Option<Arc<KeyCell>>>,
    pub(super) finished: RwLock<Finished>,
    pub(super) build_rows: OnceLock<Partitions>,
    probe_rows: OnceLock<Partitions>,
    next_partition: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    facts: BuildFacts,
    /// Batches with the ordinal of their first row.
    batches: Vec<(u64, Batch)>,
    reservations: Vec<Reservation>,
    /// The table while it is made.
    making: Option<Making>,
    /// For the sets of keys that scans hold on to.
    sets: Option<Reservation>,
}

/// A table in the making.
struct Making {
    builder: Arc<TableBuilder>,
    reservation: Reservation,
    /// What the finished table holds.
    bytes: usize,
    /// What the sets of keys for scans hold.
    sets_bytes: usize,
}

impl JoinBuild {
    /// A build of this shape.
    pub fn new(
        shape: Arc<JoinShape>,
        keeps_order: bool,
        key_cells: Vec<Option<Arc<KeyCell>>>,
        run: Arc<RunContext>,
        metrics: Arc<OperatorMetrics>,
    ) -> Arc<Self> {
        let account =
            run.memory.account(if shape.key_types.is_empty() { "cross join" } else { "hash join build" });
        let build = Arc::new(Self {
            spilled_shape: if keeps_order { Arc::new(shape.with_ordinals()) } else { Arc::clone(&shape) },
            shape,
            keeps_order,
            run,
            account,
            metrics,
            key_cells,
            finished: RwLock::default(),
            build_rows: OnceLock::new(),
            probe_rows: OnceLock::new(),
            next_partition: AtomicUsize::new(0),
            state: Mutex::default(),
        });
        let waiting: Weak<Self> = Arc::downgrade(&build);
        build.account.set_waiting(waiting);
        build
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn new_stores(&self) -> Vec<RowStore> {
        (0..PARTITIONS).map(|_| self.new_store()).collect()
    }

    pub(super) fn new_store(&self) -> RowStore {
        RowStore::on_disk(&self.run, &self.account, &self.metrics, "hash join")
    }

    /// Facts about the whole build side.
    pub(super) fn facts(&self) -> BuildFacts {
        self.lock().facts
    }

    /// Adds kept rows of the build side to their partitions.
    fn partition_build(&self, batch: Batch, ordinal: u64) -> Result<()> {
        let parts = self.split_build(batch, ordinal)?;
        self.build_rows.get_or_init(|| Partitions::new(self.new_stores())).add(parts)
    }

    /// Kept rows of the build side by partition, as they are spilled.
    pub(super) fn split_build(&self, batch: Batch, ordinal: u64) -> Result<Vec<Option<Batch>>> {
        let batch = match self.shape.needs_right_columns() {
            true => self.numbered(batch, self.shape.right_types.len(), ordinal),
            false => batch,
        };
        self.split(Side::Right, &batch, 0)
    }

    /// Adds kept rows of the probe side to their partitions; those of partitions that are in memory come back, in order.
    pub(super) fn partition_probe(
        &self,
        batch: Batch,
        ordinal: u64,
        residents: Option<&Residents>,
    ) -> Result<Option<Batch>> {
        let position = batch.position;
        let batch = self.numbered(batch, self.shape.left_types.len(), ordinal);
        let mut rows = self.rows_by_partition(Side::Left, &batch, 0);
        let mut found = None;
        if let Some(residents) = residents {
            let partitions = rows.iter_mut().zip(residents).filter(|(_, resident)| **resident);
            let mut here: Vec<u32> = partitions.flat_map(|(rows, _)| std::mem::take(rows)).collect();
            here.sort_unstable();
            found = taken(&batch, here)?.map(|batch| batch.at(position));
        }
        let parts = rows.into_iter().map(|rows| taken(&batch, rows)).collect::<Result<_>>()?;
        self.probe_rows.get_or_init(|| Partitions::new(self.new_stores())).add(parts)?;
        Ok(found)
    }

    /// The batch with the ordinals of its rows as the column at `place`, if the order of the output shows.
    fn numbered(&self, batch: Batch, place: usize, ordinal: u64) -> Batch {
        if self.spilled_shape.has_ordinals { with_ordinals(batch, place, ordinal) } else { batch }
    }

    /// The next spilled partition: build rows and probe rows.
    ///
    /// # Errors
    /// A full disk.
    pub(super) fn take_partition(&self) -> Result<Option<(RowStore, RowStore)>> {
        let build_rows = self.build_rows.get_or_init(|| Partitions::new(self.new_stores()));
        let probe_rows = self.probe_rows.get_or_init(|| Partitions::new(self.new_stores()));
        let partition = self.next_partition.fetch_add(1, Ordering::Relaxed);
        if partition == 0 {
            // Memory is wanted for the partition that is joined.
            build_rows.write_small()?;
            probe_rows.write_small()?;
        }
        Ok(build_rows.take(partition).zip(probe_rows.take(partition)))
    }

    /// The rows of a batch that is kept, by partition.
    pub(super) fn split(&self, side: Side, batch: &Batch, level: u32) -> Result<Vec<Option<Batch>>> {
        self.rows_by_partition(side, batch, level).into_iter().map(|rows| taken(batch, rows)).collect()
    }

    fn rows_by_partition(&self, side: Side, batch: &Batch, level: u32) -> Vec<Vec<u32>> {
        let keys = self.spilled_shape.keys_of(side, batch);
        let bump = Bump::new();
        let views: Vec<View<'_>> = keys
            .iter()
            .zip(&self.shape.key_types)
            .zip(self.shape.partition_keys())
            .filter(|(_, counts)| *counts)
            .map(|((key, data_type), _)| key.view(data_type, &bump))
            .collect();
        let mut hashes = Vec::new();
        hash_rows(&views, batch.rows, 0, &mut hashes);
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); PARTITIONS];
        hashes.iter().enumerate().for_each(|(row, &hash)| rows[partition_of(hash, level)].push(row as u32));
        rows
    }

    /// Starts on a table of what was gathered; if it would not fit, everything goes to spill files.
    fn begin_table(&self) -> Result<Option<Arc<TableBuilder>>> {
        let mut state = self.lock();
        let mut batches = std::mem::take(&mut state.batches);
        let reservations = std::mem::take(&mut state.reservations);
        let facts = state.facts;
        drop(state);
        batches.sort_by_key(|(ordinal, _)| *ordinal);
        if self.is_spilled() {
            return self.spill(batches).map(|()| None);
        }
        let rows = batches.iter().map(|(_, batch)| batch.rows).sum();
        let held: usize = reservations.iter().map(Reservation::bytes).sum();
        drop(reservations);
        let sets = self.key_cells.iter().flatten().count() * KeySet::bytes_max(rows);
        let bytes = held + JoinTable::index_bytes(rows) + sets;
        let mut reservation = self.account.reserve();
        // While columns are put together their parts are still there.
        if !reservation.try_resize(bytes + held) {
            drop(reservation);
            return self.spill(batches).map(|()| None);
        }
        self.metrics.raise_peak(self.account.peak_bytes());
        let batches = batches.into_iter().map(|(_, batch)| batch).collect();
        let threads = self.run.context.configuration.threads;
        let builder = TableBuilder::new(&self.shape, batches, facts, self.key_cells.clone(), threads)?;
        self.lock().making = Some(Making {
            builder: Arc::clone(&builder),
            reservation,
            bytes: bytes - sets,
            sets_bytes: sets,
        });
        Ok(Some(builder))
    }

    /// Sends batches to the partitions.
    fn spill(&self, batches: Vec<(u64, Batch)>) -> Result<()> {
        self.begin_spilling();
        for (ordinal, batch) in batches {
            self.run.check_cancelled()?;
            self.partition_build(batch, ordinal)?;
        }
        Ok(())
    }
}

/// These rows of a batch, if there are any.
fn taken(batch: &Batch, rows: Vec<u32>) -> Result<Option<Batch>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let count = rows.len();
    let rows = UInt32Array::from(rows);
    let columns = batch.columns.iter().map(|column| column.take(&rows)).collect::<Result<_, _>>()?;
    Ok(Some(Batch::new(columns, count)))
}

/// The batch with the ordinals of its rows as the column at `place`.
fn with_ordinals(mut batch: Batch, place: usize, ordinal: u64) -> Batch {
    let ordinals = UInt64Array::from_iter_values((0..batch.rows as u64).map(|row| ordinal + row));
    batch.columns.insert(place, Column::Flat(Arc::new(ordinals)));
    batch
}

/// Adds the rows of a split batch to their partitions.
pub(super) fn add_parts(stores: &mut [RowStore], parts: Vec<Option<Batch>>) -> Result<()> {
    for (store, part) in stores.iter_mut().zip(parts) {
        if let Some(part) = part {
            store.add(part)?;
        }
    }
    Ok(())
}

impl Sink for Arc<JoinBuild> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        let mut reservation = self.account.reserve();
        reservation.set_spillable(true);
        let keys = self.shape.right_keys.as_ref();
        let keys = keys.map(|set| Evaluator::new(Arc::clone(set), &self.run.parameters)).transpose()?;
        Ok(Box::new(Local {
            build: Arc::clone(self),
            keys,
            facts: BuildFacts::default(),
            batches: Vec::new(),
            keeper: Keeper::default(),
            bytes: 0,
            reservation,
            ordinals: OrdinalCounter::default(),
        }))
    }

    fn finish(&self) -> Result<Vec<Task>> {
        if self.table().is_some() {
            return Ok(Vec::new());
        }
        let begun = self.lock().making.as_ref().map(|making| Arc::clone(&making.builder));
        let builder = match begun {
            Some(builder) => builder,
            None => match self.begin_table()? {
                Some(builder) => builder,
                None => return Ok(Vec::new()),
            },
        };
        if builder.is_large() {
            let tasks = builder.next_tasks()?;
            if !tasks.is_empty() {
                return Ok(tasks);
            }
        } else {
            builder.run()?;
        }
        let making = self.lock().making.take();
        if let Some(Making { builder, mut reservation, bytes, sets_bytes }) = making {
            reservation.force(bytes);
            let mut sets = self.account.reserve();
            sets.force(sets_bytes);
            self.lock().sets = Some(sets);
            self.set_table(builder.table(reservation));
        }
        Ok(Vec::new())
    }
}

struct Local {
    build: Arc<JoinBuild>,
    keys: Option<Evaluator>,
    facts: BuildFacts,
    batches: Vec<(u64, Batch)>,
    keeper: Keeper,
    bytes: usize,
    reservation: Reservation,
    ordinals: OrdinalCounter,
}

impl LocalSink for Local {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let ordinal = self.ordinals.next(&batch)?;
        let shape = &self.build.shape;
        let keys = self.keys.as_mut().map(|keys| keys.evaluate(&batch)).transpose()?.unwrap_or_default();
        self.facts.has_rows = true;
        if !self.facts.has_null_key {
            self.facts.has_null_key = has_null_key(shape, &keys, batch.rows);
        }
        let Batch { columns, rows, position } = batch;
        let columns = shape.with_keys(Side::Right, columns, keys);
        let batch = Batch::new(columns, rows).at(position);
        if self.build.is_spilled() {
            self.spill_held()?;
            return self.build.partition_build(batch, ordinal);
        }
        let (batch, bytes) = self.keeper.keep(batch);
        self.bytes += bytes;
        self.batches.push((ordinal, batch));
        if self.reservation.try_resize(self.bytes) && !self.build.account.take_spill_request() {
            return Ok(());
        }
        self.spill_held()
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.build.is_spilled() {
            self.spill_held()?;
        }
        let mut state = self.build.lock();
        state.facts.has_rows |= self.facts.has_rows;
        state.facts.has_null_key |= self.facts.has_null_key;
        state.batches.extend(self.batches);
        state.reservations.push(self.reservation);
        Ok(())
    }
}

impl Local {
    fn spill_held(&mut self) -> Result<()> {
        let batches = std::mem::take(&mut self.batches);
        self.build.spill(batches)?;
        self.bytes = 0;
        self.keeper = Keeper::default();
        self.reservation.force(0);
        Ok(())
    }
}

fn has_null_key(shape: &JoinShape, keys: &[Column], rows: usize) -> bool {
    let bump = Bump::new();
    let views: Vec<View<'_>> =
        keys.iter().zip(&shape.key_types).map(|(key, data_type)| key.view(data_type, &bump)).collect();
    !all_can_match(&views, &shape.nulls_match)
        && (0..rows).any(|row| !can_match(&views, &shape.nulls_match, row))
}

//! The finished build side: what the probe side reads of it, and how its memory is given back to others.
//!
//! A table waits from the moment it is made until the first worker probes it; meanwhile the build sides of other joins are
//! gathered. Whoever needs its memory then has it spilled on the spot ([`Waiting`]). While it is probed, a request to spill is
//! answered by the next worker that comes by with a batch: batches before it have been matched against the whole table, those
//! after it go to spill files like the build rows. When all probe rows have been seen the table is given up.

use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use hypostyle_functions::column::Column;

use super::JoinBuild;
use super::kept_rows::Side;
use super::partitions::Partitions;
use super::table::JoinTable;
use super::table_build::TableBuilder;
use crate::batch::Batch;
use crate::context::GivenUp;
use crate::error::Result;
use crate::memory::Waiting;
use crate::operator::aggregate::PARTITIONS;

/// Rows of a table that go to the files at a time.
const SPILLED_ROWS: usize = 4_096;

/// The partitions of a spilled build side that come back into memory take at most one in so many bytes that are free: what
/// follows wants some too.
const FREE_PER_RESIDENT: usize = 2;

/// Which partitions of a spilled build side are in memory.
pub(super) type Residents = [bool; PARTITIONS];

/// Where a build side stands.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is gathered, or waits for its probe side.
    #[default]
    Waiting,
    /// Workers probe it.
    Probed,
    /// All probe rows have been seen.
    Over,
}

/// What there is of a build side, once it is complete.
#[derive(Default)]
pub(super) struct Finished {
    stage: Stage,
    table: Option<Arc<JoinTable>>,
    /// Where some of a spilled build side is in memory: which partitions, whose rows are in the table.
    residents: Option<Residents>,
    is_spilled: bool,
}

/// What a worker probes with a batch.
pub(super) struct Probed {
    pub table: Option<Arc<JoinTable>>,
    pub residents: Option<Residents>,
    pub is_spilled: bool,
}

impl JoinBuild {
    fn finished(&self) -> RwLockReadGuard<'_, Finished> {
        self.finished.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn finished_mut(&self) -> RwLockWriteGuard<'_, Finished> {
        self.finished.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table, if there is one.
    pub(super) fn table(&self) -> Option<Arc<JoinTable>> {
        self.finished().table.clone()
    }

    /// Whether build rows are in spill files.
    pub(super) fn is_spilled(&self) -> bool {
        self.finished().is_spilled
    }

    /// Build rows go to spill files from now on.
    pub(super) fn begin_spilling(&self) {
        self.finished_mut().is_spilled = true;
    }

    /// The build side is complete and in memory.
    pub(super) fn set_table(&self, table: JoinTable) {
        self.account.set_waiting_bytes(table.bytes());
        self.finished_mut().table = Some(Arc::new(table));
        if self.run.context.configuration.join_tables == GivenUp::WhileWaiting {
            self.give_back();
        }
    }

    /// The probe side begins: partitions that fit come back into memory, and the table no longer waits.
    ///
    /// # Errors
    /// A spill file that cannot be read.
    pub(super) fn begin_probe(&self) -> Result<()> {
        if self.finished().stage != Stage::Waiting {
            return Ok(());
        }
        let mut finished = self.finished_mut();
        if finished.stage != Stage::Waiting {
            return Ok(());
        }
        finished.stage = Stage::Probed;
        self.account.set_waiting_bytes(0);
        if finished.is_spilled {
            self.take_residents(&mut finished)?;
        }
        if let Some(table) = finished.table.as_ref().filter(|_| self.can_step_aside()) {
            table.set_spillable(true);
        }
        Ok(())
    }

    /// Whether the table can go to spill files while it is probed: rows that found their matches before must not be seen in the
    /// result to stand before the others, nor must build rows still be asked whether they had a match.
    fn can_step_aside(&self) -> bool {
        !self.keeps_order && !self.shape.gives_right_later()
    }

    /// What to probe with the next batch. Before that, answers those who ask for memory.
    pub(super) fn probed(&self) -> Probed {
        let is_forced = self.run.context.configuration.join_tables == GivenUp::WhileProbed;
        if (is_forced || self.account.take_spill_request()) && self.can_step_aside() {
            let mut finished = self.finished_mut();
            // Where this fails, the table stays, and those who asked go to the disk themselves.
            let _ = self.spill_table(&mut finished);
        }
        let finished = self.finished();
        let Finished { table, residents, is_spilled, .. } = &*finished;
        Probed { table: table.clone(), residents: *residents, is_spilled: *is_spilled }
    }

    /// All probe rows have been seen, and what the table tells of its rows has been read.
    pub(super) fn release(&self) {
        let mut finished = self.finished_mut();
        finished.stage = Stage::Over;
        finished.table = None;
        self.account.set_waiting_bytes(0);
    }

    /// Sends the rows of the table to the files of their partitions; where it fails nothing has changed.
    fn spill_table(&self, finished: &mut Finished) -> Result<()> {
        let Some(table) = finished.table.clone() else { return Ok(()) };
        let rows = table_rows(&table, self);
        let partitions = Partitions::new(self.new_stores());
        for start in (0..table.rows).step_by(SPILLED_ROWS) {
            self.run.check_cancelled()?;
            let batch = rows.slice(start, SPILLED_ROWS.min(table.rows - start));
            partitions.add(self.split_build(batch, start as u64)?)?;
        }
        partitions.write_small()?;
        drop((rows, table));
        match self.build_rows.get() {
            Some(held) => partitions
                .move_to(held, |partition| finished.residents.is_some_and(|residents| residents[partition])),
            None => {
                self.build_rows.get_or_init(|| partitions);
            }
        }
        finished.is_spilled = true;
        finished.residents = None;
        finished.table = None;
        self.account.set_waiting_bytes(0);
        Ok(())
    }

    /// Takes the partitions of a spilled build side that fit back into memory, so that the probe rows for them need not
    /// wait on disk. Where the order of the output shows, it would show that they did not.
    fn take_residents(&self, finished: &mut Finished) -> Result<()> {
        let Some(build_rows) = self.build_rows.get().filter(|_| !self.keeps_order) else { return Ok(()) };
        build_rows.write_small()?;
        let mut reservation = self.account.reserve();
        let most = self.run.memory.budget().free_bytes() / FREE_PER_RESIDENT;
        let (mut rows, mut bytes, mut resident) = (0, 0, [false; PARTITIONS]);
        for (partition, partition_rows, partition_bytes) in build_rows.smallest_first() {
            // While columns are put together their parts are still there.
            let wanted = 2 * (bytes + partition_bytes) + JoinTable::index_bytes(rows + partition_rows);
            if wanted > most || !reservation.try_resize(wanted) {
                break;
            }
            (rows, bytes, resident[partition]) = (rows + partition_rows, bytes + partition_bytes, true);
        }
        if rows == 0 {
            return Ok(());
        }
        let mut batches = Vec::new();
        for partition in (0..PARTITIONS).filter(|&partition| resident[partition]) {
            let Some(store) = build_rows.take(partition) else { continue };
            build_rows.replace(partition, self.new_store());
            let mut reader = store.into_reader()?;
            while let Some(batch) = reader.next()? {
                self.run.check_cancelled()?;
                batches.push(batch);
            }
        }
        self.metrics.raise_peak(self.account.peak_bytes());
        let builder = TableBuilder::new(&self.shape, batches, self.facts(), Vec::new(), 1)?;
        builder.run()?;
        reservation.force(bytes + JoinTable::index_bytes(rows));
        finished.table = Some(Arc::new(builder.table(reservation)));
        finished.residents = Some(resident);
        Ok(())
    }
}

impl Waiting for JoinBuild {
    fn give_back(&self) -> bool {
        let mut finished = self.finished_mut();
        let is_waiting = finished.stage == Stage::Waiting && finished.table.is_some();
        is_waiting && self.spill_table(&mut finished).is_ok()
    }
}

/// The rows of a table as they were kept: its columns, and behind them the keys that are none of these.
fn table_rows(table: &JoinTable, build: &JoinBuild) -> Batch {
    let mut columns = table.columns.clone();
    let payload = columns.len();
    let positions = build.shape.key_positions(Side::Right);
    let computed = table.keys.iter().zip(positions).filter(|(_, position)| *position >= payload);
    columns.extend(computed.map(|(key, _)| Column::Flat(Arc::clone(key))));
    Batch::new(columns, table.rows)
}

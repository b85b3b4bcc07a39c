//! Makes a table of the gathered batches, in stages whose tasks may run on several threads: the keys in one piece; their
//! hashes and the other columns; the parts of the index.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use bumpalo::Bump;
use hypostyle_functions::column::{Column, View, borrow};

use super::JoinShape;
use super::index::{DenseIndex, HashIndex, Index, Part};
use super::kept_rows::Side;
use super::table::{BuildFacts, JoinTable, all_can_match, can_match};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::key_filter::{KeyCell, KeySet};
use crate::memory::Reservation;
use crate::operator::Task;
use crate::operator::filter::concat_columns;
use crate::operator::row_hash::hash_rows;

/// Rows up to which a table is made at once: threads would wait for one another longer than the work takes.
const ROWS_FEW: usize = 1 << 14;

/// Buffers of a text column beyond which its bytes are put in one: each taking of rows holds on to all of them.
const BUFFERS_MAX: usize = 8;

/// A table in the making.
pub(super) struct TableBuilder {
    shape: Arc<JoinShape>,
    facts: BuildFacts,
    rows: usize,
    threads: usize,
    /// Per key, where scans wait for its values.
    key_cells: Vec<Option<Arc<KeyCell>>>,
    keys: OnceLock<Vec<ArrayRef>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stage: Stage,
    /// The columns of all batches, by column; emptied as they are put together.
    gathered: Vec<Vec<Column>>,
    columns: Vec<Option<Column>>,
    /// Hashes of consecutive rows.
    hashes: Vec<Vec<u64>>,
    parts: Vec<Option<Part>>,
    dense: Option<DenseIndex>,
}

#[derive(Default, Clone, Copy)]
enum Stage {
    #[default]
    Keys,
    Columns,
    Index,
    Done,
}

impl TableBuilder {
    /// A table of batches of kept rows.
    ///
    /// # Errors
    /// More rows than can be numbered.
    pub(super) fn new(
        shape: &Arc<JoinShape>,
        batches: Vec<Batch>,
        facts: BuildFacts,
        key_cells: Vec<Option<Arc<KeyCell>>>,
        threads: usize,
    ) -> Result<Arc<Self>> {
        let width = shape.kept_width(Side::Right) + shape.computed_keys(Side::Right);
        let rows: usize = batches.iter().map(|batch| batch.rows).sum();
        if u32::try_from(rows).map_or(true, |rows| rows >= u32::MAX - 1) {
            return Err(Error::Resource(format!(
                "the build side of a join has {rows} rows; at most 2^32 - 3 fit"
            )));
        }
        let mut gathered: Vec<Vec<Column>> = vec![Vec::new(); width];
        for batch in batches {
            gathered.iter_mut().zip(batch.columns).for_each(|(all, column)| all.push(column));
        }
        let columns = vec![None; gathered.len()];
        Ok(Arc::new(Self {
            shape: Arc::clone(shape),
            facts,
            rows,
            threads: if rows <= ROWS_FEW { 1 } else { threads },
            key_cells,
            keys: OnceLock::new(),
            state: Mutex::new(State { gathered, columns, ..State::default() }),
        }))
    }

    /// Whether its tasks are worth several threads.
    pub(super) fn is_large(&self) -> bool {
        self.threads > 1
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn payload(&self) -> usize {
        self.shape.kept_width(Side::Right)
    }

    /// The tasks of the next stage, when those of the one before have run; none when the table can be taken.
    ///
    /// # Errors
    /// What Arrow reports.
    pub(super) fn next_tasks(self: &Arc<Self>) -> Result<Vec<Task>> {
        loop {
            let stage = self.lock().stage;
            let (tasks, next) = match stage {
                Stage::Keys => {
                    let mut keys = self.shape.key_positions(Side::Right);
                    keys.sort_unstable();
                    keys.dedup();
                    let join = |column| self.task(move |builder| builder.join_column(column));
                    (keys.into_iter().map(join).collect(), Stage::Columns)
                }
                Stage::Columns => (self.column_tasks()?, Stage::Index),
                Stage::Index => (self.index_tasks(), Stage::Done),
                Stage::Done => return Ok(Vec::new()),
            };
            self.lock().stage = next;
            if !tasks.is_empty() {
                return Ok(tasks);
            }
        }
    }

    /// Runs what is left on this thread.
    ///
    /// # Errors
    /// What Arrow reports.
    pub(super) fn run(self: &Arc<Self>) -> Result<()> {
        loop {
            let tasks = self.next_tasks()?;
            if tasks.is_empty() {
                return Ok(());
            }
            for task in tasks {
                task.run()?;
            }
        }
    }

    /// The table, when there are no further tasks; charged to `reservation`.
    pub(super) fn table(&self, mut reservation: Reservation) -> JoinTable {
        reservation.set_spillable(false);
        let mut state = self.lock();
        let index = match (state.dense.take(), self.shape.key_types.is_empty()) {
            (_, true) => Index::All,
            (Some(dense), _) => Index::Dense(dense),
            (None, false) => Index::Hashed(HashIndex::new(state.parts.drain(..).flatten().collect())),
        };
        let columns = state.columns.drain(..self.payload()).flatten().collect();
        let keys = self.keys.get().cloned().unwrap_or_default();
        JoinTable::new(&self.shape, self.rows, (columns, keys), index, self.facts, reservation)
    }

    fn task(self: &Arc<Self>, body: impl FnOnce(&Self) -> Result<()> + Send + 'static) -> Task {
        let builder = Arc::clone(self);
        Task::new(move || body(&builder).map(|()| Vec::new()))
    }

    /// Puts one column of all batches in one piece.
    fn join_column(&self, column: usize) -> Result<()> {
        let gathered = std::mem::take(&mut self.lock().gathered[column]);
        if gathered.is_empty() {
            return Ok(());
        }
        let joined = concat_columns(&gathered.iter().collect::<Vec<_>>())?;
        drop(gathered);
        self.lock().columns[column] = Some(with_few_buffers(joined));
        Ok(())
    }

    /// What needs the keys alone: the other columns, the sets for scans, and hashes or the whole index.
    fn column_tasks(self: &Arc<Self>) -> Result<Vec<Task>> {
        let keys = {
            let state = &mut *self.lock();
            let positions = self.shape.key_positions(Side::Right);
            let keys = positions.into_iter().filter_map(|position| state.columns[position].as_ref());
            keys.map(Column::to_array).collect::<Result<Vec<_>, _>>()?
        };
        self.keys.get_or_init(|| keys);
        let mut tasks = Vec::new();
        if !self.shape.key_types.is_empty() {
            tasks.extend(self.index_or_hash_tasks());
        }
        for (key, cell) in self.key_cells.iter().enumerate() {
            if let Some(cell) = cell.clone() {
                tasks.push(self.task(move |builder| {
                    builder.with_keys(|keys| {
                        if let Some(key) = keys.get(key) {
                            cell.set(Arc::new(KeySet::new(key, builder.rows)));
                        }
                    });
                    Ok(())
                }));
            }
        }
        let left =
            (0..self.payload()).filter(|column| !self.shape.key_positions(Side::Right).contains(column));
        tasks.extend(left.map(|column| self.task(move |builder| builder.join_column(column))));
        Ok(tasks)
    }

    fn index_or_hash_tasks(self: &Arc<Self>) -> Vec<Task> {
        let dense = self.with_keys(|keys| match keys {
            [key] if !self.shape.nulls_match[0] && self.rows > 0 => DenseIndex::range_of(key, self.rows),
            _ => None,
        });
        if let Some((least, range)) = dense {
            return vec![self.task(move |builder| {
                let only_first = builder.shape.only_asks_for_match();
                let index = builder.with_keys(|keys| {
                    keys.first().map(|key| DenseIndex::new(key, builder.rows, least, range, only_first))
                });
                builder.lock().dense = index;
                Ok(())
            })];
        }
        let chunk = self.rows.div_ceil(self.threads).max(1);
        let starts: Vec<usize> = (0..self.rows).step_by(chunk).collect();
        self.lock().hashes = vec![Vec::new(); starts.len()];
        let hash = |(place, start): (usize, usize)| {
            self.task(move |builder| {
                let rows = chunk.min(builder.rows - start);
                let keys = builder.keys.get().map(Vec::as_slice).unwrap_or_default();
                let slices: Vec<ArrayRef> = keys.iter().map(|key| key.slice(start, rows)).collect();
                let bump = Bump::new();
                let mut hashes = Vec::new();
                hash_rows(&views(&slices, &builder.shape, &bump), rows, 0, &mut hashes);
                builder.lock().hashes[place] = hashes;
                Ok(())
            })
        };
        starts.into_iter().enumerate().map(hash).collect()
    }

    /// The parts of an index by hash.
    fn index_tasks(self: &Arc<Self>) -> Vec<Task> {
        let mut state = self.lock();
        if state.dense.is_some() || self.shape.key_types.is_empty() {
            return Vec::new();
        }
        let mut chunks = std::mem::take(&mut state.hashes);
        let hashes = Arc::new(if chunks.len() == 1 { chunks.remove(0) } else { chunks.concat() });
        let bits = HashIndex::parts_bits(self.rows, self.threads);
        state.parts = (0..1usize << bits).map(|_| None).collect();
        drop(state);
        let part = |number: usize| {
            let hashes = Arc::clone(&hashes);
            self.task(move |builder| {
                let part = builder.with_keys(|keys| builder.index_part(keys, &hashes, number, bits));
                builder.lock().parts[number] = Some(part);
                Ok(())
            })
        };
        (0..1usize << bits).map(part).collect()
    }

    fn index_part(&self, keys: &[View<'_>], hashes: &[u64], number: usize, bits: u32) -> Part {
        let nulls_match = &self.shape.nulls_match;
        let mut part = match all_can_match(keys, nulls_match) {
            true => Part::new(hashes, number, bits, |_| true),
            false => Part::new(hashes, number, bits, |row| can_match(keys, nulls_match, row)),
        };
        if self.shape.only_asks_for_match() {
            part.keep_first_of_each_key(keys);
        }
        part
    }

    fn with_keys<R>(&self, body: impl FnOnce(&[View<'_>]) -> R) -> R {
        let bump = Bump::new();
        let keys = self.keys.get().map(Vec::as_slice).unwrap_or_default();
        body(&views(keys, &self.shape, &bump))
    }
}

fn views<'a>(keys: &'a [ArrayRef], shape: &'a JoinShape, bump: &'a Bump) -> Vec<View<'a>> {
    keys.iter().zip(&shape.key_types).map(|(key, data_type)| borrow(key, data_type, bump)).collect()
}

/// The column with its text in one buffer if it was in many.
fn with_few_buffers(column: Column) -> Column {
    let Column::Flat(array) = &column else { return column };
    match array.data_type() {
        DataType::Utf8View if array.as_string_view().data_buffers().len() > BUFFERS_MAX => {
            Column::Flat(Arc::new(array.as_string_view().gc()))
        }
        DataType::BinaryView if array.as_binary_view().data_buffers().len() > BUFFERS_MAX => {
            Column::Flat(Arc::new(array.as_binary_view().gc()))
        }
        _ => column,
    }
}

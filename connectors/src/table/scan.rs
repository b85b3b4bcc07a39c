//! A scan over files: morsels are handed out file by file, in order, and read by workers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hypostyle_engine::expression::Evaluator;
use hypostyle_engine::memory::Account;
use hypostyle_engine::table::{Reader, Scan, ScanRequest};
use hypostyle_engine::{Context, Position};
use hypostyle_functions::Type;
use hypostyle_functions::column::literal_array;

use super::bind::{Given, TableFiles};
use super::condition::Condition;
use super::filter::{predicate_of, within_bounds};
use super::opened::{Opened, Source};
use super::reader::{FileReader, Life, Memory, MorselReader, OutputColumn, OutputSource, Rest};
use crate::arrow_ipc::{ArrowStream, BlockReader};
use crate::csv::CsvScan;
use crate::error::{Error, Result};
use crate::input::{BufferPool, open_stream};
use crate::json::JsonScan;
use crate::parquet::{ColumnFilter, Footprint, ScanPlan, Wanted};
use crate::prune::{ColumnPlace, Predicate};

/// A scan that workers share.
pub struct FileScan {
    table: Arc<TableFiles>,
    request: ScanRequest,
    predicates: Vec<Predicate>,
    /// What is applied here in full.
    conditions: Vec<Condition>,
    account: Arc<Account>,
    /// Buffers of Parquet readers.
    pool: Arc<BufferPool>,
    /// Workers that each file should have something for.
    workers_each: usize,
    life: Arc<Life>,
    progress: State,
    cursor: Mutex<Cursor>,
}

/// Bytes of files that are done.
#[derive(Default)]
struct State {
    read: AtomicU64,
}

/// Where the scan stands.
struct Cursor {
    next_file: usize,
    current: Option<CurrentFile>,
    next_morsel: u32,
    /// Rows handed out so far, where their number is known.
    rows: u64,
    /// A reader for which there was no memory.
    waiting: Option<FileReader>,
}

/// The file that morsels are handed out of.
struct CurrentFile {
    columns: Arc<Vec<OutputColumn>>,
    /// Conditions on columns that the file's reader does not give as the table has them.
    left: Arc<Vec<LeftCondition>>,
    morsels: Morsels,
    bytes: u64,
}

enum Morsels {
    Parquet { plan: Arc<ScanPlan>, next: usize },
    Csv(CsvScan),
    Json(JsonScan),
    Arrow { reader: Arc<BlockReader>, blocks: usize, next: usize, slots: Arc<Vec<usize>> },
    ArrowStream(Option<Box<ArrowStream>>, Arc<Vec<usize>>),
}

/// A condition that is applied to finished columns.
struct LeftCondition {
    /// Position of its column among the finished ones.
    column: usize,
    condition: Condition,
}

impl FileScan {
    /// A scan before its first file.
    ///
    /// # Errors
    /// Conditions that do not compile.
    pub(super) fn new(
        table: Arc<TableFiles>,
        request: ScanRequest,
        context: &Arc<Context>,
    ) -> hypostyle_engine::Result<Self> {
        let mut predicates: Vec<Predicate> = request.filters.iter().filter_map(predicate_of).collect();
        predicates.extend(request.key_filters.iter().filter_map(|keys| within_bounds(keys)));
        let conditions = match table.source {
            Source::Parquet => Condition::all(&request.filters, table.schema(), context)?,
            _ => Vec::new(),
        };
        let account = context.memory.query().account("file scan");
        let pool = BufferPool::new(account.reserve_promised(), Arc::clone(&request.read_bytes));
        let workers_each = match request.limit {
            None => context.configuration.threads.div_ceil(table.files.len().max(1)),
            Some(_) => 1,
        };
        let life = Arc::new(Life(Arc::clone(&pool)));
        let cursor = Cursor { next_file: 0, current: None, next_morsel: 0, rows: 0, waiting: None };
        let cursor = Mutex::new(cursor);
        let progress = State::default();
        Ok(Self {
            table,
            request,
            predicates,
            conditions,
            account,
            pool,
            workers_each,
            life,
            progress,
            cursor,
        })
    }

    /// Opens the next file that may hold matching rows; `None` after the last.
    fn open_next(&self, cursor: &mut Cursor) -> Result<Option<CurrentFile>> {
        while cursor.next_file < self.table.files.len() {
            let index = cursor.next_file;
            cursor.next_file += 1;
            if self.predicates.iter().all(|predicate| self.table.may_match(index, predicate)) {
                return self.start(index).map(Some);
            }
            self.progress.read.fetch_add(self.table.file_bytes(index), Ordering::Relaxed);
        }
        Ok(None)
    }

    fn start(&self, index: usize) -> Result<CurrentFile> {
        let file = self.table.open(index)?;
        let mut reads: Vec<(usize, Type)> = Vec::new();
        let mut columns = Vec::with_capacity(self.request.projection.len());
        for &column in &self.request.projection {
            columns.push(self.output_column(index, &file, column, &mut reads)?);
        }
        let mut filters = Vec::new();
        let mut left = Vec::new();
        for condition in &self.conditions {
            if let Some(column) = self.own_column(index, &file, condition.column) {
                filters.push(ColumnFilter { column, wanted: Wanted::Condition(Arc::clone(&condition.set)) });
                continue;
            }
            let asked = self.request.projection.iter().position(|&asked| asked == condition.column);
            let column = match asked {
                Some(position) => position,
                None => {
                    columns.push(self.output_column(index, &file, condition.column, &mut reads)?);
                    columns.len() - 1
                }
            };
            left.push(LeftCondition { column, condition: condition.clone() });
        }
        for keys in &self.request.key_filters {
            // Rows that no key of a join matches need not be left out.
            if let Some(column) = self.own_column(index, &file, keys.column()) {
                filters.push(ColumnFilter { column, wanted: Wanted::Keys(Arc::clone(keys)) });
            }
        }
        let narrowed = self.narrowed_reads(&columns, reads.len());
        let morsels = self.morsels(index, &file, &reads, &narrowed, &filters)?;
        let bytes = self.table.file_bytes(index);
        Ok(CurrentFile { columns: Arc::new(columns), left: Arc::new(left), morsels, bytes })
    }

    /// For each column that is read, the type with the fields that are asked of it, where they are not all.
    fn narrowed_reads(&self, columns: &[OutputColumn], reads: usize) -> Vec<Option<Type>> {
        let mut narrowed = vec![None; reads];
        for column in columns {
            if let OutputSource::Read(slot) = column.source
                && self.part(column.column).is_some()
            {
                narrowed[slot] = Some(column.data_type.clone());
            }
        }
        narrowed
    }

    /// How a column of the table is made of what the file's reader gives, which is noted in `reads`.
    fn output_column(
        &self,
        index: usize,
        file: &Opened,
        column: usize,
        reads: &mut Vec<(usize, Type)>,
    ) -> Result<OutputColumn> {
        let field = &self.table.schema().fields[column];
        let data_type = self.part(column).unwrap_or(&field.data_type).clone();
        let source = match self.table.given(index, file, column)? {
            Given::Column(position) => {
                let known = reads.iter().position(|(read, _)| *read == position);
                OutputSource::Read(known.unwrap_or_else(|| {
                    reads.push((position, field.data_type.clone()));
                    reads.len() - 1
                }))
            }
            Given::Constant(literal) => {
                let array = literal_array(&literal).map_err(|error| Error::Internal(error.to_string()))?;
                OutputSource::Constant(array)
            }
        };
        Ok(OutputColumn { column, name: field.name.clone(), data_type, source })
    }

    /// The type with the fields that are asked of a column, where they are not all.
    fn part(&self, column: usize) -> Option<&Type> {
        let found = self.request.narrowed.iter().find(|(known, _)| *known == column);
        found.map(|(_, data_type)| data_type)
    }

    fn morsels(
        &self,
        index: usize,
        opened: &Opened,
        reads: &[(usize, Type)],
        narrowed: &[Option<Type>],
        filters: &[ColumnFilter],
    ) -> Result<Morsels> {
        let positions: Vec<usize> = reads.iter().map(|(position, _)| *position).collect();
        let batch_rows = self.request.batch_rows.max(1);
        Ok(match opened {
            Opened::Parquet(file) => {
                let predicates: Vec<Predicate> =
                    self.predicates.iter().filter_map(|predicate| self.own(index, predicate)).collect();
                let parts = positions.iter().zip(narrowed);
                let parts: Vec<(usize, Type)> =
                    parts.filter_map(|(&position, part)| Some((position, part.clone()?))).collect();
                let coded = self.request.coded.iter();
                let coded: Vec<usize> =
                    coded.filter_map(|&column| self.own_column(index, opened, column)).collect();
                let file = file.narrowed(&parts)?;
                let mut plan = file.plan(&positions, &predicates, filters, &self.pool)?;
                plan.leave_coded(coded);
                if let Some(row_groups) = &self.table.options.row_groups {
                    plan.keep_row_groups(row_groups)?;
                }
                plan.cut(self.workers_each);
                Morsels::Parquet { plan: Arc::new(plan), next: 0 }
            }
            Opened::Csv(file) => Morsels::Csv(file.scan(reads, batch_rows)?),
            Opened::Json(file) => Morsels::Json(file.scan(reads, narrowed, batch_rows)?),
            Opened::Arrow(file, _) => {
                let (ascending, slots) = ascending(&positions);
                let reader = Arc::new(file.reader(&ascending)?);
                Morsels::Arrow { reader, blocks: file.block_count(), next: 0, slots: Arc::new(slots) }
            }
            Opened::ArrowStream(_, waiting) => {
                let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
                let path = &self.table.files[index].path;
                match waiting {
                    Some(stream) => Morsels::ArrowStream(Some(Box::new(stream)), Arc::new(positions)),
                    None => {
                        let (ascending, slots) = ascending(&positions);
                        let stream = ArrowStream::open(open_stream(path, None)?, Some(&ascending))?;
                        Morsels::ArrowStream(Some(Box::new(stream)), Arc::new(slots))
                    }
                }
            }
        })
    }

    /// A predicate over the table's columns as one over a file's own, as far as types agree.
    fn own(&self, index: usize, predicate: &Predicate) -> Option<Predicate> {
        let file = self.table.open(index).ok()?;
        predicate.remapped(&|place| self.own_place(index, &file, place))
    }

    /// The place in a file that is the table's, with the same type.
    fn own_place(&self, index: usize, file: &Opened, place: &ColumnPlace) -> Option<ColumnPlace> {
        let Ok(Given::Column(column)) = self.table.given(index, file, place.column) else { return None };
        let own = field_type(&file.schema().fields[column].data_type, &place.fields)?;
        let known = field_type(&self.table.schema().fields[place.column].data_type, &place.fields)?;
        (own == known).then(|| ColumnPlace { column, fields: place.fields.clone() })
    }

    /// The column of a file that is the table's column, with the same type.
    fn own_column(&self, index: usize, file: &Opened, column: usize) -> Option<usize> {
        match self.table.given(index, file, column) {
            Ok(Given::Column(position)) => {
                let own = &file.schema().fields[position].data_type;
                (*own == self.table.schema().fields[column].data_type).then_some(position)
            }
            _ => None,
        }
    }

    fn next(&self, cursor: &mut Cursor) -> Result<Option<FileReader>> {
        // Rows that a filter may drop do not count towards the limit.
        let drops_none = self.request.filters.is_empty() && self.request.key_filters.is_empty();
        if drops_none && self.request.limit.is_some_and(|limit| cursor.rows >= limit) {
            return Ok(None);
        }
        loop {
            if cursor.current.is_none() {
                cursor.current = self.open_next(cursor)?;
            }
            let Some(current) = &mut cursor.current else { return Ok(None) };
            match self.claim_from(current)? {
                Some((source, rows)) => {
                    let morsel = cursor.next_morsel;
                    cursor.next_morsel += 1;
                    cursor.rows += rows;
                    let columns = Arc::clone(&current.columns);
                    let tests = current
                        .left
                        .iter()
                        .map(|left| Ok((left.column, Evaluator::new(Arc::clone(&left.condition.set), &[])?)));
                    let tests = tests.collect::<hypostyle_engine::Result<_>>();
                    let tests = tests.map_err(|error| Error::Engine(Box::new(error)))?;
                    return Ok(Some(FileReader {
                        source,
                        columns,
                        asked: self.request.projection.len(),
                        tests,
                        position: Position { morsel, row: 0 },
                        batch_rows: self.request.batch_rows.max(1),
                        memory: None,
                    }));
                }
                None => {
                    self.progress.read.fetch_add(current.bytes, Ordering::Relaxed);
                    cursor.current = None;
                }
            }
        }
    }

    /// The next morsel of a file, and its rows where they are known.
    fn claim_from(&self, current: &mut CurrentFile) -> Result<Option<(MorselReader, u64)>> {
        let batch_rows = self.request.batch_rows.max(1);
        Ok(match &mut current.morsels {
            Morsels::Parquet { plan, next } => {
                let Some(morsel) = plan.morsels().get(*next) else { return Ok(None) };
                *next += 1;
                let footprint = plan.footprint(morsel);
                let reader = MorselReader::Parquet {
                    plan: Arc::clone(plan),
                    morsel: *next - 1,
                    batch_rows,
                    reader: None,
                    footprint,
                };
                Some((reader, morsel.rows as u64))
            }
            Morsels::Csv(scan) => {
                let reader = scan.claim()?;
                reader.map(|reader| {
                    self.pool.note_read(reader.block_bytes());
                    (MorselReader::Csv(Box::new(reader)), 0)
                })
            }
            Morsels::Json(scan) => {
                let reader = scan.claim()?;
                reader.map(|reader| {
                    self.pool.note_read(reader.block_bytes());
                    (MorselReader::Json(Box::new(reader)), 0)
                })
            }
            Morsels::Arrow { reader, blocks, next, slots } => {
                if *next == *blocks {
                    return Ok(None);
                }
                *next += 1;
                self.pool.note_read(usize::try_from(reader.block_bytes(*next - 1)).unwrap_or(usize::MAX));
                let (reader, slots) = (Arc::clone(reader), Arc::clone(slots));
                Some((
                    MorselReader::Arrow { reader, block: Some(*next - 1), slots, rest: Rest::default() },
                    0,
                ))
            }
            Morsels::ArrowStream(stream, slots) => stream.take().map(|stream| {
                (MorselReader::ArrowStream { stream, slots: Arc::clone(slots), rest: Rest::default() }, 0)
            }),
        })
    }

    /// Memory for a reader, without others spilling theirs for it.
    fn try_reserve(&self, source: &MorselReader) -> Option<Memory> {
        let Footprint { rows, buffers } = source.footprint();
        let mut reservation = self.account.reserve_promised();
        if !reservation.try_resize(usize::try_from(rows).unwrap_or(usize::MAX)) {
            return None;
        }
        let buffers = match buffers {
            0 => None,
            _ => Some(self.pool.try_assure(usize::try_from(buffers).unwrap_or(usize::MAX))?),
        };
        Some(Memory::new(reservation, buffers, &self.life))
    }

    /// Memory for a reader, whoever has to spill for it.
    fn reserve(&self, source: &MorselReader) -> hypostyle_engine::Result<Memory> {
        if let Some(memory) = self.try_reserve(source) {
            return Ok(memory);
        }
        let Footprint { rows, buffers } = source.footprint();
        let mut reservation = self.account.reserve_promised();
        reservation.resize(usize::try_from(rows).unwrap_or(usize::MAX))?;
        let buffers = self.pool.assure(usize::try_from(buffers).unwrap_or(usize::MAX))?;
        Ok(Memory::new(reservation, Some(buffers), &self.life))
    }

    fn lock(&self) -> MutexGuard<'_, Cursor> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether readers are open beside the scan itself.
    fn has_open_readers(&self) -> bool {
        Arc::strong_count(&self.life) > 1
    }
}

/// The type of a field inside a struct.
fn field_type<'t>(mut data_type: &'t Type, names: &[String]) -> Option<&'t Type> {
    for name in names {
        let Type::Struct(fields) = data_type else { return None };
        data_type = &fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?.data_type;
    }
    Some(data_type)
}

/// Positions in ascending order without repetition, and where each of the asked ones went.
fn ascending(positions: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut sorted = positions.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let slots = positions.iter().map(|position| sorted.partition_point(|known| known < position)).collect();
    (sorted, slots)
}

impl Scan for FileScan {
    fn claim(&self) -> hypostyle_engine::Result<Option<Box<dyn Reader>>> {
        let mut cursor = self.lock();
        let reader = match cursor.waiting.take() {
            Some(reader) => Some(reader),
            None => self.next(&mut cursor)?,
        };
        let Some(mut reader) = reader else { return Ok(None) };
        if reader.memory.is_none() {
            reader.memory = Some(self.reserve(&reader.source)?);
        }
        Ok(Some(Box::new(reader)))
    }

    fn must_wait(&self) -> hypostyle_engine::Result<bool> {
        if !self.has_open_readers() {
            return Ok(false);
        }
        let mut cursor = self.lock();
        if cursor.waiting.is_none() {
            cursor.waiting = self.next(&mut cursor)?;
        }
        let Some(reader) = &mut cursor.waiting else { return Ok(false) };
        if reader.memory.is_none() {
            reader.memory = self.try_reserve(&reader.source);
        }
        Ok(reader.memory.is_none() && self.has_open_readers())
    }

    fn applies_key_filters(&self) -> bool {
        matches!(self.table.source, Source::Parquet)
    }

    fn progress(&self) -> (u64, u64) {
        let current = match self.cursor.try_lock() {
            Ok(cursor) => cursor.current.as_ref().map_or(0, CurrentFile::bytes_read),
            Err(_) => 0,
        };
        (self.progress.read.load(Ordering::Relaxed) + current, self.table.stored_bytes())
    }
}

impl CurrentFile {
    /// Bytes of the stored file that its morsels so far took, roughly.
    fn bytes_read(&self) -> u64 {
        let share =
            |done: usize, all: usize| (u128::from(self.bytes) * done as u128 / all.max(1) as u128) as u64;
        match &self.morsels {
            Morsels::Parquet { plan, next } => share(*next, plan.morsels().len()),
            Morsels::Csv(scan) => scan.bytes_read().min(self.bytes),
            Morsels::Json(scan) => scan.bytes_read().min(self.bytes),
            Morsels::Arrow { blocks, next, .. } => share(*next, *blocks),
            Morsels::ArrowStream(..) => 0,
        }
    }
}

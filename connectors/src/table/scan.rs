//! A scan over files: morsels are handed out file by file, in order, and read by workers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use hypostyle_engine::expression::Evaluator;
use hypostyle_engine::memory::{Account, Reservation};
use hypostyle_engine::table::{Reader, Scan, ScanRequest};
use hypostyle_engine::{Batch, Context, Position};
use hypostyle_functions::Type;
use hypostyle_functions::column::{Column, literal_array};

use super::bind::{Given, TableFiles};
use super::condition::Condition;
use super::filter::{predicate_of, within_bounds};
use super::opened::{Opened, Source};
use crate::arrow_form::{cast_strictly, to_column};
use crate::arrow_ipc::{ArrowStream, BlockReader};
use crate::batch::FileBatch;
use crate::csv::{CsvReader, CsvScan};
use crate::error::{Error, Place, Result};
use crate::input::{BufferPool, open_stream};
use crate::json::{JsonReader, JsonScan};
use crate::parquet::{ColumnFilter, RowGroupReader, ScanPlan, Wanted};
use crate::prune::Predicate;

/// Bytes that a Parquet column holds while it is read, besides its pages and windows of the file, which come from a pool:
/// a dictionary and the rows of a batch.
const PARQUET_COLUMN_BYTES: u64 = 256 << 10;
/// Bytes that a text block holds while it is read, for each byte of the block: its text and its values.
const TEXT_BYTES_PER_BYTE: usize = 2;

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

/// How a column of the output is made of what a file's reader gives.
struct OutputColumn {
    name: String,
    data_type: Type,
    /// Position among the reader's columns, or a value for all rows.
    source: OutputSource,
}

/// A condition that is applied to finished columns.
struct LeftCondition {
    /// Position of its column among the finished ones.
    column: usize,
    condition: Condition,
}

enum OutputSource {
    Read(usize),
    Constant(arrow::array::ArrayRef),
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
        let pool = BufferPool::new(account.reserve());
        let cursor = Mutex::new(Cursor { next_file: 0, current: None, next_morsel: 0, rows: 0 });
        let progress = State::default();
        Ok(Self { table, request, predicates, conditions, account, pool, progress, cursor })
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
        let morsels = self.morsels(index, &file, &reads, &filters)?;
        let bytes = self.table.file_bytes(index);
        Ok(CurrentFile { columns: Arc::new(columns), left: Arc::new(left), morsels, bytes })
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
        Ok(OutputColumn { name: field.name.clone(), data_type: field.data_type.clone(), source })
    }

    fn morsels(
        &self,
        index: usize,
        file: &Opened,
        reads: &[(usize, Type)],
        filters: &[ColumnFilter],
    ) -> Result<Morsels> {
        let positions: Vec<usize> = reads.iter().map(|(position, _)| *position).collect();
        let batch_rows = self.request.batch_rows.max(1);
        Ok(match file {
            Opened::Parquet(file) => {
                let predicates: Vec<Predicate> =
                    self.predicates.iter().filter_map(|predicate| self.own(index, predicate)).collect();
                let plan = file.plan(&positions, &predicates, filters, &self.pool)?;
                Morsels::Parquet { plan: Arc::new(plan), next: 0 }
            }
            Opened::Csv(file) => Morsels::Csv(file.scan(reads, batch_rows)?),
            Opened::Json(file) => Morsels::Json(file.scan(reads, batch_rows)?),
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
        predicate.remapped(&|column| self.own_column(index, &file, column))
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
                    let memory = self.reserve(&source)?;
                    return Ok(Some(FileReader {
                        source,
                        columns,
                        asked: self.request.projection.len(),
                        tests,
                        position: Position { morsel, row: 0 },
                        batch_rows: self.request.batch_rows.max(1),
                        _memory: memory,
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
                let bytes =
                    plan.uncompressed_bytes(morsel).min(plan.column_count() as u64 * PARQUET_COLUMN_BYTES);
                let reader = MorselReader::Parquet {
                    plan: Arc::clone(plan),
                    morsel: *next - 1,
                    batch_rows,
                    reader: None,
                    bytes,
                };
                Some((reader, morsel.rows as u64))
            }
            Morsels::Csv(scan) => scan.claim()?.map(|reader| (MorselReader::Csv(Box::new(reader)), 0)),
            Morsels::Json(scan) => scan.claim()?.map(|reader| (MorselReader::Json(Box::new(reader)), 0)),
            Morsels::Arrow { reader, blocks, next, slots } => {
                if *next == *blocks {
                    return Ok(None);
                }
                *next += 1;
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

    fn reserve(&self, source: &MorselReader) -> Result<Reservation> {
        let bytes = match source {
            MorselReader::Parquet { bytes, .. } => usize::try_from(*bytes).unwrap_or(usize::MAX),
            MorselReader::Csv(reader) => reader.block_bytes() * TEXT_BYTES_PER_BYTE,
            MorselReader::Json(reader) => reader.block_bytes() * TEXT_BYTES_PER_BYTE,
            MorselReader::Arrow { reader, block, .. } => {
                block.map_or(0, |block| usize::try_from(reader.block_bytes(block)).unwrap_or(usize::MAX))
            }
            MorselReader::ArrowStream { .. } => 0,
        };
        let mut memory = self.account.reserve();
        memory.resize(bytes).map_err(|error| Error::Engine(Box::new(error)))?;
        Ok(memory)
    }
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
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = self.next(&mut cursor)?;
        Ok(reader.map(|reader| Box::new(reader) as Box<dyn Reader>))
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

/// Reads one morsel of one file.
struct FileReader {
    source: MorselReader,
    columns: Arc<Vec<OutputColumn>>,
    /// Columns that go out; those behind them are for `tests` alone.
    asked: usize,
    /// Conditions on finished columns, by position.
    tests: Vec<(usize, Evaluator)>,
    position: Position,
    batch_rows: usize,
    _memory: Reservation,
}

enum MorselReader {
    Parquet {
        plan: Arc<ScanPlan>,
        morsel: usize,
        batch_rows: usize,
        reader: Option<Box<RowGroupReader>>,
        bytes: u64,
    },
    Csv(Box<CsvReader>),
    Json(Box<JsonReader>),
    Arrow {
        reader: Arc<BlockReader>,
        block: Option<usize>,
        slots: Arc<Vec<usize>>,
        rest: Rest,
    },
    ArrowStream {
        stream: Box<ArrowStream>,
        slots: Arc<Vec<usize>>,
        rest: Rest,
    },
}

/// A record batch that is handed on in pieces.
#[derive(Default)]
struct Rest {
    batch: Option<RecordBatch>,
    start: usize,
}

impl Rest {
    fn take(&mut self, rows: usize) -> Option<RecordBatch> {
        let batch = self.batch.as_ref()?;
        let length = rows.min(batch.num_rows() - self.start);
        let piece = batch.slice(self.start, length);
        self.start += length;
        if self.start == batch.num_rows() {
            (self.batch, self.start) = (None, 0);
        }
        (length > 0).then_some(piece)
    }
}

impl FileReader {
    fn read(&mut self) -> Result<Option<Batch>> {
        let types: Vec<Option<&Type>> = read_types(&self.columns);
        let (read, place) = match &mut self.source {
            MorselReader::Parquet { plan, morsel, batch_rows, reader, .. } => {
                if reader.is_none() {
                    *reader = Some(Box::new(plan.open(&plan.morsels()[*morsel], *batch_rows)?));
                }
                let Some(reader) = reader else { return Ok(None) };
                (reader.next_batch()?, Some(reader.place()))
            }
            MorselReader::Csv(reader) => (reader.next_batch()?, None),
            MorselReader::Json(reader) => (reader.next_batch()?, None),
            MorselReader::Arrow { reader, block, slots, rest } => {
                let index = *block;
                if rest.batch.is_none()
                    && let Some(index) = block.take()
                {
                    rest.batch = reader.read(index)?;
                }
                let place = || reader.place(index.unwrap_or(0));
                (
                    rest.take(self.batch_rows)
                        .map(|batch| columns_of(&batch, slots, &types, &place))
                        .transpose()?,
                    None,
                )
            }
            MorselReader::ArrowStream { stream, slots, rest } => {
                let mut piece = rest.take(self.batch_rows);
                while piece.is_none() {
                    rest.batch = stream.next_batch()?;
                    if rest.batch.is_none() {
                        break;
                    }
                    piece = rest.take(self.batch_rows);
                }
                (piece.map(|batch| columns_of(&batch, slots, &types, &|| stream.place())).transpose()?, None)
            }
        };
        read.map(|read| self.finish(read, place)).transpose()
    }

    /// Puts the output columns together.
    fn finish(&mut self, read: FileBatch, place: Option<Place>) -> Result<Batch> {
        let rows = read.rows;
        let columns = self
            .columns
            .iter()
            .map(|column| match &column.source {
                OutputSource::Constant(value) => {
                    Ok(Column::Constant { value: Arc::clone(value), length: rows })
                }
                OutputSource::Read(slot) => widened(&read.columns[*slot], column, place.as_ref()),
            })
            .collect::<Result<_>>()?;
        let mut batch = Batch::new(columns, rows);
        self.filter(&mut batch).map_err(|error| Error::Engine(Box::new(error)))?;
        batch.columns.truncate(self.asked);
        let batch = batch.at(self.position);
        self.position.row += batch.rows as u64;
        Ok(batch)
    }

    /// Keeps the rows that pass the conditions on finished columns.
    fn filter(&mut self, batch: &mut Batch) -> hypostyle_engine::Result<()> {
        for (column, evaluator) in &mut self.tests {
            let tested = Batch::new(vec![batch.columns[*column].clone()], batch.rows);
            let selection = evaluator.select(&tested)?;
            if selection.is_all() {
                continue;
            }
            let kept = selection.count();
            for column in &mut batch.columns {
                *column = column.filter(selection.bits(), kept)?;
            }
            batch.rows = kept;
        }
        Ok(())
    }
}

impl Reader for FileReader {
    fn next(&mut self) -> hypostyle_engine::Result<Option<Batch>> {
        loop {
            match self.read()? {
                Some(batch) if batch.rows == 0 => {}
                other => return Ok(other),
            }
        }
    }
}

/// The type of the table's column behind each of a reader's columns.
fn read_types(columns: &[OutputColumn]) -> Vec<Option<&Type>> {
    let mut types = Vec::new();
    for column in columns {
        if let OutputSource::Read(slot) = column.source {
            if types.len() <= slot {
                types.resize(slot + 1, None);
            }
            types[slot] = Some(&column.data_type);
        }
    }
    types
}

/// The asked columns of a record batch; `slots` are their positions in it.
fn columns_of(
    batch: &RecordBatch,
    slots: &[usize],
    types: &[Option<&Type>],
    place: &dyn Fn() -> Place,
) -> Result<FileBatch> {
    let schema = batch.schema();
    let columns = slots
        .iter()
        .zip(types)
        .map(|(&slot, data_type)| {
            let place = || place().column(schema.field(slot).name());
            let array = batch.column(slot);
            let own = crate::arrow_form::logical_type(array.data_type(), place)?;
            let column =
                to_column(array, &own).map_err(|error| Error::corrupt(place(), error.to_string()))?;
            match data_type {
                Some(wanted) if **wanted != own => cast(&column, wanted, place),
                _ => Ok(column),
            }
        })
        .collect::<Result<_>>()?;
    Ok(FileBatch { columns, rows: batch.num_rows() })
}

/// A column of a file whose type is narrower than the table's.
fn widened(column: &Column, output: &OutputColumn, place: Option<&Place>) -> Result<Column> {
    let array = match column {
        Column::Flat(array)
        | Column::Constant { value: array, .. }
        | Column::Dictionary { values: array, .. } => array,
    };
    if *array.data_type() == output.data_type.to_arrow() {
        return Ok(column.clone());
    }
    cast(column, &output.data_type, || place.cloned().unwrap_or_default().column(&output.name))
}

fn cast(column: &Column, wanted: &Type, place: impl Fn() -> Place) -> Result<Column> {
    let array = column.to_array().map_err(|error| Error::Internal(error.to_string()))?;
    let cast = cast_strictly(&array, &wanted.to_arrow()).map_err(|error| Error::Schema {
        path: place().to_string(),
        problem: format!("does not fit the table's {wanted}: {error}"),
    })?;
    Ok(Column::Flat(cast))
}

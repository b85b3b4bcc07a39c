//! Reads one morsel of one file: what the format's reader gives becomes columns of the table.

use std::sync::Arc;

use arrow::array::RecordBatch;
use hypostyle_engine::expression::Evaluator;
use hypostyle_engine::memory::Reservation;
use hypostyle_engine::table::Reader;
use hypostyle_engine::{Batch, Position};
use hypostyle_functions::Type;
use hypostyle_functions::column::Column;

use crate::arrow_form::{cast_by_name, to_column};
use crate::arrow_ipc::{ArrowStream, BlockReader};
use crate::batch::FileBatch;
use crate::csv::CsvReader;
use crate::error::{Error, Place, Result};
use crate::input::{Assurance, BufferPool};
use crate::json::JsonReader;
use crate::parquet::{Footprint, RowGroupReader, ScanPlan};

/// Bytes that a text block holds while it is read, for each byte of the block: its text and its values.
const TEXT_BYTES_PER_BYTE: usize = 2;

/// Shared by the scan and its open readers; with the last of them the pool is closed.
pub(super) struct Life(pub(super) Arc<BufferPool>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What a reader is charged while it is open.
pub(super) struct Memory {
    _rows: Reservation,
    _buffers: Option<Assurance>,
    _life: Arc<Life>,
}

impl Memory {
    pub(super) fn new(rows: Reservation, buffers: Option<Assurance>, life: &Arc<Life>) -> Self {
        Self { _rows: rows, _buffers: buffers, _life: Arc::clone(life) }
    }
}

/// How a column of the output is made of what a file's reader gives.
pub(super) struct OutputColumn {
    /// Position in the table.
    pub(super) column: usize,
    pub(super) name: String,
    pub(super) data_type: Type,
    /// Position among the reader's columns, or a value for all rows.
    pub(super) source: OutputSource,
}

/// Where the values of a column of the output come from.
pub(super) enum OutputSource {
    Read(usize),
    Constant(arrow::array::ArrayRef),
}

/// Reads one morsel of one file.
pub(super) struct FileReader {
    pub(super) source: MorselReader,
    pub(super) columns: Arc<Vec<OutputColumn>>,
    /// Columns that go out; those behind them are for `tests` alone.
    pub(super) asked: usize,
    /// Conditions on finished columns, by position.
    pub(super) tests: Vec<(usize, Evaluator)>,
    pub(super) position: Position,
    pub(super) batch_rows: usize,
    /// Charged before it is handed out.
    pub(super) memory: Option<Memory>,
}

/// The reader of a morsel, by format.
pub(super) enum MorselReader {
    Parquet {
        plan: Arc<ScanPlan>,
        morsel: usize,
        batch_rows: usize,
        reader: Option<Box<RowGroupReader>>,
        footprint: Footprint,
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

impl MorselReader {
    /// Bytes that the reader holds.
    pub(super) fn footprint(&self) -> Footprint {
        let bytes = match self {
            Self::Parquet { footprint, .. } => return *footprint,
            Self::Csv(reader) => (reader.block_bytes() * TEXT_BYTES_PER_BYTE) as u64,
            Self::Json(reader) => (reader.block_bytes() * TEXT_BYTES_PER_BYTE) as u64,
            Self::Arrow { reader, block, .. } => block.map_or(0, |block| reader.block_bytes(block)),
            Self::ArrowStream { .. } => 0,
        };
        Footprint { rows: bytes, buffers: 0 }
    }
}

/// A record batch that is handed on in pieces.
#[derive(Default)]
pub(super) struct Rest {
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
        | Column::Spans(array)
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
    let cast = cast_by_name(&array, &wanted.to_arrow()).map_err(|error| Error::Schema {
        path: place().to_string(),
        problem: format!("does not fit the table's {wanted}: {error}"),
    })?;
    Ok(Column::Flat(cast))
}

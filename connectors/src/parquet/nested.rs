//! Columns that the crate's reader decodes: nested ones, and forms that our own decoder leaves to it.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::DataType;
use hypostyle_functions::Type;
use hypostyle_functions::column::Column;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowSelection,
};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::page_index::PageIndexProvider;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataBuilder, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;

use super::chunk_reader::ChunkWindows;
use super::dictionary::{SharedValues, is_dictionary_only};
use super::dictionary_size::check_dictionaries;
use super::file::{ParquetFile, RowGroupMorsel};
use super::prune::page_locations;
use super::schema::Projected;
use super::special::{Special, with_meanings};
use crate::arrow_form::to_column;
use crate::error::{Result, decoded};
use crate::input::{BufferPool, LocalFile};

/// Reads some columns of one morsel, window by window.
pub(super) struct NestedReader {
    file: Arc<ParquetFile>,
    row_group: usize,
    reader: ParquetRecordBatchReader,
    columns: Vec<OutputColumn>,
}

struct OutputColumn {
    name: String,
    data_type: Type,
    form: Form,
}

/// How a decoded array becomes a column.
enum Form {
    Dictionary(SharedValues),
    Plain,
    /// Some leaves mean something that the decoder does not tell.
    Special(Vec<Option<Special>>),
}

impl NestedReader {
    /// A reader whose windows have `batch_rows` rows each, the last one what is left.
    ///
    /// # Errors
    /// Columns that the crate refuses.
    pub(super) fn open(
        file: &Arc<ParquetFile>,
        columns: &[usize],
        morsel: &RowGroupMorsel,
        batch_rows: usize,
        pool: &Arc<BufferPool>,
    ) -> Result<Self> {
        let place = || file.place().part("row group", morsel.row_group);
        let reader = decoded(place, "Parquet", || reader_of(file, columns, morsel, batch_rows, pool))?;
        let schema = reader.schema();
        let columns = columns
            .iter()
            .enumerate()
            .map(|(position, &column)| {
                let field = &file.schema.logical.fields[column];
                let as_dictionary = matches!(schema.field(position).data_type(), DataType::Dictionary(..));
                let specials = &file.schema.columns[column].specials;
                let form = match specials.is_empty() {
                    _ if as_dictionary => Form::Dictionary(SharedValues::default()),
                    true => Form::Plain,
                    false => Form::Special(specials.clone()),
                };
                OutputColumn { name: field.name.clone(), data_type: field.data_type.clone(), form }
            })
            .collect();
        Ok(Self { file: Arc::clone(file), row_group: morsel.row_group, reader, columns })
    }

    /// The next window, which has this many rows.
    ///
    /// # Errors
    /// Pages that are not valid, or fewer rows than the footer promises.
    pub(super) fn next(&mut self, rows: usize) -> Result<Vec<Column>> {
        let (file, row_group) = (Arc::clone(&self.file), self.row_group);
        let place = move || file.place().part("row group", row_group);
        decoded(place, "Parquet", || match self.reader.next() {
            Some(batch) => {
                let batch = batch?;
                if batch.num_rows() != rows {
                    let found = batch.num_rows();
                    return Err(ParquetError::EOF(format!(
                        "{} rows are missing from the pages",
                        rows - found
                    )));
                }
                finish(&batch, &mut self.columns)
            }
            None => Err(ParquetError::EOF(format!("{rows} rows are missing from the pages"))),
        })
    }
}

fn reader_of(
    file: &ParquetFile,
    columns: &[usize],
    morsel: &RowGroupMorsel,
    batch_rows: usize,
    pool: &Arc<BufferPool>,
) -> ParquetResult<ParquetRecordBatchReader> {
    let projected = file.schema.project(columns)?;
    let metadata = Arc::new(narrowed(file, &projected, morsel)?);
    check_dictionaries(&Arc::new(windows(&file.local, pool, &metadata)?), &metadata)?;
    let windows = windows(&file.local, pool, &metadata)?;
    let group = file.metadata.row_group(morsel.row_group);
    let as_dictionary: Vec<bool> = columns
        .iter()
        .map(|&column| {
            let column = &file.schema.columns[column];
            column.is_bytes
                && column
                    .leaves
                    .first()
                    .and_then(|&leaf| group.columns().get(leaf))
                    .is_some_and(is_dictionary_only)
        })
        .collect();
    let asked = ArrowReaderOptions::new().with_schema(file.schema.asked(columns, &as_dictionary));
    // A form that the decoder does not give is left to it, and brought to the logical form afterwards.
    let arrow = ArrowReaderMetadata::try_new(Arc::clone(&metadata), asked)
        .or_else(|_| ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new()))?;
    let rows = file.row_group_rows(morsel.row_group);
    let all = 0..rows;
    // Told which rows it is to read, the reader never looks for one behind the last, whatever the size of batches.
    let ranges = morsel.ranges.clone().unwrap_or_else(|| vec![all]);
    ParquetRecordBatchReaderBuilder::new_with_metadata(windows, arrow)
        .with_batch_size(batch_rows)
        .with_row_selection(RowSelection::from_consecutive_ranges(ranges.into_iter(), rows))
        .build()
}

fn finish(batch: &RecordBatch, columns: &mut [OutputColumn]) -> ParquetResult<Vec<Column>> {
    batch
        .columns()
        .iter()
        .zip(columns)
        .map(|(array, column)| {
            let converted = match &mut column.form {
                Form::Dictionary(shared) => return shared.share(array, &column.data_type),
                Form::Plain => to_column(array, &column.data_type),
                Form::Special(specials) => {
                    with_meanings(array, specials).and_then(|array| to_column(&array, &column.data_type))
                }
            };
            converted.map_err(|error| ParquetError::General(format!("column \"{}\": {error}", column.name)))
        })
        .collect()
}

/// The footer of a file with one row group and the asked columns only.
fn narrowed(
    file: &ParquetFile,
    projected: &Projected,
    morsel: &RowGroupMorsel,
) -> ParquetResult<ParquetMetaData> {
    let group = file.metadata.row_group(morsel.row_group);
    let chunks: Vec<ColumnChunkMetaData> = projected
        .leaves
        .iter()
        .map(|&leaf| {
            let chunk = group.columns().get(leaf).ok_or_else(|| {
                ParquetError::General(format!(
                    "the row group has {} column chunks, fewer than the schema has columns",
                    group.num_columns()
                ))
            })?;
            match chunk.file_path() {
                Some(other) => Err(ParquetError::NYI(format!("column chunks in another file (\"{other}\")"))),
                None => Ok(chunk.clone()),
            }
        })
        .collect::<ParquetResult<_>>()?;
    let pages = match &morsel.ranges {
        Some(_) => {
            let pages = chunks
                .iter()
                .map(|chunk| page_locations(&file.local, chunk))
                .collect::<ParquetResult<_>>()?;
            Some(Arc::new(Pages(pages)) as Arc<dyn PageIndexProvider>)
        }
        None => None,
    };
    let narrowed = RowGroupMetaData::builder(Arc::clone(&projected.descriptor))
        .set_num_rows(group.num_rows())
        .set_column_metadata(chunks)
        .build()?;
    let footer = FileMetaData::new(1, group.num_rows(), None, None, Arc::clone(&projected.descriptor), None);
    Ok(ParquetMetaDataBuilder::new(footer).set_row_groups(vec![narrowed]).set_page_index(pages).build())
}

/// One window of the file for each of the chunks.
fn windows(
    local: &Arc<LocalFile>,
    pool: &Arc<BufferPool>,
    metadata: &ParquetMetaData,
) -> ParquetResult<ChunkWindows> {
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let ranges: Vec<Range<u64>> = chunks
        .map(|chunk| {
            let (start, length) = chunk.byte_range();
            match start.checked_add(length) {
                Some(end) if end <= local.len() => Ok(start..end),
                _ => Err(ParquetError::EOF(format!(
                    "the chunk of column {} is said to be {length} bytes at byte {start}, the file has {} bytes",
                    chunk.column_path(),
                    local.len()
                ))),
            }
        })
        .collect::<ParquetResult<_>>()?;
    Ok(ChunkWindows::new(local, pool, ranges, 1.0))
}

/// Where the pages of the asked chunks lie; only known, and only wanted, where rows are skipped.
#[derive(Debug)]
struct Pages(Vec<Option<OffsetIndexMetaData>>);

impl PageIndexProvider for Pages {
    fn has_offset_indexes(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }

    fn has_column_indexes(&self) -> bool {
        false
    }

    fn column_index(&self, _row_group: usize, _column: usize) -> Option<&ColumnIndexMetaData> {
        None
    }

    fn offset_index(&self, _row_group: usize, column: usize) -> Option<&OffsetIndexMetaData> {
        self.0.get(column)?.as_ref()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

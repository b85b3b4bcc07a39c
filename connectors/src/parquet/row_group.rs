//! Reads the asked columns of one row group in batches.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::DataType;
use hypostyle_functions::Type;
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
use super::file::{ParquetFile, RowGroupMorsel};
use super::prune::page_locations;
use super::schema::Projected;
use super::special::Special;
use crate::arrow_form::to_column;
use crate::batch::FileBatch;
use crate::error::{Place, Result, decoded};
use crate::input::LocalFile;

/// A reader over one morsel. Every batch has the asked columns, in the order asked, in logical form;
/// text that is a dictionary on disk comes as one.
pub struct RowGroupReader {
    file: Arc<ParquetFile>,
    row_group: usize,
    reader: Option<ParquetRecordBatchReader>,
    columns: Vec<OutputColumn>,
    batch_rows: usize,
    rows_left: usize,
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
    Special(Special),
}

impl RowGroupReader {
    pub(super) fn open(
        file: &Arc<ParquetFile>,
        projected: &Projected,
        columns: &[usize],
        morsel: &RowGroupMorsel,
        batch_rows: usize,
    ) -> Result<Self> {
        let place = || file.place().part("row group", morsel.row_group);
        let reader = if columns.is_empty() {
            None
        } else {
            Some(decoded(place, "Parquet", || reader_of(file, projected, columns, morsel, batch_rows))?)
        };
        let decoded_schema = reader.as_ref().map(RecordBatchReader::schema);
        let columns = columns
            .iter()
            .enumerate()
            .map(|(position, &column)| {
                let field = &file.schema.logical.fields[column];
                let as_dictionary = decoded_schema.as_ref().is_some_and(|schema| {
                    matches!(schema.field(position).data_type(), DataType::Dictionary(..))
                });
                let form = match file.schema.columns[column].special {
                    _ if as_dictionary => Form::Dictionary(SharedValues::default()),
                    Some(special) => Form::Special(special),
                    None => Form::Plain,
                };
                OutputColumn { name: field.name.clone(), data_type: field.data_type.clone(), form }
            })
            .collect();
        Ok(Self {
            file: Arc::clone(file),
            row_group: morsel.row_group,
            reader,
            columns,
            batch_rows,
            rows_left: morsel.rows,
        })
    }

    /// The next batch; `None` after the last.
    ///
    /// # Errors
    /// Pages that are not valid, or fewer rows than the footer promises.
    pub fn next_batch(&mut self) -> Result<Option<FileBatch>> {
        if self.rows_left == 0 {
            return Ok(None);
        }
        let (file, row_group) = (Arc::clone(&self.file), self.row_group);
        let place = move || file.place().part("row group", row_group);
        let batch = decoded(place, "Parquet", || match &mut self.reader {
            None => Ok(FileBatch { columns: Vec::new(), rows: self.rows_left.min(self.batch_rows) }),
            Some(reader) => match reader.next() {
                Some(batch) => finish(&batch?, &mut self.columns),
                None => Err(ParquetError::EOF(format!("{} rows are missing from the pages", self.rows_left))),
            },
        })?;
        self.rows_left = self.rows_left.saturating_sub(batch.rows);
        Ok(Some(batch))
    }

    /// The file and row group, for messages.
    pub fn place(&self) -> Place {
        self.file.place().part("row group", self.row_group)
    }
}

fn reader_of(
    file: &ParquetFile,
    projected: &Projected,
    columns: &[usize],
    morsel: &RowGroupMorsel,
    batch_rows: usize,
) -> ParquetResult<ParquetRecordBatchReader> {
    let metadata = Arc::new(narrowed(file, projected, morsel)?);
    let windows = windows(&file.local, &metadata)?;
    let group = file.metadata.row_group(morsel.row_group);
    let as_dictionary: Vec<bool> = columns
        .iter()
        .map(|&column| {
            let column = &file.schema.columns[column];
            column.is_bytes && group.columns().get(column.leaves.start).is_some_and(is_dictionary_only)
        })
        .collect();
    let asked = ArrowReaderOptions::new().with_schema(file.schema.asked(columns, &as_dictionary));
    // A form that the decoder does not give is left to it, and brought to the logical form afterwards.
    let arrow = ArrowReaderMetadata::try_new(Arc::clone(&metadata), asked)
        .or_else(|_| ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new()))?;
    let mut builder =
        ParquetRecordBatchReaderBuilder::new_with_metadata(windows, arrow).with_batch_size(batch_rows);
    if let Some(ranges) = &morsel.ranges {
        let rows = file.row_group_rows(morsel.row_group);
        builder =
            builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges.iter().cloned(), rows));
    }
    builder.build()
}

fn finish(batch: &RecordBatch, columns: &mut [OutputColumn]) -> ParquetResult<FileBatch> {
    let columns = batch
        .columns()
        .iter()
        .zip(columns)
        .map(|(array, column)| {
            let converted = match &mut column.form {
                Form::Dictionary(shared) => return shared.share(array, &column.data_type),
                Form::Plain => to_column(array, &column.data_type),
                Form::Special(special) => special.convert(array),
            };
            converted.map_err(|error| ParquetError::General(format!("column \"{}\": {error}", column.name)))
        })
        .collect::<ParquetResult<_>>()?;
    Ok(FileBatch { columns, rows: batch.num_rows() })
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
fn windows(local: &Arc<LocalFile>, metadata: &ParquetMetaData) -> ParquetResult<ChunkWindows> {
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
    Ok(ChunkWindows::new(local, ranges))
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

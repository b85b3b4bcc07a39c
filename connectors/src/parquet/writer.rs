//! Writes batches as a Parquet file.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, FixedSizeBinaryBuilder, IntervalMonthDayNanoArray, RecordBatch, RecordBatchOptions,
};
use arrow::datatypes::{
    DataType, FieldRef, IntervalMonthDayNanoType, IntervalUnit, Schema, SchemaRef, TimeUnit,
};
use arrow::error::ArrowError;
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, encode_arrow_schema};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::arrow_form::{cast_strictly, exchange_form, with_children};
use crate::error::{Error, Place, Result};
use crate::leaves::{array_with_leaves, type_with_leaves};
use crate::output::Target;

/// Bytes of an interval.
const INTERVAL_BYTES: i32 = 12;

/// How the pages of a written file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParquetCompression {
    /// Not at all.
    None,
    /// Snappy: fast, and read by everything.
    #[default]
    Snappy,
    /// Gzip at its default level.
    Gzip,
    /// Zstandard, at a level from 1 to 22.
    Zstd(i32),
    /// LZ4 without a frame.
    Lz4,
    /// Brotli at its default level.
    Brotli,
}

/// What a user can choose of a written file.
#[derive(Debug, Clone)]
pub struct ParquetWriteOptions {
    /// Compression of pages.
    pub compression: ParquetCompression,
    /// Rows of a row group.
    pub row_group_rows: usize,
    /// Bytes of a row group, as far as they can be told before it is closed.
    pub row_group_bytes: usize,
    /// Whether to try dictionaries.
    pub dictionary: bool,
    /// Columns that get a bloom filter in each row group.
    pub bloom_filters: Vec<String>,
}

impl Default for ParquetWriteOptions {
    fn default() -> Self {
        Self {
            compression: ParquetCompression::default(),
            row_group_rows: 122_880 * 4,
            row_group_bytes: 128 << 20,
            dictionary: true,
            bloom_filters: Vec::new(),
        }
    }
}

/// Writes one file. Dropped before [`ParquetWriter::finish`], it leaves nothing behind.
pub struct ParquetWriter {
    writer: ArrowWriter<Target>,
    schema: SchemaRef,
    place: Place,
}

impl ParquetWriter {
    /// Opens `path` for batches of `schema`.
    ///
    /// # Errors
    /// The system's refusal, or a column that Parquet cannot hold.
    pub fn create(path: &Path, schema: &Schema, options: &ParquetWriteOptions) -> Result<Self> {
        let place = Place::file(path.display().to_string());
        let form = |field: &FieldRef, form: DataType| Arc::new(field.as_ref().clone().with_data_type(form));
        let mut fields: Vec<FieldRef> = Vec::with_capacity(schema.fields().len());
        let mut marked: Vec<FieldRef> = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let written = written_form(field.data_type());
            let with_intervals = |wanted: DataType| {
                type_with_leaves(&written, &mut |leaf| match leaf {
                    DataType::Interval(_) => wanted.clone(),
                    other => other.clone(),
                })
            };
            fields.push(form(field, with_intervals(DataType::FixedSizeBinary(INTERVAL_BYTES))));
            // This unit makes a column of Parquet's intervals, whose bytes are then written as they are.
            marked.push(form(field, with_intervals(DataType::Interval(IntervalUnit::DayTime))));
        }
        let schema = Arc::new(Schema::new(fields));
        let stored = ArrowSchemaConverter::new().convert(&Schema::new(marked));
        let arrow_options = ArrowWriterOptions::new()
            .with_properties(properties(&schema, options))
            .with_parquet_schema(stored.map_err(|error| failed(&place, error))?)
            .with_skip_arrow_metadata(true);
        let target = Target::create(path)?;
        let writer = ArrowWriter::try_new_with_options(target, Arc::clone(&schema), arrow_options)
            .map_err(|error| failed(&place, error))?;
        Ok(Self { writer, schema, place })
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// The system's refusal, such as a full disk.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(array, field)| {
                let is_interval = |data_type: &DataType| matches!(data_type, DataType::Interval(_));
                match contains(array.data_type(), &is_interval) {
                    true => cast_strictly(&with_interval_bytes(array)?, field.data_type()),
                    false => cast_strictly(array, field.data_type()),
                }
            })
            .collect::<Result<_, _>>()
            .map_err(|error| failed(&self.place, error.into()))?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        let batch = batch.map_err(|error| failed(&self.place, error.into()))?;
        self.writer.write(&batch).map_err(|error| failed(&self.place, error))
    }

    /// Bytes that the writer holds in memory.
    pub fn memory_bytes(&self) -> usize {
        self.writer.memory_size()
    }

    /// Writes the footer and gives the file its name.
    ///
    /// # Errors
    /// The system's refusal; nothing is left behind then.
    pub fn finish(self) -> Result<()> {
        let place = self.place;
        self.writer.into_inner().map_err(|error| failed(&place, error))?.commit()
    }
}

fn properties(schema: &SchemaRef, options: &ParquetWriteOptions) -> WriterProperties {
    // The Arrow schema tells readers what Parquet cannot: fixed-size lists, time zones.
    let arrow_schema = KeyValue::new(ARROW_SCHEMA_META_KEY.to_string(), encode_arrow_schema(schema));
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("hypostyle version {}", env!("CARGO_PKG_VERSION")))
        .set_compression(codec(options.compression))
        .set_dictionary_enabled(options.dictionary)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
        .set_max_row_group_bytes(Some(options.row_group_bytes.max(1)))
        .set_key_value_metadata(Some(vec![arrow_schema]));
    for column in &options.bloom_filters {
        builder = builder.set_column_bloom_filter_enabled(column.as_str().into(), true);
    }
    builder.build()
}

fn codec(compression: ParquetCompression) -> Compression {
    match compression {
        ParquetCompression::None => Compression::UNCOMPRESSED,
        ParquetCompression::Snappy => Compression::SNAPPY,
        ParquetCompression::Gzip => Compression::GZIP(GzipLevel::default()),
        ParquetCompression::Zstd(level) => Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default()),
        ParquetCompression::Lz4 => Compression::LZ4_RAW,
        ParquetCompression::Brotli => Compression::BROTLI(Default::default()),
    }
}

/// The Arrow type to write: seconds, which Parquet lacks, become milliseconds.
fn written_form(data_type: &DataType) -> DataType {
    match exchange_form(data_type) {
        DataType::Timestamp(TimeUnit::Second, zone) => DataType::Timestamp(TimeUnit::Millisecond, zone),
        other => with_children(&other, &|field| {
            Arc::new(field.as_ref().clone().with_data_type(written_form(field.data_type())))
        }),
    }
}

/// Intervals as Parquet has them: months, days and milliseconds, each as a number without sign; what is left of a
/// millisecond is dropped, as the reference dialect does.
fn interval_bytes(intervals: &IntervalMonthDayNanoArray) -> Result<ArrayRef, ArrowError> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(intervals.len(), INTERVAL_BYTES);
    for interval in intervals {
        let Some(interval) = interval else {
            builder.append_null();
            continue;
        };
        let parts = [i64::from(interval.months), i64::from(interval.days), interval.nanoseconds / 1_000_000];
        let mut bytes = [0; INTERVAL_BYTES as usize];
        for (part, bytes) in parts.into_iter().zip(bytes.chunks_exact_mut(4)) {
            let part = u32::try_from(part).map_err(|_| {
                ArrowError::InvalidArgumentError(
                    "Parquet holds no negative intervals, and no more than 49 days of time; write it as VARCHAR"
                        .into(),
                )
            })?;
            bytes.copy_from_slice(&part.to_le_bytes());
        }
        builder.append_value(bytes)?;
    }
    Ok(Arc::new(builder.finish()))
}

/// The array with its intervals as bytes, wherever they stand.
fn with_interval_bytes(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    array_with_leaves(array, &mut |leaf| match leaf.as_primitive_opt::<IntervalMonthDayNanoType>() {
        Some(intervals) => interval_bytes(intervals),
        None => Ok(Arc::clone(leaf)),
    })
}

fn contains(data_type: &DataType, wanted: &dyn Fn(&DataType) -> bool) -> bool {
    wanted(data_type)
        || match data_type {
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::FixedSizeList(field, _)
            | DataType::Map(field, _) => contains(field.data_type(), wanted),
            DataType::Struct(fields) => fields.iter().any(|field| contains(field.data_type(), wanted)),
            _ => false,
        }
}

fn failed(place: &Place, error: ParquetError) -> Error {
    let path = Path::new(&place.path);
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(system) => Error::system(path, "write", *system),
            Err(other) => Error::system(path, "write", std::io::Error::other(other)),
        },
        other => Error::system(path, "write", std::io::Error::other(other)),
    }
}

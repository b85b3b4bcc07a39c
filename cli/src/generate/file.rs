//! Writes generated tables as Parquet or CSV.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use hypostyle::Batch;
use hypostyle::files::csv::{CsvWriteOptions, CsvWriter};
use hypostyle::files::output::Target;
use indicatif::ProgressBar;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use super::parts::in_order;
use super::table::Table;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Format of a generated file.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FileFormat {
    /// Parquet, compressed with Snappy.
    Parquet,
    /// Comma-separated text with a header.
    Csv,
}

impl FileFormat {
    /// The usual end of a file name.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// How to write: threads, progress, cancellation.
pub(crate) struct Writing<'a> {
    /// Threads that make and encode parts.
    pub(crate) threads: u64,
    /// Advanced by the rows written.
    pub(crate) progress: &'a ProgressBar,
    /// Looked at between parts.
    pub(crate) interrupt: &'a Interrupt,
}

/// Writes a table to a file that appears when it is complete; returns its number of rows.
///
/// # Errors
/// The file cannot be written, or Ctrl-C was pressed.
pub(crate) fn write(table: &Table, path: &Path, format: FileFormat, writing: &Writing) -> Result<u64> {
    match format {
        FileFormat::Parquet => write_parquet(table, Target::create(path)?, writing),
        FileFormat::Csv => write_csv(table, path, writing),
    }
}

fn write_parquet(table: &Table, file: Target, writing: &Writing) -> Result<u64> {
    let mut properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    add_encoded_arrow_schema_to_metadata(&declared_schema(table), &mut properties);
    let properties = Arc::new(properties);
    let schema = ArrowSchemaConverter::new().schema_root("schema").convert(&table.schema)?;
    let mut writer = SerializedFileWriter::new(file, schema.root_schema_ptr(), properties)?;
    let row_groups = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&table.schema));
    let mut written = 0;
    in_order(
        table.parts,
        writing.threads,
        writing.interrupt,
        |part| encode_row_group(table, &row_groups, part),
        |(chunks, rows): (Vec<ArrowColumnChunk>, u64)| {
            let mut row_group = writer.next_row_group()?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut row_group)?;
            }
            row_group.close()?;
            written += rows;
            writing.progress.inc(rows);
            Ok(())
        },
    )?;
    writer.into_inner()?.commit()?;
    Ok(written)
}

/// The schema that readers see: it keeps the dimension of embeddings, which Parquet's own types do not hold, and
/// declares text as plain text, however it was made.
fn declared_schema(table: &Table) -> Schema {
    let declared = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8View => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
        _ => Arc::clone(field),
    };
    Schema::new(table.schema.fields().iter().map(declared).collect::<Vec<_>>())
}

fn encode_row_group(
    table: &Table,
    row_groups: &ArrowRowGroupWriterFactory,
    part: u64,
) -> Result<(Vec<ArrowColumnChunk>, u64)> {
    let mut columns = row_groups.create_column_writers(part as usize)?;
    let mut rows = 0;
    for batch in (table.part)(part) {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        let mut writers = columns.iter_mut();
        for (field, values) in table.schema.fields().iter().zip(batch.columns()) {
            for (leaf, writer) in compute_leaves(field, values)?.iter().zip(&mut writers) {
                writer.write(leaf)?;
            }
        }
    }
    let chunks = columns.into_iter().map(|column| column.close()).collect::<Result<Vec<_>, _>>()?;
    Ok((chunks, rows))
}

fn write_csv(table: &Table, path: &Path, writing: &Writing) -> Result<u64> {
    let schema =
        hypostyle::Schema::from_arrow(&table.schema).map_err(|error| Error::Encoding(error.to_string()))?;
    let mut writer = CsvWriter::create(path, &schema, CsvWriteOptions::default())?;
    let mut written = 0;
    in_order(
        table.parts,
        writing.threads,
        writing.interrupt,
        |part| (table.part)(part).collect::<Result<Vec<RecordBatch>, _>>().map_err(Into::into),
        |batches: Vec<RecordBatch>| {
            for batch in batches {
                let columns = Batch::import(&batch, &schema)
                    .map_err(|error| Error::Encoding(error.to_string()))?
                    .columns;
                writer.write(&columns, batch.num_rows())?;
                written += batch.num_rows() as u64;
                writing.progress.inc(batch.num_rows() as u64);
            }
            Ok(())
        },
    )?;
    writer.finish()?;
    Ok(written)
}

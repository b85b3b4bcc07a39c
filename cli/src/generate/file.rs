//! Writes generated tables as Parquet or CSV.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
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
use crate::output::atomic_file::AtomicFile;
use crate::output::csv::CsvEncoder;

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
    let file = AtomicFile::create(path)?;
    let written = match format {
        FileFormat::Parquet => write_parquet(table, file, writing),
        FileFormat::Csv => write_csv(table, file, writing),
    };
    let (file, rows) = written.map_err(|error| match error {
        Error::Output(source) => Error::file("cannot write", path, source),
        other => other,
    })?;
    file.commit()?;
    Ok(rows)
}

fn write_parquet(table: &Table, file: AtomicFile, writing: &Writing) -> Result<(AtomicFile, u64)> {
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
    Ok((writer.into_inner()?, written))
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

fn write_csv(table: &Table, mut file: AtomicFile, writing: &Writing) -> Result<(AtomicFile, u64)> {
    let encoder = CsvEncoder::comma();
    file.write_all(encoder.header(&table.schema).as_bytes()).map_err(Error::Output)?;
    let mut written = 0;
    in_order(
        table.parts,
        writing.threads,
        writing.interrupt,
        |part| encode_text(table, &encoder, part),
        |(text, rows): (String, u64)| {
            file.write_all(text.as_bytes()).map_err(Error::Output)?;
            written += rows;
            writing.progress.inc(rows);
            Ok(())
        },
    )?;
    Ok((file, written))
}

fn encode_text(table: &Table, encoder: &CsvEncoder, part: u64) -> Result<(String, u64)> {
    let mut text = String::new();
    let mut rows = 0;
    for batch in (table.part)(part) {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        encoder.encode(&batch, &mut text)?;
    }
    Ok((text, rows))
}

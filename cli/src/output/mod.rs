//! Results as they leave the program.

pub(crate) mod format;

mod cells;
mod markdown;
mod table;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use hypostyle::column::Column;
use hypostyle::files::arrow_ipc::{ArrowWriteOptions, ArrowWriter, IpcLayout};
use hypostyle::files::csv::{CsvWriteOptions, CsvWriter};
use hypostyle::files::json::{JsonWriteOptions, JsonWriter};
use hypostyle::files::output::Target;
use hypostyle::files::parquet::{ParquetWriteOptions, ParquetWriter};
use hypostyle::{Batch, Schema};

use crate::error::{Error, Result};
use format::Format;
use table::TableWriter;

/// Width of tables where the terminal's is not known.
const WIDTH_DEFAULT: usize = 120;

/// Where and how results are written.
pub(crate) struct Output {
    /// The format.
    pub(crate) format: Format,
    /// The file; standard output if there is none.
    path: Option<PathBuf>,
    /// Most characters of a line of a table.
    width: usize,
}

impl Output {
    /// Results in `format`, or else in the one that the file's name asks for, or else as a table on a terminal and
    /// as CSV elsewhere.
    pub(crate) fn new(format: Option<Format>, path: Option<PathBuf>) -> Self {
        let terminal = path.is_none() && std::io::stdout().is_terminal();
        let by_place = if terminal { Format::Table } else { Format::Csv };
        let format = format.or_else(|| path.as_deref().and_then(Format::of_path)).unwrap_or(by_place);
        let width = if terminal { terminal_width() } else { WIDTH_DEFAULT };
        Self { format, path, width }
    }

    /// Whether a progress bar on standard error would not run into rows on the same terminal.
    pub(crate) fn leaves_terminal_free(&self) -> bool {
        self.path.is_some()
            || matches!(self.format, Format::Table | Format::None)
            || !std::io::stdout().is_terminal()
    }

    /// Opens the output for one result.
    ///
    /// # Errors
    /// The file cannot be written, or the format does not hold a type.
    pub(crate) fn open(&self, schema: &SchemaRef) -> Result<ResultWriter> {
        let path = self.path.as_deref().unwrap_or(Path::new("-"));
        let delimited = |delimiter| CsvWriteOptions { delimiter, ..CsvWriteOptions::default() };
        let objects = |array| JsonWriteOptions { array, ..JsonWriteOptions::default() };
        let stream = if self.path.is_some() { IpcLayout::File } else { IpcLayout::Stream };
        let logical = Schema::from_arrow(schema).map_err(|error| Error::Encoding(error.to_string()))?;
        let ipc = ArrowWriteOptions { layout: stream, ..ArrowWriteOptions::default() };
        Ok(match self.format {
            Format::Table => {
                ResultWriter::Table(TableWriter::new(schema.clone(), self.width), Target::create(path)?)
            }
            Format::Markdown => {
                let mut target = Target::create(path)?;
                target
                    .write_all(markdown::header(schema).as_bytes())
                    .map_err(|error| target.failed(error))?;
                ResultWriter::Markdown(target)
            }
            Format::Csv => ResultWriter::Csv(CsvWriter::create(path, &logical, delimited(b','))?, logical),
            Format::Tsv => ResultWriter::Csv(CsvWriter::create(path, &logical, delimited(b'\t'))?, logical),
            Format::Json => ResultWriter::Json(JsonWriter::create(path, &logical, objects(true))?, logical),
            Format::Ndjson => {
                ResultWriter::Json(JsonWriter::create(path, &logical, objects(false))?, logical)
            }
            Format::Parquet => {
                ResultWriter::Parquet(ParquetWriter::create(path, schema, &ParquetWriteOptions::default())?)
            }
            Format::Arrow => ResultWriter::Arrow(ArrowWriter::create(path, schema, ipc)?),
            Format::None => ResultWriter::None,
        })
    }
}

/// The columns of a batch as the engine holds them.
fn columns(batch: &RecordBatch, schema: &Schema) -> Result<Vec<Column>> {
    Ok(Batch::import(batch, schema).map_err(|error| Error::Encoding(error.to_string()))?.columns)
}

/// One result on its way out; dropped before [`ResultWriter::finish`], a file leaves nothing behind.
pub(crate) enum ResultWriter {
    Table(TableWriter, Target),
    Markdown(Target),
    Csv(CsvWriter, Schema),
    Json(JsonWriter, Schema),
    Parquet(ParquetWriter),
    Arrow(ArrowWriter),
    None,
}

impl ResultWriter {
    /// Adds rows.
    ///
    /// # Errors
    /// The output refuses bytes, or a value has no form in the format.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Table(table, _) => table.push(batch),
            Self::Markdown(target) => {
                let mut text = String::new();
                markdown::encode(batch, &mut text)?;
                target.write_all(text.as_bytes()).map_err(|error| target.failed(error))?;
            }
            Self::Csv(writer, schema) => writer.write(&columns(batch, schema)?, batch.num_rows())?,
            Self::Json(writer, schema) => writer.write(&columns(batch, schema)?, batch.num_rows())?,
            Self::Parquet(writer) => writer.write(batch)?,
            Self::Arrow(writer) => writer.write(batch)?,
            Self::None => {}
        }
        Ok(())
    }

    /// Completes the output.
    ///
    /// # Errors
    /// As [`ResultWriter::write`].
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Table(table, mut target) => {
                table.finish(&mut target)?;
                target.commit()?;
            }
            Self::Markdown(target) => target.commit()?,
            Self::Csv(writer, _) => writer.finish()?,
            Self::Json(writer, _) => writer.finish()?,
            Self::Parquet(writer) => writer.finish()?,
            Self::Arrow(writer) => writer.finish()?,
            Self::None => {}
        }
        Ok(())
    }
}

fn terminal_width() -> usize {
    comfy_table::Table::new().width().map_or(WIDTH_DEFAULT, usize::from)
}

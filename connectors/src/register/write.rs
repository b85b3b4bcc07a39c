//! The writers of `COPY ... TO`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use hypostyle_engine::table::{TableWriter, WriterFactory};
use hypostyle_engine::{Batch, Context};
use hypostyle_functions::{Literal, Schema};

use super::partitioned::{PartitionedWriter, is_partitioned};
use crate::arrow_ipc::{ArrowWriteOptions, ArrowWriter, IpcCompression, IpcLayout};
use crate::csv::{CsvWriteOptions, CsvWriter};
use crate::error::{Error, Result};
use crate::input::Compression;
use crate::json::{JsonWriteOptions, JsonWriter};
use crate::options::Options;
use crate::parquet::{ParquetCompression, ParquetWriteOptions, ParquetWriter};

/// Opens files of one format for writing.
#[derive(Clone)]
pub struct FileWriterFactory {
    format: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Parquet,
    Csv(u8),
    Json { array: bool },
    Arrow(IpcLayout),
}

/// All of them.
pub fn writers() -> Vec<FileWriterFactory> {
    let writer = |format, kind| FileWriterFactory { format, kind };
    vec![
        writer("parquet", Kind::Parquet),
        writer("csv", Kind::Csv(b',')),
        writer("tsv", Kind::Csv(b'\t')),
        writer("json", Kind::Json { array: false }),
        writer("ndjson", Kind::Json { array: false }),
        writer("arrow", Kind::Arrow(IpcLayout::File)),
        writer("arrows", Kind::Arrow(IpcLayout::Stream)),
    ]
}

impl FileWriterFactory {
    /// The file of a partition in its directory: the first, or the first that is not there yet.
    pub(super) fn file_in(&self, folder: &Path, is_new: bool) -> PathBuf {
        let numbered = |number: usize| folder.join(format!("data_{number}.{}", self.format));
        let mut number = 0;
        while is_new && numbered(number).exists() {
            number += 1;
        }
        numbered(number)
    }
}

impl WriterFactory for FileWriterFactory {
    fn format(&self) -> &str {
        self.format
    }

    fn open(
        &self,
        path: &str,
        schema: &Schema,
        options: &[(String, Literal)],
        context: &Arc<Context>,
    ) -> hypostyle_engine::Result<Box<dyn TableWriter>> {
        if is_partitioned(options) {
            let writer = PartitionedWriter::open(Path::new(path), self.clone(), schema, options, context)?;
            return Ok(Box::new(writer));
        }
        let arrow = Arc::new(schema.to_arrow());
        let options = Options::new("COPY", options)?;
        let path = Path::new(path);
        Ok(match self.kind {
            Kind::Parquet => Box::new(Writer { sink: parquet(path, &arrow, options)?, schema: arrow }),
            Kind::Csv(delimiter) => {
                Box::new(Writer { sink: csv(path, schema, options, delimiter)?, schema: arrow })
            }
            Kind::Json { array } => {
                Box::new(Writer { sink: json(path, schema, options, array)?, schema: arrow })
            }
            Kind::Arrow(layout) => {
                Box::new(Writer { sink: ipc(path, &arrow, options, layout)?, schema: arrow })
            }
        })
    }
}

/// A writer of any format, fed with flat columns.
struct Writer {
    sink: Sink,
    schema: SchemaRef,
}

enum Sink {
    Parquet(Box<ParquetWriter>),
    Csv(CsvWriter),
    Json(JsonWriter),
    Arrow(Box<ArrowWriter>),
}

impl TableWriter for Writer {
    fn write(&mut self, batch: &Batch) -> hypostyle_engine::Result<()> {
        match &mut self.sink {
            Sink::Parquet(writer) => writer.write(&batch.export(&self.schema)?)?,
            Sink::Arrow(writer) => writer.write(&batch.export(&self.schema)?)?,
            Sink::Csv(writer) => writer.write(&batch.columns, batch.rows)?,
            Sink::Json(writer) => writer.write(&batch.columns, batch.rows)?,
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> hypostyle_engine::Result<()> {
        match self.sink {
            Sink::Parquet(writer) => writer.finish()?,
            Sink::Csv(writer) => writer.finish()?,
            Sink::Json(writer) => writer.finish()?,
            Sink::Arrow(writer) => writer.finish()?,
        }
        Ok(())
    }
}

fn parquet(path: &Path, schema: &ArrowSchema, mut options: Options<'_>) -> Result<Sink> {
    let level = options.count(&["compression_level"])?;
    let mut write = ParquetWriteOptions::default();
    if let Some(name) = options.text(&["compression", "codec"])? {
        write.compression = match name.to_ascii_lowercase().as_str() {
            "none" | "uncompressed" => ParquetCompression::None,
            "snappy" => ParquetCompression::Snappy,
            "gzip" => ParquetCompression::Gzip,
            "zstd" => {
                ParquetCompression::Zstd(level.and_then(|level| i32::try_from(level).ok()).unwrap_or(3))
            }
            "lz4" | "lz4_raw" => ParquetCompression::Lz4,
            "brotli" => ParquetCompression::Brotli,
            other => {
                let problem =
                    format!("\"{other}\" is not known; use snappy, zstd, gzip, lz4, brotli or none");
                return Err(Error::option("COPY", "compression", problem));
            }
        };
    }
    if let Some(rows) = options.count(&["row_group_size", "row_group_rows"])? {
        write.row_group_rows = rows;
    }
    if let Some(bytes) = options.count(&["row_group_size_bytes", "row_group_bytes"])? {
        write.row_group_bytes = bytes;
    }
    write.dictionary = options.boolean(&["dictionary"])?.unwrap_or(true);
    write.bloom_filters = options.texts(&["bloom_filter", "bloom_filters"])?;
    options.finish()?;
    Ok(Sink::Parquet(Box::new(ParquetWriter::create(path, schema, &write)?)))
}

fn csv(path: &Path, schema: &Schema, mut options: Options<'_>, delimiter: u8) -> Result<Sink> {
    let mut write = CsvWriteOptions { delimiter, ..CsvWriteOptions::default() };
    if let Some(Some(byte)) = options.byte(&["delim", "sep", "delimiter", "separator"])? {
        write.delimiter = byte;
    }
    if let Some(Some(byte)) = options.byte(&["quote"])? {
        write.quote = byte;
        write.escape = byte;
    }
    if let Some(Some(byte)) = options.byte(&["escape"])? {
        write.escape = byte;
    }
    write.header = options.boolean(&["header"])?.unwrap_or(true);
    write.quote_all = options.boolean(&["force_quote", "quote_all"])?.unwrap_or(false);
    if let Some(text) = options.text(&["nullstr", "null"])? {
        text.clone_into(&mut write.null_text);
    }
    write.compression = compression(&mut options)?;
    options.finish()?;
    Ok(Sink::Csv(CsvWriter::create(path, schema, write)?))
}

fn json(path: &Path, schema: &Schema, mut options: Options<'_>, array: bool) -> Result<Sink> {
    let array = options.boolean(&["array"])?.unwrap_or(array);
    let compression = compression(&mut options)?;
    options.finish()?;
    Ok(Sink::Json(JsonWriter::create(path, schema, JsonWriteOptions { array, compression })?))
}

fn ipc(path: &Path, schema: &ArrowSchema, mut options: Options<'_>, layout: IpcLayout) -> Result<Sink> {
    let compression = match options.text(&["compression"])?.map(str::to_ascii_lowercase).as_deref() {
        None | Some("none" | "uncompressed") => IpcCompression::None,
        Some("lz4" | "lz4_frame") => IpcCompression::Lz4,
        Some("zstd") => IpcCompression::Zstd,
        Some(other) => {
            let problem = format!("\"{other}\" is not known; use none, lz4 or zstd");
            return Err(Error::option("COPY", "compression", problem));
        }
    };
    let layout = match options.boolean(&["stream"])? {
        Some(true) => IpcLayout::Stream,
        Some(false) => IpcLayout::File,
        None => layout,
    };
    options.finish()?;
    Ok(Sink::Arrow(Box::new(ArrowWriter::create(path, schema, ArrowWriteOptions { layout, compression })?)))
}

fn compression(options: &mut Options<'_>) -> Result<Option<Compression>> {
    options.text(&["compression"])?.map_or(Ok(None), |name| Compression::parse("COPY", name))
}

//! Writes batches as an IPC file or stream.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

use crate::arrow_form::{cast_strictly, exchange_form};
use crate::error::{Error, Result};
use crate::output::Target;

/// With a footer or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IpcLayout {
    /// A footer at the end lets readers jump to any batch.
    #[default]
    File,
    /// Readable from the first byte on, as it is written.
    Stream,
}

/// Compression of buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IpcCompression {
    /// Not at all: readers can map the file.
    #[default]
    None,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// What a user can choose of a written file or stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct ArrowWriteOptions {
    /// File or stream.
    pub layout: IpcLayout,
    /// Compression of buffers.
    pub compression: IpcCompression,
}

/// Writes one file or stream. Dropped before [`ArrowWriter::finish`], a file leaves nothing behind.
pub struct ArrowWriter {
    writer: Writer,
    schema: SchemaRef,
}

enum Writer {
    File(FileWriter<Target>),
    Stream(StreamWriter<Target>),
}

impl ArrowWriter {
    /// Opens `path` for batches of `schema`.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create(path: &Path, schema: &Schema, options: ArrowWriteOptions) -> Result<Self> {
        let fields: Vec<FieldRef> = schema
            .fields()
            .iter()
            .map(|field| Arc::new(field.as_ref().clone().with_data_type(exchange_form(field.data_type()))))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let compression = match options.compression {
            IpcCompression::None => None,
            IpcCompression::Lz4 => Some(CompressionType::LZ4_FRAME),
            IpcCompression::Zstd => Some(CompressionType::ZSTD),
        };
        let failed = |error| failed(path, error);
        let ipc = IpcWriteOptions::default().try_with_compression(compression).map_err(failed)?;
        let target = Target::create(path)?;
        let writer = match options.layout {
            IpcLayout::File => FileWriter::try_new_with_options(target, &schema, ipc).map(Writer::File),
            IpcLayout::Stream => StreamWriter::try_new_with_options(target, &schema, ipc).map(Writer::Stream),
        };
        Ok(Self { writer: writer.map_err(failed)?, schema })
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// The system's refusal, such as a full disk.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let path = self.target().path().to_path_buf();
        let written = self.exchanged(batch).and_then(|batch| match &mut self.writer {
            Writer::File(writer) => writer.write(&batch),
            Writer::Stream(writer) => writer.write(&batch),
        });
        written.map_err(|error| failed(&path, error))
    }

    /// Hands on what is buffered, so that a reader of a stream sees it.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn flush(&mut self) -> Result<()> {
        let path = self.target().path().to_path_buf();
        let flushed = match &mut self.writer {
            Writer::File(writer) => writer.flush(),
            Writer::Stream(writer) => writer.flush(),
        };
        flushed.map_err(|error| failed(&path, error))
    }

    /// Writes the end and gives the file its name.
    ///
    /// # Errors
    /// The system's refusal; nothing is left behind then.
    pub fn finish(self) -> Result<()> {
        let path = self.target().path().to_path_buf();
        let target = match self.writer {
            Writer::File(writer) => writer.into_inner(),
            Writer::Stream(writer) => writer.into_inner(),
        };
        target.map_err(|error| failed(&path, error))?.commit()
    }

    fn target(&self) -> &Target {
        match &self.writer {
            Writer::File(writer) => writer.get_ref(),
            Writer::Stream(writer) => writer.get_ref(),
        }
    }

    fn exchanged(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(array, field)| cast_strictly(array, field.data_type()))
            .collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }
}

fn failed(path: &Path, error: ArrowError) -> Error {
    let source = match error {
        ArrowError::IoError(_, source) => source,
        other => std::io::Error::other(other),
    };
    Error::system(path, "write", source)
}

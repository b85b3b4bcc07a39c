//! One spill file: written batch by batch, then read once, or by several readers at a time.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use hypostyle_functions::column::{Column, flatten};
use tempfile::TempDir;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::table::Reader;

/// A file being written.
pub struct SpillWriter {
    path: PathBuf,
    _directory: Arc<TempDir>,
    stream: Stream,
}

enum Stream {
    Empty(File),
    Open(Box<StreamWriter<BufWriter<File>>>, SchemaRef),
}

impl SpillWriter {
    pub(super) fn create(path: PathBuf, directory: Arc<TempDir>) -> Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|error| {
            Error::Resource(format!("{}: cannot make a spill file: {error}", path.display()))
        })?;
        // An open file needs no name: without one its space is free again even after the process was killed.
        // Where the system keeps the names of open files, they go with the directory.
        let _ = std::fs::remove_file(&path);
        Ok(Self { path, _directory: directory, stream: Stream::Empty(file) })
    }

    /// Adds a batch; the number of bytes its buffers take.
    ///
    /// # Errors
    /// A full disk.
    pub fn write(&mut self, batch: &Batch) -> Result<u64> {
        let arrays = flatten(&batch.columns)?.into_iter().map(|array| compact(&array)).collect::<Vec<_>>();
        let bytes = arrays.iter().map(|array| array.get_array_memory_size() as u64).sum();
        if matches!(self.stream, Stream::Empty(_)) {
            self.open(&arrays)?;
        }
        let Stream::Open(writer, schema) = &mut self.stream else {
            return Err(Error::internal("a spill file was not opened"));
        };
        let options = RecordBatchOptions::new().with_row_count(Some(batch.rows));
        let batch_out = RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?;
        writer.write(&batch_out).map_err(|error| failed(&self.path, error))?;
        Ok(bytes)
    }

    fn open(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        let Stream::Empty(file) = &self.stream else { return Ok(()) };
        let file = file.try_clone().map_err(|error| failed(&self.path, error.into()))?;
        let fields: Vec<Field> = arrays
            .iter()
            .enumerate()
            .map(|(index, array)| Field::new(format!("c{index}"), array.data_type().clone(), true))
            .collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let writer = StreamWriter::try_new_with_options(BufWriter::new(file), &schema, options)
            .map_err(|error| failed(&self.path, error))?;
        self.stream = Stream::Open(Box::new(writer), schema);
        Ok(())
    }

    /// Ends writing.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(self) -> Result<SpillFile> {
        let file = match self.stream {
            Stream::Empty(_) => None,
            Stream::Open(mut writer, _) => {
                let at = |error: ArrowError| failed(&self.path, error);
                writer.finish().map_err(at)?;
                writer.get_mut().flush().map_err(|error| failed(&self.path, error.into()))?;
                let buffered = writer.into_inner().map_err(at)?;
                let mut file =
                    buffered.into_inner().map_err(|error| failed(&self.path, error.into_error().into()))?;
                file.seek(SeekFrom::Start(0)).map_err(|error| failed(&self.path, error.into()))?;
                Some(file)
            }
        };
        Ok(SpillFile { path: self.path, _directory: self._directory, file })
    }
}

/// A file that is written and not yet read.
pub struct SpillFile {
    path: PathBuf,
    _directory: Arc<TempDir>,
    file: Option<File>,
}

impl SpillFile {
    /// Reads the batches from the start.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn into_reader(self) -> Result<SpillReader> {
        let stream = match self.file {
            Some(file) => {
                let reader = StreamReader::try_new(BufReader::new(file), None);
                Some(reader.map_err(|error| failed(&self.path, error))?)
            }
            None => None,
        };
        Ok(SpillReader { path: self.path, _directory: self._directory, stream })
    }
}

impl SpillFile {
    /// A reader with a place of its own in the file, from the first batch; several may read at a time.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn cursor(&self) -> Result<Option<SpillCursor>> {
        let Some(file) = &self.file else { return Ok(None) };
        let file = file.try_clone().map_err(|error| failed(&self.path, error.into()))?;
        let stream = StreamReader::try_new(BufReader::new(FileAt { file, offset: 0 }), None)
            .map_err(|error| failed(&self.path, error))?;
        Ok(Some(SpillCursor { path: self.path.clone(), _directory: Arc::clone(&self._directory), stream }))
    }
}

/// A file read at offsets: its handles share a cursor, which is not used.
struct FileAt {
    file: File,
    offset: u64,
}

impl Read for FileAt {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// One reader among several of a spill file.
pub struct SpillCursor {
    path: PathBuf,
    _directory: Arc<TempDir>,
    stream: StreamReader<BufReader<FileAt>>,
}

impl Reader for SpillCursor {
    fn next(&mut self) -> Result<Option<Batch>> {
        self.stream.next().map(|batch| batch_of(batch, &self.path)).transpose()
    }
}

fn batch_of(batch: Result<RecordBatch, ArrowError>, path: &std::path::Path) -> Result<Batch> {
    let batch = batch.map_err(|error| failed(path, error))?;
    let columns = batch.columns().iter().map(|array| Column::Flat(Arc::clone(array))).collect();
    Ok(Batch::new(columns, batch.num_rows()))
}

/// The batches of a spill file, in the order they were written.
pub struct SpillReader {
    path: PathBuf,
    _directory: Arc<TempDir>,
    stream: Option<StreamReader<BufReader<File>>>,
}

impl SpillReader {
    /// The same file, from its first batch.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn rewound(self) -> Result<Self> {
        let file = match self.stream {
            Some(mut stream) => {
                let at = |error: std::io::Error| failed(&self.path, error.into());
                let mut file = stream.get_mut().get_ref().try_clone().map_err(at)?;
                file.seek(SeekFrom::Start(0)).map_err(at)?;
                Some(file)
            }
            None => None,
        };
        SpillFile { path: self.path, _directory: self._directory, file }.into_reader()
    }

    /// The next batch.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn next(&mut self) -> Result<Option<Batch>> {
        let Some(batch) = self.stream.as_mut().and_then(Iterator::next) else { return Ok(None) };
        batch_of(batch, &self.path).map(Some)
    }
}

fn failed(path: &std::path::Path, error: ArrowError) -> Error {
    let problem = match error {
        ArrowError::IoError(_, error) if error.kind() == std::io::ErrorKind::StorageFull => {
            "the disk is full; free space, raise the memory limit or name another temporary directory".into()
        }
        ArrowError::IoError(_, error) => error.to_string(),
        other => other.to_string(),
    };
    Error::Resource(format!("{}: spill file: {problem}", path.display()))
}

/// Text and binary views without bytes that no row uses: a slice would otherwise write all it shares.
fn compact(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::BinaryView => Arc::new(array.as_binary_view().gc()),
        _ => Arc::clone(array),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spill::SpillDirectory;
    use arrow::array::{Int64Array, StringViewArray};

    #[test]
    fn batches_come_back_in_order_and_the_file_has_no_name_left() {
        let parent = tempfile::tempdir().expect("a directory");
        let spill = SpillDirectory::new(Some(parent.path()));
        let mut writer = spill.create("sort").expect("a file");
        for start in [0i64, 3] {
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter(start..start + 3));
            let texts: ArrayRef = Arc::new(StringViewArray::from_iter(
                (0..3).map(|row| (row != 1).then(|| format!("a long text number {row}"))),
            ));
            writer.write(&Batch::new(vec![Column::Flat(numbers), Column::Flat(texts)], 3)).expect("written");
        }
        let file = writer.finish().expect("finished");
        assert_eq!(std::fs::read_dir(spill.path().expect("made")).expect("listed").count(), 0);
        let mut reader = file.into_reader().expect("opened");
        let first = reader.next().expect("read").expect("a batch");
        assert_eq!(
            first.columns[1].to_array().expect("flat").as_string_view().value(2),
            "a long text number 2"
        );
        let second = reader.next().expect("read").expect("a batch");
        assert_eq!(
            second.columns[0]
                .to_array()
                .expect("flat")
                .as_primitive::<arrow::datatypes::Int64Type>()
                .values(),
            &[3, 4, 5]
        );
        assert!(reader.next().expect("read").is_none());
    }

    #[test]
    fn an_empty_file_gives_no_batch() {
        let spill = SpillDirectory::new(None);
        let file = spill.create("join").expect("a file").finish().expect("finished");
        assert!(file.into_reader().expect("opened").next().expect("read").is_none());
    }
}

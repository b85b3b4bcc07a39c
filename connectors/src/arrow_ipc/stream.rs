//! An IPC stream: record batches one after the other, from a file, a pipe or standard input.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;

use crate::error::{Place, Result, decoded};
use crate::input::ByteStream;

/// A stream that is being read.
pub struct ArrowStream {
    name: String,
    reader: StreamReader<Box<dyn std::io::Read + Send>>,
    batches: usize,
}

impl ArrowStream {
    /// Reads the schema of a stream; `columns` are the positions to read, ascending, or all.
    ///
    /// # Errors
    /// A stream that does not begin with a schema.
    pub fn open(stream: ByteStream, columns: Option<&[usize]>) -> Result<Self> {
        let name = stream.name().to_owned();
        let reader: Box<dyn std::io::Read + Send> = Box::new(stream);
        let projection = columns.map(<[usize]>::to_vec);
        let reader =
            decoded(|| Place::file(&name), "Arrow IPC", || StreamReader::try_new(reader, projection))?;
        Ok(Self { name, reader, batches: 0 })
    }

    /// The schema as it was written; after a projection that of the columns read.
    pub fn schema(&self) -> SchemaRef {
        self.reader.schema()
    }

    /// The next record batch; `None` at the end.
    ///
    /// # Errors
    /// Bytes that are not valid, or a stream that was cut off.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let place = || Place::file(&self.name).part("record batch", self.batches);
        let batch = decoded(place, "Arrow IPC", || self.reader.next().transpose())?;
        self.batches += usize::from(batch.is_some());
        Ok(batch)
    }

    /// The stream and the batch to be read next, for messages.
    pub fn place(&self) -> Place {
        Place::file(&self.name).part("record batch", self.batches)
    }
}

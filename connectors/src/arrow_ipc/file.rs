//! An IPC file: its footer read once, each record batch read by its position.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::convert::try_fb_to_schema;
use arrow::ipc::reader::{FileDecoder, read_footer_length};
use arrow::ipc::{Block, MetadataVersion, root_as_footer};

use super::MAGIC;
use crate::error::{Place, Result, decoded};
use crate::input::LocalFile;

/// Bytes of the footer's length and the magic behind it.
const TRAILER_BYTES: usize = 10;

/// An open IPC file.
pub struct ArrowFile {
    local: Arc<LocalFile>,
    schema: SchemaRef,
    version: MetadataVersion,
    dictionaries: Vec<Block>,
    blocks: Vec<Block>,
}

impl ArrowFile {
    /// True if these are the first bytes of an IPC file.
    pub fn is_file(first: &[u8]) -> bool {
        first.starts_with(MAGIC)
    }

    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// The system's refusal, or a footer that is not valid.
    pub fn open(local: Arc<LocalFile>) -> Result<Self> {
        decoded(
            || local.place(),
            "Arrow IPC",
            || {
                let length = local.len();
                if length < (TRAILER_BYTES + MAGIC.len()) as u64 {
                    return Err(ArrowError::ParseError(format!(
                        "{length} bytes are too few for an IPC file"
                    )));
                }
                let trailer = local.read_exact_at(length - TRAILER_BYTES as u64, TRAILER_BYTES)?;
                let mut fixed = [0; TRAILER_BYTES];
                fixed.copy_from_slice(&trailer);
                let footer_bytes = read_footer_length(fixed)?;
                let start =
                    (length - TRAILER_BYTES as u64).checked_sub(footer_bytes as u64).ok_or_else(|| {
                        ArrowError::ParseError(format!(
                            "a footer of {footer_bytes} bytes in a file of {length}"
                        ))
                    })?;
                let bytes = local.read_exact_at(start, footer_bytes)?;
                let footer =
                    root_as_footer(&bytes).map_err(|error| ArrowError::ParseError(error.to_string()))?;
                let schema = footer
                    .schema()
                    .ok_or_else(|| ArrowError::ParseError("the footer has no schema".into()))?;
                Ok(Self {
                    schema: Arc::new(try_fb_to_schema(schema)?),
                    version: footer.version(),
                    dictionaries: footer.dictionaries().iter().flatten().copied().collect(),
                    blocks: footer.recordBatches().iter().flatten().copied().collect(),
                    local: Arc::clone(&local),
                })
            },
        )
    }

    /// The schema as it was written.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Number of record batches.
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// Bytes of a record batch in the file.
    pub fn block_bytes(&self, index: usize) -> u64 {
        self.blocks.get(index).map_or(0, |block| u64::try_from(block.bodyLength()).unwrap_or(0))
    }

    /// Reads the dictionaries; what comes back reads record batches.
    ///
    /// # Errors
    /// Dictionaries that are not valid.
    pub fn reader(self: &Arc<Self>, columns: &[usize]) -> Result<BlockReader> {
        let mut decoder =
            FileDecoder::new(Arc::clone(&self.schema), self.version).with_projection(columns.to_vec());
        decoded(
            || self.local.place(),
            "Arrow IPC",
            || {
                for block in &self.dictionaries {
                    decoder.read_dictionary(block, &self.read(block)?)?;
                }
                Ok::<_, ArrowError>(())
            },
        )?;
        Ok(BlockReader { file: Arc::clone(self), decoder })
    }

    fn read(&self, block: &Block) -> Result<Buffer, ArrowError> {
        let negative = || ArrowError::ParseError("a block of negative position or length".into());
        let offset = u64::try_from(block.offset()).map_err(|_| negative())?;
        let metadata = usize::try_from(block.metaDataLength()).map_err(|_| negative())?;
        let body = usize::try_from(block.bodyLength()).map_err(|_| negative())?;
        let length = metadata.checked_add(body).ok_or_else(negative)?;
        Ok(Buffer::from(self.local.read_exact_at(offset, length)?))
    }
}

/// Reads record batches by their position; shared by the workers of a scan.
pub struct BlockReader {
    file: Arc<ArrowFile>,
    decoder: FileDecoder,
}

impl BlockReader {
    /// The record batch at a position, with the asked columns in ascending order of their position.
    ///
    /// # Errors
    /// Bytes that are not valid.
    pub fn read(&self, index: usize) -> Result<Option<RecordBatch>> {
        decoded(
            || self.place(index),
            "Arrow IPC",
            || match self.file.blocks.get(index) {
                Some(block) => self.decoder.read_record_batch(block, &self.file.read(block)?),
                None => Ok(None),
            },
        )
    }

    /// Bytes of a record batch in the file.
    pub fn block_bytes(&self, index: usize) -> u64 {
        self.file.block_bytes(index)
    }

    /// A record batch as a place for messages.
    pub fn place(&self, index: usize) -> Place {
        self.file.local.place().part("record batch", index)
    }
}

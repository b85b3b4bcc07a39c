//! Cuts the bytes of a file into blocks of whole records.
//!
//! Blocks are cut one after the other by whoever asks for the next, and parsed in parallel. Finding the end of
//! a block is a search for quotes and line ends, many times faster than reading its values, and it is exact
//! for every dialect: nothing is guessed about what lies before a block.

use memchr::memchr_iter;

use super::dialect::Dialect;
use crate::error::{Error, Place, Result};
use crate::input::ByteStream;

/// First block of a file: small, so that a LIMIT reads little.
const BLOCK_BYTES_FIRST: usize = 64 << 10;
/// Block of a long file.
const BLOCK_BYTES_MAX: usize = 2 << 20;

/// Whole records of a file.
#[derive(Debug)]
pub struct CsvBlock {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Line of the file on which they begin, counted from 1.
    pub first_line: u64,
}

/// The blocks of one file.
pub struct Blocks {
    stream: ByteStream,
    dialect: Dialect,
    /// Bytes behind the last whole record.
    rest: Vec<u8>,
    block_bytes: usize,
    record_bytes_max: usize,
    line: u64,
    ended: bool,
    bytes_read: u64,
}

impl Blocks {
    /// Blocks of a stream that stands `skipped` bytes before the first record, on line `line`.
    pub fn new(stream: ByteStream, dialect: Dialect, record_bytes_max: usize) -> Self {
        Self {
            stream,
            dialect,
            rest: Vec::new(),
            block_bytes: BLOCK_BYTES_FIRST,
            record_bytes_max,
            line: 1,
            ended: false,
            bytes_read: 0,
        }
    }

    /// Skips what stands before the first record.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn skip(&mut self, mut bytes: usize, lines: u64) -> Result<()> {
        let mut buffer = vec![0; bytes.min(BLOCK_BYTES_FIRST)];
        while bytes > 0 {
            let wanted = bytes.min(buffer.len());
            let read = self.stream.fill(&mut buffer[..wanted])?;
            if read == 0 {
                self.ended = true;
                break;
            }
            bytes -= read;
            self.bytes_read += read as u64;
        }
        self.line += lines;
        Ok(())
    }

    /// Bytes taken from the stream so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The next block; `None` at the end of the file.
    ///
    /// # Errors
    /// The system's refusal, or a record that does not end.
    pub fn next_block(&mut self) -> Result<Option<CsvBlock>> {
        let mut bytes = std::mem::take(&mut self.rest);
        loop {
            if self.ended {
                return Ok((!bytes.is_empty()).then(|| self.block(bytes)));
            }
            let filled = bytes.len();
            bytes.resize(filled + self.block_bytes, 0);
            let read = self.stream.fill(&mut bytes[filled..])?;
            bytes.truncate(filled + read);
            self.bytes_read += read as u64;
            self.ended = read < self.block_bytes;
            self.block_bytes = (self.block_bytes * 2).min(BLOCK_BYTES_MAX);
            if self.ended {
                continue;
            }
            if let Some(end) = self.dialect.last_record_end(&bytes) {
                self.rest = bytes[end..].to_vec();
                bytes.truncate(end);
                return Ok(Some(self.block(bytes)));
            }
            if bytes.len() > self.record_bytes_max {
                let place = Place::file(self.stream.name()).line(self.line);
                return Err(Error::record(
                    place,
                    format!(
                        "a record of more than {} bytes begins here; is a quote left open? max_line_size raises the limit",
                        self.record_bytes_max
                    ),
                ));
            }
        }
    }

    fn block(&mut self, bytes: Vec<u8>) -> CsvBlock {
        let first_line = self.line;
        self.line += memchr_iter(self.dialect.line_end, &bytes).count() as u64;
        CsvBlock { bytes, first_line }
    }
}

//! Cuts the bytes of a file into blocks of whole records.
//!
//! Blocks are cut one after the other by whoever asks for the next, and parsed in parallel. Finding the end of a block
//! is many times faster than reading its values, and it is exact: nothing is guessed about what lies before a block.

use memchr::memchr_iter;

use super::ByteStream;
use crate::error::{Error, Place, Result};

/// First block of a file: small, so that a LIMIT reads little.
const BLOCK_BYTES_FIRST: usize = 64 << 10;

/// How a format tells where its records end.
pub trait Records {
    /// Bytes of a block of a long file.
    const BLOCK_BYTES_MAX: usize;

    /// The byte that ends a line.
    fn line_end(&self) -> u8;

    /// Blanks out what stands before the first record.
    fn enter(&self, _bytes: &mut [u8]) {}

    /// End of the last whole record in `bytes`, which begin between records; `None` if no record ends.
    fn last_end(&self, bytes: &[u8]) -> Option<usize>;

    /// What is said of a record longer than `bytes_max`, where it begins.
    fn too_long(&self, bytes_max: usize) -> String;
}

/// Whole records of a file.
#[derive(Debug)]
pub struct Block {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Line of the file on which they begin, counted from 1.
    pub first_line: u64,
}

/// The blocks of one file.
pub struct Blocks<R> {
    stream: ByteStream,
    records: R,
    /// Bytes behind the last whole record.
    rest: Vec<u8>,
    block_bytes: usize,
    record_bytes_max: usize,
    line: u64,
    at_start: bool,
    ended: bool,
    bytes_read: u64,
}

impl<R: Records> Blocks<R> {
    /// Blocks of a stream from its first byte on.
    pub fn new(stream: ByteStream, records: R, record_bytes_max: usize) -> Self {
        Self {
            stream,
            records,
            rest: Vec::new(),
            block_bytes: BLOCK_BYTES_FIRST,
            record_bytes_max,
            line: 1,
            at_start: true,
            ended: false,
            bytes_read: 0,
        }
    }

    /// Skips the bytes and lines that stand before the first record.
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
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.rest);
        loop {
            if self.ended {
                return Ok((!bytes.is_empty()).then(|| self.block(bytes)));
            }
            self.extend(&mut bytes)?;
            if self.ended {
                continue;
            }
            if let Some(end) = self.records.last_end(&bytes) {
                self.rest = bytes[end..].to_vec();
                bytes.truncate(end);
                return Ok(Some(self.block(bytes)));
            }
            if bytes.len() > self.record_bytes_max {
                let place = Place::file(self.stream.name()).line(self.line);
                return Err(Error::record(place, self.records.too_long(self.record_bytes_max)));
            }
        }
    }

    /// Reads on from the stream.
    fn extend(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let filled = bytes.len();
        bytes.resize(filled + self.block_bytes, 0);
        let read = self.stream.fill(&mut bytes[filled..])?;
        bytes.truncate(filled + read);
        self.bytes_read += read as u64;
        self.ended = read < self.block_bytes;
        self.block_bytes = (self.block_bytes * 2).min(R::BLOCK_BYTES_MAX);
        if std::mem::take(&mut self.at_start) {
            self.records.enter(bytes);
        }
        Ok(())
    }

    fn block(&mut self, bytes: Vec<u8>) -> Block {
        let first_line = self.line;
        self.line += memchr_iter(self.records.line_end(), &bytes).count() as u64;
        Block { bytes, first_line }
    }
}

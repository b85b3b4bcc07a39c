//! Cuts the bytes of a file into blocks of whole values, one after the other; they are parsed in parallel.

use super::layout::JsonLayout;
use crate::error::{Error, Place, Result};
use crate::input::ByteStream;

/// First block of a file: small, so that a LIMIT reads little.
const BLOCK_BYTES_FIRST: usize = 64 << 10;
/// Block of a long file.
const BLOCK_BYTES_MAX: usize = 1 << 20;

/// Whole values of a file.
#[derive(Debug)]
pub struct JsonBlock {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Line of the file on which they begin, counted from 1.
    pub first_line: u64,
}

/// The blocks of one file.
pub struct JsonBlocks {
    stream: ByteStream,
    layout: JsonLayout,
    /// Bytes behind the last whole value.
    rest: Vec<u8>,
    block_bytes: usize,
    value_bytes_max: usize,
    line: u64,
    at_start: bool,
    ended: bool,
    bytes_read: u64,
}

impl JsonBlocks {
    /// Blocks of a stream from its first byte on.
    pub fn new(stream: ByteStream, layout: JsonLayout, value_bytes_max: usize) -> Self {
        Self {
            stream,
            layout,
            rest: Vec::new(),
            block_bytes: BLOCK_BYTES_FIRST,
            value_bytes_max,
            line: 1,
            at_start: true,
            ended: false,
            bytes_read: 0,
        }
    }

    /// Bytes taken from the stream so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The next block; `None` at the end of the file.
    ///
    /// # Errors
    /// The system's refusal, or a value that is too long.
    pub fn next_block(&mut self) -> Result<Option<JsonBlock>> {
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
            if self.at_start {
                self.enter(&mut bytes);
            }
            if self.ended {
                continue;
            }
            if let Some(end) = self.layout.last_value_end(&bytes) {
                self.rest = bytes[end..].to_vec();
                bytes.truncate(end);
                return Ok(Some(self.block(bytes)));
            }
            if bytes.len() > self.value_bytes_max {
                let place = Place::file(self.stream.name()).line(self.line);
                return Err(Error::record(
                    place,
                    format!(
                        "a value of more than {} bytes begins here; maximum_object_size raises the limit",
                        self.value_bytes_max
                    ),
                ));
            }
        }
    }

    /// Blanks out what stands before the first value: a byte order mark, and the bracket of an array.
    fn enter(&mut self, bytes: &mut [u8]) {
        self.at_start = false;
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes[..3].fill(b' ');
        }
        if self.layout == JsonLayout::Array
            && let Some(first) = bytes.iter_mut().find(|byte| !byte.is_ascii_whitespace())
            && *first == b'['
        {
            *first = b' ';
        }
    }

    fn block(&mut self, bytes: Vec<u8>) -> JsonBlock {
        let first_line = self.line;
        self.line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        JsonBlock { bytes, first_line }
    }
}

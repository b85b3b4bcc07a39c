//! The bytes of one file from first to last, decompressed on the way.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::{Compression, LocalFile};
use crate::error::{Error, Result};

/// First step of reading a sample; most files are shorter than a sample may be.
const SAMPLE_STEP_BYTES: usize = 256 << 10;

/// Bytes to sample where `rows` rows are wanted and `bytes` hold the usual number of them, `usual_rows`.
pub fn sample_limit(rows: Option<usize>, usual_rows: usize, bytes: usize) -> usize {
    rows.map_or(bytes, |rows| bytes.saturating_mul(rows.div_ceil(usual_rows).max(1)))
}

/// A sequential reader of plain bytes that knows its name and how far it came.
pub struct ByteStream {
    name: String,
    path: std::path::PathBuf,
    reader: Box<dyn Read + Send>,
    /// Bytes already taken from `reader` while its compression was found out, not yet handed on.
    ahead: io::Cursor<Vec<u8>>,
}

/// Opens a path for sequential reading; `-` and `/dev/stdin` are standard input.
///
/// Without a stated compression the name decides, then the first bytes.
///
/// # Errors
/// The system's refusal.
pub fn open_stream(path: &Path, compression: Option<Compression>) -> Result<ByteStream> {
    let raw: Box<dyn Read + Send> = if is_standard_input(path) {
        Box::new(io::stdin())
    } else {
        Box::new(PositionalReader { file: Arc::new(LocalFile::open(path)?), offset: 0 })
    };
    ByteStream::new(path, raw, compression)
}

/// True for the paths that mean standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdin")
}

impl ByteStream {
    /// A stream over any reader.
    ///
    /// # Errors
    /// A failed first read, or no memory for a decoder.
    pub fn new(path: &Path, mut raw: Box<dyn Read + Send>, compression: Option<Compression>) -> Result<Self> {
        let failed = |error| Error::system(path, "read", error);
        let mut first = vec![0; 4];
        let filled = read_fully(&mut *raw, &mut first).map_err(failed)?;
        first.truncate(filled);
        let compression = compression.unwrap_or_else(|| match Compression::of_magic(&first) {
            // An empty file is empty whatever its name; any other without the magic bytes is left to the
            // decoder that its name asks for, which refuses it.
            Compression::None if first.is_empty() => Compression::None,
            Compression::None => Compression::of_name(path),
            found => found,
        });
        let (reader, ahead) = match compression {
            Compression::None => (raw, first),
            compressed => {
                let chained = Box::new(io::Cursor::new(first).chain(raw));
                (compressed.decoder(chained).map_err(failed)?, Vec::new())
            }
        };
        Ok(Self {
            name: path.display().to_string(),
            path: path.to_path_buf(),
            reader,
            ahead: io::Cursor::new(ahead),
        })
    }

    /// The path as text, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes of the stream, at most `limit` of them, and whether they are all of it.
    ///
    /// # Errors
    /// As [`ByteStream::fill`].
    pub fn sample(&mut self, limit: usize) -> Result<(Vec<u8>, bool)> {
        let mut sample = Vec::new();
        let mut step = SAMPLE_STEP_BYTES;
        while sample.len() < limit {
            let (start, wanted) = (sample.len(), step.min(limit - sample.len()));
            sample.resize(start + wanted, 0);
            let read = self.fill(&mut sample[start..])?;
            sample.truncate(start + read);
            if read < wanted {
                return Ok((sample, true));
            }
            step = step.saturating_mul(2);
        }
        Ok((sample, false))
    }

    /// The same stream with bytes that were taken from it put back in front.
    pub fn with_ahead(mut self, bytes: Vec<u8>) -> Self {
        self.ahead = io::Cursor::new(bytes);
        self
    }

    /// Fills `buffer` as far as the stream reaches; fewer bytes only at its end.
    ///
    /// # Errors
    /// The system's refusal, or compressed bytes that are damaged.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        read_fully(self, buffer).map_err(|error| Error::system(&self.path, "read", error))
    }
}

impl std::fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteStream").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Read for ByteStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.ahead.read(buffer)? {
            0 => self.reader.read(buffer),
            taken => Ok(taken),
        }
    }
}

/// A cursor of its own over a shared file.
struct PositionalReader {
    file: Arc<LocalFile>,
    offset: u64,
}

impl Read for PositionalReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.offset, buffer)?;
        self.offset += read as u64;
        Ok(read)
    }
}

fn read_fully(reader: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

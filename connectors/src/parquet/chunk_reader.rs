//! Positional reads for the Parquet decoder: a window per column chunk, never a shared cursor.

use std::io::Read;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::input::{BufferPool, LocalFile};

/// First read of a chunk, and every one where memory is short. A scan that a LIMIT stops after one batch reads little more
/// than it needs.
pub(super) const WINDOW_BYTES_FIRST: usize = 64 << 10;
/// What is read of a page that may be passed over: its header, mostly.
const HEADER_BYTES: usize = 1 << 10;
/// Largest read-ahead. Beyond this a system call costs nothing next to the copy.
const WINDOW_BYTES_MAX: usize = 512 << 10;

/// A byte range of a file, read through a window that moves forward with the decoder.
#[derive(Clone)]
struct ChunkWindow {
    shared: Arc<Shared>,
}

struct Shared {
    file: Arc<LocalFile>,
    /// Where read-ahead goes; a file that is read for its footer has none.
    pool: Option<Arc<BufferPool>>,
    range: Range<u64>,
    window: Mutex<Window>,
}

struct Window {
    start: u64,
    bytes: Bytes,
    next_bytes: usize,
    /// Bytes that a reader of some of the rows is expected to need from where it begins: it does not read ahead into those of others.
    expected: u64,
    /// Where these end.
    end: u64,
}

impl ChunkWindow {
    /// A window over `range` of the file, of which this share is expected to be read; offsets stay those of the file.
    fn new(file: Arc<LocalFile>, pool: Option<Arc<BufferPool>>, range: Range<u64>, share: f64) -> Self {
        let window = Window {
            start: range.start,
            bytes: Bytes::new(),
            next_bytes: WINDOW_BYTES_FIRST,
            expected: ((range.end - range.start) as f64 * share).ceil() as u64,
            end: range.start,
        };
        Self { shared: Arc::new(Shared { file, pool, range, window: Mutex::new(window) }) }
    }

    /// At least `length` bytes from `start`, and what else the window holds behind them; a new window is as long as the last ones let
    /// expect, or `header` bytes.
    fn bytes_from(&self, start: u64, length: usize, header: Option<usize>) -> Result<Bytes> {
        let Shared { file, pool, range, window } = &*self.shared;
        let end = start.checked_add(length as u64).filter(|&end| start >= range.start && end <= range.end);
        if end.is_none() {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at byte {start} lie outside the column chunk at bytes {} to {}",
                range.start, range.end
            )));
        }
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        let inside = start.checked_sub(window.start).and_then(|skip| usize::try_from(skip).ok());
        if let Some(skip) =
            inside.filter(|&skip| skip + length <= window.bytes.len() && skip < window.bytes.len())
        {
            return Ok(window.bytes.slice(skip..));
        }
        let left = usize::try_from(range.end - start).unwrap_or(usize::MAX);
        if header.is_none() && start >= window.end {
            window.end = start.saturating_add(window.expected);
        }
        let ahead = || {
            let expected = usize::try_from(window.end - start).unwrap_or(usize::MAX);
            window.next_bytes.min(expected).max(WINDOW_BYTES_FIRST)
        };
        let wanted = length.max(header.unwrap_or_else(ahead)).min(left);
        // The old window goes back to the pool before the new one is taken.
        window.bytes = Bytes::new();
        let bytes = match pool {
            Some(pool) => {
                // Read-ahead is given up before a read is refused.
                let mut buffer = match pool.try_take(wanted) {
                    Some(buffer) => buffer,
                    None => {
                        window.next_bytes = WINDOW_BYTES_FIRST;
                        let least = length.max(WINDOW_BYTES_FIRST).min(left);
                        pool.take(least).map_err(|error| ParquetError::External(Box::new(error)))?
                    }
                };
                file.fill_at(start, &mut buffer)?;
                pool.note_read(wanted);
                buffer.freeze()
            }
            None => file.read_exact_at(start, wanted)?,
        };
        (window.start, window.bytes) = (start, bytes.clone());
        if header.is_none() {
            window.next_bytes = (window.next_bytes * 2).min(WINDOW_BYTES_MAX);
        }
        Ok(bytes)
    }
}

/// A window for each column chunk that a reader asks for: columns are read side by side.
pub(super) struct ChunkWindows {
    length: u64,
    /// Ascending by their start.
    windows: Vec<ChunkWindow>,
    /// Whether pages are only looked at.
    headers_alone: AtomicBool,
}

impl ChunkWindows {
    /// Windows over chunks of which this share is expected to be read.
    pub(super) fn new(
        file: &Arc<LocalFile>,
        pool: &Arc<BufferPool>,
        mut ranges: Vec<Range<u64>>,
        share: f64,
    ) -> Self {
        ranges.sort_by_key(|range| range.start);
        let window = |range| ChunkWindow::new(Arc::clone(file), Some(Arc::clone(pool)), range, share);
        let windows = ranges.into_iter().map(window).collect();
        Self { length: file.len(), windows, headers_alone: AtomicBool::new(false) }
    }

    /// Reads no more than headers from now on, or goes back to reading ahead.
    pub(super) fn read_headers_alone(&self, alone: bool) {
        self.headers_alone.store(alone, Ordering::Relaxed);
    }

    /// The window that `start` lies in.
    fn window(&self, start: u64) -> Result<&ChunkWindow> {
        let behind = self.windows.partition_point(|window| window.shared.range.start <= start);
        let window = behind.checked_sub(1).and_then(|index| self.windows.get(index));
        window.ok_or_else(|| ParquetError::EOF(format!("byte {start} lies before every asked column chunk")))
    }
}

impl Length for ChunkWindows {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for ChunkWindows {
    type T = ChunkCursor;

    fn get_read(&self, start: u64) -> Result<ChunkCursor> {
        let header = self.headers_alone.load(Ordering::Relaxed).then_some(HEADER_BYTES);
        Ok(ChunkCursor { window: self.window(start)?.clone(), position: start, bytes: Bytes::new(), header })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        Ok(self.window(start)?.bytes_from(start, length, None)?.slice(..length))
    }
}

/// Reads forward from one offset; page headers are read through it.
pub(super) struct ChunkCursor {
    window: ChunkWindow,
    position: u64,
    bytes: Bytes,
    /// Bytes of a new window, where no more are to be read.
    header: Option<usize>,
}

impl Read for ChunkCursor {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.bytes.is_empty() {
            if self.position >= self.window.shared.range.end || buffer.is_empty() {
                return Ok(0);
            }
            self.bytes =
                self.window.bytes_from(self.position, 1, self.header).map_err(std::io::Error::other)?;
        }
        let taken = buffer.len().min(self.bytes.len());
        buffer[..taken].copy_from_slice(&self.bytes[..taken]);
        self.bytes.advance(taken);
        self.position += taken as u64;
        Ok(taken)
    }
}

/// The whole file, for its footer, page indexes and bloom filters: reads without a window.
#[derive(Clone)]
pub(super) struct WholeFile(pub(super) Arc<LocalFile>);

impl Length for WholeFile {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for WholeFile {
    type T = ChunkCursor;

    fn get_read(&self, start: u64) -> Result<ChunkCursor> {
        let window = ChunkWindow::new(Arc::clone(&self.0), None, 0..self.0.len(), 1.0);
        Ok(ChunkCursor { window, position: start, bytes: Bytes::new(), header: None })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        Ok(self.0.read_exact_at(start, length)?)
    }
}

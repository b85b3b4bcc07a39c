//! Arrow IPC: files with a footer and streams without one, read and written.

mod file;
mod stream;
mod writer;

pub use file::{ArrowFile, BlockReader};
pub use stream::ArrowStream;
pub use writer::{ArrowWriteOptions, ArrowWriter, IpcCompression, IpcLayout};

/// The bytes an IPC file begins and ends with.
pub(crate) const MAGIC: &[u8] = b"ARROW1";

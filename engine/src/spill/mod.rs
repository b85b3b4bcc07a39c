//! Rows on disk while a query has no memory for them: Arrow IPC files with LZ4 in a directory of the run.
//!
//! The directory is made on first use and removed when the run ends, however it ends. Its name holds the
//! process, so that what a crash left behind is found and removed at the next first use.

mod directory;
mod file;
mod rows;

pub use directory::{SpillDirectory, remove_stale_directories};
pub use file::{SpillFile, SpillReader};
pub use rows::{KeptRows, RowReader, RowStore};

//! A file whose beginning was looked at and that is read from its beginning afterwards.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Compression;
use super::stream::{ByteStream, is_standard_input, open_stream};
use crate::error::{Error, Result};

/// Opens a file again for each read of it. Standard input cannot be opened again: its stream, with the sample put back in
/// front, waits for the one read that it allows.
#[derive(Debug)]
pub struct SampledFile {
    path: PathBuf,
    compression: Option<Compression>,
    pending: Mutex<Option<ByteStream>>,
}

impl SampledFile {
    /// The file at `path`, of whose `stream` these bytes were taken as a sample.
    pub fn new(path: &Path, compression: Option<Compression>, stream: ByteStream, sample: Vec<u8>) -> Self {
        let pending = is_standard_input(path).then(|| stream.with_ahead(sample));
        Self { path: path.to_path_buf(), compression, pending: Mutex::new(pending) }
    }

    /// The bytes from the first on.
    ///
    /// # Errors
    /// The system's refusal, or a second read of standard input.
    pub fn open(&self) -> Result<ByteStream> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        match pending {
            Some(stream) => Ok(stream),
            None if is_standard_input(&self.path) => Err(Error::Missing {
                location: self.path.display().to_string(),
                problem: "standard input was read already; it can be read once".into(),
            }),
            None => open_stream(&self.path, self.compression),
        }
    }
}

//! A local file that many readers share: every read names its offset, so no cursor is shared.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::{Error, Place, Result};

/// An open file of known length.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl LocalFile {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// The system's refusal, or a directory in place of a file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::system(path, "open", error))?;
        let metadata = file.metadata().map_err(|error| Error::system(path, "open", error))?;
        if metadata.is_dir() {
            return Err(Error::system(path, "read", io::Error::from(io::ErrorKind::IsADirectory)));
        }
        Ok(Self { path: path.to_path_buf(), file, length: metadata.len() })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path as text, for messages.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The whole file as a place for messages.
    pub fn place(&self) -> Place {
        Place::file(self.name())
    }

    /// Length in bytes when it was opened.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// True without bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Exactly `length` bytes from `offset`.
    ///
    /// # Errors
    /// The system's refusal, or the end of the file before all bytes were read.
    pub fn read_exact_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        self.check_range(offset, length)?;
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, offset)?;
        Ok(buffer.into())
    }

    /// Fills `buffer` with the bytes from `offset`.
    ///
    /// # Errors
    /// As [`LocalFile::read_exact_at`].
    pub fn fill_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.check_range(offset, buffer.len())?;
        self.file.read_exact_at(buffer, offset)
    }

    fn check_range(&self, offset: u64, length: usize) -> io::Result<()> {
        let end = offset.checked_add(length as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{length} bytes at {offset} wanted, the file has {} bytes", self.length),
            ));
        }
        Ok(())
    }

    /// Bytes from `offset` into `buffer`, as many as the system gives at once; 0 at the end.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                answer => return answer,
            }
        }
    }
}

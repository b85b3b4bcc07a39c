//! A file that appears whole or not at all: written beside its place under another name, then renamed.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Bytes collected before a write to the file.
const BUFFER_BYTES: usize = 1 << 20;

/// A file under construction; dropping it without [`AtomicFile::commit`] leaves nothing behind.
pub(crate) struct AtomicFile {
    writer: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl AtomicFile {
    /// Opens a file that will be at `path`.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".hypostyle-").suffix(".part");
        // The usual rights of a new file; the process's mask still applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(|error| Error::file("cannot write", path, error))?;
        Ok(Self { writer: BufWriter::with_capacity(BUFFER_BYTES, file), path: path.to_owned() })
    }

    /// Writes what is buffered and gives the file its name, replacing what had it.
    ///
    /// # Errors
    /// The disk is full, or the name cannot be taken.
    pub(crate) fn commit(self) -> Result<()> {
        let Self { writer, path } = self;
        let file =
            writer.into_inner().map_err(|error| Error::file("cannot write", &path, error.into_error()))?;
        file.persist(&path).map_err(|error| Error::file("cannot write", &path, error.error))?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

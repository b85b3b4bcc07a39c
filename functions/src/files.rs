//! Files that functions name: vocabularies. This crate opens none; the host lends a reader to the registry.

use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileStamp {
    /// Size of the file as it lies there.
    pub bytes: u64,
    /// Time of the last change, in nanoseconds since 1970 or 0 where that is unknown.
    pub changed_nanoseconds: i128,
}

/// Reads whole files for functions, while a call is bound and never later.
pub trait ReadFile: Send + Sync + std::fmt::Debug {
    /// The state of the file.
    ///
    /// # Errors
    /// Why it cannot be looked at, with the path.
    fn stamp(&self, path: &str) -> Result<FileStamp>;

    /// The content, decompressed where the name or the first bytes tell a compression.
    ///
    /// # Errors
    /// Why it cannot be read, with the path.
    fn read(&self, path: &str) -> Result<Vec<u8>>;
}

/// The reader of a registry, once its host has lent one. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Files {
    reader: Arc<OnceLock<Arc<dyn ReadFile>>>,
}

impl Files {
    /// Lends a reader; a second one is ignored, since functions may already hold what the first one read.
    pub fn lend(&self, reader: Arc<dyn ReadFile>) {
        let _ = self.reader.set(reader);
    }

    /// The reader.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where none was lent.
    pub fn reader(&self) -> Result<&dyn ReadFile> {
        self.reader.get().map(AsRef::as_ref).ok_or_else(|| Error::Unsupported {
            what: "of a file named by a function".into(),
            right: "this host lends functions no access to files".into(),
        })
    }
}

//! The spill directory of a run.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use super::file::SpillWriter;
use crate::error::{Error, Result};

/// Start of the name of every spill directory; the process and a random part follow.
const PREFIX: &str = "hypostyle-spill-";

/// A directory that is made when the first file is, and removed when the last holder is gone.
#[derive(Debug)]
pub struct SpillDirectory {
    parent: PathBuf,
    made: Mutex<Option<Arc<TempDir>>>,
    files: AtomicU64,
}

impl SpillDirectory {
    /// A directory inside `parent`, or inside the system's temporary directory.
    pub fn new(parent: Option<&Path>) -> Self {
        Self {
            parent: parent.map_or_else(std::env::temp_dir, Path::to_path_buf),
            made: Mutex::new(None),
            files: AtomicU64::new(0),
        }
    }

    /// A new file for the rows of this operator.
    ///
    /// # Errors
    /// A directory or file that cannot be made.
    pub fn create(&self, operator: &str) -> Result<SpillWriter> {
        let directory = self.directory()?;
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = directory.path().join(format!("{}-{number}.arrow", operator.replace(' ', "-")));
        SpillWriter::create(path, directory)
    }

    /// The path, once there is one.
    #[cfg(test)]
    pub fn path(&self) -> Option<PathBuf> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.as_ref().map(|directory| directory.path().to_path_buf())
    }

    fn directory(&self) -> Result<Arc<TempDir>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = &*made {
            return Ok(Arc::clone(directory));
        }
        let failed = |error: std::io::Error| {
            Error::Resource(format!(
                "{}: cannot make a directory for spill files: {error}",
                self.parent.display()
            ))
        };
        std::fs::create_dir_all(&self.parent).map_err(failed)?;
        remove_stale(&self.parent);
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir_in(&self.parent).map_err(failed)?;
        let directory = Arc::new(directory);
        *made = Some(Arc::clone(&directory));
        Ok(directory)
    }
}

/// Removes the directories that killed processes left in `parent`, or in the system's temporary directory. A program
/// calls it when it starts; a run that spills does so too. Whatever cannot be judged or removed is left alone.
pub fn remove_stale_directories(parent: Option<&Path>) {
    remove_stale(&parent.map_or_else(std::env::temp_dir, Path::to_path_buf));
}

fn remove_stale(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split('-').next());
        let Some(process) = process.and_then(|process| process.parse::<u32>().ok()) else { continue };
        if is_dead(process) {
            // Another process may be removing it too; a failure here only leaves it for the next time.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// True only where the system says so: a process of this number does not exist.
pub(crate) fn is_dead(process: u32) -> bool {
    let table = Path::new("/proc");
    table.join("self").exists() && !table.join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_dead_processes_are_removed_and_others_stay() {
        let parent = tempfile::tempdir().expect("a directory");
        let dead = parent.path().join(format!("{PREFIX}4294967294-x"));
        let living = parent.path().join(format!("{PREFIX}{}-x", std::process::id()));
        let foreign = parent.path().join("something-else");
        for path in [&dead, &living, &foreign] {
            std::fs::create_dir(path).expect("a directory");
        }
        let spill = SpillDirectory::new(Some(parent.path()));
        let writer = spill.create("sort").expect("a file");
        assert!(!dead.exists() && living.exists() && foreign.exists());
        let own = spill.path().expect("made");
        assert!(own.exists());
        drop((writer, spill));
        assert!(!own.exists());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_a_clear_error() {
        let spill = SpillDirectory::new(Some(Path::new("/dev/null/x")));
        let error = spill.create("sort").err().expect("not a directory");
        assert!(
            error.to_string().starts_with("/dev/null/x: cannot make a directory for spill files"),
            "{error}"
        );
    }
}

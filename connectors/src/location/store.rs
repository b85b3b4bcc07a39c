//! Listing of directories through the object store of the local file system.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;

use crate::error::{Error, Result};

/// Files and directories directly in a directory, sorted by name.
pub struct Listing {
    /// Files.
    pub files: Vec<PathBuf>,
    /// Directories.
    pub directories: Vec<PathBuf>,
}

/// Lists a directory; the paths begin with `directory` as it was written.
///
/// # Errors
/// The system's refusal.
pub fn list(directory: &Path) -> Result<Listing> {
    let shown = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let failed = |error: object_store::Error| Error::system(shown, "list", std::io::Error::other(error));
    let absolute = std::path::absolute(shown).map_err(|error| Error::system(shown, "list", error))?;
    let store = LocalFileSystem::new();
    let prefix = StorePath::from_absolute_path(&absolute)
        .map_err(|error| Error::system(shown, "list", std::io::Error::other(error)))?;
    let listed = wait(store.list_with_delimiter(Some(&prefix))).map_err(failed)?;
    let locations = listed.objects.into_iter().map(|object| object.location);
    Ok(Listing {
        files: named(&store, directory, locations),
        directories: named(&store, directory, listed.common_prefixes.into_iter()),
    })
}

/// All files below a directory whose names do not begin with a dot or an underscore, which mark files that are
/// not part of the data.
///
/// # Errors
/// The system's refusal.
pub fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let is_data =
        |path: &PathBuf| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with(['.', '_']));
    let listing = list(directory)?;
    files.extend(listing.files.into_iter().filter(is_data));
    for below in listing.directories.iter().filter(|path| is_data(path) || is_partition(path)) {
        walk(below, files)?;
    }
    Ok(())
}

/// All directories below a directory, those with a dot in front left out.
///
/// # Errors
/// The system's refusal.
pub fn walk_directories(directory: &Path, directories: &mut Vec<PathBuf>) -> Result<()> {
    for below in list(directory)?.directories {
        if below.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')) {
            directories.push(below.clone());
            walk_directories(&below, directories)?;
        }
    }
    Ok(())
}

/// A directory such as `_year=2020` is data, whatever its first letter.
fn is_partition(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains('='))
}

fn named(
    store: &LocalFileSystem,
    directory: &Path,
    locations: impl Iterator<Item = StorePath>,
) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = locations
        .filter_map(|location| store.path_to_filesystem(&location).ok())
        .filter_map(|path| path.file_name().map(|name| directory.join(name)))
        .collect();
    paths.sort();
    paths
}

/// Waits for a future on this thread. The local store answers at once unless the host runs its own scheduler
/// here; then its thread wakes this one.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

//! The target of a write. A file is written under another name beside its own and renamed at the end.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::input::Compression;

/// End of the names of files that are being written.
const PARTIAL: &str = ".partial";

/// Age from which an unfinished file without a lock is abandoned; a younger one may be about to be locked.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// Bytes gathered before the system is called.
const BUFFER_BYTES: usize = 256 << 10;

/// An open target. Dropped without [`Target::commit`], it leaves nothing behind.
pub struct Target {
    path: PathBuf,
    sink: Sink,
}

enum Sink {
    /// A file that does not have its name yet.
    Pending(BufWriter<NamedTempFile>),
    /// A device or pipe, which cannot be renamed onto.
    Direct(BufWriter<File>),
    /// Standard output.
    Standard(BufWriter<io::Stdout>),
}

impl Target {
    /// Opens a target; `-` and `/dev/stdout` are standard output.
    ///
    /// # Errors
    /// The system's refusal, such as a directory that does not exist or may not be written.
    pub fn create(path: &Path) -> Result<Self> {
        let sink = if path == Path::new("-") || path == Path::new("/dev/stdout") {
            Sink::Standard(BufWriter::with_capacity(BUFFER_BYTES, io::stdout()))
        } else {
            open(path).map_err(|error| Error::system(path, "write", error))?
        };
        Ok(Self { path: path.to_path_buf(), sink })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes out what is buffered and gives the file its name.
    ///
    /// # Errors
    /// The system's refusal, such as a full disk; nothing is left behind then.
    pub fn commit(self) -> Result<()> {
        let Self { path, sink } = self;
        let failed = |error| Error::system(&path, "write", error);
        match sink {
            Sink::Pending(writer) => {
                let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
                // The name of a link stays a link: its target is what is replaced.
                let resolved = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
                file.persist(resolved).map_err(|error| failed(error.error))?;
            }
            Sink::Direct(mut writer) => writer.flush().map_err(failed)?,
            Sink::Standard(mut writer) => writer.flush().map_err(failed)?,
        }
        Ok(())
    }

    /// An error of writing to this target.
    pub fn failed(&self, error: io::Error) -> Error {
        Error::system(&self.path, "write", error)
    }
}

fn open(path: &Path) -> io::Result<Sink> {
    if let Ok(metadata) = fs::metadata(path) {
        let kind = metadata.file_type();
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if kind.is_char_device() || kind.is_fifo() || kind.is_socket() || kind.is_block_device() {
            let file = File::options().write(true).open(path)?;
            return Ok(Sink::Direct(BufWriter::with_capacity(BUFFER_BYTES, file)));
        }
    }
    let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let directory = match resolved.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = resolved.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let prefix = format!(".{name}.");
    remove_abandoned(directory, &prefix);
    let file = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(PARTIAL)
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)
        .map_err(without_path)?;
    // The lock says that someone is still writing. A file system without locks only keeps what is abandoned.
    let _ = file.as_file().try_lock();
    Ok(Sink::Pending(BufWriter::with_capacity(BUFFER_BYTES, file)))
}

/// Removes the unfinished files of this target that killed processes left behind: old enough to have been locked, and
/// no longer so. Whatever cannot be judged or removed is left alone.
fn remove_abandoned(directory: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_partial =
            name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(PARTIAL));
        if is_partial && is_abandoned(&entry.path()).unwrap_or(false) {
            // Another process may be removing it too; a failure here only leaves it for the next time.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_abandoned(path: &Path) -> io::Result<bool> {
    let file = File::options().write(true).open(path)?;
    let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
    Ok(age > SETTLED_AFTER && file.try_lock().is_ok())
}

/// The system's answer without the passing name of the file.
fn without_path(error: io::Error) -> io::Error {
    let source = error.get_ref().and_then(std::error::Error::source).map(ToString::to_string);
    source.map_or(error.kind().into(), |text| io::Error::new(error.kind(), text))
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Sink::Pending(writer) => writer.write(bytes),
            Sink::Direct(writer) => writer.write(bytes),
            Sink::Standard(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Pending(writer) => writer.flush(),
            Sink::Direct(writer) => writer.flush(),
            Sink::Standard(writer) => writer.flush(),
        }
    }
}

/// A target behind a compressor.
pub enum Encoded {
    /// Plain bytes.
    Plain(Target),
    /// Gzip.
    Gzip(flate2::write::GzEncoder<Target>),
    /// Zstandard.
    Zstd(zstd::stream::write::Encoder<'static, Target>),
}

impl Encoded {
    /// Puts a compressor before a target; `None` chooses it by the target's name.
    ///
    /// # Errors
    /// No memory for the compressor.
    pub fn new(target: Target, compression: Option<Compression>) -> Result<Self> {
        Ok(match compression.unwrap_or_else(|| Compression::of_name(target.path())) {
            Compression::None => Self::Plain(target),
            Compression::Gzip => {
                Self::Gzip(flate2::write::GzEncoder::new(target, flate2::Compression::default()))
            }
            Compression::Zstd => {
                let path = target.path().to_path_buf();
                let encoder = zstd::stream::write::Encoder::new(target, zstd::DEFAULT_COMPRESSION_LEVEL);
                Self::Zstd(encoder.map_err(|error| Error::system(&path, "write", error))?)
            }
        })
    }

    /// Ends the compressed stream and gives the file its name.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn commit(self) -> Result<()> {
        let path = self.path().to_path_buf();
        let failed = |error| Error::system(&path, "write", error);
        match self {
            Self::Plain(target) => target,
            Self::Gzip(encoder) => encoder.finish().map_err(failed)?,
            Self::Zstd(encoder) => encoder.finish().map_err(failed)?,
        }
        .commit()
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        match self {
            Self::Plain(target) => target.path(),
            Self::Gzip(encoder) => encoder.get_ref().path(),
            Self::Zstd(encoder) => encoder.get_ref().path(),
        }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match self {
            Self::Plain(target) => target.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        };
        written.map_err(|error| Error::system(self.path(), "write", error))
    }
}

//! Files that functions name, read whole while a call is bound.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use hypostyle_functions::error::{Error as FunctionError, Result as FunctionResult};
use hypostyle_functions::files::{FileStamp, ReadFile};

use crate::error::{Error, Result};
use crate::input::open_stream;
use crate::location::resolve;

/// Largest file that is read for a function, decompressed.
const BYTES_MAX: usize = 1 << 30;

/// Local files, compressed or not.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalFunctionFiles;

impl ReadFile for LocalFunctionFiles {
    fn stamp(&self, path: &str) -> FunctionResult<FileStamp> {
        stamp(path).map_err(|error| FunctionError::user(error.to_string()))
    }

    fn read(&self, path: &str) -> FunctionResult<Vec<u8>> {
        read(path).map_err(|error| FunctionError::user(error.to_string()))
    }
}

/// The one file that a path means.
fn one_file(path: &str) -> Result<PathBuf> {
    let mut files = resolve(&[path.to_owned()], &["json", "tiktoken", "gz"])?;
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        _ => Err(Error::Missing { location: path.into(), problem: "means several files; name one".into() }),
    }
}

fn stamp(path: &str) -> Result<FileStamp> {
    let file = one_file(path)?;
    let metadata = std::fs::metadata(&file).map_err(|error| Error::system(&file, "read", error))?;
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let changed_nanoseconds = changed.map_or(0, |time| time.as_nanos() as i128);
    Ok(FileStamp { bytes: metadata.len(), changed_nanoseconds })
}

fn read(path: &str) -> Result<Vec<u8>> {
    let file = one_file(path)?;
    let mut stream = open_stream(Path::new(&file), None)?;
    let mut bytes = vec![0; 1 << 16];
    let mut filled = 0;
    loop {
        match stream.fill(&mut bytes[filled..])? {
            0 => break,
            count => filled += count,
        }
        if filled > BYTES_MAX {
            let problem =
                format!("holds more than {BYTES_MAX} bytes, too many for an argument of a function");
            return Err(Error::Missing { location: path.into(), problem });
        }
        if filled == bytes.len() {
            bytes.resize(2 * filled, 0);
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

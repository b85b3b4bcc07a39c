//! From what a user writes to the files that are meant: paths, patterns, lists, directories, partitions.

mod format;
mod hive;
mod pattern;
mod store;

pub use format::{FileFormat, function_for_path};
pub use hive::{PartitionValue, partition_directory, partition_type, partition_value, partitions_of};
pub use pattern::expand_braces;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::input::is_standard_input;
use pattern::Glob;

/// The files that `locations` mean, in the order written and sorted within a pattern; a file that is written twice
/// is read twice.
///
/// A location is a path of a file (also one whose name looks like a pattern), `-` for standard input, a directory,
/// whose files with one of `extensions` are taken with those of the directories below it, or a pattern
/// with `*`, `?`, `[...]`, `{a,b}` and `**`.
///
/// # Errors
/// A location that means no file, with what was looked for.
pub fn resolve(locations: &[String], extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for location in locations {
        files.extend(resolve_one(location, extensions)?);
    }
    if files.is_empty() {
        return Err(Error::Missing {
            location: "[]".into(),
            problem: "a list without files; name at least one".into(),
        });
    }
    Ok(files)
}

fn resolve_one(location: &str, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let path = local_path(location)?;
    if is_standard_input(&path) {
        return Ok(vec![path]);
    }
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => directory(location, &path, extensions),
        Ok(_) => Ok(vec![path]),
        Err(_) if pattern::has_wildcards(location) => matching(location),
        Err(error) => Err(missing(location, &path, &error)),
    }
}

fn local_path(location: &str) -> Result<PathBuf> {
    if let Some(path) = location.strip_prefix("file://") {
        return Ok(PathBuf::from(path));
    }
    if let Some((scheme, _)) = location.split_once("://")
        && scheme.len() > 1
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Err(Error::Missing {
            location: location.into(),
            problem: format!("{scheme} locations cannot be read; copy the file to a local path"),
        });
    }
    Ok(PathBuf::from(location))
}

fn directory(location: &str, path: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    store::walk(path, &mut files)?;
    files.retain(|file| has_extension(file, extensions));
    files.sort();
    if files.is_empty() {
        return Err(Error::Missing {
            location: location.into(),
            problem: format!("a directory without files that end in {}", extensions.join(", ")),
        });
    }
    Ok(files)
}

/// True for names such as `x.csv` and `x.csv.gz`.
fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let plain = [".gz", ".zst", ".zstd"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(&name);
    extensions.iter().any(|extension| plain.ends_with(extension))
}

fn matching(location: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for pattern in expand_braces(location.strip_prefix("file://").unwrap_or(location)) {
        let glob =
            Glob::new(&pattern).map_err(|problem| Error::Missing { location: location.into(), problem })?;
        let mut found = glob.files()?;
        found.sort();
        files.extend(found.into_iter().filter(|path| !files.contains(path)).collect::<Vec<_>>());
    }
    if files.is_empty() {
        return Err(Error::Missing {
            location: location.into(),
            problem: "no file matches the pattern".into(),
        });
    }
    Ok(files)
}

/// What to say of a path without a file: the nearest name in its directory helps most.
fn missing(location: &str, path: &Path, error: &std::io::Error) -> Error {
    if error.kind() != std::io::ErrorKind::NotFound {
        return Error::Missing { location: location.into(), problem: error.to_string() };
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Error::Missing {
            location: location.into(),
            problem: format!("there is no directory \"{}\"", directory.display()),
        };
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let nearest = crate::options::nearest(&name, names);
    let hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean \"{nearest}\"?"));
    Error::Missing { location: location.into(), problem: format!("there is no such file{hint}") }
}

//! Reads the container: a zip of stored members.

use std::io::{Cursor, Read};
use std::ops::Range;

use zip::{CompressionMethod, ZipArchive};

/// Members of one file; more are no transform.
const MEMBERS_MAX: usize = 100_000;

/// A file that is being read.
pub(super) struct Members<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    length: usize,
}

impl<'b> Members<'b> {
    /// Reads the list of members.
    pub fn open(bytes: &'b [u8]) -> Result<Self, String> {
        let mut archive = guarded(|| ZipArchive::new(Cursor::new(bytes)))?;
        if archive.len() > MEMBERS_MAX {
            return Err(format!("it has {} members; at most {MEMBERS_MAX} are read", archive.len()));
        }
        let mut total = 0u64;
        for index in 0..archive.len() {
            total = total.saturating_add(guarded(|| Ok(archive.by_index_raw(index)?.size()))?);
        }
        if total > bytes.len() as u64 {
            return Err(format!("its members take {total} bytes, more than the file has"));
        }
        Ok(Self { archive, length: bytes.len() })
    }

    /// Names of all members.
    pub fn names(&self) -> Result<Vec<String>, String> {
        let names = self.archive.file_names().map(|name| name.map(|name| name.into_owned()));
        names.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    /// Where the bytes of a member lie in the file.
    pub fn place(&mut self, name: &str) -> Result<Range<usize>, String> {
        let archive = &mut self.archive;
        let (compression, start, size) = guarded(|| {
            let member = archive.by_name(name)?;
            Ok((member.compression(), member.data_start(), member.size()))
        })
        .map_err(|problem| format!("member {name}: {problem}"))?;
        if compression != CompressionMethod::Stored {
            return Err(format!("member {name}: it is compressed"));
        }
        let start = start.and_then(|start| usize::try_from(start).ok());
        let end = start.zip(usize::try_from(size).ok()).and_then(|(start, size)| start.checked_add(size));
        match start.zip(end) {
            Some((start, end)) if end <= self.length => Ok(start..end),
            _ => Err(format!("member {name}: it ends behind the end of the file")),
        }
    }

    /// The bytes of a member, whose checksum holds.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let length = self.length;
        let archive = &mut self.archive;
        guarded(|| {
            let mut member = archive.by_name(name)?;
            if member.compression() != CompressionMethod::Stored {
                return Err(zip::result::ZipError::UnsupportedArchive("a member is compressed"));
            }
            // A damaged length is not asked of the allocator.
            let mut bytes = Vec::with_capacity((member.size() as usize).min(length));
            member.read_to_end(&mut bytes)?;
            Ok(bytes)
        })
        .map_err(|problem| format!("member {name}: {problem}"))
    }
}

/// Runs the reader of another crate, whose panics are faults of the file.
fn guarded<T>(read: impl FnOnce() -> zip::result::ZipResult<T>) -> Result<T, String> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the archive is damaged".to_owned()),
    }
}

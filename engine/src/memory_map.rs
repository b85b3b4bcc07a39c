//! Files as memory: the one place of this crate that maps them.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use arrow::buffer::Buffer;
use bytes::Bytes;

/// The bytes of a file, read from the disk where they are first touched.
///
/// The file must not be changed or cut off while the buffer lives: files that this project maps are written under another name and
/// renamed when they are whole. On a file that another program shortens a read ends the process.
///
/// # Errors
/// The system's refusal.
pub fn map(file: &File) -> io::Result<Buffer> {
    // SAFETY: the mapping is private and read-only, and lives as long as the buffer owns it; that nobody changes the file is
    // what this function asks of its callers, who own its format and check all that they read of it.
    let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(file) }?;
    Ok(Buffer::from(Bytes::from_owner(map)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    #[test]
    fn a_map_holds_the_bytes_of_its_file_beyond_its_name() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"hypostyle").unwrap();
        let map = super::map(file.as_file()).unwrap();
        drop(file);
        assert_eq!(map.as_slice(), b"hypostyle");
    }
}

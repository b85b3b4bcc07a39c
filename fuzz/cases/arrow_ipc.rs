//! Any bytes read as Arrow end in rows or in an error.

/// See the module.
pub fn run(bytes: &[u8]) {
    super::file::read_twice(bytes, "arrow", "read_arrow");
}

//! Any bytes read as NDJSON end in rows or in an error.

/// See the module.
pub fn run(bytes: &[u8]) {
    super::file::read_twice(bytes, "ndjson", "read_ndjson");
}

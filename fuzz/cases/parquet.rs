//! Any bytes read as Parquet end in rows or in an error.

/// See the module.
pub fn run(bytes: &[u8]) {
    super::file::read_twice(bytes, "parquet", "read_parquet");
}

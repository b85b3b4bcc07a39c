//! Parquet: row groups read by column, pruned by what the file says of them, and written.

mod chunk_reader;
mod decode;
mod describe;
mod dictionary;
mod dictionary_size;
mod file;
mod footprint;
mod nested;
mod parts;
mod prune;
mod row_group;
mod schema;
mod special;
mod writer;

pub use decode::Wanted;
pub use describe::Description;
pub use file::{ParquetFile, RowGroupMorsel, ScanPlan};
pub use footprint::Footprint;
pub use row_group::{ColumnFilter, RowGroupReader};
pub use writer::{ParquetCompression, ParquetWriteOptions, ParquetWriter};

//! CSV and its relatives: dialect and types found out from a sample, records read in parallel blocks, and written.

mod blocks;
mod convert;
mod dialect;
mod file;
mod header;
mod infer;
mod records;
mod sniff;
mod writer;

pub use blocks::CsvBlock;
pub use convert::ColumnFormat;
pub use dialect::Dialect;
pub use file::{BadRows, CsvFile, CsvOptions, CsvReader, CsvScan};
pub use header::names_of_header;
pub use sniff::Stated;
pub use writer::{CsvWriteOptions, CsvWriter};

//! CSV and its relatives: dialect and types found out from a sample, records read in parallel blocks, and written.

mod convert;
mod dialect;
mod file;
mod header;
mod infer;
mod reader;
mod records;
mod shape;
mod sniff;
mod writer;

pub use convert::ColumnFormat;
pub use dialect::Dialect;
pub use file::{BadRows, CsvFile, CsvOptions, CsvScan};
pub use header::{distinct_names, names_of_header};
pub use reader::CsvReader;
pub use sniff::Stated;
pub use writer::{CsvWriteOptions, CsvWriter};

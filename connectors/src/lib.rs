//! Files of Hypostyle: Parquet, CSV, JSON and Arrow IPC, found by path or pattern, read and written.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod arrow_form;
pub mod arrow_ipc;
pub mod batch;
pub mod csv;
pub mod error;
pub mod function_files;
pub mod input;
pub mod json;
mod leaves;
pub mod location;
pub mod options;
pub mod output;
pub mod parquet;
pub mod prune;
pub mod register;
pub mod table;
pub mod text_value;

pub use error::{Error, ErrorKind, Place, Result};
pub use location::function_for_path;
pub use register::register;

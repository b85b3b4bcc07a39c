//! What must hold for any bytes. Shared by the fuzz targets and by `tests/fuzz_replay.rs`, which needs no nightly
//! compiler. A case returns where it holds and panics where it does not.

#![allow(dead_code)] // Each target runs one case.

pub mod arrow_ipc;
pub mod csv;
pub mod expression;
pub mod ndjson;
pub mod parquet;
pub mod plan;
pub mod sql_text;

mod file;

//! Physical plan as plain data, expression evaluator, operators, execution, memory and spill.
//!
//! This crate knows no SQL. A [`plan::Plan`] comes in (from a planner, from bytes, from a host), and
//! [`Batch`]es come out; the executor owns the loop and can stop between any two steps.
#![deny(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod batch;
pub mod catalog;
pub mod context;
pub mod error;
pub mod execution;
pub mod expression;
pub mod key_filter;
pub mod memory;
pub mod memory_map;
pub mod memory_table;
pub mod metrics;
pub(crate) mod operator;
pub mod plan;
pub mod series;
pub(crate) mod spill;
pub mod table;

pub use batch::{Batch, Position};
pub use catalog::Catalog;
pub use context::{Aggregation, Configuration, Context, FoundTables, GivenUp};
pub use error::{Error, Result};
pub use execution::{Prepared, Progress, Run, RunHandle, Worker};
pub use memory_table::{HostTable, MemoryTable};
pub use operator::window::{history_type, window_over_history};
pub use spill::remove_stale_directories;

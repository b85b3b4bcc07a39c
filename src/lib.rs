//! Hypostyle: a vectorized columnar execution engine for machine-learning transforms.
//!
//! Features are written in SQL and compiled once; the same plan runs over files, inside a host engine, as a
//! stream of batches, and for one row, with the same kernels and the same bits. Arrow is the memory
//! format at every border.
//!
//! ```
//! use hypostyle::Session;
//! let session = Session::new();
//! let answer = session.sql("SELECT log1p(greatest(price, 0)) AS price FROM (VALUES (1.5), (-2.0)) AS t(price)")?;
//! for batch in answer {
//!     println!("{} rows", batch?.num_rows());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
pub mod array_aggregate;
pub mod array_function;
mod artifact;
pub mod closure;
mod error;
mod fit_state;
pub mod function_call;
mod input;
mod prepared;
pub mod pulled_table;
mod row;
mod served;
mod session;
mod settings;
mod statement;
mod transform;
mod transforms;
mod value_text;

pub use answer::Answer;
pub use error::{Category, Error, ErrorClass, Result};
pub use fit_state::FitState;
pub use input::input_batch;
pub use prepared::Prepared;
pub use row::RowEvaluator;
pub use session::{FitObserver, Session};
pub use settings::{Setting, parse_bytes};
pub use transform::Transform;
pub use value_text::row_texts;

pub use hypostyle_connectors as files;
pub use hypostyle_functions as functions;
pub use hypostyle_substrait as substrait;

pub use hypostyle_engine::Error as EngineError;
pub use hypostyle_engine::execution::{Progress, Run, RunHandle, Worker};
pub use hypostyle_engine::memory::HostMemory;
pub use hypostyle_engine::metrics::{Metrics, OperatorFigures};
pub use hypostyle_engine::{Batch, Catalog, Configuration, Context, MemoryTable, remove_stale_directories};
pub use hypostyle_engine::{plan, table};
pub use hypostyle_functions::{Field, Literal, Registry, Schema, Type, Value};
pub use hypostyle_functions::{aggregate, column, lanes, scalar, signature};
pub use hypostyle_planner::Parameter;

/// The one re-export of the memory format.
pub use hypostyle_functions::arrow;
/// Halves, as columns of HALF hold them.
pub use hypostyle_functions::half;

//! Hypostyle inside [DataFusion](datafusion): its functions as DataFusion's own, and a plan that runs one of its workers per
//! partition for feature queries and fitted transforms.
//!
//! Rows cross between the two majors of Arrow through the C data interface, without being copied. The workers run on the threads that
//! DataFusion polls with and take their memory from its pool; a stream that is dropped ends its run.
//!
//! ```
//! use datafusion::prelude::*;
//! use hypostyle_datafusion::{FeatureFrame, register_all};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> datafusion::error::Result<()> {
//! let context = SessionContext::new();
//! register_all(&context)?;
//! context.sql("CREATE TABLE clicks AS VALUES (1, 'book', 9.5), (2, 'toy', NULL)").await?.collect().await?;
//!
//! // Features of a frame, beside everything else that DataFusion does.
//! let clicks = context.table("clicks").await?.select_columns(&["column2", "column3"])?;
//! let features = "SELECT hash_bucket(column2, 1000) AS kind, log1p(column3) AS price FROM input";
//! let batches = clicks.features(features)?.limit(0, Some(10))?.collect().await?;
//! assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 2);
//!
//! // The same from SQL, and a function by itself.
//! let table = "SELECT sum(price) FROM hypostyle('clicks', 'SELECT coalesce(column3, 0) AS price FROM input')";
//! context.sql(table).await?.collect().await?;
//! context.sql("SELECT hash_bucket(column2, 1000) FROM clicks").await?.collect().await?;
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod aggregate;
mod argument;
#[allow(unsafe_code)]
mod border;
mod error;
mod exec;
mod features;
mod frame;
mod group_states;
mod node;
mod planner;
mod pool_memory;
mod register;
mod scalar;
mod stream;
mod table_function;

pub use exec::HypostyleExec;
pub use features::Features;
pub use frame::FeatureFrame;
pub use hypostyle;
pub use node::FeaturesNode;
pub use planner::{FeaturesPlanner, FeaturesQueryPlanner};
pub use register::{register_all, register_session};

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;

//! SQL text to physical plan.
//!
//! The folders are the life of a query: [`parse`] makes a syntax [`tree`] of the text, [`bind`] gives every name a
//! meaning and every expression a type, rewrites make the [`logical`] plan cheaper, and lowering makes it a plan of the
//! engine, which is plain data.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bind;
pub mod build;
mod definitions;
mod error;
pub mod logical;
mod lower;
mod nearest;
pub mod parse;
mod planner;
pub mod rewrite;
mod span;
pub mod transform;
pub mod tree;

pub use bind::Parameter;
pub use definitions::Definitions;
pub use error::{Error, ErrorKind, Result};
pub use nearest::nearest;
pub use planner::{Definition, Observer, Planned, PlannedQuery, Planner};
pub use span::{Location, Span};

#[cfg(test)]
mod tests;

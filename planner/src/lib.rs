//! SQL text to physical plan.
//!
//! The folders are the life of a query: [`parse`] makes a syntax [`tree`] of the text, [`bind`] gives every name a
//! meaning and every expression a type, rewrites make the [`logical`] plan cheaper, and lowering makes it a plan of the
//! engine, which is plain data.
#![forbid(unsafe_code)]

mod span;
mod error;
mod nearest;
pub mod tree;
pub mod parse;
mod definitions;
pub mod logical;
pub mod bind;
pub mod rewrite;
mod lower;
mod planner;

pub use definitions::Definitions;
pub use error::{Error, ErrorKind, Result};
pub use bind::Parameter;
pub use nearest::nearest;
pub use planner::{Definition, Planned, PlannedQuery, Planner};
pub use span::{Location, Span};

#[cfg(test)]
mod tests;

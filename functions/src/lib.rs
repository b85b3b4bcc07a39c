//! Kernels, the contracts for functions, and the built-in function library of Hypostyle.
//!
//! A leaf among the project's crates: nothing here knows a plan, an operator or SQL text.
//! [`kernel`] knows only slices; [`column`] is how functions see and write data; [`scalar`],
//! [`aggregate`] and [`lanes`] are what an author implements; [`registry`] is where a planner finds them.
#![deny(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod aggregate;
mod aggregates;
pub mod analyzer;
#[cfg(test)]
mod answers;
mod arithmetic;
mod builtin;
pub mod cast;
pub mod category;
pub mod checked_blocks;
pub mod coercion;
pub mod column;
mod comparison;
mod cross;
pub mod date;
mod document;
pub mod documentation;
mod embedding;
pub mod error;
mod feature;
pub mod files;
mod geo;
mod hash;
mod json;
pub mod kernel;
pub mod lanes;
mod list;
mod logic;
mod map;
mod math;
mod partial;
pub mod place;
mod quantization;
mod regex;
pub mod registry;
pub mod scalar;
pub mod scratch;
mod sequence;
pub mod shared_list;
pub mod signature;
mod sparse;
mod structure;
mod text;
mod token;
pub mod types;
pub mod value;
pub mod versions;
pub mod window;

pub use error::{Error, Result};
pub use partial::PIECES_MAX;
pub use place::Place;
pub use registry::Registry;
pub use types::{Field, Schema, TimeUnit, Type};
pub use value::{Literal, Value};

/// The one re-export of the memory format: an Arrow major is a change of this line.
pub use arrow;
/// The type of HALF values.
pub use half;

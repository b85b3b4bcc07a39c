//! Kernels: the loops that produce values. Slices in, values or slices out; no Arrow, no nulls, no SQL.
//!
//! - [`level`] picks the CPU level once and compiles one portable body for each level.
//! - Every kernel gives the same bits at every level, for every way of cutting its input, and for a
//!   slice as for a single value.
//! - `name(...)` runs at [`level::Level::current`]; `name_at(level, ...)` runs at the level given.
#![allow(unsafe_code)]

#[macro_use]
pub mod level;
pub mod bit_pack;
pub mod bitmap;
pub mod bpe;
pub mod bucketize;
pub mod category_slots;
pub mod compact;
pub mod divisor;
pub mod eigen;
pub mod embedding;
pub mod expand;
pub mod great_circle;
pub mod hash;
pub mod json_scan;
pub mod lane_loop;
mod lane_total;
pub mod look_up;
pub mod magnitude;
pub mod power_transform;
pub mod prefetch;
pub mod pretokenize;
pub mod reproducible;
pub mod snappy;
pub mod span;
pub mod stream;
pub mod text;
pub mod token;
pub mod transcendental;
pub mod vector;
pub mod weighted_rows;
pub mod whole_arithmetic;
pub mod whole_steps;

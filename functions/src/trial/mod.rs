//! Evaluates SQL expressions without an engine, for the tests of this crate: each call is made over
//! constant, flat, sliced and dictionary columns, under selections and among nulls, and all must agree.

mod evaluate;
mod parse;
mod script;
mod show;
mod variants;

pub use script::{check_examples, check_script};

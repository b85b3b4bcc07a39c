//! Skipping parts of files by what is known of their columns: bounds, null counts, partition values.

mod bound;
mod predicate;

pub use bound::{Bound, ColumnRange};
pub use predicate::{ColumnPlace, Comparison, Predicate};

//! Expression evaluation: bound expressions, compiled once per plan for a whole projection, evaluated
//! over batches ([`Evaluator`]) or over single rows ([`RowEvaluator`]) by the same code.
//!
//! - `compile` makes a graph: equal subtrees once across all outputs, constants folded, functions bound.
//! - `fuse` turns subtrees of fixed-width operations into register programs (`program`).
//! - `state` holds a slot per node; `demand` fills the rows that are asked for and not there yet;
//!   `branch` are the lazy forms, `call` and `lambda` the calls.
//! - `single` is the way of one row, in cells, and `straight` that of a few rows through a set without lazy forms: every node once.
//! - An evaluated column carries its failed rows. They are raised only where an output uses them.

mod branch;
mod call;
mod compile;
mod demand;
mod evaluator;
mod fold;
mod fuse;
mod graph;
mod lambda;
mod leave;
mod metrics;
mod operand_order;
mod program;
mod reads;
mod row;
mod selection;
mod set;
mod single;
mod slot;
mod state;
mod straight;

pub use evaluator::{Evaluator, evaluate_constant};
pub use metrics::ExpressionMetrics;
pub use row::{ROWS_MAX, RowEvaluator};
pub use selection::Selection;
pub use set::ExpressionSet;

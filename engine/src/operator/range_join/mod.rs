//! Range joins: pairs of rows by one or two inequalities, found by search instead of comparing all with all.
//!
//! The right side is sorted by the value of the first inequality, so the rows that satisfy it for a left row are the
//! first ones up to a place that binary search finds. Over the values of the second inequality stands a tree of least
//! values ([`table`]): only branches with a row that satisfies it are walked, so a left row costs a search and its
//! matches. As in as-of joins values are machine words, turned around where the comparison is.
//!
//! A right side that does not fit is sorted on disk by its first value and taken a share at a time, and the left side,
//! which waits in a file, is read once for each share ([`spilled`]).

pub mod build;
pub mod probe;
pub mod spilled;
mod table;

use std::sync::Arc;

use hypostyle_functions::types::Type;

use crate::expression::ExpressionSet;
use crate::plan::{Inequality, JoinKind};

pub use build::{RangeBuild, UnmatchedSource};
pub use probe::RangeProbe;
pub use spilled::SpilledSource;

/// Types and expressions of a range join.
#[derive(Clone)]
pub struct RangeShape {
    /// Which rows come out.
    pub kind: JoinKind,
    /// Columns of the left side.
    pub left_types: Vec<Type>,
    /// Columns of the right side.
    pub right_types: Vec<Type>,
    /// The values that are compared: their types, and how the left one compares with the right one.
    pub conditions: Vec<(Type, Inequality)>,
    /// What is compared of the left side.
    pub left_values: Arc<ExpressionSet>,
    /// What is compared of the right side.
    pub right_values: Arc<ExpressionSet>,
    /// A further condition over the columns of both sides.
    pub residual: Option<Arc<ExpressionSet>>,
}

impl RangeShape {
    /// Whether the columns of the right side come out or are needed by the condition.
    fn needs_right_columns(&self) -> bool {
        self.residual.is_some() || self.kind.gives_pairs()
    }

    /// Whether right rows without a match come out.
    pub fn keeps_right(&self) -> bool {
        matches!(self.kind, JoinKind::Right | JoinKind::Full)
    }

    /// Whether left rows without a match come out beside pairs.
    fn keeps_left(&self) -> bool {
        matches!(self.kind, JoinKind::Left | JoinKind::Full)
    }
}

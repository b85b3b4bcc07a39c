//! Joins: the right side is built into a table, the left side probes it batch by batch.
//!
//! [`build`] gathers the right side, [`table_build`] puts it in one piece and indexes it ([`index`]), [`matches`] finds
//! pairs for a batch, [`outcome`] turns them into rows by [`JoinKind`], [`probe`] is the transform around it. A join without keys pairs every
//! row with every row; everything else is the same. A build side that does not fit the budget, or gives way to others ([`finished`]), is
//! partitioned by hash into spill files, and so is the probe side ([`spilled`]).
//!
//! Each probe row has a [`Mark`] while its pairs are found. For the kinds that ask for it, [`unknown`] decides between
//! false and unknown for the rows without a match.

pub mod build;
mod finished;
mod index;
mod kept_rows;
pub mod matches;
mod outcome;
mod partitions;
pub mod probe;
pub mod spilled;
pub mod table;
mod table_build;
mod unknown;
mod unmatched;

use std::sync::Arc;

use hypostyle_functions::types::Type;

use crate::expression::ExpressionSet;
use crate::plan::JoinKind;

pub use build::JoinBuild;
pub use probe::Probe;
pub use spilled::SpilledSource;
pub use unmatched::UnmatchedSource;

/// Types and expressions of a join.
pub struct JoinShape {
    /// Which rows come out.
    pub kind: JoinKind,
    /// Columns of the probe side.
    pub left_types: Vec<Type>,
    /// Columns of the build side.
    pub right_types: Vec<Type>,
    /// Types of the keys.
    pub key_types: Vec<Type>,
    /// Per key, whether null matches null.
    pub nulls_match: Vec<bool>,
    /// The keys over the probe side; absent for a join without keys.
    pub left_keys: Option<Arc<ExpressionSet>>,
    /// The keys over the build side.
    pub right_keys: Option<Arc<ExpressionSet>>,
    /// Per key, the column of the probe side that it is, if it is one.
    pub left_key_columns: Vec<Option<usize>>,
    /// Per key, the column of the build side that it is, if it is one.
    pub right_key_columns: Vec<Option<usize>>,
    /// A further condition over the columns of both sides.
    pub residual: Option<Arc<ExpressionSet>>,
    /// Whether the last column of each side is the ordinal of its row, which the condition does not see.
    pub has_ordinals: bool,
}

/// Whether a probe row has a match. Of several findings the greatest holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// It has none.
    #[default]
    False,
    /// A pair is unknown.
    Unknown,
    /// A pair matches.
    True,
}

impl JoinShape {
    /// The same join over sides that carry the ordinals of their rows.
    pub fn with_ordinals(&self) -> Self {
        let more = |types: &[Type]| types.iter().cloned().chain([Type::UInt64]).collect();
        Self {
            kind: self.kind,
            left_types: more(&self.left_types),
            right_types: if self.needs_right_columns() { more(&self.right_types) } else { Vec::new() },
            key_types: self.key_types.clone(),
            nulls_match: self.nulls_match.clone(),
            left_keys: self.left_keys.clone(),
            right_keys: self.right_keys.clone(),
            left_key_columns: self.left_key_columns.clone(),
            right_key_columns: self.right_key_columns.clone(),
            residual: self.residual.clone(),
            has_ordinals: true,
        }
    }

    /// Whether the columns of the build side come out or are needed by the condition.
    pub fn needs_right_columns(&self) -> bool {
        self.residual.is_some() || self.gives_pairs() || self.gives_right_rows()
    }

    /// Whether pairs of rows come out, and not only rows of the left side.
    pub fn gives_pairs(&self) -> bool {
        matches!(
            self.kind,
            JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::LeftSingle
        )
    }

    /// Whether it counts that a pair is unknown.
    pub fn asks_for_unknown(&self) -> bool {
        matches!(self.kind, JoinKind::LeftMark | JoinKind::LeftAntiNullAware)
    }

    /// Whether what is unknown follows from two facts: that the build side has a null key, and that the probe row has.
    pub fn unknown_follows_from_facts(&self) -> bool {
        self.residual.is_none() && self.nulls_match.as_slice() == [false]
    }

    /// Per key, whether rows that can say something of one another agree in it: all keys of most joins, and where
    /// unknown pairs count only those in which null matches null.
    pub fn partition_keys(&self) -> Vec<bool> {
        match self.asks_for_unknown() && !self.unknown_follows_from_facts() {
            true => self.nulls_match.clone(),
            false => vec![true; self.nulls_match.len()],
        }
    }

    /// Whether rows of the right side alone come out.
    pub fn gives_right_rows(&self) -> bool {
        matches!(self.kind, JoinKind::RightSemi | JoinKind::RightAnti)
    }

    /// Whether build rows come out after all probe rows have been seen, by whether they had a match.
    pub fn gives_right_later(&self) -> bool {
        self.gives_right_rows() || matches!(self.kind, JoinKind::Right | JoinKind::Full)
    }

    /// Whether equal keys of the build side are as good as one.
    pub fn only_asks_for_match(&self) -> bool {
        !self.gives_pairs() && !self.gives_right_rows() && self.residual.is_none()
    }

    /// Whether nothing can come out if the build side is empty.
    pub fn is_empty_without_right(&self) -> bool {
        matches!(
            self.kind,
            JoinKind::Inner
                | JoinKind::Right
                | JoinKind::LeftSemi
                | JoinKind::RightSemi
                | JoinKind::RightAnti
        )
    }
}

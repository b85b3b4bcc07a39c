//! As-of joins: each left row with the nearest right row of its key.
//!
//! Three ways lead to the same rows. All of them see order values as machine words, turned around for `<` and `<=`, so
//! that the nearest row always is the greatest one that is not greater than the left row's.
//! - The right side is indexed ([`sorted_index`]: rows by group and order value) and each left row looks its nearest
//!   up by binary search ([`lookup`]). The left side streams and is never sorted.
//! - The left side is indexed, and each right row is noted at the first left row that it can be the nearest of, where
//!   the greatest stays; afterwards notes are carried on to the later rows of the group ([`spine`], [`answer`]). The
//!   right side is neither sorted nor kept.
//! - Both sides are sorted, in files where there is no memory for them, and merged ([`merge`]). This is for sides that do
//!   not fit the budget, whatever their keys, and for order values that are no machine words.

pub mod answer;
mod arrivals;
mod gather;
mod grouped;
mod key_index;
pub mod lookup;
pub mod merge;
mod notes;
pub mod side;
mod sorted_index;
pub mod spine;
mod tie;
mod walk;
mod window;
mod word;

use std::sync::Arc;

use hypostyle_functions::column::{Column, View};
use hypostyle_functions::types::Type;

use crate::batch::Batch;
use crate::expression::ExpressionSet;
use crate::metrics::OperatorMetrics;
use crate::operator::RunContext;
use crate::operator::sort::KeyOrder;
use crate::plan::{Inequality, JoinKind, is_word_ordered};

pub use answer::AnswerSource;
pub use lookup::{Lookup, LookupProbe, UnmatchedSource};
pub use merge::MergeSource;
pub use side::Side;
pub use spine::{Nearest, Spine};

pub(crate) use sorted_index::lower_bound;
pub(crate) use word::words;

/// Types and expressions of an as-of join.
pub struct AsofShape {
    /// Which rows come out.
    pub kind: JoinKind,
    /// Columns of the left side.
    pub left_types: Vec<Type>,
    /// Columns of the right side.
    pub right_types: Vec<Type>,
    /// Columns of the right side that something reads; the others come out as nulls.
    pub right_read: Vec<bool>,
    /// Types of the keys.
    pub key_types: Vec<Type>,
    /// Per key, whether null matches null.
    pub nulls_match: Vec<bool>,
    /// Type of the order values.
    pub order_type: Type,
    /// How the left order value compares with the right one.
    pub comparison: Inequality,
    /// Whether the left side has a limit.
    pub has_limit: bool,
    /// Order among right rows of one order value.
    pub ties: Vec<KeyOrder>,
    /// Columns of the right side that take the nearest value that is not null.
    pub last_not_null: Vec<usize>,
    /// Keys, order and, if there is one, limit over the left side.
    pub left_values: Arc<ExpressionSet>,
    /// Keys, order and ties over the right side.
    pub right_values: Arc<ExpressionSet>,
    /// A condition over the columns of both sides.
    pub residual: Option<Arc<ExpressionSet>>,
}

impl AsofShape {
    /// Whether order values and ties are machine words.
    pub fn is_word_ordered(&self) -> bool {
        is_word_ordered(&self.order_type) && self.ties.iter().all(|tie| is_word_ordered(&tie.data_type))
    }

    /// Whether order values are turned around.
    fn is_inverted(&self) -> bool {
        !self.comparison.is_greater()
    }

    /// Whether pairs come out, and not only rows of the left side.
    fn gives_pairs(&self) -> bool {
        self.kind.gives_pairs()
    }

    /// Whether right rows without a partner come out.
    pub fn keeps_right(&self) -> bool {
        matches!(self.kind, JoinKind::Right | JoinKind::Full)
    }

    /// Whether nothing comes out without right rows.
    fn is_empty_without_right(&self) -> bool {
        matches!(self.kind, JoinKind::Inner | JoinKind::Right | JoinKind::LeftSemi)
    }

    /// Types of what is evaluated over the left side.
    fn left_value_types(&self) -> Vec<Type> {
        let limit = self.has_limit.then(|| self.order_type.clone());
        self.key_types.iter().chain([&self.order_type]).cloned().chain(limit).collect()
    }

    /// Types of what is evaluated over the right side.
    fn right_value_types(&self) -> Vec<Type> {
        let ties = self.ties.iter().map(|tie| &tie.data_type);
        self.key_types.iter().chain([&self.order_type]).chain(ties).cloned().collect()
    }

    /// A side that is gathered, and sorted by what is compared if it does not fit.
    pub fn side(&self, is_right: bool, run: &Arc<RunContext>, metrics: &Arc<OperatorMetrics>) -> Side {
        let order = |data_type: &Type, descending| KeyOrder {
            data_type: data_type.clone(),
            descending,
            nulls_first: false,
        };
        let keys = self.key_types.iter().map(|data_type| order(data_type, false));
        let mut orders: Vec<KeyOrder> = keys.chain([order(&self.order_type, self.is_inverted())]).collect();
        if !is_right {
            return Side::new(&self.left_types, self.left_value_types(), orders, run, metrics, "as-of join");
        }
        // The last of equal rows is taken, so what comes first in the order of ties comes last here.
        orders.extend(self.ties.iter().map(|tie| KeyOrder {
            data_type: tie.data_type.clone(),
            descending: !tie.descending,
            nulls_first: !tie.nulls_first,
        }));
        Side::new(&self.right_types, self.right_value_types(), orders, run, metrics, "as-of join")
    }

    /// The track of each right column: 0 for the nearest row, others for the nearest value that is not null.
    fn track_of(&self, column: usize) -> usize {
        self.last_not_null.iter().position(|&own| own == column).map_or(0, |position| position + 1)
    }

    /// Number of tracks.
    fn tracks(&self) -> usize {
        1 + self.last_not_null.len()
    }

    /// Right columns with a null in place of those that nothing reads.
    fn blanked(&self, columns: Vec<Column>, rows: usize) -> Vec<Column> {
        let keep = |(index, column): (usize, Column)| match self.right_read[index] {
            true => column,
            false => Column::nulls(&self.right_types[index], rows),
        };
        columns.into_iter().enumerate().map(keep).collect()
    }
}

/// The columns of a batch for reading.
fn views<'a>(columns: &'a [Column], types: &'a [Type], bump: &'a bumpalo::Bump) -> Vec<View<'a>> {
    columns.iter().zip(types).map(|(column, data_type)| column.view(data_type, bump)).collect()
}

/// Rows of the left side for which the kind gives a row, by whether they have a partner; all for outer joins.
fn kept_left(kind: JoinKind, has_partner: &[bool]) -> Option<Vec<bool>> {
    match kind {
        JoinKind::Left | JoinKind::Full => None,
        JoinKind::LeftAnti => Some(has_partner.iter().map(|partner| !partner).collect()),
        _ => Some(has_partner.to_vec()),
    }
}

/// The batch with these columns behind its own, of rows that are kept.
fn with_columns(batch: Batch, right: Vec<Column>) -> Batch {
    let Batch { mut columns, rows, position } = batch;
    columns.extend(right);
    Batch::new(columns, rows).at(position)
}

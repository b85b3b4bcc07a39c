//! Joins without keys whose conditions are inequalities between the sides become range joins.

use std::collections::HashSet;

use hypostyle_engine::plan::{Expression, JoinKind, OrderCondition, is_word_ordered};

use crate::bind::inequality;
use crate::logical::{Join, Relation};
use crate::rewrite::estimate;

/// Rows of the right side below which comparing all with all is as good as a search.
const SEARCHED_ROWS_MIN: f64 = 8.0;

/// The one or two inequalities that a range join searches by, and the conjuncts that are left; `None` if there is none.
///
/// Two inequalities that bound the left values from both sides find fewer rows than two that bound them from one, so
/// the second is chosen to be in the other direction than the first where there is such a one.
pub(super) fn split(join: &Join) -> Option<(Vec<OrderCondition>, Vec<Expression>)> {
    let is_plain = matches!(
        join.kind,
        JoinKind::Inner
            | JoinKind::Left
            | JoinKind::Right
            | JoinKind::Full
            | JoinKind::LeftSemi
            | JoinKind::LeftAnti
    );
    if !join.keys.is_empty() || !is_plain || estimate::rows(&join.right) < SEARCHED_ROWS_MIN {
        return None;
    }
    let ids = |relation: &Relation| relation.columns().iter().map(|column| column.id).collect::<HashSet<_>>();
    let (left, right) = (ids(&join.left), ids(&join.right));
    let condition = |term: &Expression| {
        inequality(term, &left, &right).filter(|condition| is_word_ordered(&condition.left.data_type()))
    };
    let found: Vec<(usize, OrderCondition)> = (join.residual.iter().enumerate())
        .filter_map(|(position, term)| Some((position, condition(term)?)))
        .collect();
    let (first, others) = found.split_first()?;
    let is_opposite = |(_, other): &&(usize, OrderCondition)| {
        other.comparison.is_greater() != first.1.comparison.is_greater()
    };
    let second = others.iter().find(is_opposite).or(others.first());
    let used: Vec<&(usize, OrderCondition)> = std::iter::once(first).chain(second).collect();
    let is_used = |position: usize| used.iter().any(|(used, _)| *used == position);
    let residual = join.residual.iter().enumerate();
    let residual =
        residual.filter(|(position, _)| !is_used(*position)).map(|(_, term)| term.clone()).collect();
    Some((used.into_iter().map(|(_, condition)| condition.clone()).collect(), residual))
}

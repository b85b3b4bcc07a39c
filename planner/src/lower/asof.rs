//! As-of joins to the engine's plan.

use hypostyle_engine::plan::{
    AsofIndex, AsofJoin, Expression, JoinKey, JoinKind, Node, OrderCondition, is_word_ordered,
};

use super::{Lowered, Positions, finish, lower_relation};
use crate::error::Result;
use crate::logical::{AsOf, Relation, conjunction};
use crate::rewrite::estimate;

/// Times that the right side must be larger than the left one for the left one to be indexed: indexing sorts, while
/// what passes by is only looked up.
const INDEX_LEFT_RATIO: f64 = 1.0;

pub(super) fn lower(relation: &Relation, join: &AsOf) -> Result<Lowered> {
    let left = lower_relation(&join.left)?;
    let right = lower_relation(&join.right)?;
    let (on_left, on_right) = (Positions::of(&left.columns), Positions::of(&right.columns));
    let both = Positions::of(left.columns.iter().chain(&right.columns));
    let keys = join.keys.iter().map(|key| {
        Ok(JoinKey {
            left: on_left.expression(&key.left)?,
            right: on_right.expression(&key.right)?,
            nulls_match: key.nulls_match,
        })
    });
    let position = |column: &Expression| match column {
        Expression::Column { index, .. } => right.columns.iter().position(|column| column.id == *index),
        _ => None,
    };
    let node = AsofJoin {
        kind: join.kind,
        keys: keys.collect::<Result<_>>()?,
        order: OrderCondition {
            left: on_left.expression(&join.order.left)?,
            right: on_right.expression(&join.order.right)?,
            comparison: join.order.comparison,
        },
        limit: join.limit.as_ref().map(|limit| on_left.expression(limit)).transpose()?,
        ties: on_right.sort_keys(&join.ties)?,
        last_not_null: join.last_not_null.iter().filter_map(position).collect(),
        residual: conjunction(both.all(&join.residual)?),
        index: index(join),
        left: left.plan,
        right: right.plan,
    };
    Ok(finish(Node::AsofJoin(Box::new(node)), relation.columns()))
}

/// The smaller side is indexed; only the right one can be where its rows come out by themselves or pairs are asked.
fn index(join: &AsOf) -> AsofIndex {
    let can_be_left = !matches!(join.kind, JoinKind::Right | JoinKind::Full)
        && join.residual.is_empty()
        && is_word_ordered(&join.order.left.data_type());
    let is_known = |side: &Relation| estimate::known_rows(side).is_some();
    let is_smaller = is_known(&join.left)
        && is_known(&join.right)
        && estimate::rows(&join.left) * INDEX_LEFT_RATIO <= estimate::rows(&join.right);
    if can_be_left && is_smaller { AsofIndex::Left } else { AsofIndex::Right }
}

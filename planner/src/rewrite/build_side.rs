//! Exchanges the sides of semi and anti joins whose right side is much larger, so that the smaller one is built. The rows
//! that come out are those of the built side then, in its order.

use hypostyle_engine::plan::{JoinKey, JoinKind};

use crate::logical::{Join, Relation};
use crate::rewrite::estimate;

/// Rows of the right side from which it may be exchanged: below, the written order costs nothing.
const RIGHT_ROWS_MIN: u64 = 10_000;

/// How many times larger the right side must be.
const TIMES_LARGER: u64 = 2;

/// Chooses the side that is built.
pub fn rewrite(relation: &mut Relation) {
    relation.walk_mut(&mut |relation| {
        if let Relation::Join(join) = relation {
            exchange(join);
        }
    });
}

fn exchange(join: &mut Join) {
    let kind = match join.kind {
        JoinKind::LeftSemi => JoinKind::RightSemi,
        JoinKind::LeftAnti => JoinKind::RightAnti,
        _ => return,
    };
    let (Some(left), Some(right)) = (estimate::known_rows(&join.left), estimate::known_rows(&join.right))
    else {
        return;
    };
    if join.keys.is_empty() || right < RIGHT_ROWS_MIN || left.saturating_mul(TIMES_LARGER) > right {
        return;
    }
    join.kind = kind;
    std::mem::swap(&mut join.left, &mut join.right);
    for JoinKey { left, right, .. } in &mut join.keys {
        std::mem::swap(left, right);
    }
}

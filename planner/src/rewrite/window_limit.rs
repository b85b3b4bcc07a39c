//! `row_number() OVER (PARTITION BY k ORDER BY x) <= n` above a window: only the first rows of each partition are kept,
//! so the window need not hold and sort all of them. The condition stays, since a few rows more may come.

use hypostyle_engine::plan::{Expression, RowLimit, Window, WindowFunction};
use hypostyle_functions::window::WindowKind;

use crate::bind::operator;
use crate::logical::{Column, Relation};

/// Tells windows how many rows of each partition the conditions above them want.
pub fn rewrite(relation: &mut Relation) {
    relation.walk_mut(&mut |relation| {
        let Relation::Filter { input, predicates } = relation else { return };
        let Relation::Window { window, columns, .. } = &mut **input else { return };
        if window.orders.len() != 1 || !window.calls.iter().all(|call| rank(&call.function).is_some()) {
            return;
        }
        let limits = predicates.iter().filter_map(|predicate| limit(predicate, window, columns));
        window.limit = limits.min_by_key(|limit| (limit.with_ties, limit.rows));
    });
}

/// A function that depends on the rows before a row only.
fn rank(function: &WindowFunction) -> Option<WindowKind> {
    match function {
        WindowFunction::Positional { kind, order, .. } if order.is_empty() => {
            matches!(kind, WindowKind::RowNumber | WindowKind::Rank).then_some(*kind)
        }
        _ => None,
    }
}

/// The rows that a condition on a number of rows lets pass.
fn limit(predicate: &Expression, window: &Window, columns: &[Column]) -> Option<RowLimit> {
    let Expression::Call { function, arguments, .. } = predicate else { return None };
    let (column, constant, function) = match arguments.as_slice() {
        [Expression::Column { index, .. }, Expression::Literal(literal)] => {
            (index, literal, function.as_str())
        }
        [Expression::Literal(literal), Expression::Column { index, .. }] => {
            (index, literal, operator::mirrored(function)?)
        }
        _ => return None,
    };
    let position = columns.iter().position(|known| known.id == *column)?;
    let kind = rank(&window.calls.get(position)?.function)?;
    let constant = constant.value.as_i64()?;
    let rows = match function {
        operator::LESS => constant.saturating_sub(1),
        operator::LESS_OR_EQUAL | operator::EQUAL => constant,
        _ => return None,
    };
    Some(RowLimit { rows: u64::try_from(rows).unwrap_or(0), with_ties: kind == WindowKind::Rank })
}

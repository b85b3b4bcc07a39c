//! Replaces columns in expressions by what they are computed from.

use std::collections::HashMap;

use hypostyle_engine::plan::Expression;

use crate::logical::Computed;

/// What columns stand for.
pub type Values<'r> = HashMap<usize, &'r Expression>;

/// What the columns of a projection stand for.
pub fn values(columns: &[Computed]) -> Values<'_> {
    columns.iter().map(|computed| (computed.column.id, &computed.expression)).collect()
}

/// The expression with columns replaced by their values.
pub fn substitute(mut expression: Expression, values: &Values<'_>) -> Expression {
    replace(&mut expression, values);
    expression
}

fn replace(expression: &mut Expression, values: &Values<'_>) {
    if let Expression::Column { index, .. } = expression {
        if let Some(value) = values.get(index) {
            *expression = (*value).clone();
        }
        return;
    }
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        expression.children_mut().into_iter().for_each(|child| replace(child, values));
    });
}

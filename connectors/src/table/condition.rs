//! The conditions that a scan applies itself: on one column, and such that no row fails.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::expression::ExpressionSet;
use hypostyle_engine::plan::Expression;
use hypostyle_functions::{Schema, Type};

/// Functions with a truth value for every row, whatever it holds. A scan applies conditions before all others and to
/// values of a dictionary that no row has, so none of them may fail.
const TOTAL_FUNCTIONS: [&str; 16] = [
    "=",
    "!=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "is_null",
    "is_not_null",
    "is_distinct_from",
    "is_not_distinct_from",
    "not",
    "in_list",
    "between",
    "like",
    "starts_with",
];

/// A condition on one column of a table.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Position of the column.
    pub column: usize,
    /// One expression over this column alone.
    pub set: Arc<ExpressionSet>,
}

impl Condition {
    /// The conditions among `filters` that a scan applies, one for each column.
    ///
    /// # Errors
    /// What compiling reports.
    pub fn all(
        filters: &[Expression],
        schema: &Schema,
        context: &Arc<Context>,
    ) -> hypostyle_engine::Result<Vec<Self>> {
        let mut parts: Vec<(usize, Vec<Expression>)> = Vec::new();
        for filter in filters {
            let Some(column) = tested_column(filter) else { continue };
            let mut moved = filter.clone();
            moved.walk_mut(&mut |part| {
                if let Expression::Column { index, .. } = part {
                    *index = 0;
                }
            });
            match parts.iter_mut().find(|(known, _)| *known == column) {
                Some((_, known)) => known.push(moved),
                None => parts.push((column, vec![moved])),
            }
        }
        let compiled = parts.into_iter().map(|(column, parts)| {
            let input = Schema::new(vec![schema.fields[column].clone()]);
            let set = ExpressionSet::compile(&[Expression::And(parts)], &input, context)?;
            Ok(Self { column, set })
        });
        compiled.collect()
    }
}

/// The only column that a condition reads, if a scan may apply it.
pub fn tested_column(filter: &Expression) -> Option<usize> {
    let mut column = None;
    (is_total(filter) && reads_one(filter, &mut column)).then_some(column).flatten()
}

/// True for a condition that has a value for every row.
fn is_total(filter: &Expression) -> bool {
    let is_operand = |part: &Expression| match part {
        Expression::Column { .. } | Expression::Literal(_) => true,
        other => is_total(other),
    };
    match filter {
        Expression::And(parts) | Expression::Or(parts) => parts.iter().all(is_total),
        Expression::Column { data_type, .. } => *data_type == Type::Boolean,
        Expression::Call { function, arguments, data_type, .. } => {
            *data_type == Type::Boolean
                && TOTAL_FUNCTIONS.contains(&function.as_str())
                && arguments.iter().all(is_operand)
        }
        _ => false,
    }
}

/// False once a second column is read.
fn reads_one(filter: &Expression, column: &mut Option<usize>) -> bool {
    if let Expression::Column { index, .. } = filter {
        return *column.get_or_insert(*index) == *index;
    }
    filter.children().into_iter().all(|part| reads_one(part, column))
}

#[cfg(test)]
mod tests {
    use hypostyle_functions::{Literal, Value};

    use super::*;

    fn compared(function: &str, left: Expression, right: Expression) -> Expression {
        Expression::call(function, vec![left, right], Type::Boolean)
    }

    fn column(index: usize) -> Expression {
        Expression::column(index, Type::Int64)
    }

    fn five() -> Expression {
        Expression::Literal(Literal::new(Value::Int64(5)))
    }

    #[test]
    fn conditions_on_one_column_that_cannot_fail_are_applied() {
        let simple = compared("<", column(3), five());
        assert_eq!(tested_column(&simple), Some(3));
        let either = Expression::Or(vec![simple.clone(), compared("=", five(), column(3))]);
        assert_eq!(tested_column(&either), Some(3));
    }

    #[test]
    fn conditions_on_several_columns_or_that_may_fail_are_left() {
        assert_eq!(tested_column(&compared("<", column(3), column(4))), None);
        let divided = Expression::call("//", vec![five(), column(3)], Type::Int64);
        assert_eq!(tested_column(&compared("<", divided, five())), None);
        assert_eq!(tested_column(&compared("<", five(), five())), None);
    }
}

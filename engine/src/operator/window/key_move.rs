//! Bounds of ranges that lie at their key moved by a constant: `ts - INTERVAL 7 DAYS` where the order is `ts`.
//!
//! They are not kept with the rows, since they can be told from the key when frames are looked for; and where the key is
//! a whole number that the constant is added to, as are times and intervals without months, by one addition.

use std::fmt;
use std::sync::Arc;

use hypostyle_functions::column::Column;
use hypostyle_functions::types::{Field, Schema, TimeUnit, Type};
use hypostyle_functions::value::Value;

use crate::batch::Batch;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::expression::{Evaluator, ExpressionSet};
use crate::plan::Expression;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Keys and shifts up to this size surely have sums that are no infinity and leave no range.
pub(super) const SAFE: i64 = 1 << 61;

/// The key of a range moved by a constant.
pub(crate) struct KeyMove {
    /// Gives the moved key; the key is its only column.
    pub expressions: Arc<ExpressionSet>,
    /// What is added to the key's number, where both are whole numbers of at most [`SAFE`] in size.
    pub shift: Option<i64>,
}

impl fmt::Debug for KeyMove {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyMove").field("shift", &self.shift).finish_non_exhaustive()
    }
}

/// True for sums and differences of this key and a constant.
pub(super) fn is_move_of(expression: &Expression, key: &Expression) -> bool {
    matches!(
        expression,
        Expression::Call { function, arguments, data_type, .. }
            if matches!(function.as_str(), "+" | "-")
                && matches!(arguments.as_slice(), [first, Expression::Literal(_)] if first == key)
                && *data_type == key.data_type()
    )
}

impl KeyMove {
    /// Compiles an expression that [`is_move_of`] its first argument.
    ///
    /// # Errors
    /// A function that the registry does not have.
    pub fn bind(expression: &Expression, context: &Arc<Context>) -> Result<Self> {
        let Expression::Call { function, arguments, .. } = expression else {
            return Err(Error::internal("the move of a key is a call"));
        };
        let [key, amount] = arguments.as_slice() else {
            return Err(Error::internal("the move of a key has two arguments"));
        };
        let data_type = key.data_type();
        let shift = shift(&data_type, amount).map(|shift| if function == "-" { -shift } else { shift });
        let mut of_key = expression.clone();
        if let Some(first) = of_key.children_mut().into_iter().next() {
            *first = Expression::column(0, data_type.clone());
        }
        let schema = Schema::new(vec![Field::new("key", data_type)]);
        let expressions = ExpressionSet::compile(&[of_key], &schema, context)?;
        Ok(Self { expressions, shift })
    }

    /// The moved keys.
    ///
    /// # Errors
    /// One that leaves the range of its type.
    pub fn evaluate(&self, keys: Column, rows: usize) -> Result<Column> {
        let mut evaluator = Evaluator::new(Arc::clone(&self.expressions), &[])?;
        let moved = evaluator.evaluate(&Batch::new(vec![keys], rows))?.into_iter().next();
        moved.ok_or_else(|| Error::internal("the move of a key gave no column"))
    }
}

/// What a constant adds to the number of a key.
fn shift(key: &Type, amount: &Expression) -> Option<i64> {
    let Expression::Literal(amount) = amount else { return None };
    let shift = match (key, &amount.value) {
        (Type::Int64, Value::Int64(amount)) => *amount,
        (Type::Timestamp(TimeUnit::Microsecond), Value::Interval(0, days, nanoseconds)) => {
            i64::from(*days).checked_mul(MICROSECONDS_PER_DAY)?.checked_add(nanoseconds / 1_000)?
        }
        _ => return None,
    };
    (-SAFE..=SAFE).contains(&shift).then_some(shift)
}

//! The operators `= <> < <= > >=`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::CATEGORY;
use super::ordered::{Ordered, with_ordered_type};
use crate::column::compare;
use crate::lanes::{Float, LaneKernel, binary, comparison};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::variable;
use crate::types::Type;

#[derive(Debug, Clone, Copy)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

pub(super) fn register(registry: &mut Registry) {
    use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let function = function("=", Equal, "True if both sides are the same value.").alias("==");
    registry.register_scalar(
        function.example("1 = 1.0", "true").example("'nan'::double = 'nan'::double", "true"),
    );
    let function = self::function("<>", NotEqual, "True if the sides are different values.").alias("!=");
    registry.register_scalar(function.example("1 <> 2", "true"));
    let function = self::function("<", Less, "True if the left side sorts before the right.");
    registry.register_scalar(function.example("'abc' < 'abd'", "true"));
    let function = self::function("<=", LessOrEqual, "True if the left side does not sort after the right.");
    registry.register_scalar(function.example("[1, 2] <= [1, 2, 3]", "true"));
    let function = self::function(">", Greater, "True if the left side sorts after the right.");
    registry.register_scalar(function.example("'nan'::double > 'inf'::double", "true"));
    let function =
        self::function(">=", GreaterOrEqual, "True if the left side does not sort before the right.");
    registry.register_scalar(function.example("2 >= 2", "true"));
}

fn function(name: &str, operator: Operator, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .note("Null if a side is null; nulls inside lists and structs are values that equal each other and sort last.")
        .note("NaN is the greatest number and equal to itself; -0 equals 0; text compares by bytes.")
        .overload([variable("left"), variable("right")], move |arguments| Ok(bind(operator, &arguments.types[0])))
}

fn bind(operator: Operator, data_type: &Type) -> Bound {
    let kernel = match data_type {
        Type::Float32 => Some(float_kernel::<f32>(operator)),
        Type::Float64 => Some(float_kernel::<f64>(operator)),
        other => with_ordered_type!(other, kernel(operator)),
    };
    if let Some(kernel) = kernel {
        return Bound::lanes(Type::Boolean, kernel);
    }
    match (data_type, operator) {
        (Type::Text | Type::Binary, Operator::Equal) => bytes_equal(true),
        (Type::Text | Type::Binary, Operator::NotEqual) => bytes_equal(false),
        (Type::Text | Type::Binary, _) => bytes_order(operator),
        _ => Bound::strict(Type::Boolean, move |arguments, rows, output, _| {
            let (left, right) = (arguments[0], arguments[1]);
            let bits = output.boolean();
            rows.for_each(|row| bits.set(row, holds(operator, compare(&left, row, &right, row))));
            Ok(())
        }),
    }
}

fn holds(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
    }
}

/// Lifts the rule of an operator on two values of type `T`.
macro_rules! lifted {
    ($operator:expr, $lift:path) => {
        match $operator {
            Operator::Equal => $lift(|a: T, b: T| a.equal(b)),
            Operator::NotEqual => $lift(|a: T, b: T| !a.equal(b)),
            Operator::Less => $lift(|a: T, b: T| a.less(b)),
            Operator::LessOrEqual => $lift(|a: T, b: T| !b.less(a)),
            Operator::Greater => $lift(|a: T, b: T| b.less(a)),
            Operator::GreaterOrEqual => $lift(|a: T, b: T| !a.less(b)),
        }
    };
}

fn kernel<T: Ordered>(operator: Operator) -> Arc<dyn LaneKernel> {
    lifted!(operator, binary)
}

fn float_kernel<T: Ordered + Float>(operator: Operator) -> Arc<dyn LaneKernel> {
    lifted!(operator, comparison)
}

/// Lengths differ more often than bytes do, so they are looked at first.
fn bytes_equal(wanted: bool) -> Bound {
    Bound::strict(Type::Boolean, move |arguments, rows, output, _| {
        let (left, right) = (arguments[0].bytes(), arguments[1].bytes());
        let bits = output.boolean();
        rows.for_each(|row| {
            let same = left.length(row) == right.length(row) && left.get(row) == right.get(row);
            bits.set(row, same == wanted);
        });
        Ok(())
    })
}

fn bytes_order(operator: Operator) -> Bound {
    Bound::strict(Type::Boolean, move |arguments, rows, output, _| {
        let (left, right) = (arguments[0].bytes(), arguments[1].bytes());
        let bits = output.boolean();
        rows.for_each(|row| bits.set(row, holds(operator, left.get(row).cmp(right.get(row)))));
        Ok(())
    })
}

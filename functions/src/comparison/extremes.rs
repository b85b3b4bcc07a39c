//! `greatest` and `least`.

use super::CATEGORY;
use super::ordered::{Ordered, with_fixed_type};
use crate::column::{FixedWidth, Output, Rows, View, WritableFixed, compare};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::variable;
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        function("greatest", true, "The greatest of several values.").example("greatest(1, NULL, 3)", "3"),
    );
    registry.register_scalar(
        function("least", false, "The least of several values.").example("least('b', 'a')", "a"),
    );
}

fn function(name: &str, greatest: bool, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
        .note("Nulls are passed over; null if all arguments are null. NaN is the greatest number.")
        .variadic([variable("value"), variable("values")], move |arguments| {
            Ok(bind(&arguments.types[0], greatest))
        })
}

fn bind(data_type: &Type, greatest: bool) -> Bound {
    let typed = with_fixed_type!(data_type, bind_fixed(data_type, greatest));
    typed.unwrap_or_else(|| {
        Bound::null_aware(data_type.clone(), move |arguments, rows, output, _| {
            rows.for_each(|row| {
                let held = arguments.iter().filter(|argument| argument.is_valid(row));
                let best = held.reduce(|best, next| match compare(next, row, best, row) {
                    order if (greatest && order.is_gt()) || (!greatest && order.is_lt()) => next,
                    _ => best,
                });
                match best {
                    Some(best) => output.copy(row, best, row),
                    None => output.set_null(row),
                }
            });
            Ok(())
        })
    })
}

fn bind_fixed<T: Ordered + WritableFixed>(data_type: &Type, greatest: bool) -> Bound {
    Bound::null_aware(data_type.clone(), move |arguments, rows, output, _| {
        let may_be_null = arguments.iter().any(View::may_be_null);
        if greatest {
            run::<T>(arguments, rows, output, may_be_null, |next, best| best.less(next));
        } else {
            run::<T>(arguments, rows, output, may_be_null, |next, best| next.less(best));
        }
        Ok(())
    })
}

/// The first of the values that none is better than.
fn run<T: FixedWidth + WritableFixed>(
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    may_be_null: bool,
    is_better: impl Fn(T, T) -> bool,
) {
    if let ([left, right], false) = (arguments, may_be_null) {
        let (left, right) = (left.fixed::<T>(), right.fixed::<T>());
        let values = output.fixed::<T>();
        return rows.for_each(|row| {
            let (a, b) = (left.get(row), right.get(row));
            values[row] = if is_better(b, a) { b } else { a };
        });
    }
    rows.for_each(|row| {
        let held = arguments.iter().filter(|argument| argument.is_valid(row));
        let best = held
            .map(|argument| argument.fixed::<T>().get(row))
            .reduce(|best, next| if is_better(next, best) { next } else { best });
        match best {
            Some(best) => output.fixed::<T>()[row] = best,
            None => output.set_null(row),
        }
    });
}

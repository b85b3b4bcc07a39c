//! `greatest` and `least`.

use super::CATEGORY;
use super::ordered::{Ordered, with_fixed_type};
use crate::column::compare;
use crate::lanes::{self, Lane};
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

fn bind_fixed<T: Ordered + Lane>(data_type: &Type, greatest: bool) -> Bound {
    let kernel = match greatest {
        true => lanes::binary(|best: T, next: T| if best.less(next) { next } else { best }),
        false => lanes::binary(|best: T, next: T| if next.less(best) { next } else { best }),
    };
    Bound::combining_lanes(data_type.clone(), kernel)
}

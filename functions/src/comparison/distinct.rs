//! Comparisons to which null is a value like any other.

use super::CATEGORY;
use crate::column::equal;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::variable;
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        function(
            "is_distinct_from",
            false,
            "True if the sides differ, where null equals null and nothing else.",
        )
        .example("1 IS DISTINCT FROM NULL", "true"),
    );
    registry.register_scalar(
        function(
            "is_not_distinct_from",
            true,
            "True if the sides are the same, where null equals null and nothing else.",
        )
        .example("NULL IS NOT DISTINCT FROM NULL", "true"),
    );
}

fn function(name: &str, wanted: bool, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary).note("Never null.").overload(
        [variable("left"), variable("right")],
        move |_| {
            Ok(Bound::null_aware(Type::Boolean, move |arguments, rows, output, _| {
                let (left, right) = (arguments[0], arguments[1]);
                let bits = output.boolean();
                rows.for_each(|row| bits.set(row, equal(&left, row, &right, row) == wanted));
                Ok(())
            }))
        },
    )
}

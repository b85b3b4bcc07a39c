//! Lists written as text.

use super::extract::any_list;
use crate::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::text::append;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new(
            "array_to_string",
            "list",
            "The elements of a list as text, with a separator between them.",
        )
        .alias("list_to_string")
        .overload(
            [any_list("list"), exact("separator", Type::Text).or(Literal::new(Value::text(",")))],
            |_| Ok(array_to_string()),
        )
        .note("Null elements are left out; a list of nothing but nulls gives null.")
        .example("array_to_string([1, NULL, 2], '-')", "1-2"),
    );
}

fn array_to_string() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let lists = arguments[0].list();
        let child = lists.child();
        let separators = arguments[1].text();
        rows.for_each(|row| {
            // As with string_agg, elements that are all null give null; no element gives an empty text.
            if lists.length(row) > 0 && lists.range(row).all(|place| child.is_null(place)) {
                output.set_null(row);
                return;
            }
            let separator = separators.get(row);
            output.text().build(row, |builder| {
                let mut is_first = true;
                for place in lists.range(row).filter(|place| child.is_valid(*place)) {
                    if !std::mem::replace(&mut is_first, false) {
                        builder.push_str(separator);
                    }
                    append(child, place, builder);
                }
            });
        });
        Ok(())
    })
}

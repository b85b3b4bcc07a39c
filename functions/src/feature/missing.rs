//! Missing values: nulls and NaN.

use super::CATEGORY;
use super::number_forms::{number_bound, number_forms};
use crate::column::{Data, Output, View};
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{any, list_of_variable, variable};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    let summary = "The value, or another one where it is NaN; of a list that of each element.";
    let function = ScalarFunction::new("fill_nan", CATEGORY, summary)
        .note("Null stays null; fill_null replaces nulls.")
        .example("fill_nan('nan'::double, 0)", "0.0");
    registry.register_scalar(number_forms(function, &["value"], &[], |arguments| {
        Ok(number_bound(arguments, |x, [value]: [f64; 1]| if x.is_nan() { value } else { x }))
    }));
    let summary =
        "The value, or another one where it is null; of a list and one value, that of each element.";
    registry.register_scalar(
        ScalarFunction::new("fill_null", CATEGORY, summary)
            .note("A null list stays null where one value is given.")
            .example("fill_null(NULL, 5)", "5")
            .example("fill_null([1, NULL], 0)", "[1, 0]")
            .overload([variable("x"), variable("value")], |arguments| {
                Ok(Bound::null_aware(arguments.types[0].clone(), |arguments, rows, output, _| {
                    rows.for_each(|row| {
                        let source = if arguments[0].is_valid(row) { &arguments[0] } else { &arguments[1] };
                        output.copy(row, source, row);
                    });
                    output.check_capacity()
                }))
            })
            .overload([list_of_variable("x"), variable("value")], |arguments| {
                // Not strict: a null for the elements leaves them null.
                Ok(Bound::null_aware(arguments.types[0].clone(), |arguments, rows, output, _| {
                    rows.for_each(|row| fill_elements(arguments, row, output));
                    output.check_capacity()
                }))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new("is_missing", CATEGORY, "True if the value is null or NaN.")
            .note("Never null.")
            .example("is_missing('nan'::double)", "true")
            .example("is_missing(NULL)", "true")
            .overload([any("x")], |_| {
                Ok(Bound::null_aware(Type::Boolean, |arguments, rows, output, _| {
                    let view = &arguments[0];
                    let bits = output.boolean();
                    rows.for_each(|row| {
                        let is_nan = |row: usize| match view.data {
                            Data::Float16(values) => values[view.value_index(row)].is_nan(),
                            Data::Float32(values) => values[view.value_index(row)].is_nan(),
                            Data::Float64(values) => values[view.value_index(row)].is_nan(),
                            _ => false,
                        };
                        bits.set(row, view.is_null(row) || is_nan(row));
                    });
                    Ok(())
                }))
            }),
    );
}

fn fill_elements(arguments: &[View<'_>], row: usize, output: &mut Output) {
    let (lists, value) = (&arguments[0], &arguments[1]);
    if lists.is_null(row) {
        return output.set_null(row);
    }
    let list = lists.list();
    let (child, range) = (list.child(), list.range(row));
    let mut writer = output.list();
    let start = writer.start();
    if child.may_be_null() {
        for at in range {
            match child.is_valid(at) {
                true => writer.child().push(child, at),
                false => writer.child().push(value, row),
            }
        }
    } else {
        writer.child().push_range(child, range);
    }
    writer.finish(row, start);
}

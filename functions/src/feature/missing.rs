//! Missing values: nulls and NaN.

use super::CATEGORY;
use crate::column::Data;
use crate::lanes::binary;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::{any, exact, variable};
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("fill_nan", CATEGORY, "The value, or another one where it is NaN.")
            .note("Null stays null; coalesce replaces nulls.")
            .example("fill_nan('nan'::double, 0)", "0.0")
            .overload([exact("x", Type::Float32), exact("value", Type::Float32)], |_| {
                Ok(Bound::lanes(
                    Type::Float32,
                    binary(|x: f32, value: f32| if x.is_nan() { value } else { x }),
                ))
            })
            .overload([exact("x", Type::Float64), exact("value", Type::Float64)], |_| {
                Ok(Bound::lanes(
                    Type::Float64,
                    binary(|x: f64, value: f64| if x.is_nan() { value } else { x }),
                ))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new("fill_null", CATEGORY, "The value, or another one where it is null.")
            .example("fill_null(NULL, 5)", "5")
            .overload([variable("x"), variable("value")], |arguments| {
                Ok(Bound::null_aware(arguments.types[0].clone(), |arguments, rows, output, _| {
                    rows.for_each(|row| {
                        let source = if arguments[0].is_valid(row) { &arguments[0] } else { &arguments[1] };
                        output.copy(row, source, row);
                    });
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

//! `clamp`: values held between two bounds.

use super::CATEGORY;
use super::elements::map_elements;
use crate::column::{Rows, View, WritableFixed};
use crate::comparison::ordered::with_fixed_type;
use crate::error::{Error, Result};
use crate::lanes::{Lane, ternary};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, parameter, variable};
use crate::types::Type;

pub(super) fn function() -> ScalarFunction {
    let list = parameter("x", Pattern::AnyList(Box::new(Pattern::Variable("T"))));
    ScalarFunction::new(
        "clamp",
        CATEGORY,
        "The value, or the nearer of two bounds where it is outside of them.",
    )
    .alias("clip")
    .note("NaN stays NaN. Where low is above high the result is high. Of a list every element is held.")
    .example("clamp(15, 0, 10)", "10")
    .example("clamp([-1.5, 0.5, 2.0], 0, 1)", "[0.0, 0.5, 1.0]")
    .overload([variable("x"), variable("low"), variable("high")], bind)
    .overload::<[Parameter; 3], _>([list, variable("low"), variable("high")], bind_list)
}

fn refused(arguments: &Arguments<'_>) -> Error {
    let data_type = &arguments.types[1];
    Error::argument(
        arguments.function,
        1,
        format!("has type {data_type}; expected numbers, dates or timestamps"),
    )
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let data_type = &arguments.types[0];
    with_fixed_type!(data_type, scalar(data_type)).ok_or_else(|| refused(arguments))
}

fn bind_list(arguments: &Arguments<'_>) -> Result<Bound> {
    let (list, element) = (&arguments.types[0], &arguments.types[1]);
    with_fixed_type!(element, elements(list)).ok_or_else(|| refused(arguments))
}

/// Written with comparisons that are false for NaN.
#[inline(always)]
fn clamp<T: PartialOrd>(x: T, low: T, high: T) -> T {
    let raised = if x < low { low } else { x };
    if raised > high { high } else { raised }
}

fn scalar<T: Lane + PartialOrd>(data_type: &Type) -> Bound {
    Bound::lanes(data_type.clone(), ternary(clamp::<T>))
}

fn elements<T: WritableFixed + PartialOrd>(list: &Type) -> Bound {
    Bound::strict(list.clone(), |arguments, rows, output, _| {
        let (low, high) = (arguments[1].fixed::<T>(), arguments[2].fixed::<T>());
        let kernel = |low: T, high: T| {
            move |values: &[T], clamped: &mut [T]| {
                clamped.iter_mut().zip(values).for_each(|(result, &x)| *result = clamp(x, low, high));
            }
        };
        if let (Some(low), Some(high)) = (low.constant(), high.constant()) {
            map_elements(&arguments[0], rows, output, &kernel(low, high));
        } else {
            rows.for_each(|row| {
                let one = [row as u32];
                let kernel = kernel(low.get(row), high.get(row));
                map_elements(&arguments[0] as &View<'_>, Rows::Selected(&one), output, &kernel);
            });
        }
        output.check_capacity()
    })
}

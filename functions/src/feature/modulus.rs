//! `positive_modulus`: the remainder of flooring division.

use super::CATEGORY;
use super::elements::{map_elements, over_elements};
use crate::column::Rows;
use crate::error::{Error, Result};
use crate::kernel::divisor::{Divisor, floor_remainder};
use crate::lanes::{Outcome, partial_binary, slice};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

pub(super) fn function() -> ScalarFunction {
    let list = parameter("x", Pattern::AnyList(Box::new(Pattern::Exact(Type::Int64))));
    ScalarFunction::new(
        "positive_modulus",
        CATEGORY,
        "Remainder of an integer, or of every integer of a list, from 0 to below the modulus.",
    )
    .note("A modulus below 1 is an error.")
    .example("positive_modulus(-7, 3)", "2")
    .example("positive_modulus([-1, 5], 3)", "[2, 2]")
    .overload([exact("x", Type::Int64), exact("modulus", Type::Int64)], bind)
    .overload([list, exact("modulus", Type::Int64)], bind_list)
}

fn refused(function: &str, modulus: i64) -> Error {
    Error::argument(function, 2, format!("is {modulus}; expected a modulus of at least 1"))
}

fn prepared(arguments: &Arguments<'_>) -> Result<Option<Divisor>> {
    match arguments.known(1).and_then(|value| value.as_i64()) {
        Some(modulus) => Divisor::new(modulus).map(Some).ok_or_else(|| refused(arguments.function, modulus)),
        None => Ok(None),
    }
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    if let Some(divisor) = prepared(arguments)? {
        let kernel = slice(move |values: &[i64], rests: &mut [i64]| floor_remainder(values, divisor, rests));
        return Ok(Bound::lanes(Type::Int64, kernel));
    }
    let function = arguments.function.to_owned();
    let kernel = partial_binary(
        |x: i64, modulus: i64| {
            if modulus > 0 { Outcome::Value(x.rem_euclid(modulus)) } else { Outcome::Failed }
        },
        move |_, modulus| refused(&function, modulus),
    );
    Ok(Bound::lanes(Type::Int64, kernel))
}

fn bind_list(arguments: &Arguments<'_>) -> Result<Bound> {
    let list = &arguments.types[0];
    if let Some(divisor) = prepared(arguments)? {
        let kernel = move |values: &[i64], rests: &mut [i64]| floor_remainder(values, divisor, rests);
        return Ok(over_elements(list, Type::Int64, kernel));
    }
    let function = arguments.function.to_owned();
    Ok(Bound::strict(list.clone(), move |arguments, rows, output, _| {
        let moduli = arguments[1].fixed::<i64>();
        rows.for_each(|row| match Divisor::new(moduli.get(row)) {
            Some(divisor) => {
                let one = [row as u32];
                let kernel = |values: &[i64], rests: &mut [i64]| floor_remainder(values, divisor, rests);
                map_elements(&arguments[0], Rows::Selected(&one), output, &kernel);
            }
            None => output.fail(row, || refused(&function, moduli.get(row))),
        });
        output.check_capacity()
    }))
}

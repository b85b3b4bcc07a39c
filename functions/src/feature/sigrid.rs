//! `sigrid_hash`: ids into a table of a fixed size.

use super::CATEGORY;
use super::elements::{map_elements, over_elements};
use crate::column::Rows;
use crate::error::{Error, Result};
use crate::kernel::hash::sigrid::{SigridHash, sigrid_hash};
use crate::lanes::slice;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Pattern, exact, parameter};
use crate::types::Type;

pub(super) fn function() -> ScalarFunction {
    let numbers = || [exact("salt", Type::Int64), exact("max", Type::Int64)];
    let [salt, max] = numbers();
    let list = parameter("ids", Pattern::AnyList(Box::new(Pattern::Exact(Type::Int64))));
    ScalarFunction::new(
        "sigrid_hash",
        CATEGORY,
        "Hash of an id, or of every id of a list, into 0 to below max.",
    )
    .note("max below 1 is an error; null ids stay null.")
    .note("Source: the published definition of sigrid_hash; results are stable across releases and machines.")
    .example("sigrid_hash(1, 0, 1000)", "760")
    .overload([exact("id", Type::Int64), salt, max], bind)
    .overload([list].into_iter().chain(numbers()), bind_list)
}

fn refused(function: &str, max: i64) -> Error {
    Error::argument(function, 3, format!("is {max}; expected a table size of at least 1"))
}

/// The hash if salt and size are constant.
fn prepared(arguments: &Arguments<'_>) -> Result<Option<SigridHash>> {
    let number = |position| arguments.known(position).and_then(|value| value.as_i64());
    match (number(1), number(2)) {
        (Some(salt), Some(max)) => {
            SigridHash::new(salt, max).map(Some).ok_or_else(|| refused(arguments.function, max))
        }
        _ => Ok(None),
    }
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    if let Some(hash) = prepared(arguments)? {
        let kernel = slice(move |ids: &[i64], hashes: &mut [i64]| sigrid_hash(&hash, ids, hashes));
        return Ok(Bound::lanes(Type::Int64, kernel));
    }
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::Int64, move |arguments, rows, output, _| {
        let [ids, salts, sizes] = [0, 1, 2].map(|position: usize| arguments[position].fixed::<i64>());
        rows.for_each(|row| match SigridHash::new(salts.get(row), sizes.get(row)) {
            Some(hash) => output.fixed::<i64>()[row] = hash.hash_one(ids.get(row)),
            None => output.fail(row, || refused(&function, sizes.get(row))),
        });
        Ok(())
    }))
}

fn bind_list(arguments: &Arguments<'_>) -> Result<Bound> {
    let list = &arguments.types[0];
    if let Some(hash) = prepared(arguments)? {
        let kernel = move |ids: &[i64], hashes: &mut [i64]| sigrid_hash(&hash, ids, hashes);
        return Ok(over_elements(list, Type::Int64, kernel));
    }
    let function = arguments.function.to_owned();
    Ok(Bound::strict(list.clone(), move |arguments, rows, output, _| {
        let [salts, sizes] = [1, 2].map(|position: usize| arguments[position].fixed::<i64>());
        rows.for_each(|row| match SigridHash::new(salts.get(row), sizes.get(row)) {
            Some(hash) => {
                let one = [row as u32];
                let kernel = |ids: &[i64], hashes: &mut [i64]| sigrid_hash(&hash, ids, hashes);
                map_elements(&arguments[0], Rows::Selected(&one), output, &kernel);
            }
            None => output.fail(row, || refused(&function, sizes.get(row))),
        });
        output.check_capacity()
    }))
}

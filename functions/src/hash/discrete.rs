//! `discrete`: values as the slots of a sparse model.

use super::CATEGORY;
use crate::column::{FixedWidth, View};
use crate::kernel::hash::farm::farm_fingerprint64;
use crate::scalar::{Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

pub(super) fn function() -> ScalarFunction {
    let function = ScalarFunction::new("discrete", CATEGORY, "FarmHash Fingerprint64 of the bytes of an integer or a text, or its remainder by a number of buckets.")
        .note("An integer has the bytes of its type, lowest first, so the INTEGER 3 and the BIGINT 3 differ.")
        .note("Null where the number of buckets is null or below 1. Without buckets the hash is read as signed; the remainder is that of the unsigned hash.")
        .note("Equal to the function of that name in OpenMLDB.")
        .example("discrete(3)", "2681491882390849628")
        .example("discrete(3, 100)", "28");
    let function = forms(function, Type::Int16, integer(i16::to_le_bytes));
    let function = forms(function, Type::Int32, integer(i32::to_le_bytes));
    let function = forms(function, Type::Int64, integer(i64::to_le_bytes));
    forms(function, Type::Text, |view, row| farm_fingerprint64(view.bytes().get(row)))
}

fn integer<T: FixedWidth, const BYTES: usize>(
    bytes: fn(T) -> [u8; BYTES],
) -> impl Fn(&View<'_>, usize) -> u64 + Copy + Send + Sync + 'static {
    move |view: &View<'_>, row: usize| farm_fingerprint64(&bytes(view.fixed::<T>().get(row)))
}

fn forms(
    function: ScalarFunction,
    data_type: Type,
    fingerprint: impl Fn(&View<'_>, usize) -> u64 + Copy + Send + Sync + 'static,
) -> ScalarFunction {
    let x = exact("x", data_type);
    function
        .overload([x.clone()], move |_| {
            Ok(Bound::strict(Type::Int64, move |arguments, rows, output, _| {
                let hashes = output.fixed::<i64>();
                rows.for_each(|row| hashes[row] = fingerprint(&arguments[0], row) as i64);
                Ok(())
            }))
        })
        .overload([x, exact("buckets", Type::Int64)], move |_| {
            Ok(Bound::strict(Type::Int64, move |arguments, rows, output, _| {
                let counts = arguments[1].fixed::<i64>();
                rows.for_each(|row| match u64::try_from(counts.get(row)) {
                    Ok(count) if count > 0 => {
                        output.fixed::<i64>()[row] = (fingerprint(&arguments[0], row) % count) as i64;
                    }
                    _ => output.set_null(row),
                });
                Ok(())
            }))
        })
}

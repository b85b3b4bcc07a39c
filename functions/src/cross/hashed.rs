//! Crosses as hashes. A tuple is hashed value by value with XXH64, each hash being the seed of the next, so the order
//! of the values counts, equal values do not cancel out, and null is a value of its own.

use super::CATEGORY;
use crate::column::{Data, View};
use crate::error::{Error, Result};
use crate::hash::NULL_BYTES;
use crate::kernel::divisor::Divisor;
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::list::element_of;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, any, exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Most pairs that `cartesian` makes unless told otherwise.
const PAIRS_MAX: i64 = 10_000;

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("hash_cross", CATEGORY, "Bucket of a tuple of values, from 0 to below the number of buckets.")
            .note("Chained XXH64: of the bytes of texts, of the eight bytes (lowest first) of integers, dates, times and the doubles of floats.")
            .note("The order of the values counts, and a null is a value like any other; never null. The number of buckets must be a constant of at least 1.")
            .example("hash_cross(1000, 'a', 'b') = hash_cross(1000, 'b', 'a')", "false")
            .example("hash_cross(1000, 'a', NULL)", "245")
            .variadic([exact("buckets", Type::Int64), any("value"), any("values")], hash_cross),
    );
    registry.register_scalar(
        ScalarFunction::new("cartesian", CATEGORY, "Hashes of all pairs of an element of one list and one of another.")
            .note("Chained XXH64 as of `hash_cross`, as BIGINT; pairs of the first element of the first list come first.")
            .note("At most `cap` pairs are made, so that long lists do not blow up.")
            .example("length(cartesian([1, 2], ['a', 'b', 'c']))", "6")
            .example("length(cartesian([1, 2], ['a', 'b', 'c'], cap => 4))", "4")
            .overload([any_list("a"), any_list("b"), cap()], cartesian),
    );
    registry.register_scalar(
        ScalarFunction::new("id_ngram", CATEGORY, "Hashes of all runs of n neighbours in a list.")
            .note("Chained XXH64 as of `hash_cross`, as BIGINT; a shorter list gives an empty one.")
            .example("length(id_ngram([1, 2, 3], 2))", "2")
            .overload([any_list("list"), exact("n", Type::Int64)], id_ngram),
    );
}

fn any_list(name: &'static str) -> Parameter {
    parameter(name, Pattern::List(Box::new(Pattern::Any)))
}

fn cap() -> Parameter {
    exact("cap", Type::Int64).or(Literal::new(Value::Int64(PAIRS_MAX)))
}

/// Whether values of a type can stand in a tuple.
fn is_hashable(data_type: &Type) -> bool {
    !data_type.is_nested() && !matches!(data_type, Type::Decimal(..) | Type::Interval)
}

fn check(function: &str, position: usize, data_type: &Type) -> Result<()> {
    if is_hashable(data_type) {
        return Ok(());
    }
    let problem = format!("has type {data_type}; expected a text, number, date or time (cast it)");
    Err(Error::argument(function, position, problem))
}

/// Hash of one value with the hash of what came before it as seed.
fn chain(view: &View<'_>, row: usize, seed: u64) -> u64 {
    if view.is_null(row) {
        return xxhash64(NULL_BYTES, seed);
    }
    let index = view.value_index(row);
    let of_integer = |value: i64| xxhash64_u64(value as u64, seed);
    // Both zeros are one value, and so is every NaN.
    let of_float =
        |value: f64| xxhash64_u64(if value.is_nan() { f64::NAN } else { value + 0.0 }.to_bits(), seed);
    match view.data {
        Data::Boolean(bits) => of_integer(bits.get(index).into()),
        Data::Int8(values) => of_integer(values[index].into()),
        Data::Int16(values) => of_integer(values[index].into()),
        Data::Int32(values) => of_integer(values[index].into()),
        Data::Int64(values) => of_integer(values[index]),
        Data::UInt8(values) => of_integer(values[index].into()),
        Data::UInt16(values) => of_integer(values[index].into()),
        Data::UInt32(values) => of_integer(values[index].into()),
        Data::UInt64(values) => of_integer(values[index] as i64),
        Data::Float16(values) => of_float(values[index].to_f64()),
        Data::Float32(values) => of_float(values[index].into()),
        Data::Float64(values) => of_float(values[index]),
        Data::Bytes(bytes) => xxhash64(bytes.get(index), seed),
        // Refused while binding.
        Data::Null
        | Data::Int128(_)
        | Data::Interval(_)
        | Data::List(_)
        | Data::FixedList { .. }
        | Data::Struct(_) => xxhash64(NULL_BYTES, seed),
    }
}

fn hash_cross(arguments: &Arguments<'_>) -> Result<Bound> {
    let buckets = arguments.constant(0)?.as_i64();
    let divisor = buckets.and_then(Divisor::new).ok_or_else(|| {
        let problem = "is not a number of buckets; expected a constant of at least 1";
        Error::argument(arguments.function, 1, problem)
    })?;
    for (position, data_type) in arguments.types.iter().enumerate().skip(1) {
        check(arguments.function, position + 1, data_type)?;
    }
    Ok(Bound::null_aware(Type::Int64, move |arguments, rows, output, _| {
        let buckets = output.fixed::<i64>();
        rows.for_each(|row| {
            let hash = arguments[1..].iter().fold(0, |seed, view| chain(view, row, seed));
            buckets[row] = divisor.remainder(hash) as i64;
        });
        Ok(())
    }))
}

fn cartesian(arguments: &Arguments<'_>) -> Result<Bound> {
    check(arguments.function, 1, &element_of(arguments.types, 0))?;
    check(arguments.function, 2, &element_of(arguments.types, 1))?;
    Ok(Bound::strict(Type::list(Type::Int64), |arguments, rows, output, _| {
        let (a, b, caps) = (arguments[0].list(), arguments[1].list(), arguments[2].fixed::<i64>());
        rows.for_each(|row| {
            let Ok(cap) = usize::try_from(caps.get(row)) else {
                let problem = format!("is {}; expected a number of at least 0", caps.get(row));
                return output.fail(row, || Error::argument("cartesian", 3, problem));
            };
            let size = a.length(row).saturating_mul(b.length(row)).min(cap);
            let mut writer = output.list();
            let start = writer.child().grow(size);
            let hashes = &mut writer.child().fixed::<i64>()[start..start + size];
            let pairs = a.range(row).flat_map(|x| {
                let seed = chain(a.child(), x, 0);
                b.range(row).map(move |y| (seed, y))
            });
            hashes
                .iter_mut()
                .zip(pairs)
                .for_each(|(hash, (seed, y))| *hash = chain(b.child(), y, seed) as i64);
            writer.finish(row, start);
        });
        output.check_capacity()
    }))
}

fn id_ngram(arguments: &Arguments<'_>) -> Result<Bound> {
    check(arguments.function, 1, &element_of(arguments.types, 0))?;
    Ok(Bound::strict(Type::list(Type::Int64), |arguments, rows, output, _| {
        let (list, sizes) = (arguments[0].list(), arguments[1].fixed::<i64>());
        rows.for_each(|row| {
            let size = match usize::try_from(sizes.get(row)) {
                Ok(size) if size > 0 => size,
                _ => {
                    let problem = format!("is {}; expected a number of at least 1", sizes.get(row));
                    return output.fail(row, || Error::argument("id_ngram", 2, problem));
                }
            };
            let range = list.range(row);
            let count = (range.len() + 1).saturating_sub(size);
            let mut writer = output.list();
            let start = writer.child().grow(count);
            for (position, first) in range.take(count).enumerate() {
                let hash = (first..first + size).fold(0, |seed, at| chain(list.child(), at, seed));
                writer.child().fixed::<i64>()[start + position] = hash as i64;
            }
            writer.finish(row, start);
        });
        output.check_capacity()
    }))
}

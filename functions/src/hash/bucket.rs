//! `hash_bucket`: a value into one of a number of buckets.

use super::CATEGORY;
use crate::error::{Error, Result};
use crate::feature::elements::{over_elements, with_element};
use crate::kernel::divisor::Divisor;
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::lanes::ternary;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn function() -> ScalarFunction {
    let list = |element| parameter("x", Pattern::AnyList(Box::new(Pattern::Exact(element))));
    let function = ScalarFunction::new("hash_bucket", CATEGORY, "Bucket of a text, bytes or an integer, from 0 to below the number of buckets.")
        .note("The remainder of XXH64 with the seed: of the bytes, or of the eight bytes of an integer, lowest first.")
        .note("Of a list every element gets its bucket. The number of buckets must be a constant of at least 1.")
        .example("hash_bucket('a', 1000)", "955");
    [
        exact("x", Type::Text),
        exact("x", Type::Binary),
        exact("x", Type::Int64),
        list(Type::Int64),
        list(Type::Text),
    ]
    .into_iter()
    .fold(function, |function, x| function.overload(parameters(x), bind))
}

fn parameters(x: Parameter) -> [Parameter; 3] {
    [x, exact("buckets", Type::Int64), exact("seed", Type::Int64).or(Literal::new(Value::Int64(0)))]
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let count = arguments.constant(1)?.as_i64();
    let divisor = count.and_then(Divisor::new).ok_or_else(|| {
        Error::argument(
            arguments.function,
            2,
            "is not a number of buckets; expected a constant of at least 1",
        )
    })?;
    let Some(seed) = arguments.constant(2)?.as_i64() else {
        return Err(Error::argument(arguments.function, 3, "must be a constant, not NULL"));
    };
    let of_integer = move |x: i64| divisor.remainder(xxhash64_u64(x as u64, seed as u64)) as i64;
    let of_bytes = move |x: &[u8]| divisor.remainder(xxhash64(x, seed as u64)) as i64;
    Ok(match &arguments.types[0] {
        Type::Int64 => Bound::lanes(Type::Int64, ternary(move |x: i64, _: i64, _: i64| of_integer(x))),
        Type::Text | Type::Binary => Bound::strict(Type::Int64, move |arguments, rows, output, _| {
            let bytes = arguments[0].bytes();
            let buckets = output.fixed::<i64>();
            rows.for_each(|row| buckets[row] = of_bytes(bytes.get(row)));
            Ok(())
        }),
        list if list.element() == Some(&Type::Int64) => {
            over_elements(list, Type::Int64, move |ids: &[i64], buckets: &mut [i64]| {
                buckets.iter_mut().zip(ids).for_each(|(bucket, &id)| *bucket = of_integer(id));
            })
        }
        list => texts(with_element(list, Type::Int64), of_bytes),
    })
}

/// The form over lists of texts, whose elements have no slice.
fn texts(result: Type, bucket: impl Fn(&[u8]) -> i64 + Send + Sync + 'static) -> Bound {
    Bound::strict(result, move |arguments, rows, output, _| {
        let list = arguments[0].list();
        let (child, bytes) = (list.child(), list.child().bytes());
        let is_fixed = matches!(output.data_type(), Type::FixedList(..));
        rows.for_each(|row| {
            let range = list.range(row);
            let length = range.len();
            let start = if is_fixed {
                row * length
            } else {
                let mut writer = output.list();
                let start = writer.child().grow(length);
                writer.set(row, start, length);
                start
            };
            let mut writer;
            let target = if is_fixed {
                output.fixed_list_child()
            } else {
                writer = output.list();
                writer.child()
            };
            for (position, element) in range.enumerate() {
                match child.is_null(element) {
                    true => target.set_null(start + position),
                    false => target.fixed::<i64>()[start + position] = bucket(bytes.get(element)),
                }
            }
        });
        output.check_capacity()
    })
}

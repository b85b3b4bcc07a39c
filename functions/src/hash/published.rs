//! Hash functions that others publish and store.

use super::CATEGORY;
use crate::column::WritableFixed;
use crate::kernel::hash::crc32c::crc32c;
use crate::kernel::hash::farm::farm_fingerprint64;
use crate::kernel::hash::murmur3::murmur3_32;
use crate::kernel::hash::xxhash3::xxhash3_64;
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::lanes::binary;
use crate::registry::Registry;
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::{Parameter, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) fn register(registry: &mut Registry) {
    let function = named("farm_fingerprint", "FarmHash Fingerprint64 of text or bytes, as a signed integer.")
        .note("Source: google/farmhash; equal to the function of that name in BigQuery.")
        .example("farm_fingerprint('foo')", "6150913649986995171");
    registry.register_scalar(of_bytes(function, Type::Int64, |bytes| farm_fingerprint64(bytes) as i64));
    let function = named("crc32c", "CRC-32C (Castagnoli) of text or bytes.")
        .note("Source: RFC 3720, appendix B.4.")
        .example("crc32c('123456789')", "3808858755");
    registry.register_scalar(of_bytes(function, Type::UInt32, crc32c));
    let function = named("xxhash3_64", "XXH3, 64 bits, of text or bytes, without a seed.")
        .alias("xxh3")
        .alias("xxh3_64")
        .note("Source: the xxHash specification.")
        .example("xxhash3_64('')", "3244421341483603138");
    registry.register_scalar(of_bytes(function, Type::UInt64, xxhash3_64));
    let function = named(
        "xxhash64",
        "XXH64 of text, bytes or an integer (its eight bytes, lowest first), with an optional seed.",
    )
    .alias("xxh64")
    .note("Source: the xxHash specification. With seed 42 the bits of the function of that name in Spark, for BIGINT and texts.")
    .example("xxhash64('')", "17241709254077376921");
    let function = of_bytes_and_seed(
        function,
        Type::UInt64,
        exact("seed", Type::Int64).or(zero()),
        |bytes, seed: i64| xxhash64(bytes, seed as u64),
    );
    let integer = [exact("x", Type::Int64), exact("seed", Type::Int64).or(zero())];
    registry.register_scalar(function.overload(integer, |_| {
        Ok(Bound::lanes(Type::UInt64, binary(|x: i64, seed: i64| xxhash64_u64(x as u64, seed as u64))))
    }));
    let function = named("murmur3_32", "MurmurHash3, 32 bits, of text or bytes, with an optional seed.")
        .note("Source: the reference implementation of MurmurHash3_x86_32.")
        .example("murmur3_32('')", "0")
        .example("murmur3_32('', seed => 1)", "1364076727");
    let seed = exact("seed", Type::UInt32).or(Literal::new(Value::UInt32(0)));
    registry.register_scalar(of_bytes_and_seed(function, Type::UInt32, seed, murmur3_32));
}

fn zero() -> Literal {
    Literal::new(Value::Int64(0))
}

fn named(name: &str, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary).cost(Cost::Parse)
}

fn of_bytes<R: WritableFixed>(
    function: ScalarFunction,
    result: Type,
    hash: fn(&[u8]) -> R,
) -> ScalarFunction {
    [Type::Text, Type::Binary].into_iter().fold(function, |function, data_type| {
        let result = result.clone();
        function.overload([exact("x", data_type)], move |_| {
            Ok(Bound::strict(result.clone(), move |arguments, rows, output, _| {
                let bytes = arguments[0].bytes();
                let hashes = output.fixed::<R>();
                rows.for_each(|row| hashes[row] = hash(bytes.get(row)));
                Ok(())
            }))
        })
    })
}

fn of_bytes_and_seed<S: WritableFixed, R: WritableFixed>(
    function: ScalarFunction,
    result: Type,
    seed: Parameter,
    hash: fn(&[u8], S) -> R,
) -> ScalarFunction {
    [Type::Text, Type::Binary].into_iter().fold(function, |function, data_type| {
        let result = result.clone();
        function.overload([exact("x", data_type), seed.clone()], move |_| {
            Ok(Bound::strict(result.clone(), move |arguments, rows, output, _| {
                let (bytes, seeds) = (arguments[0].bytes(), arguments[1].fixed::<S>());
                let hashes = output.fixed::<R>();
                rows.for_each(|row| hashes[row] = hash(bytes.get(row), seeds.get(row)));
                Ok(())
            }))
        })
    })
}

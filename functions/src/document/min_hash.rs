//! `minhash`, `jaccard_estimate` and `lsh_bands`: which sets of tokens have much in common.

use super::CATEGORY;
use crate::Registry;
use crate::column::View;
use crate::error::{Error, Result};
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Most values of a signature.
const VALUES_MAX: i64 = 1 << 16;

/// Adds the functions.
pub fn register(registry: &mut Registry) {
    let parameters = |element| {
        [
            exact("tokens", Type::list(element)),
            exact("values", Type::Int64).or(Literal::new(Value::Int64(128))),
            exact("seed", Type::Int64).or(Literal::new(Value::Int64(0))),
        ]
    };
    registry.register_scalar(
        ScalarFunction::new("minhash", CATEGORY, "The signature of a set of tokens: for each of a number of hashes its smallest value over the set.")
            .overload(parameters(Type::Text), bind_minhash)
            .overload(parameters(Type::Int64), bind_minhash)
            .cost(Cost::Parse)
            .note("Two signatures agree in about the share of values that is the Jaccard similarity of the sets. Nulls are left out; the signature of an empty list is all 4294967295.")
            .note("Value i is the least (a * h + b) >> 32 in 64 bits, h the XXH64 of the token with the seed (of an integer, of its eight bytes), and a (made odd) and b the XXH64 with the seed of the integers 2i and 2i + 1.")
            .example("minhash(['a', 'b'], 4) = minhash(['b', 'a', 'a'], 4)", "true")
            .example("jaccard_estimate(minhash(['a', 'b'], 64), minhash(['a', 'b'], 64))", "1.0"),
    );
    let signature = |name| exact(name, Type::list(Type::UInt32));
    registry.register_scalar(
        ScalarFunction::new(
            "jaccard_estimate",
            CATEGORY,
            "The share of values in which two signatures of minhash agree.",
        )
        .overload([signature("left"), signature("right")], |_| Ok(estimate()))
        .note("Signatures of different or no length are an error of the row.")
        .example("jaccard_estimate([1, 2, 3, 4]::UINTEGER[], [1, 2, 5, 6]::UINTEGER[])", "0.5"),
    );
    registry.register_scalar(
        ScalarFunction::new("lsh_bands", CATEGORY, "A hash of each band of a signature: sets that share one are candidates for being similar.")
            .overload([signature("signature"), exact("bands", Type::Int64)], bind_bands)
            .note("The signature is cut into equal bands, whose number must be constant and divide its length. The hash is XXH64 of the band's values, four bytes each, lowest first, with the number of the band as seed.")
            .example("len(lsh_bands(minhash(['a', 'b'], 64), 16))", "16"),
    );
}

/// The two numbers of each hash.
fn hashes(count: usize, seed: u64) -> Vec<(u64, u64)> {
    (0..count as u64).map(|i| (xxhash64_u64(2 * i, seed) | 1, xxhash64_u64(2 * i + 1, seed))).collect()
}

fn bind_minhash(arguments: &Arguments<'_>) -> Result<Bound> {
    let refused = |position, problem: &str| Error::argument(arguments.function, position, problem);
    let count = arguments.constant(1)?.as_i64().filter(|count| (1..=VALUES_MAX).contains(count));
    let count = count
        .ok_or_else(|| refused(2, "is no number of values; expected a constant from 1 to 65536"))?
        as usize;
    let seed =
        arguments.constant(2)?.as_i64().ok_or_else(|| refused(3, "must be a constant, not NULL"))? as u64;
    let hashes = hashes(count, seed);
    let is_text = arguments.types[0].element() == Some(&Type::Text);
    Ok(Bound::strict(Type::list(Type::UInt32), move |arguments, rows, output, _| {
        let list = arguments[0].list();
        rows.for_each(|row| {
            let mut writer = output.list();
            let start = writer.child().grow(count);
            let least = &mut writer.child().fixed::<u32>()[start..];
            least.fill(u32::MAX);
            for place in list.range(row).filter(|&place| list.child().is_valid(place)) {
                let hash = token_hash(list.child(), place, is_text, seed);
                for (least, (a, b)) in least.iter_mut().zip(&hashes) {
                    *least = (*least).min((a.wrapping_mul(hash).wrapping_add(*b) >> 32) as u32);
                }
            }
            writer.finish(row, start);
        });
        output.check_capacity()
    }))
}

/// XXH64 of a token or an integer.
pub(super) fn token_hash(tokens: &View<'_>, place: usize, is_text: bool, seed: u64) -> u64 {
    match is_text {
        true => xxhash64(tokens.bytes().get(place), seed),
        false => xxhash64_u64(tokens.fixed::<i64>().get(place) as u64, seed),
    }
}

fn estimate() -> Bound {
    Bound::strict(Type::Float64, |arguments, rows, output, _| {
        let (left, right) = (arguments[0].list(), arguments[1].list());
        let (left_values, right_values) = (left.child().fixed::<u32>(), right.child().fixed::<u32>());
        rows.for_each(|row| {
            let (left, right) = (left.range(row), right.range(row));
            if left.len() != right.len() || left.is_empty() {
                let problem = format!(
                    "has {} values, argument 1 has {}; expected as many, at least 1",
                    right.len(),
                    left.len()
                );
                return output.fail(row, || Error::argument("jaccard_estimate", 2, problem));
            }
            let length = left.len() as f64;
            let equal =
                left.zip(right).filter(|&(left, right)| left_values.get(left) == right_values.get(right));
            output.fixed::<f64>()[row] = equal.count() as f64 / length;
        });
        Ok(())
    })
}

fn bind_bands(arguments: &Arguments<'_>) -> Result<Bound> {
    let bands = arguments
        .constant(1)?
        .as_i64()
        .and_then(|bands| usize::try_from(bands).ok())
        .filter(|bands| *bands > 0);
    let bands = bands.ok_or_else(|| {
        Error::argument(arguments.function, 2, "is no number of bands; expected a constant of at least 1")
    })?;
    Ok(Bound::strict(Type::list(Type::UInt64), move |arguments, rows, output, scratch| {
        let list = arguments[0].list();
        let values = list.child().fixed::<u32>();
        let bytes = scratch.slot::<Vec<u8>>();
        rows.for_each(|row| {
            let range = list.range(row);
            if range.is_empty() || !range.len().is_multiple_of(bands) {
                let problem = format!("has {} values, which {bands} bands do not divide", range.len());
                return output.fail(row, || Error::argument("lsh_bands", 1, problem));
            }
            let size = range.len() / bands;
            let mut writer = output.list();
            let start = writer.child().grow(bands);
            for (band, hash) in writer.child().fixed::<u64>()[start..].iter_mut().enumerate() {
                bytes.clear();
                let first = range.start + band * size;
                (first..first + size)
                    .for_each(|place| bytes.extend_from_slice(&values.get(place).to_le_bytes()));
                *hash = xxhash64(bytes, band as u64);
            }
            writer.finish(row, start);
        });
        output.check_capacity()
    }))
}

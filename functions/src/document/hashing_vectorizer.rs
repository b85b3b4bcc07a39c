//! `hashing_vectorizer`: tokens as a sparse vector without a vocabulary, as scikit-learn has it.

use super::CATEGORY;
use super::sparse_output::{Norm, sparse_type, sum_up, write};
use crate::Registry;
use crate::error::{Error, Result};
use crate::kernel::hash::murmur3::murmur3_32;
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;
use crate::value::{Literal, Value};

/// Adds the function.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("hashing_vectorizer", CATEGORY, "How often each token stands in a list, as a sparse vector whose index is a hash of the token.")
            .alias("feature_hasher")
            .overload(
                [
                    exact("tokens", Type::list(Type::Text)),
                    exact("size", Type::Int64).or(Literal::new(Value::Int64(1 << 20))),
                    exact("alternate_sign", Type::Boolean).or(Literal::new(Value::Boolean(true))),
                    exact("norm", Type::Text).or(Literal::new(Value::from("l2"))),
                ],
                bind,
            )
            .cost(Cost::Parse)
            .note("The index is the absolute value of the signed MurmurHash3 of the token modulo the size; with alternate_sign a token with a negative hash counts -1. norm is 'l2', 'l1' or 'none'.")
            .note("Entries are in order of their index; one whose counts cancel is there with 0. Source: scikit-learn's HashingVectorizer over given tokens.")
            .example("hashing_vectorizer(['a', 'b', 'a'], 16, norm => 'none')", "[{'index': 2, 'value': 2.0}, {'index': 13, 'value': -1.0}]"),
    );
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let refused = |position, problem: String| Error::argument(arguments.function, position, problem);
    let size =
        arguments.constant(1)?.as_i64().and_then(|size| i32::try_from(size).ok()).filter(|size| *size >= 1);
    let size =
        size.ok_or_else(|| refused(2, "is no size; expected a constant from 1 to 2147483647".into()))?;
    let alternates = arguments.constant(2)?.as_bool().unwrap_or(true);
    let name = arguments.constant_text(3)?;
    let norm = Norm::of_name(name)
        .ok_or_else(|| refused(4, format!("is '{name}'; expected 'l2', 'l1' or 'none'")))?;
    Ok(Bound::strict(sparse_type(), move |arguments, rows, output, scratch| {
        let entries = scratch.slot::<Vec<(i32, f64)>>();
        let list = arguments[0].list();
        let tokens = list.child().bytes();
        rows.for_each(|row| {
            entries.clear();
            for place in list.range(row).filter(|&place| list.child().is_valid(place)) {
                let hash = murmur3_32(tokens.get(place), 0) as i32;
                let value = if alternates && hash < 0 { -1.0 } else { 1.0 };
                entries.push((index_of(hash, size), value));
            }
            sum_up(entries);
            norm.scale(entries);
            write(output, row, entries);
        });
        output.check_capacity()
    }))
}

/// The absolute value modulo `size`; of the lowest number, which has none, computed as the next would be.
fn index_of(hash: i32, size: i32) -> i32 {
    match hash.checked_abs() {
        Some(hash) => hash % size,
        None => (i32::MAX - (size - 1)) % size,
    }
}

#[cfg(test)]
mod tests {
    use super::index_of;

    #[test]
    fn the_lowest_hash_has_the_index_that_it_would_have_with_more_bits() {
        for size in [1, 2, 3, 1000, 1 << 20] {
            assert_eq!(i64::from(index_of(i32::MIN, size)), (1i64 << 31) % i64::from(size));
        }
        assert_eq!(index_of(-7, 5), 2);
    }
}

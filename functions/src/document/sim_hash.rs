//! `simhash`: 64 bits of which near texts share most.

use super::CATEGORY;
use super::min_hash::token_hash;
use crate::Registry;
use crate::error::Error;
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the function.
pub fn register(registry: &mut Registry) {
    let tokens = |element| exact("tokens", Type::list(element));
    let weights = || exact("weights", Type::list(Type::Float64));
    registry.register_scalar(
        ScalarFunction::new("simhash", CATEGORY, "64 bits of a list of tokens, of which lists with much in common share most.")
            .overload([tokens(Type::Text)], |_| Ok(simhash(true, false)))
            .overload([tokens(Type::Int64)], |_| Ok(simhash(false, false)))
            .overload([tokens(Type::Text), weights()], |_| Ok(simhash(true, true)))
            .overload([tokens(Type::Int64), weights()], |_| Ok(simhash(false, true)))
            .cost(Cost::Parse)
            .note("Bit i is set if the weights of the tokens whose XXH64 has bit i set outweigh the others; a token weighs 1 unless weights are given. Source: Charikar 2002.")
            .note("The distance of two is bit_count(xor(left, right)). Null tokens are left out; the bits of an empty list are 0.")
            .example("bit_count(xor(simhash(['a', 'b', 'c']), simhash(['c', 'b', 'a'])))", "0"),
    );
}

fn simhash(is_text: bool, has_weights: bool) -> Bound {
    Bound::strict(Type::UInt64, move |arguments, rows, output, _| {
        let tokens = arguments[0].list();
        rows.for_each(|row| {
            let range = tokens.range(row);
            let weights = has_weights.then(|| arguments[1].list());
            if let Some(weights) = weights
                && weights.length(row) != range.len()
            {
                let problem = format!("has {} weights for {} tokens", weights.length(row), range.len());
                return output.fail(row, || Error::argument("simhash", 2, problem));
            }
            let mut sums = [0.0f64; 64];
            for (position, place) in range.enumerate().filter(|&(_, place)| tokens.child().is_valid(place)) {
                let weight = weights.map_or(1.0, |weights| {
                    let place = weights.range(row).start + position;
                    if weights.child().is_valid(place) {
                        weights.child().fixed::<f64>().get(place)
                    } else {
                        0.0
                    }
                });
                let hash = token_hash(tokens.child(), place, is_text, 0);
                for (bit, sum) in sums.iter_mut().enumerate() {
                    *sum += if (hash >> bit) & 1 == 1 { weight } else { -weight };
                }
            }
            let bits = sums.iter().enumerate().filter(|(_, sum)| **sum > 0.0);
            output.fixed::<u64>()[row] = bits.fold(0, |bits, (bit, _)| bits | 1 << bit);
        });
        Ok(())
    })
}

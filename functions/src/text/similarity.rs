//! Similarities of texts between 0 and 1.

use super::lift::{measure_pair, try_measure_pair};
use crate::Registry;
use crate::error::{Error, Result};
use crate::kernel::text::edit_distance::{self, DistanceScratch};
use crate::kernel::text::similarity::{self as kernel, SimilarityScratch};
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    registry.register_scalar(
        similarity("jaro_similarity", "Jaro similarity of two texts.", jaro)
            .alias("jaro")
            .example("jaro_similarity('duck', 'duckdb')", "0.8888888888888888"),
    );
    registry.register_scalar(
        similarity(
            "jaro_winkler_similarity",
            "Jaro-Winkler similarity of two texts, which favours a shared start.",
            jaro_winkler,
        )
        .alias("jaro_winkler")
        .example("jaro_winkler_similarity('duck', 'duckdb')", "0.9333333333333333"),
    );
    registry.register_scalar(
        similarity(
            "edit_similarity",
            "1 less the Levenshtein distance of two texts as a share of the longer one.",
            edit,
        )
        .note("Two empty texts are equal, 1.")
        .example("edit_similarity('kitten', 'sitting')", "0.5714285714285714"),
    );
    registry.register_scalar(
        ScalarFunction::new("jaccard", "text", "Share of distinct bytes that two texts have in common.")
            .overload([exact("left", Type::Text), exact("right", Type::Text)], |_| {
                Ok(try_measure_pair(Type::Float64, jaccard))
            })
            .note("An empty text is an error of the row.")
            .example("jaccard('duck', 'luck')", "0.6"),
    );
}

fn similarity(name: &str, summary: &str, function: fn(&[u8], &[u8]) -> f64) -> ScalarFunction {
    ScalarFunction::new(name, "text", summary)
        .overload([exact("left", Type::Text), exact("right", Type::Text)], move |_| {
            Ok(measure_pair(Type::Float64, move |left, right| function(left.as_bytes(), right.as_bytes())))
        })
        .overload(
            [exact("left", Type::Text), exact("right", Type::Text), exact("cutoff", Type::Float64)],
            move |_| Ok(with_cutoff(function)),
        )
        .cost(Cost::Parse)
        .note("Compares bytes; a similarity below the cutoff is 0.")
}

fn with_cutoff(function: fn(&[u8], &[u8]) -> f64) -> Bound {
    Bound::strict(Type::Float64, move |arguments, rows, output, _| {
        let (left, right) = (arguments[0].bytes(), arguments[1].bytes());
        let cutoffs = arguments[2].fixed::<f64>();
        let values = output.fixed::<f64>();
        rows.for_each(|row| {
            let similarity = function(left.get(row), right.get(row));
            values[row] = if similarity >= cutoffs.get(row) { similarity } else { 0.0 };
        });
        Ok(())
    })
}

fn jaro(left: &[u8], right: &[u8]) -> f64 {
    kernel::jaro(left, right, &mut SimilarityScratch::default())
}

fn edit(left: &[u8], right: &[u8]) -> f64 {
    let longer = left.len().max(right.len());
    if longer == 0 {
        return 1.0;
    }
    let distance = edit_distance::levenshtein(left, right, &mut DistanceScratch::default());
    1.0 - distance as f64 / longer as f64
}

fn jaro_winkler(left: &[u8], right: &[u8]) -> f64 {
    kernel::jaro_winkler(left, right, &mut SimilarityScratch::default())
}

fn jaccard(left: &str, right: &str) -> Result<f64> {
    if left.is_empty() || right.is_empty() {
        return Err(Error::user("jaccard: a text is empty; expected at least one character in both"));
    }
    let (a, b) = (byte_set(left), byte_set(right));
    let count = |combine: fn(u64, u64) -> u64| -> u32 {
        (0..4).map(|word| combine(a[word], b[word]).count_ones()).sum()
    };
    Ok(f64::from(count(|a, b| a & b)) / f64::from(count(|a, b| a | b)))
}

fn byte_set(text: &str) -> [u64; 4] {
    let mut words = [0; 4];
    text.bytes().for_each(|byte| words[usize::from(byte >> 6)] |= 1 << (byte & 63));
    words
}

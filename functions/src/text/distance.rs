//! Edit distances between texts, in bytes as in DuckDB.

use super::lift::{measure_pair, try_measure_pair};
use crate::Registry;
use crate::error::{Error, Result};
use crate::kernel::text::ascii;
use crate::kernel::text::edit_distance::{self, DistanceScratch};
use crate::scalar::{Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

/// Adds the family.
pub fn register(registry: &mut Registry) {
    let parameters = || [exact("left", Type::Text), exact("right", Type::Text)];
    registry.register_scalar(
        ScalarFunction::new(
            "levenshtein",
            "text",
            "Fewest insertions, deletions and replacements that turn one text into another.",
        )
        .alias("editdist3")
        .overload(parameters(), |_| Ok(measure_pair(Type::Int64, levenshtein)))
        .cost(Cost::Parse)
        .note("Counts bytes, so an accented letter counts as two.")
        .example("levenshtein('kitten', 'sitting')", "3"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "damerau_levenshtein",
            "text",
            "The Levenshtein distance where swapping neighbours is one edit.",
        )
        .alias("damerau")
        .overload(parameters(), |_| Ok(measure_pair(Type::Int64, damerau_levenshtein)))
        .cost(Cost::Parse)
        .note("Counts bytes; a swapped pair may be edited further (the unrestricted distance).")
        .example("damerau_levenshtein('hello', 'ehllo')", "1"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "hamming",
            "text",
            "Number of positions at which two texts of equal length differ.",
        )
        .alias("mismatches")
        .overload(parameters(), |_| Ok(try_measure_pair(Type::Int64, hamming)))
        .note("Counts bytes; texts of different or no length are an error of the row.")
        .example("hamming('duck', 'luck')", "1"),
    );
}

fn levenshtein(left: &str, right: &str) -> i64 {
    edit_distance::levenshtein(left.as_bytes(), right.as_bytes(), &mut DistanceScratch::default()) as i64
}

fn damerau_levenshtein(left: &str, right: &str) -> i64 {
    edit_distance::damerau_levenshtein(left.as_bytes(), right.as_bytes(), &mut DistanceScratch::default())
        as i64
}

fn hamming(left: &str, right: &str) -> Result<i64> {
    if left.len() != right.len() || left.is_empty() {
        let lengths = format!(
            "hamming: texts of {} and {} bytes; expected the same length, at least 1",
            left.len(),
            right.len()
        );
        return Err(Error::User(lengths));
    }
    Ok(ascii::hamming_distance(left.as_bytes(), right.as_bytes()) as i64)
}

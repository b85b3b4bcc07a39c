//! Edit distances between texts, in bytes as in DuckDB.

use super::lift::{measure_pair, try_measure_pair};
use crate::Registry;
use crate::error::{Error, Result};
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
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, &a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()] as i64
}

/// Lowrance and Wagner (1975): a table with one more row and column than the texts, and for each byte
/// the row of the left text in which it last occurred.
fn damerau_levenshtein(left: &str, right: &str) -> i64 {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let (rows, columns) = (left.len() + 2, right.len() + 2);
    let unreachable = left.len() + right.len();
    let mut table = vec![unreachable; rows * columns];
    let at = |row: usize, column: usize| row * columns + column;
    for row in 1..rows {
        table[at(row, 1)] = row - 1;
    }
    for column in 1..columns {
        table[at(1, column)] = column - 1;
    }
    let mut last_row = [0usize; 256];
    for row in 2..rows {
        let mut last_column = 0;
        for column in 2..columns {
            let (a, b) = (left[row - 2], right[column - 2]);
            let (swap_row, swap_column) = (last_row[usize::from(b)], last_column);
            let mut cost = 1;
            if a == b {
                cost = 0;
                last_column = column - 1;
            }
            let replaced = table[at(row - 1, column - 1)] + cost;
            let inserted = table[at(row, column - 1)] + 1;
            let deleted = table[at(row - 1, column)] + 1;
            let swapped =
                table[at(swap_row, swap_column)] + (row - 2 - swap_row) + 1 + (column - 2 - swap_column);
            table[at(row, column)] = replaced.min(inserted).min(deleted).min(swapped);
        }
        last_row[usize::from(left[row - 2])] = row - 1;
    }
    table[at(rows - 1, columns - 1)] as i64
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
    Ok(left.bytes().zip(right.bytes()).filter(|(a, b)| a != b).count() as i64)
}

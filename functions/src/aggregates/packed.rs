//! Sums of small whole numbers of few groups: sum and number of values in one word, so that a row costs one addition.

use super::by_group::add_to_banks;
use crate::column::Rows;

/// Rows that are added at most: their sum and their number stay in their parts of the word.
pub(super) const ROWS_MAX: usize = 1 << 11;

/// Bits of a value without its sign.
pub(super) const VALUE_BITS: u32 = 38;

/// Added with each value, above the sum of all of them.
const UNIT: i64 = 1 << 50;

/// Adds each row's value to its group and calls `join` with the sum and the number of a group's values, any number of
/// times.
#[inline(always)]
pub(super) fn add_packed<S>(
    states: &mut [S],
    rows: Rows<'_>,
    groups: &[u32],
    value: impl Fn(usize) -> i64,
    mut join: impl FnMut(&mut S, i64, i64),
) {
    debug_assert!(rows.count() <= ROWS_MAX, "{} rows", rows.count());
    let add = |word: &mut i64, row| *word += UNIT + value(row);
    add_to_banks(states, 0i64, rows, groups, add, |state, &word| {
        let count = (word + UNIT / 2).div_euclid(UNIT);
        join(state, word - count * UNIT, count);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_rows_of_the_largest_values_keep_sum_and_number_apart() {
        let limit = 1i64 << VALUE_BITS;
        for extreme in [limit - 1, -limit, 0, -1] {
            for groups in [1u32, 2, 32] {
                let of_rows: Vec<u32> = (0..ROWS_MAX as u32).map(|row| row % groups).collect();
                let mut states = vec![(0i64, 0i64); groups as usize];
                add_packed(
                    &mut states,
                    Rows::All(ROWS_MAX),
                    &of_rows,
                    |_| extreme,
                    |state, sum, count| {
                        *state = (state.0 + sum, state.1 + count);
                    },
                );
                let count = ROWS_MAX as i64 / i64::from(groups);
                assert_eq!(states, vec![(extreme * count, count); groups as usize]);
            }
        }
    }
}

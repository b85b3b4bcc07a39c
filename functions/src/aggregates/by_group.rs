//! Adds rows to the states of their groups, in the way that suits the number of groups.

use crate::column::Rows;
use crate::kernel::prefetch::{DISTANCE, prefetch};

/// Groups up to which partial states are kept in banks on the stack.
const FEW: usize = 32;

/// Rows that follow one another go to different banks: with few groups they often meet in one, and each would wait
/// for the store of the one before.
const BANKS: usize = 4;

/// Groups from which on states are asked for ahead; fewer are in the caches.
const MANY: usize = 1 << 11;

/// Calls `add` with the state of its group for each row, or with a copy of `empty` that is then joined to it.
///
/// # Panics
/// If a row has no group, or a group no state.
#[inline(always)]
pub(super) fn add_by_group<S: Copy>(
    states: &mut [S],
    empty: S,
    rows: Rows<'_>,
    groups: &[u32],
    mut add: impl FnMut(&mut S, usize),
    join: impl FnMut(&mut S, &S),
) {
    match states {
        few if is_few(few.len(), rows) => add_to_banks(few, empty, rows, groups, add, join),
        many if many.len() < MANY => rows.for_each(|row| add(&mut many[groups[row] as usize], row)),
        many => match rows {
            Rows::All(count) => {
                let groups = &groups[..count];
                for (row, &group) in groups.iter().enumerate() {
                    if let Some(&ahead) = groups.get(row + DISTANCE) {
                        prefetch(many, ahead as usize);
                    }
                    add(&mut many[group as usize], row);
                }
            }
            Rows::Selected(selected) => {
                for (position, &row) in selected.iter().enumerate() {
                    if let Some(&ahead) = selected.get(position + DISTANCE) {
                        prefetch(many, groups[ahead as usize] as usize);
                    }
                    add(&mut many[groups[row as usize] as usize], row as usize);
                }
            }
        },
    }
}

fn is_few(groups: usize, rows: Rows<'_>) -> bool {
    groups == 1 || (groups <= FEW && rows.count() >= groups * BANKS)
}

/// The states, if they are few enough for [`add_to_banks`] to be worth it.
pub(super) fn few_groups<'a, S>(states: &'a mut [S], rows: Rows<'_>) -> Option<&'a mut [S]> {
    is_few(states.len(), rows).then_some(states)
}

/// Adds rows to partial states of few groups, which are joined to the states in the end.
///
/// # Panics
/// If there are more than [`FEW`] groups.
#[inline(always)]
pub(super) fn add_to_banks<S, P: Copy>(
    states: &mut [S],
    empty: P,
    rows: Rows<'_>,
    groups: &[u32],
    mut add: impl FnMut(&mut P, usize),
    mut join: impl FnMut(&mut S, &P),
) {
    if let [only] = states {
        let mut partial = empty;
        rows.for_each(|row| add(&mut partial, row));
        return join(only, &partial);
    }
    let mut banks = [[empty; FEW]; BANKS];
    rows.for_each(|row| add(&mut banks[row % BANKS][groups[row] as usize % FEW], row));
    for bank in &banks {
        states.iter_mut().zip(bank).for_each(|(state, partial)| join(state, partial));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_groups_and_every_selection_gives_the_same_sums() {
        let every_third: Vec<u32> = (0..5000).step_by(3).collect();
        for count in [1, 2, FEW, FEW + 1, MANY, MANY + 7] {
            let groups: Vec<u32> = (0..5000u64).map(|row| (row * 7919 % count as u64) as u32).collect();
            for rows in [Rows::All(5000), Rows::Selected(&every_third), Rows::Selected(&[]), Rows::All(1)] {
                let mut expected = vec![0u64; count];
                rows.for_each(|row| expected[groups[row] as usize] += row as u64);
                let mut states = vec![0u64; count];
                add_by_group(
                    &mut states,
                    0,
                    rows,
                    &groups,
                    |state, row| *state += row as u64,
                    |state, partial| *state += partial,
                );
                assert_eq!(states, expected, "{count} groups");
            }
        }
    }
}

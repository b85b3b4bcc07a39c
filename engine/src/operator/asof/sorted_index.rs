//! The rows of one side by group, and in each group by order value: searched by binary search.

use std::cmp::Ordering;

use hypostyle_functions::column::View;
use hypostyle_functions::kernel::prefetch::{DISTANCE, prefetch};

use super::grouped::Grouped;
use super::key_index::NO_GROUP;
use super::tie::TieWords;

/// Rows of one side in the order in which they are searched.
pub(super) struct SortedIndex {
    /// First place of each group, and the end of the last.
    starts: Vec<u32>,
    /// Order value of each place.
    pub words: Vec<u64>,
    /// Row at each place.
    pub rows: Vec<u32>,
}

impl SortedIndex {
    /// Sorts rows by group and order value; of equal ones the later row comes last, unless `ties` say else. Rows without
    /// a group are left out.
    pub fn new(side: &Grouped, ties: &[TieWords]) -> Self {
        let starts = starts(&side.groups, side.keys.groups());
        let mut entries = scatter(&side.groups, &side.words, &starts);
        let by_ties = |left: &(u64, u32), right: &(u64, u32)| {
            left.0.cmp(&right.0).then_with(|| compare_ties(ties, left.1, right.1)).then(left.1.cmp(&right.1))
        };
        for range in starts.windows(2) {
            let group = &mut entries[range[0] as usize..range[1] as usize];
            match ties.is_empty() {
                true if side.is_ascending || group.is_sorted_by_key(|entry| entry.0) => {}
                true => group.sort_unstable(),
                false => group.sort_unstable_by(by_ties),
            }
        }
        let (words, rows) = entries.into_iter().unzip();
        Self { starts, words, rows }
    }

    /// Finds for each row the first place of its group whose order value is not less than the row's, or, if `after`,
    /// greater; the end of the group if there is none. Rows without a group get `u32::MAX` twice.
    pub fn search(&self, groups: &[u32], values: &[u64], after: bool, bounds: &mut Vec<(u32, u32)>) {
        bounds.clear();
        bounds.reserve(groups.len());
        for (row, &group) in groups.iter().enumerate() {
            if let Some(&ahead) = groups.get(row + DISTANCE) {
                prefetch(&self.starts, ahead as usize);
            }
            bounds.push(match group {
                NO_GROUP => (u32::MAX, u32::MAX),
                group => (self.starts[group as usize], self.starts[group as usize + 1]),
            });
        }
        for row in 0..bounds.len() {
            if let Some(&(start, end)) = bounds.get(row + DISTANCE) {
                prefetch(&self.words, (start as usize + end as usize) / 2);
            }
            let (start, end) = bounds[row];
            if start < end {
                let group = &self.words[start as usize..end as usize];
                let below = match (after, values[row]) {
                    (false, value) => lower_bound(group, value),
                    (true, u64::MAX) => group.len(),
                    (true, value) => lower_bound(group, value + 1),
                };
                bounds[row].0 = start + below as u32;
            }
        }
    }

    /// First place of each group, and the end of the last.
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// First place of a group.
    #[inline]
    pub fn start(&self, group: u32) -> u32 {
        self.starts[group as usize]
    }

    /// The places of each group.
    pub fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.starts.windows(2).map(|range| range[0] as usize..range[1] as usize)
    }
}

/// Rows whose order value is null have no place.
pub(super) fn exclude_null_order(order: &View<'_>, groups: &mut [u32]) {
    if order.may_be_null() {
        for (row, group) in groups.iter_mut().enumerate() {
            if order.is_null(row) {
                *group = NO_GROUP;
            }
        }
    }
}

/// How rows of one order value follow one another.
fn compare_ties(ties: &[TieWords], left: u32, right: u32) -> Ordering {
    ties.iter()
        .map(|words| words[left as usize].cmp(&words[right as usize]))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// First place of each group in the order of groups.
fn starts(groups: &[u32], count: usize) -> Vec<u32> {
    let mut starts = vec![0u32; count + 1];
    for &group in groups {
        if group != NO_GROUP {
            starts[group as usize + 1] += 1;
        }
    }
    for group in 0..count {
        starts[group + 1] += starts[group];
    }
    starts
}

/// Order value and row of each place, rows of a group in their own order.
fn scatter(groups: &[u32], values: &[u64], starts: &[u32]) -> Vec<(u64, u32)> {
    let total = starts.last().map_or(0, |&end| end as usize);
    let mut entries = vec![(0u64, 0u32); total];
    let mut next = starts.to_vec();
    for (row, &group) in groups.iter().enumerate() {
        if let Some(&ahead) = groups.get(row + DISTANCE)
            && let Some(&place) = next.get(ahead as usize)
        {
            prefetch(&entries, place as usize);
        }
        if group != NO_GROUP {
            let place = &mut next[group as usize];
            entries[*place as usize] = (values[row], row as u32);
            *place += 1;
        }
    }
    entries
}

/// The number of values below `value` in an ascending slice. Without branches on the values, since their order is
/// unpredictable.
#[inline(always)]
pub(crate) fn lower_bound(values: &[u64], value: u64) -> usize {
    let (mut base, mut size) = (0usize, values.len());
    while size > 1 {
        let half = size / 2;
        base += if values[base + half - 1] < value { half } else { 0 };
        size -= half;
    }
    base + usize::from(size == 1 && values[base] < value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_bound_counts_smaller_values() {
        for length in 0..40u64 {
            let values: Vec<u64> = (0..length).map(|index| index / 3 * 2).collect();
            for value in 0..30 {
                let expected = values.iter().filter(|&&held| held < value).count();
                assert_eq!(lower_bound(&values, value), expected, "{value} in {values:?}");
            }
        }
    }
}

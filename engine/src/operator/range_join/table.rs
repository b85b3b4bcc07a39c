//! The right side of a range join, sorted, with a tree over its second values.

use std::sync::atomic::{AtomicU64, Ordering};

use hypostyle_functions::column::Column;

use crate::memory::Reservation;
use crate::operator::asof::lower_bound;

/// Children of a node of the tree.
const FAN_OUT: usize = 16;

/// The right side.
pub(super) struct Table {
    /// Columns that come out or that the condition reads.
    pub columns: Vec<Column>,
    /// Number of rows, also of those that nothing can match.
    pub rows: usize,
    /// First values, ascending.
    words: Vec<u64>,
    /// Row of each place.
    places: Vec<u32>,
    /// Second values by place, then the least of each block of the level below, up to one block.
    levels: Vec<Vec<u64>>,
    /// Least second value of the places up to each one.
    least: Vec<u64>,
    /// A bit per row that had a match, if that is asked for.
    matched: Option<Vec<AtomicU64>>,
    _reservation: Reservation,
}

/// The places that match a left row: the first `count`, of which those with a second value up to `limit`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matches {
    pub count: usize,
    pub limit: u64,
}

/// No place at all.
pub(super) const NOTHING: Matches = Matches { count: 0, limit: 0 };

impl Table {
    /// Bytes that indexing this many rows takes beside the rows.
    pub fn index_bytes(rows: usize) -> usize {
        rows * 56 + 4096
    }

    /// Sorts rows by their first word; `values` holds one list of words per condition and `valid` whether a row can
    /// match at all.
    pub fn new(
        columns: Vec<Column>,
        values: &[Vec<u64>],
        valid: &[bool],
        keeps_matches: bool,
        reservation: Reservation,
    ) -> Self {
        let rows = valid.len();
        let mut entries: Vec<(u64, u32)> = match values.first() {
            Some(first) => {
                let rows = first.iter().zip(valid).enumerate().filter(|(_, (_, valid))| **valid);
                rows.map(|(row, (&word, _))| (word, row as u32)).collect()
            }
            None => Vec::new(),
        };
        entries.sort_unstable();
        let (words, places): (Vec<u64>, Vec<u32>) = entries.into_iter().unzip();
        let (mut levels, mut least) = (Vec::new(), Vec::new());
        if let Some(second) = values.get(1) {
            let by_place: Vec<u64> = places.iter().map(|&row| second[row as usize]).collect();
            let smallest = by_place.iter().scan(u64::MAX, |least, &word| {
                *least = word.min(*least);
                Some(*least)
            });
            least = smallest.collect();
            levels = tree(by_place);
        }
        let matched = keeps_matches.then(|| (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect());
        Self { columns, rows, words, places, levels, least, matched, _reservation: reservation }
    }

    /// The matches of a left row with these words; a strict comparison leaves equal values out.
    pub fn search(&self, first: u64, first_is_strict: bool, second: Option<(u64, bool)>) -> Matches {
        let count = match (first_is_strict, first) {
            (true, word) => lower_bound(&self.words, word),
            (false, u64::MAX) => self.words.len(),
            (false, word) => lower_bound(&self.words, word + 1),
        };
        let limit = match second {
            None => u64::MAX,
            Some((0, true)) => return NOTHING,
            Some((word, true)) => word - 1,
            Some((word, false)) => word,
        };
        let has_match = count > 0 && self.least.get(count - 1).is_none_or(|&least| least <= limit);
        if has_match { Matches { count, limit } } else { NOTHING }
    }

    /// Adds the matching rows from place `from` on until `into` holds `room` rows; the place to go on from, and the
    /// number of places once all are there.
    pub fn collect(&self, matches: Matches, from: usize, room: usize, into: &mut Vec<u32>) -> usize {
        if self.levels.is_empty() {
            let end = matches.count.min(from + room.saturating_sub(into.len()));
            into.extend_from_slice(&self.places[from.min(end)..end]);
            return end;
        }
        let mut place = from;
        while place < matches.count && into.len() < room {
            match self.next(matches, place) {
                Some(found) => {
                    into.push(self.places[found]);
                    place = found + 1;
                }
                None => return matches.count,
            }
        }
        place
    }

    /// The first matching place at or after `place`: up the tree while there is nothing in a block, then down.
    fn next(&self, matches: Matches, place: usize) -> Option<usize> {
        let (mut level, mut index) = (0, place);
        loop {
            // The rest of the block at this level.
            let block_end = (index / FAN_OUT + 1) * FAN_OUT;
            let values = &self.levels[level];
            let end = block_end.min(values.len());
            match (index..end).find(|&index| values[index] <= matches.limit) {
                Some(found) if level == 0 => return (found < matches.count).then_some(found),
                Some(found) => {
                    level -= 1;
                    index = found * FAN_OUT;
                }
                None if end == values.len() => return None,
                None => {
                    // The block that follows, seen from one level up.
                    level += 1;
                    index = end / FAN_OUT;
                    if level == self.levels.len() {
                        return None;
                    }
                }
            }
            let first = index * FAN_OUT.pow(level as u32);
            if first >= matches.count {
                return None;
            }
        }
    }

    /// Notes that these rows had a match.
    pub fn note_matches(&self, rows: &[u32]) {
        let Some(matched) = &self.matched else { return };
        for &row in rows {
            let (word, bit) = (&matched[row as usize / 64], 1u64 << (row % 64));
            if word.load(Ordering::Relaxed) & bit == 0 {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// The rows that had no match.
    pub fn unmatched(&self) -> Vec<u32> {
        let Some(matched) = &self.matched else { return Vec::new() };
        let is_unmatched =
            |row: &u32| matched[*row as usize / 64].load(Ordering::Relaxed) >> (row % 64) & 1 == 0;
        (0..self.rows as u32).filter(is_unmatched).collect()
    }
}

/// Levels of least values over these.
fn tree(values: Vec<u64>) -> Vec<Vec<u64>> {
    let mut levels = vec![values];
    while let Some(last) = levels.last().filter(|last| last.len() > FAN_OUT) {
        let blocks = last.chunks(FAN_OUT).map(|block| block.iter().copied().min().unwrap_or(u64::MAX));
        let next = blocks.collect();
        levels.push(next);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Budget;

    #[test]
    fn every_match_is_found_and_no_other() {
        let budget = Budget::new(None);
        let account = budget.query().account("test");
        let mut seed = 7u64;
        let mut below = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        for rows in [0usize, 1, 2, 15, 16, 17, 255, 256, 257, 1000, 5000] {
            let first: Vec<u64> = (0..rows).map(|_| below(50)).collect();
            let second: Vec<u64> = (0..rows).map(|_| below(1000)).collect();
            let valid: Vec<bool> = (0..rows).map(|_| below(10) > 0).collect();
            let values = [first.clone(), second.clone()];
            let table = Table::new(Vec::new(), &values, &valid, false, account.reserve());
            for _ in 0..60 {
                let (low, high) = (below(52), below(1002));
                for strict in [false, true] {
                    let matches = table.search(low, strict, Some((high, strict)));
                    let mut found = Vec::new();
                    let mut place = 0;
                    while place < matches.count {
                        let mut some = Vec::new();
                        place = table.collect(matches, place, 3, &mut some);
                        found.extend(some);
                    }
                    found.sort_unstable();
                    let is_match = |row: &u32| {
                        let (one, two) = (first[*row as usize], second[*row as usize]);
                        let both = if strict { one < low && two < high } else { one <= low && two <= high };
                        valid[*row as usize] && both
                    };
                    let expected: Vec<u32> = (0..rows as u32).filter(is_match).collect();
                    assert_eq!(found, expected, "{rows} rows, {low} and {high}, strict {strict}");
                }
            }
        }
    }
}

//! One pass over both sides in the order of their values, without a search: the last row seen of each group is the
//! nearest of the next row of the other side.
//!
//! Each worker makes its own pass over the indexed side, with the rows of the other side that come to it, for as long as
//! those are in order. Rows that are not are searched for instead: both ways may be mixed from batch to batch.

use std::hint::select_unpredictable;

use hypostyle_functions::kernel::prefetch::{DISTANCE, prefetch};

use super::grouped::{Front, Grouped};
use super::key_index::NO_GROUP;
use super::notes::{NONE, Note};

/// Places behind the last right rows of groups: one that stays empty, of left rows without a group, and one for what
/// right rows without a group write.
const SPARE: usize = 2;

/// Right rows that may be passed for each left row that comes: passing this many costs about what a search does.
const STRIDE: usize = 16;

/// Rows of a batch with what is compared of them.
pub(super) struct Rows<'a> {
    /// Group of each row.
    pub groups: &'a [u32],
    /// Order value of each row.
    pub words: &'a [u64],
}

/// A pass over left rows, with right rows coming.
#[derive(Default)]
pub(super) struct LeftWalk {
    front: Front,
    /// The nearest row, and the nearest value of each column of LAST NOT NULL.
    pub tracks: Vec<WalkTrack>,
}

/// A pass for the nearest row, or for the nearest value of one column.
pub(super) struct WalkTrack {
    /// The last right row of each group, and [`SPARE`] places.
    pub lasts: Vec<Note>,
    /// The nearest right row of each left row that was passed.
    pub passed: Vec<Note>,
}

impl LeftWalk {
    /// Whether the pass can go on with these rows.
    pub fn moves(&mut self, tracks: usize, left: &Grouped, rows: &Rows<'_>) -> bool {
        if !left.is_ascending || !self.front.moves(rows.groups, rows.words) {
            return false;
        }
        let track = || WalkTrack {
            lasts: vec![NONE; left.keys.groups() + SPARE],
            passed: Vec::with_capacity(left.rows() + 1),
        };
        self.tracks.resize_with(tracks, track);
        true
    }

    /// Whether all left rows were passed, so that no further right row is the nearest of one.
    pub fn is_over(&self, left: &Grouped) -> bool {
        self.tracks.iter().all(|track| track.passed.len() == left.rows())
    }

    /// Passes the left rows that no further right row can be the nearest of.
    pub fn finish(&mut self, left: &Grouped) {
        for track in &mut self.tracks {
            let rest = &left.groups[track.passed.len()..];
            for (row, &group) in rest.iter().enumerate() {
                if let Some(&ahead) = rest.get(row + DISTANCE) {
                    prefetch(&track.lasts, ahead as usize);
                }
                track.passed.push(last(&track.lasts, group));
            }
        }
    }

    /// Bytes of what is held.
    pub fn bytes(&self) -> usize {
        let notes = |track: &WalkTrack| track.lasts.len() + track.passed.capacity();
        self.tracks.iter().map(notes).sum::<usize>() * size_of::<Note>()
    }
}

impl WalkTrack {
    /// Takes in the rows of a batch for which `counts`, whose place is `chunk` and their number. If `is_strict`, a row
    /// is no partner of a left row of its own order value.
    pub fn take_in(
        &mut self,
        left: &Grouped,
        rows: &Rows<'_>,
        chunk: u64,
        is_strict: bool,
        counts: impl Fn(usize) -> bool,
    ) {
        match is_strict {
            false => self.take_in_after(left, rows, chunk, counts, |left, right| left < right),
            true => self.take_in_after(left, rows, chunk, counts, |left, right| left <= right),
        }
    }

    /// Each step passes a left row or notes a right one. Which of them it is follows no pattern, so that both are written
    /// as one, without a branch.
    #[inline(always)]
    fn take_in_after(
        &mut self,
        left: &Grouped,
        rows: &Rows<'_>,
        chunk: u64,
        counts: impl Fn(usize) -> bool,
        is_before: impl Fn(u64, u64) -> bool,
    ) {
        let Self { lasts, passed } = self;
        let (groups, words) = (rows.groups, &rows.words[..rows.groups.len()]);
        let Some(final_row) = groups.iter().rposition(|&group| group != NO_GROUP) else { return };
        let mut next = passed.len();
        let end = next + first_places(&left.words[next..], |word| is_before(word, words[final_row]));
        let (left_words, left_groups) = (&left.words[..end], &left.groups[..end]);
        // A place more: a step for a right row writes what the next left row may still find.
        passed.resize(end + 1, NONE);
        let (lasts, passed_rows) = (lasts.as_mut_slice(), &mut passed[..=end]);
        let nobody = (lasts.len() - SPARE) as u32;
        let mut row = 0;
        while row <= final_row {
            for ahead in [groups.get(row + DISTANCE), left_groups.get(next + DISTANCE)].into_iter().flatten()
            {
                prefetch(lasts, *ahead as usize);
            }
            let group = groups[row];
            // A row without a group has no order either: nothing is before it.
            let word = select_unpredictable(group == NO_GROUP, 0, words[row]);
            let (left_word, left_group) = match left_words.get(next) {
                Some(&left_word) => (left_word, left_groups[next]),
                None => (u64::MAX, NO_GROUP),
            };
            let is_left = next < end && is_before(left_word, word);
            let noted = select_unpredictable(counts(row), group, NO_GROUP).min(nobody + 1);
            let slot = select_unpredictable(is_left, left_group.min(nobody), noted) as usize;
            let last = lasts[slot];
            passed_rows[next] = last;
            lasts[slot] = Note {
                word: select_unpredictable(is_left, last.word, word),
                place: select_unpredictable(is_left, last.place, chunk | row as u64),
            };
            next += usize::from(is_left);
            row += usize::from(!is_left);
        }
        passed.truncate(next);
    }
}

/// How many words at the beginning, which are likely few, are such.
fn first_places(words: &[u64], is_such: impl Fn(u64) -> bool) -> usize {
    let mut reach = 64;
    while words.get(reach).is_some_and(|&word| is_such(word)) {
        reach *= 2;
    }
    words[..words.len().min(reach)].partition_point(|&word| is_such(word))
}

/// The last right row of a group; none where there is no group.
#[inline(always)]
fn last(lasts: &[Note], group: u32) -> Note {
    lasts.get(group as usize).copied().unwrap_or(NONE)
}

/// A pass over right rows, with left rows coming.
#[derive(Default)]
pub(super) struct RightWalk {
    front: Front,
    /// Right rows that were passed.
    passed: usize,
    /// Right rows that may be passed for the left rows that have come.
    allowed: usize,
    /// Per group, the first place that was not passed.
    reached: Vec<u32>,
}

impl RightWalk {
    /// Finds for each row the first place of its group whose order value is greater than the row's, or, if `is_strict`,
    /// not less; false if the pass cannot go on with these rows, or a search is shorter. `starts` are the first places
    /// of groups.
    pub fn find(
        &mut self,
        right: &Grouped,
        starts: &[u32],
        rows: &Rows<'_>,
        is_strict: bool,
        bounds: &mut Vec<(u32, u32)>,
    ) -> bool {
        if !right.is_ascending || !self.is_short(right, rows) || !self.front.moves(rows.groups, rows.words) {
            return false;
        }
        if self.reached.is_empty() {
            self.reached = starts[..right.keys.groups()].to_vec();
        }
        bounds.clear();
        match is_strict {
            false => self.pass(right, rows, bounds, |right, left| right <= left),
            true => self.pass(right, rows, bounds, |right, left| right < left),
        }
        true
    }

    /// Whether few right rows lie before the last of these.
    fn is_short(&mut self, right: &Grouped, rows: &Rows<'_>) -> bool {
        self.allowed += rows.words.len() * STRIDE;
        let last = (rows.groups.iter().zip(rows.words)).rev().find(|(group, _)| **group != NO_GROUP);
        last.is_none_or(|(_, &last)| right.words.get(self.allowed).is_none_or(|&word| word > last))
    }

    #[inline(always)]
    fn pass(
        &mut self,
        right: &Grouped,
        rows: &Rows<'_>,
        bounds: &mut Vec<(u32, u32)>,
        counts: impl Fn(u64, u64) -> bool,
    ) {
        let Self { passed, reached, .. } = self;
        for (&group, &word) in rows.groups.iter().zip(rows.words) {
            if group == NO_GROUP {
                bounds.push((u32::MAX, u32::MAX));
                continue;
            }
            while *passed < right.words.len() && counts(right.words[*passed], word) {
                if let Some(place) = reached.get_mut(right.groups[*passed] as usize) {
                    *place += 1;
                }
                *passed += 1;
            }
            bounds.push((reached[group as usize], u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};
    use hypostyle_functions::types::Type;

    use super::super::notes::NOBODY;
    use super::super::sorted_index::SortedIndex;
    use super::*;

    /// Numbers that look random, below `limit`.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % limit
        }
    }

    /// Rows in the order of their values, some without a key or a value.
    fn side(numbers: &mut Numbers, rows: usize) -> Grouped {
        let mut values: Vec<i64> = (0..rows).map(|_| numbers.below(30) as i64 - 15).collect();
        values.sort_unstable();
        let orders = values.iter().map(|&value| (numbers.below(9) > 0).then_some(value));
        let orders: ArrayRef = Arc::new(orders.collect::<Int64Array>());
        let keys = (0..rows).map(|_| (numbers.below(9) > 0).then(|| numbers.below(4) as i64));
        let keys: ArrayRef = Arc::new(keys.collect::<Int64Array>());
        Grouped::new((&[keys], &[Type::Int64], &[false]), (&orders, &Type::Int64), false)
    }

    /// The last of the other rows that is not after this one, or, if `is_strict`, that is before it.
    fn nearest(row: usize, of: &Grouped, among: &Grouped, is_strict: bool) -> Option<usize> {
        (0..among.rows()).rev().find(|&other| {
            let (word, other_word) = (of.words[row], among.words[other]);
            let is_before = if is_strict { other_word < word } else { other_word <= word };
            of.groups[row] != NO_GROUP && of.groups[row] == among.groups[other] && is_before
        })
    }

    /// Sides whose groups have the same numbers.
    fn sides(numbers: &mut Numbers) -> (Grouped, Grouped) {
        loop {
            let rows = [numbers.below(40) as usize, numbers.below(40) as usize];
            let (left, right) = (side(numbers, rows[0]), side(numbers, rows[1]));
            if left.keys.groups() == 4 && right.keys.groups() == 4 {
                return (left, right);
            }
        }
    }

    #[test]
    fn passed_left_rows_have_the_nearest_of_the_right_rows_that_came() {
        let mut numbers = Numbers(1);
        for case in 0..300 {
            let ((left, right), is_strict) = (sides(&mut numbers), case % 2 == 0);
            let step = 1 + numbers.below(9) as usize;
            let mut walk = LeftWalk::default();
            for (chunk, start) in (0..right.rows()).step_by(step).enumerate() {
                let range = start..right.rows().min(start + step);
                let rows = Rows { groups: &right.groups[range.clone()], words: &right.words[range] };
                assert!(walk.moves(1, &left, &rows));
                walk.tracks[0].take_in(&left, &rows, (chunk as u64) << 32, is_strict, |_| true);
            }
            walk.finish(&left);
            assert!(walk.is_over(&left));
            for (row, note) in walk.tracks.iter().flat_map(|track| track.passed.iter().enumerate()) {
                let found = (note.place != NOBODY)
                    .then(|| (note.place >> 32) as usize * step + note.place as u32 as usize);
                assert_eq!(found, nearest(row, &left, &right, is_strict), "row {row} of case {case}");
            }
        }
    }

    #[test]
    fn bounds_of_a_pass_are_those_of_a_search() {
        let mut numbers = Numbers(2);
        for case in 0..300 {
            let ((left, right), is_strict) = (sides(&mut numbers), case % 2 == 0);
            let index = SortedIndex::new(&right, &[]);
            let mut walk = RightWalk::default();
            let step = 1 + numbers.below(9) as usize;
            let (mut walked, mut searched) = (Vec::new(), Vec::new());
            for start in (0..left.rows()).step_by(step) {
                let range = start..left.rows().min(start + step);
                let rows = Rows { groups: &left.groups[range.clone()], words: &left.words[range] };
                index.search(rows.groups, rows.words, !is_strict, &mut searched);
                if walk.find(&right, index.starts(), &rows, is_strict, &mut walked) {
                    let firsts =
                        |bounds: &[(u32, u32)]| bounds.iter().map(|bound| bound.0).collect::<Vec<_>>();
                    assert_eq!(firsts(&walked), firsts(&searched), "case {case}");
                }
            }
        }
    }

    #[test]
    fn rows_out_of_order_end_no_pass() {
        let mut numbers = Numbers(3);
        let left = side(&mut numbers, 30);
        let mut walk = LeftWalk::default();
        let rows = |words| Rows { groups: &[0, 0], words };
        assert!(walk.moves(1, &left, &rows(&[5, 6])));
        assert!(!walk.moves(1, &left, &rows(&[7, 6])));
        assert!(!walk.moves(1, &left, &rows(&[4, 9])));
        assert!(walk.moves(1, &left, &rows(&[6, 9])));
    }

    #[test]
    fn far_right_rows_are_searched_for_until_enough_left_rows_came() {
        let count = 200 * STRIDE;
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count as i64));
        let right = Grouped::new((&[], &[], &[]), (&values, &Type::Int64), false);
        let index = SortedIndex::new(&right, &[]);
        let mut walk = RightWalk::default();
        let last = right.words[count - 1];
        let mut find = |groups: &[u32], words: &[u64]| {
            walk.find(&right, index.starts(), &Rows { groups, words }, false, &mut Vec::new())
        };
        assert!(!find(&[0; 100], &[last; 100]));
        assert!(find(&[0; 100], &[last; 100]));
    }
}

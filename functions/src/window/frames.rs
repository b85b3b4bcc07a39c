//! Frames of many rows, and the loops over them in amortized constant time a row.

/// Candidates that frames have left behind, from which on their room is given back.
const PASSED_MAX: usize = 1 << 10;

/// The frame of each row, as up to three disjoint ascending ranges of positions in the arguments.
///
/// Rows that an aggregate does not count are not among the arguments: the engine leaves them out and moves the ranges.
/// So one range is the usual case, and EXCLUDE makes it two or three.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    /// Start and end of each row's ranges, one pair of columns per part.
    pub parts: Vec<(Vec<u32>, Vec<u32>)>,
}

impl Frames {
    /// Number of rows that have a frame.
    pub fn len(&self) -> usize {
        self.parts.first().map_or(0, |(starts, _)| starts.len())
    }

    /// True if there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ranges of one row, of which some may be empty.
    #[inline(always)]
    pub fn of(&self, row: usize) -> impl Iterator<Item = std::ops::Range<usize>> + Clone + '_ {
        self.parts.iter().map(move |(starts, ends)| starts[row] as usize..ends[row] as usize)
    }

    /// Positions in the frame of a row.
    #[inline(always)]
    pub fn count(&self, row: usize) -> usize {
        self.of(row).map(|range| range.len()).sum()
    }

    /// Starts and ends of frames of one range.
    pub fn single(&self) -> Option<(&[u32], &[u32])> {
        match self.parts.as_slice() {
            [(starts, ends)] => Some((starts, ends)),
            _ => None,
        }
    }

    /// Calls `body` with each row whose frame is empty.
    pub fn empty_rows(&self, mut body: impl FnMut(usize)) {
        match self.single() {
            Some((starts, ends)) => {
                let empty = starts.iter().zip(ends).enumerate().filter(|(_, (start, end))| start >= end);
                empty.for_each(|(row, _)| body(row));
            }
            None => (0..self.len()).filter(|&row| self.count(row) == 0).for_each(body),
        }
    }

    /// Starts and ends of frames of one range whose ends both never move back from row to row.
    pub fn sliding(&self) -> Option<(&[u32], &[u32])> {
        let (starts, ends) = self.single()?;
        (starts.is_sorted() && ends.is_sorted()).then_some((starts, ends))
    }
}

/// Merges the states of the positions of each frame, which slide, and hands the result to `write`.
///
/// Two stacks: states of the frame's front lie ready from each position to `middle`; what has come since is one state.
/// When the front is used up, it is made anew of all that is in the frame, so every position is added twice and merged
/// once.
pub fn merge_of_frames<S: Copy>(
    (starts, ends): (&[u32], &[u32]),
    empty: S,
    add: impl Fn(&mut S, usize),
    merge: impl Fn(&mut S, &S),
    mut write: impl FnMut(usize, &S),
) {
    // `front[i]` is the state of positions `middle - 1 - i .. middle`.
    let mut front: Vec<S> = Vec::new();
    let (mut middle, mut end, mut back) = (0usize, 0usize, empty);
    for (row, (&frame_start, &frame_end)) in starts.iter().zip(ends).enumerate() {
        let (frame_start, frame_end) = (frame_start as usize, frame_end as usize);
        if frame_start >= end {
            // Nothing of what is held is left in the frame.
            front.clear();
            (middle, end, back) = (frame_start, frame_start, empty);
        }
        while end < frame_end {
            add(&mut back, end);
            end += 1;
        }
        let is_grown_only = front.is_empty() && frame_start == middle;
        if frame_start >= middle && !is_grown_only {
            front.clear();
            let mut state = empty;
            for position in (frame_start..end).rev() {
                add(&mut state, position);
                front.push(state);
            }
            (middle, back) = (end, empty);
        }
        let held = match frame_start.cmp(&middle) {
            std::cmp::Ordering::Less if frame_end > frame_start => {
                let mut state = front[middle - 1 - frame_start];
                merge(&mut state, &back);
                state
            }
            _ if frame_end > frame_start => back,
            _ => empty,
        };
        write(row, &held);
    }
}

/// The position of the extreme value of each frame, which slides; `None` for an empty one. `key` is what is compared of
/// a position; `beats(a, b)` is true if key `a`, which comes later, makes key `b` of no use.
pub fn extreme_of_frames<K: Copy>(
    (starts, ends): (&[u32], &[u32]),
    key: impl Fn(usize) -> K,
    beats: impl Fn(K, K) -> bool,
    mut write: impl FnMut(usize, Option<usize>),
) {
    // Candidates from `first` on: each is beaten by none that follows it.
    let mut candidates: Vec<(K, u32)> = Vec::new();
    let (mut first, mut end) = (0usize, 0u32);
    for (row, (&frame_start, &frame_end)) in starts.iter().zip(ends).enumerate() {
        if frame_start >= end {
            candidates.clear();
            (first, end) = (0, frame_start);
        }
        while end < frame_end {
            let entering = key(end as usize);
            while candidates.len() > first && candidates.last().is_some_and(|held| beats(entering, held.0)) {
                candidates.pop();
            }
            candidates.push((entering, end));
            end += 1;
        }
        while candidates.get(first).is_some_and(|held| held.1 < frame_start) {
            first += 1;
        }
        if first >= PASSED_MAX && first * 2 > candidates.len() {
            candidates.drain(..first);
            first = 0;
        }
        let held = candidates.get(first).filter(|_| frame_end > frame_start);
        write(row, held.map(|held| held.1 as usize));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that slide over 40 positions: empty ones, ones that grow, shrink, jump and stand still.
    fn frames() -> (Vec<u32>, Vec<u32>) {
        let ends = vec![0, 1, 2, 5, 5, 5, 9, 9, 12, 20, 20, 21, 30, 31, 31, 40, 40];
        let starts = vec![0, 0, 0, 0, 2, 5, 5, 9, 9, 10, 19, 20, 25, 25, 31, 31, 40];
        (starts, ends)
    }

    #[test]
    fn merged_frames_hold_their_positions() {
        let (starts, ends) = frames();
        let mut sums = Vec::new();
        merge_of_frames(
            (&starts, &ends),
            0u64,
            |state, position| *state += 1 << position,
            |state, other| *state += other,
            |_, state| sums.push(*state),
        );
        let expected: Vec<u64> =
            starts.iter().zip(&ends).map(|(&start, &end)| (start..end).map(|at| 1 << at).sum()).collect();
        assert_eq!(sums, expected);
    }

    #[test]
    fn the_extreme_of_each_frame_is_found() {
        let (starts, ends) = frames();
        let values: Vec<u32> = (0..40).map(|at| at * 17 % 23).collect();
        let mut found = Vec::new();
        extreme_of_frames(
            (&starts, &ends),
            |at| values[at],
            |a, b| a <= b,
            |_, at| found.push(at.map(|at| values[at])),
        );
        let expected: Vec<Option<u32>> = starts
            .iter()
            .zip(&ends)
            .map(|(&start, &end)| (start..end).map(|at| values[at as usize]).min())
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn candidates_that_are_left_behind_are_given_back() {
        // Ascending values: every position stays a candidate for the least until its frame has passed it.
        let starts: Vec<u32> = (0..9000u32).map(|row| row.saturating_sub(700)).collect();
        let ends: Vec<u32> = (1..=9000).collect();
        let mut found = Vec::new();
        extreme_of_frames(
            (&starts, &ends),
            |at| at,
            |a, b| a < b,
            |_, at| found.push(at.map(|at| at as u32)),
        );
        assert_eq!(found, starts.iter().copied().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn empty_rows_are_those_without_positions() {
        let (starts, ends) = frames();
        let mut empty = Vec::new();
        let single = Frames { parts: vec![(starts.clone(), ends.clone())] };
        single.empty_rows(|row| empty.push(row));
        assert_eq!(empty, [0, 5, 7, 14, 16]);
        let mut both = Vec::new();
        Frames { parts: vec![(starts.clone(), starts), (ends.clone(), ends)] }
            .empty_rows(|row| both.push(row));
        assert_eq!(both, (0..17).collect::<Vec<_>>());
    }
}

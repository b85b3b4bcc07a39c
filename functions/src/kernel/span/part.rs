//! The part of each list between two positions, as places in the elements of all lists.

/// One end of a part: so many elements behind the start of a list, or before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Elements behind the start; none is before it.
    Start(i32),
    /// Elements before the end.
    Back(i32),
}

impl End {
    /// Elements from the start of a list of `length` elements on, which may lie before it or behind the list.
    #[inline(always)]
    fn behind_start(self, length: i32) -> i32 {
        match self {
            Self::Start(count) => count,
            Self::Back(count) => length - count,
        }
    }
}

/// Start and length of the part of a list of `length` elements that begins at `start`.
#[inline(always)]
fn part(start: i32, length: i32, begin: End, end: End) -> (i32, i32) {
    let first = begin.behind_start(length).max(0);
    let after = end.behind_start(length).min(length);
    let size = if after > first { after - first } else { 0 };
    // A list of no elements lies at the start, which is always a place there is.
    (start + if size > 0 { first } else { 0 }, size)
}

at_each_level! {
    /// Writes start and length of the part of each list, which start and end at adjoining `offsets`; over the shortest slice.
    pub fn parts / parts_at(offsets: &[i32], begin: End, end: End, starts: &mut [i32], sizes: &mut [i32]) {
        let lists = starts.iter_mut().zip(sizes).zip(offsets.array_windows());
        for ((part_start, part_size), &[start, next]) in lists {
            (*part_start, *part_size) = part(start, next - start, begin, end);
        }
    }

    /// As [`parts`], of lists that lie anywhere.
    pub fn parts_of_spans / parts_of_spans_at(
        offsets: &[i32],
        lengths: &[i32],
        begin: End,
        end: End,
        starts: &mut [i32],
        sizes: &mut [i32],
    ) {
        let lists = starts.iter_mut().zip(sizes).zip(offsets).zip(lengths);
        for (((part_start, part_size), &start), &length) in lists {
            (*part_start, *part_size) = part(start, length, begin, end);
        }
    }
}

at_each_level! {
    /// Writes start and length of lists between adjoining `offsets`, of which the first is moved to `start`; over the shortest slice.
    ///
    /// The first offset may be any: those of a slice go on counting.
    pub fn lengths_from / lengths_from_at(start: i32, offsets: &[i32], starts: &mut [i32], sizes: &mut [i32]) {
        let moved = start.wrapping_sub(offsets.first().copied().unwrap_or(0));
        for ((start, size), &[first, end]) in starts.iter_mut().zip(sizes).zip(offsets.array_windows()) {
            *start = first.wrapping_add(moved);
            *size = end.wrapping_sub(first);
        }
    }

    /// True if each list starts where the one before it ends, and the first at 0.
    pub fn follow_from_zero / follow_from_zero_at(starts: &[i32], sizes: &[i32]) -> bool {
        let gap = |(&[start, next], &size): (&[i32; 2], &i32)| start.wrapping_add(size) ^ next;
        let gaps = starts.array_windows().zip(sizes).fold(0, |gaps, pair| gaps | gap(pair));
        gaps | starts.first().copied().unwrap_or(0) == 0
    }

    /// True if all lists, which start at the first numbers and are as long as the second ones, lie inside `count` elements.
    pub fn lie_inside / lie_inside_at(starts: &[i32], sizes: &[i32], count: usize) -> bool {
        let (mut signs, mut farthest) = (0, 0);
        for (&start, &size) in starts.iter().zip(sizes) {
            signs |= start | size;
            // Two numbers without a sign add up to 32 bits.
            farthest = farthest.max((start as u32).wrapping_add(size as u32));
        }
        signs >= 0 && farthest as usize <= count
    }

    /// The number of elements of lists of these lengths, of which none is negative.
    pub fn elements_of / elements_of_at(sizes: &[i32]) -> u64 {
        sizes.iter().map(|&size| u64::from(size as u32)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn parts_are_those_of_ranges() {
        let offsets: Vec<i32> = (0..100).map(|row: i32| row * (row - 1) / 2).collect();
        let lengths: Vec<i32> = offsets.array_windows().map(|[start, end]| end - start).collect();
        let counts = [0, 1, 2, 7, 50, 98, 99, 1000, i32::MAX];
        let ends = counts.iter().flat_map(|&count| [End::Start(count), End::Back(count)]);
        for begin in ends.clone() {
            for end in ends.clone() {
                for level in Level::available() {
                    let (mut starts, mut sizes) = (vec![-1; 99], vec![-1; 99]);
                    parts_at(level, &offsets, begin, end, &mut starts, &mut sizes);
                    let (mut others, mut other_sizes) = (vec![-1; 99], vec![-1; 99]);
                    let lists = &offsets[..99];
                    parts_of_spans_at(level, lists, &lengths, begin, end, &mut others, &mut other_sizes);
                    assert_eq!((&starts, &sizes), (&others, &other_sizes));
                    for row in 0..99 {
                        let (start, length) = (i64::from(offsets[row]), i64::from(lengths[row]));
                        let place = |end: End| match end {
                            End::Start(count) => i64::from(count),
                            End::Back(count) => length - i64::from(count),
                        };
                        let (first, after) = (place(begin).clamp(0, length), place(end).clamp(0, length));
                        let own = i64::from(starts[row])..i64::from(starts[row] + sizes[row]);
                        let expected = start + first..start + after.max(first);
                        assert!(
                            own == expected || own.is_empty() && expected.is_empty(),
                            "{begin:?} {end:?}"
                        );
                        assert!(i64::from(starts[row]) <= start + length);
                    }
                }
            }
        }
    }

    #[test]
    fn lists_are_moved_and_those_that_follow_one_another_told_at_every_level() {
        for level in Level::available() {
            for count in 0..70usize {
                let offsets: Vec<i32> = (0..=count as i32).map(|row| 7 + row * (row + 1) / 2).collect();
                let (mut starts, mut sizes) = (vec![-1; count], vec![-1; count]);
                lengths_from_at(level, 0, &offsets, &mut starts, &mut sizes);
                assert!(sizes.iter().copied().eq(1..=count as i32));
                assert!(starts.iter().zip(&offsets).all(|(start, offset)| start + 7 == *offset));
                assert!(follow_from_zero_at(level, &starts, &sizes));
                for row in 0..count {
                    starts[row] += 1;
                    assert!(!follow_from_zero_at(level, &starts, &sizes), "{level}: start {row} of {count}");
                    starts[row] -= 1;
                    sizes[row] -= 1;
                    assert_eq!(follow_from_zero_at(level, &starts, &sizes), row + 1 == count);
                    sizes[row] += 1;
                }
                lengths_from_at(level, 5, &offsets, &mut starts, &mut sizes);
                assert_eq!(starts.first().copied(), (count > 0).then_some(5));
                assert_eq!(follow_from_zero_at(level, &starts, &sizes), count == 0);
            }
        }
    }

    #[test]
    fn lists_beyond_the_elements_are_told_at_every_level() {
        for level in Level::available() {
            for count in 0..70usize {
                let starts: Vec<i32> = (0..count as i32).rev().collect();
                let mut sizes: Vec<i32> = (1..=count as i32).collect();
                assert_eq!(elements_of_at(level, &sizes), (count * (count + 1) / 2) as u64);
                assert!(lie_inside_at(level, &starts, &sizes, count));
                assert_eq!(lie_inside_at(level, &starts, &sizes, count.wrapping_sub(1)), count == 0);
                for row in 0..count {
                    for wrong in [-1, i32::MIN, i32::MAX, count as i32 + 1] {
                        let right = std::mem::replace(&mut sizes[row], wrong);
                        assert!(!lie_inside_at(level, &starts, &sizes, count), "{level}: {wrong}");
                        assert!(!lie_inside_at(level, &sizes, &starts, count), "{level}: {wrong}");
                        sizes[row] = right;
                    }
                }
            }
        }
    }
}

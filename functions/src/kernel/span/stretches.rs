//! Where the lists of a column lie in their elements.

use std::ops::Range;

use super::Span;

/// Stretches of one slice.
///
/// Lists of a whole column adjoin, and are read where they lie: spans of all of them would be written only to be read again.
#[derive(Debug, Clone, Copy)]
pub enum Stretches<'a> {
    /// Each from one offset to the next, so that there is one offset more than stretches.
    Adjoining(&'a [i32]),
    /// Anywhere.
    Scattered(&'a [Span]),
}

impl<'a> Stretches<'a> {
    /// Their number.
    pub fn len(self) -> usize {
        match self {
            Self::Adjoining(offsets) => offsets.len().saturating_sub(1),
            Self::Scattered(spans) => spans.len(),
        }
    }

    /// True if there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Where the first one begins and the last one ends, if they adjoin.
    pub fn ends(self) -> Option<(usize, usize)> {
        match self {
            Self::Adjoining(offsets) => Some((*offsets.first()? as usize, *offsets.last()? as usize)),
            Self::Scattered(_) => None,
        }
    }

    /// Some of them, in their order.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::Adjoining(offsets) => Self::Adjoining(&offsets[range.start..=range.end]),
            Self::Scattered(spans) => Self::Scattered(&spans[range]),
        }
    }

    /// Parts of `count` stretches and a last one of the others, each with the position of its first stretch.
    pub fn parts(self, count: usize) -> impl Iterator<Item = (usize, Self)> {
        let all = self.len();
        (0..all).step_by(count).map(move |first| (first, self.part(first..all.min(first + count))))
    }

    /// The stretches as spans, in `room` if they are not held as such.
    ///
    /// # Panics
    /// If there are more than the room has places.
    pub fn spans_in<'b>(self, room: &'b mut [Span]) -> &'b [Span]
    where
        'a: 'b,
    {
        match self {
            Self::Adjoining(offsets) => {
                let room = &mut room[..offsets.len().saturating_sub(1)];
                room.iter_mut().zip(adjoining(offsets)).for_each(|(place, span)| *place = span);
                room
            }
            Self::Scattered(spans) => spans,
        }
    }

    /// The length of the longest; 0 without any.
    #[inline(always)]
    pub fn longest(self) -> u32 {
        fn longest(spans: impl Iterator<Item = Span>) -> u32 {
            spans.fold(0, |longest, (start, end)| longest.max(end.wrapping_sub(start)))
        }
        match self {
            Self::Adjoining(offsets) => longest(adjoining(offsets)),
            Self::Scattered(spans) => longest(spans.iter().copied()),
        }
    }
}

/// The stretches between offsets. A negative offset lies beyond every slice.
#[inline(always)]
pub(super) fn adjoining(offsets: &[i32]) -> impl Iterator<Item = Span> {
    offsets.array_windows().map(|&[start, end]| (start as u32, end as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjoining_stretches_are_the_spans_between_offsets() {
        let offsets = [3, 3, 5, 9, 20];
        let spans: [Span; 4] = [(3, 3), (3, 5), (5, 9), (9, 20)];
        for (stretches, room_used) in
            [(Stretches::Adjoining(&offsets), true), (Stretches::Scattered(&spans), false)]
        {
            let mut room = [(0, 0); 4];
            assert_eq!(stretches.len(), 4);
            assert_eq!(stretches.ends(), room_used.then_some((3, 20)));
            assert_eq!(stretches.spans_in(&mut room), spans);
            assert_eq!(room != [(0, 0); 4], room_used);
            assert_eq!(stretches.longest(), 11);
            for (first, part) in stretches.parts(3) {
                let mut room = [(0, 0); 3];
                assert_eq!(part.spans_in(&mut room), &spans[first..4.min(first + 3)]);
            }
        }
        for none in [Stretches::Adjoining(&[]), Stretches::Adjoining(&[7]), Stretches::Scattered(&[])] {
            assert!(none.is_empty() && none.spans_in(&mut []).is_empty() && none.parts(5).next().is_none());
            assert_eq!(none.longest(), 0);
        }
    }
}

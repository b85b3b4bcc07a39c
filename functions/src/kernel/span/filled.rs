//! Which stretches have elements.
//!
//! Branches for single stretches would be foreseen badly: empty lists are often one in some dozens.

use super::Span;

const WORD: usize = u64::BITS as usize;

at_each_level! {
    /// True if one of the spans has no elements.
    pub fn has_empty_span / has_empty_span_at(spans: &[Span]) -> bool {
        spans.iter().fold(false, |has, (start, end)| has | (start == end))
    }

    /// True if two adjoining offsets are the same, so that there is nothing between them.
    pub fn has_empty_between / has_empty_between_at(offsets: &[i32]) -> bool {
        offsets.array_windows().fold(false, |has, [start, end]| has | (start == end))
    }

    /// Clears bit `i` of `words` where span `i` has no elements, and leaves the others.
    pub fn clear_empty_spans / clear_empty_spans_at(spans: &[Span], words: &mut [u64]) {
        for (word, spans) in words.iter_mut().zip(spans.chunks(WORD)) {
            let spans = spans.iter().enumerate();
            *word &= !spans.fold(0, |bits, (bit, (start, end))| bits | u64::from(start == end) << bit);
        }
    }

    /// As [`clear_empty_spans`], with what lies between two adjoining offsets as spans.
    pub fn clear_empty_between / clear_empty_between_at(offsets: &[i32], words: &mut [u64]) {
        let ends = offsets.get(1..).unwrap_or_default();
        for ((word, starts), ends) in words.iter_mut().zip(offsets.chunks(WORD)).zip(ends.chunks(WORD)) {
            let pairs = starts.iter().zip(ends).enumerate();
            *word &= !pairs.fold(0, |bits, (bit, (start, end))| bits | u64::from(start == end) << bit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn bits_of_empty_stretches_are_cleared_at_every_level() {
        for count in [0usize, 1, 2, 63, 64, 65, 128, 200] {
            for every in [1usize, 2, 41, 1000] {
                let mut end = 5;
                let mut offsets = vec![5i32];
                offsets.extend((0..count).map(|row| {
                    end += (row % every != 1 % every) as i32;
                    end
                }));
                let spans: Vec<Span> =
                    offsets.array_windows().map(|&[start, end]| (start as u32, end as u32)).collect();
                let before = 0xff0f_ffff_7fff_fffeu64;
                let mut expected = vec![before; count.div_ceil(WORD) + 1];
                for row in (0..count).filter(|&row| spans[row].0 == spans[row].1) {
                    expected[row / WORD] &= !(1 << (row % WORD));
                }
                let has_empty = spans.iter().any(|(start, end)| start == end);
                for level in Level::available() {
                    let (mut words, mut same) = (vec![before; expected.len()], vec![before; expected.len()]);
                    clear_empty_spans_at(level, &spans, &mut words);
                    clear_empty_between_at(level, &offsets, &mut same);
                    assert_eq!((&words, &same), (&expected, &expected), "{level}, {count}, {every}");
                    assert_eq!(has_empty_span_at(level, &spans), has_empty);
                    assert_eq!(has_empty_between_at(level, &offsets), has_empty);
                }
            }
        }
    }
}

//! Distinct elements of spans, and what pairs of spans share, by a table that may be wrong and is checked.
//!
//! The table keeps, for each hash, the place of the element that was put there last. It is never emptied: what it says
//! of an element counts only if the place lies in the span that is looked at and holds an equal element. A place outside
//! of the span means that no element of this hash has come yet; a place inside with another element means that two
//! elements share a hash, and then the span itself is looked through. With spans far shorter than the table this is so
//! rare that the loops have no branch that a processor could not foresee, which is what a set of short lists costs most.

use super::distinct::WordSet;
use super::{Span, elements};

/// Slots of a table: 16 KiB, of which two lie in the first-level cache beside the lists.
const SLOTS_LOG2: u32 = 12;
/// Longer spans go to a set that grows with them.
const LENGTH_MAX: usize = 256;
/// An odd number without a pattern: the golden ratio of 2^64.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whole numbers, of which equal ones have equal words.
pub trait Word: Copy + PartialEq {
    /// The number as a word.
    fn word(self) -> u64;
}

impl Word for i32 {
    #[inline(always)]
    fn word(self) -> u64 {
        self as u64
    }
}

impl Word for i64 {
    #[inline(always)]
    fn word(self) -> u64 {
        self as u64
    }
}

/// The last place of each hash.
#[derive(Debug)]
struct Places(Box<[u32; 1 << SLOTS_LOG2]>);

impl Default for Places {
    fn default() -> Self {
        Self(Box::new([0; 1 << SLOTS_LOG2]))
    }
}

impl Places {
    #[inline(always)]
    fn slot(&mut self, word: u64) -> &mut u32 {
        &mut self.0[(word.wrapping_mul(MULTIPLIER) >> (64 - SLOTS_LOG2)) as usize]
    }

    /// Puts the elements of a span.
    #[inline(always)]
    fn put<T: Word>(&mut self, start: u32, elements: &[T]) {
        for (&value, place) in elements.iter().zip(start..) {
            *self.slot(value.word()) = place;
        }
    }

    /// Whether a value is among the elements of the span that was put last.
    #[inline(always)]
    fn has<T: Word>(&mut self, start: u32, elements: &[T], value: T) -> bool {
        let held = self.slot(value.word()).wrapping_sub(start) as usize;
        match elements.get(held) {
            Some(&element) => element == value || is_among(elements, value),
            None => false,
        }
    }

    /// Puts one element after the other and tells whether it is the first of its value.
    #[inline(always)]
    fn put_each<T: Word>(&mut self, start: u32, elements: &[T], mut each: impl FnMut(T, bool)) {
        for (at, &value) in elements.iter().enumerate() {
            let slot = self.slot(value.word());
            let held = slot.wrapping_sub(start) as usize;
            *slot = start + at as u32;
            let has_come = held < at;
            // The element itself stands in for a place outside, so that one comparison serves both.
            let is_equal = elements[if has_come { held } else { at }] == value;
            let is_first = if is_equal { !has_come } else { !is_among(&elements[..at], value) };
            each(value, is_first);
        }
    }
}

/// Looks an element up one by one.
#[cold]
#[inline(never)]
fn is_among<T: PartialEq>(elements: &[T], value: T) -> bool {
    elements.contains(&value)
}

/// Tables of two spans, kept from call to call.
#[derive(Debug, Default)]
pub struct Recall {
    first: Places,
    second: Places,
    first_words: WordSet,
    second_words: WordSet,
}

impl Recall {
    /// Calls `each` for each element of a span, with true if it is the first of its value.
    #[inline(always)]
    fn each<T: Word>(&mut self, values: &[T], span: Span, mut each: impl FnMut(T, bool)) {
        let elements = elements(values, span);
        if elements.len() <= LENGTH_MAX {
            return self.first.put_each(span.0, elements, each);
        }
        self.first_words.start(elements.len());
        elements.iter().for_each(|&value| each(value, self.first_words.insert(value.word())));
    }

    /// Makes a span the one that [`Recall::has`] asks.
    #[inline(always)]
    fn hold<T: Word>(&mut self, values: &[T], span: Span) {
        let elements = elements(values, span);
        if elements.len() <= LENGTH_MAX {
            return self.second.put(span.0, elements);
        }
        self.second_words.start(elements.len());
        elements.iter().for_each(|&value| _ = self.second_words.insert(value.word()));
    }

    /// Whether the held span has a value.
    #[inline(always)]
    fn has<T: Word>(&mut self, values: &[T], span: Span, value: T) -> bool {
        let elements = elements(values, span);
        if elements.len() <= LENGTH_MAX {
            return self.second.has(span.0, elements, value);
        }
        self.second_words.contains(value.word())
    }
}

/// Writes the first of equal elements of each span, all spans one after the other; the number written.
#[inline(always)]
fn write_distinct<T: Word>(
    values: &[T],
    spans: &[Span],
    recall: &mut Recall,
    results: &mut [T],
    counts: &mut [u32],
) -> usize {
    let mut next = 0;
    for (&span, count) in spans.iter().zip(counts) {
        let own = &mut results[next..];
        let mut written = 0;
        recall.each(values, span, |value, is_first| {
            own[written] = value;
            written += usize::from(is_first);
        });
        *count = written as u32;
        next += written;
    }
    next
}

#[inline(always)]
fn count_distinct<T: Word>(values: &[T], spans: &[Span], recall: &mut Recall, counts: &mut [u64]) {
    for (&span, count) in spans.iter().zip(counts) {
        let mut firsts = 0;
        recall.each(values, span, |_, is_first| firsts += u64::from(is_first));
        *count = firsts;
    }
}

/// Writes the first of equal elements of each left span that the right span has, too; the number written.
#[inline(always)]
fn write_common<T: Word>(
    (left, left_spans): (&[T], &[Span]),
    (right, right_spans): (&[T], &[Span]),
    recall: &mut Recall,
    results: &mut [T],
    counts: &mut [u32],
) -> usize {
    let mut next = 0;
    for ((&left_span, &right_span), count) in left_spans.iter().zip(right_spans).zip(counts) {
        recall.hold(right, right_span);
        let Recall { first, second, first_words, second_words } = recall;
        let (elements, others) = (elements(left, left_span), elements(right, right_span));
        let own = &mut results[next..];
        let mut written = 0;
        let mut keep = |value, is_first, is_common| {
            own[written] = value;
            written += usize::from(is_first & is_common);
        };
        if elements.len().max(others.len()) <= LENGTH_MAX {
            first.put_each(left_span.0, elements, |value, is_first| {
                keep(value, is_first, second.has(right_span.0, others, value));
            });
        } else {
            first_words.start(elements.len());
            for &value in elements {
                let is_common = if others.len() <= LENGTH_MAX {
                    second.has(right_span.0, others, value)
                } else {
                    second_words.contains(value.word())
                };
                keep(value, first_words.insert(value.word()), is_common);
            }
        }
        *count = written as u32;
        next += written;
    }
    next
}

#[inline(always)]
fn any_common<T: Word>(
    (left, left_spans): (&[T], &[Span]),
    (right, right_spans): (&[T], &[Span]),
    recall: &mut Recall,
    results: &mut [bool],
) {
    for ((&left_span, &right_span), result) in left_spans.iter().zip(right_spans).zip(results) {
        recall.hold(right, right_span);
        // All are looked up: where the first one lies that both have cannot be foreseen.
        let mut found = false;
        elements(left, left_span).iter().for_each(|&value| found |= recall.has(right, right_span, value));
        *result = found;
    }
}

#[inline(always)]
fn all_common<T: Word>(
    (left, left_spans): (&[T], &[Span]),
    (right, right_spans): (&[T], &[Span]),
    recall: &mut Recall,
    results: &mut [bool],
) {
    for ((&left_span, &right_span), result) in left_spans.iter().zip(right_spans).zip(results) {
        recall.hold(right, right_span);
        *result = elements(left, left_span).iter().all(|&value| recall.has(right, right_span, value));
    }
}

/// Values and the spans of them.
pub type Spans<'a, T> = (&'a [T], &'a [Span]);

at_each_level! {
    /// Writes the first of equal elements of each span, all spans one after the other, and how many there are of each; the
    /// number written in all.
    ///
    /// # Panics
    /// If a span does not lie inside the values, as in all functions of this module, or the results hold less than all
    /// elements and one more.
    pub fn distinct_i64 / distinct_i64_at(spans: Spans<'_, i64>, recall: &mut Recall, results: &mut [i64], counts: &mut [u32]) -> usize {
        write_distinct(spans.0, spans.1, recall, results, counts)
    }

    /// As [`distinct_i64`], for numbers of 32 bits.
    pub fn distinct_i32 / distinct_i32_at(spans: Spans<'_, i32>, recall: &mut Recall, results: &mut [i32], counts: &mut [u32]) -> usize {
        write_distinct(spans.0, spans.1, recall, results, counts)
    }

    /// Writes the number of distinct elements of each span.
    pub fn count_distinct_i64 / count_distinct_i64_at(spans: Spans<'_, i64>, recall: &mut Recall, counts: &mut [u64]) {
        count_distinct(spans.0, spans.1, recall, counts);
    }

    /// As [`count_distinct_i64`], for numbers of 32 bits.
    pub fn count_distinct_i32 / count_distinct_i32_at(spans: Spans<'_, i32>, recall: &mut Recall, counts: &mut [u64]) {
        count_distinct(spans.0, spans.1, recall, counts);
    }

    /// As [`distinct_i64`], of the elements of a left span that the right span has, too.
    pub fn common_i64 / common_i64_at(left: Spans<'_, i64>, right: Spans<'_, i64>, recall: &mut Recall, results: &mut [i64], counts: &mut [u32]) -> usize {
        write_common(left, right, recall, results, counts)
    }

    /// As [`common_i64`], for numbers of 32 bits.
    pub fn common_i32 / common_i32_at(left: Spans<'_, i32>, right: Spans<'_, i32>, recall: &mut Recall, results: &mut [i32], counts: &mut [u32]) -> usize {
        write_common(left, right, recall, results, counts)
    }

    /// Whether the right span has any element of the left one.
    pub fn has_any_i64 / has_any_i64_at(left: Spans<'_, i64>, right: Spans<'_, i64>, recall: &mut Recall, results: &mut [bool]) {
        any_common(left, right, recall, results);
    }

    /// As [`has_any_i64`], for numbers of 32 bits.
    pub fn has_any_i32 / has_any_i32_at(left: Spans<'_, i32>, right: Spans<'_, i32>, recall: &mut Recall, results: &mut [bool]) {
        any_common(left, right, recall, results);
    }

    /// Whether the right span has all elements of the left one.
    pub fn has_all_i64 / has_all_i64_at(left: Spans<'_, i64>, right: Spans<'_, i64>, recall: &mut Recall, results: &mut [bool]) {
        all_common(left, right, recall, results);
    }

    /// As [`has_all_i64`], for numbers of 32 bits.
    pub fn has_all_i32 / has_all_i32_at(left: Spans<'_, i32>, right: Spans<'_, i32>, recall: &mut Recall, results: &mut [bool]) {
        all_common(left, right, recall, results);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    /// Spans of many lengths over numbers with repetitions; some share a hash on purpose.
    fn columns(seed: u64, distinct: u64) -> (Vec<i64>, Vec<Span>) {
        let mut state = seed;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let lengths = [0usize, 1, 2, 3, 7, 20, 40, 64, 255, 256, 257, 700, 5, 0, 19];
        let (mut values, mut spans) = (Vec::new(), Vec::new());
        for length in lengths.into_iter().cycle().take(60) {
            let start = values.len() as u32;
            // Products by the inverse of the multiplier hash to 0, and so to one slot.
            const INVERSE: u64 = 0xf1de_83e1_9937_733d;
            values.extend((0..length).map(|_| {
                let value = next(distinct);
                if value % 5 == 0 { value.wrapping_mul(INVERSE) as i64 } else { value as i64 - 7 }
            }));
            spans.push((start, values.len() as u32));
        }
        (values, spans)
    }

    fn firsts(list: &[i64]) -> Vec<i64> {
        let mut firsts = Vec::new();
        list.iter().for_each(|value| {
            if !firsts.contains(value) {
                firsts.push(*value)
            }
        });
        firsts
    }

    #[test]
    fn colliding_words_share_a_slot() {
        assert_eq!(0xf1de_83e1_9937_733du64.wrapping_mul(MULTIPLIER), 1);
    }

    #[test]
    fn distinct_elements_are_those_of_a_plain_search_at_every_level() {
        let mut recall = Recall::default();
        for distinct in [1u64, 10, 300, 1 << 31] {
            let (values, spans) = columns(distinct, distinct);
            let narrow: Vec<i32> = values.iter().map(|&value| value as i32).collect();
            let expected: Vec<Vec<i64>> = spans.iter().map(|&span| firsts(elements(&values, span))).collect();
            for level in Level::available() {
                let mut results = vec![0; values.len() + 1];
                let mut counts = vec![0; spans.len()];
                let written =
                    distinct_i64_at(level, (&values, &spans), &mut recall, &mut results, &mut counts);
                assert_eq!(&results[..written], expected.concat(), "{level}, {distinct}");
                assert!(counts.iter().zip(&expected).all(|(&count, list)| count as usize == list.len()));
                let mut wide_counts = vec![0; spans.len()];
                count_distinct_i64_at(level, (&values, &spans), &mut recall, &mut wide_counts);
                assert!(counts.iter().zip(&wide_counts).all(|(&count, &wide)| u64::from(count) == wide));
                let mut narrow_results = vec![0; values.len() + 1];
                let written =
                    distinct_i32_at(level, (&narrow, &spans), &mut recall, &mut narrow_results, &mut counts);
                count_distinct_i32_at(level, (&narrow, &spans), &mut recall, &mut wide_counts);
                assert!(counts.iter().zip(&wide_counts).all(|(&count, &wide)| u64::from(count) == wide));
                let expected = spans.iter().flat_map(|&span| {
                    let wide: Vec<i64> =
                        elements(&narrow, span).iter().map(|&value| i64::from(value)).collect();
                    firsts(&wide)
                });
                assert!(narrow_results[..written].iter().map(|&value| i64::from(value)).eq(expected));
            }
        }
    }

    #[test]
    fn what_spans_share_is_that_of_a_plain_search_at_every_level() {
        let mut recall = Recall::default();
        for distinct in [1u64, 10, 300, 1 << 31] {
            let (left, left_spans) = columns(distinct, distinct);
            let (right, mut right_spans) = columns(distinct + 1, distinct);
            right_spans.rotate_left(4);
            let lists = || {
                left_spans.iter().zip(&right_spans).map(|(&a, &b)| (elements(&left, a), elements(&right, b)))
            };
            let common: Vec<Vec<i64>> = lists()
                .map(|(a, b)| firsts(a).into_iter().filter(|value| b.contains(value)).collect())
                .collect();
            let any: Vec<bool> = common.iter().map(|list| !list.is_empty()).collect();
            let all: Vec<bool> = lists().map(|(a, b)| a.iter().all(|value| b.contains(value))).collect();
            for level in Level::available() {
                let mut results = vec![0; left.len() + 1];
                let mut counts = vec![0; left_spans.len()];
                let (a, b) = ((&left[..], &left_spans[..]), (&right[..], &right_spans[..]));
                let written = common_i64_at(level, a, b, &mut recall, &mut results, &mut counts);
                assert_eq!(&results[..written], common.concat(), "{level}, {distinct}");
                assert!(counts.iter().zip(&common).all(|(&count, list)| count as usize == list.len()));
                let mut truths = vec![false; left_spans.len()];
                has_any_i64_at(level, a, b, &mut recall, &mut truths);
                assert_eq!(truths, any, "{level}, {distinct}");
                has_all_i64_at(level, a, b, &mut recall, &mut truths);
                assert_eq!(truths, all, "{level}, {distinct}");
                if distinct < 1000 {
                    // These numbers are told apart by 32 bits, too.
                    let narrow =
                        |values: &[i64]| values.iter().map(|&value| value as i32).collect::<Vec<_>>();
                    let (left, right) = (narrow(&left), narrow(&right));
                    let (a, b) = ((&left[..], &left_spans[..]), (&right[..], &right_spans[..]));
                    let mut results = vec![0; left.len() + 1];
                    let written = common_i32_at(level, a, b, &mut recall, &mut results, &mut counts);
                    assert_eq!(&results[..written], narrow(&common.concat()));
                    has_any_i32_at(level, a, b, &mut recall, &mut truths);
                    assert_eq!(truths, any);
                    has_all_i32_at(level, a, b, &mut recall, &mut truths);
                    assert_eq!(truths, all);
                }
            }
        }
    }
}

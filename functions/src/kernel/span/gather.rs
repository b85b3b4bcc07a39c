//! The elements of spans one span after the other, as they stand or back to front.
//!
//! A short span is written in blocks of a fixed length, the last of which runs over its end: what it writes there is overwritten by
//! the spans that follow, so that no loop has to end at a place of its own.

use super::Span;

/// Elements that are moved at once.
const BLOCK: usize = 8;

#[inline(always)]
fn copy_spans<T: Copy>(values: &[T], spans: &[Span], results: &mut [T]) {
    let mut first = 0;
    for &(start, end) in spans {
        let (mut from, mut to) = (start as usize, first);
        first += (end - start) as usize;
        while to < first {
            let room = (results.get_mut(to..to + BLOCK), values.get(from..from + BLOCK));
            if let (Some(target), Some(block)) = room {
                target.copy_from_slice(block);
                (from, to) = (from + BLOCK, to + BLOCK);
            } else {
                results[to..first].copy_from_slice(&values[from..end as usize]);
                break;
            }
        }
    }
}

#[inline(always)]
fn reverse_spans<T: Copy>(values: &[T], spans: &[Span], results: &mut [T]) {
    let mut first = 0;
    for &(start, end) in spans {
        let (mut from, mut to) = (end as usize, first);
        first += (end - start) as usize;
        while to < first {
            // A block that would begin before the values has a start beyond them.
            let room = (results.get_mut(to..to + BLOCK), values.get(from.wrapping_sub(BLOCK)..from));
            if let (Some(target), Some(block)) = room {
                for place in 0..BLOCK {
                    target[place] = block[BLOCK - 1 - place];
                }
                (from, to) = (from - BLOCK, to + BLOCK);
            } else {
                let rest = results[to..first].iter_mut();
                rest.zip(values[..from].iter().rev()).for_each(|(target, &value)| *target = value);
                break;
            }
        }
    }
}

/// Numbers whose spans are gathered.
pub trait Gathered: Sized {
    /// Writes the elements of each span, one span after the other.
    ///
    /// # Panics
    /// If a span does not lie inside the values, or if there are fewer results than elements in the spans.
    fn copy(values: &[Self], spans: &[Span], results: &mut [Self]);

    /// As [`Gathered::copy`], with the elements of each span back to front.
    fn reverse(values: &[Self], spans: &[Span], results: &mut [Self]);
}

macro_rules! gathered {
    ($($number:ident: $copy:ident / $copy_at:ident, $reverse:ident / $reverse_at:ident;)*) => {$(
        at_each_level! {
            fn $copy / $copy_at(values: &[$number], spans: &[Span], results: &mut [$number]) {
                copy_spans(values, spans, results);
            }
            fn $reverse / $reverse_at(values: &[$number], spans: &[Span], results: &mut [$number]) {
                reverse_spans(values, spans, results);
            }
        }

        impl Gathered for $number {
            fn copy(values: &[Self], spans: &[Span], results: &mut [Self]) {
                $copy(values, spans, results);
            }
            fn reverse(values: &[Self], spans: &[Span], results: &mut [Self]) {
                $reverse(values, spans, results);
            }
        }
    )*};
}
// One arm expands to the loops of one type at each level, and the impl that names them.
gathered! {
    i32: copy_i32 / copy_i32_at, reverse_i32 / reverse_i32_at;
    i64: copy_i64 / copy_i64_at, reverse_i64 / reverse_i64_at;
    f32: copy_f32 / copy_f32_at, reverse_f32 / reverse_f32_at;
    f64: copy_f64 / copy_f64_at, reverse_f64 / reverse_f64_at;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn spans_of_every_length_are_copied_and_reversed_at_every_level() {
        let values: Vec<i64> = (0..3000).collect();
        let mut spans: Vec<Span> = (0..50).map(|length| (length, 2 * length)).collect();
        spans.extend([(0, 3000), (2990, 3000), (0, 0), (0, 255), (1, 257), (3000, 3000), (100, 116), (1, 2)]);
        for count in 0..=spans.len() {
            let spans = &spans[..count];
            let copied: Vec<i64> =
                spans.iter().flat_map(|&(start, end)| i64::from(start)..i64::from(end)).collect();
            let reversed: Vec<i64> =
                spans.iter().flat_map(|&(start, end)| (i64::from(start)..i64::from(end)).rev()).collect();
            for level in Level::available() {
                let mut results = vec![-1; copied.len() + 3];
                copy_i64_at(level, &values, spans, &mut results[..copied.len()]);
                assert_eq!(results[..copied.len()], copied, "{level}, {count} spans");
                reverse_i64_at(level, &values, spans, &mut results[..reversed.len()]);
                assert_eq!(results[..reversed.len()], reversed, "{level}, {count} spans");
                assert_eq!(results[copied.len()..], [-1; 3]);
            }
        }
    }
}

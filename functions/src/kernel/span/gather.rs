//! The elements of spans one span after the other, as they stand or back to front.
//!
//! A span is written in windows of a fixed length, the last of which runs over its end: what it writes there is overwritten by
//! the spans that follow. So a short span is one window, and no branch depends on how long it is.

use super::Span;
use crate::kernel::prefetch::{helps_over_lists, look_ahead, look_at};

/// Elements that are moved at once.
const BLOCK: usize = 8;
/// Blocks of the windows of most lists, and of such as hold a few elements only.
const BLOCKS: usize = 5;
const FEW_BLOCKS: usize = 1;

/// Writes the elements of all spans, in windows that fit their mean length.
#[inline(always)]
fn move_spans<T: Copy, const REVERSED: bool>(values: &[T], spans: &[Span], results: &mut [T]) {
    let elements: usize = spans.iter().map(|&(start, end)| end.wrapping_sub(start) as usize).sum();
    if elements > spans.len() * BLOCK * FEW_BLOCKS {
        move_windows::<T, REVERSED, BLOCKS>(values, spans, elements, results);
    } else {
        move_windows::<T, REVERSED, FEW_BLOCKS>(values, spans, elements, results);
    }
}

#[inline(always)]
fn move_windows<T: Copy, const REVERSED: bool, const BLOCKS: usize>(
    values: &[T],
    spans: &[Span],
    elements: usize,
    results: &mut [T],
) {
    let window = BLOCKS * BLOCK;
    let adjoining = adjoining(values, spans, elements).filter(|_| helps_over_lists());
    if let Some(values) = adjoining {
        look_at(values, spans[0].0 as usize);
    }
    let mut first = 0;
    for &(start, end) in spans {
        let (mut from, mut to) = (if REVERSED { end } else { start } as usize, first);
        first += (end - start) as usize;
        if let Some(values) = adjoining {
            look_ahead(values, start as usize, window);
        }
        while to < first {
            // A window that would begin before the values has a start beyond them.
            let source = if REVERSED { from.wrapping_sub(window)..from } else { from..from + window };
            let (Some(target), Some(source)) = (results.get_mut(to..to + window), values.get(source)) else {
                move_one::<T, REVERSED>(values, (start, end), from, &mut results[to..first]);
                break;
            };
            move_blocks::<T, REVERSED>(source, target);
            from = if REVERSED { from - window } else { from + window };
            to += window;
        }
    }
}

/// The values up to the end of the last span, if the spans adjoin. Where they do not, nothing is known of what lies further on.
#[inline(always)]
fn adjoining<'a, T>(values: &'a [T], spans: &[Span], elements: usize) -> Option<&'a [T]> {
    let (first, last) = (spans.first()?, spans.last()?);
    if last.1.wrapping_sub(first.0) as usize == elements { values.get(..last.1 as usize) } else { None }
}

/// Writes a window, block by block.
#[inline(always)]
fn move_blocks<T: Copy, const REVERSED: bool>(source: &[T], target: &mut [T]) {
    let (sources, _) = source.as_chunks::<BLOCK>();
    let (targets, _) = target.as_chunks_mut::<BLOCK>();
    let count = targets.len();
    for (number, target) in targets.iter_mut().enumerate() {
        if REVERSED {
            let source = &sources[count - 1 - number];
            (0..BLOCK).for_each(|place| target[place] = source[BLOCK - 1 - place]);
        } else {
            *target = sources[number];
        }
    }
}

/// Writes what is left of a span, from one of its places on, where there is no room for a window.
#[inline(always)]
fn move_one<T: Copy, const REVERSED: bool>(values: &[T], (start, end): Span, from: usize, target: &mut [T]) {
    if REVERSED {
        let rest = values[start as usize..from].iter().rev();
        target.iter_mut().zip(rest).for_each(|(target, &value)| *target = value);
    } else {
        target.copy_from_slice(&values[from..end as usize]);
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
                move_spans::<_, false>(values, spans, results);
            }
            fn $reverse / $reverse_at(values: &[$number], spans: &[Span], results: &mut [$number]) {
                move_spans::<_, true>(values, spans, results);
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

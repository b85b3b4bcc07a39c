//! The kernels over stretches of whole numbers, by the type of the numbers.

use crate::column::{ListWriter, Rows, WritableFixed};
use crate::kernel::span::recall::{self, Recall, Spans};
use crate::kernel::span::total::Totaled;
use crate::kernel::span::{Span, order};

/// Whole numbers that have kernels; what they write is said there.
pub trait Whole: WritableFixed + Totaled {
    fn ascending(values: &[Self], spans: &[Span], results: &mut [Self]);
    fn descending(values: &[Self], spans: &[Span], results: &mut [Self]);
    fn distinct(
        lists: Spans<'_, Self>,
        recall: &mut Recall,
        results: &mut [Self],
        counts: &mut [u32],
    ) -> usize;
    fn count_distinct(lists: Spans<'_, Self>, recall: &mut Recall, counts: &mut [u64]);
    fn common(
        left: Spans<'_, Self>,
        right: Spans<'_, Self>,
        recall: &mut Recall,
        results: &mut [Self],
        counts: &mut [u32],
    ) -> usize;
    fn has_any(left: Spans<'_, Self>, right: Spans<'_, Self>, recall: &mut Recall, results: &mut [bool]);
    fn has_all(left: Spans<'_, Self>, right: Spans<'_, Self>, recall: &mut Recall, results: &mut [bool]);
}

macro_rules! whole {
    ($($number:ty: $ascending:ident $descending:ident
        $distinct:ident $count_distinct:ident $common:ident $has_any:ident $has_all:ident;)*) => {$(
        impl Whole for $number {
            fn ascending(values: &[Self], spans: &[Span], results: &mut [Self]) {
                order::$ascending(values, spans, results);
            }
            fn descending(values: &[Self], spans: &[Span], results: &mut [Self]) {
                order::$descending(values, spans, results);
            }
            fn distinct(
                lists: Spans<'_, Self>,
                recall: &mut Recall,
                results: &mut [Self],
                counts: &mut [u32],
            ) -> usize {
                recall::$distinct(lists, recall, results, counts)
            }
            fn count_distinct(lists: Spans<'_, Self>, recall: &mut Recall, counts: &mut [u64]) {
                recall::$count_distinct(lists, recall, counts);
            }
            fn common(
                left: Spans<'_, Self>,
                right: Spans<'_, Self>,
                recall: &mut Recall,
                results: &mut [Self],
                counts: &mut [u32],
            ) -> usize {
                recall::$common(left, right, recall, results, counts)
            }
            fn has_any(
                left: Spans<'_, Self>,
                right: Spans<'_, Self>,
                recall: &mut Recall,
                results: &mut [bool],
            ) {
                recall::$has_any(left, right, recall, results);
            }
            fn has_all(
                left: Spans<'_, Self>,
                right: Spans<'_, Self>,
                recall: &mut Recall,
                results: &mut [bool],
            ) {
                recall::$has_all(left, right, recall, results);
            }
        }
    )*};
}
// One arm expands to the impl that names the kernels of one type.
whole! {
    i32: ascending_i32 descending_i32
        distinct_i32 count_distinct_i32 common_i32 has_any_i32 has_all_i32;
    i64: ascending_i64 descending_i64
        distinct_i64 count_distinct_i64 common_i64 has_any_i64 has_all_i64;
}

/// Gives each of `rows` a list of its length, one after the other from `start` on.
pub fn set_lengths(
    list: &mut ListWriter<'_>,
    rows: Rows<'_>,
    start: usize,
    lengths: impl Iterator<Item = usize>,
) {
    if let Rows::All(_) = rows {
        return list.set_all(start, lengths);
    }
    let mut next = start;
    for (row, length) in rows.iter().zip(lengths) {
        list.set(row, next, length);
        next += length;
    }
}

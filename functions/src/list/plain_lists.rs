//! Lists whose elements are numbers without nulls: one slice of values, and a stretch of it for each list.

use bumpalo::Bump;

use crate::column::{Data, FixedWidth, Rows, View};
use crate::kernel::span::{Span, Stretches};

/// The elements of a column of lists, in one slice without nulls.
#[derive(Debug, Clone, Copy)]
pub struct PlainLists<'a, T> {
    /// The elements of all lists.
    pub values: &'a [T],
}

impl<'a, T: FixedWidth> PlainLists<'a, T> {
    /// The lists of a column, if its elements are of the type `T` and none of them is null.
    pub fn of(view: &View<'a>) -> Option<Self> {
        let child = view.list().child();
        if child.may_be_null() || !child.is_flat() {
            return None;
        }
        Some(Self { values: T::slice(&child.data)? })
    }
}

/// Offsets between which the lists of `rows` lie in the child, where these adjoin.
pub fn offsets_of<'a>(view: &View<'a>, rows: Rows<'_>) -> Option<&'a [i32]> {
    let Rows::All(count) = rows else { return None };
    view.list().offsets()?.get(..=count)
}

/// Where the lists of `rows` lie in the child: between its offsets if they can, and else as spans.
pub fn stretches_of<'b>(view: &View<'b>, rows: Rows<'_>, bump: &'b Bump) -> Stretches<'b> {
    match offsets_of(view, rows) {
        Some(offsets) => Stretches::Adjoining(offsets),
        None => Stretches::Scattered(spans_of(view, rows, bump)),
    }
}

/// Where the lists of `rows` lie in the child, as spans.
pub fn spans_of<'b>(view: &View<'_>, rows: Rows<'_>, bump: &'b Bump) -> &'b mut [Span] {
    let lists = view.list();
    if let Some(offsets) = offsets_of(view, rows) {
        // Filled first, so that the loop that writes is a loop over vectors.
        let spans = bump.alloc_slice_fill_copy(rows.count(), (0, 0));
        Stretches::Adjoining(offsets).spans_in(spans);
        return spans;
    }
    if let (Rows::All(count), Some((starts, sizes))) = (rows, lists.starts_and_sizes()) {
        let spans = bump.alloc_slice_fill_copy(count, (0, 0));
        for ((span, &start), &size) in spans.iter_mut().zip(starts).zip(sizes) {
            *span = (start as u32, (start + size) as u32);
        }
        return spans;
    }
    let mut spans = bumpalo::collections::Vec::with_capacity_in(rows.count(), bump);
    rows.for_each(|row| {
        let range = lists.range(row);
        spans.push((range.start as u32, range.end as u32));
    });
    spans.into_bump_slice_mut()
}

/// The number of elements in all spans.
pub fn elements_in(spans: &[Span]) -> usize {
    spans.iter().fold(0, |count, (start, end)| count + u64::from(end - start)) as usize
}

/// The smallest stretch that holds all spans, and the number of elements in them.
pub fn extent(spans: &[Span]) -> (Span, usize) {
    let mut whole = (u32::MAX, 0);
    for &(start, end) in spans {
        // Empty spans may stand anywhere.
        let is_empty = start == end;
        whole.0 = whole.0.min(if is_empty { u32::MAX } else { start });
        whole.1 = whole.1.max(if is_empty { 0 } else { end });
    }
    let count = elements_in(spans);
    if count == 0 { ((0, 0), 0) } else { (whole, count) }
}

/// The word of a whole number of an element, by which equal ones are told; for types whose equal values have equal bits.
pub fn words_of<'a>(child: &View<'a>) -> Option<Words<'a>> {
    if !child.is_flat() {
        return None;
    }
    match child.data {
        Data::Int32(values) => Some(Words::Narrow(values)),
        Data::Int64(values) => Some(Words::Wide(values)),
        _ => None,
    }
}

/// Whole numbers as words.
#[derive(Debug, Clone, Copy)]
pub enum Words<'a> {
    /// Of 32 bits.
    Narrow(&'a [i32]),
    /// Of 64 bits.
    Wide(&'a [i64]),
}

impl Words<'_> {
    /// The word of an element.
    #[inline(always)]
    pub fn get(&self, at: usize) -> u64 {
        match self {
            Self::Narrow(values) => values[at] as u64,
            Self::Wide(values) => values[at] as u64,
        }
    }
}

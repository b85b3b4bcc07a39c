//! Lists whose elements are numbers without nulls: one slice of values, and a stretch of it for each list.

use bumpalo::Bump;

use crate::column::{Data, FixedWidth, List, Rows, View};
use crate::kernel::span::Span;

/// The lists of a column whose elements lie in one slice without nulls.
#[derive(Debug, Clone, Copy)]
pub struct PlainLists<'a, T> {
    lists: List<'a>,
    /// The elements of all lists.
    pub values: &'a [T],
}

impl<'a, T: FixedWidth> PlainLists<'a, T> {
    /// The lists of a column, if its elements are of the type `T` and none of them is null.
    pub fn of(view: &View<'a>) -> Option<Self> {
        let lists = view.list();
        let child = lists.child();
        if child.may_be_null() || !child.is_flat() {
            return None;
        }
        Some(Self { lists, values: T::slice(&child.data)? })
    }

    /// The elements of a row's list.
    #[inline(always)]
    pub fn get(&self, row: usize) -> &'a [T] {
        &self.values[self.lists.range(row)]
    }
}

/// Where the lists of `rows` lie in the child.
pub fn spans_of<'b>(view: &View<'_>, rows: Rows<'_>, bump: &'b Bump) -> &'b mut [Span] {
    let lists = view.list();
    if let (Rows::All(count), Some(offsets)) = (rows, lists.offsets())
        && let Some(offsets) = offsets.get(..=count)
    {
        let spans = offsets.array_windows().map(|&[start, end]| (start as u32, end as u32));
        return bump.alloc_slice_fill_iter(spans);
    }
    let mut spans = bumpalo::collections::Vec::with_capacity_in(rows.count(), bump);
    rows.for_each(|row| {
        let range = lists.range(row);
        spans.push((range.start as u32, range.end as u32));
    });
    spans.into_bump_slice_mut()
}

/// The smallest stretch that holds all spans, and the number of elements in them.
pub fn extent(spans: &[Span]) -> (Span, usize) {
    let mut whole = (u32::MAX, 0);
    let mut count = 0;
    for &(start, end) in spans.iter().filter(|(start, end)| start < end) {
        whole = (whole.0.min(start), whole.1.max(end));
        count += (end - start) as usize;
    }
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

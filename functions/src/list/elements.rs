//! The elements of the lists of a call as columns that a lambda can be called with.

use std::cell::OnceCell;

use bumpalo::Bump;

use super::plain_lists::spans_of;
use crate::column::{Data, Encoding, Output, Rows, View};
use crate::kernel::span::Span;
use crate::kernel::span::gather::Gathered;
use crate::scalar::OuterRows;
use crate::types::Type;

/// Elements of the selected rows' lists, one after the other.
pub struct Elements<'a> {
    /// The elements as a column.
    pub values: View<'a>,
    lists: &'a View<'a>,
    rows: Rows<'a>,
    outer_rows: OnceCell<&'a [u32]>,
    bump: &'a Bump,
}

/// Type of positions.
static POSITION: Type = Type::Int64;

impl<'a> Elements<'a> {
    /// Gathers the elements of `rows`; rows that are null have none. Values are not copied.
    pub fn of(lists: &'a View<'a>, rows: Rows<'a>, bump: &'a Bump) -> Self {
        let list = lists.list();
        if let (Rows::All(count), Some(offsets), false) = (rows, list.offsets(), lists.may_be_null())
            && let [first, .., end] = offsets[..=count]
            && let Some(values) = list.child().part(first as usize..end as usize)
        {
            return Self { values, lists, rows, outer_rows: OnceCell::new(), bump };
        }
        let mut start = None;
        let mut end = 0;
        let mut count = 0;
        let mut adjoin = true;
        for row in rows.iter().filter(|row| lists.is_valid(*row)) {
            let range = list.range(row);
            if range.is_empty() {
                continue;
            }
            adjoin &= range.start == end || start.is_none();
            start.get_or_insert(range.start);
            end = range.end;
            count += range.len();
        }
        // Lists that adjoin, as those of a whole batch mostly do, are a part of the child.
        let start = start.unwrap_or(0);
        let part = if adjoin { list.child().part(start..start + count) } else { None };
        let values = part.or_else(|| gathered(lists, rows, count, bump)).unwrap_or_else(|| {
            let mut places = bumpalo::collections::Vec::with_capacity_in(count, bump);
            let known = rows.iter().filter(|row| lists.is_valid(*row));
            known.for_each(|row| places.extend(list.range(row).map(|place| place as u32)));
            chosen(list.child(), places.into_bump_slice())
        });
        Self { values, lists, rows, outer_rows: OnceCell::new(), bump }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.values.length
    }

    /// Position of each element in its list, from 1.
    pub fn positions(&self) -> View<'a> {
        let mut previous = None;
        let mut position = 0;
        let positions = self.bump.alloc_slice_fill_iter(self.rows().iter().map(|&row| {
            position = if previous == Some(row) { position + 1 } else { 1 };
            previous = Some(row);
            position
        }));
        integers(positions)
    }
}

/// The elements of `rows`, `count` numbers without nulls, one list after the other; `None` if they are something else.
fn gathered<'a>(lists: &'a View<'a>, rows: Rows<'a>, count: usize, bump: &'a Bump) -> Option<View<'a>> {
    fn copy<'a, T: Gathered + Copy + Default>(
        values: &[T],
        spans: &[Span],
        count: usize,
        bump: &'a Bump,
    ) -> &'a [T] {
        let copies = bump.alloc_slice_fill_copy(count, T::default());
        T::copy(values, spans, copies);
        copies
    }
    let child = lists.list().child();
    if lists.may_be_null() || child.may_be_null() || !child.is_flat() {
        return None;
    }
    let spans = spans_of(lists, rows, bump);
    let data = match child.data {
        Data::Int32(values) => Data::Int32(copy(values, spans, count, bump)),
        Data::Int64(values) => Data::Int64(copy(values, spans, count, bump)),
        Data::Float32(values) => Data::Float32(copy(values, spans, count, bump)),
        Data::Float64(values) => Data::Float64(copy(values, spans, count, bump)),
        _ => return None,
    };
    Some(View { length: count, data, ..*child })
}

impl OuterRows for Elements<'_> {
    fn count(&self) -> usize {
        self.len()
    }

    fn rows(&self) -> &[u32] {
        self.outer_rows.get_or_init(|| {
            let list = self.lists.list();
            let outer_rows = self.bump.alloc_slice_fill_copy(self.len(), 0);
            let mut rest = &mut outer_rows[..];
            for row in self.rows.iter().filter(|row| self.lists.is_valid(*row)) {
                let (own, others) = rest.split_at_mut(list.length(row));
                own.fill(row as u32);
                rest = others;
            }
            outer_rows
        })
    }
}

/// A column of positions.
pub fn integers(values: &[i64]) -> View<'_> {
    View {
        data_type: &POSITION,
        length: values.len(),
        encoding: Encoding::Flat,
        validity: None,
        data: Data::Int64(values),
    }
}

/// The values of a flat column at these places; the column itself where that is all of it.
pub fn chosen<'a>(child: &View<'a>, places: &'a [u32]) -> View<'a> {
    let is_whole =
        places.len() == child.length && places.iter().enumerate().all(|(i, &place)| i == place as usize);
    if is_whole {
        return *child;
    }
    let encoding = Encoding::Dictionary { indices: places, validity: None };
    View { length: places.len(), encoding, ..*child }
}

/// Makes the rows fail whose elements failed, and clears the errors of the elements.
pub fn raise(errors: &[(u32, crate::Error)], outer_rows: &dyn OuterRows, output: &mut Output) {
    for (element, error) in errors {
        let row = outer_rows.rows()[*element as usize] as usize;
        if !output.has_failed(row) {
            output.fail(row, || error.clone());
        }
    }
}

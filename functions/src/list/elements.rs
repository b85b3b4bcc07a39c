//! The elements of the lists of a call as columns that a lambda can be called with.

use bumpalo::Bump;

use crate::column::{Data, Encoding, Output, Rows, View};
use crate::types::Type;

/// Elements of the selected rows' lists, one after the other.
pub struct Elements<'a> {
    /// The elements as a column.
    pub values: View<'a>,
    /// The row of the call that each element belongs to.
    pub outer_rows: &'a [u32],
    /// Place of each element in the child of the lists.
    pub places: &'a [u32],
    bump: &'a Bump,
}

/// Type of positions.
static POSITION: Type = Type::Int64;

impl<'a> Elements<'a> {
    /// Gathers the elements of `rows`; rows that are null have none. Values are not copied.
    pub fn of(lists: &View<'a>, rows: Rows<'_>, bump: &'a Bump) -> Self {
        let list = lists.list();
        let mut places = bumpalo::collections::Vec::new_in(bump);
        let mut outer_rows = bumpalo::collections::Vec::new_in(bump);
        for row in rows.iter().filter(|row| lists.is_valid(*row)) {
            let range = list.range(row);
            outer_rows.extend(std::iter::repeat_n(row as u32, range.len()));
            places.extend(range.start as u32..range.end as u32);
        }
        let places = places.into_bump_slice();
        Self { values: chosen(list.child(), places), outer_rows: outer_rows.into_bump_slice(), places, bump }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Position of each element in its list, from 1.
    pub fn positions(&self) -> View<'a> {
        let mut previous = None;
        let mut position = 0;
        let positions = self.bump.alloc_slice_fill_iter(self.outer_rows.iter().map(|&row| {
            position = if previous == Some(row) { position + 1 } else { 1 };
            previous = Some(row);
            position
        }));
        integers(positions)
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
pub fn raise(errors: &[(u32, crate::Error)], outer_rows: &[u32], output: &mut Output) {
    for (element, error) in errors {
        let row = outer_rows[*element as usize] as usize;
        if !output.has_failed(row) {
            output.fail(row, || error.clone());
        }
    }
}

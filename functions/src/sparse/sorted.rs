//! Ids of a list in ascending order, the form in which two lists are held against each other.

use crate::column::{Data, View};

/// The ids of one row, sorted; kept while rows show the same list.
#[derive(Debug, Default)]
pub(super) struct SortedIds {
    ids: Vec<i64>,
    holds_constant: bool,
}

impl SortedIds {
    /// Forgets what it holds; a slot may have served another call.
    pub fn reset(&mut self) {
        self.holds_constant = false;
    }

    /// The ids of `row`, nulls left out.
    pub fn of(&mut self, view: &View<'_>, row: usize) -> &[i64] {
        if !self.holds_constant {
            let list = view.list();
            let child = list.child();
            self.ids.clear();
            match child.data {
                Data::Int64(values) if child.is_flat() && !child.may_be_null() => {
                    self.ids.extend_from_slice(&values[list.range(row)]);
                }
                _ => {
                    let values = child.fixed::<i64>();
                    self.ids
                        .extend(list.range(row).filter(|&at| child.is_valid(at)).map(|at| values.get(at)));
                }
            }
            self.ids.sort_unstable();
            self.holds_constant = view.is_constant();
        }
        &self.ids
    }
}

/// Calls `each` for every id that stands in both lists, with how often it stands in each.
pub(super) fn common(mut a: &[i64], mut b: &[i64], mut each: impl FnMut(usize, usize)) {
    while let (Some(&x), Some(&y)) = (a.first(), b.first()) {
        if x == y {
            let (in_a, in_b) = (run(a), run(b));
            each(in_a, in_b);
            (a, b) = (&a[in_a..], &b[in_b..]);
        } else if x < y {
            a = &a[1..];
        } else {
            b = &b[1..];
        }
    }
}

/// Length of the run of equal ids at the start.
fn run(ids: &[i64]) -> usize {
    ids.iter().take_while(|&&id| id == ids[0]).count()
}

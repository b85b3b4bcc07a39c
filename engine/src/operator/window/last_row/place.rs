//! Where the last row stands in an order of its partition.

use std::cmp::Ordering;
use std::ops::Range;

use hypostyle_functions::column::{Data, View};

use crate::operator::window::shape::Key;

/// The rows of a partition in an order, and the row in question among them.
pub(super) struct Place<'a> {
    pub keys: &'a [Key],
    /// Evaluated columns, rows as they were given.
    pub columns: &'a [View<'a>],
    /// The row at each position.
    pub order: &'a [u32],
    /// Whether every row stands at its own position.
    pub is_identity: bool,
    /// The row in question: the last one.
    pub row: usize,
    /// Its position.
    pub at: u32,
    /// The positions of its peers.
    pub peers: Range<u32>,
}

impl<'a> Place<'a> {
    /// The place of the last of so many rows.
    pub fn of_last(keys: &'a [Key], columns: &'a [View<'a>], rows: usize, order: &'a mut Vec<u32>) -> Self {
        order.clear();
        order.extend(0..rows as u32);
        let is_identity = are_sorted(keys, columns, rows);
        if !is_identity {
            // Rows with equal keys keep the order they were given in.
            order.sort_unstable_by(|&left, &right| {
                compare(keys, columns, left, right).then_with(|| left.cmp(&right))
            });
        }
        let row = rows.saturating_sub(1);
        let order: &[u32] = order;
        let at = match is_identity {
            true => row as u32,
            false => order.iter().position(|&other| other as usize == row).unwrap_or(row) as u32,
        };
        let mut place = Self { keys, columns, order, is_identity, row, at, peers: 0..0 };
        place.peers = place.group_start(at)..place.group_end(at);
        place
    }

    /// Number of rows.
    pub fn rows(&self) -> u32 {
        self.order.len() as u32
    }

    /// The row at a position.
    pub fn row_at(&self, position: u32) -> usize {
        self.order[position as usize] as usize
    }

    /// The first position of the peers of a position.
    pub fn group_start(&self, position: u32) -> u32 {
        let mut start = position;
        while start > 0 && self.are_peers(start - 1, position) {
            start -= 1;
        }
        start
    }

    /// The position behind the peers of a position.
    pub fn group_end(&self, position: u32) -> u32 {
        let mut end = position + 1;
        while end < self.rows() && self.are_peers(end, position) {
            end += 1;
        }
        end
    }

    /// Whether two positions have equal keys.
    pub fn are_peers(&self, left: u32, right: u32) -> bool {
        let row = |position: u32| self.order[position as usize];
        compare(self.keys, self.columns, row(left), row(right)) == Ordering::Equal
    }
}

/// The order of two rows by their keys.
fn compare(keys: &[Key], columns: &[View<'_>], left: u32, right: u32) -> Ordering {
    let (left, right) = (left as usize, right as usize);
    for key in keys {
        let column = &columns[key.column];
        let order = match (column.is_null(left), column.is_null(right)) {
            (true, true) => Ordering::Equal,
            (false, false) => {
                let order = hypostyle_functions::column::compare(column, left, column, right);
                if key.descending { order.reverse() } else { order }
            }
            (is_null, _) if is_null == key.nulls_first => Ordering::Less,
            _ => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Whether the rows stand in the order of the keys as they are.
fn are_sorted(keys: &[Key], columns: &[View<'_>], rows: usize) -> bool {
    // The usual key, a time, mostly grows from row to row: then no other key matters.
    if let Some(key) = keys.first()
        && let (Data::Int64(values), true) = (columns[key.column].data, columns[key.column].is_flat())
        && !key.descending
        && !columns[key.column].may_be_null()
        && values[..rows].is_sorted_by(|left, right| left < right)
    {
        return true;
    }
    (1..rows as u32).all(|row| compare(keys, columns, row - 1, row) != Ordering::Greater)
}

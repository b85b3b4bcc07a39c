//! The rows of one side with the group and the order value of each, in the side's own order.

use std::sync::OnceLock;

use arrow::array::{Array, ArrayRef};
use bumpalo::Bump;
use hypostyle_functions::column::borrow;
use hypostyle_functions::types::Type;

use super::key_index::{KeyIndex, NO_GROUP};
use super::sorted_index::{SortedIndex, exclude_null_order};
use super::word::words;

/// Rows of one side and what is compared of them.
pub(super) struct Grouped {
    /// Distinct keys.
    pub keys: KeyIndex,
    /// Group of each row; [`NO_GROUP`] where nothing can match.
    pub groups: Vec<u32>,
    /// Order value of each row; without a group that of the row before, so that such rows break no order.
    pub words: Vec<u64>,
    /// Whether no order value is less than one before it.
    pub is_ascending: bool,
    sorted: OnceLock<SortedIndex>,
}

impl Grouped {
    /// Bytes that rows and their index take at most, beside the rows' columns.
    pub fn index_bytes(rows: usize) -> usize {
        rows * 72 + (1 << 16)
    }

    /// Rows with these keys and order values.
    pub fn new(keys: (&[ArrayRef], &[Type], &[bool]), order: (&ArrayRef, &Type), inverted: bool) -> Self {
        let rows = order.0.len();
        let mut groups = Vec::new();
        let keys = KeyIndex::new(keys.0, keys.1, keys.2, rows, &mut groups);
        let bump = Bump::new();
        let order = borrow(order.0, order.1, &bump);
        exclude_null_order(&order, &mut groups);
        let mut values = Vec::new();
        words(&order, rows, inverted, &mut values);
        let (mut before, mut is_ascending) = (0, true);
        for (word, &group) in values.iter_mut().zip(&groups) {
            if group == NO_GROUP {
                *word = before;
            }
            is_ascending &= before <= *word;
            before = *word;
        }
        Self { keys, groups, words: values, is_ascending, sorted: OnceLock::new() }
    }

    /// The rows by group and order value, made when first asked for; of equal ones the later row comes last.
    pub fn sorted(&self) -> &SortedIndex {
        self.sorted.get_or_init(|| SortedIndex::new(self, &[]))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.groups.len()
    }

    /// Lets go of what only the rows' own order needs.
    pub fn without_rows(self) -> Self {
        Self { groups: Vec::new(), words: Vec::new(), is_ascending: false, ..self }
    }
}

/// Where a pass over a side in the order of its values stands: it goes on for as long as the values that it is asked
/// for do not fall.
#[derive(Debug, Default)]
pub(super) struct Front(u64);

impl Front {
    /// Whether the rows that have a group are in order and not before the front, which then moves on to the last.
    pub fn moves(&mut self, groups: &[u32], words: &[u64]) -> bool {
        let mut before = self.0;
        for (&word, &group) in words.iter().zip(groups) {
            if group != NO_GROUP {
                if word < before {
                    return false;
                }
                before = word;
            }
        }
        self.0 = before;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;

    fn grouped(values: Vec<Option<i64>>, inverted: bool) -> Grouped {
        let order: ArrayRef = Arc::new(Int64Array::from(values));
        Grouped::new((&[], &[], &[]), (&order, &Type::Int64), inverted)
    }

    #[test]
    fn rows_without_an_order_value_break_no_order() {
        let rows = grouped(vec![None, Some(-3), None, Some(-3), Some(7), None], false);
        assert!(rows.is_ascending);
        assert_eq!(rows.groups, [NO_GROUP, 0, NO_GROUP, 0, 0, NO_GROUP]);
        assert!(!grouped(vec![Some(2), None, Some(1)], false).is_ascending);
        assert!(grouped(vec![Some(2), None, Some(1)], true).is_ascending);
    }

    #[test]
    fn a_front_moves_on_with_rows_in_order_and_stays_where_they_are_not() {
        let mut front = Front::default();
        assert!(front.moves(&[0, NO_GROUP, 0], &[4, 1, 5]));
        assert!(!front.moves(&[0], &[4]));
        assert!(front.moves(&[NO_GROUP], &[0]));
        assert!(!front.moves(&[0, 0], &[9, 8]));
        assert!(front.moves(&[0, 0], &[5, 8]));
        assert!(!front.moves(&[0], &[7]));
    }
}

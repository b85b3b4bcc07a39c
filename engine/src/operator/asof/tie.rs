//! Which of several rows at one distance is taken: the one whose words are greatest.

use bumpalo::Bump;
use hypostyle_functions::column::Column;

use super::word::words;
use crate::operator::sort::KeyOrder;

/// One tie key of each row. The row that comes first in the order of ties has the greatest word.
pub(super) type TieWords = Vec<u128>;

/// The words of one tie key; all of its types are ordered by one machine word.
pub(super) fn tie_words(column: &Column, order: &KeyOrder, rows: usize) -> TieWords {
    let bump = Bump::new();
    let view = column.view(&order.data_type, &bump);
    let mut values = Vec::new();
    words(&view, rows, !order.descending, &mut values);
    let null = if order.nulls_first { 2u128 << 64 } else { 0 };
    let word = |(row, word): (usize, u64)| {
        if view.is_valid(row) { 1u128 << 64 | u128::from(word) } else { null }
    };
    values.into_iter().enumerate().map(word).collect()
}

//! Groups of keys with few possible values, found by position instead of by hash: dictionary codes,
//! truth values and bytes combine into one number per row, which a table maps to the group.

use std::sync::Arc;

use arrow::array::ArrayRef;
use hypostyle_functions::column::{Column, Data, View};

/// Combinations of codes up to which the table is kept: 256 KiB.
const CODES_MAX: usize = 1 << 16;

/// No group is known for a code.
const UNKNOWN: u32 = u32::MAX;

/// From codes to groups, for the dictionaries of the last batch.
#[derive(Default)]
pub(crate) struct CodeMemo {
    /// The dictionary of each key column; `None` where the type itself bounds the codes.
    dictionaries: Vec<Option<ArrayRef>>,
    groups: Vec<u32>,
    codes: Vec<u32>,
    /// Batches since the dictionaries last changed; a memo that changes each time does not pay.
    is_fresh: bool,
}

impl CodeMemo {
    /// Computes the code of each row. False if these columns have too many possible values.
    pub fn encode(&mut self, columns: &[Column], views: &[View<'_>], rows: usize) -> bool {
        let Some(sizes) =
            columns.iter().zip(views).map(|(column, view)| domain(column, view)).collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        let Some(all) =
            sizes.iter().try_fold(1usize, |all, size| all.checked_mul(*size).filter(|&all| all <= CODES_MAX))
        else {
            return false;
        };
        self.follow(columns, all);
        // Filling a table that serves one batch costs more than hashing the batch.
        if self.is_fresh && all > rows {
            return false;
        }
        self.codes.clear();
        self.codes.resize(rows, 0);
        for ((column, view), size) in columns.iter().zip(views).zip(sizes) {
            add_codes(column, view, size as u32, &mut self.codes);
        }
        true
    }

    /// Forgets everything if the dictionaries are not those of the last batch.
    fn follow(&mut self, columns: &[Column], all: usize) {
        let same = self.dictionaries.len() == columns.len()
            && self.groups.len() == all
            && self.dictionaries.iter().zip(columns).all(|(held, column)| match (held, dictionary(column)) {
                (Some(held), Some(given)) => Arc::ptr_eq(held, given),
                (None, None) => true,
                _ => false,
            });
        self.is_fresh = !same;
        if !same {
            self.dictionaries = columns.iter().map(|column| dictionary(column).cloned()).collect();
            self.groups.clear();
            self.groups.resize(all, UNKNOWN);
        }
    }

    /// Writes the group of each row; false if some row's is not known.
    pub fn look_up(&self, groups: &mut Vec<u32>) -> bool {
        groups.clear();
        groups.extend(self.codes.iter().map(|&code| self.groups[code as usize]));
        !groups.contains(&UNKNOWN)
    }

    /// Learns the groups of the last encoded rows.
    pub fn learn(&mut self, groups: &[u32]) {
        self.codes.iter().zip(groups).for_each(|(&code, &group)| self.groups[code as usize] = group);
    }

    /// Forgets all groups: their numbers are given out anew.
    pub fn clear(&mut self) {
        self.dictionaries.clear();
        self.groups.clear();
    }
}

fn dictionary(column: &Column) -> Option<&ArrayRef> {
    match column {
        Column::Dictionary { values, .. } | Column::Constant { value: values, .. } => Some(values),
        Column::Flat(_) => None,
    }
}

/// Number of codes of a column, one of them for null; `None` if it is not bounded.
fn domain(column: &Column, view: &View<'_>) -> Option<usize> {
    match (column, view.data) {
        (Column::Dictionary { values, .. } | Column::Constant { value: values, .. }, _) => {
            Some(values.len() + 1)
        }
        (Column::Flat(_), Data::Boolean(_)) => Some(3),
        (Column::Flat(_), Data::Int8(_) | Data::UInt8(_)) => Some(257),
        _ => None,
    }
}

/// Takes one more column into the codes. Code 0 is null.
fn add_codes(column: &Column, view: &View<'_>, size: u32, codes: &mut [u32]) {
    let nulls = view.may_be_null();
    let mut add = |code_of: &dyn Fn(usize) -> u32| {
        for (row, code) in codes.iter_mut().enumerate() {
            let own = if nulls && view.is_null(row) { 0 } else { 1 + code_of(row) };
            *code = *code * size + own;
        }
    };
    match (column, view.data) {
        (Column::Dictionary { indices, .. }, _) if !nulls => {
            for (code, &index) in codes.iter_mut().zip(indices.iter()) {
                *code = *code * size + 1 + index;
            }
        }
        (Column::Dictionary { indices, .. }, _) => add(&|row| indices[row]),
        (Column::Constant { .. }, _) => add(&|_| 0),
        (_, Data::Boolean(bits)) => add(&|row| u32::from(bits.get(row))),
        (_, Data::Int8(values)) => add(&|row| u32::from(values[row] as u8)),
        (_, Data::UInt8(values)) => add(&|row| u32::from(values[row])),
        // `domain` bounds no other form.
        _ => add(&|_| 0),
    }
}

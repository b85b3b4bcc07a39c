//! The build side in memory: its columns in one piece, and an index from keys to rows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::datatypes::DataType;
use bumpalo::Bump;
use hypostyle_functions::column::{Column, View, borrow};

use super::JoinShape;
use super::index::Index;
use super::unknown::Chains;
use crate::error::Result;
use crate::memory::Reservation;

/// The build side of a join, or of one partition of it.
pub struct JoinTable {
    /// Number of rows.
    pub(super) rows: usize,
    /// The columns that come out or that the condition reads.
    pub(super) columns: Vec<Column>,
    pub(super) keys: Vec<ArrayRef>,
    pub(super) index: Index,
    /// Whether the whole build side, over all partitions, has a row.
    pub(super) is_empty: bool,
    /// Whether the whole build side has a row with a null key.
    pub(super) has_null_key: bool,
    /// Rows by the keys that match null with null, where unknown pairs are looked for: all, and those with a null key.
    chains_of_all: OnceLock<Chains>,
    chains_of_nulls: OnceLock<Chains>,
    /// A bit per row that had a match, if that is asked for.
    matched: Option<Vec<AtomicU64>>,
    reservation: Mutex<Reservation>,
}

/// Facts about the whole build side, which a table of one partition cannot see.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuildFacts {
    /// It has a row.
    pub has_rows: bool,
    /// It has a row with a null key.
    pub has_null_key: bool,
}

impl JoinTable {
    /// A table of these columns and keys.
    pub(super) fn new(
        shape: &JoinShape,
        rows: usize,
        (columns, keys): (Vec<Column>, Vec<ArrayRef>),
        index: Index,
        facts: BuildFacts,
        reservation: Reservation,
    ) -> Self {
        let words = || (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self {
            rows,
            columns,
            keys,
            index,
            is_empty: !facts.has_rows,
            has_null_key: facts.has_null_key,
            chains_of_all: OnceLock::new(),
            chains_of_nulls: OnceLock::new(),
            matched: shape.gives_right_later().then(words),
            reservation: Mutex::new(reservation),
        }
    }

    fn reservation(&self) -> MutexGuard<'_, Reservation> {
        self.reservation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that it is charged.
    pub(super) fn bytes(&self) -> usize {
        self.reservation().bytes()
    }

    /// States whether the table is given up when others ask for memory.
    pub(super) fn set_spillable(&self, spillable: bool) {
        self.reservation().set_spillable(spillable);
    }

    /// Bytes that indexing this many rows takes beside the rows.
    pub(super) fn index_bytes(rows: usize) -> usize {
        // Hashes while it is made, then a directory and slots.
        rows * 16 + rows.next_power_of_two() * 8
    }

    /// All rows, by the keys that match null with null.
    pub(super) fn chains_of_all(&self, shape: &JoinShape) -> &Chains {
        self.chains_of_all.get_or_init(|| Chains::of_all(self, shape))
    }

    /// The rows with a null key that does not match null, by those that do.
    pub(super) fn chains_of_nulls(&self, shape: &JoinShape) -> &Chains {
        self.chains_of_nulls.get_or_init(|| Chains::of_nulls(self, shape))
    }

    /// Notes that these rows had a match.
    pub(super) fn note_matches(&self, rows: &[u32]) {
        let Some(matched) = &self.matched else { return };
        for &row in rows {
            let (word, bit) = (&matched[row as usize / 64], 1u64 << (row % 64));
            if word.load(Ordering::Relaxed) & bit == 0 {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// True for a row that had a match, where that is noted.
    pub(super) fn is_matched(&self, row: u32) -> bool {
        self.matched
            .as_ref()
            .is_some_and(|matched| matched[row as usize / 64].load(Ordering::Relaxed) >> (row % 64) & 1 == 1)
    }

    /// The rows that had a match, or those that had none.
    pub(super) fn rows_by_match(&self, with_match: bool) -> Vec<u32> {
        if self.matched.is_none() {
            return Vec::new();
        }
        (0..self.rows as u32).filter(|&row| self.is_matched(row) == with_match).collect()
    }

    /// The columns at these rows.
    pub(super) fn take(&self, shape: &JoinShape, rows: &UInt32Array) -> Result<Vec<Column>> {
        if self.rows == 0 {
            return Ok(shape
                .right_types
                .iter()
                .map(|data_type| Column::nulls(data_type, rows.len()))
                .collect());
        }
        if self.rows == 1 && rows.null_count() == 0 {
            let constant =
                |column: &Column| Ok(Column::Constant { value: column.to_array()?, length: rows.len() });
            return self.columns.iter().map(constant).collect();
        }
        self.columns.iter().map(|column| taken(column, rows)).collect()
    }

    /// The keys for reading.
    pub(super) fn key_views<'a>(&'a self, shape: &'a JoinShape, bump: &'a Bump) -> Vec<View<'a>> {
        self.keys.iter().zip(&shape.key_types).map(|(key, data_type)| borrow(key, data_type, bump)).collect()
    }
}

/// The column at these rows. Text is not copied: its rows point to the values of the build side, which are the same for
/// all batches.
fn taken(column: &Column, rows: &UInt32Array) -> Result<Column> {
    match column {
        Column::Flat(values) if matches!(values.data_type(), DataType::Utf8View | DataType::BinaryView) => {
            Ok(Column::Dictionary {
                indices: rows.values().clone(),
                validity: rows.nulls().cloned(),
                values: Arc::clone(values),
            })
        }
        other => Ok(other.take(rows)?),
    }
}

/// True where the row can match at all: no key is null that does not match null.
pub(super) fn can_match(keys: &[View<'_>], nulls_match: &[bool], row: usize) -> bool {
    keys.iter().zip(nulls_match).all(|(key, &matches)| matches || key.is_valid(row))
}

/// True if no null needs to be looked at.
pub(super) fn all_can_match(keys: &[View<'_>], nulls_match: &[bool]) -> bool {
    keys.iter().zip(nulls_match).all(|(key, &matches)| matches || !key.may_be_null())
}

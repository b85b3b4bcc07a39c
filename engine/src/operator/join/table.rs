//! The build side in memory: its columns in one piece, and an index from keys to rows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{ArrayRef, UInt32Array};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, Data, Rows, View, borrow};
use hypostyle_functions::types::Type;

use super::JoinShape;
use super::unknown::Chains;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::Reservation;
use crate::operator::aggregate::GroupTable;
use crate::operator::filter::concat_batches;
use crate::operator::row_hash::hash_rows;
use crate::operator::{Claim, RunContext, Source};
use crate::table::Reader;

/// Integer keys are looked up by position if their range is at most this many times the number of rows ...
const DENSE_SPREAD: u64 = 4;

/// ... or at most this large.
const DENSE_RANGE: u64 = 1 << 16;

/// From keys to rows. Rows are numbered from 1, so that 0 ends a chain; rows of one key follow one another in the
/// build side's order.
pub(super) enum Index {
    /// Every row is a candidate of every row.
    All,
    /// By hash; rows of one chain may have different keys.
    Hashed {
        /// First row of each chain.
        heads: Vec<u32>,
        /// Next row of the chain, in the low half, and the high half of the row's hash.
        links: Vec<u64>,
    },
    /// By the value of one integer key; rows of one chain have one key.
    Dense {
        /// Value of the first place.
        least: i128,
        /// First row of each value.
        heads: Vec<u32>,
        /// Next row of the same value.
        links: Vec<u32>,
    },
}

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
    _reservation: Reservation,
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
    /// Indexes batches that hold the needed columns and then the keys.
    pub(super) fn new(
        shape: &JoinShape,
        batches: Vec<Batch>,
        facts: BuildFacts,
        mut reservation: Reservation,
    ) -> Result<Self> {
        let payload = if shape.needs_right_columns() { shape.right_types.len() } else { 0 };
        let rows: usize = batches.iter().map(|batch| batch.rows).sum();
        if u32::try_from(rows).map_or(true, |rows| rows >= u32::MAX - 1) {
            return Err(Error::Resource(format!(
                "the build side of a join has {rows} rows; at most 2^32 - 3 fit"
            )));
        }
        let (mut columns, mut keys) = (Vec::new(), Vec::new());
        if !batches.is_empty() {
            let all = concat_batches(&batches)?;
            drop(batches);
            columns = all.columns;
            keys = columns.split_off(payload).iter().map(Column::to_array).collect::<Result<Vec<_>, _>>()?;
        }
        let index = if shape.key_types.is_empty() { Index::All } else { index(shape, &keys, rows) };
        let matched =
            shape.keeps_right().then(|| (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect());
        let table = Self {
            rows,
            columns,
            keys,
            index,
            is_empty: !facts.has_rows,
            has_null_key: facts.has_null_key,
            chains_of_all: OnceLock::new(),
            chains_of_nulls: OnceLock::new(),
            matched,
            _reservation: {
                reservation.set_spillable(false);
                reservation
            },
        };
        Ok(table)
    }

    /// Bytes that indexing this many rows takes beside the rows.
    pub(super) fn index_bytes(rows: usize) -> usize {
        (rows * 2).next_power_of_two() * 4 + rows * 8
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

    /// The rows that had no match.
    fn unmatched(&self) -> Vec<u32> {
        let Some(matched) = &self.matched else { return Vec::new() };
        let is_unmatched =
            |row: &u32| matched[*row as usize / 64].load(Ordering::Relaxed) >> (row % 64) & 1 == 0;
        (0..self.rows as u32).filter(is_unmatched).collect()
    }

    /// The columns at these rows.
    pub(super) fn take(&self, shape: &JoinShape, rows: &UInt32Array) -> Result<Vec<Column>> {
        use arrow::array::Array;
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
        Ok(self.columns.iter().map(|column| column.take(rows)).collect::<Result<_, _>>()?)
    }

    /// The keys for reading.
    pub(super) fn key_views<'a>(&'a self, shape: &'a JoinShape, bump: &'a Bump) -> Vec<View<'a>> {
        self.keys.iter().zip(&shape.key_types).map(|(key, data_type)| borrow(key, data_type, bump)).collect()
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

fn index(shape: &JoinShape, keys: &[ArrayRef], rows: usize) -> Index {
    let bump = Bump::new();
    let views: Vec<View<'_>> =
        keys.iter().zip(&shape.key_types).map(|(key, data_type)| borrow(key, data_type, &bump)).collect();
    // Where only the existence of a match counts, one row per key is enough.
    let firsts = shape.only_asks_for_match().then(|| {
        let mut table = GroupTable::new(&shape.key_types);
        let step = 1 << 14;
        let mut firsts = vec![false; rows];
        let mut groups = Vec::new();
        let all: Vec<u32> = (0..rows as u32).collect();
        for chunk in all.chunks(step) {
            table.assign(&views, rows, Rows::Selected(chunk), &mut groups);
            table.opened().iter().for_each(|&row| firsts[row as usize] = true);
        }
        firsts
    });
    let all = all_can_match(&views, &shape.nulls_match);
    let is_indexed = |row: usize| {
        firsts.as_ref().is_none_or(|firsts| firsts[row])
            && (all || can_match(&views, &shape.nulls_match, row))
    };
    if let Some(dense) = dense_index(&views, rows, &shape.nulls_match, is_indexed) {
        return dense;
    }
    let mut hashes = Vec::new();
    hash_rows(&views, rows, 0, &mut hashes);
    let size = (rows.max(1) * 2).next_power_of_two();
    let mut heads = vec![0u32; size];
    let mut links = vec![0u64; rows];
    // Backwards, so that chains lead forwards.
    for row in (0..rows).rev() {
        if is_indexed(row) {
            let hash = hashes[row];
            let head = &mut heads[hash as usize & (size - 1)];
            links[row] = hash & 0xffff_ffff_0000_0000 | u64::from(*head);
            *head = row as u32 + 1;
        }
    }
    Index::Hashed { heads, links }
}

/// The value of an integer key.
#[inline]
pub(super) fn integer_at(data: &Data<'_>, index: usize) -> Option<i128> {
    Some(match data {
        Data::Int8(values) => i128::from(values[index]),
        Data::Int16(values) => i128::from(values[index]),
        Data::Int32(values) => i128::from(values[index]),
        Data::Int64(values) => i128::from(values[index]),
        Data::UInt8(values) => i128::from(values[index]),
        Data::UInt16(values) => i128::from(values[index]),
        Data::UInt32(values) => i128::from(values[index]),
        Data::UInt64(values) => i128::from(values[index]),
        _ => return None,
    })
}

fn dense_index(
    views: &[View<'_>],
    rows: usize,
    nulls_match: &[bool],
    is_indexed: impl Fn(usize) -> bool,
) -> Option<Index> {
    let [key] = views else { return None };
    if rows == 0 || nulls_match[0] || integer_at(&key.data, 0).is_none() {
        return None;
    }
    let values = (0..rows).filter(|&row| key.is_valid(row)).filter_map(|row| integer_at(&key.data, row));
    let (least, greatest) = values
        .fold((i128::MAX, i128::MIN), |(least, greatest), value| (least.min(value), greatest.max(value)));
    if least > greatest {
        return None;
    }
    let range = u64::try_from(greatest - least).ok()?.checked_add(1)?;
    if range > DENSE_RANGE && range > rows as u64 * DENSE_SPREAD {
        return None;
    }
    let mut heads = vec![0u32; range as usize];
    let mut links = vec![0u32; rows];
    for row in (0..rows).rev() {
        if is_indexed(row)
            && let Some(value) = integer_at(&key.data, row)
        {
            let head = &mut heads[(value - least) as usize];
            links[row] = *head;
            *head = row as u32 + 1;
        }
    }
    Some(Index::Dense { least, heads, links })
}

/// The build rows without a match, after all probe rows have been seen.
pub struct UnmatchedSource {
    /// Types and expressions of the join.
    pub shape: Arc<JoinShape>,
    /// The table, set when the build side is complete.
    pub table: Arc<OnceLock<Arc<JoinTable>>>,
    /// The run.
    pub run: Arc<RunContext>,
    /// Set by the first claim.
    pub claimed: Mutex<bool>,
}

impl Source for UnmatchedSource {
    fn claim(&self) -> Result<Claim> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(table) = self.table.get().filter(|_| !*claimed) else { return Ok(Claim::End) };
        *claimed = true;
        Ok(Claim::Morsel(Box::new(UnmatchedReader::new(&self.shape, table, &self.run))))
    }
}

/// Reads the build rows without a match; the left columns are null.
pub(super) struct UnmatchedReader {
    shape: Arc<JoinShape>,
    table: Arc<JoinTable>,
    rows: Vec<u32>,
    given: usize,
    batch_rows: usize,
}

impl UnmatchedReader {
    pub fn new(shape: &Arc<JoinShape>, table: &Arc<JoinTable>, run: &Arc<RunContext>) -> Self {
        Self {
            shape: Arc::clone(shape),
            table: Arc::clone(table),
            rows: table.unmatched(),
            given: 0,
            batch_rows: run.batch_rows(),
        }
    }
}

impl Reader for UnmatchedReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let end = self.rows.len().min(self.given + self.batch_rows);
        let rows = &self.rows[self.given..end];
        if rows.is_empty() {
            return Ok(None);
        }
        self.given = end;
        let nulls = |data_type: &Type| Column::nulls(data_type, rows.len());
        let mut columns: Vec<Column> = self.shape.left_types.iter().map(nulls).collect();
        columns.extend(self.table.take(&self.shape, &UInt32Array::from(rows.to_vec()))?);
        Ok(Some(Batch::new(columns, rows.len())))
    }
}

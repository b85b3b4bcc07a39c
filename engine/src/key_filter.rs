//! What a join has found on its build side, as a condition on a column of the table that its probe side reads.
//!
//! A build ends before the scan of the probe side starts, so a scan is given the keys that can find a match and may skip
//! row groups, pages and rows that cannot. Rows that find no match anyway are all that it may leave out: a scan that
//! ignores the filter is slower and not wrong.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bumpalo::Bump;
use hypostyle_functions::column::{Column, Data, View};
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Value;

use crate::operator::row_hash::hash_rows;

/// Bits of a bit set for each key; beyond it a Bloom filter is smaller.
const BITS_PER_KEY: u64 = 64;

/// Bits of a bit set that are never too many.
const BITS_FEW: u64 = 1 << 17;

/// Rows up to which the keys are also kept in order, so that ranges between them are seen.
const ROWS_FEW: usize = 1 << 10;

/// Keys beyond which a Bloom filter would not stay in any cache.
const BLOOM_KEYS_MAX: usize = 1 << 24;

/// Rows after which it is known whether a filter pays.
const ROWS_TRIED: u64 = 1 << 14;

/// A condition on one column of a scanned table: its value is among these keys.
#[derive(Debug)]
pub struct KeyFilter {
    column: usize,
    keys: Arc<KeySet>,
    rows: AtomicU64,
    kept: AtomicU64,
}

impl KeyFilter {
    /// The condition on the column at this position of the table.
    pub fn new(column: usize, keys: Arc<KeySet>) -> Self {
        Self { column, keys, rows: AtomicU64::new(0), kept: AtomicU64::new(0) }
    }

    /// Position of the column in the table.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The keys.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// False once it is known that nearly every row passes: looking at them costs more than it saves.
    pub fn is_worth_it(&self) -> bool {
        let rows = self.rows.load(Ordering::Relaxed);
        rows < ROWS_TRIED || self.kept.load(Ordering::Relaxed) * 5 < rows * 4
    }

    /// Clears `keep` where the value is not among the keys, and where it is null. `keep` has one entry per row of the
    /// column. Notes how many rows were left out.
    pub fn select(&self, column: &Column, data_type: &Type, keep: &mut [bool]) {
        let count = |keep: &[bool]| keep.iter().filter(|&&keep| keep).count();
        let before = count(keep);
        self.keys.select(column, data_type, keep);
        self.note(before, count(keep));
    }

    /// Notes that of so many rows so many were kept, where [`KeyFilter::keys`] were asked for values instead of rows.
    pub fn note(&self, rows: usize, kept: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.kept.fetch_add(kept as u64, Ordering::Relaxed);
    }
}

/// The values of one key on the build side of a join; never null. Whole numbers (and dates and times) keep their bounds
/// and, where it is small, an exact set; everything else a Bloom filter, so a value that is not there may seem to be.
#[derive(Debug)]
pub struct KeySet {
    /// Least and greatest value, of keys that are whole numbers.
    bounds: Option<(i64, i64)>,
    /// The keys in order, if they are whole numbers and few; else empty.
    few: Vec<i64>,
    members: Members,
}

#[derive(Debug)]
enum Members {
    /// Whatever lies within the bounds.
    Unknown,
    /// One bit for each value from the least on.
    Exact(Vec<u64>),
    /// Words in which each key has set four bits.
    Bloom(Vec<u64>),
}

impl KeySet {
    /// The keys in these values, nulls left out.
    pub fn new(keys: &View<'_>, rows: usize) -> Self {
        let bounds = bounds(keys, rows);
        let members = match bounds {
            Some((least, greatest)) if greatest < least => Members::Exact(Vec::new()),
            Some((least, greatest)) => {
                let range = greatest.abs_diff(least);
                match range < BITS_FEW || range / BITS_PER_KEY < rows as u64 {
                    true => exact(keys, rows, least, range),
                    false => bloom(keys, rows),
                }
            }
            None => bloom(keys, rows),
        };
        let few = if bounds.is_some() && rows <= ROWS_FEW { in_order(keys, rows) } else { Vec::new() };
        Self { bounds, few, members }
    }

    /// Least and greatest key, where keys are whole numbers, dates or times; the first is greater if there is no key.
    pub fn bounds(&self) -> Option<(i64, i64)> {
        self.bounds
    }

    /// Bytes that a set of this many keys takes at most.
    pub fn bytes_max(rows: usize) -> usize {
        (BITS_FEW as usize / 8).max(rows * BITS_PER_KEY as usize / 8)
    }

    /// False if no key lies between these values, so that whatever has them as bounds can be skipped.
    pub fn overlaps(&self, minimum: &Value, maximum: &Value) -> bool {
        let (Some((least, greatest)), Some(minimum), Some(maximum)) =
            (self.bounds, integer(minimum), integer(maximum))
        else {
            return true;
        };
        let (start, end) = (minimum.max(least), maximum.min(greatest));
        if start > end {
            return false;
        }
        if let Some(next) = self.few.get(self.few.partition_point(|&key| key < start)) {
            return *next <= end;
        }
        match &self.members {
            Members::Exact(words) => has_bit(words, start.abs_diff(least), end.abs_diff(least)),
            _ => true,
        }
    }

    /// Clears `keep` where the value is not among the keys, and where it is null.
    pub fn select(&self, column: &Column, data_type: &Type, keep: &mut [bool]) {
        let bump = Bump::new();
        let view = column.view(data_type, &bump);
        let distinct = match column {
            Column::Flat(_) | Column::Spans(_) => return self.select_flat(&view, keep),
            Column::Constant { .. } => 1,
            Column::Dictionary { values, .. } => values.len(),
        };
        if distinct > keep.len() {
            return self.select_rows(&view, keep);
        }
        // Values are looked up once, however many rows have them.
        let mut of_values = vec![true; distinct];
        self.select_flat(&view.values(distinct), &mut of_values);
        for (row, keep) in keep.iter_mut().enumerate() {
            *keep = *keep && view.is_valid(row) && of_values[view.value_index(row)];
        }
    }

    fn select_flat(&self, values: &View<'_>, keep: &mut [bool]) {
        macro_rules! look_up {
            ($values:expr, $words:expr, $least:expr) => {
                for (keep, &value) in keep.iter_mut().zip($values) {
                    *keep &= is_set($words, (value as i64).wrapping_sub($least) as u64);
                }
            };
        }
        // One arm expands to a loop over the values of one type.
        match (&self.members, self.bounds, values.data) {
            (Members::Exact(words), Some((least, _)), Data::Int64(values)) => look_up!(values, words, least),
            (Members::Exact(words), Some((least, _)), Data::Int32(values)) => look_up!(values, words, least),
            (Members::Bloom(words), _, _) => {
                let mut hashes = Vec::new();
                hash_rows(std::slice::from_ref(values), keep.len(), 0, &mut hashes);
                for (keep, &hash) in keep.iter_mut().zip(&hashes) {
                    let (place, bits) = bloom_bits(words.len(), hash);
                    *keep &= words[place] & bits == bits;
                }
            }
            _ => return self.select_rows(values, keep),
        }
        if values.may_be_null() {
            keep.iter_mut().enumerate().for_each(|(row, keep)| *keep &= values.is_valid(row));
        }
    }

    /// Any type and encoding.
    fn select_rows(&self, values: &View<'_>, keep: &mut [bool]) {
        let hashes = match &self.members {
            Members::Bloom(_) => {
                let mut hashes = Vec::new();
                hash_rows(std::slice::from_ref(values), keep.len(), 0, &mut hashes);
                hashes
            }
            _ => Vec::new(),
        };
        for (row, keep) in keep.iter_mut().enumerate() {
            let is_in = || match (&self.members, self.bounds) {
                (Members::Unknown, None) => true,
                (Members::Bloom(words), _) => {
                    let (place, bits) = bloom_bits(words.len(), hashes[row]);
                    words[place] & bits == bits
                }
                (members, Some((least, greatest))) => integer_at(&values.data, values.value_index(row))
                    .is_none_or(|value| match members {
                        Members::Exact(words) => is_set(words, value.wrapping_sub(least) as u64),
                        _ => (least..=greatest).contains(&value),
                    }),
                (Members::Exact(_), None) => true,
            };
            *keep = *keep && values.is_valid(row) && is_in();
        }
    }
}

/// A key set that a join leaves for scans.
#[derive(Debug, Default)]
pub struct KeyCell {
    keys: OnceLock<Arc<KeySet>>,
}

impl KeyCell {
    /// Leaves the keys.
    pub fn set(&self, keys: Arc<KeySet>) {
        self.keys.get_or_init(|| keys);
    }

    /// The keys, once they are known.
    pub fn get(&self) -> Option<&Arc<KeySet>> {
        self.keys.get()
    }
}

/// A value of a fixed-width integer type as one number; `None` for other types, and for what does not fit.
#[inline]
pub(crate) fn integer_at(data: &Data<'_>, index: usize) -> Option<i64> {
    Some(match data {
        Data::Int8(values) => i64::from(values[index]),
        Data::Int16(values) => i64::from(values[index]),
        Data::Int32(values) => i64::from(values[index]),
        Data::Int64(values) => values[index],
        Data::UInt8(values) => i64::from(values[index]),
        Data::UInt16(values) => i64::from(values[index]),
        Data::UInt32(values) => i64::from(values[index]),
        _ => return None,
    })
}

fn integer(value: &Value) -> Option<i64> {
    Some(match value {
        Value::Int8(value) => i64::from(*value),
        Value::Int16(value) => i64::from(*value),
        Value::Int32(value) | Value::Date(value) => i64::from(*value),
        Value::Int64(value) | Value::Time(value) | Value::Timestamp(value, _) | Value::TimestampTz(value) => {
            *value
        }
        Value::UInt8(value) => i64::from(*value),
        Value::UInt16(value) => i64::from(*value),
        Value::UInt32(value) => i64::from(*value),
        _ => return None,
    })
}

/// Least and greatest value; `None` if these are not whole numbers that fit.
fn bounds(keys: &View<'_>, rows: usize) -> Option<(i64, i64)> {
    let is_integer = matches!(
        keys.data,
        Data::Int8(_)
            | Data::Int16(_)
            | Data::Int32(_)
            | Data::Int64(_)
            | Data::UInt8(_)
            | Data::UInt16(_)
            | Data::UInt32(_)
    );
    let valid = (0..rows).filter(|&row| keys.is_valid(row));
    let values = valid.filter_map(|row| integer_at(&keys.data, keys.value_index(row)));
    is_integer.then(|| {
        values.fold((i64::MAX, i64::MIN), |(least, greatest), value| (least.min(value), greatest.max(value)))
    })
}

fn in_order(keys: &View<'_>, rows: usize) -> Vec<i64> {
    let valid = (0..rows).filter(|&row| keys.is_valid(row));
    let mut values: Vec<i64> =
        valid.filter_map(|row| integer_at(&keys.data, keys.value_index(row))).collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn exact(keys: &View<'_>, rows: usize, least: i64, range: u64) -> Members {
    let mut words = vec![0u64; (range / 64 + 1) as usize];
    for row in (0..rows).filter(|&row| keys.is_valid(row)) {
        if let Some(value) = integer_at(&keys.data, keys.value_index(row)) {
            let place = value.abs_diff(least);
            words[(place / 64) as usize] |= 1 << (place % 64);
        }
    }
    Members::Exact(words)
}

fn bloom(keys: &View<'_>, rows: usize) -> Members {
    if rows > BLOOM_KEYS_MAX {
        return Members::Unknown;
    }
    let mut hashes = Vec::new();
    hash_rows(std::slice::from_ref(keys), rows, 0, &mut hashes);
    let mut words = vec![0u64; (rows / 4).max(1).next_power_of_two()];
    for (row, &hash) in hashes.iter().enumerate() {
        if keys.is_valid(row) {
            let (place, bits) = bloom_bits(words.len(), hash);
            words[place] |= bits;
        }
    }
    Members::Bloom(words)
}

/// The word of a hash, and its four bits in it.
#[inline(always)]
fn bloom_bits(words: usize, hash: u64) -> (usize, u64) {
    let bit = |shift: u32| 1u64 << (hash >> shift & 63);
    ((hash >> 32) as usize & (words - 1), bit(0) | bit(6) | bit(12) | bit(18))
}

#[inline(always)]
fn is_set(words: &[u64], place: u64) -> bool {
    words.get((place / 64) as usize).is_some_and(|word| word >> (place % 64) & 1 == 1)
}

/// True if one of the bits from `start` to `end`, both included, is set.
fn has_bit(words: &[u64], start: u64, end: u64) -> bool {
    let (first, last) = ((start / 64) as usize, (end / 64) as usize);
    (first..=last.min(words.len().saturating_sub(1))).any(|place| {
        let mut word = words.get(place).copied().unwrap_or(0);
        if place == first {
            word &= u64::MAX << (start % 64);
        }
        if place == last {
            word &= u64::MAX >> (63 - end % 64);
        }
        word != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, StringViewArray};

    fn set_of(array: ArrayRef, data_type: &Type) -> KeySet {
        let (bump, rows) = (Bump::new(), array.len());
        KeySet::new(&Column::Flat(array).view(data_type, &bump), rows)
    }

    fn kept(keys: &KeySet, column: &Column, data_type: &Type) -> Vec<bool> {
        let mut keep = vec![true; column.len()];
        keys.select(column, data_type, &mut keep);
        keep
    }

    #[test]
    fn whole_numbers_in_a_small_range_are_an_exact_set() {
        let keys = set_of(Arc::new(Int64Array::from(vec![Some(-5), None, Some(700), Some(3)])), &Type::Int64);
        assert_eq!(keys.bounds(), Some((-5, 700)));
        let probe = vec![Some(-6), Some(-5), Some(4), Some(3), None, Some(700), Some(701), Some(i64::MIN)];
        let flat = Column::Flat(Arc::new(Int64Array::from(probe)));
        let expected = [false, true, false, true, false, true, false, false];
        assert_eq!(kept(&keys, &flat, &Type::Int64), expected);
        assert!(keys.overlaps(&Value::Int64(2), &Value::Int64(600)));
        assert!(!keys.overlaps(&Value::Int64(4), &Value::Int64(699)));
        assert!(!keys.overlaps(&Value::Int64(701), &Value::Int64(i64::MAX)));
        assert!(keys.overlaps(&Value::Int64(i64::MIN), &Value::Int64(-5)));
        assert!(keys.overlaps(&Value::Null, &Value::Int64(-100)));
    }

    #[test]
    fn encodings_do_not_change_what_is_kept() {
        let keys = set_of(Arc::new(Int64Array::from(vec![1, 5])), &Type::Int64);
        let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), None, Some(2)]));
        let dictionary = Column::Dictionary { indices: vec![0u32, 1, 2, 0].into(), validity: None, values };
        assert_eq!(kept(&keys, &dictionary, &Type::Int64), [true, false, false, true]);
        let constant = Column::Constant { value: Arc::new(Int64Array::from(vec![5])), length: 3 };
        assert_eq!(kept(&keys, &constant, &Type::Int64), [true; 3]);
    }

    #[test]
    fn texts_and_wide_numbers_are_all_found_and_most_others_are_not() {
        let texts: Vec<String> = (0..1000).map(|number| format!("key number {number}")).collect();
        let keys = set_of(Arc::new(StringViewArray::from_iter_values(&texts)), &Type::Text);
        let all = Column::Flat(Arc::new(StringViewArray::from_iter_values(&texts)));
        assert!(kept(&keys, &all, &Type::Text).into_iter().all(|keep| keep));
        let others = (0..1000).map(|number| format!("other {number}"));
        let others = Column::Flat(Arc::new(StringViewArray::from_iter_values(others)));
        let wrong = kept(&keys, &others, &Type::Text).into_iter().filter(|&keep| keep).count();
        assert!(wrong < 50, "{wrong} of 1000");
        let wide: Vec<i64> = (0..2000).map(|number| number * 1_000_000_007).collect();
        let keys = set_of(Arc::new(Int64Array::from(wide.clone())), &Type::Int64);
        assert!(
            kept(&keys, &Column::Flat(Arc::new(Int64Array::from(wide))), &Type::Int64)
                .into_iter()
                .all(|keep| keep)
        );
        let others =
            Column::Flat(Arc::new(Int64Array::from_iter_values((0..1000).map(|number| number * 999))));
        let wrong = kept(&keys, &others, &Type::Int64).into_iter().filter(|&keep| keep).count();
        assert!(wrong < 50, "{wrong} of 1000");
    }

    #[test]
    fn a_range_between_few_keys_is_seen_whatever_their_distance() {
        let keys = set_of(Arc::new(Int64Array::from(vec![i64::MIN, 7, 1 << 60])), &Type::Int64);
        assert!(keys.overlaps(&Value::Int64(7), &Value::Int64(7)));
        assert!(keys.overlaps(&Value::Int64(-5), &Value::Int64(i64::MAX)));
        assert!(!keys.overlaps(&Value::Int64(8), &Value::Int64((1 << 60) - 1)));
    }

    #[test]
    fn no_keys_keep_no_row() {
        let keys = set_of(Arc::new(Int64Array::from(vec![None::<i64>])), &Type::Int64);
        let flat = Column::Flat(Arc::new(Int64Array::from(vec![0, 1])));
        assert_eq!(kept(&keys, &flat, &Type::Int64), [false, false]);
        assert!(!keys.overlaps(&Value::Int64(0), &Value::Int64(9)));
    }
}

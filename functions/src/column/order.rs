//! Order, equality and hash of single values of any type, as SQL compares them: nulls last and equal
//! to each other, NaN greatest and equal to itself, -0 equal to 0, lists and structs element by element.

use std::cmp::Ordering;

use arrow::datatypes::IntervalMonthDayNano;

use super::view::{Data, View};
use crate::kernel::hash::row::{hash_bytes, hash_f64, hash_u64, hash_u128};

/// What a null brings to a hash: the fraction of the golden ratio, which no small integer is.
const NULL_HASH: u64 = 0x9e37_79b9_7f4a_7c15;

/// Order of two values of one type; null sorts after every value.
pub fn compare(left: &View<'_>, left_row: usize, right: &View<'_>, right_row: usize) -> Ordering {
    match (left.is_valid(left_row), right.is_valid(right_row)) {
        (false, false) => return Ordering::Equal,
        (false, true) => return Ordering::Greater,
        (true, false) => return Ordering::Less,
        (true, true) => {}
    }
    let (i, j) = (left.value_index(left_row), right.value_index(right_row));
    match (left.data, right.data) {
        (Data::Boolean(a), Data::Boolean(b)) => a.get(i).cmp(&b.get(j)),
        (Data::Int8(a), Data::Int8(b)) => a[i].cmp(&b[j]),
        (Data::Int16(a), Data::Int16(b)) => a[i].cmp(&b[j]),
        (Data::Int32(a), Data::Int32(b)) => a[i].cmp(&b[j]),
        (Data::Int64(a), Data::Int64(b)) => a[i].cmp(&b[j]),
        (Data::UInt8(a), Data::UInt8(b)) => a[i].cmp(&b[j]),
        (Data::UInt16(a), Data::UInt16(b)) => a[i].cmp(&b[j]),
        (Data::UInt32(a), Data::UInt32(b)) => a[i].cmp(&b[j]),
        (Data::UInt64(a), Data::UInt64(b)) => a[i].cmp(&b[j]),
        (Data::Float16(a), Data::Float16(b)) => compare_floats(a[i].to_f64(), b[j].to_f64()),
        (Data::Float32(a), Data::Float32(b)) => compare_floats(f64::from(a[i]), f64::from(b[j])),
        (Data::Float64(a), Data::Float64(b)) => compare_floats(a[i], b[j]),
        (Data::Int128(a), Data::Int128(b)) => a[i].cmp(&b[j]),
        (Data::Interval(a), Data::Interval(b)) => interval_key(a[i]).cmp(&interval_key(b[j])),
        (Data::Bytes(a), Data::Bytes(b)) => a.get(i).cmp(b.get(j)),
        (Data::List(_) | Data::FixedList { .. }, Data::List(_) | Data::FixedList { .. }) => {
            let (a, b) = (left.list(), right.list());
            let (ra, rb) = (a.range(left_row), b.range(right_row));
            let lengths = ra.len().cmp(&rb.len());
            let mut elements = ra.zip(rb).map(|(x, y)| compare(a.child(), x, b.child(), y));
            elements.find(|order| order.is_ne()).unwrap_or(lengths)
        }
        (Data::Struct(a), Data::Struct(_)) => (0..a.len())
            .map(|field| compare(&left.field(field), left_row, &right.field(field), right_row))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    }
}

/// True if the two values are the same under [`compare`]: `IS NOT DISTINCT FROM`.
pub fn equal(left: &View<'_>, left_row: usize, right: &View<'_>, right_row: usize) -> bool {
    compare(left, left_row, right, right_row).is_eq()
}

/// Hash of a value; equal values have equal hashes, on every machine and in every release.
pub fn hash(view: &View<'_>, row: usize, seed: u64) -> u64 {
    if view.is_null(row) {
        return hash_u64(NULL_HASH, seed);
    }
    let index = view.value_index(row);
    match view.data {
        Data::Null => hash_u64(NULL_HASH, seed),
        Data::Boolean(bits) => hash_u64(u64::from(bits.get(index)), seed),
        Data::Int8(values) => hash_u64(values[index] as u64, seed),
        Data::Int16(values) => hash_u64(values[index] as u64, seed),
        Data::Int32(values) => hash_u64(values[index] as u64, seed),
        // A decimal has one hash, whatever the width of its type.
        Data::Int64(values) if view.data_type.is_narrow_decimal() => {
            hash_u128(i128::from(values[index]) as u128, seed)
        }
        Data::Int64(values) => hash_u64(values[index] as u64, seed),
        Data::UInt8(values) => hash_u64(u64::from(values[index]), seed),
        Data::UInt16(values) => hash_u64(u64::from(values[index]), seed),
        Data::UInt32(values) => hash_u64(u64::from(values[index]), seed),
        Data::UInt64(values) => hash_u64(values[index], seed),
        Data::Float16(values) => hash_f64(values[index].to_f64(), seed),
        Data::Float32(values) => hash_f64(f64::from(values[index]), seed),
        Data::Float64(values) => hash_f64(values[index], seed),
        Data::Int128(values) => hash_u128(values[index] as u128, seed),
        Data::Interval(values) => hash_u128(interval_key(values[index]) as u128, seed),
        Data::Bytes(bytes) => hash_bytes(bytes.get(index), seed),
        Data::List(_) | Data::FixedList { .. } => {
            let list = view.list();
            let range = list.range(row);
            let start = hash_u64(range.len() as u64, seed);
            range.fold(start, |state, element| hash(list.child(), element, state))
        }
        Data::Struct(fields) => {
            (0..fields.len()).fold(seed, |state, field| hash(&view.field(field), row, state))
        }
    }
}

/// Total order of floats: NaN greatest and equal to itself, zeros equal.
pub fn compare_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// Length of an interval in nanoseconds, with months of 30 days and days of 24 hours: 1 month equals 30 days.
fn interval_key(value: IntervalMonthDayNano) -> i128 {
    const DAY: i128 = 86_400_000_000_000;
    (i128::from(value.months) * 30 + i128::from(value.days)) * DAY + i128::from(value.nanoseconds)
}

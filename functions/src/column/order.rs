//! Order, equality and hash of single values of any type, as SQL compares them: nulls last and equal
//! to each other, NaN greatest and equal to itself, -0 equal to 0, lists and structs element by element.

use std::cmp::Ordering;

use arrow::datatypes::IntervalMonthDayNano;

use super::view::{Data, View};

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
        return mix(seed, 0x9e37_79b9_7f4a_7c15);
    }
    let index = view.value_index(row);
    match view.data {
        Data::Null => mix(seed, 0x9e37_79b9_7f4a_7c15),
        Data::Boolean(bits) => mix(seed, u64::from(bits.get(index))),
        Data::Int8(values) => mix(seed, values[index] as u64),
        Data::Int16(values) => mix(seed, values[index] as u64),
        Data::Int32(values) => mix(seed, values[index] as u64),
        Data::Int64(values) => mix(seed, values[index] as u64),
        Data::UInt8(values) => mix(seed, u64::from(values[index])),
        Data::UInt16(values) => mix(seed, u64::from(values[index])),
        Data::UInt32(values) => mix(seed, u64::from(values[index])),
        Data::UInt64(values) => mix(seed, values[index]),
        Data::Float16(values) => mix(seed, float_key(values[index].to_f64())),
        Data::Float32(values) => mix(seed, float_key(f64::from(values[index]))),
        Data::Float64(values) => mix(seed, float_key(values[index])),
        Data::Int128(values) => mix(mix(seed, values[index] as u64), (values[index] >> 64) as u64),
        Data::Interval(values) => {
            let key = interval_key(values[index]);
            mix(mix(seed, key as u64), (key >> 64) as u64)
        }
        Data::Bytes(bytes) => hash_bytes(bytes.get(index), seed),
        Data::List(_) | Data::FixedList { .. } => {
            let list = view.list();
            let range = list.range(row);
            let start = mix(seed, range.len() as u64);
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

/// One bit pattern for all floats that compare equal.
fn float_key(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    }
}

/// Length of an interval in nanoseconds, with months of 30 days and days of 24 hours: 1 month equals 30 days.
fn interval_key(value: IntervalMonthDayNano) -> i128 {
    const DAY: i128 = 86_400_000_000_000;
    (i128::from(value.months) * 30 + i128::from(value.days)) * DAY + i128::from(value.nanoseconds)
}

fn mix(seed: u64, value: u64) -> u64 {
    let product = u128::from(seed ^ value ^ 0xa076_1d64_78bd_642f)
        * u128::from(value.rotate_left(32) ^ 0xe703_7ed1_a0b4_28db);
    let folded = (product >> 64) as u64 ^ product as u64;
    folded.wrapping_add(seed.rotate_left(17)).wrapping_mul(0x9fb2_1c65_1e98_df25)
}

fn hash_bytes(bytes: &[u8], seed: u64) -> u64 {
    let mut state = mix(seed, bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = mix(state, u64::from_le_bytes(word));
    }
    let mut word = [0; 8];
    word[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(state, u64::from_le_bytes(word))
}

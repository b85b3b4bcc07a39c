//! Sort keys as bytes whose order is the order of the rows: one comparison for any number and type of keys.
//!
//! Each key is a null byte and then its value: integers big-endian with the sign turned, floats with NaN
//! as one greatest value and zeros equal, text and binary in chunks that end unambiguously, nested values
//! element by element. Descending keys have their value bytes inverted. The ordinal of the row follows,
//! so no two rows are equal and every order is the order of the input where keys tie.

use hypostyle_functions::column::{Data, View};
use hypostyle_functions::types::Type;

use crate::plan::SortKey;

/// Direction and type of one key.
#[derive(Debug, Clone)]
pub struct KeyOrder {
    /// Type of the key.
    pub data_type: Type,
    /// Greatest first.
    pub descending: bool,
    /// Nulls before everything else.
    pub nulls_first: bool,
}

impl KeyOrder {
    /// The order that a plan's key asks for.
    pub fn of(key: &SortKey) -> Self {
        Self {
            data_type: key.expression.data_type(),
            descending: key.descending,
            nulls_first: key.nulls_first,
        }
    }
}

/// Encoded keys of rows, in the order they were added.
#[derive(Debug, Clone, Default)]
pub struct SortKeys {
    orders: Vec<KeyOrder>,
    bytes: Vec<u8>,
    /// End of each row's key.
    ends: Vec<usize>,
}

impl SortKeys {
    /// No rows yet.
    pub fn new(orders: &[KeyOrder]) -> Self {
        Self { orders: orders.to_vec(), bytes: Vec::new(), ends: Vec::new() }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    /// Adds the first `rows` rows; `ordinal_of` gives the place of each.
    pub fn extend(&mut self, keys: &[View<'_>], rows: usize, ordinal_of: impl Fn(usize) -> u64) {
        self.extend_rows(keys, 0..rows, ordinal_of);
    }

    /// Adds some rows; `ordinal_of` gives the place of each.
    pub fn extend_rows(
        &mut self,
        keys: &[View<'_>],
        rows: impl ExactSizeIterator<Item = usize>,
        ordinal_of: impl Fn(usize) -> u64,
    ) {
        self.ends.reserve(rows.len());
        for row in rows {
            for (key, order) in keys.iter().zip(&self.orders) {
                encode_key(key, row, order, &mut self.bytes);
            }
            self.bytes.extend_from_slice(&ordinal_of(row).to_be_bytes());
            self.ends.push(self.bytes.len());
        }
    }

    /// Adds one row that is encoded already.
    pub fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    /// The key of a row.
    #[inline]
    pub fn get(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }

    /// The rows in order.
    pub fn sorted(&self) -> Vec<u32> {
        let mut entries = self.entries();
        entries.sort_unstable_by(|left, right| self.compare(*left, *right));
        entries.into_iter().map(|(_, row)| row).collect()
    }

    /// The first `count` rows in order.
    pub fn first_sorted(&self, count: usize) -> Vec<u32> {
        let mut entries = self.entries();
        if count < entries.len() && count > 0 {
            entries.select_nth_unstable_by(count - 1, |left, right| self.compare(*left, *right));
        }
        entries.truncate(count);
        entries.sort_unstable_by(|left, right| self.compare(*left, *right));
        entries.into_iter().map(|(_, row)| row).collect()
    }

    /// Eight bytes of each key as a number, which decides most comparisons, and the row: those behind the bytes that all keys begin
    /// with, such as the upper bytes of small numbers.
    fn entries(&self) -> Vec<(u64, u32)> {
        let shared = self.shared_bytes();
        (0..self.len()).map(|row| (prefix(&self.get(row)[shared..]), row as u32)).collect()
    }

    /// How many bytes all keys begin with.
    fn shared_bytes(&self) -> usize {
        let Some(first) = (!self.ends.is_empty()).then(|| self.get(0)) else { return 0 };
        (1..self.len()).fold(first.len(), |shared, row| {
            first[..shared].iter().zip(self.get(row)).take_while(|(left, right)| left == right).count()
        })
    }

    #[inline]
    fn compare(&self, left: (u64, u32), right: (u64, u32)) -> std::cmp::Ordering {
        left.0.cmp(&right.0).then_with(|| self.get(left.1 as usize).cmp(self.get(right.1 as usize)))
    }
}

/// The first eight bytes as a number of the same order, or of two equal numbers where zeros stand behind the end of one.
#[inline]
fn prefix(key: &[u8]) -> u64 {
    match key.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            key.iter().chain([0; 8].iter()).take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
        }
    }
}

fn encode_key(key: &View<'_>, row: usize, order: &KeyOrder, bytes: &mut Vec<u8>) {
    if key.is_null(row) {
        bytes.push(if order.nulls_first { 0 } else { 2 });
        return;
    }
    bytes.push(1);
    let start = bytes.len();
    encode_value(key, row, bytes);
    if order.descending {
        bytes[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// A value that is not null, ascending.
fn encode_value(view: &View<'_>, row: usize, bytes: &mut Vec<u8>) {
    let index = view.value_index(row);
    match view.data {
        Data::Null => {}
        Data::Boolean(bits) => bytes.push(u8::from(bits.get(index))),
        Data::Int8(values) => bytes.push(values[index] as u8 ^ 0x80),
        Data::Int16(values) => bytes.extend_from_slice(&(values[index] as u16 ^ 0x8000).to_be_bytes()),
        Data::Int32(values) => bytes.extend_from_slice(&(values[index] as u32 ^ 0x8000_0000).to_be_bytes()),
        Data::Int64(values) => bytes.extend_from_slice(&(values[index] as u64 ^ 1 << 63).to_be_bytes()),
        Data::UInt8(values) => bytes.push(values[index]),
        Data::UInt16(values) => bytes.extend_from_slice(&values[index].to_be_bytes()),
        Data::UInt32(values) => bytes.extend_from_slice(&values[index].to_be_bytes()),
        Data::UInt64(values) => bytes.extend_from_slice(&values[index].to_be_bytes()),
        Data::Float16(values) => {
            bytes.extend_from_slice(&ordered_float(values[index].to_f64()).to_be_bytes())
        }
        Data::Float32(values) => {
            bytes.extend_from_slice(&ordered_float(f64::from(values[index])).to_be_bytes())
        }
        Data::Float64(values) => bytes.extend_from_slice(&ordered_float(values[index]).to_be_bytes()),
        Data::Int128(values) => bytes.extend_from_slice(&(values[index] as u128 ^ 1 << 127).to_be_bytes()),
        Data::Interval(values) => {
            // As intervals compare: months of 30 days, days of 24 hours.
            const DAY: i128 = 86_400_000_000_000;
            let value = values[index];
            let days = i128::from(value.months) * 30 + i128::from(value.days);
            let length = days * DAY + i128::from(value.nanoseconds);
            bytes.extend_from_slice(&(length as u128 ^ 1 << 127).to_be_bytes());
        }
        Data::Bytes(data) => encode_bytes(data.get(index), bytes),
        Data::List(_) | Data::FixedList { .. } => {
            let list = view.list();
            for element in list.range(row) {
                encode_element(list.child(), element, bytes);
            }
            bytes.push(0);
        }
        Data::Struct(fields) => {
            for field in 0..fields.len() {
                encode_element(&view.field(field), row, bytes);
            }
        }
    }
}

/// An element of a list or struct: nulls greatest, as values of such types compare.
fn encode_element(view: &View<'_>, row: usize, bytes: &mut Vec<u8>) {
    if view.is_null(row) {
        bytes.push(2);
    } else {
        bytes.push(1);
        encode_value(view, row, bytes);
    }
}

/// Zero bytes are escaped, so that the two zeros at the end sort before every continuation.
fn encode_bytes(value: &[u8], bytes: &mut Vec<u8>) {
    if !value.contains(&0) {
        bytes.extend_from_slice(value);
    } else {
        for &byte in value {
            bytes.push(byte);
            if byte == 0 {
                bytes.push(0xff);
            }
        }
    }
    bytes.extend_from_slice(&[0, 0]);
}

/// A number that orders as the float does: NaN greatest and equal to itself, zeros equal.
fn ordered_float(value: f64) -> u64 {
    let value = if value.is_nan() {
        f64::NAN.abs()
    } else if value == 0.0 {
        0.0
    } else {
        value
    };
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

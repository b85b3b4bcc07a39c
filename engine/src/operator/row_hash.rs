//! Hashes of row keys, a batch at a time. Equal keys have equal hashes whatever their encoding, on every
//! machine, so partitions and spill files agree.

use hypostyle_functions::column::{self, BytesData, Data, Encoding, View};
use hypostyle_functions::kernel::hash::row::{
    NULL_WORD, combine_words, hash_bytes, hash_u64, hash_u128, key_bits,
};

/// Bytes of a value that lies inside its view.
const INLINE_BYTES: u32 = 12;

/// The hash of each row over `columns`, in `hashes`; `seed` gives unrelated hashes for another round.
pub(crate) fn hash_rows(columns: &[View<'_>], rows: usize, seed: u64, hashes: &mut Vec<u64>) {
    hashes.clear();
    hashes.resize(rows, seed);
    for column in columns {
        combine(column, hashes);
    }
}

/// Takes one more column into the hash of every row.
fn combine(column: &View<'_>, hashes: &mut [u64]) {
    match column.data {
        Data::Boolean(bits) => words(column, hashes, |index| u64::from(bits.get(index))),
        Data::Int8(values) => words(column, hashes, |index| values[index] as u64),
        Data::Int16(values) => words(column, hashes, |index| values[index] as u64),
        Data::Int32(values) => words(column, hashes, |index| values[index] as u64),
        Data::Int64(values) => words(column, hashes, |index| values[index] as u64),
        Data::UInt8(values) => words(column, hashes, |index| u64::from(values[index])),
        Data::UInt16(values) => words(column, hashes, |index| u64::from(values[index])),
        Data::UInt32(values) => words(column, hashes, |index| u64::from(values[index])),
        Data::UInt64(values) if column.is_flat() && !column.may_be_null() => {
            combine_words(&values[..hashes.len()], hashes);
        }
        Data::UInt64(values) => words(column, hashes, |index| values[index]),
        Data::Float16(values) => words(column, hashes, |index| key_bits(values[index].to_f64())),
        Data::Float32(values) => words(column, hashes, |index| key_bits(f64::from(values[index]))),
        Data::Float64(values) => words(column, hashes, |index| key_bits(values[index])),
        Data::Int128(values) => each(column, hashes, |index, seed| hash_u128(values[index] as u128, seed)),
        Data::Bytes(data) => bytes(column, data, hashes),
        Data::Null | Data::Interval(_) | Data::List(_) | Data::FixedList { .. } | Data::Struct(_) => {
            for (row, hash) in hashes.iter_mut().enumerate() {
                *hash = hash_u64(column::hash(column, row, *hash), *hash);
            }
        }
    }
}

/// A column whose values are words.
#[inline(always)]
fn words(column: &View<'_>, hashes: &mut [u64], word: impl Fn(usize) -> u64) {
    if column.is_flat() && !column.may_be_null() {
        for (row, hash) in hashes.iter_mut().enumerate() {
            *hash = hash_u64(word(row), *hash);
        }
        return;
    }
    each(column, hashes, |index, seed| hash_u64(word(index), seed));
}

#[inline(always)]
fn each(column: &View<'_>, hashes: &mut [u64], value: impl Fn(usize, u64) -> u64) {
    for (row, hash) in hashes.iter_mut().enumerate() {
        *hash = if column.is_valid(row) {
            value(column.value_index(row), *hash)
        } else {
            hash_u64(NULL_WORD, *hash)
        };
    }
}

/// Text and binary. The first column of a key has one seed for all rows, so a dictionary is hashed once per value.
fn bytes(column: &View<'_>, data: BytesData<'_>, hashes: &mut [u64]) {
    let seed = hashes.first().copied().unwrap_or_default();
    let shared = matches!(column.encoding, Encoding::Dictionary { .. } | Encoding::Constant);
    if shared && data.views.len() < hashes.len() && hashes.iter().all(|&hash| hash == seed) {
        let of_values: Vec<u64> = (0..data.views.len()).map(|index| hash_text(&data, index, seed)).collect();
        return each(column, hashes, |index, _| of_values[index]);
    }
    each(column, hashes, |index, seed| hash_text(&data, index, seed));
}

/// A value that lies inside its view is hashed as the view: its length and bytes in one word of fixed width.
#[inline(always)]
fn hash_text(data: &BytesData<'_>, index: usize, seed: u64) -> u64 {
    let view = data.views[index];
    if view as u32 <= INLINE_BYTES { hash_u128(view, seed) } else { hash_bytes(data.get(index), seed) }
}

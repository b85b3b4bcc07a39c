//! Values as machine words of the same order: what searches and sorts compare.

use hypostyle_functions::column::{Data, View};
use hypostyle_functions::kernel::hash::row::key_bits;

/// Writes the word of each row; false if values of this form have none. Rows that are null get an unspecified word.
/// `inverted` words have the opposite order.
pub(crate) fn words(view: &View<'_>, rows: usize, inverted: bool, into: &mut Vec<u64>) -> bool {
    into.clear();
    into.reserve(rows);
    let flip = if inverted { u64::MAX } else { 0 };
    match view.data {
        Data::Boolean(bits) => each(view, rows, into, |index| u64::from(bits.get(index)) ^ flip),
        Data::Int8(values) => each(view, rows, into, |index| signed(i64::from(values[index])) ^ flip),
        Data::Int16(values) => each(view, rows, into, |index| signed(i64::from(values[index])) ^ flip),
        Data::Int32(values) => each(view, rows, into, |index| signed(i64::from(values[index])) ^ flip),
        Data::Int64(values) => each(view, rows, into, |index| signed(values[index]) ^ flip),
        Data::UInt8(values) => each(view, rows, into, |index| u64::from(values[index]) ^ flip),
        Data::UInt16(values) => each(view, rows, into, |index| u64::from(values[index]) ^ flip),
        Data::UInt32(values) => each(view, rows, into, |index| u64::from(values[index]) ^ flip),
        Data::UInt64(values) => each(view, rows, into, |index| values[index] ^ flip),
        Data::Float16(values) => each(view, rows, into, |index| float(values[index].to_f64()) ^ flip),
        Data::Float32(values) => each(view, rows, into, |index| float(f64::from(values[index])) ^ flip),
        Data::Float64(values) => each(view, rows, into, |index| float(values[index]) ^ flip),
        // Only decimals of up to 18 digits are asked for here, and those fit.
        Data::Int128(values) => each(view, rows, into, |index| signed(values[index] as i64) ^ flip),
        // A column of nulls alone has no value that a word could stand for.
        Data::Null => into.resize(rows, 0),
        _ => return false,
    }
    true
}

#[inline(always)]
fn each(view: &View<'_>, rows: usize, into: &mut Vec<u64>, word: impl Fn(usize) -> u64) {
    if view.is_flat() && !view.may_be_null() {
        into.extend((0..rows).map(word));
        return;
    }
    into.extend((0..rows).map(|row| if view.is_valid(row) { word(view.value_index(row)) } else { 0 }));
}

/// Negative numbers before the others.
#[inline(always)]
fn signed(value: i64) -> u64 {
    value as u64 ^ 1 << 63
}

/// NaN greatest and equal to itself, zeros equal.
#[inline(always)]
fn float(value: f64) -> u64 {
    let bits = key_bits(value);
    if bits >> 63 == 1 && !value.is_nan() { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_floats_order_as_the_floats_do() {
        let ordered = [f64::NEG_INFINITY, -2.5, -1e-300, 0.0, 1e-300, 3.0, f64::INFINITY, f64::NAN];
        for pair in ordered.windows(2) {
            assert!(float(pair[0]) < float(pair[1]), "{pair:?}");
        }
        assert_eq!(float(0.0), float(-0.0));
        assert_eq!(float(f64::NAN), float(-f64::NAN));
    }
}

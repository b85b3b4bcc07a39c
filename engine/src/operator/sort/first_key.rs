//! Which rows of a batch a top-n may still want, by their first keys alone: most rows are sorted out by one comparison of numbers.

use half::f16;
use hypostyle_functions::column::{Data, View};

use super::key::KeyOrder;

/// Rows that are passed over at once where none of them is wanted.
const BLOCK: usize = 64;

/// The rows whose first key does not lie behind that of `threshold`, an encoded key, and perhaps some others; `None` where
/// the first key does not tell: it is null in the threshold, nulls come first, or it is not a column of numbers.
pub fn candidates(key: &View<'_>, rows: usize, order: &KeyOrder, threshold: &[u8]) -> Option<Vec<u32>> {
    let (&marker, value) = threshold.split_first()?;
    let may_come_first = order.nulls_first && key.may_be_null();
    if marker != 1 || !key.is_flat() || may_come_first {
        return None;
    }
    let descending = order.descending;
    macro_rules! integers {
        ($values:expr, $unsigned:ty, $decode:expr) => {{
            let bits = <$unsigned>::from_be_bytes(*value.first_chunk()?);
            let last = $decode(if descending { !bits } else { bits });
            Some(if descending {
                rows_without(&$values[..rows], |value| value < last)
            } else {
                rows_without(&$values[..rows], |value| value > last)
            })
        }};
    }
    // NaN is the greatest: nothing lies behind it, and it lies behind nothing that it is compared with here.
    macro_rules! floats {
        ($values:expr, $of:expr) => {{
            let bits = u64::from_be_bytes(*value.first_chunk()?);
            let last = $of(float_of(if descending { !bits } else { bits }));
            Some(if descending {
                rows_without(&$values[..rows], |value| value < last)
            } else {
                rows_without(&$values[..rows], |value| value > last)
            })
        }};
    }
    match key.data {
        Data::Int8(values) => integers!(values, u8, |bits| (bits ^ 1 << 7) as i8),
        Data::Int16(values) => integers!(values, u16, |bits| (bits ^ 1 << 15) as i16),
        Data::Int32(values) => integers!(values, u32, |bits| (bits ^ 1 << 31) as i32),
        Data::Int64(values) => integers!(values, u64, |bits| (bits ^ 1 << 63) as i64),
        Data::UInt8(values) => integers!(values, u8, |bits| bits),
        Data::UInt16(values) => integers!(values, u16, |bits| bits),
        Data::UInt32(values) => integers!(values, u32, |bits| bits),
        Data::UInt64(values) => integers!(values, u64, |bits| bits),
        Data::Float16(values) => floats!(values, f16::from_f64),
        Data::Float32(values) => floats!(values, |last| last as f32),
        Data::Float64(values) => floats!(values, |last| last),
        Data::Int128(values) => integers!(values, u128, |bits| (bits ^ 1 << 127) as i128),
        _ => None,
    }
}

/// The float that orders as a number, the other way around than keys are encoded.
fn float_of(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 { ordered ^ 1 << 63 } else { !ordered })
}

/// The rows whose value is not known to lie behind the last one.
fn rows_without<T: Copy>(values: &[T], is_behind: impl Fn(T) -> bool) -> Vec<u32> {
    let mut rows = Vec::new();
    for (block, values) in values.chunks(BLOCK).enumerate() {
        if !values.iter().fold(true, |all, &value| all & is_behind(value)) {
            let wanted = values.iter().enumerate().filter(|(_, value)| !is_behind(**value));
            rows.extend(wanted.map(|(row, _)| (block * BLOCK + row) as u32));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, Decimal128Array, Float16Array, Float32Array, Float64Array, Int8Array, Int16Array,
        Int32Array, Int64Array, StringViewArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
    };
    use bumpalo::Bump;
    use hypostyle_functions::column::Column;
    use hypostyle_functions::types::Type;

    use super::super::key::SortKeys;
    use super::*;

    /// Numbers of every size and sign, the special floats among them where `of` keeps them, some of them null.
    fn numbers<T>(of: impl Fn(f64) -> T) -> impl Iterator<Item = Option<T>> {
        let special = [0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300];
        let plain = (0..300i32).map(|at| f64::from((at * 7919) % 251 - 125) / 2.0);
        let all: Vec<f64> = plain.chain(special).collect();
        all.into_iter().enumerate().map(move |(at, value)| (at % 9 != 4).then(|| of(value)))
    }

    #[test]
    fn every_row_before_a_threshold_is_a_candidate() {
        let columns: [(Type, ArrayRef); 12] = [
            (Type::Int8, Arc::new(Int8Array::from_iter(numbers(|value| value as i8)))),
            (Type::Int16, Arc::new(Int16Array::from_iter(numbers(|value| value as i16)))),
            (Type::Int32, Arc::new(Int32Array::from_iter(numbers(|value| value as i32)))),
            (Type::Int64, Arc::new(Int64Array::from_iter(numbers(|value| value as i64)))),
            (Type::UInt8, Arc::new(UInt8Array::from_iter(numbers(|value| value as u8)))),
            (Type::UInt16, Arc::new(UInt16Array::from_iter(numbers(|value| value as u16)))),
            (Type::UInt32, Arc::new(UInt32Array::from_iter(numbers(|value| value as u32)))),
            (Type::UInt64, Arc::new(UInt64Array::from_iter(numbers(|value| value as u64)))),
            (Type::Float16, Arc::new(Float16Array::from_iter(numbers(f16::from_f64)))),
            (Type::Float32, Arc::new(Float32Array::from_iter(numbers(|value| value as f32)))),
            (Type::Float64, Arc::new(Float64Array::from_iter(numbers(|value| value)))),
            (
                Type::Decimal(38, 0),
                Arc::new(
                    Decimal128Array::from_iter(numbers(|value| value as i128))
                        .with_data_type(arrow::datatypes::DataType::Decimal128(38, 0)),
                ),
            ),
        ];
        let (mut told, mut passed_over) = (0, 0);
        for (data_type, array) in columns {
            let (rows, column) = (array.len(), Column::Flat(array));
            let bump = Bump::new();
            let view = column.view(&data_type, &bump);
            for (descending, nulls_first) in [(false, false), (false, true), (true, false), (true, true)] {
                let order = KeyOrder { data_type: data_type.clone(), descending, nulls_first };
                let mut keys = SortKeys::new(std::slice::from_ref(&order));
                keys.extend(&[view], rows, |row| row as u64);
                for threshold in 0..rows {
                    let Some(found) = candidates(&view, rows, &order, keys.get(threshold)) else {
                        assert!(nulls_first || view.is_null(threshold), "{data_type}");
                        continue;
                    };
                    assert!(found.is_sorted());
                    (told, passed_over) = (told + 1, passed_over + rows - found.len());
                    for row in 0..rows {
                        let is_before = keys.get(row) < keys.get(threshold);
                        assert!(
                            !is_before || found.contains(&(row as u32)),
                            "{data_type}: {row}, {threshold}"
                        );
                    }
                }
            }
        }
        // On average, a third of the rows at least.
        assert!(passed_over > told * 100, "{passed_over} of {told}");
    }

    #[test]
    fn texts_do_not_tell() {
        let texts = Column::Flat(Arc::new(StringViewArray::from_iter_values(["a", "b"])));
        let bump = Bump::new();
        let order = KeyOrder { data_type: Type::Text, descending: false, nulls_first: false };
        assert_eq!(candidates(&texts.view(&Type::Text, &bump), 2, &order, &[1, b'a', 0, 0]), None);
        assert_eq!(candidates(&texts.view(&Type::Text, &bump), 2, &order, &[]), None);
    }
}

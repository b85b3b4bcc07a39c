//! Sees an Arrow array in the engine's layout as a [`View`], without copying.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::*;
use bumpalo::Bump;

use super::bits::Bits;
use super::view::{BytesData, Data, Encoding, ListData, View};
use crate::types::Type;

/// Type of the structs inside a map's view; its fields carry the real types of key and value.
static MAP_ENTRY: Type = Type::Struct(Vec::new());

/// `array` as a flat view of `data_type`. Views of nested children are made in `bump`.
///
/// # Panics
/// If the array is neither of [`Type::to_arrow`] nor, for lists, a list view of the same elements; columns are normalised at the border by [`super::import`].
pub fn borrow<'a>(array: &'a ArrayRef, data_type: &'a Type, bump: &'a Bump) -> View<'a> {
    let data = match data_type {
        Type::Null => Data::Null,
        Type::Boolean => Data::Boolean(Bits::of_buffer(array.as_boolean().values())),
        Type::Int8 => Data::Int8(array.as_primitive::<Int8Type>().values()),
        Type::Int16 => Data::Int16(array.as_primitive::<Int16Type>().values()),
        Type::Int32 => Data::Int32(array.as_primitive::<Int32Type>().values()),
        Type::Date => Data::Int32(array.as_primitive::<Date32Type>().values()),
        Type::Int64 => Data::Int64(array.as_primitive::<Int64Type>().values()),
        Type::Time => Data::Int64(array.as_primitive::<Time64MicrosecondType>().values()),
        Type::Timestamp(unit) => Data::Int64(timestamps(array, *unit)),
        Type::TimestampTz => Data::Int64(array.as_primitive::<TimestampMicrosecondType>().values()),
        Type::UInt8 => Data::UInt8(array.as_primitive::<UInt8Type>().values()),
        Type::UInt16 => Data::UInt16(array.as_primitive::<UInt16Type>().values()),
        Type::UInt32 => Data::UInt32(array.as_primitive::<UInt32Type>().values()),
        Type::UInt64 => Data::UInt64(array.as_primitive::<UInt64Type>().values()),
        Type::Float16 => Data::Float16(array.as_primitive::<Float16Type>().values()),
        Type::Float32 => Data::Float32(array.as_primitive::<Float32Type>().values()),
        Type::Float64 => Data::Float64(array.as_primitive::<Float64Type>().values()),
        Type::Decimal(..) if data_type.is_narrow_decimal() => {
            Data::Int64(array.as_primitive::<Decimal64Type>().values())
        }
        Type::Decimal(..) => Data::Int128(array.as_primitive::<Decimal128Type>().values()),
        Type::Interval => Data::Interval(array.as_primitive::<IntervalMonthDayNanoType>().values()),
        Type::Text => {
            let text = array.as_string_view();
            Data::Bytes(BytesData { views: text.views(), own: None, buffers: text.data_buffers() })
        }
        Type::Binary => {
            let binary = array.as_binary_view();
            Data::Bytes(BytesData { views: binary.views(), own: None, buffers: binary.data_buffers() })
        }
        Type::List(element) => {
            let (values, offsets, sizes) = match array.as_list_view_opt::<i32>() {
                Some(list) => (list.values(), list.value_offsets(), Some(list.value_sizes())),
                None => {
                    let list = array.as_list::<i32>();
                    (list.values(), list.value_offsets(), None)
                }
            };
            let child = bump.alloc(borrow(values, element, bump));
            Data::List(ListData { offsets, sizes, child, elements: Some(values) })
        }
        Type::Map(key, value) => {
            let map = array.as_map();
            let fields = bump.alloc([borrow(map.keys(), key, bump), borrow(map.values(), value, bump)]);
            let entries = View {
                data_type: &MAP_ENTRY,
                length: map.keys().len(),
                encoding: Encoding::Flat,
                validity: None,
                data: Data::Struct(fields),
            };
            let child = bump.alloc(entries);
            Data::List(ListData { offsets: map.value_offsets(), sizes: None, child, elements: None })
        }
        Type::FixedList(element, size) => {
            let list = array.as_fixed_size_list();
            Data::FixedList { size: *size, child: bump.alloc(borrow(list.values(), element, bump)) }
        }
        Type::Struct(fields) => {
            let columns = array.as_struct().columns();
            let views =
                columns.iter().zip(fields).map(|(column, field)| borrow(column, &field.data_type, bump));
            Data::Struct(bump.alloc_slice_fill_iter(views))
        }
    };
    // A bitmap without a null is none: the loops for columns without nulls are much faster.
    let validity = array.nulls().filter(|nulls| nulls.null_count() > 0).map(Bits::of_nulls);
    View { data_type, length: array.len(), encoding: Encoding::Flat, validity, data }
}

fn timestamps(array: &ArrayRef, unit: crate::types::TimeUnit) -> &[i64] {
    use crate::types::TimeUnit as Unit;
    match unit {
        Unit::Second => array.as_primitive::<TimestampSecondType>().values(),
        Unit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
        Unit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
        Unit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
    }
}

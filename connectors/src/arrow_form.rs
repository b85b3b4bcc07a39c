//! The one Arrow form of each logical type, and arrays of other forms brought to it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;

/// The Arrow type in which the engine holds values of an Arrow type: no encodings, text and bytes as views,
/// lists with 32-bit offsets, every nested field nullable.
///
/// A type without such a form is given back as it is; the engine refuses it by name.
pub fn logical_form(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::BinaryView,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        // Numbers of more than 38 digits are read as the reference dialect reads them.
        DataType::Decimal256(..) => DataType::Float64,
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
        DataType::Timestamp(TimeUnit::Nanosecond, None) => data_type.clone(),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Interval(_) | DataType::Duration(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => DataType::List(item(element)),
        DataType::FixedSizeList(element, size) => DataType::FixedSizeList(item(element), *size),
        DataType::Struct(fields) => DataType::Struct(
            fields.iter().map(|field| Field::new(field.name(), logical_form(field.data_type()), true)).collect(),
        ),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => map_of(fields[0].data_type(), fields[1].data_type()),
            _ => data_type.clone(),
        },
        DataType::Dictionary(_, values) => logical_form(values),
        DataType::RunEndEncoded(_, values) => logical_form(values.data_type()),
        other => other.clone(),
    }
}

fn item(element: &FieldRef) -> FieldRef {
    Arc::new(Field::new("item", logical_form(element.data_type()), true))
}

fn map_of(key: &DataType, value: &DataType) -> DataType {
    let entry = DataType::Struct(
        vec![Field::new("key", logical_form(key), false), Field::new("value", logical_form(value), true)].into(),
    );
    DataType::Map(Arc::new(Field::new("entries", entry, false)), false)
}

/// An array of any form as one of the form `wanted`; the same array if it is that already.
///
/// # Errors
/// A value that does not fit, such as a timestamp that leaves 64 bits of microseconds.
pub fn to_form(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    match array.data_type() {
        DataType::ListView(element) => to_form(&plain(array, DataType::List(Arc::clone(element)))?, wanted),
        DataType::LargeListView(element) => to_form(&plain(array, DataType::LargeList(Arc::clone(element)))?, wanted),
        _ => plain(array, wanted.clone()),
    }
}

fn plain(array: &ArrayRef, wanted: DataType) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: false, format_options: FormatOptions::new() };
    cast_with_options(array, &wanted, &options)
}

//! The one Arrow form of each logical type, and arrays of other forms brought to it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, FixedSizeListArray, ListArray, MapArray, PrimitiveArray,
    StructArray, new_null_array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Decimal64Type, Decimal128Type, FieldRef, Int32Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;
use hypostyle_functions::Type;
use hypostyle_functions::column::{Column, import};

use crate::error::{Error, Place, Result};

/// The logical type of a column of a file; errors name the column.
///
/// Three types differ from the engine's own reading of Arrow, as the reference dialect does: timestamps in
/// seconds and milliseconds are read as microseconds, and decimals of more than 38 digits as doubles.
///
/// # Errors
/// A type that the engine does not hold.
pub fn logical_type(data_type: &DataType, place: impl Fn() -> Place) -> Result<Type> {
    Type::from_arrow(&read_form(data_type)).map_err(|error| match error {
        hypostyle_functions::Error::Unsupported { what, right } => {
            Error::Unsupported { place: Box::new(place()), what: format!("type {what}"), right }
        }
        other => Error::corrupt(place(), other.to_string()),
    })
}

fn read_form(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Decimal256(..) => DataType::Float64,
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, None) => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        other => with_children(other, &|field| {
            Arc::new(field.as_ref().clone().with_data_type(read_form(field.data_type())))
        }),
    }
}

/// The same type with every child field replaced.
pub fn with_children(data_type: &DataType, replace: &dyn Fn(&FieldRef) -> FieldRef) -> DataType {
    match data_type {
        DataType::List(element) => DataType::List(replace(element)),
        DataType::LargeList(element) => DataType::LargeList(replace(element)),
        DataType::ListView(element) => DataType::ListView(replace(element)),
        DataType::LargeListView(element) => DataType::LargeListView(replace(element)),
        DataType::FixedSizeList(element, size) => DataType::FixedSizeList(replace(element), *size),
        DataType::Map(entries, sorted) => DataType::Map(replace(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(replace).collect()),
        other => other.clone(),
    }
}

/// An array of a file as a column of `data_type`, which is its [`logical_type`].
///
/// # Errors
/// A value that does not fit, such as a timestamp that leaves 64 bits of microseconds.
pub fn to_column(array: &ArrayRef, data_type: &Type) -> Result<Column, ArrowError> {
    match array.data_type() {
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => {
            import(array, data_type).map_err(|error| ArrowError::CastError(error.to_string()))
        }
        _ => to_array(array, data_type).map(Column::Flat),
    }
}

/// An array of a file as one flat array of `data_type`.
///
/// # Errors
/// As [`to_column`].
pub fn to_array(array: &ArrayRef, data_type: &Type) -> Result<ArrayRef, ArrowError> {
    let wanted = data_type.to_arrow();
    if array.data_type() == &wanted {
        return Ok(Arc::clone(array));
    }
    match array.data_type() {
        other if other.is_nested() || *other == DataType::Date64 => {
            let column =
                import(array, data_type).map_err(|error| ArrowError::CastError(error.to_string()))?;
            column.to_array().map_err(|error| ArrowError::CastError(error.to_string()))
        }
        DataType::FixedSizeBinary(_) => {
            let bytes: BinaryArray = array.as_fixed_size_binary().iter().collect();
            cast_strictly(&bytes, &wanted)
        }
        DataType::Decimal128(..) => {
            let column = import(array, data_type);
            column
                .and_then(|column| column.to_array())
                .map_err(|error| ArrowError::CastError(error.to_string()))
        }
        _ => cast_strictly(array, &wanted),
    }
}

/// Digits that are known to fit this precision, in the engine's layout.
pub(crate) fn decimals(digits: PrimitiveArray<Decimal128Type>, precision: u8, scale: i8) -> ArrayRef {
    let data_type = Type::Decimal(precision, scale);
    let layout = data_type.to_arrow();
    if data_type.is_narrow_decimal() {
        let narrow = digits.unary::<_, Decimal64Type>(|digits| digits as i64);
        return Arc::new(narrow.with_data_type(layout));
    }
    Arc::new(digits.with_data_type(layout))
}

/// Casts as [`cast_strictly`], but fields of structs are found by their names: a missing one is null, and others are
/// left out.
pub(crate) fn cast_by_name(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    match (array.data_type(), wanted) {
        (own, wanted) if own == wanted => Ok(Arc::clone(array)),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let structs = array.as_struct();
            let columns = fields.iter().map(|field| match structs.column_by_name(field.name()) {
                Some(column) => cast_by_name(column, field.data_type()),
                None => Ok(new_null_array(field.data_type(), array.len())),
            });
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let nulls = structs.nulls().cloned();
            let made = StructArray::try_new_with_length(fields.clone(), columns, nulls, array.len())?;
            Ok(Arc::new(made))
        }
        (DataType::List(_), DataType::List(field)) => {
            let lists = array.as_list::<i32>();
            let values = cast_by_name(lists.values(), field.data_type())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, nulls)?))
        }
        (DataType::FixedSizeList(_, own), DataType::FixedSizeList(field, size)) if own == size => {
            let lists = array.as_fixed_size_list();
            let values = cast_by_name(lists.values(), field.data_type())?;
            let nulls = lists.nulls().cloned();
            Ok(Arc::new(FixedSizeListArray::try_new(Arc::clone(field), *size, values, nulls)?))
        }
        (DataType::Map(..), DataType::Map(field, is_sorted)) => {
            let maps = array.as_map();
            let entries: ArrayRef = Arc::new(maps.entries().clone());
            // Keys and values are told by their places, whatever their names.
            let DataType::Struct(fields) = field.data_type() else {
                return Err(ArrowError::CastError("a map without entries".into()));
            };
            let entries = entries.as_struct().columns().iter().zip(fields);
            let entries = entries.map(|(column, field)| cast_by_name(column, field.data_type()));
            let entries = StructArray::try_new(fields.clone(), entries.collect::<Result<_, _>>()?, None)?;
            let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *is_sorted)?))
        }
        _ => cast_strictly(array, wanted),
    }
}

/// Casts, and fails at the first value that does not fit.
pub(crate) fn cast_strictly(array: &dyn Array, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(array, wanted, &CastOptions { safe: false, format_options: FormatOptions::new() })
}

/// A dictionary of 32-bit keys, known to be inside the values, as a column over other `values`.
pub(crate) fn dictionary_column(
    dictionary: &arrow::array::DictionaryArray<Int32Type>,
    values: &ArrayRef,
    data_type: &Type,
) -> Column {
    let keys = dictionary.keys();
    if values.is_empty() {
        return Column::nulls(data_type, keys.len());
    }
    let indices = match keys.nulls().filter(|nulls| nulls.null_count() > 0) {
        // The keys under nulls are whatever the decoder left there.
        Some(nulls) => keys
            .values()
            .iter()
            .zip(nulls)
            .map(|(&key, valid)| if valid { key as u32 } else { 0 })
            .collect::<Vec<u32>>()
            .into(),
        None => ScalarBuffer::<u32>::new(keys.values().inner().clone(), 0, keys.len()),
    };
    Column::Dictionary { indices, validity: keys.nulls().cloned(), values: Arc::clone(values) }
}

/// The Arrow type to write to files for others: text and bytes with offsets, which every reader knows.
pub fn exchange_form(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => exchange_form(values),
        other => with_children(other, &|field| {
            Arc::new(field.as_ref().clone().with_data_type(exchange_form(field.data_type())))
        }),
    }
}

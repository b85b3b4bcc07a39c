//! Brings any Arrow array into the engine's layout at a border.

use std::sync::Arc;

use arrow::array::{AnyDictionaryArray, Array, ArrayRef, AsArray, RunArray, UInt32Array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::*;
use arrow::util::display::FormatOptions;

use super::encoded::Column;
use crate::error::{Error, Result};
use crate::types::Type;

/// `array` as a column of `data_type`, which is the logical type of the array's Arrow type.
/// Dictionary and run-end arrays stay encoded; values are not copied unless their layout differs.
///
/// # Errors
/// A type that the engine does not hold, or values that do not fit it.
pub fn import(array: &ArrayRef, data_type: &Type) -> Result<Column> {
    match array.data_type() {
        DataType::Dictionary(..) => import_dictionary(array.as_any_dictionary(), data_type),
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => import_runs::<Int16Type>(array, data_type),
            DataType::Int32 => import_runs::<Int32Type>(array, data_type),
            _ => import_runs::<Int64Type>(array, data_type),
        },
        _ => Ok(Column::Flat(normalise(array, data_type)?)),
    }
}

/// Arrow's cast, which fails at the first value that does not fit instead of losing it.
fn cast(array: &dyn Array, target: &DataType) -> Result<ArrayRef, arrow::error::ArrowError> {
    cast_with_options(array, target, &CastOptions { safe: false, format_options: FormatOptions::new() })
}

fn normalise(array: &ArrayRef, data_type: &Type) -> Result<ArrayRef> {
    let target = data_type.to_arrow();
    if array.data_type() == &target {
        return Ok(Arc::clone(array));
    }
    let refused = |error: arrow::error::ArrowError| Error::Unsupported {
        what: format!("Arrow {}", array.data_type()),
        right: format!("it does not convert to {data_type}: {error}"),
    };
    match (array.data_type(), &target) {
        // Arrow's cast refuses or misreads these; each keeps its values and changes only its wrapping.
        (DataType::FixedSizeBinary(_), DataType::BinaryView) => {
            cast(&cast(array, &DataType::Binary).map_err(refused)?, &target).map_err(refused)
        }
        (DataType::Date64, DataType::Date32) => {
            // Arrow's cast cuts toward zero, which moves instants before 1970 to the next day.
            let days = array.as_primitive::<Date64Type>();
            let days = days.try_unary::<_, Date32Type, Error>(|milliseconds| {
                let day = milliseconds.div_euclid(86_400_000);
                i32::try_from(day)
                    .map_err(|_| Error::user(format!("day {day} of a date column is out of range")))
            })?;
            Ok(Arc::new(days))
        }
        (DataType::Decimal128(_, scale), DataType::Decimal64(_, wanted)) if scale == wanted => {
            narrow_decimals(array.as_primitive(), &target)
        }
        (DataType::Duration(_), _) => {
            cast(array, &DataType::Interval(IntervalUnit::MonthDayNano)).map_err(refused)
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let Type::Struct(types) = data_type else { return Err(Error::internal("struct type expected")) };
            let columns = array.as_struct().columns().iter().zip(types);
            let columns = columns
                .map(|(column, field)| import(column, &field.data_type)?.to_array())
                .collect::<Result<Vec<_>>>()?;
            let nulls = array.nulls().cloned();
            Ok(Arc::new(arrow::array::StructArray::try_new_with_length(
                fields.clone(),
                columns,
                nulls,
                array.len(),
            )?))
        }
        (DataType::List(_), DataType::List(field)) => {
            let Type::List(element) = data_type else { return Err(Error::internal("list type expected")) };
            let list = array.as_list::<i32>();
            let values = import(list.values(), element)?.to_array()?;
            let nulls = array.nulls().cloned();
            Ok(Arc::new(arrow::array::ListArray::try_new(
                Arc::clone(field),
                list.offsets().clone(),
                values,
                nulls,
            )?))
        }
        (DataType::FixedSizeList(_, size), DataType::FixedSizeList(field, _)) => {
            let Type::FixedList(element, _) = data_type else {
                return Err(Error::internal("fixed list type expected"));
            };
            let values = import(array.as_fixed_size_list().values(), element)?.to_array()?;
            Ok(Arc::new(arrow::array::FixedSizeListArray::try_new_with_length(
                Arc::clone(field),
                *size,
                values,
                array.nulls().cloned(),
                array.len(),
            )?))
        }
        (DataType::Map(..), DataType::Map(field, ordered)) => {
            let (Type::Map(key, value), DataType::Struct(names)) = (data_type, field.data_type()) else {
                return Err(Error::internal("map type expected"));
            };
            let map = array.as_map();
            let columns =
                vec![import(map.keys(), key)?.to_array()?, import(map.values(), value)?.to_array()?];
            let entries = arrow::array::StructArray::try_new(names.clone(), columns, None)?;
            let nulls = array.nulls().cloned();
            let offsets = map.offsets().clone();
            Ok(Arc::new(arrow::array::MapArray::try_new(
                Arc::clone(field),
                offsets,
                entries,
                nulls,
                *ordered,
            )?))
        }
        (
            DataType::LargeList(_) | DataType::ListView(_) | DataType::LargeListView(_),
            DataType::List(field),
        ) => {
            let wanted = DataType::List(Arc::new(Field::new("item", element_type(array.data_type())?, true)));
            let list = cast(array, &wanted).map_err(refused)?;
            debug_assert!(field.is_nullable());
            normalise(&list, data_type)
        }
        _ => cast(array, &target).map_err(refused),
    }
}

/// `array`, which is in the engine's layout, as one of the type that its values are handed out in
/// ([`Type::to_exported`]).
///
/// # Errors
/// What Arrow reports.
pub fn export(array: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    match (array.data_type(), target) {
        (own, target) if own == target => Ok(Arc::clone(array)),
        (DataType::Decimal64(..), DataType::Decimal128(..)) => {
            let wide = array.as_primitive::<Decimal64Type>().unary::<_, Decimal128Type>(i128::from);
            Ok(Arc::new(wide.with_data_type(target.clone())))
        }
        _ => Ok(cast(array, target)?),
    }
}

/// Digits of 128 bits that fit 64.
fn narrow_decimals(
    wide: &arrow::array::PrimitiveArray<Decimal128Type>,
    target: &DataType,
) -> Result<ArrayRef> {
    let mut all_fit = true;
    let digits = wide.values().iter().map(|&value| {
        all_fit &= i128::from(value as i64) == value;
        value as i64
    });
    let digits: Vec<i64> = digits.collect();
    // What a null hides may have any digits.
    let lost = (0..wide.len())
        .find(|&row| !all_fit && wide.is_valid(row) && i64::try_from(wide.value(row)).is_err());
    if let Some(row) = lost {
        return Err(Error::user(format!(
            "row {row} of a {target} column has the digits {}",
            wide.value(row)
        )));
    }
    let narrow = arrow::array::PrimitiveArray::<Decimal64Type>::new(digits.into(), wide.nulls().cloned());
    Ok(Arc::new(narrow.with_data_type(target.clone())))
}

fn element_type(list: &DataType) -> Result<DataType> {
    match list {
        DataType::LargeList(field) | DataType::ListView(field) | DataType::LargeListView(field) => {
            Ok(field.data_type().clone())
        }
        other => Err(Error::internal(format!("{other} is not a list"))),
    }
}

fn import_dictionary(dictionary: &dyn AnyDictionaryArray, data_type: &Type) -> Result<Column> {
    let values = normalise(dictionary.values(), data_type)?;
    let keys = dictionary.keys();
    if values.is_empty() {
        return Ok(Column::nulls(data_type, keys.len()));
    }
    let codes = cast(keys, &DataType::UInt32)?;
    let codes = codes.as_primitive::<UInt32Type>();
    encoded(codes.values().clone(), codes.nulls().cloned(), values)
}

/// Null rows get index 0, so that every index is inside the values.
fn encoded(indices: ScalarBuffer<u32>, validity: Option<NullBuffer>, values: ArrayRef) -> Result<Column> {
    let indices = match &validity {
        Some(nulls) if nulls.null_count() > 0 => indices
            .iter()
            .enumerate()
            .map(|(row, &index)| if nulls.is_valid(row) { index } else { 0 })
            .collect(),
        _ => indices,
    };
    if indices.iter().any(|&index| index as usize >= values.len()) {
        return Err(Error::user(format!(
            "a dictionary column has an index past its {} values",
            values.len()
        )));
    }
    Ok(Column::Dictionary { indices, validity, values })
}

fn import_runs<R: RunEndIndexType>(array: &ArrayRef, data_type: &Type) -> Result<Column> {
    let runs = array
        .as_any()
        .downcast_ref::<RunArray<R>>()
        .ok_or_else(|| Error::internal("run-end array of another index type"))?;
    let values = import(runs.values(), data_type)?.to_array()?;
    if values.is_empty() {
        return Ok(Column::nulls(data_type, array.len()));
    }
    let indices: Vec<u32> = (0..array.len()).map(|row| runs.get_physical_index(row) as u32).collect();
    let rows = UInt32Array::from(indices);
    encoded(rows.values().clone(), None, values)
}

//! Single values into and out of columns.

use arrow::array::ArrayRef;
use arrow::datatypes::IntervalMonthDayNano;
use bumpalo::Bump;
use half::f16;

use super::borrow::borrow;
use super::output::{Output, OutputData};
use super::view::{Data, View};
use crate::error::{Error, Result};
use crate::types::Type;
use crate::value::{DecimalDigits, Literal, Value};

/// An array of one row that holds the literal.
///
/// # Errors
/// [`Error::Internal`] if the value does not have the literal's type.
pub fn literal_array(literal: &Literal) -> Result<ArrayRef> {
    if let (Value::Shared(list), Type::List(element)) = (&literal.value, &literal.data_type)
        && *list.element() == **element
    {
        return list.to_row();
    }
    let mut output = Output::new(literal.data_type.clone());
    output.prepare(1);
    output.set_value(0, &literal.value)?;
    output.freeze()
}

impl Output {
    /// Writes one owned value.
    ///
    /// # Errors
    /// [`Error::Internal`] if the value is not of the column's type.
    pub fn set_value(&mut self, row: usize, value: &Value) -> Result<()> {
        match (&mut self.data, value) {
            (_, Value::Null) => self.set_null(row),
            (OutputData::Boolean(bits), Value::Boolean(value)) => bits.set(row, *value),
            (OutputData::Int8(values), Value::Int8(value)) => values[row] = *value,
            (OutputData::Int16(values), Value::Int16(value)) => values[row] = *value,
            (OutputData::Int32(values), Value::Int32(value) | Value::Date(value)) => values[row] = *value,
            (
                OutputData::Int64(values),
                Value::Int64(value)
                | Value::Time(value)
                | Value::Timestamp(value, _)
                | Value::TimestampTz(value),
            ) => values[row] = *value,
            (OutputData::UInt8(values), Value::UInt8(value)) => values[row] = *value,
            (OutputData::UInt16(values), Value::UInt16(value)) => values[row] = *value,
            (OutputData::UInt32(values), Value::UInt32(value)) => values[row] = *value,
            (OutputData::UInt64(values), Value::UInt64(value)) => values[row] = *value,
            (OutputData::Float16(values), Value::Float16(bits)) => values[row] = f16::from_bits(*bits),
            (OutputData::Float32(values), Value::Float32(bits)) => values[row] = f32::from_bits(bits.0),
            (OutputData::Float64(values), Value::Float64(bits)) => values[row] = f64::from_bits(bits.0),
            (OutputData::Int128(values), Value::Decimal(value, ..)) => values[row] = value.0,
            (OutputData::Int64(values), Value::Decimal(value, ..)) => {
                values[row] = i64::try_from(value.0).map_err(|_| {
                    Error::internal(format!("{} digits in a column of type {}", value.0, self.data_type))
                })?;
            }
            (OutputData::Interval(values), Value::Interval(months, days, nanoseconds)) => {
                values[row] = IntervalMonthDayNano::new(*months, *days, *nanoseconds);
            }
            (OutputData::Bytes(bytes), Value::Text(text)) => bytes.set(row, text.as_bytes()),
            (OutputData::Bytes(bytes), Value::Binary(value)) if self.data_type == Type::Binary => {
                bytes.set(row, value)
            }
            (OutputData::List { offsets, sizes, child }, Value::List(_, values)) => {
                let start = child.grow(values.len());
                for (position, value) in values.iter().enumerate() {
                    child.set_value(start + position, value)?;
                }
                offsets[row] = start as i32;
                sizes[row] = values.len() as i32;
            }
            (OutputData::List { offsets, sizes, child }, Value::Shared(list)) => {
                let length = list.len();
                let start = child.grow(length);
                let bump = Bump::new();
                let elements = borrow(list.array(), list.element(), &bump);
                if !(child.data_type() == list.element()) {
                    return Err(Error::internal(format!(
                        "elements of type {} in a column of type {}",
                        list.element(),
                        self.data_type
                    )));
                }
                (0..length).for_each(|place| child.copy(start + place, &elements, place));
                offsets[row] = start as i32;
                sizes[row] = length as i32;
            }
            (OutputData::List { offsets, sizes, child }, Value::Map(_, _, entries)) => {
                let start = child.grow(entries.len());
                for (position, (key, value)) in entries.iter().enumerate() {
                    child.field(0).set_value(start + position, key)?;
                    child.field(1).set_value(start + position, value)?;
                }
                offsets[row] = start as i32;
                sizes[row] = entries.len() as i32;
            }
            (OutputData::FixedList { size, child }, Value::FixedList(_, values)) if values.len() == *size => {
                for (position, value) in values.iter().enumerate() {
                    child.set_value(row * *size + position, value)?;
                }
            }
            (OutputData::Struct(fields), Value::Struct(values, _)) if values.len() == fields.len() => {
                for (field, (_, value)) in fields.iter_mut().zip(values) {
                    field.set_value(row, value)?;
                }
            }
            _ => {
                return Err(Error::internal(format!(
                    "value of type {} in a column of type {}",
                    value.data_type(),
                    self.data_type
                )));
            }
        }
        Ok(())
    }
}

/// The value of one row, owned.
pub fn value_at(view: &View<'_>, row: usize) -> Value {
    if view.is_null(row) {
        return Value::Null;
    }
    let index = view.value_index(row);
    match (view.data, view.data_type) {
        (Data::Null, _) => Value::Null,
        (Data::Boolean(bits), _) => Value::Boolean(bits.get(index)),
        (Data::Int8(values), _) => Value::Int8(values[index]),
        (Data::Int16(values), _) => Value::Int16(values[index]),
        (Data::Int32(values), Type::Date) => Value::Date(values[index]),
        (Data::Int32(values), _) => Value::Int32(values[index]),
        (Data::Int64(values), Type::Time) => Value::Time(values[index]),
        (Data::Int64(values), Type::Timestamp(unit)) => Value::Timestamp(values[index], *unit),
        (Data::Int64(values), Type::TimestampTz) => Value::TimestampTz(values[index]),
        (Data::Int64(values), Type::Decimal(precision, scale)) => {
            Value::Decimal(DecimalDigits(i128::from(values[index])), *precision, *scale)
        }
        (Data::Int64(values), _) => Value::Int64(values[index]),
        (Data::UInt8(values), _) => Value::UInt8(values[index]),
        (Data::UInt16(values), _) => Value::UInt16(values[index]),
        (Data::UInt32(values), _) => Value::UInt32(values[index]),
        (Data::UInt64(values), _) => Value::UInt64(values[index]),
        (Data::Float16(values), _) => Value::Float16(values[index].to_bits()),
        (Data::Float32(values), _) => Value::float32(values[index]),
        (Data::Float64(values), _) => Value::float64(values[index]),
        (Data::Int128(values), Type::Decimal(precision, scale)) => {
            Value::Decimal(DecimalDigits(values[index]), *precision, *scale)
        }
        (Data::Int128(values), _) => Value::hugeint(values[index]),
        (Data::Interval(values), _) => {
            Value::Interval(values[index].months, values[index].days, values[index].nanoseconds)
        }
        (Data::Bytes(_), Type::Text) => Value::text(view.text().get(row)),
        (Data::Bytes(bytes), _) => Value::Binary(bytes.get(index).to_vec()),
        (Data::List(_), Type::Map(key, value)) => {
            let entries = view.list();
            let (keys, values) = (entries.child().field(0), entries.child().field(1));
            let pairs = entries.range(row).map(|entry| (value_at(&keys, entry), value_at(&values, entry)));
            Value::Map(Type::clone(key), Type::clone(value), pairs.collect())
        }
        (Data::List(_), _) => {
            let element = view.data_type.element().cloned().unwrap_or(Type::Null);
            Value::List(element, elements(view, row))
        }
        (Data::FixedList { .. }, _) => {
            let element = view.data_type.element().cloned().unwrap_or(Type::Null);
            Value::FixedList(element, elements(view, row))
        }
        (Data::Struct(_), Type::Struct(fields)) => {
            let value = |(position, field): (usize, &crate::types::Field)| {
                (field.name.clone(), value_at(&view.field(position), row))
            };
            Value::Struct(
                fields.iter().enumerate().map(value).collect(),
                fields.iter().map(|field| field.data_type.clone()).collect(),
            )
        }
        (Data::Struct(_), _) => Value::Null,
    }
}

fn elements(view: &View<'_>, row: usize) -> Vec<Value> {
    let list = view.list();
    list.range(row).map(|element| value_at(list.child(), element)).collect()
}

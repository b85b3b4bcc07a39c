//! Python values as fields of a row, which have a type already.

use hypostyle::functions::types::TimeUnit;
use hypostyle::functions::value::DecimalDigits;
use hypostyle::{Field, Type, Value};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};

use crate::value::{from_python, plain};

/// A Python value as a value of exactly this type, for a field of a row.
///
/// Whole numbers become floats where floats are asked for, and fit smaller types or are refused; anything else must be of
/// the type already.
pub fn of_type(given: &Bound<'_, PyAny>, data_type: &Type) -> PyResult<Value> {
    let given = &plain(given)?;
    if given.is_none() {
        return Ok(Value::Null);
    }
    let refused = || PyTypeError::new_err(format!("{} is no value of type {data_type}", given.get_type()));
    let narrow = |error: PyErr| -> PyErr {
        match given.is_instance_of::<PyInt>() {
            true => PyOverflowError::new_err(format!("{given} does not fit {data_type}")),
            false => error,
        }
    };
    macro_rules! whole {
        ($variant:ident) => {
            Value::$variant(given.extract().map_err(narrow)?)
        };
    }
    Ok(match data_type {
        Type::Int8 => whole!(Int8),
        Type::Int16 => whole!(Int16),
        Type::Int32 => whole!(Int32),
        Type::Int64 => whole!(Int64),
        Type::UInt8 => whole!(UInt8),
        Type::UInt16 => whole!(UInt16),
        Type::UInt32 => whole!(UInt32),
        Type::UInt64 => whole!(UInt64),
        Type::Float32 => Value::float32(given.extract::<f64>()? as f32),
        Type::Float64 => Value::float64(given.extract()?),
        Type::List(element) | Type::FixedList(element, _) => {
            let mut values = Vec::new();
            for value in given.try_iter()? {
                values.push(of_type(&value?, element)?);
            }
            match data_type {
                Type::FixedList(_, size) if values.len() != *size => {
                    return Err(PyTypeError::new_err(format!(
                        "{} elements are no value of type {data_type}",
                        values.len()
                    )));
                }
                Type::FixedList(..) => Value::FixedList((**element).clone(), values),
                _ => Value::List((**element).clone(), values),
            }
        }
        Type::Struct(fields) => structure(given.cast::<PyDict>().map_err(|_| refused())?, fields)?,
        Type::Map(key, value) => {
            let mut entries = Vec::new();
            for (name, held) in given.cast::<PyDict>().map_err(|_| refused())?.iter() {
                entries.push((of_type(&name, key)?, of_type(&held, value)?));
            }
            Value::Map((**key).clone(), (**value).clone(), entries)
        }
        _ => {
            let value = from_python(given)?;
            match (data_type, value) {
                (Type::Timestamp(unit), Value::Timestamp(ticks, TimeUnit::Microsecond)) => {
                    Value::Timestamp(of_microseconds(ticks, *unit).ok_or_else(refused)?, *unit)
                }
                (Type::Decimal(..), value) => return rescaled(value, data_type).ok_or_else(refused),
                (wanted, value) if value.data_type() == *wanted => value,
                _ => return Err(refused()),
            }
        }
    })
}

fn structure(given: &Bound<'_, PyDict>, fields: &[Field]) -> PyResult<Value> {
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        let value = match given.get_item(&field.name)? {
            Some(value) => of_type(&value, &field.data_type)?,
            None => Value::Null,
        };
        values.push((field.name.clone(), value));
    }
    Ok(Value::Struct(values, fields.iter().map(|field| field.data_type.clone()).collect()))
}

fn of_microseconds(ticks: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Nanosecond => ticks.checked_mul(1000),
        unit => Some(ticks.div_euclid(1_000_000 / unit.per_second())),
    }
}

/// A whole number or decimal with another scale, if no digit is lost.
fn rescaled(value: Value, data_type: &Type) -> Option<Value> {
    let Type::Decimal(precision, scale) = data_type else { return None };
    let (digits, given) = match value {
        Value::Int64(value) => (i128::from(value), 0),
        Value::Decimal(digits, _, given) => (digits.0, given),
        _ => return None,
    };
    let shift = i32::from(*scale) - i32::from(given);
    let factor = 10i128.checked_pow(shift.unsigned_abs())?;
    let digits = match shift >= 0 {
        true => digits.checked_mul(factor)?,
        false if digits % factor == 0 => digits / factor,
        false => return None,
    };
    let fits = 10i128.checked_pow(u32::from(*precision)).is_none_or(|limit| digits.abs() < limit);
    fits.then_some(Value::Decimal(DecimalDigits(digits), *precision, *scale))
}

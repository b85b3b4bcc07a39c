//! Single values between Python and the engine: parameters, fields of rows, cells that are shown.

use hypostyle::functions::types::TimeUnit;
use hypostyle::functions::value::DecimalDigits;
use hypostyle::{Type, Value};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyInt, PyList, PyString, PyTime, PyTuple,
};

/// Day of 1970-01-01 in the proleptic Gregorian calendar of Python.
const EPOCH_ORDINAL: i64 = 719_163;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// A value as Python has it: `None`, `bool`, `int`, `float`, `Decimal`, `str`, `bytes`, `date`, `time`, `datetime`,
/// `hypostyle.Interval`, `list`, `dict`. A timestamp in nanoseconds is cut to microseconds, which is what Python holds.
pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Boolean(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Int8(value) => value.into_pyobject(py)?.into_any(),
        Value::Int16(value) => value.into_pyobject(py)?.into_any(),
        Value::Int32(value) => value.into_pyobject(py)?.into_any(),
        Value::Int64(value) => value.into_pyobject(py)?.into_any(),
        Value::UInt8(value) => value.into_pyobject(py)?.into_any(),
        Value::UInt16(value) => value.into_pyobject(py)?.into_any(),
        Value::UInt32(value) => value.into_pyobject(py)?.into_any(),
        Value::UInt64(value) => value.into_pyobject(py)?.into_any(),
        Value::Float16(_) | Value::Float32(_) | Value::Float64(_) => {
            PyFloat::new(py, value.as_f64().unwrap_or(f64::NAN)).into_any()
        }
        Value::Decimal(digits, 38, 0) => digits.0.into_pyobject(py)?.into_any(),
        Value::Decimal(digits, _, scale) => {
            let text = format!("{}E{}", digits.0, -i32::from(*scale));
            py.import("decimal")?.getattr("Decimal")?.call1((text,))?
        }
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::Date(days) => py
            .import("datetime")?
            .getattr("date")?
            .call_method1("fromordinal", (i64::from(*days) + EPOCH_ORDINAL,))?,
        Value::Time(microseconds) => datetime(py, *microseconds, false)?.call_method0("time")?,
        Value::Timestamp(ticks, unit) => datetime(py, microseconds(*ticks, *unit)?, false)?,
        Value::TimestampTz(microseconds) => datetime(py, *microseconds, true)?,
        Value::Interval(months, days, nanoseconds) => {
            py.import("hypostyle.values")?.getattr("Interval")?.call1((*months, *days, *nanoseconds))?
        }
        Value::List(_, values) | Value::FixedList(_, values) => {
            let values = values.iter().map(|value| to_python(py, value)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, values)?.into_any()
        }
        Value::Shared(list) => {
            let values =
                list.values().iter().map(|value| to_python(py, value)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, values)?.into_any()
        }
        Value::Struct(values, _) => {
            let fields = PyDict::new(py);
            for (name, value) in values {
                fields.set_item(name, to_python(py, value)?)?;
            }
            fields.into_any()
        }
        Value::Map(_, _, entries) => {
            let pairs = PyDict::new(py);
            for (key, value) in entries {
                pairs.set_item(hashable(to_python(py, key)?)?, to_python(py, value)?)?;
            }
            pairs.into_any()
        }
    })
}

/// Keys that are lists become tuples.
fn hashable(key: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    match key.cast::<PyList>() {
        Ok(list) => Ok(list.to_tuple().into_any()),
        Err(_) => Ok(key),
    }
}

fn microseconds(ticks: i64, unit: TimeUnit) -> PyResult<i64> {
    let scaled = match unit {
        TimeUnit::Nanosecond => Some(ticks.div_euclid(1000)),
        unit => ticks.checked_mul(1_000_000 / unit.per_second()),
    };
    scaled.ok_or_else(|| PyOverflowError::new_err("the timestamp is outside the years 1 to 9999 of Python"))
}

fn datetime(py: Python<'_>, microseconds: i64, utc: bool) -> PyResult<Bound<'_, PyAny>> {
    let module = py.import("datetime")?;
    let zone = if utc { module.getattr("timezone")?.getattr("utc")? } else { py.None().into_bound(py) };
    let epoch = module.getattr("datetime")?.call1((1970, 1, 1, 0, 0, 0, 0, zone))?;
    let (days, rest) =
        (microseconds.div_euclid(MICROSECONDS_PER_DAY), microseconds.rem_euclid(MICROSECONDS_PER_DAY));
    let distance = module.getattr("timedelta")?.call1((days, 0, rest))?;
    epoch.call_method1("__add__", (distance,))
}

/// A Python value as a value of the type that it has by itself.
///
/// `int` is BIGINT, or HUGEINT where it does not fit; lists take the type of their elements, `dict` is a struct. Scalars and arrays of
/// NumPy are taken as the Python values that they hold.
pub fn from_python(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    let given = &plain(given)?;
    if given.is_none() {
        return Ok(Value::Null);
    }
    if given.is_instance_of::<PyBool>() {
        return Ok(Value::Boolean(given.extract()?));
    }
    if given.is_instance_of::<PyInt>() {
        return Ok(match given.extract::<i64>() {
            Ok(value) => Value::Int64(value),
            Err(_) => Value::hugeint(given.extract::<i128>()?),
        });
    }
    if given.is_instance_of::<PyFloat>() {
        return Ok(Value::float64(given.extract()?));
    }
    if let Ok(text) = given.cast::<PyString>() {
        return Ok(Value::text(text.to_str()?));
    }
    if let Some(bytes) = bytes_of(given) {
        return Ok(Value::Binary(bytes));
    }
    if let Some(value) = temporal(given)? {
        return Ok(value);
    }
    if let Ok(fields) = given.cast::<PyDict>() {
        let mut values = Vec::with_capacity(fields.len());
        let mut types = Vec::with_capacity(fields.len());
        for (name, value) in fields.iter() {
            let value = from_python(&value)?;
            types.push(value.data_type());
            values.push((name.extract::<String>()?, value));
        }
        return Ok(Value::Struct(values, types));
    }
    if given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
        return list(given);
    }
    if type_name(given)? == "Decimal" {
        return decimal(given);
    }
    Err(PyTypeError::new_err(format!("a value of {} has no SQL type", given.get_type())))
}

/// Scalars and arrays of NumPy as plain Python values.
pub fn plain<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let module = given.get_type().module()?;
    match module.to_str()? {
        "numpy" => given.call_method0("tolist"),
        _ => Ok(given.clone()),
    }
}

fn type_name(given: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(given.get_type().name()?.to_str()?.to_owned())
}

fn bytes_of(given: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    let is_bytes = given.is_instance_of::<PyBytes>() || given.is_instance_of::<pyo3::types::PyByteArray>();
    if is_bytes { given.extract().ok() } else { None }
}

/// Dates, times, timestamps and durations.
fn temporal(given: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
    let ordinal =
        || -> PyResult<i64> { Ok(given.call_method0("toordinal")?.extract::<i64>()? - EPOCH_ORDINAL) };
    if given.is_instance_of::<PyDateTime>() {
        let offset = given.call_method0("utcoffset")?;
        let ticks = ordinal()? * MICROSECONDS_PER_DAY + of_day(given)?;
        return Ok(Some(match offset.is_none() {
            true => Value::Timestamp(ticks, TimeUnit::Microsecond),
            false => Value::TimestampTz(ticks - duration(&offset)?),
        }));
    }
    if given.is_instance_of::<PyDate>() {
        let days =
            i32::try_from(ordinal()?).map_err(|_| PyOverflowError::new_err("the date is out of range"))?;
        return Ok(Some(Value::Date(days)));
    }
    if given.is_instance_of::<PyTime>() {
        return Ok(Some(Value::Time(of_day(given)?)));
    }
    if given.is_instance_of::<PyDelta>() {
        let all = duration(given)?;
        let days = i32::try_from(all.div_euclid(MICROSECONDS_PER_DAY))
            .map_err(|_| PyOverflowError::new_err("the duration is out of range"))?;
        return Ok(Some(Value::Interval(0, days, all.rem_euclid(MICROSECONDS_PER_DAY) * 1000)));
    }
    if type_name(given)? == "Interval" && given.hasattr("nanoseconds")? {
        let (months, days, nanoseconds) = given.extract()?;
        return Ok(Some(Value::Interval(months, days, nanoseconds)));
    }
    Ok(None)
}

fn of_day(given: &Bound<'_, PyAny>) -> PyResult<i64> {
    let part = |name: &str| given.getattr(name)?.extract::<i64>();
    Ok(((part("hour")? * 60 + part("minute")?) * 60 + part("second")?) * 1_000_000 + part("microsecond")?)
}

fn duration(given: &Bound<'_, PyAny>) -> PyResult<i64> {
    let part = |name: &str| given.getattr(name)?.extract::<i64>();
    Ok(part("days")? * MICROSECONDS_PER_DAY + part("seconds")? * 1_000_000 + part("microseconds")?)
}

fn decimal(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    let refused = || PyOverflowError::new_err(format!("{given} does not fit a decimal of 38 digits"));
    let parts = given.call_method0("as_tuple")?;
    let sign: i128 = parts.getattr("sign")?.extract()?;
    let digits: Vec<u8> = parts.getattr("digits")?.extract()?;
    let exponent: i32 = parts.getattr("exponent")?.extract().map_err(|_| refused())?;
    let padding = usize::try_from(exponent.max(0)).unwrap_or(0).min(39);
    let mut unscaled: i128 = 0;
    for digit in digits.iter().copied().chain(std::iter::repeat_n(0, padding)) {
        unscaled = unscaled
            .checked_mul(10)
            .and_then(|all| all.checked_add(i128::from(digit)))
            .ok_or_else(refused)?;
    }
    let scale = i8::try_from(-exponent.min(0)).map_err(|_| refused())?;
    let length = (digits.len() + padding).max(usize::from(scale.unsigned_abs())).max(1);
    let precision = u8::try_from(length).ok().filter(|precision| *precision <= 38).ok_or_else(refused)?;
    Ok(Value::Decimal(DecimalDigits(if sign == 1 { -unscaled } else { unscaled }), precision, scale))
}

/// A list whose elements have one type, nulls aside; whole numbers and floats meet in DOUBLE.
fn list(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    let mut values = Vec::new();
    for element in given.try_iter()? {
        values.push(from_python(&element?)?);
    }
    let mut element = Type::Null;
    for found in values.iter().map(Value::data_type).filter(|found| *found != Type::Null) {
        element = match (element, found) {
            (Type::Null, found) => found,
            (known, found) if known == found => known,
            (Type::Int64 | Type::Float64, Type::Int64 | Type::Float64) => Type::Float64,
            (known, found) => {
                return Err(PyTypeError::new_err(format!(
                    "a list holds values of type {known} and of type {found}; all must have one type"
                )));
            }
        };
    }
    let values = values
        .into_iter()
        .map(|value| match (&element, value) {
            (Type::Float64, Value::Int64(whole)) => Value::float64(whole as f64),
            (_, value) => value,
        })
        .collect();
    Ok(Value::List(element, values))
}

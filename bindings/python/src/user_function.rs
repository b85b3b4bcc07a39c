//! Functions of Python in SQL: called with columns, they give a column.

use std::sync::Arc;

use hypostyle::arrow::array::{Array, ArrayRef};
use hypostyle::arrow::datatypes::Field;
use hypostyle::column::Output;
use hypostyle::functions::error::{Cause, Error, Result};
use hypostyle::scalar::{Nulls, Volatility};
use hypostyle::{Type, array_aggregate, array_function};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::batch::{Column, cast_to};
use crate::border;
use crate::error::{Raise, usage};
use crate::field::of_type;
use crate::table::one_column;

/// What a function of Python is registered with.
pub struct Signature {
    pub name: String,
    pub takes: Vec<Type>,
    pub gives: Type,
    /// Rows with a null argument are null, and the function does not see them.
    pub strict: bool,
}

/// The type that a text names, as SQL reads it, or that an object with `__arrow_c_schema__` has.
pub fn type_of(py: Python<'_>, session: &hypostyle::Session, given: &Bound<'_, PyAny>) -> PyResult<Type> {
    if let Some(field) = border::import_field(given)? {
        return Type::from_arrow(field.data_type()).raise(py);
    }
    let text: String = given.extract()?;
    let sql = format!("SELECT NULL::{text} AS x");
    let prepared = py.detach(|| session.prepare(&sql)).raise_in(py, &sql)?;
    match &prepared.schema().fields[..] {
        [field] => Ok(field.data_type.clone()),
        _ => Err(usage(py, format!("\"{text}\" is no type"))),
    }
}

/// A scalar function whose calls go to `function`.
pub fn scalar(
    signature: Signature,
    volatile: bool,
    function: Py<PyAny>,
) -> Result<hypostyle::scalar::ScalarFunction> {
    let nulls = if signature.strict { Nulls::Strict } else { Nulls::Aware };
    let (name, takes, gives) = (signature.name.clone(), signature.takes.clone(), signature.gives.clone());
    let call = move |arrays: &[ArrayRef], rows: usize| call(&signature, &function, arrays, rows);
    let scalar = array_function::over_arrays(&name, &takes, gives, nulls, call)?;
    Ok(if volatile { scalar.volatility(Volatility::Volatile) } else { scalar })
}

/// An aggregate function whose calls, one for each group, go to `function`.
pub fn aggregate(
    signature: Signature,
    function: Py<PyAny>,
) -> Result<hypostyle::aggregate::AggregateFunction> {
    let (name, takes, gives) = (signature.name.clone(), signature.takes.clone(), signature.gives.clone());
    let strict = signature.strict;
    let call = move |arrays: &[ArrayRef], rows: usize| call(&signature, &function, arrays, rows);
    array_aggregate::over_groups(&name, &takes, gives, strict, call)
}

/// Calls the function with the columns and the number of rows, and takes what it gives.
fn call(signature: &Signature, function: &Py<PyAny>, arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let called = Python::try_attach(|py| {
        let columns = arrays.iter().map(|array| {
            let field = Arc::new(Field::new("", array.data_type().clone(), true));
            Bound::new(py, Column { field, array: Arc::clone(array) })
        });
        let columns = PyTuple::new(py, columns.collect::<PyResult<Vec<_>>>()?)?;
        let result = function.bind(py).call1((columns, rows))?;
        column_of(py, &result, &signature.gives)
    });
    match called {
        Some(Ok(array)) => Ok(array),
        Some(Err(error)) => {
            Err(Error::host(format!("{}: {}", signature.name, told(&error)), Cause::new(error)))
        }
        None => Err(Error::user(format!("{}: Python is shutting down", signature.name))),
    }
}

/// Class and text of an exception, and where it was raised.
fn told(error: &PyErr) -> String {
    Python::try_attach(|py| {
        let mut text = error.to_string();
        let mut place = error.traceback(py).map(|trace| trace.into_any());
        let mut last = None;
        while let Some(trace) = place {
            let next = trace.getattr("tb_next").ok().filter(|next| !next.is_none());
            last = Some(trace);
            place = next;
        }
        let line = |trace: &Bound<'_, PyAny>| -> PyResult<String> {
            let code = trace.getattr("tb_frame")?.getattr("f_code")?;
            Ok(format!(" ({}, line {})", code.getattr("co_filename")?, trace.getattr("tb_lineno")?))
        };
        if let Some(Ok(line)) = last.as_ref().map(line) {
            text.push_str(&line);
        }
        text
    })
    .unwrap_or_default()
}

/// What a function has given as an array of this type: anything that speaks Arrow, or a sequence of Python values.
pub fn column_of(py: Python<'_>, given: &Bound<'_, PyAny>, wanted: &Type) -> PyResult<ArrayRef> {
    if let Some(array) = one_column(py, given)? {
        let found = Type::from_arrow(array.data_type()).raise(py)?;
        return if found == *wanted { Ok(array) } else { cast_to(&array, &wanted.to_exported()).raise(py) };
    }
    let values = given.try_iter()?.map(|value| of_type(&value?, wanted)).collect::<PyResult<Vec<_>>>()?;
    let mut output = Output::new(wanted.clone());
    output.prepare(values.len());
    for (row, value) in values.iter().enumerate() {
        output.set_value(row, value).raise(py)?;
    }
    output.freeze().raise(py)
}

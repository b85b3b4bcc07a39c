//! Single rows: the expressions of a query or of a transform, with the kernels and the bits of batches.

use std::sync::{Mutex, PoisonError, TryLockError};

use hypostyle::{Type, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::batch::Schema;
use crate::error::{Raise, usage};
use crate::field::of_type;
use crate::value::to_python;

/// Most rows of one evaluation.
const ROWS_MAX: usize = 256;

/// Evaluates expressions for single rows. Belongs to one thread at a time.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct RowEvaluator {
    evaluator: Mutex<hypostyle::RowEvaluator>,
    inputs: hypostyle::Schema,
    outputs: hypostyle::Schema,
}

impl RowEvaluator {
    pub fn new(evaluator: hypostyle::RowEvaluator) -> Self {
        let (inputs, outputs) = (evaluator.inputs().clone(), evaluator.outputs().clone());
        Self { evaluator: Mutex::new(evaluator), inputs, outputs }
    }
}

#[pymethods]
impl RowEvaluator {
    /// Names and types of the fields that are given.
    #[getter]
    fn inputs(&self) -> Schema {
        Schema::new(self.inputs.clone())
    }

    /// Names and types of the values that come out.
    #[getter]
    fn outputs(&self) -> Schema {
        Schema::new(self.outputs.clone())
    }

    /// The values of some rows, each a dictionary of name and value; a field that is left out is null.
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        rows: Vec<Bound<'py, PyDict>>,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        // A user function may let go of the interpreter in the middle, so another thread could get here; it must not wait.
        let mut evaluator = match self.evaluator.try_lock() {
            Ok(evaluator) => evaluator,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => {
                return Err(usage(
                    py,
                    "the row evaluator is at work in another thread; make one for each thread",
                ));
            }
        };
        let mut results = Vec::with_capacity(rows.len());
        for part in rows.chunks(ROWS_MAX) {
            evaluator.start(part.len()).raise(py)?;
            for (position, row) in part.iter().enumerate() {
                evaluator.at(position).raise(py)?;
                set_row(&mut evaluator, &self.inputs, row)?;
            }
            evaluator.evaluate().raise(py)?;
            for position in 0..part.len() {
                results.push(read_row(py, &evaluator, &self.outputs, position)?);
            }
        }
        Ok(results)
    }
}

fn set_row(
    evaluator: &mut hypostyle::RowEvaluator,
    inputs: &hypostyle::Schema,
    row: &Bound<'_, PyDict>,
) -> PyResult<()> {
    let py = row.py();
    for (position, field) in inputs.fields.iter().enumerate() {
        let Some(given) = row.get_item(&field.name)? else { continue };
        match &field.data_type {
            Type::Float64 | Type::Float32 if given.is_exact_instance_of::<pyo3::types::PyFloat>() => {
                evaluator.set_f64(position, given.extract()?).raise(py)?;
            }
            Type::Text if given.is_exact_instance_of::<PyString>() => {
                evaluator.set_text(position, given.cast::<PyString>()?.to_str()?).raise(py)?;
            }
            data_type => {
                let value = of_type(&given, data_type).map_err(|error| in_field(py, &field.name, error))?;
                evaluator.set_value(position, &value).raise(py)?;
            }
        }
    }
    Ok(())
}

/// The same exception with the name of the field.
fn in_field(py: Python<'_>, name: &str, error: PyErr) -> PyErr {
    let text = format!("field \"{name}\": {}", error.value(py));
    PyErr::from_type(error.get_type(py), text)
}

fn read_row<'py>(
    py: Python<'py>,
    evaluator: &hypostyle::RowEvaluator,
    outputs: &hypostyle::Schema,
    row: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let values = PyDict::new(py);
    for (position, field) in outputs.fields.iter().enumerate() {
        values.set_item(&field.name, to_python(py, &evaluator.value(position, row))?)?;
    }
    Ok(values)
}

/// The parameters of a fit as Python has them.
pub fn parameter_list<'a, 'py>(
    py: Python<'py>,
    parameters: impl Iterator<Item = (&'a str, &'a str, &'a Value)>,
) -> PyResult<Bound<'py, PyList>> {
    let all = parameters
        .map(|(analyzer, name, value)| Ok((analyzer, name, to_python(py, value)?)))
        .collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, all)
}

//! Fitted transforms as Python sees them.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::batch::Schema;
use crate::border::LastSchema;
use crate::error::Raise;
use crate::prepared::Prepared;
use crate::row::{RowEvaluator, parameter_list};
use crate::rows::Rows;
use crate::table::arrow_rows;

/// A transform whose analyzers have their parameters.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Transform {
    pub transform: hypostyle::Transform,
}

#[pymethods]
impl Transform {
    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        self.transform.name()
    }

    /// Its definition.
    #[getter]
    fn sql(&self) -> &str {
        self.transform.sql()
    }

    /// Names and types of the columns that it reads.
    #[getter]
    fn inputs(&self) -> Schema {
        Schema::new(self.transform.inputs())
    }

    /// Names and types of the columns that it gives.
    #[getter]
    fn outputs(&self) -> Schema {
        Schema::new(self.transform.outputs())
    }

    /// Analyzer, parameter and value of everything that was fitted.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let parameters = self.transform.parameters();
        parameter_list(py, parameters.map(|(analyzer, name, literal)| (analyzer, name, &literal.value)))
    }

    /// All outputs over a table, a path in quotes or a query.
    fn apply(&self, py: Python<'_>, source: &str, training: bool) -> PyResult<Rows> {
        let answer = py.detach(|| match training {
            true => self.transform.apply_training(source),
            false => self.transform.apply(source),
        });
        Rows::new(py, answer.raise_in(py, source)?, source)
    }

    /// All outputs over rows that speak Arrow.
    fn apply_rows(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let (_, batches) = arrow_rows(py, data, &LastSchema::default())?;
        let outputs = py.detach(|| self.transform.apply_batches(&batches)).raise(py)?;
        Ok(Rows::of_batches(self.transform.outputs(), outputs))
    }

    /// The transform as a query over rows that are pushed.
    fn prepare(&self, py: Python<'_>) -> PyResult<Prepared> {
        Ok(Prepared::new(py.detach(|| self.transform.prepare()).raise(py)?, ""))
    }

    /// An evaluator of some outputs, or all, for single rows.
    fn row(&self, py: Python<'_>, outputs: Option<Vec<String>>) -> PyResult<RowEvaluator> {
        let evaluator = py.detach(|| match &outputs {
            None => self.transform.row(),
            Some(names) => self.transform.row_of(&names.iter().map(String::as_str).collect::<Vec<_>>()),
        });
        Ok(RowEvaluator::new(evaluator.raise(py)?))
    }

    /// Writes the transform to a file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.transform.save(&path)).raise(py)
    }

    /// The same transform under another name.
    fn named(&self, name: &str) -> Self {
        Self { transform: self.transform.clone().named(name) }
    }

    fn __eq__(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.transform.fitted(), other.transform.fitted())
    }
}

/// What a piece of the rows says of a definition: merged with the others, a fit over all rows.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct FitState {
    pub state: hypostyle::FitState,
}

#[pymethods]
impl FitState {
    /// What `to_bytes` gave.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, content: &[u8]) -> PyResult<Self> {
        Ok(Self { state: py.detach(|| hypostyle::FitState::from_bytes(content)).raise(py)? })
    }

    /// The state for another process.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &py.detach(|| self.state.to_bytes()).raise(py)?))
    }

    /// How many fits have to come before this one.
    #[getter]
    fn level(&self) -> usize {
        self.state.level()
    }

    /// Numbers of the pieces that are in it.
    #[getter]
    fn pieces(&self) -> Vec<u32> {
        self.state.pieces().to_vec()
    }
}

/// The states of Python objects.
pub fn states_of(states: &[Bound<'_, FitState>]) -> Vec<hypostyle::FitState> {
    states.iter().map(|state| state.get().state.clone()).collect()
}

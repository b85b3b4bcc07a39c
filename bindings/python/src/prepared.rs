//! Prepared queries as Python sees them.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::batch::Schema;
use crate::error::{Raise, usage};
use crate::row::RowEvaluator;
use crate::rows::Rows;
use crate::run::Run;
use crate::value::from_python;

/// A query that is bound and compiled once and runs many times.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Prepared {
    prepared: hypostyle::Prepared,
    sql: Arc<str>,
}

impl Prepared {
    pub fn new(prepared: hypostyle::Prepared, sql: &str) -> Self {
        Self { prepared, sql: sql.into() }
    }
}

#[pymethods]
impl Prepared {
    /// Names and types of the columns of the result.
    #[getter]
    fn schema(&self) -> Schema {
        Schema::new(self.prepared.schema().clone())
    }

    /// Names and SQL types of the parameters, in the order in which values are given.
    #[getter]
    fn parameters(&self) -> Vec<(&str, String)> {
        let parameters = self.prepared.parameters().iter();
        parameters.map(|parameter| (parameter.name.as_str(), parameter.data_type.to_string())).collect()
    }

    /// The physical plan, as EXPLAIN shows it.
    fn explain(&self) -> String {
        self.prepared.plan().to_string()
    }

    /// Starts a run with these values.
    fn run(&self, py: Python<'_>, parameters: Vec<Bound<'_, PyAny>>) -> PyResult<Rows> {
        let values = parameters.iter().map(from_python).collect::<PyResult<Vec<_>>>()?;
        let answer = py.detach(|| self.prepared.run(&values)).raise_in(py, &self.sql)?;
        Rows::new(py, answer, &self.sql)
    }

    /// Starts a run whose input the caller pushes.
    fn start(&self, py: Python<'_>, parameters: Vec<Bound<'_, PyAny>>) -> PyResult<Run> {
        let values = parameters.iter().map(from_python).collect::<PyResult<Vec<_>>>()?;
        let Some(inputs) = self.prepared.input() else {
            return Err(usage(py, "the query reads no input that is pushed; see Session.register_input"));
        };
        let run = py.detach(|| self.prepared.start(&values)).raise_in(py, &self.sql)?;
        Ok(Run::new(run, inputs, self.prepared.schema(), &self.sql))
    }

    /// An evaluator for single rows.
    fn row(&self, py: Python<'_>, parameters: Vec<Bound<'_, PyAny>>) -> PyResult<RowEvaluator> {
        let values = parameters.iter().map(from_python).collect::<PyResult<Vec<_>>>()?;
        let evaluator = py.detach(|| self.prepared.row(&values)).raise_in(py, &self.sql)?;
        Ok(RowEvaluator::new(evaluator))
    }
}

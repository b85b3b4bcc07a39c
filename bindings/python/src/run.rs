//! Queries over rows that the caller pushes, batch by batch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hypostyle::arrow::datatypes::SchemaRef;
use hypostyle::{Error, Result};
use pyo3::prelude::*;

use crate::attached::without_interpreter;
use crate::batch::{Batch, PyarrowSchema, Schema};
use crate::border::LastSchema;
use crate::error::Raise;
use crate::table::arrow_rows;

/// One run of a query over an input that is pushed.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Run {
    run: Mutex<Option<hypostyle::Run>>,
    inputs: hypostyle::Schema,
    outputs: hypostyle::Schema,
    schema: SchemaRef,
    sql: Arc<str>,
    last_input: LastSchema,
    pyarrow: Arc<PyarrowSchema>,
}

impl Run {
    /// The run of a query that reads such an input.
    pub fn new(
        run: hypostyle::Run,
        inputs: hypostyle::Schema,
        outputs: &hypostyle::Schema,
        sql: &Arc<str>,
    ) -> Self {
        Self {
            run: Mutex::new(Some(run)),
            inputs,
            outputs: outputs.clone(),
            schema: Arc::new(outputs.to_arrow()),
            sql: Arc::clone(sql),
            last_input: LastSchema::default(),
            pyarrow: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<hypostyle::Run>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the run and takes what has come out.
    fn advance(
        &self,
        py: Python<'_>,
        step: impl FnOnce(&mut hypostyle::Run) -> Result<()> + Send,
    ) -> PyResult<Vec<Batch>> {
        let result = py.detach(|| -> Result<_> {
            let mut held = self.lock();
            let run = held.as_mut().ok_or_else(|| Error::user("the run has ended"))?;
            let result = step(run).and_then(|()| {
                let mut batches = Vec::new();
                while let Some(batch) = run.next()? {
                    batches.push(batch.export(&self.schema)?);
                }
                Ok(batches)
            });
            if result.is_err() || run.is_finished() {
                *held = None;
            }
            result
        });
        let batches = result.raise_in(py, &self.sql)?.into_iter();
        Ok(batches.map(|batch| Batch { batch, pyarrow: Arc::clone(&self.pyarrow) }).collect())
    }
}

#[pymethods]
impl Run {
    /// Names and types of the columns that are pushed.
    #[getter]
    fn inputs(&self) -> Schema {
        Schema::new(self.inputs.clone())
    }

    /// Names and types of the columns that come out.
    #[getter]
    fn outputs(&self) -> Schema {
        Schema::new(self.outputs.clone())
    }

    /// Pushes rows; what has come out.
    fn push(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Vec<Batch>> {
        let (_, batches) = arrow_rows(py, data, &self.last_input)?;
        self.advance(py, |run| {
            batches.iter().try_for_each(|batch| Ok(run.push(hypostyle::input_batch(batch, &self.inputs)?)?))
        })
    }

    /// States that no more rows come; the rest of what comes out.
    fn finish(&self, py: Python<'_>) -> PyResult<Vec<Batch>> {
        self.advance(py, |run| Ok(run.finish()?))
    }

    /// The state between two batches, as bytes.
    fn snapshot(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        let snapshot = py.detach(|| match &*self.lock() {
            Some(run) => Ok(run.snapshot()?),
            None => Err(Error::user("the run has ended")),
        });
        snapshot.raise_in(py, &self.sql)
    }

    /// Goes on from a snapshot.
    fn restore(&self, py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
        self.advance(py, |run| Ok(run.restore(snapshot)?)).map(drop)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let run = self.lock().take();
        without_interpreter(move || drop(run));
    }
}

//! The session as Python sees it.

use std::path::PathBuf;
use std::sync::Arc;

use hypostyle::{Configuration, Value, parse_bytes};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::border;
use crate::error::{Raise, exception, usage};
use crate::fitting::Fits;
use crate::prepared::Prepared;
use crate::rows::Rows;
use crate::table::Table;
use crate::transform::{FitState, Transform, states_of};
use crate::user_function::{self, Signature, type_of};
use crate::value::from_python;

/// Tables, functions, views and settings by name.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Session {
    pub session: hypostyle::Session,
    fits: Fits,
}

#[pymethods]
impl Session {
    #[new]
    #[pyo3(signature = (threads=None, memory_limit=None, batch_rows=None, temp_directory=None))]
    fn new(
        py: Python<'_>,
        threads: Option<usize>,
        memory_limit: Option<&Bound<'_, PyAny>>,
        batch_rows: Option<usize>,
        temp_directory: Option<PathBuf>,
    ) -> PyResult<Self> {
        let mut configuration = Configuration::default();
        if let Some(threads) = threads {
            configuration.threads = threads;
        }
        if let Some(rows) = batch_rows {
            configuration.batch_rows = rows;
        }
        if !(1..=1024).contains(&configuration.threads) || !(1..=1 << 20).contains(&configuration.batch_rows)
        {
            return Err(usage(py, "threads takes a number from 1 to 1024, batch_rows one from 1 to 1048576"));
        }
        configuration.memory_limit_bytes = memory_limit.map(|limit| bytes(py, limit)).transpose()?;
        configuration.temp_directory = temp_directory;
        let session = hypostyle::Session::with_configuration(configuration);
        Fits::observe(&session);
        Ok(Self { session, fits: Fits::default() })
    }

    /// Runs statements; the rows are those of the last one.
    fn sql(&self, py: Python<'_>, text: &str) -> PyResult<Rows> {
        let lower = text.to_ascii_lowercase();
        // Only fits, those of analyzers OVER () too, and pivots take long before there is an answer that can be stopped.
        let answer = match ["fit", "over", "pivot"].iter().any(|word| lower.contains(word)) {
            true => self.fitted(py, text, || self.session.sql(text))?,
            false => py.detach(|| self.session.sql(text)).raise_in(py, text)?,
        };
        Rows::new(py, answer, text)
    }

    /// Makes a query ready.
    fn prepare(&self, py: Python<'_>, text: &str) -> PyResult<Prepared> {
        let prepared = py.detach(|| self.session.prepare(text)).raise_in(py, text)?;
        Ok(Prepared::new(prepared, text))
    }

    /// Fits a definition on a source: a table, a path in quotes or a query.
    fn fit(&self, py: Python<'_>, definition: &str, source: &str) -> PyResult<Transform> {
        let transform = self.fitted(py, definition, || self.session.fit(definition, source))?;
        Ok(Transform { transform })
    }

    /// Fits one piece of the rows as far as it goes without the others.
    fn fit_partial(
        &self,
        py: Python<'_>,
        definition: &str,
        source: &str,
        piece: u32,
        before: Vec<Bound<'_, FitState>>,
    ) -> PyResult<FitState> {
        let before = states_of(&before);
        let fit = || self.session.fit_partial(definition, source, piece, &before);
        Ok(FitState { state: self.fitted(py, definition, fit)? })
    }

    /// Stops the fits that run; each raises a `CancelledError`. May be called from any thread.
    fn cancel_fits(&self, py: Python<'_>) {
        py.detach(|| self.fits.stop());
    }

    /// Merges states of one level into one.
    fn merge_fits(&self, py: Python<'_>, states: Vec<Bound<'_, FitState>>) -> PyResult<FitState> {
        let states = states_of(&states);
        Ok(FitState { state: py.detach(|| self.session.merge_fits(&states)).raise(py)? })
    }

    /// The transform that the states of all levels come to.
    fn finish_fit(
        &self,
        py: Python<'_>,
        definition: &str,
        states: Vec<Bound<'_, FitState>>,
    ) -> PyResult<Transform> {
        let states = states_of(&states);
        let transform = self.fitted(py, definition, || self.session.finish_fit(definition, &states))?;
        Ok(Transform { transform })
    }

    /// The fitted transform of this name.
    fn transform(&self, py: Python<'_>, name: &str) -> PyResult<Transform> {
        Ok(Transform { transform: py.detach(|| self.session.transform(name)).raise(py)? })
    }

    /// Reads a transform from a file.
    fn load_transform(&self, py: Python<'_>, path: PathBuf) -> PyResult<Transform> {
        Ok(Transform { transform: py.detach(|| self.session.load_transform(&path)).raise(py)? })
    }

    /// Gives a transform a name, under which SQL applies it.
    fn register_transform(&self, py: Python<'_>, name: &str, transform: &Transform) {
        py.detach(|| self.session.register_transform(name, &transform.transform));
    }

    /// Adds a function of Python: `function(columns, rows)` gives a column; of an aggregate, one value for a group.
    #[allow(clippy::too_many_arguments)]
    fn register_function(
        &self,
        py: Python<'_>,
        name: &str,
        takes: Vec<Bound<'_, PyAny>>,
        gives: &Bound<'_, PyAny>,
        strict: bool,
        volatile: bool,
        aggregates: bool,
        function: Py<PyAny>,
    ) -> PyResult<()> {
        let takes =
            takes.iter().map(|given| type_of(py, &self.session, given)).collect::<PyResult<Vec<_>>>()?;
        let gives = type_of(py, &self.session, gives)?;
        let signature = Signature { name: name.to_owned(), takes, gives, strict };
        if aggregates {
            let function = user_function::aggregate(signature, function).raise(py)?;
            py.detach(|| self.session.register_aggregate(function));
        } else {
            let function = user_function::scalar(signature, volatile, function).raise(py)?;
            py.detach(|| self.session.register_scalar(function));
        }
        Ok(())
    }

    /// Adds an input whose rows the caller pushes into each run.
    fn register_input(&self, py: Python<'_>, name: &str, schema: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(field) = border::import_field(schema)? else {
            return Err(PyTypeError::new_err(format!(
                "{} is no schema: it has no __arrow_c_schema__",
                schema.get_type()
            )));
        };
        let schema = hypostyle::Schema::from_arrow(&border::schema_of(&field)).raise(py)?;
        py.detach(|| self.session.register_input(name, schema));
        Ok(())
    }

    /// Gives a table a name, or takes it away; the table that had the name.
    fn replace_table(&self, py: Python<'_>, name: &str, table: Option<&Table>) -> Option<Table> {
        let catalog = self.session.catalog();
        let before = py.detach(|| match table {
            Some(table) => catalog.add_table(name, Arc::clone(&table.table)),
            None => catalog.remove_table(name),
        });
        before.map(|table| Table { table })
    }

    /// Gives a file, a pattern or a list of files a name.
    fn register_file(&self, py: Python<'_>, name: &str, path: &str) -> PyResult<()> {
        py.detach(|| self.session.register_file(name, path)).raise(py)
    }

    /// Names of all tables and views, sorted.
    fn table_names(&self, py: Python<'_>) -> Vec<String> {
        py.detach(|| {
            let mut names = self.session.catalog().table_names();
            names.extend(self.session.view_names());
            names.sort();
            names
        })
    }

    /// All settings: name, value and description.
    fn settings(&self, py: Python<'_>) -> Vec<(&'static str, String, &'static str)> {
        let settings = py.detach(|| self.session.settings());
        settings.into_iter().map(|setting| (setting.name, setting.value, setting.description)).collect()
    }

    /// Changes a setting.
    fn set(&self, py: Python<'_>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = match from_python(value)? {
            Value::Null => return py.detach(|| self.session.reset(name)).raise(py),
            value => value,
        };
        py.detach(|| self.session.set(name, &value)).raise(py)
    }
}

impl Session {
    /// Runs what may fit for long, so that Ctrl-C stops it.
    fn fitted<R: Send>(
        &self,
        py: Python<'_>,
        sql: &str,
        fit: impl FnOnce() -> hypostyle::Result<R> + Send,
    ) -> PyResult<R> {
        let (result, raised) = py.detach(|| self.fits.run(fit));
        result.map_err(|error| raised.unwrap_or_else(|| exception(py, &error, Some(sql))))
    }
}

fn bytes(py: Python<'_>, limit: &Bound<'_, PyAny>) -> PyResult<usize> {
    let found = match limit.extract::<usize>() {
        Ok(bytes) => Some(bytes).filter(|bytes| *bytes > 0),
        Err(_) => limit.extract::<String>().ok().and_then(|text| parse_bytes(&text)),
    };
    found.ok_or_else(|| usage(py, "memory_limit takes a number of bytes or a size such as '1GiB'"))
}

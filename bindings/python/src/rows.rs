//! The rows that a statement gives: shown in part, streamed once, or kept and read any number of times.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hypostyle::arrow::array::{RecordBatch, RecordBatchOptions, RecordBatchReader};
use hypostyle::arrow::compute::concat_batches;
use hypostyle::arrow::datatypes::SchemaRef;
use hypostyle::arrow::error::ArrowError;
use hypostyle::{Answer, Error, RunHandle};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::attached::{Signals, without_interpreter};
use crate::batch::{Batch, PyarrowSchema, Schema, cast_to};
use crate::border;
use crate::error::{Raise, exception, usage};

/// Batches that are there, then those of a run.
struct Source {
    front: VecDeque<RecordBatch>,
    answer: Option<Answer>,
}

/// Why there is no next batch.
enum Stop {
    Failed(Error),
    /// A handler of signals raised this.
    Interrupted(PyErr),
}

impl Stop {
    fn exception(self, py: Python<'_>, sql: &str) -> PyErr {
        match self {
            Self::Failed(error) => exception(py, &error, Some(sql)),
            Self::Interrupted(raised) => raised,
        }
    }
}

impl Source {
    /// The next batch. Called without the interpreter.
    fn next(&mut self) -> Result<Option<RecordBatch>, Stop> {
        if let Some(batch) = self.front.pop_front() {
            return Ok(Some(batch));
        }
        self.run_next()
    }

    /// The next batch of the run.
    fn run_next(&mut self) -> Result<Option<RecordBatch>, Stop> {
        let Some(answer) = &mut self.answer else { return Ok(None) };
        let mut signals = Signals::default();
        let next = answer.next_batch_unless(&mut || signals.has_raised());
        if !matches!(next, Ok(Some(_))) {
            self.answer = None;
        }
        match (next, signals.take()) {
            (Err(error), Some(raised)) if error.is_cancelled() => Err(Stop::Interrupted(raised)),
            (Err(error), _) => Err(Stop::Failed(error)),
            (Ok(batch), _) => Ok(batch),
        }
    }
}

impl Drop for Source {
    /// A run that is given up waits for its threads, and these may wait for the interpreter.
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            without_interpreter(move || drop(answer));
        }
    }
}

enum State {
    /// Nobody has asked for the rows; some may have been looked at.
    Fresh(Source),
    /// All rows, for any number of readers.
    Kept(Arc<Vec<RecordBatch>>),
    /// A reader has them.
    Taken,
}

/// The rows of a statement. `open` and `__arrow_c_stream__` hand them out, once unless `keep` was called.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Rows {
    sql: Arc<str>,
    types: hypostyle::Schema,
    schema: SchemaRef,
    /// The one row counts what the statement wrote.
    counts_writes: bool,
    handle: Option<RunHandle>,
    state: Mutex<State>,
    failure: Failure,
    pyarrow: Arc<PyarrowSchema>,
}

/// What ended a stream whose consumer can only be told a text.
type Failure = Arc<Mutex<Option<PyErr>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rows {
    /// The rows of an answer to `sql`. Statements that write run to their end at once.
    pub fn new(py: Python<'_>, answer: Answer, sql: &str) -> PyResult<Self> {
        let writes = answer.counts_writes();
        let rows = Self {
            sql: sql.into(),
            types: answer.schema().clone(),
            schema: Arc::clone(answer.arrow_schema()),
            counts_writes: writes,
            handle: answer.handle(),
            state: Mutex::new(State::Fresh(Source { front: VecDeque::new(), answer: Some(answer) })),
            failure: Failure::default(),
            pyarrow: Arc::default(),
        };
        if writes {
            rows.keep(py)?;
        }
        Ok(rows)
    }

    /// Rows that are there.
    pub fn of_batches(types: hypostyle::Schema, batches: Vec<RecordBatch>) -> Self {
        Self {
            sql: "".into(),
            schema: Arc::new(types.to_arrow()),
            types,
            counts_writes: false,
            handle: None,
            state: Mutex::new(State::Kept(Arc::new(batches))),
            failure: Failure::default(),
            pyarrow: Arc::default(),
        }
    }

    fn batch(&self, batch: RecordBatch) -> Batch {
        Batch { batch, pyarrow: Arc::clone(&self.pyarrow) }
    }

    fn take(&self, py: Python<'_>) -> PyResult<Source> {
        let taken = py.detach(|| {
            let mut state = lock(&self.state);
            match &*state {
                State::Kept(batches) => {
                    Some(Source { front: batches.iter().cloned().collect(), answer: None })
                }
                _ => match std::mem::replace(&mut *state, State::Taken) {
                    State::Fresh(source) => Some(source),
                    _ => None,
                },
            }
        });
        taken.ok_or_else(|| {
            usage(
                py,
                "the rows of this result have been handed out already; run the query again, or call .collect() first \
                 to read them several times",
            )
        })
    }

    /// Fetches batches until there are `rows`, or all.
    fn fetch(&self, py: Python<'_>, rows: Option<usize>) -> PyResult<Vec<RecordBatch>> {
        let fetched = py.detach(|| {
            let mut state = lock(&self.state);
            let source = match &mut *state {
                State::Kept(batches) => return Ok(Some(batches.as_ref().clone())),
                State::Taken => return Ok(None),
                State::Fresh(source) => source,
            };
            let mut there: usize = source.front.iter().map(RecordBatch::num_rows).sum();
            while rows.is_none_or(|rows| there < rows) {
                match source.run_next() {
                    Ok(Some(batch)) => {
                        there += batch.num_rows();
                        source.front.push_back(batch);
                    }
                    Ok(None) => break,
                    Err(stop) => {
                        *state = State::Taken;
                        return Err(stop);
                    }
                }
            }
            let batches: Vec<_> = source.front.iter().cloned().collect();
            if rows.is_none() {
                *state = State::Kept(Arc::new(batches.clone()));
            }
            Ok(Some(batches))
        });
        Ok(fetched.map_err(|stop: Stop| stop.exception(py, &self.sql))?.unwrap_or_default())
    }
}

#[pymethods]
impl Rows {
    /// Names and types of the columns.
    #[getter]
    fn schema(&self) -> Schema {
        Schema::new(self.types.clone())
    }

    /// True if the one row counts what the statement wrote.
    #[getter]
    fn counts_writes(&self) -> bool {
        self.counts_writes
    }

    /// True if the rows are kept and can be read any number of times.
    #[getter]
    fn is_kept(&self, py: Python<'_>) -> bool {
        py.detach(|| matches!(&*lock(&self.state), State::Kept(_)))
    }

    /// True if a reader has the rows.
    #[getter]
    fn is_taken(&self, py: Python<'_>) -> bool {
        py.detach(|| matches!(&*lock(&self.state), State::Taken))
    }

    /// Fetches all rows and keeps them.
    fn keep(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_taken(py) {
            self.take(py)?;
        }
        self.fetch(py, None).map(drop)
    }

    /// Batches with at least `rows` rows, or all that there are; they stay and are handed out later.
    fn peek(&self, py: Python<'_>, rows: usize) -> PyResult<Vec<Batch>> {
        Ok(self.fetch(py, Some(rows))?.into_iter().map(|batch| self.batch(batch)).collect())
    }

    /// All rows as one batch; they are copied together where they come as several.
    fn one_batch(&self, py: Python<'_>) -> PyResult<Batch> {
        let mut source = self.take(py)?;
        let joined = py.detach(|| -> std::result::Result<RecordBatch, Stop> {
            let mut batches = Vec::new();
            while let Some(batch) = source.next()? {
                batches.push(batch);
            }
            match &batches[..] {
                [batch] => Ok(batch.clone()),
                batches => concat_batches(&self.schema, batches).map_err(|error| Stop::Failed(error.into())),
            }
        });
        joined.map(|batch| self.batch(batch)).map_err(|stop| stop.exception(py, &self.sql))
    }

    /// An iterator of batches.
    fn open(&self, py: Python<'_>) -> PyResult<Batches> {
        let source = Mutex::new(self.take(py)?);
        Ok(Batches { source, sql: Arc::clone(&self.sql), pyarrow: Arc::clone(&self.pyarrow) })
    }

    /// Stops the run; whoever reads gets a `CancelledError`. May be called from any thread.
    fn cancel(&self, py: Python<'_>) {
        if let Some(handle) = &self.handle {
            py.detach(|| handle.cancel());
        }
    }

    /// Share of the inputs that has been read, from 0 to 1.
    fn progress(&self, py: Python<'_>) -> f64 {
        self.handle.as_ref().map_or(1.0, |handle| py.detach(|| handle.progress()))
    }

    /// What ended a stream of these rows, if it failed: an exception of this package.
    fn failure(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        py.detach(|| lock(&self.failure).take()).map(|error| error.into_value(py).into_any())
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        border::schema_capsule(py, &self.schema)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = match requested_schema {
            Some(requested) => {
                let wanted = border::schema_of(&border::field_of_capsule(&requested)?);
                // Refused here, where the caller is told why, and not at the first batch.
                cast_batch(&RecordBatch::new_empty(Arc::clone(&self.schema)), &wanted).raise(py)?;
                wanted
            }
            None => Arc::clone(&self.schema),
        };
        let source = self.take(py)?;
        let stream =
            Stream { source, schema, sql: Arc::clone(&self.sql), failure: Arc::clone(&self.failure) };
        border::stream_capsule(py, Box::new(stream))
    }
}

/// A batch in other layouts of its types.
pub fn cast_batch(batch: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch, Error> {
    if batch.num_columns() != wanted.fields().len() {
        return Err(Error::user(format!(
            "the requested schema has {} columns; the result has {}",
            wanted.fields().len(),
            batch.num_columns()
        )));
    }
    let columns = batch.columns().iter().zip(wanted.fields());
    let columns =
        columns.map(|(array, field)| cast_to(array, field.data_type())).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(wanted), columns, &options)?)
}

/// Batches of a result, one after the other.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Batches {
    source: Mutex<Source>,
    sql: Arc<str>,
    pyarrow: Arc<PyarrowSchema>,
}

#[pymethods]
impl Batches {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        match py.detach(|| lock(&self.source).next()) {
            Ok(batch) => Ok(batch.map(|batch| Batch { batch, pyarrow: Arc::clone(&self.pyarrow) })),
            Err(stop) => Err(stop.exception(py, &self.sql)),
        }
    }
}

/// Batches of a result as consumers of the C stream interface pull them.
struct Stream {
    source: Source,
    schema: SchemaRef,
    sql: Arc<str>,
    failure: Failure,
}

impl Stream {
    /// The text of an error for the consumer; the exception itself is put down for whoever asked the consumer.
    fn failed(&self, stop: Stop) -> ArrowError {
        let text = match &stop {
            Stop::Failed(error) => error.render(&self.sql),
            Stop::Interrupted(_) => {
                border::interrupt();
                "interrupted".to_owned()
            }
        };
        let raised = Python::try_attach(|py| stop.exception(py, &self.sql));
        *lock(&self.failure) = raised;
        ArrowError::ExternalError(text.into())
    }
}

impl Iterator for Stream {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = without_interpreter(|| {
            let batch = self.source.next()?;
            batch.map(|batch| cast_batch(&batch, &self.schema)).transpose().map_err(Stop::Failed)
        });
        next.map_err(|stop| self.failed(stop)).transpose()
    }
}

impl RecordBatchReader for Stream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

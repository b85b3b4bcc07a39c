//! Errors of the engine as the exceptions of `hypostyle.errors`.

use hypostyle::{Category, Error};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Name of the exception class.
fn class(category: Category) -> &'static str {
    match category {
        Category::Sql => "SqlError",
        Category::Unsupported => "UnsupportedError",
        Category::Data => "DataError",
        Category::Input => "InputError",
        Category::Memory => "OutOfMemoryError",
        Category::Resource => "ResourceError",
        Category::Cancelled => "CancelledError",
        Category::Usage => "UsageError",
        _ => "InternalError",
    }
}

/// The exception of an error; with the text of the query its message shows the line and the place in it.
pub fn exception(py: Python<'_>, error: &Error, sql: Option<&str>) -> PyErr {
    let message = sql.map_or_else(|| error.to_string(), |sql| error.render(sql));
    let made = named(py, class(error.category()), &message).and_then(|exception| {
        if let Some((line, column)) = error.place() {
            exception.setattr("line", line)?;
            exception.setattr("column", column)?;
        }
        if let Some(raised) = error.cause().and_then(|cause| cause.get::<PyErr>()) {
            let value = raised.value(py);
            value.setattr("__traceback__", raised.traceback(py))?;
            exception.setattr("__cause__", value)?;
        }
        Ok(PyErr::from_value(exception))
    });
    // Where the module of exceptions cannot be loaded, the message is what is left.
    made.unwrap_or_else(|_| PyRuntimeError::new_err(message))
}

fn named<'py>(py: Python<'py>, class: &str, message: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("hypostyle.errors")?.getattr(class)?.call1((message,))
}

/// A `UsageError` with this text.
pub fn usage(py: Python<'_>, message: impl Into<String>) -> PyErr {
    exception(py, &Error::user(message), None)
}

/// Turns the errors of results into exceptions.
pub trait Raise<T> {
    /// The value, or the exception of the error.
    fn raise(self, py: Python<'_>) -> PyResult<T>;

    /// As [`Raise::raise`], with the text of the query.
    fn raise_in(self, py: Python<'_>, sql: &str) -> PyResult<T>;
}

impl<T, E: Into<Error>> Raise<T> for Result<T, E> {
    fn raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error.into(), None))
    }

    fn raise_in(self, py: Python<'_>, sql: &str) -> PyResult<T> {
        self.map_err(|error| exception(py, &error.into(), Some(sql)))
    }
}

//! Tables whose rows another library reads when a query asks for them, told which columns and rows are wanted.

use std::sync::{Arc, Mutex, PoisonError};

use hypostyle::arrow::array::ArrayRef;
use hypostyle::arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use hypostyle::plan::Expression;
use hypostyle::table::{FilterSupport, Reader, Scan, ScanRequest, TableProvider};
use hypostyle::{Batch, Context, EngineError, Type, Value};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::border::{self, ImportedStream};
use crate::value::to_python;

type Result<T> = std::result::Result<T, EngineError>;

/// A table that `open(columns, conditions, batch_rows)` of Python reads: it gives an object with `__arrow_c_stream__` that has
/// these columns, and may leave out rows that do not satisfy the conditions.
pub struct ScannedTable {
    pub schema: hypostyle::Schema,
    pub open: Arc<Py<PyAny>>,
    pub description: String,
}

impl TableProvider for ScannedTable {
    fn schema(&self) -> &hypostyle::Schema {
        &self.schema
    }

    fn filter_support(&self, filter: &Expression) -> FilterSupport {
        match condition(filter, &self.schema) {
            Some(_) => FilterSupport::Inexact,
            None => FilterSupport::None,
        }
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    fn scan(&self, request: ScanRequest, _: &Arc<Context>) -> Result<Arc<dyn Scan>> {
        let fields = request.projection.iter().filter_map(|&column| self.schema.fields.get(column).cloned());
        let schema = hypostyle::Schema::new(fields.collect());
        let conditions =
            request.filters.iter().filter_map(|filter| condition(filter, &self.schema)).collect();
        Ok(Arc::new(StreamScan {
            schema,
            open: Arc::clone(&self.open),
            conditions,
            batch_rows: request.batch_rows.max(1),
            description: self.description.clone(),
            stream: Mutex::new(Stream::Closed),
        }))
    }
}

/// A condition that other libraries understand: it depends on one column and constants, and null counts as false.
#[derive(Debug, Clone)]
enum Condition {
    Compare(&'static str, String, Value),
    In(String, Vec<Value>),
    IsNull(String),
    IsNotNull(String),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// What of a filter can be told; of a conjunction any part will do.
fn condition(filter: &Expression, schema: &hypostyle::Schema) -> Option<Condition> {
    match filter {
        Expression::And(parts) => {
            let told: Vec<_> = parts.iter().filter_map(|part| condition(part, schema)).collect();
            (!told.is_empty()).then_some(Condition::And(told))
        }
        Expression::Or(parts) => {
            parts.iter().map(|part| condition(part, schema)).collect::<Option<_>>().map(Condition::Or)
        }
        Expression::Call { function, arguments, .. } => match (function.as_str(), &arguments[..]) {
            ("is_null", [column]) => Some(Condition::IsNull(name(column, schema)?)),
            ("is_not_null", [column]) => Some(Condition::IsNotNull(name(column, schema)?)),
            ("in_list", [column, values @ ..]) => {
                let values = values.iter().map(constant).collect::<Option<Vec<_>>>()?;
                Some(Condition::In(name(column, schema)?, values))
            }
            (function, [left, right]) => {
                let (function, turned) = comparison(function)?;
                match (name(left, schema), constant(right)) {
                    (Some(column), Some(value)) => Some(Condition::Compare(function, column, value)),
                    _ => Some(Condition::Compare(turned, name(right, schema)?, constant(left)?)),
                }
            }
            _ => None,
        },
        _ => None,
    }
}

/// The comparison as Python writes it, and with its sides exchanged.
fn comparison(function: &str) -> Option<(&'static str, &'static str)> {
    Some(match function {
        "=" => ("==", "=="),
        "<" => ("<", ">"),
        "<=" => ("<=", ">="),
        ">" => (">", "<"),
        ">=" => (">=", "<="),
        _ => return None,
    })
}

fn name(expression: &Expression, schema: &hypostyle::Schema) -> Option<String> {
    match expression {
        Expression::Column { index, .. } => schema.fields.get(*index).map(|field| field.name.clone()),
        _ => None,
    }
}

/// A constant that other libraries compare as the engine does.
fn constant(expression: &Expression) -> Option<Value> {
    let Expression::Literal(literal) = expression else { return None };
    let is_plain = literal.data_type.is_integer()
        || matches!(
            literal.data_type,
            Type::Boolean | Type::Float32 | Type::Float64 | Type::Text | Type::Date | Type::Timestamp(_)
        );
    let is_number = literal.value.as_f64().is_none_or(|value| !value.is_nan());
    (is_plain && is_number && !literal.value.is_null()).then(|| literal.value.clone())
}

impl Condition {
    /// Tuples of a word and operands.
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let all = |parts: &[Condition]| -> PyResult<Bound<'py, PyList>> {
            PyList::new(py, parts.iter().map(|part| part.to_python(py)).collect::<PyResult<Vec<_>>>()?)
        };
        match self {
            Self::Compare(function, column, value) => {
                (*function, column, to_python(py, value)?).into_pyobject(py)
            }
            Self::In(column, values) => {
                let values = values.iter().map(|value| to_python(py, value)).collect::<PyResult<Vec<_>>>()?;
                ("in", column, values).into_pyobject(py)
            }
            Self::IsNull(column) => ("is_null", column).into_pyobject(py),
            Self::IsNotNull(column) => ("is_not_null", column).into_pyobject(py),
            Self::And(parts) => ("and", all(parts)?).into_pyobject(py),
            Self::Or(parts) => ("or", all(parts)?).into_pyobject(py),
        }
    }
}

/// A stream that workers share: each takes the next batch of it.
struct StreamScan {
    schema: hypostyle::Schema,
    open: Arc<Py<PyAny>>,
    conditions: Vec<Condition>,
    batch_rows: usize,
    description: String,
    stream: Mutex<Stream>,
}

enum Stream {
    Closed,
    Open(Box<ImportedStream>, SchemaRef),
    Ended,
}

impl StreamScan {
    fn failed(&self, problem: impl std::fmt::Display) -> EngineError {
        EngineError::input(&self.description, problem.to_string())
    }

    /// Asks Python for the stream.
    fn open(&self) -> Result<Stream> {
        let opened = Python::try_attach(|py| -> PyResult<_> {
            let columns: Vec<&str> = self.schema.fields.iter().map(|field| field.name.as_str()).collect();
            let conditions = self
                .conditions
                .iter()
                .map(|condition| condition.to_python(py))
                .collect::<PyResult<Vec<_>>>()?;
            let given = self.open.bind(py).call1((columns, conditions, self.batch_rows))?;
            border::import_stream(&given)
        });
        match opened {
            Some(Ok(Some(stream))) => {
                let schema = border::schema_of(&stream.field);
                self.check(&schema)?;
                Ok(Stream::Open(Box::new(stream), schema))
            }
            Some(Ok(None)) => Err(self.failed("what was opened has no __arrow_c_stream__")),
            Some(Err(error)) => Err(self.failed(error)),
            None => Err(self.failed("Python is shutting down")),
        }
    }

    /// What comes must be what was asked for.
    fn check(&self, given: &ArrowSchema) -> Result<()> {
        let types = hypostyle::Schema::from_arrow(given)?;
        let same = types.fields.len() == self.schema.fields.len()
            && types
                .fields
                .iter()
                .zip(&self.schema.fields)
                .all(|(given, wanted)| given.data_type == wanted.data_type);
        if same || self.schema.fields.is_empty() {
            return Ok(());
        }
        Err(self.failed("the stream that was opened has other columns than were asked for"))
    }
}

impl Scan for StreamScan {
    fn claim(&self) -> Result<Option<Box<dyn Reader>>> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*stream, Stream::Closed) {
            *stream = self.open()?;
        }
        loop {
            let Stream::Open(open, schema) = &mut *stream else { return Ok(None) };
            let array: ArrayRef = match open.arrays.next() {
                Some(array) => array.map_err(|error| self.failed(error))?,
                None => {
                    *stream = Stream::Ended;
                    return Ok(None);
                }
            };
            let rows = border::rows_of(array, schema).map_err(|error| self.failed(error))?;
            if rows.num_rows() > 0 {
                let batch = match self.schema.fields.is_empty() {
                    true => Batch::new(Vec::new(), rows.num_rows()),
                    false => Batch::import(&rows, &self.schema)?,
                };
                return Ok(Some(Box::new(Parts { batch, start: 0, batch_rows: self.batch_rows })));
            }
        }
    }
}

/// A batch in parts.
struct Parts {
    batch: Batch,
    start: usize,
    batch_rows: usize,
}

impl Reader for Parts {
    fn next(&mut self) -> Result<Option<Batch>> {
        let length = self.batch_rows.min(self.batch.rows - self.start);
        if length == 0 {
            return Ok(None);
        }
        let part = self.batch.slice(self.start, length);
        self.start += length;
        Ok(Some(part))
    }
}

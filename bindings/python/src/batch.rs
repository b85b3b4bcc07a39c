//! Batches, their columns and schemas as Python objects that hand out capsules.

use std::sync::Arc;

use hypostyle::arrow::array::{Array, ArrayRef, RecordBatch, StructArray};
use hypostyle::arrow::datatypes::{DataType, Field};
use hypostyle::column::{import, value_at};
use hypostyle::functions::scratch::Scratch;
use hypostyle::{Type, row_texts};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyTuple};

use crate::array_view::Values;
use crate::border;
use crate::error::Raise;
use crate::rows::cast_batch;
use crate::value::to_python;

/// Names and types of columns; speaks the Arrow PyCapsule protocol (`__arrow_c_schema__`).
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Schema {
    schema: hypostyle::Schema,
}

impl Schema {
    pub fn new(schema: hypostyle::Schema) -> Self {
        Self { schema }
    }
}

#[pymethods]
impl Schema {
    /// Names of the columns, in order; they may repeat.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.schema.fields.iter().map(|field| field.name.as_str()).collect()
    }

    /// SQL types of the columns, in order, as text.
    #[getter]
    fn types(&self) -> Vec<String> {
        self.schema.fields.iter().map(|field| field.data_type.to_string()).collect()
    }

    fn __len__(&self) -> usize {
        self.schema.fields.len()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.schema == other.schema
    }

    fn __repr__(&self) -> String {
        let field = |field: &hypostyle::Field| format!("{}: {}", field.name, field.data_type);
        format!("Schema({})", self.schema.fields.iter().map(field).collect::<Vec<_>>().join(", "))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        border::schema_capsule(py, &self.schema.to_arrow())
    }
}

/// Some rows of a result: columns of one length, in Arrow's layout, alive as long as anyone refers to them.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Batch {
    pub batch: RecordBatch,
}

#[pymethods]
impl Batch {
    /// Number of rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Number of columns.
    #[getter]
    fn num_columns(&self) -> usize {
        self.batch.num_columns()
    }

    /// Names of the columns, in order; they may repeat.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The column at this position or of this name; of several of one name the first.
    ///
    /// Errors: `KeyError` and `IndexError`.
    fn column(&self, key: &Bound<'_, PyAny>) -> PyResult<Column> {
        let schema = self.batch.schema();
        let position = match key.extract::<isize>() {
            Ok(position) => {
                let from_end =
                    if position < 0 { position + self.batch.num_columns() as isize } else { position };
                usize::try_from(from_end)
                    .ok()
                    .filter(|position| *position < self.batch.num_columns())
                    .ok_or_else(|| {
                        PyIndexError::new_err(format!("column {position} of {}", self.batch.num_columns()))
                    })?
            }
            Err(_) => {
                let name: String = key
                    .extract()
                    .map_err(|_| PyTypeError::new_err("a column is asked for by its name or its position"))?;
                schema
                    .fields()
                    .iter()
                    .position(|field| *field.name() == name)
                    .ok_or_else(|| PyKeyError::new_err(name))?
            }
        };
        Ok(Column {
            field: Arc::clone(&schema.fields()[position]),
            array: Arc::clone(self.batch.column(position)),
        })
    }

    /// All columns, in order.
    fn columns(&self) -> Vec<Column> {
        let schema = self.batch.schema();
        let columns = schema.fields().iter().zip(self.batch.columns());
        columns.map(|(field, array)| Column { field: Arc::clone(field), array: Arc::clone(array) }).collect()
    }

    /// `length` rows from `start`, without copying; fewer where there are no more.
    #[pyo3(signature = (start, length=None))]
    fn slice(&self, start: usize, length: Option<usize>) -> Self {
        let start = start.min(self.batch.num_rows());
        let rest = self.batch.num_rows() - start;
        Self { batch: self.batch.slice(start, length.unwrap_or(rest).min(rest)) }
    }

    /// The rows as tuples of Python values.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let columns = self.columns();
        let columns = columns.iter().map(|column| column.values(py)).collect::<PyResult<Vec<_>>>()?;
        (0..self.batch.num_rows())
            .map(|row| PyTuple::new(py, columns.iter().map(|column| &column[row])))
            .collect()
    }

    /// The rows as SQL prints them: texts, and None for null.
    fn texts(&self, py: Python<'_>) -> PyResult<Vec<Vec<Option<String>>>> {
        py.detach(|| row_texts(&self.batch)).raise(py)
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("Batch({} rows: {})", self.batch.num_rows(), self.column_names().join(", "))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        border::schema_capsule(py, &self.batch.schema())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let batch = match requested_schema {
            Some(requested) => {
                let wanted = border::schema_of(&border::field_of_capsule(&requested)?);
                cast_batch(&self.batch, &wanted).raise(py)?
            }
            None => self.batch.clone(),
        };
        let rows = StructArray::from(batch);
        let field = Field::new("", rows.data_type().clone(), false);
        border::array_capsules(py, &field, &rows)
    }
}

/// One column of a batch.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Column {
    pub field: Arc<Field>,
    pub array: ArrayRef,
}

impl Column {
    /// The values as Python has them.
    pub fn values<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let data_type = Type::from_arrow(self.field.data_type()).raise(py)?;
        let column = import(&self.array, &data_type).raise(py)?;
        let scratch = Scratch::default();
        let view = column.view(&data_type, &scratch.arena);
        (0..self.array.len()).map(|row| to_python(py, &value_at(&view, row))).collect()
    }
}

#[pymethods]
impl Column {
    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        self.field.name()
    }

    /// Its SQL type, as text.
    #[getter]
    fn r#type(&self, py: Python<'_>) -> PyResult<String> {
        Ok(Type::from_arrow(self.field.data_type()).raise(py)?.to_string())
    }

    /// Number of nulls.
    #[getter]
    fn null_count(&self) -> usize {
        self.array.null_count()
    }

    /// True for numbers, dates, timestamps and embeddings, whose values lie side by side in memory.
    #[getter]
    fn has_fixed_width(&self) -> bool {
        Values::of(&self.array).is_some()
    }

    /// The values in place, if they lie side by side; what a null hides is any number.
    fn values_view(&self) -> Option<Values> {
        Values::of(&self.array)
    }

    /// True for each row that holds a value, as memory that NumPy reads.
    fn validity(&self) -> Values {
        Values::validity(&self.array)
    }

    /// The values as Python has them.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.values(py)?)
    }

    fn __len__(&self) -> usize {
        self.array.len()
    }

    fn __repr__(&self) -> String {
        format!("Column({}, {} rows)", self.field.name(), self.array.len())
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        border::field_capsule(py, &self.field)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        match requested_schema {
            Some(requested) => {
                let wanted = border::field_of_capsule(&requested)?;
                let array = cast_to(&self.array, wanted.data_type()).raise(py)?;
                border::array_capsules(py, &wanted, &array)
            }
            None => border::array_capsules(py, &self.field, &self.array),
        }
    }
}

/// An array in another layout of its type.
pub fn cast_to(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, hypostyle::Error> {
    use hypostyle::arrow::compute::{CastOptions, cast_with_options};
    if array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, wanted, &options).map_err(|error| hypostyle::Error::user(error.to_string()))
}

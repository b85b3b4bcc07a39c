//! Batches, their columns and schemas as Python objects that hand out capsules.

use std::sync::Arc;

use hypostyle::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StructArray, UInt32Array};
use hypostyle::arrow::compute::{concat, concat_batches, take_record_batch};
use hypostyle::arrow::datatypes::{DataType, Field};
use hypostyle::column::{import, value_at};
use hypostyle::functions::scratch::Scratch;
use hypostyle::{Type, row_texts};
use pyo3::exceptions::{PyBufferError, PyIndexError, PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCapsule, PyList, PyTuple};

use crate::array_view::Values;
use crate::border;
use crate::border::dlpack;
use crate::error::{Raise, usage};
use crate::rows::cast_batch;
use crate::shuffle;
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

/// Pyarrow's schema for batches of one schema, made when the first of them is given to pyarrow.
pub struct PyarrowSchema {
    /// The schema, and pyarrow's class of batches.
    made: PyOnceLock<(Py<PyAny>, Py<PyAny>)>,
}

impl Default for PyarrowSchema {
    fn default() -> Self {
        Self { made: PyOnceLock::new() }
    }
}

impl PyarrowSchema {
    fn get<'a>(&'a self, batch: &Bound<'_, Batch>) -> PyResult<&'a (Py<PyAny>, Py<PyAny>)> {
        let py = batch.py();
        self.made.get_or_try_init(py, || {
            let pyarrow = py.import("pyarrow")?;
            let schema = pyarrow.call_method1("schema", (batch,))?;
            Ok((schema.unbind(), pyarrow.getattr("RecordBatch")?.unbind()))
        })
    }
}

/// Some rows of a result: columns of one length, in Arrow's layout, alive as long as anyone refers to them.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Batch {
    pub batch: RecordBatch,
    pub pyarrow: Arc<PyarrowSchema>,
}

impl Batch {
    /// Other rows of the same schema.
    fn with_rows(&self, batch: RecordBatch) -> Self {
        Self { batch, pyarrow: Arc::clone(&self.pyarrow) }
    }
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
        self.with_rows(self.batch.slice(start, length.unwrap_or(rest).min(rest)))
    }

    /// The rows of these positions, in this order.
    ///
    /// Errors: `IndexError` for a position that is none.
    fn take(&self, py: Python<'_>, rows: Vec<u32>) -> PyResult<Self> {
        let count = self.batch.num_rows();
        if let Some(row) = rows.iter().find(|row| **row as usize >= count) {
            return Err(PyIndexError::new_err(format!("row {row} of {count}")));
        }
        let rows = UInt32Array::from(rows);
        let batch = py.detach(|| take_record_batch(&self.batch, &rows));
        Ok(self.with_rows(batch.map_err(hypostyle::Error::from).raise(py)?))
    }

    /// The rows in an order that `seed` decides, the same on every machine.
    fn shuffled(&self, py: Python<'_>, seed: u64) -> PyResult<Self> {
        let batch = py.detach(|| -> hypostyle::Result<RecordBatch> {
            let rows = shuffle::order(self.batch.num_rows(), seed)?;
            Ok(take_record_batch(&self.batch, &UInt32Array::from(rows))?)
        });
        Ok(self.with_rows(batch.raise(py)?))
    }

    /// The rows of several batches of one schema, one after the other.
    #[staticmethod]
    fn concat(py: Python<'_>, batches: Vec<Bound<'_, Self>>) -> PyResult<Self> {
        let Some(first) = batches.first().map(Bound::get) else {
            return Err(usage(py, "there is no batch, so there is no schema either"));
        };
        let batches: Vec<RecordBatch> = batches.iter().map(|batch| batch.get().batch.clone()).collect();
        if batches.iter().any(|batch| batch.schema() != first.batch.schema()) {
            return Err(usage(py, "the batches have different schemas"));
        }
        let batch = py.detach(|| concat_batches(first.batch.schema_ref(), &batches));
        Ok(first.with_rows(batch.map_err(hypostyle::Error::from).raise(py)?))
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

    /// The rows as a `pyarrow.RecordBatch`, without copying; copied where `schema`, one of pyarrow, asks for other layouts.
    #[pyo3(signature = (schema=None))]
    fn to_arrow<'py>(
        this: &Bound<'py, Self>,
        schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, batch) = (this.py(), this.get());
        let (ours, class) = batch.pyarrow.get(this)?;
        let (schema, rows) = match schema {
            None => (ours.bind(py).clone(), batch.batch.clone()),
            Some(schema) => {
                let Some(field) = border::import_field(&schema)? else {
                    return Err(PyTypeError::new_err(format!("{} is no schema", schema.get_type())));
                };
                let rows = py.detach(|| cast_batch(&batch.batch, &border::schema_of(&field)));
                (schema, rows.raise(py)?)
            }
        };
        border::pyarrow_batch(&schema, class.bind(py), &StructArray::from(rows))
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

    /// Number of elements of each row of a list, 0 where it is null; `None` for other columns.
    fn list_lengths(&self) -> Option<Values> {
        let lists = self.array.as_list_opt::<i32>()?;
        let lengths = (0..lists.len()).map(|row| match lists.is_valid(row) {
            true => i64::from(lists.value_length(row)),
            false => 0,
        });
        let lengths: ArrayRef = Arc::new(Int64Array::from_iter_values(lengths));
        Values::of(&lengths)
    }

    /// The elements of all lists, one after the other, without those that a null hides; `None` for other columns.
    fn list_values(&self, py: Python<'_>) -> PyResult<Option<Self>> {
        let Some(lists) = self.array.as_list_opt::<i32>() else { return Ok(None) };
        let field = match self.field.data_type() {
            DataType::List(element) => Arc::clone(element),
            _ => return Ok(None),
        };
        let hides = (0..lists.len()).any(|row| lists.is_null(row) && lists.value_length(row) > 0);
        let array = if hides {
            let parts: Vec<_> =
                (0..lists.len()).filter(|row| lists.is_valid(*row)).map(|row| lists.value(row)).collect();
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            match &parts[..] {
                [] => lists.values().slice(0, 0),
                parts => concat(parts).map_err(hypostyle::Error::from).raise(py)?,
            }
        } else {
            let offsets = lists.value_offsets();
            let (first, last) = (offsets[0] as usize, offsets[lists.len()] as usize);
            lists.values().slice(first, last - first)
        };
        Ok(Some(Self { field, array }))
    }

    /// The device of the memory, for DLPack: the CPU.
    fn __dlpack_device__(&self) -> (i32, i32) {
        (dlpack::CPU, 0)
    }

    /// The values as a tensor of DLPack, without copying; of embeddings one of two dimensions.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let refused =
            |why: &str| Err(PyBufferError::new_err(format!("column \"{}\" {why}", self.field.name())));
        if self.array.null_count() > 0 {
            return refused(
                "has nulls, which a tensor does not hold; fill them with coalesce, or use to_numpy",
            );
        }
        if stream.is_some() || dl_device.is_some_and(|device| device != (dlpack::CPU, 0)) {
            return refused("lies in the memory of the CPU");
        }
        if copy == Some(true) {
            return refused("is handed out without copying; copy the tensor");
        }
        match Values::of(&self.array) {
            Some(values) => dlpack::capsule(py, values, max_version.is_some_and(|(major, _)| major >= 1)),
            None => refused("has no values of fixed width side by side"),
        }
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

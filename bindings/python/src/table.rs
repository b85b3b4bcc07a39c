//! Tables of other libraries, given to a session.

use std::sync::Arc;

use hypostyle::MemoryTable;
use hypostyle::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_empty_array};
use hypostyle::arrow::compute::concat;
use hypostyle::arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use hypostyle::table::TableProvider;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::batch::Schema;
use crate::border::{self, ImportedStream, LastSchema};
use crate::error::Raise;
use crate::scanned_table::ScannedTable;

/// A table that a session can be given.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Table {
    pub table: Arc<dyn TableProvider>,
}

impl Table {
    fn of_batches(py: Python<'_>, schema: &ArrowSchema, batches: &[RecordBatch]) -> PyResult<Self> {
        let table = py.detach(|| MemoryTable::from_arrow(schema, batches)).raise(py)?;
        Ok(Self { table: Arc::new(table) })
    }
}

#[pymethods]
impl Table {
    /// The rows of an object with `__arrow_c_stream__` or `__arrow_c_array__`, read now; their buffers are shared.
    #[staticmethod]
    fn of_arrow(py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (schema, batches) = arrow_rows(py, data, &LastSchema::default())?;
        Self::of_batches(py, &schema, &batches)
    }

    /// Columns of one length by name; each is an object that [`Table::of_arrow`] takes and has one column.
    #[staticmethod]
    fn of_columns(py: Python<'_>, columns: Vec<(String, Bound<'_, PyAny>)>) -> PyResult<Self> {
        let mut fields = Vec::with_capacity(columns.len());
        let mut arrays = Vec::with_capacity(columns.len());
        for (name, data) in columns {
            let array = match one_column(py, &data) {
                Ok(Some(array)) => array,
                Ok(None) => return Err(no_table(&data)),
                Err(error) if error.is_instance_of::<PyTypeError>(py) => {
                    return Err(PyTypeError::new_err(format!("column \"{name}\": {}", error.value(py))));
                }
                Err(error) => return Err(error),
            };
            fields.push(ArrowField::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        if let [first, ..] = &arrays[..]
            && let Some(position) = arrays.iter().position(|array| array.len() != first.len())
        {
            return Err(PyTypeError::new_err(format!(
                "column \"{}\" has {} rows; column \"{}\" has {}",
                fields[position].name(),
                arrays[position].len(),
                fields[0].name(),
                first.len()
            )));
        }
        let rows = arrays.first().map_or(0, |array| array.len());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::new(ArrowSchema::new(fields));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)
            .map_err(|error| input_error(py, &error.to_string()))?;
        Self::of_batches(py, &schema, &[batch])
    }

    /// A table that `open(columns, conditions, batch_rows)` reads when a query asks for it; see `hypostyle.datasets`.
    #[staticmethod]
    fn of_scanner(
        py: Python<'_>,
        schema: &Bound<'_, PyAny>,
        open: Py<PyAny>,
        description: String,
    ) -> PyResult<Self> {
        let Some(field) = border::import_field(schema)? else {
            return Err(PyTypeError::new_err("the schema of a scanned table has no __arrow_c_schema__"));
        };
        let schema = hypostyle::Schema::from_arrow(&border::schema_of(&field)).raise(py)?;
        Ok(Self { table: Arc::new(ScannedTable { schema, open: Arc::new(open), description }) })
    }

    /// Names and types of the columns.
    #[getter]
    fn schema(&self) -> Schema {
        Schema::new(self.table.schema().clone())
    }
}

/// All rows of an object that speaks the Arrow PyCapsule protocol. One that can give its rows as an array is asked for that: of a batch a
/// library makes a stream by way of a table.
pub fn arrow_rows(
    py: Python<'_>,
    data: &Bound<'_, PyAny>,
    last: &LastSchema,
) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    let refused = match border::import_array(data, last) {
        Ok(Some((known, array))) => {
            let batch = border::rows_of(array, &known.rows)?;
            return Ok((known.rows, vec![batch]));
        }
        Ok(None) => None,
        // Of several chunks there is no one array.
        Err(error) => Some(error),
    };
    if let Some(ImportedStream { field, arrays }) = border::import_stream(data)? {
        let schema = border::schema_of(&field);
        let arrays = py.detach(|| arrays.collect::<Result<Vec<ArrayRef>, _>>());
        let arrays = arrays.map_err(|error| input_error(py, &error.to_string()))?;
        let batches =
            arrays.into_iter().map(|array| border::rows_of(array, &schema)).collect::<PyResult<_>>()?;
        return Ok((schema, batches));
    }
    Err(refused.unwrap_or_else(|| no_table(data)))
}

fn no_table(data: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!(
        "{} is no table: it has neither __arrow_c_stream__ nor __arrow_c_array__",
        data.get_type()
    ))
}

/// All values of an object that speaks the Arrow PyCapsule protocol and has one column; `None` for other objects.
pub fn one_column(py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Option<ArrayRef>> {
    let (field, mut arrays) = if let Some(ImportedStream { field, arrays }) = border::import_stream(data)? {
        let arrays = py.detach(|| arrays.collect::<Result<Vec<ArrayRef>, _>>());
        (field, arrays.map_err(|error| input_error(py, &error.to_string()))?)
    } else if let Some((known, array)) = border::import_array(data, &LastSchema::default())? {
        (known.field, vec![array])
    } else {
        return Ok(None);
    };
    // Streams of rows are those of tables, which here have one column; an array of structs is a column itself.
    if let (DataType::Struct(fields), true) = (field.data_type(), is_table(data)?) {
        if fields.len() != 1 {
            return Err(PyTypeError::new_err(format!(
                "a table of {} columns is given; a column has one",
                fields.len()
            )));
        }
        arrays = arrays.iter().map(|array| Arc::clone(array.as_struct().column(0))).collect();
        return joined(py, fields[0].data_type(), arrays).map(Some);
    }
    joined(py, field.data_type(), arrays).map(Some)
}

/// True for tables, batches and results; false for single columns.
fn is_table(data: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(data.hasattr("column_names")? || data.hasattr("columns")?)
}

fn joined(py: Python<'_>, data_type: &DataType, arrays: Vec<ArrayRef>) -> PyResult<ArrayRef> {
    match &arrays[..] {
        [] => Ok(new_empty_array(data_type)),
        [array] => Ok(Arc::clone(array)),
        arrays => {
            let parts: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            concat(&parts).map_err(|error| input_error(py, &error.to_string()))
        }
    }
}

/// The exception of a stream that another library failed to give.
pub fn input_error(py: Python<'_>, message: &str) -> PyErr {
    let made =
        py.import("hypostyle.errors").and_then(|module| module.getattr("InputError")?.call1((message,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

//! The border to other libraries: capsules of the Arrow PyCapsule protocol, in and out, and of DLPack, without copying.
//!
//! The only module with `unsafe`. A capsule holds a struct of the Arrow C interfaces; whoever takes it moves the struct
//! out and leaves one without a release callback, so that the destructor of the capsule finds nothing to release.
#![allow(unsafe_code)]

mod arrays;
pub mod dlpack;
mod last_schema;

use std::ffi::CStr;
use std::sync::Arc;

use hypostyle::arrow::array::{Array, ArrayRef, RecordBatchReader, StructArray};
use hypostyle::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use hypostyle::arrow::error::ArrowError;
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use hypostyle::arrow::ffi_stream::FFI_ArrowArrayStream;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods, PyTuple};

use self::arrays::Arrays;
pub use self::last_schema::{Known, LastSchema};

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

fn refused(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A capsule of a schema.
pub fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema).map_err(refused)?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// A capsule of the type of one column.
pub fn field_capsule<'py>(py: Python<'py>, field: &Field) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(field).map_err(refused)?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// Capsules of a field and of an array of its type, which may be sliced.
pub fn array_capsules<'py>(
    py: Python<'py>,
    field: &Field,
    array: &dyn Array,
) -> PyResult<Bound<'py, PyTuple>> {
    let schema = FFI_ArrowSchema::try_from(field).map_err(refused)?;
    // `to_ffi` would make a second schema, of the type.
    let array = FFI_ArrowArray::new(&array.to_data());
    let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
    let array = PyCapsule::new_with_value(py, array, ARRAY)?;
    PyTuple::new(py, [schema, array])
}

/// A record batch of pyarrow over the memory of these rows, which have the types of `schema`, an object of pyarrow. Pyarrow takes the array where
/// it lies, and reads no schema.
pub fn pyarrow_batch<'py>(
    schema: &Bound<'py, PyAny>,
    class: &Bound<'py, PyAny>,
    rows: &StructArray,
) -> PyResult<Bound<'py, PyAny>> {
    let mut array = FFI_ArrowArray::new(&rows.to_data());
    // Pyarrow moves the struct out and leaves one that is released; where it fails before, ours is released here.
    class.call_method1(intern!(schema.py(), "_import_from_c"), ((&raw mut array).addr(), schema))
}

/// A capsule of a stream. The reader must not want the interpreter, or take and leave it by itself.
pub fn stream_capsule<'py>(
    py: Python<'py>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

/// The capsule that `source.<method>()` gives, if it has that method.
fn capsule<'py>(source: &Bound<'py, PyAny>, method: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    match source.getattr_opt(method)? {
        // A class has the method too, but not for itself.
        Some(method) if !source.is_instance_of::<pyo3::types::PyType>() => Ok(Some(method.call0()?)),
        _ => Ok(None),
    }
}

fn as_capsule<'a, 'py>(object: &'a Bound<'py, PyAny>, method: &str) -> PyResult<&'a Bound<'py, PyCapsule>> {
    object.cast::<PyCapsule>().map_err(|_| {
        PyTypeError::new_err(format!("{method} of the object gave no capsule but {}", object.get_type()))
    })
}

/// The arrays of a stream, and their field.
pub struct ImportedStream {
    /// Type of the arrays; a struct for rows.
    pub field: Field,
    /// The arrays. They are pulled without the interpreter; a producer in Python takes it by itself.
    pub arrays: Arrays,
}

/// The stream of an object with `__arrow_c_stream__`; `None` if it has none. Its arrays may be of any type.
pub fn import_stream(source: &Bound<'_, PyAny>) -> PyResult<Option<ImportedStream>> {
    const METHOD: &str = "__arrow_c_stream__";
    let Some(object) = capsule(source, METHOD)? else { return Ok(None) };
    let pointer = as_capsule(&object, METHOD)?.pointer_checked(Some(STREAM))?;
    // SAFETY: the capsule has the name that the protocol gives to capsules of this struct, and it lives in `object`;
    // `from_raw` moves the struct out and leaves an empty one.
    let mut stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.cast().as_ptr()) };
    let Some(get_schema) = stream.get_schema() else {
        return Err(PyValueError::new_err(format!(
            "the stream of {} has been read already",
            source.get_type()
        )));
    };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: both pointers are to live structs, and the callback came with this stream.
    let code = unsafe { get_schema(&mut stream, &mut schema) };
    if code != 0 {
        return Err(PyValueError::new_err(format!(
            "the stream of {} has no schema (error {code})",
            source.get_type()
        )));
    }
    let field = Field::try_from(&schema).map_err(refused)?;
    let arrays = Arrays::new(stream, field.data_type().clone());
    Ok(Some(ImportedStream { field, arrays }))
}

/// The array of an object with `__arrow_c_array__`, and what its schema says; `None` if it has none.
pub fn import_array(source: &Bound<'_, PyAny>, last: &LastSchema) -> PyResult<Option<(Known, ArrayRef)>> {
    const METHOD: &str = "__arrow_c_array__";
    let Some(object) = capsule(source, METHOD)? else { return Ok(None) };
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = object.extract()?;
    let schema = as_capsule(&schema, METHOD)?.pointer_checked(Some(SCHEMA))?;
    let array = as_capsule(&array, METHOD)?.pointer_checked(Some(ARRAY))?;
    // SAFETY: as in `import_stream`; both capsules live in this function.
    let schema = unsafe { FFI_ArrowSchema::from_raw(schema.cast().as_ptr()) };
    // SAFETY: as above.
    let array = unsafe { FFI_ArrowArray::from_raw(array.cast().as_ptr()) };
    let known = last.read(&schema).map_err(refused)?;
    // SAFETY: the protocol promises that the array has the type that its schema says, and buffers to match.
    let array = unsafe { arrays::import(array, known.field.data_type()) }.map_err(refused)?;
    Ok(Some((known, array)))
}

/// The type of an object with `__arrow_c_schema__`; `None` if it has none.
pub fn import_field(source: &Bound<'_, PyAny>) -> PyResult<Option<Field>> {
    match capsule(source, "__arrow_c_schema__")? {
        Some(object) => field_of_capsule(&object).map(Some),
        None => Ok(None),
    }
}

/// The type that a schema capsule holds.
pub fn field_of_capsule(object: &Bound<'_, PyAny>) -> PyResult<Field> {
    let pointer = as_capsule(object, "__arrow_c_schema__")?.pointer_checked(Some(SCHEMA))?;
    // SAFETY: the capsule has the name of its struct and lives in `object`; the struct is only read, as the caller may
    // need it again.
    let schema = unsafe { pointer.cast::<FFI_ArrowSchema>().as_ref() };
    Field::try_from(schema).map_err(refused)
}

/// The schema of rows of this type: the fields of a struct, or one column.
pub fn schema_of(field: &Field) -> SchemaRef {
    match field.data_type() {
        DataType::Struct(fields) => Arc::new(Schema::new(fields.clone())),
        _ => {
            let name = if field.name().is_empty() { "value" } else { field.name() };
            Arc::new(Schema::new(vec![field.clone().with_name(name)]))
        }
    }
}

/// The rows of an array of the type that [`schema_of`] was asked for.
pub fn rows_of(array: ArrayRef, schema: &SchemaRef) -> PyResult<hypostyle::arrow::array::RecordBatch> {
    use hypostyle::arrow::array::{RecordBatch, RecordBatchOptions};
    let options = RecordBatchOptions::new().with_row_count(Some(array.len()));
    let columns = match array.as_any().downcast_ref::<StructArray>() {
        Some(rows) if rows.null_count() > 0 => {
            return Err(PyValueError::new_err(
                "a row of the table is null as a whole; rows hold columns, of which each may be null",
            ));
        }
        Some(rows) => rows.columns().to_vec(),
        None => vec![array],
    };
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(refused)
}

/// Makes Python call its handler of Ctrl-C once more: for a signal that was seen where no exception can be raised.
pub fn interrupt() {
    // SAFETY: the function only sets a flag; it may be called from any thread, with or without the interpreter.
    unsafe { pyo3::ffi::PyErr_SetInterrupt() }
}

//! Arrow C data in and out.

use std::mem::MaybeUninit;
use std::sync::Arc;

use hypostyle::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchReader, StructArray, make_array};
use hypostyle::arrow::datatypes::{DataType, Schema as ArrowSchema, SchemaRef};
use hypostyle::arrow::error::ArrowError;
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, from_ffi_and_data_type};
use hypostyle::arrow::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};

use crate::error::{Failure, Result};

fn refused(error: &ArrowError) -> Failure {
    Failure::user(format!("the Arrow data could not be read: {error}"))
}

/// Takes a schema over; what is left behind is released.
pub(crate) fn taken_schema(schema: &mut FFI_ArrowSchema) -> FFI_ArrowSchema {
    std::mem::replace(schema, FFI_ArrowSchema::empty())
}

/// Takes the fields of a struct schema over.
pub(crate) fn columns_schema(schema: &mut FFI_ArrowSchema) -> Result<ArrowSchema> {
    ArrowSchema::try_from(&taken_schema(schema)).map_err(|error| refused(&error))
}

/// Takes a type over.
pub(crate) fn value_type(schema: &mut FFI_ArrowSchema) -> Result<DataType> {
    DataType::try_from(&taken_schema(schema)).map_err(|error| refused(&error))
}

/// Takes a struct array over as a batch; its columns are those of `own` where no schema is given.
pub(crate) fn taken_batch(
    array: &mut FFI_ArrowArray,
    schema: Option<&mut FFI_ArrowSchema>,
    own: Option<&ArrowSchema>,
) -> Result<RecordBatch> {
    let array = std::mem::replace(array, FFI_ArrowArray::empty());
    let schema = schema.map(taken_schema);
    if array.is_released() {
        return Err(Failure::user("the Arrow array was released before it was given"));
    }
    let data = match (schema, own) {
        // SAFETY: the caller gives an array and its schema by the rules of the C data interface.
        (Some(schema), _) => unsafe { from_ffi(array, &schema) },
        (None, Some(own)) => {
            let columns = DataType::Struct(own.fields().clone());
            // SAFETY: as above; without a schema the caller promises the columns of the input.
            unsafe { from_ffi_and_data_type(array, columns) }
        }
        (None, None) => return Err(Failure::user("argument \"schema\" is NULL")),
    };
    let data = data.map_err(|error| refused(&error))?;
    if !matches!(data.data_type(), DataType::Struct(_)) {
        return Err(Failure::user(format!(
            "the Arrow array has type {}; expected a struct with a field for each column",
            data.data_type()
        )));
    }
    if data.null_count() > 0 {
        return Err(Failure::user("rows of the struct are null; only values inside its columns may be"));
    }
    Ok(RecordBatch::from(StructArray::from(data)))
}

/// Takes one array over.
pub(crate) fn taken_array(array: &mut FFI_ArrowArray, schema: &mut FFI_ArrowSchema) -> Result<ArrayRef> {
    let data_type = value_type(schema)?;
    let array = std::mem::replace(array, FFI_ArrowArray::empty());
    if array.is_released() {
        return Err(Failure::user("the Arrow array was released before it was given"));
    }
    // SAFETY: the caller gives an array and its schema by the rules of the C data interface.
    let data = unsafe { from_ffi_and_data_type(array, data_type) }.map_err(|error| refused(&error))?;
    Ok(make_array(data))
}

/// Takes a stream over and reads it to its end.
pub(crate) fn taken_stream(stream: &mut FFI_ArrowArrayStream) -> Result<Vec<RecordBatch>> {
    let stream = std::mem::replace(stream, FFI_ArrowArrayStream::empty());
    let reader = RecordBatchStreamReader::try_new(stream).map_err(|error| refused(&error))?;
    let schema = reader.schema();
    let mut batches: Vec<RecordBatch> =
        reader.collect::<std::result::Result<_, _>>().map_err(|error| refused(&error))?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

/// Hands a batch out as a struct array; `None` as a released one.
pub(crate) fn give_batch(batch: Option<RecordBatch>, place: &mut MaybeUninit<FFI_ArrowArray>) {
    place.write(match batch {
        Some(batch) => FFI_ArrowArray::new(&StructArray::from(batch).into_data()),
        None => FFI_ArrowArray::empty(),
    });
}

/// Hands columns out as a struct schema.
pub(crate) fn give_schema(schema: &ArrowSchema, place: &mut MaybeUninit<FFI_ArrowSchema>) -> Result<()> {
    place.write(FFI_ArrowSchema::try_from(schema).map_err(|error| refused(&error))?);
    Ok(())
}

/// Hands batches out as a stream.
pub(crate) fn give_stream(
    schema: SchemaRef,
    next: impl FnMut() -> Option<std::result::Result<RecordBatch, String>> + Send + 'static,
    place: &mut MaybeUninit<FFI_ArrowArrayStream>,
) {
    let batches = Batches { schema, next: Some(Box::new(next)) };
    place.write(FFI_ArrowArrayStream::new(Box::new(batches)));
}

type Next = Box<dyn FnMut() -> Option<std::result::Result<RecordBatch, String>> + Send>;

/// Batches that end with the first error; a panic is one.
struct Batches {
    schema: SchemaRef,
    next: Option<Next>,
}

impl Iterator for Batches {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next.as_mut()?;
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(next));
        let item =
            caught.unwrap_or_else(|_| Some(Err("internal error: a step panicked; please report it".into())));
        if !matches!(item, Some(Ok(_))) {
            self.next = None;
        }
        Some(item?.map_err(ArrowError::ComputeError))
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

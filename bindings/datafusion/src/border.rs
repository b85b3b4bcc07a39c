//! Arrays, types and schemas between DataFusion's Arrow and the engine's, through the structs of the C data interface. Values are
//! not copied: both sides hold the same buffers, which live until the last of them lets go.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, make_array};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use datafusion::error::Result;
use engine_arrow::array as engine_array;
use engine_arrow::datatypes as engine_types;
use engine_arrow::ffi as engine_ffi;
use hypostyle::Type;

use crate::error::internal;

/// The engine's logical type of an Arrow type.
pub(crate) fn logical_type(data_type: &DataType) -> Result<Type> {
    Type::from_arrow(&type_into_engine(data_type)?).map_err(crate::error::planning)
}

/// The Arrow type in which values of a logical type are handed out.
pub(crate) fn exported_type(data_type: &Type) -> Result<DataType> {
    let schema = engine_ffi::FFI_ArrowSchema::try_from(&data_type.to_exported()).map_err(internal)?;
    DataType::try_from(&schema_from_engine(schema)).map_err(internal)
}

pub(crate) fn type_into_engine(data_type: &DataType) -> Result<engine_types::DataType> {
    let schema = FFI_ArrowSchema::try_from(data_type).map_err(internal)?;
    engine_types::DataType::try_from(&schema_into_engine(schema)).map_err(internal)
}

/// The schema that the engine hands rows out in, as DataFusion's Arrow has it.
pub(crate) fn exported_schema(schema: &hypostyle::Schema) -> Result<SchemaRef> {
    let schema = engine_ffi::FFI_ArrowSchema::try_from(&schema.to_arrow()).map_err(internal)?;
    Ok(Arc::new(Schema::try_from(&schema_from_engine(schema)).map_err(internal)?))
}

/// The array, whose type in the engine's Arrow is `data_type`.
pub(crate) fn array_into_engine(
    array: &dyn Array,
    data_type: &engine_types::DataType,
) -> Result<engine_array::ArrayRef> {
    let array = array_struct_into_engine(FFI_ArrowArray::new(&array.to_data()));
    // SAFETY: the struct was just made from an array whose type converts to `data_type`.
    let data = unsafe { engine_ffi::from_ffi_and_data_type(array, data_type.clone()) };
    Ok(engine_array::make_array(data.map_err(internal)?))
}

/// The array, whose type in DataFusion's Arrow is `data_type`.
pub(crate) fn array_from_engine(array: &dyn engine_array::Array, data_type: &DataType) -> Result<ArrayRef> {
    let array = array_struct_from_engine(engine_ffi::FFI_ArrowArray::new(&array.to_data()));
    // SAFETY: the struct was just made from an array whose type converts to `data_type`.
    let data = unsafe { from_ffi_and_data_type(array, data_type.clone()) };
    Ok(make_array(data.map_err(internal)?))
}

/// A batch that the engine exported in the types of `schema`, which [`exported_schema`] made.
pub(crate) fn batch_from_engine(
    batch: &engine_array::RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| array_from_engine(column, field.data_type()));
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_>>()?, &options)?)
}

fn schema_into_engine(schema: FFI_ArrowSchema) -> engine_ffi::FFI_ArrowSchema {
    // SAFETY: both are the `ArrowSchema` of the C data interface, whose layout is fixed; the original is given up.
    unsafe { std::mem::transmute::<FFI_ArrowSchema, engine_ffi::FFI_ArrowSchema>(schema) }
}

fn schema_from_engine(schema: engine_ffi::FFI_ArrowSchema) -> FFI_ArrowSchema {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<engine_ffi::FFI_ArrowSchema, FFI_ArrowSchema>(schema) }
}

fn array_struct_into_engine(array: FFI_ArrowArray) -> engine_ffi::FFI_ArrowArray {
    // SAFETY: both are the `ArrowArray` of the C data interface, whose layout is fixed; the original is given up, and the copy
    // calls its release function once.
    unsafe { std::mem::transmute::<FFI_ArrowArray, engine_ffi::FFI_ArrowArray>(array) }
}

fn array_struct_from_engine(array: engine_ffi::FFI_ArrowArray) -> FFI_ArrowArray {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<engine_ffi::FFI_ArrowArray, FFI_ArrowArray>(array) }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        AsArray, BooleanArray, DictionaryArray, FixedSizeListArray, Float64Array, Int32Array, ListArray,
        StringViewArray, StructArray,
    };
    use arrow::buffer::NullBuffer;
    use arrow::datatypes::{Field, Float32Type, Float64Type, Int8Type, Int32Type};
    use engine_arrow::array::{Array as _, AsArray as _};

    use super::*;

    fn there_and_back(array: impl Array) {
        let array = make_array(array.to_data());
        let data_type = type_into_engine(array.data_type()).unwrap();
        let crossed = array_into_engine(&array, &data_type).unwrap();
        assert_eq!(crossed.len(), array.len());
        let back = array_from_engine(&crossed, array.data_type()).unwrap();
        assert_eq!(&back, &array);
    }

    #[test]
    fn arrays_of_every_shape_cross_both_ways() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None, Some(f64::NAN)]));
        there_and_back(Arc::clone(&floats));
        there_and_back(floats.slice(1, 2));
        there_and_back(floats.slice(3, 0));
        there_and_back(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]).slice(1, 3));
        let long = "a text that is longer than twelve bytes";
        there_and_back(StringViewArray::from(vec![Some("short"), None, Some(long)]));
        there_and_back(StringViewArray::from(vec![Some("short")]).slice(1, 0));
        let dictionary: DictionaryArray<Int8Type> =
            vec![Some("a"), None, Some("b"), Some("a")].into_iter().collect();
        there_and_back(dictionary.slice(1, 3));
        let lists = vec![Some(vec![Some(1), None]), None, Some(vec![])];
        there_and_back(ListArray::from_iter_primitive::<Int32Type, _, _>(lists).slice(1, 2));
        let vectors = vec![Some(vec![Some(1.0f32), Some(2.0)]), None, Some(vec![Some(3.0), None])];
        there_and_back(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(vectors, 2).slice(1, 2));
        let child: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
        let fields = vec![Arc::new(Field::new("x", DataType::Int32, true))].into();
        let nulls = NullBuffer::from(vec![true, false]);
        there_and_back(StructArray::new(fields, vec![child], Some(nulls)));
    }

    #[test]
    fn values_are_shared_and_not_copied() {
        let floats = Float64Array::from(vec![1.0, 2.0, 3.0]);
        let text = StringViewArray::from(vec!["a text that is longer than twelve bytes"]);
        let crossed = array_into_engine(&floats, &engine_types::DataType::Float64).unwrap();
        let values = crossed.as_primitive::<engine_types::Float64Type>().values();
        assert_eq!(values.as_ptr(), floats.values().as_ptr());
        let back = array_from_engine(&crossed, &DataType::Float64).unwrap();
        assert_eq!(back.as_primitive::<Float64Type>().values().as_ptr(), floats.values().as_ptr());
        let crossed = array_into_engine(&text, &engine_types::DataType::Utf8View).unwrap();
        let views = crossed.as_string_view();
        assert_eq!(views.data_buffers()[0].as_ptr(), text.data_buffers()[0].as_ptr());
        assert_eq!(views.views().as_ptr(), text.views().as_ptr());
    }

    #[test]
    fn buffers_live_until_the_last_side_lets_go() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let crossed = {
            let original = Float64Array::from(values.clone());
            array_into_engine(&original, &engine_types::DataType::Float64).unwrap()
        };
        let back = array_from_engine(&crossed, &DataType::Float64).unwrap();
        drop(crossed);
        assert_eq!(back.as_primitive::<Float64Type>().values().to_vec(), values);
    }

    #[test]
    fn a_type_that_the_engine_does_not_hold_is_refused_by_its_name() {
        let error = logical_type(&DataType::Decimal256(50, 2)).unwrap_err();
        assert!(error.to_string().contains("Decimal256"), "{error}");
    }
}

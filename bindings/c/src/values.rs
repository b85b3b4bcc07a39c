//! Values for the parameters of prepared statements.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use hypostyle::arrow::array::{Array, ArrayRef};
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use hypostyle::column::{borrow, import, value_at};
use hypostyle::functions::scratch::Scratch;
use hypostyle::{Type, Value};

use crate::arrow_data::taken_array;
use crate::border::{act, ask, given, slice, text_of_length};
use crate::error::{Failure, HypostyleCode, HypostyleError, Result};

/// Values for parameters, in their order. One thread at a time.
#[derive(Default)]
pub struct HypostyleValues(pub(crate) Vec<Value>);

/// Makes an empty list of values.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_values_new() -> Option<Box<HypostyleValues>> {
    ask(|| Some(Box::default()))
}

/// Frees values. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_values_free(values: Option<Box<HypostyleValues>>) {
    drop(values);
}

/// Forgets all values.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_values_clear(values: Option<&mut HypostyleValues>) {
    if let Some(values) = values {
        values.0.clear();
    }
}

fn add(
    values: Option<&mut HypostyleValues>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
    value: impl FnOnce() -> Result<Value>,
) -> HypostyleCode {
    act(error, || {
        given(values, "values")?.0.push(value()?);
        Ok(())
    })
}

/// Adds a null.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_values_add_null(
    values: Option<&mut HypostyleValues>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    add(values, error, || Ok(Value::Null))
}

/// Adds a truth value.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_values_add_bool(
    values: Option<&mut HypostyleValues>,
    value: bool,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    add(values, error, || Ok(Value::Boolean(value)))
}

/// Adds a whole number; it is cast to the type that its place asks for.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_values_add_int64(
    values: Option<&mut HypostyleValues>,
    value: i64,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    add(values, error, || Ok(Value::Int64(value)))
}

/// Adds a float; it is cast to the type that its place asks for.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_values_add_double(
    values: Option<&mut HypostyleValues>,
    value: f64,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    add(values, error, || Ok(Value::float64(value)))
}

/// Adds a text of this many bytes of UTF-8; it is cast to the type that its place asks for, such as a date.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_values_add_text(
    values: Option<&mut HypostyleValues>,
    value: *const c_char,
    length: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    // SAFETY: by the contract of the header `value` has `length` bytes.
    add(values, error, || Ok(Value::text(unsafe { text_of_length(value, length, "value") }?)))
}

/// Adds bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_values_add_binary(
    values: Option<&mut HypostyleValues>,
    value: *const u8,
    length: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    // SAFETY: by the contract of the header `value` has `length` bytes.
    add(values, error, || Ok(Value::Binary(unsafe { slice(value, length, "value") }?.to_vec())))
}

/// Adds a value of any type: row 0 of an Arrow array. Takes array and schema over.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_values_add_array(
    values: Option<&mut HypostyleValues>,
    array: Option<&mut FFI_ArrowArray>,
    schema: Option<&mut FFI_ArrowSchema>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    add(values, error, || first_value(&taken_array(given(array, "array")?, given(schema, "schema")?)?))
}

/// Row 0 of an array.
pub(crate) fn first_value(array: &ArrayRef) -> Result<Value> {
    if array.is_empty() {
        return Err(Failure::user("the Arrow array of a value has no row"));
    }
    let data_type = Type::from_arrow(array.data_type())?;
    let array = import(&array.slice(0, 1), &data_type)?.to_array()?;
    let scratch = Scratch::new();
    Ok(value_at(&borrow(&array, &data_type, &scratch.arena), 0))
}

//! Row evaluators: fields are set by position, positions are found by name.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::Arc;

use hypostyle::RowEvaluator;
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

use crate::arrow_data::{give_schema, taken_array};
use crate::border::{act, ask, given, slice, text, text_of_length};
use crate::error::{Failure, HypostyleCode, HypostyleError, Result};
use crate::values::first_value;

/// Evaluates expressions for one row, or a micro-batch of up to 256, with the kernels and the bits of batches. After the first few rows nothing is
/// allocated. One thread at a time; any number of evaluators may be made of one prepared statement or transform.
pub struct HypostyleRow {
    pub(crate) row: RowEvaluator,
    sql: Arc<str>,
}

impl HypostyleRow {
    pub(crate) fn new(row: RowEvaluator, sql: &str) -> Self {
        Self { row, sql: sql.into() }
    }
}

/// Frees an evaluator. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_free(row: Option<Box<HypostyleRow>>) {
    ask(|| drop(row));
}

/// The columns that are set, as a struct schema.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_inputs(
    row: Option<&HypostyleRow>,
    schema: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || give_schema(&given(row, "row")?.row.inputs().to_arrow(), given(schema, "schema")?))
}

/// The columns that are read, as a struct schema.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_outputs(
    row: Option<&HypostyleRow>,
    schema: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || give_schema(&given(row, "row")?.row.outputs().to_arrow(), given(schema, "schema")?))
}

/// The position of the input column of this name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_row_input(
    row: Option<&HypostyleRow>,
    name: *const c_char,
    position: Option<&mut MaybeUninit<usize>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        given(position, "position")?.write(given(row, "row")?.row.input(name)?);
        Ok(())
    })
}

/// The position of the output column of this name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_row_output(
    row: Option<&HypostyleRow>,
    name: *const c_char,
    position: Option<&mut MaybeUninit<usize>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        given(position, "position")?.write(given(row, "row")?.row.output(name)?);
        Ok(())
    })
}

/// Runs a setter of the evaluator.
fn set(
    row: Option<&mut HypostyleRow>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
    setter: impl FnOnce(&mut RowEvaluator) -> Result<()>,
) -> HypostyleCode {
    act(error, || setter(&mut given(row, "row")?.row))
}

/// Begins this many rows, from 1 to 256, whose fields are all null, and goes to row 0.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_start(
    row: Option<&mut HypostyleRow>,
    rows: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| Ok(row.start(rows)?))
}

/// Goes to another of the rows that were begun.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_at(
    row: Option<&mut HypostyleRow>,
    index: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| Ok(row.at(index)?))
}

/// Sets a field to null.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_set_null(
    row: Option<&mut HypostyleRow>,
    column: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| Ok(row.set_null(column)?))
}

/// Sets a BOOLEAN field.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_set_bool(
    row: Option<&mut HypostyleRow>,
    column: usize,
    value: bool,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| Ok(row.set_bool(column, value)?))
}

/// Sets a field of an integer type, or the days or ticks of a DATE, TIME or TIMESTAMP.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_set_int64(
    row: Option<&mut HypostyleRow>,
    column: usize,
    value: i64,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| Ok(row.set_i64(column, value)?))
}

/// Sets a field of a float type; FLOAT and HALF round to nearest.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_set_double(
    row: Option<&mut HypostyleRow>,
    column: usize,
    value: f64,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| Ok(row.set_f64(column, value)?))
}

/// Sets a VARCHAR field to a text of this many bytes of UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_row_set_text(
    row: Option<&mut HypostyleRow>,
    column: usize,
    value: *const c_char,
    length: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| {
        // SAFETY: by the contract of the header `value` has `length` bytes.
        Ok(row.set_text(column, unsafe { text_of_length(value, length, "value") }?)?)
    })
}

/// Sets a BLOB field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_row_set_binary(
    row: Option<&mut HypostyleRow>,
    column: usize,
    value: *const u8,
    length: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| {
        // SAFETY: by the contract of the header `value` has `length` bytes.
        Ok(row.set_binary(column, unsafe { slice(value, length, "value") }?)?)
    })
}

/// Sets a field of type BIGINT[]: a list of ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_row_set_int64s(
    row: Option<&mut HypostyleRow>,
    column: usize,
    values: *const i64,
    count: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| {
        // SAFETY: by the contract of the header `values` has `count` values.
        Ok(row.set_list_i64(column, unsafe { slice(values, count, "values") }?)?)
    })
}

/// Sets a field of type FLOAT[N]: an embedding.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_row_set_floats(
    row: Option<&mut HypostyleRow>,
    column: usize,
    values: *const f32,
    count: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| {
        // SAFETY: by the contract of the header `values` has `count` values.
        Ok(row.set_fixed_list_f32(column, unsafe { slice(values, count, "values") }?)?)
    })
}

/// Sets a field of any type to row 0 of an Arrow array. Takes array and schema over.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_set_array(
    row: Option<&mut HypostyleRow>,
    column: usize,
    array: Option<&mut FFI_ArrowArray>,
    schema: Option<&mut FFI_ArrowSchema>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    set(row, error, |row| {
        let array = taken_array(given(array, "array")?, given(schema, "schema")?)?;
        Ok(row.set_value(column, &first_value(&array)?)?)
    })
}

/// Computes all outputs of all rows that were begun.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_evaluate(
    row: Option<&mut HypostyleRow>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let row = given(row, "row")?;
        row.row.evaluate().map_err(|error| Failure::in_text(&error.into(), &row.sql))
    })
}

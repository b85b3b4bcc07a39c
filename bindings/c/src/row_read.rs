//! What a row evaluator has computed: getters for each kind of type.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use hypostyle::arrow::ffi::FFI_ArrowArray;
use hypostyle::column::{Output, View, export};
use hypostyle::{Literal, Type};

use crate::border::{act, given};
use crate::error::{Failure, HypostyleCode, HypostyleError, Result};
use crate::row::HypostyleRow;

/// Reads an output in a row by `read`, which gets its column and the row, unless it is null.
fn get<T>(
    row: Option<&HypostyleRow>,
    (output, index): (usize, usize),
    is_null: Option<&mut MaybeUninit<bool>>,
    value: Option<&mut MaybeUninit<T>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
    read: impl FnOnce(View<'_>, usize) -> Result<T>,
) -> HypostyleCode {
    act(error, || {
        let row = &given(row, "row")?.row;
        let outputs = row.outputs().fields.len();
        if output >= outputs {
            return Err(Failure::user(format!("there is no output column {output}; there are {outputs}")));
        }
        let view = row.view(output);
        if index >= view.length {
            return Err(Failure::user(format!("row {index} of {} rows", view.length)));
        }
        let null = view.is_null(index);
        match is_null {
            Some(place) => _ = place.write(null),
            None if null => {
                return Err(Failure::user(format!(
                    "output column {output} is null in row {index}; pass \"is_null\" to learn of nulls"
                )));
            }
            None => {}
        }
        if !null {
            given(value, "value")?.write(read(view, index)?);
        }
        Ok(())
    })
}

fn mismatch(view: &View<'_>, asked: &str) -> Failure {
    Failure::user(format!("the output column has type {}; it is not read as {asked}", view.data_type))
}

/// Reads a BOOLEAN output. Where it is null, `is_null` gets true and `value` is left alone; with `is_null` NULL a null is an error. So do
/// all getters.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_get_bool(
    row: Option<&HypostyleRow>,
    output: usize,
    index: usize,
    value: Option<&mut MaybeUninit<bool>>,
    is_null: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    get(row, (output, index), is_null, value, error, |view, row| match view.data_type {
        Type::Boolean => Ok(view.boolean().get(row)),
        _ => Err(mismatch(&view, "a truth value")),
    })
}

/// Reads an output of an integer type, or the days or ticks of a DATE, TIME or TIMESTAMP. A UBIGINT above 2^63 is an error.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_get_int64(
    row: Option<&HypostyleRow>,
    output: usize,
    index: usize,
    value: Option<&mut MaybeUninit<i64>>,
    is_null: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    get(row, (output, index), is_null, value, error, |view, row| {
        Ok(match view.data_type {
            Type::Int64 | Type::Time | Type::Timestamp(_) | Type::TimestampTz => view.fixed::<i64>().get(row),
            Type::Int32 | Type::Date => view.fixed::<i32>().get(row).into(),
            Type::Int16 => view.fixed::<i16>().get(row).into(),
            Type::Int8 => view.fixed::<i8>().get(row).into(),
            Type::UInt32 => view.fixed::<u32>().get(row).into(),
            Type::UInt16 => view.fixed::<u16>().get(row).into(),
            Type::UInt8 => view.fixed::<u8>().get(row).into(),
            Type::UInt64 => {
                let value = view.fixed::<u64>().get(row);
                i64::try_from(value)
                    .map_err(|_| Failure::user(format!("{value} does not fit a signed 64-bit integer")))?
            }
            _ => return Err(mismatch(&view, "an integer")),
        })
    })
}

/// Reads an output of a float type.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_get_double(
    row: Option<&HypostyleRow>,
    output: usize,
    index: usize,
    value: Option<&mut MaybeUninit<f64>>,
    is_null: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    get(row, (output, index), is_null, value, error, |view, row| match view.data_type {
        Type::Float64 => Ok(view.fixed::<f64>().get(row)),
        Type::Float32 => Ok(view.fixed::<f32>().get(row).into()),
        Type::Float16 => Ok(view.fixed::<hypostyle::half::f16>().get(row).into()),
        _ => Err(mismatch(&view, "a float")),
    })
}

/// Some values that belong to the evaluator, and stay until it is started or a field is set.
#[repr(C)]
pub struct HypostyleText {
    /// The first byte; there is no zero at the end.
    pub data: *const c_char,
    /// The number of bytes.
    pub length: usize,
}

/// Reads a VARCHAR or BLOB output.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_get_text(
    row: Option<&HypostyleRow>,
    output: usize,
    index: usize,
    value: Option<&mut MaybeUninit<HypostyleText>>,
    is_null: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    get(row, (output, index), is_null, value, error, |view, row| match view.data_type {
        Type::Text | Type::Binary => {
            let bytes = view.bytes();
            let bytes = bytes.get(row);
            Ok(HypostyleText { data: bytes.as_ptr().cast(), length: bytes.len() })
        }
        _ => Err(mismatch(&view, "text or bytes")),
    })
}

/// Some values that belong to the evaluator, and stay until it is started or a field is set.
#[repr(C)]
pub struct HypostyleInt64s {
    /// The first value.
    pub data: *const i64,
    /// The number of values.
    pub count: usize,
}

/// Some values that belong to the evaluator, and stay until it is started or a field is set.
#[repr(C)]
pub struct HypostyleFloats {
    /// The first value.
    pub data: *const f32,
    /// The number of values.
    pub count: usize,
}

/// The elements of one list, none of which may be null.
fn elements<'a, T: hypostyle::column::FixedWidth>(view: &View<'a>, row: usize) -> Result<&'a [T]> {
    let list = view.list();
    let (child, range) = (list.child(), list.range(row));
    if range.clone().any(|element| child.is_null(element)) {
        return Err(Failure::user("an element of the list is null; read it as an Arrow array"));
    }
    let values = child.fixed::<T>().flat();
    let values = values.and_then(|values| values.get(range));
    values.ok_or_else(|| Failure::internal("internal error: elements that are not flat; please report it"))
}

/// Reads an output of type BIGINT[] without null elements.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_get_int64s(
    row: Option<&HypostyleRow>,
    output: usize,
    index: usize,
    value: Option<&mut MaybeUninit<HypostyleInt64s>>,
    is_null: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    get(row, (output, index), is_null, value, error, |view, row| match view.data_type.element() {
        Some(Type::Int64) => {
            let values = elements::<i64>(&view, row)?;
            Ok(HypostyleInt64s { data: values.as_ptr(), count: values.len() })
        }
        _ => Err(mismatch(&view, "a list of 64-bit integers")),
    })
}

/// Reads an output of type FLOAT[] or FLOAT[N] without null elements: an embedding.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_get_floats(
    row: Option<&HypostyleRow>,
    output: usize,
    index: usize,
    value: Option<&mut MaybeUninit<HypostyleFloats>>,
    is_null: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    get(row, (output, index), is_null, value, error, |view, row| match view.data_type.element() {
        Some(Type::Float32) => {
            let values = elements::<f32>(&view, row)?;
            Ok(HypostyleFloats { data: values.as_ptr(), count: values.len() })
        }
        _ => Err(mismatch(&view, "a list of floats")),
    })
}

/// Hands an output of any type out for one row, as an Arrow array of one value of the type in hypostyle_row_outputs. It is made anew each
/// time; the other getters are quicker.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_row_get_array(
    row: Option<&HypostyleRow>,
    output: usize,
    index: usize,
    array: Option<&mut MaybeUninit<FFI_ArrowArray>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    // A null is a value of the array, so it is not asked for apart.
    act(error, || {
        let (row, array) = (&given(row, "row")?.row, given(array, "array")?);
        array.write(FFI_ArrowArray::empty());
        let Some(field) = row.outputs().fields.get(output) else {
            let outputs = row.outputs().fields.len();
            return Err(Failure::user(format!("there is no output column {output}; there are {outputs}")));
        };
        let view = row.view(output);
        if index >= view.length {
            return Err(Failure::user(format!("row {index} of {} rows", view.length)));
        }
        let literal = Literal { data_type: field.data_type.clone(), value: row.value(output, index) };
        let mut column = Output::new(literal.data_type.clone());
        column.prepare(1);
        column.set_value(0, &literal.value)?;
        let values = export(&column.freeze()?, &field.data_type.to_exported())?;
        array.write(FFI_ArrowArray::new(&hypostyle::arrow::array::Array::to_data(&values)));
        Ok(())
    })
}

//! The one place outside the kernels that skips checks: text whose bytes were validated when they
//! entered, and Arrow arrays built from parts this crate has made. Debug builds check again.
#![allow(unsafe_code)]

use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, BinaryViewArray, ListViewArray, StringViewArray, make_array};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef};

use crate::error::{Error, Result};
use crate::kernel::span::part;

/// Bytes of a text column as text.
///
/// The caller holds that the bytes come from an Arrow string array or from a writer that took `&str`:
/// both are valid UTF-8 by construction.
#[inline]
pub(super) fn text_of(bytes: &[u8]) -> &str {
    debug_assert!(std::str::from_utf8(bytes).is_ok(), "text column with invalid UTF-8");
    // SAFETY: every text column is built by Arrow's validated constructors or from `&str` parts.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}

/// A text array from views that point into `buffers`.
pub(super) fn text_array(
    views: ScalarBuffer<u128>,
    buffers: Vec<Buffer>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    if cfg!(debug_assertions) {
        return Ok(Arc::new(StringViewArray::try_new(views, buffers, nulls).map_err(broken)?));
    }
    // SAFETY: the text writer keeps each view inside its buffer and takes only `&str`.
    Ok(Arc::new(unsafe { StringViewArray::new_unchecked(views, buffers.into(), nulls) }))
}

/// A binary array from views that point into `buffers`.
pub(super) fn binary_array(
    views: ScalarBuffer<u128>,
    buffers: Vec<Buffer>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    if cfg!(debug_assertions) {
        return Ok(Arc::new(BinaryViewArray::try_new(views, buffers, nulls).map_err(broken)?));
    }
    // SAFETY: the binary writer keeps each view inside its buffer.
    Ok(Arc::new(unsafe { BinaryViewArray::new_unchecked(views, buffers.into(), nulls) }))
}

/// An array of lists that start at the first numbers and are as long as the second ones, in `elements`.
pub(super) fn list_view_array(
    field: FieldRef,
    [starts, sizes]: [ScalarBuffer<i32>; 2],
    elements: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    // All at once, where the constructor asks the elements for their number again for each list.
    let are_inside = part::lie_inside(&starts, &sizes, elements.len());
    let length = starts.len();
    let fit = sizes.len() == length && nulls.as_ref().is_none_or(|nulls| nulls.len() == length);
    if cfg!(debug_assertions) || !are_inside || !fit || field.data_type() != elements.data_type() {
        let lists = ListViewArray::try_new(field, starts, sizes, elements, nulls);
        return Ok(Arc::new(lists.map_err(broken)?));
    }
    let data = ArrayData::builder(DataType::ListView(field))
        .len(length)
        .nulls(nulls)
        .add_buffer(starts.into_inner())
        .add_buffer(sizes.into_inner())
        .add_child_data(elements.to_data());
    // SAFETY: every list was seen to lie inside the elements, and there are as many starts, sizes and nulls as lists.
    Ok(Arc::new(ListViewArray::from(unsafe { data.build_unchecked() })))
}

/// The same buffers under another Arrow type of the same layout: `i32` values as dates, and so on.
pub(super) fn retyped(array: &dyn Array, data_type: arrow::datatypes::DataType) -> Result<ArrayRef> {
    let data: ArrayData = array.to_data().into_builder().data_type(data_type).build().map_err(broken)?;
    Ok(make_array(data))
}

fn broken(error: arrow::error::ArrowError) -> Error {
    Error::internal(format!("array construction: {error}"))
}

//! Arrays that other libraries hand over: one, or a stream of them.

use std::ffi::{CStr, c_void};

use hypostyle::arrow::array::{ArrayRef, make_array};
use hypostyle::arrow::datatypes::DataType;
use hypostyle::arrow::error::ArrowError;
use hypostyle::arrow::ffi::{FFI_ArrowArray, from_ffi_and_data_type};
use hypostyle::arrow::ffi_stream::FFI_ArrowArrayStream;

/// The arrays of a stream, which are of one type. They are pulled without the interpreter; a producer in Python takes it by itself.
pub struct Arrays {
    stream: FFI_ArrowArrayStream,
    data_type: DataType,
}

impl Arrays {
    /// The arrays of a stream that nobody has read, of the type that it says.
    pub fn new(stream: FFI_ArrowArrayStream, data_type: DataType) -> Self {
        Self { stream, data_type }
    }

    /// The error that the producer reports, with its text where it has one.
    fn failure(&mut self, code: i32) -> ArrowError {
        let text = self.stream.get_last_error().and_then(|last_error| {
            // SAFETY: the callback came with this stream, which is alive.
            let text = unsafe { last_error(&raw mut self.stream) };
            // SAFETY: by the C stream interface, null or a text that lives until the next call.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        });
        let text = text.unwrap_or_else(|| format!("error {code}, without a text"));
        ArrowError::CDataInterface(text)
    }
}

impl Iterator for Arrays {
    type Item = Result<ArrayRef, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let get_next = self.stream.get_next()?;
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: the callback came with this stream, and both pointers are to live structs.
        let code = unsafe { get_next(&raw mut self.stream, &raw mut array) };
        if code != 0 {
            return Some(Err(self.failure(code)));
        }
        if array.is_released() {
            return None;
        }
        // SAFETY: by the C stream interface, the array has the type of the stream.
        Some(unsafe { import(array, &self.data_type) })
    }
}

/// An array that another library hands over.
///
/// # Safety
/// The array is alive, has this type, and buffers to match, but for those of nulls.
pub unsafe fn import(mut array: FFI_ArrowArray, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    // SAFETY: the struct is alive and has the layout of the C data interface; the type is the array's.
    unsafe { take_buffers_of_nulls((&raw mut array).cast(), data_type) };
    // SAFETY: by contract.
    let data = unsafe { from_ffi_and_data_type(array, data_type.clone()) }?;
    Ok(make_array(data))
}

/// `ArrowArray` of the C data interface.
#[repr(C)]
struct RawArray {
    length: i64,
    null_count: i64,
    offset: i64,
    buffer_count: i64,
    child_count: i64,
    buffers: *mut *const c_void,
    children: *mut *mut RawArray,
    dictionary: *mut RawArray,
    release: Option<unsafe extern "C" fn(*mut RawArray)>,
    private_data: *mut c_void,
}

/// Makes arrays of the type null have no buffer, also inside others: Polars gives them one, which Arrow's layout does not have. Producers
/// free what they gave by their private data, so nothing is lost.
///
/// # Safety
/// `array` is alive and has this type.
unsafe fn take_buffers_of_nulls(array: *mut RawArray, data_type: &DataType) {
    // SAFETY: by contract.
    let array = unsafe { &mut *array };
    let child = |position: usize, data_type: &DataType| {
        if i64::try_from(position).is_ok_and(|position| position < array.child_count) {
            // SAFETY: there are so many children, which live as long as their parent.
            let child = unsafe { *array.children.add(position) };
            // SAFETY: the child is alive, and its type is that which the parent's says.
            unsafe { take_buffers_of_nulls(child, data_type) };
        }
    };
    match data_type {
        DataType::Null => array.buffer_count = 0,
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => child(0, field.data_type()),
        DataType::Struct(fields) => {
            fields.iter().enumerate().for_each(|(position, field)| child(position, field.data_type()));
        }
        DataType::RunEndEncoded(ends, values) => {
            child(0, ends.data_type());
            child(1, values.data_type());
        }
        DataType::Dictionary(_, values) if !array.dictionary.is_null() => {
            // SAFETY: the dictionary is alive and has this type.
            unsafe { take_buffers_of_nulls(array.dictionary, values) };
        }
        _ => {}
    }
}

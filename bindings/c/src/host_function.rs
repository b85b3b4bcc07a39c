//! What scalar and aggregate functions in C share: a callback over Arrow arrays, its state, its errors.

use std::ffi::{CStr, c_char, c_void};

use hypostyle::Type;
use hypostyle::arrow::array::{Array, ArrayRef, StructArray, make_array};
use hypostyle::arrow::compute::cast;
use hypostyle::arrow::datatypes::{DataType, Fields};
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use hypostyle::functions::Error as FunctionError;

use crate::arrow_data::{columns_schema, value_type};
use crate::border::given;
use crate::error::Result;

/// Bytes that a callback has for its error message.
const MESSAGE_BYTES: usize = 1024;

/// What a host gives with a callback; given back when the last plan that uses it is gone.
pub(crate) struct State {
    pub(crate) pointer: *mut c_void,
    pub(crate) release: Option<unsafe extern "C" fn(state: *mut c_void)>,
}

// SAFETY: the header asks that callbacks may be called with their state from any thread.
unsafe impl Send for State {}
// SAFETY: as above, at the same time too.
unsafe impl Sync for State {}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the host gave this function for this state, and nothing calls it any more.
            unsafe { release(self.pointer) }
        }
    }
}

/// A place for a callback's message.
pub(crate) struct Message([u8; MESSAGE_BYTES]);

impl Message {
    pub(crate) const fn new() -> Self {
        Self([0; MESSAGE_BYTES])
    }

    /// Where it is written, and how many bytes there are.
    pub(crate) fn place(&mut self) -> (*mut c_char, usize) {
        (self.0.as_mut_ptr().cast(), self.0.len())
    }

    /// What was written.
    pub(crate) fn text(&self) -> String {
        let text = CStr::from_bytes_until_nul(&self.0).map(CStr::to_string_lossy).unwrap_or_default();
        if text.is_empty() { "failed without a message".into() } else { text.into_owned() }
    }
}

pub(crate) type Callback =
    unsafe extern "C" fn(*mut c_void, *const FFI_ArrowArray, *mut FFI_ArrowArray, *mut c_char, usize) -> i32;

/// A function of the host, called with columns of the types it was registered with.
pub(crate) struct HostFunction {
    name: String,
    state: State,
    call: Callback,
    arguments: Fields,
    result: DataType,
}

impl HostFunction {
    /// The function of this name; takes the schemas over.
    pub(crate) fn new(
        name: &str,
        arguments: Option<&mut FFI_ArrowSchema>,
        result: Option<&mut FFI_ArrowSchema>,
        call: Option<Callback>,
        state: State,
    ) -> Result<Self> {
        let arguments = columns_schema(given(arguments, "arguments")?)?.fields;
        let result = value_type(given(result, "result")?)?;
        Ok(Self { name: name.to_owned(), state, call: given(call, "call")?, arguments, result })
    }

    /// Types of the arguments.
    pub(crate) fn takes(&self) -> Result<Vec<Type>> {
        Ok(self
            .arguments
            .iter()
            .map(|field| Type::from_arrow(field.data_type()))
            .collect::<std::result::Result<_, _>>()?)
    }

    /// Type of the result.
    pub(crate) fn gives(&self) -> Result<Type> {
        Ok(Type::from_arrow(&self.result)?)
    }

    /// Calls the function with columns of so many rows, and takes what it gives.
    pub(crate) fn run(
        &self,
        arrays: &[ArrayRef],
        rows: usize,
    ) -> std::result::Result<ArrayRef, FunctionError> {
        let columns = arrays.iter().zip(&self.arguments).map(|(array, field)| {
            if array.data_type() == field.data_type() {
                return Ok(std::sync::Arc::clone(array));
            }
            cast(array, field.data_type())
        });
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
        let arguments = StructArray::try_new_with_length(self.arguments.clone(), columns, None, rows)?;
        let arguments = FFI_ArrowArray::new(&arguments.into_data());
        let mut result = FFI_ArrowArray::empty();
        let mut message = Message::new();
        let (text, bytes) = message.place();
        // SAFETY: the host gave this function for this state; the arrays outlive the call and the message has its length.
        let code =
            unsafe { (self.call)(self.state.pointer, &raw const arguments, &raw mut result, text, bytes) };
        if code != 0 {
            return Err(FunctionError::user(format!("{}: {}", self.name, message.text())));
        }
        if result.is_released() {
            return Err(FunctionError::user(format!(
                "{}: said it had succeeded and gave no array",
                self.name
            )));
        }
        // SAFETY: the function gives an array of its type by the rules of the C data interface.
        let data = unsafe { from_ffi_and_data_type(result, self.result.clone()) };
        let wrong = |error| FunctionError::user(format!("{}: gave a wrong array: {error}", self.name));
        let data = data.map_err(wrong)?;
        data.validate_full().map_err(wrong)?;
        Ok(make_array(data))
    }
}

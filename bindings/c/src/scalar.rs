//! Scalar functions in C, over Arrow arrays.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;

use hypostyle::Type;
use hypostyle::arrow::array::{Array, ArrayRef, StructArray, make_array};
use hypostyle::arrow::compute::cast;
use hypostyle::arrow::datatypes::{DataType, Fields};
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use hypostyle::functions::Error as FunctionError;
use hypostyle::scalar::Nulls;

use crate::arrow_data::{columns_schema, value_type};
use crate::border::{act, given, text};
use crate::error::{HypostyleCode, HypostyleError};
use crate::session::HypostyleSession;

/// Bytes that a function has for its error message.
const MESSAGE_BYTES: usize = 1024;

/// A scalar function over Arrow arrays. `arguments` is a struct array with a child for each argument and a row for each value that is
/// asked for; it is lent for the call and must not be released. The function fills `result` with an array of as many values, which the library takes
/// over, and returns 0; or it leaves `result` alone, writes a text that ends with a zero to `message` and returns another number, which ends the
/// query. It may be called from several threads at the same time, with other rows in each call and in no certain order.
pub type HypostyleScalarCall = Option<
    unsafe extern "C" fn(
        state: *mut c_void,
        arguments: *const FFI_ArrowArray,
        result: *mut FFI_ArrowArray,
        message: *mut c_char,
        message_bytes: usize,
    ) -> i32,
>;

/// The state of a function, given back when the last plan that uses it is gone.
struct State {
    pointer: *mut c_void,
    release: Option<unsafe extern "C" fn(state: *mut c_void)>,
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the host gave this function for this state, and nothing calls it any more.
            unsafe { release(self.pointer) }
        }
    }
}

type Callback =
    unsafe extern "C" fn(*mut c_void, *const FFI_ArrowArray, *mut FFI_ArrowArray, *mut c_char, usize) -> i32;

struct HostFunction {
    name: String,
    state: State,
    call: Callback,
    arguments: Fields,
    result: DataType,
}

// SAFETY: the header asks that the function may be called with its state from any thread.
unsafe impl Send for HostFunction {}
// SAFETY: as above, at the same time too.
unsafe impl Sync for HostFunction {}

impl HostFunction {
    fn run(&self, arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef, FunctionError> {
        let columns = arrays.iter().zip(&self.arguments).map(|(array, field)| {
            if array.data_type() == field.data_type() {
                return Ok(std::sync::Arc::clone(array));
            }
            cast(array, field.data_type())
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let arguments = StructArray::try_new_with_length(self.arguments.clone(), columns, None, rows)?;
        let arguments = FFI_ArrowArray::new(&arguments.into_data());
        let mut result = FFI_ArrowArray::empty();
        let mut message = [0u8; MESSAGE_BYTES];
        // SAFETY: the host gave this function for this state; the arrays outlive the call and the message has its length.
        let code = unsafe {
            (self.call)(
                self.state.pointer,
                &raw const arguments,
                &raw mut result,
                message.as_mut_ptr().cast(),
                message.len(),
            )
        };
        if code != 0 {
            let message = CStr::from_bytes_until_nul(&message).map(CStr::to_string_lossy).unwrap_or_default();
            let message = if message.is_empty() { "failed without a message".into() } else { message };
            return Err(FunctionError::user(format!("{}: {message}", self.name)));
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

/// Adds a scalar function; replaces one of that name. `arguments` is a struct schema with a field for each argument, at most 16, `result` the schema
/// of one value; both are taken over, and their types say in which of several Arrow forms values are exchanged ("u", "U" or "vu" for text).
/// Unless `sees_nulls`, a null argument makes the row null and the function is not asked for it. `release` may be NULL; it is called once with
/// `state` when nothing can call the function any more, also if this fails. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_register_scalar(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    arguments: Option<&mut FFI_ArrowSchema>,
    result: Option<&mut FFI_ArrowSchema>,
    sees_nulls: bool,
    call: HypostyleScalarCall,
    state: *mut c_void,
    release: Option<unsafe extern "C" fn(state: *mut c_void)>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // From here on the state is given back whatever happens.
        let state = State { pointer: state, release };
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        let arguments = columns_schema(given(arguments, "arguments")?)?.fields;
        let result = value_type(given(result, "result")?)?;
        let (session, call) = (given(session, "session")?, given(call, "call")?);
        let function = HostFunction { name: name.to_owned(), state, call, arguments, result };
        let types = function.arguments.iter().map(|field| Type::from_arrow(field.data_type()));
        let types = types.collect::<Result<Vec<_>, _>>()?;
        let nulls = if sees_nulls { Nulls::Aware } else { Nulls::Strict };
        let given_type = Type::from_arrow(&function.result)?;
        let body = move |arrays: &[ArrayRef], rows: usize| function.run(arrays, rows);
        let scalar = hypostyle::array_function::over_arrays(name, &types, given_type, nulls, body)?;
        session.session.register_scalar(scalar);
        Ok(())
    })
}

//! Aggregate functions in C, over the values of a group as Arrow arrays.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use hypostyle::arrow::array::ArrayRef;
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

use crate::border::{act, given, text};
use crate::error::{HypostyleCode, HypostyleError};
use crate::host_function::{HostFunction, State};
use crate::session::HypostyleSession;

/// An aggregate function over Arrow arrays, called once for each group, or for each frame of a window. `arguments` is a struct array with a child for
/// each argument and the group's rows in their order; it is lent for the call and must not be released. The function fills `result` with an array of
/// one value, which the library takes over, and returns 0; or it leaves `result` alone, writes a text that ends with a zero to `message` and returns
/// another number, which ends the query. It may be called from several threads at the same time, each time with another group.
pub type HypostyleAggregateCall = Option<
    unsafe extern "C" fn(
        state: *mut c_void,
        arguments: *const FFI_ArrowArray,
        result: *mut FFI_ArrowArray,
        message: *mut c_char,
        message_bytes: usize,
    ) -> i32,
>;

/// Adds an aggregate function; replaces one of that name. It works wherever those of the library do: with GROUP BY, DISTINCT, FILTER, ORDER BY and
/// OVER, on any number of threads, and spilled to disk. `arguments` is a struct schema with a field for each argument, 1 to 16, `result` the schema of
/// one value; both are taken over, and their types say in which of several Arrow forms values are exchanged. Unless `sees_nulls`, rows with a null
/// argument are left out. A group without rows is null, and the function is not asked for it. `release` may be NULL; it is called once with `state` when
/// nothing can call the function any more, also if this fails. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_register_aggregate(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    arguments: Option<&mut FFI_ArrowSchema>,
    result: Option<&mut FFI_ArrowSchema>,
    sees_nulls: bool,
    call: HypostyleAggregateCall,
    state: *mut c_void,
    release: Option<unsafe extern "C" fn(state: *mut c_void)>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // From here on the state is given back whatever happens.
        let state = State { pointer: state, release };
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        let function = HostFunction::new(name, arguments, result, call, state)?;
        let session = given(session, "session")?;
        let (takes, gives) = (function.takes()?, function.gives()?);
        let body = move |arrays: &[ArrayRef], rows: usize| function.run(arrays, rows);
        let aggregate = hypostyle::array_aggregate::over_groups(name, &takes, gives, !sees_nulls, body)?;
        session.session.register_aggregate(aggregate);
        Ok(())
    })
}

//! Tables in C whose rows are pulled from a stream as queries ask for them.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;

use hypostyle::Schema;
use hypostyle::arrow::ffi::FFI_ArrowSchema;
use hypostyle::arrow::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use hypostyle::pulled_table::{Batches, PulledTable};

use crate::arrow_data::columns_schema;
use crate::border::{act, given, text};
use crate::error::{HypostyleCode, HypostyleError};
use crate::host_function::{Message, State};
use crate::session::HypostyleSession;

/// Opens the rows of a table for one scan of a query; a query may scan a table more than once, also at the same time. `columns` names the `count`
/// columns that are read, and is lent for the call; without any, only the number of rows counts. The function fills `stream`, which the library takes over,
/// and returns 0; or it leaves `stream` alone, writes a text that ends with a zero to `message` and returns another number, which ends the query. The
/// stream has at least the columns that were named, in any order, and the types that the table was registered with.
pub type HypostyleTableOpen = Option<
    unsafe extern "C" fn(
        state: *mut c_void,
        columns: *const *const c_char,
        count: usize,
        stream: *mut FFI_ArrowArrayStream,
        message: *mut c_char,
        message_bytes: usize,
    ) -> i32,
>;

type Callback = unsafe extern "C" fn(
    *mut c_void,
    *const *const c_char,
    usize,
    *mut FFI_ArrowArrayStream,
    *mut c_char,
    usize,
) -> i32;

/// Adds a table whose rows are pulled as queries ask for them; replaces one of that name. `schema` is a struct schema with a field for each column, and
/// is taken over. The stream that `open` gives is asked for a batch when a worker has need of it, by one thread at a time but not always the same,
/// and released when the query ends, also before its last batch. A batch that keeps its thread waiting delays cancellation. `release` may be NULL; it is
/// called once with `state` when nothing can open the table any more, also if this fails. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_register_table(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    schema: Option<&mut FFI_ArrowSchema>,
    open: HypostyleTableOpen,
    state: *mut c_void,
    release: Option<unsafe extern "C" fn(state: *mut c_void)>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // From here on the state is given back whatever happens.
        let state = State { pointer: state, release };
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        let schema = Schema::from_arrow(&columns_schema(given(schema, "schema")?)?)?;
        let (session, open) = (given(session, "session")?, given(open, "open")?);
        let opened = move |columns: &[&str]| opened(&state, open, columns);
        let table = PulledTable::new(schema, format!("table \"{name}\""), opened);
        session.session.register_table(name, Arc::new(table));
        Ok(())
    })
}

/// The batches of the stream that the host opens.
fn opened(state: &State, open: Callback, columns: &[&str]) -> Result<Batches, String> {
    let names = columns.iter().map(|&name| CString::new(name)).collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|_| "the name of a column holds a zero".to_owned())?;
    let pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let mut stream = FFI_ArrowArrayStream::empty();
    let mut message = Message::new();
    let (text, bytes) = message.place();
    // SAFETY: the host gave this function for this state; the names outlive the call and the message has its length.
    let code =
        unsafe { open(state.pointer, pointers.as_ptr(), pointers.len(), &raw mut stream, text, bytes) };
    if code != 0 {
        return Err(message.text());
    }
    let reader = RecordBatchStreamReader::try_new(stream);
    let reader = reader.map_err(|error| format!("the stream that was opened could not be read: {error}"))?;
    Ok(Box::new(reader.map(|batch| batch.map_err(|error| error.to_string()))))
}

//! Sessions: options, statements, tables.

use std::collections::HashMap;
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use hypostyle::arrow::ffi_stream::FFI_ArrowArrayStream;
use hypostyle::{Configuration, HostMemory, RunHandle, Schema, Session};

use crate::answer::HypostyleAnswer;
use crate::arrow_data::{columns_schema, taken_batch, taken_stream};
use crate::border::{act, ask, given, make, slice, text};
use crate::bytes::HypostyleBytes;
use crate::error::{Failure, HypostyleCode, HypostyleError, Result};
use crate::prepared::HypostylePrepared;

/// Asks the host for memory. All three are called from any thread that runs a query and must not call back into the library. They
/// count what queries hold; the memory itself comes from the allocator of the process.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct HypostyleMemory {
    /// Given to each call.
    pub state: *mut c_void,
    /// Takes bytes; false refuses them, and the query spills or fails.
    pub try_take: Option<unsafe extern "C" fn(state: *mut c_void, bytes: usize) -> bool>,
    /// Takes bytes without which nothing moves on: small amounts, and what others are about to give back.
    pub take: Option<unsafe extern "C" fn(state: *mut c_void, bytes: usize)>,
    /// Gives bytes back.
    pub give: Option<unsafe extern "C" fn(state: *mut c_void, bytes: usize)>,
}

/// Limits and sizes of a session. A field that is 0 or NULL has its default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct HypostyleOptions {
    /// Workers of a query: by default one for each processor; with 1 everything runs on the caller's thread.
    pub threads: usize,
    /// Rows of a batch: by default 2048.
    pub batch_rows: usize,
    /// Most bytes that queries of the session hold: by default no limit.
    pub memory_limit_bytes: u64,
    /// Where spill files go: by default the system's temporary directory.
    pub temp_directory: *const c_char,
    /// Callbacks with which the host counts memory: all three or none.
    pub memory: HypostyleMemory,
}

/// Tables, functions, views and settings. Any number of threads may use a session at the same time; answers, prepared statements and
/// transforms keep what they need of it and may be used after it is freed.
pub struct HypostyleSession {
    pub(crate) session: Session,
    running: Arc<Running>,
}

/// What threads run inside a blocking call, so that others can stop it.
#[derive(Default)]
struct Running(Mutex<HashMap<ThreadId, Call>>);

#[derive(Default)]
struct Call {
    handle: Option<RunHandle>,
    cancelled: bool,
}

impl Running {
    fn calls(&self) -> MutexGuard<'_, HashMap<ThreadId, Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// States what this thread runs; stopped at once if that was asked for meanwhile.
    fn observe(&self, handle: RunHandle) {
        let mut calls = self.calls();
        let call = calls.entry(std::thread::current().id()).or_default();
        if call.cancelled {
            handle.cancel();
        }
        call.handle = Some(handle);
    }

    fn cancel(&self) {
        for call in self.calls().values_mut() {
            call.cancelled = true;
            if let Some(handle) = &call.handle {
                handle.cancel();
            }
        }
    }
}

/// A blocking call of this thread, which ends when this is dropped.
struct Blocking<'a>(&'a Running);

impl Drop for Blocking<'_> {
    fn drop(&mut self) {
        self.0.calls().remove(&std::thread::current().id());
    }
}

impl HypostyleSession {
    fn new(session: Session) -> Self {
        let running = Arc::new(Running::default());
        let observer = Arc::clone(&running);
        session.observe_fits(Arc::new(move |handle| observer.observe(handle)));
        Self { session, running }
    }

    /// Runs `body`, whose runs other threads may stop.
    pub(crate) fn blocking<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        self.running.calls().insert(std::thread::current().id(), Call::default());
        let _call = Blocking(&self.running);
        body()
    }

    /// The answer of the last statement; those before it are run to their end.
    fn answer(&self, sql: &str) -> Result<HypostyleAnswer> {
        let failed = |error: hypostyle::Error| Failure::in_text(&error, sql);
        self.blocking(|| {
            let statements = self.session.script(sql).map_err(failed)?;
            // A statement is planned when it is asked for, so the one before has to be over by then.
            let mut left = statements.size_hint().0;
            for answer in statements {
                let answer = answer.map_err(failed)?;
                left = left.saturating_sub(1);
                if left == 0 {
                    return Ok(HypostyleAnswer::new(answer, sql));
                }
                self.drained(answer).map_err(failed)?;
            }
            Err(Failure::user("there is no statement in the text"))
        })
    }

    /// The rows of an answer, counted or as it counts them.
    fn drained(&self, answer: hypostyle::Answer) -> hypostyle::Result<u64> {
        if let Some(handle) = answer.handle() {
            self.running.observe(handle);
        }
        answer.drain()
    }
}

/// Makes a session; `options` may be NULL for the defaults. NULL where it fails. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_new(
    options: Option<&HypostyleOptions>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleSession>> {
    make(error, || {
        let mut configuration = Configuration::default();
        let Some(options) = options else { return Ok(HypostyleSession::new(Session::new())) };
        let wrong = |field: &str, right: &str| Failure::user(format!("option \"{field}\" takes {right}"));
        match options.threads {
            0 => {}
            threads @ 1..=1024 => configuration.threads = threads,
            _ => return Err(wrong("threads", "a number from 1 to 1024, or 0 for the default")),
        }
        match options.batch_rows {
            0 => {}
            rows if rows <= 1 << 20 => configuration.batch_rows = rows,
            _ => return Err(wrong("batch_rows", "a number from 1 to 1048576, or 0 for the default")),
        }
        if options.memory_limit_bytes != 0 {
            let bytes = usize::try_from(options.memory_limit_bytes);
            let bytes = bytes.map_err(|_| wrong("memory_limit_bytes", "a size of this machine's memory"))?;
            configuration.memory_limit_bytes = Some(bytes);
        }
        if !options.temp_directory.is_null() {
            // SAFETY: by the contract of the header it is a text that ends with a zero.
            let path = unsafe { text(options.temp_directory, "temp_directory") }?;
            configuration.temp_directory = Some(path.into());
        }
        Ok(HypostyleSession::new(match HostPool::of(options.memory)? {
            Some(pool) => Session::with_host_memory(configuration, Arc::new(pool)),
            None => Session::with_configuration(configuration),
        }))
    })
}

/// Frees a session. NULL is allowed. No other thread may be inside a call with it.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_session_free(session: Option<Box<HypostyleSession>>) {
    ask(|| drop(session));
}

/// Runs every statement of a text. The answer is that of the last one, whose rows are made as they are asked for; those before it are
/// run to their end. Any thread; blocks while it plans, while it fits and while it runs the statements before the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_sql(
    session: Option<&HypostyleSession>,
    sql: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleAnswer>> {
    make(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let sql = unsafe { text(sql, "sql") }?;
        given(session, "session")?.answer(sql)
    })
}

/// Runs every statement of a text to its end and forgets the rows; their number, or the number that the last statement wrote, goes to `rows`, which
/// may be NULL. Any thread; blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_execute(
    session: Option<&HypostyleSession>,
    sql: *const c_char,
    rows: Option<&mut MaybeUninit<u64>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let sql = unsafe { text(sql, "sql") }?;
        let session = given(session, "session")?;
        let answer = session.answer(sql)?.into_answer()?;
        let count =
            session.blocking(|| session.drained(answer).map_err(|error| Failure::in_text(&error, sql)))?;
        if let Some(rows) = rows {
            rows.write(count);
        }
        Ok(())
    })
}

/// Runs every statement of a text and hands the rows of the last one out as a stream, which may outlive the session. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_query(
    session: Option<&HypostyleSession>,
    sql: *const c_char,
    stream: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let sql = unsafe { text(sql, "sql") }?;
        let stream = given(stream, "stream")?;
        given(session, "session")?.answer(sql)?.into_stream(stream)
    })
}

/// Stops what other threads are doing inside a blocking call of this session: statements and the passes of fits. Their calls fail with
/// HYPOSTYLE_CODE_CANCELLED. Answers and runs are stopped by their own functions. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_session_cancel(session: Option<&HypostyleSession>) {
    ask(|| {
        if let Some(session) = session {
            session.running.cancel();
        }
    });
}

/// Makes one query ready: bound and compiled once, run many times with other parameters, `$1` or `?`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_prepare(
    session: Option<&HypostyleSession>,
    sql: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostylePrepared>> {
    make(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let sql = unsafe { text(sql, "sql") }?;
        let session = given(session, "session")?;
        let prepared = session
            .blocking(|| session.session.prepare(sql).map_err(|error| Failure::in_text(&error, sql)))?;
        Ok(HypostylePrepared::new(prepared, sql))
    })
}

/// Makes a Substrait plan ready, of this library or another planner. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_prepare_substrait(
    session: Option<&HypostyleSession>,
    plan: *const u8,
    length: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostylePrepared>> {
    make(error, || {
        // SAFETY: by the contract of the header `plan` has `length` bytes.
        let plan = unsafe { slice(plan, length, "plan") }?;
        Ok(HypostylePrepared::new(given(session, "session")?.session.prepare_substrait(plan)?, ""))
    })
}

/// The Substrait plan of one query. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_substrait_plan(
    session: Option<&HypostyleSession>,
    sql: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleBytes>> {
    make(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let sql = unsafe { text(sql, "sql") }?;
        let plan = given(session, "session")?.session.substrait_plan(sql);
        Ok(HypostyleBytes(plan.map_err(|error| Failure::in_text(&error, sql))?))
    })
}

/// Adds the batches of a stream as a table; replaces one of that name. Takes the stream over and reads it to its end. Values are not copied. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_register_stream(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    stream: Option<&mut FFI_ArrowArrayStream>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        let batches = taken_stream(given(stream, "stream")?)?;
        Ok(given(session, "session")?.session.register(name, batches)?)
    })
}

/// Adds a struct array as a table, a column for each field; replaces one of that name. Takes array and schema over. Values are not copied.
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_register_array(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    array: Option<&mut FFI_ArrowArray>,
    schema: Option<&mut FFI_ArrowSchema>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        let batch = taken_batch(given(array, "array")?, schema, None)?;
        Ok(given(session, "session")?.session.register(name, vec![batch])?)
    })
}

/// Adds a file, a pattern or a list of files as a table: what `FROM 'path'` would read. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_register_file(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    path: *const c_char,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header both are texts that end with a zero.
        let (name, path) = unsafe { (text(name, "name")?, text(path, "path")?) };
        Ok(given(session, "session")?.session.register_file(name, path)?)
    })
}

/// Adds an input whose rows the host pushes: a query over it is prepared once and fed with hypostyle_run_push. Takes the schema over, a
/// struct with a field for each column. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_session_register_input(
    session: Option<&HypostyleSession>,
    name: *const c_char,
    schema: Option<&mut FFI_ArrowSchema>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        // SAFETY: by the contract of the header it is a text that ends with a zero.
        let name = unsafe { text(name, "name") }?;
        let schema = Schema::from_arrow(&columns_schema(given(schema, "schema")?)?)?;
        given(session, "session")?.session.register_input(name, schema);
        Ok(())
    })
}

/// The host's callbacks.
struct HostPool {
    state: *mut c_void,
    try_take: unsafe extern "C" fn(*mut c_void, usize) -> bool,
    take: unsafe extern "C" fn(*mut c_void, usize),
    give: unsafe extern "C" fn(*mut c_void, usize),
}

// SAFETY: the header asks that the callbacks may be called with this state from any thread.
unsafe impl Send for HostPool {}
// SAFETY: as above, at the same time too.
unsafe impl Sync for HostPool {}

impl HostPool {
    fn of(memory: HypostyleMemory) -> Result<Option<Self>> {
        match (memory.try_take, memory.take, memory.give) {
            (None, None, None) => Ok(None),
            (Some(try_take), Some(take), Some(give)) => {
                Ok(Some(Self { state: memory.state, try_take, take, give }))
            }
            _ => Err(Failure::user("option \"memory\" takes all three callbacks or none")),
        }
    }
}

impl HostMemory for HostPool {
    fn try_take(&self, bytes: usize) -> bool {
        // SAFETY: the host gave this callback for this state.
        unsafe { (self.try_take)(self.state, bytes) }
    }

    fn take(&self, bytes: usize) {
        // SAFETY: the host gave this callback for this state.
        unsafe { (self.take)(self.state, bytes) }
    }

    fn give(&self, bytes: usize) {
        // SAFETY: the host gave this callback for this state.
        unsafe { (self.give)(self.state, bytes) }
    }
}

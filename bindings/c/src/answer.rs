//! Answers: the rows of a statement, batch by batch or as a stream.

use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hypostyle::arrow::datatypes::SchemaRef;
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use hypostyle::arrow::ffi_stream::FFI_ArrowArrayStream;
use hypostyle::{Answer, RunHandle};

use crate::arrow_data::{give_batch, give_schema, give_stream};
use crate::border::{act, ask, given};
use crate::error::{Failure, HypostyleCode, HypostyleError, Result};

/// The rows of a statement, made as they are asked for, in order.
pub struct HypostyleAnswer {
    rows: Mutex<Option<Answer>>,
    schema: SchemaRef,
    handle: Option<RunHandle>,
    /// The text that errors point into.
    sql: Arc<str>,
}

impl HypostyleAnswer {
    pub(crate) fn new(answer: Answer, sql: &str) -> Self {
        Self {
            schema: Arc::clone(answer.arrow_schema()),
            handle: answer.handle(),
            rows: Mutex::new(Some(answer)),
            sql: sql.into(),
        }
    }

    fn rows(&self) -> MutexGuard<'_, Option<Answer>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> Result<Answer> {
        self.rows().take().ok_or_else(given_away)
    }

    pub(crate) fn into_answer(self) -> Result<Answer> {
        self.taken()
    }

    pub(crate) fn into_stream(self, stream: &mut MaybeUninit<FFI_ArrowArrayStream>) -> Result<()> {
        self.stream(stream)
    }

    fn stream(&self, stream: &mut MaybeUninit<FFI_ArrowArrayStream>) -> Result<()> {
        let mut answer = self.taken()?;
        let sql = Arc::clone(&self.sql);
        let next = move || answer.next_batch().map_err(|error| error.render(&sql)).transpose();
        give_stream(Arc::clone(&self.schema), next, stream);
        Ok(())
    }
}

fn given_away() -> Failure {
    Failure::user("the rows of this answer were handed out as a stream")
}

/// Frees an answer; what runs for it is stopped and its files are removed. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_answer_free(answer: Option<Box<HypostyleAnswer>>) {
    ask(|| drop(answer));
}

/// The columns of the answer, as a struct schema. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_answer_schema(
    answer: Option<&HypostyleAnswer>,
    schema: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || give_schema(&given(answer, "answer")?.schema, given(schema, "schema")?))
}

/// The next batch, as a struct array; at the end one whose `release` is NULL. Any thread, one after the other; blocks.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_answer_next(
    answer: Option<&HypostyleAnswer>,
    array: Option<&mut MaybeUninit<FFI_ArrowArray>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let (answer, array) = (given(answer, "answer")?, given(array, "array")?);
        give_batch(None, array);
        let mut rows = answer.rows();
        let batch = rows.as_mut().ok_or_else(given_away)?.next_batch();
        give_batch(batch.map_err(|error| Failure::in_text(&error, &answer.sql))?, array);
        Ok(())
    })
}

/// Hands the rows that are left out as a stream, which may outlive answer and session. The answer can still be asked for its progress and be
/// stopped; freeing it leaves the stream as it is. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_answer_stream(
    answer: Option<&HypostyleAnswer>,
    stream: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || given(answer, "answer")?.stream(given(stream, "stream")?))
}

/// Stops what runs for the answer; the next batch is an error with HYPOSTYLE_CODE_CANCELLED. Any thread, while others wait for rows too.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_answer_cancel(answer: Option<&HypostyleAnswer>) {
    ask(|| {
        if let Some(handle) = answer.and_then(|answer| answer.handle.as_ref()) {
            handle.cancel();
        }
    });
}

/// The share of the inputs that has been read, from 0 to 1; 1 where nothing runs. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_answer_progress(answer: Option<&HypostyleAnswer>) -> f64 {
    ask(|| answer.and_then(|answer| answer.handle.as_ref()).map_or(1.0, RunHandle::progress))
}

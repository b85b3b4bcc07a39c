//! Runs that a host drives: push and finish, workers, snapshots.

use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hypostyle::arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use hypostyle::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use hypostyle::{Progress, Run, RunHandle, Worker};

use crate::arrow_data::{give_batch, taken_batch};
use crate::border::{act, ask, given, make, slice};
use crate::bytes::HypostyleBytes;
use crate::error::{Failure, HypostyleCode, HypostyleError, Result};
use crate::prepared::HypostylePrepared;

/// One execution of a prepared statement.
pub struct HypostyleRun {
    run: Mutex<Run>,
    handle: RunHandle,
    input: Option<ArrowSchema>,
    schema: SchemaRef,
    sql: Arc<str>,
}

impl HypostyleRun {
    pub(crate) fn new(run: Run, prepared: &HypostylePrepared) -> Self {
        Self {
            handle: run.handle(),
            run: Mutex::new(run),
            input: prepared.input(),
            schema: Arc::new(prepared.prepared.schema().to_arrow()),
            sql: Arc::clone(&prepared.sql),
        }
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: hypostyle::EngineError) -> Failure {
        Failure::in_text(&error.into(), &self.sql)
    }
}

/// Frees a run; its workers are stopped and its files are removed. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_free(run: Option<Box<HypostyleRun>>) {
    ask(|| drop(run));
}

/// Hands a batch to the input of the run: a struct array, whose columns are found by name where a schema is given, and which otherwise has
/// those of hypostyle_prepared_input. Takes array and schema over. What it gives comes from hypostyle_run_next. Any thread, one after the other.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_push(
    run: Option<&HypostyleRun>,
    array: Option<&mut FFI_ArrowArray>,
    schema: Option<&mut FFI_ArrowSchema>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let run = given(run, "run")?;
        let array = given(array, "array")?;
        let Some(input) = &run.input else {
            return Err(Failure::user(
                "this query reads its own tables; batches are pushed into queries over an input",
            ));
        };
        let batch = taken_batch(array, schema, Some(input))?;
        let batch = hypostyle::input_batch(&batch, &hypostyle::Schema::from_arrow(input)?)?;
        run.run().push(batch).map_err(|error| run.failed(error))
    })
}

/// States that no batch will follow; what the query holds back comes from hypostyle_run_next. Any thread, one after the other.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_finish(
    run: Option<&HypostyleRun>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let run = given(run, "run")?;
        run.run().finish().map_err(|error| run.failed(error))
    })
}

/// The next batch, as a struct array; one whose `release` is NULL at the end, or when the input has nothing more for now
/// (see hypostyle_run_is_finished). Any thread, one after the other; blocks.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_next(
    run: Option<&HypostyleRun>,
    array: Option<&mut MaybeUninit<FFI_ArrowArray>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let (run, array) = (given(run, "run")?, given(array, "array")?);
        give_batch(None, array);
        let batch = run.run().next().map_err(|error| run.failed(error))?;
        let batch = batch.map(|batch| batch.export(&run.schema)).transpose();
        give_batch(batch.map_err(|error| run.failed(error))?, array);
        Ok(())
    })
}

/// True once the last batch has been given. Any thread, one after the other.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_is_finished(run: Option<&HypostyleRun>) -> bool {
    ask(|| run.is_some_and(|run| run.run().is_finished()))
}

/// Stops the run; what steps it gets HYPOSTYLE_CODE_CANCELLED. Any thread, while others wait for rows too.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_cancel(run: Option<&HypostyleRun>) {
    ask(|| {
        if let Some(run) = run {
            run.handle.cancel();
        }
    });
}

/// The share of the inputs that has been read, from 0 to 1. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_progress(run: Option<&HypostyleRun>) -> f64 {
    ask(|| run.map_or(1.0, |run| run.handle.progress()))
}

/// The state of the run as bytes, from which another run of the same statement goes on. Only of plans whose operators hold no rows between
/// batches; others name the operator that does. Any thread, one after the other.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_snapshot(
    run: Option<&HypostyleRun>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleBytes>> {
    make(error, || {
        let run = given(run, "run")?;
        Ok(HypostyleBytes(run.run().snapshot().map_err(|error| run.failed(error))?))
    })
}

/// Goes on from a snapshot. Any thread, one after the other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hypostyle_run_restore(
    run: Option<&HypostyleRun>,
    snapshot: *const u8,
    length: usize,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let run = given(run, "run")?;
        // SAFETY: by the contract of the header `snapshot` has `length` bytes.
        let snapshot = unsafe { slice(snapshot, length, "snapshot") }?;
        run.run().restore(snapshot).map_err(|error| run.failed(error))
    })
}

/// What a step of a worker came to.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HypostyleProgress {
    /// Something was done; step again.
    Working = 0,
    /// Nothing to do until another worker, the input or whoever takes the batches has moved on.
    Idle = 1,
    /// A batch of the result, in order.
    Output = 2,
    /// The run is over for this worker.
    Finished = 3,
}

/// One of the workers of a run, for hosts that bring their own threads. It may be stepped from any thread, one after the other.
pub struct HypostyleWorker {
    worker: Mutex<Worker>,
    schema: SchemaRef,
    sql: Arc<str>,
}

/// Makes another worker. One that has taken a step must be stepped on until it is finished, since it may hold rows that the result needs.
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_run_worker(
    run: Option<&HypostyleRun>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> Option<Box<HypostyleWorker>> {
    make(error, || -> Result<_> {
        let run = given(run, "run")?;
        Ok(HypostyleWorker {
            worker: Mutex::new(run.run().worker()),
            schema: Arc::clone(&run.schema),
            sql: Arc::clone(&run.sql),
        })
    })
}

/// Takes one step. `array` gets the batch of HYPOSTYLE_PROGRESS_OUTPUT, and otherwise one whose `release` is NULL. Any thread, one after the
/// other.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_worker_step(
    worker: Option<&HypostyleWorker>,
    progress: Option<&mut MaybeUninit<HypostyleProgress>>,
    array: Option<&mut MaybeUninit<FFI_ArrowArray>>,
    error: Option<&mut MaybeUninit<*mut HypostyleError>>,
) -> HypostyleCode {
    act(error, || {
        let worker = given(worker, "worker")?;
        let (progress, array) = (given(progress, "progress")?, given(array, "array")?);
        progress.write(HypostyleProgress::Finished);
        give_batch(None, array);
        let failed = |error: hypostyle::EngineError| Failure::in_text(&error.into(), &worker.sql);
        let step = worker.worker.lock().unwrap_or_else(PoisonError::into_inner).step();
        progress.write(match step.map_err(failed)? {
            Progress::Working => HypostyleProgress::Working,
            Progress::Idle => HypostyleProgress::Idle,
            Progress::Finished => HypostyleProgress::Finished,
            Progress::Output(batch) => {
                give_batch(Some(batch.export(&worker.schema).map_err(failed)?), array);
                HypostyleProgress::Output
            }
        });
        Ok(())
    })
}

/// Frees a worker. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn hypostyle_worker_free(worker: Option<Box<HypostyleWorker>>) {
    ask(|| drop(worker));
}

//! Makes a plan runnable and runs it: [`Prepared`], [`Run`], [`Worker`].
//!
//! A plan is cut into pipelines (see `assemble`), which run one after the other; the workers of a run
//! share one schedule. With one worker everything happens on the caller's thread and no other thread
//! exists. With several, [`Run::next`] starts threads that step workers of their own, and a host may
//! do the same with [`Run::worker`].

mod assemble;
mod assemble_join;
mod assemble_ordered;
mod assemble_scan;
mod bindings;
mod distinct_steps;
mod gather;
mod key_columns;
mod pipeline;
mod recursive;
mod schedule;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use hypostyle_functions::types::Schema;
use hypostyle_functions::value::Literal;

use crate::batch::Batch;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::memory::{Budget, Promise};
use crate::metrics::Metrics;
use crate::plan::Plan;
use bindings::Bindings;
use schedule::Schedule;

pub use worker::{Progress, Worker};

/// A plan made ready: verified, its expressions compiled, its tables found. Immutable; any number of runs may be
/// started, also at the same time.
pub struct Prepared {
    plan: Arc<Plan>,
    context: Arc<Context>,
    bindings: Bindings,
    parameters: Vec<hypostyle_functions::Type>,
}

impl Prepared {
    /// Verifies the plan, compiles its expressions and finds its tables.
    ///
    /// # Errors
    /// A plan that does not verify, a table or function that the session does not have.
    pub fn new(plan: Plan, context: Arc<Context>) -> Result<Self> {
        let mut bindings = Bindings::default();
        crate::plan::verify_over(&plan, &context, &mut |table| bindings.table(table, &context))?;
        let parameters = crate::plan::parameters(&plan)?;
        let run = assemble::run_context(&context, Vec::new(), &context.memory);
        assemble::assemble(&plan, &run, &mut bindings)?;
        Ok(Self { plan: Arc::new(plan), context, bindings: bindings.rewound(), parameters })
    }

    /// Columns of the result.
    pub fn schema(&self) -> &Schema {
        &self.plan.schema
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Types of the parameters, by position.
    pub fn parameters(&self) -> &[hypostyle_functions::Type] {
        &self.parameters
    }

    /// Starts a run with these values for the plan's parameters.
    ///
    /// # Errors
    /// A wrong number or type of parameters; a memory limit below what the query's readers take.
    pub fn start(&self, parameters: &[Literal]) -> Result<Run> {
        self.start_within(parameters, &self.context.memory)
    }

    /// As [`Prepared::start`], with another byte budget than the session's: that of the host on whose behalf this run goes.
    ///
    /// # Errors
    /// As [`Prepared::start`].
    pub fn start_within(&self, parameters: &[Literal], memory: &Arc<Budget>) -> Result<Run> {
        if parameters.len() != self.parameters.len() {
            return Err(Error::user(format!(
                "the statement takes {} parameters; {} were given",
                self.parameters.len(),
                parameters.len()
            )));
        }
        for (position, (given, wanted)) in parameters.iter().zip(&self.parameters).enumerate() {
            if given.data_type != *wanted {
                return Err(Error::user(format!(
                    "parameter {} has type {}; expected {wanted}",
                    position + 1,
                    given.data_type
                )));
            }
        }
        let run = assemble::run_context(&self.context, parameters.to_vec(), memory);
        let schedule = assemble::assemble(&self.plan, &run, &mut self.bindings.clone())?;
        let promise = schedule.promise()?;
        let schedule = Arc::new(schedule);
        Ok(Run {
            _promise: promise,
            worker: Worker::new(Arc::clone(&schedule), true),
            threads: self.context.configuration.threads.max(1),
            helpers: Mutex::new(None),
            plan: Arc::clone(&self.plan),
            schedule,
        })
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("schema", self.schema()).finish_non_exhaustive()
    }
}

/// One execution of a [`Prepared`] plan. Dropped in the middle, it stops its workers and removes its files.
#[derive(Debug)]
pub struct Run {
    schedule: Arc<Schedule>,
    worker: Worker,
    threads: usize,
    helpers: Mutex<Option<Vec<JoinHandle<()>>>>,
    plan: Arc<Plan>,
    /// What is kept free for its readers.
    _promise: Promise,
}

impl Run {
    /// Another worker, for a host that brings its own threads. A worker that has taken a step must be stepped on
    /// until it says [`Progress::Finished`], since it may hold rows that the result needs.
    pub fn worker(&self) -> Worker {
        Worker::new(Arc::clone(&self.schedule), true)
    }

    /// Lets workers decode what they hand over, so that whoever takes the result has each row's value without further work. Asked before
    /// the first batch.
    pub fn decode_output(&self) {
        self.schedule.output.decode();
    }

    /// The next batch of the result, in the order of the plan; `None` at the end, or when a host-driven input has
    /// nothing more for now (see [`Run::is_finished`]).
    ///
    /// # Errors
    /// The error that ends the run.
    // Not an iterator: an error ends the run, and a host-driven run goes on after `None`.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Batch>> {
        self.next_unless(&mut || false)
    }

    /// As [`Run::next`], for hosts that learn only on the caller's thread that they are to stop: `stop` is asked
    /// between steps and at least every 20 ms while there is nothing to do; once it says so, the run is cancelled.
    ///
    /// # Errors
    /// As [`Run::next`]; [`Error::Cancelled`] after `stop`.
    pub fn next_unless(&mut self, stop: &mut dyn FnMut() -> bool) -> Result<Option<Batch>> {
        if self.threads > 1 && self.schedule.input.is_none() {
            self.start_helpers();
        }
        self.schedule.output.set_awaited(true);
        let next = self.awaited_next(stop);
        self.schedule.output.set_awaited(false);
        next
    }

    fn awaited_next(&mut self, stop: &mut dyn FnMut() -> bool) -> Result<Option<Batch>> {
        loop {
            if stop() {
                self.cancel();
            }
            let seen = self.schedule.changes();
            match self.worker.step()? {
                Progress::Output(batch) => return Ok(Some(batch)),
                Progress::Finished => return Ok(None),
                Progress::Working => {}
                Progress::Idle if self.schedule.input.as_ref().is_some_and(|input| !input.is_ready()) => {
                    return Ok(None);
                }
                Progress::Idle => self.schedule.wait(seen),
            }
        }
    }

    fn start_helpers(&mut self) {
        let mut helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        if helpers.is_some() {
            return;
        }
        let start = |number: usize| {
            let schedule = Arc::clone(&self.schedule);
            let body = move || help(&schedule);
            // A thread that cannot be started is one worker less, not an error.
            std::thread::Builder::new().name(format!("hypostyle-{number}")).spawn(body).ok()
        };
        *helpers = Some((1..self.threads).filter_map(start).collect());
    }

    /// Hands a batch to the plan's host-driven input. Its results come from [`Run::next`].
    ///
    /// # Errors
    /// A plan without such an input, or a batch with another number of columns.
    pub fn push(&mut self, batch: Batch) -> Result<()> {
        self.input()?.push(batch)?;
        self.schedule.notify();
        Ok(())
    }

    /// States that no batch will follow; what breakers hold comes from [`Run::next`].
    ///
    /// # Errors
    /// A plan without a host-driven input.
    pub fn finish(&mut self) -> Result<()> {
        self.input()?.finish();
        self.schedule.notify();
        Ok(())
    }

    fn input(&self) -> Result<&Arc<crate::operator::scan::HostInput>> {
        self.schedule.input.as_ref().ok_or_else(|| {
            Error::user("this plan reads its own tables; batches are pushed into plans over an input")
        })
    }

    /// True once the last batch has been given.
    pub fn is_finished(&self) -> bool {
        self.schedule.is_over() && !self.schedule.output.has_output()
    }

    /// Asks the run to stop; the next step of each worker reports [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.handle().cancel();
    }

    /// A handle with which other threads watch and stop the run.
    pub fn handle(&self) -> RunHandle {
        RunHandle { schedule: Arc::clone(&self.schedule) }
    }

    /// Figures per plan node, so far.
    pub fn metrics(&self) -> Metrics {
        self.schedule.metrics.snapshot()
    }

    /// The plan that is run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The state of the run as bytes, for a plan whose operators hold no rows between batches.
    ///
    /// # Errors
    /// A plan with a breaker, which is named.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        match crate::plan::first_breaker(&self.plan) {
            None => Ok(SNAPSHOT.to_vec()),
            Some(name) => Err(Error::user(format!(
                "no snapshot: {name} holds rows, and only streaming plans can be snapshot"
            ))),
        }
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// Bytes that are not a snapshot of such a plan.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<()> {
        if snapshot == SNAPSHOT && crate::plan::first_breaker(&self.plan).is_none() {
            return Ok(());
        }
        Err(Error::user("the bytes are not a snapshot of this plan"))
    }
}

/// The snapshot of a plan without state.
const SNAPSHOT: &[u8] = b"hypostyle snapshot 1 stateless";

impl Drop for Run {
    fn drop(&mut self) {
        self.schedule.stop();
        let helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner).take();
        for helper in helpers.into_iter().flatten() {
            // A helper catches panics at each step, so there is nothing to learn from its result.
            let _ = helper.join();
        }
    }
}

/// Watches and stops a run from other threads.
#[derive(Debug, Clone)]
pub struct RunHandle {
    schedule: Arc<Schedule>,
}

impl RunHandle {
    /// Asks the run to stop.
    pub fn cancel(&self) {
        self.schedule.run.cancelled.store(true, Ordering::Relaxed);
        self.schedule.notify();
    }

    /// Share of the inputs that has been read, from 0 to 1.
    pub fn progress(&self) -> f64 {
        self.schedule.progress()
    }

    /// Figures per plan node, so far.
    pub fn metrics(&self) -> Metrics {
        self.schedule.metrics.snapshot()
    }
}

/// What a thread of the pool does: steps a worker that leaves the output to whoever pulls.
fn help(schedule: &Arc<Schedule>) {
    let mut worker = Worker::new(Arc::clone(schedule), false);
    loop {
        let seen = schedule.changes();
        match worker.step() {
            Ok(Progress::Working | Progress::Output(_)) => {}
            Ok(Progress::Idle) => schedule.wait(seen),
            Ok(Progress::Finished) | Err(_) => return,
        }
    }
}

/// Runs a step of an operator; a panic in it becomes an internal error.
pub(crate) fn guard<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a step panicked".into());
        Err(Error::internal(text))
    })
}

//! Operators, and the contract between them and the executor.
//!
//! A pipeline is a [`Source`], a chain of [`Transform`]s and a [`Sink`]. The source hands out
//! morsels; a worker runs one morsel at a time through its own instances of the transforms, one
//! [`Step`] after the other, and the executor may stop between any two steps.
//!
//! What every operator holds to:
//! - **Position.** An output batch carries the position of the input batch it came from. Rows of one
//!   morsel leave in the order they entered; a transform never mixes rows of two morsels, and gives
//!   out what it held back when it is told that the morsel ends.
//! - **Size.** A batch is never empty and has at most about [`RunContext::batch_rows`] rows; an
//!   operator that multiplies rows gives at most one batch a step and is asked again.
//! - **End.** A transform that wants no further row of a morsel says so with [`Step::Finished`] or
//!   [`Step::LastOutput`]; nothing more is read for it.
//! - **Memory.** Rows that are kept beyond a step are charged to a reservation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hypostyle_functions::value::Literal;

use crate::batch::Batch;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::expression::Evaluator;
use crate::memory::QueryMemory;
use crate::spill::SpillDirectory;
use crate::table::Reader;

pub mod aggregate;
pub mod asof;
pub mod computed_limit;
pub mod filter;
pub mod gather;
pub mod join;
pub mod keyed_rows;
pub mod limit;
pub mod ordered;
pub mod ordinal;
pub mod positional;
pub mod project;
pub mod range_join;
pub mod recursive;
pub mod repeat;
pub mod row_hash;
pub mod sample;
pub mod scan;
pub mod shared;
pub mod sort;
mod take_rows;
pub mod unnest;
pub mod values;
pub mod window;
pub mod write;

/// What the executor hands to a transform.
#[derive(Debug)]
pub enum Input {
    /// The next batch of the morsel.
    Batch(Batch),
    /// Nothing new: the last step said that there is more output.
    Continue,
    /// The morsel is over; what was held back comes out.
    MorselEnd,
}

/// What a step came to.
#[derive(Debug)]
pub enum Step {
    /// Nothing to give until the next input.
    NeedInput,
    /// A batch; the input is used up.
    Output(Batch),
    /// A batch, and more of it on [`Input::Continue`].
    MoreOutput(Batch),
    /// A batch, and no further row of this morsel is wanted.
    LastOutput(Batch),
    /// No further row of this morsel is wanted.
    Finished,
}

/// One worker's instance of a streaming operator.
pub trait Transform: Send {
    /// Takes one step.
    ///
    /// # Errors
    /// A row that fails, or a resource that ran out.
    fn step(&mut self, input: Input) -> Result<Step>;

    /// The evaluator of the operator's expressions, whose work is shown with the operator.
    fn evaluator(&self) -> Option<&Evaluator> {
        None
    }
}

/// What all instances of a streaming operator share; makes one instance per worker.
pub trait Stage: Send + Sync {
    /// An instance for one worker.
    ///
    /// # Errors
    /// What keeps the operator from starting.
    fn instantiate(&self) -> Result<Box<dyn Transform>>;

    /// True once it is certain that no row passes: the source is not read at all.
    fn passes_nothing(&self) -> bool {
        false
    }
}

/// What a claim came to.
pub enum Claim {
    /// The next morsel.
    Morsel(Box<dyn Reader>),
    /// None yet: a host has not pushed the next batch, or there is no memory for another reader.
    Wait,
    /// No further morsel.
    End,
}

/// Where the rows of a pipeline come from.
pub trait Source: Send + Sync {
    /// The next morsel. Claims are made one at a time and their order is the order of the rows.
    ///
    /// # Errors
    /// What keeps the morsel from being opened.
    fn claim(&self) -> Result<Claim>;

    /// Told when the pipeline is over, whether or not all morsels were claimed.
    fn close(&self) {}

    /// Bytes (or rows) done and in all, for progress.
    fn progress(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// Where the rows of a pipeline end: a breaker, a write, or the output of the run.
pub trait Sink: Send + Sync {
    /// The state of one worker.
    ///
    /// # Errors
    /// What keeps the sink from starting.
    fn local(&self) -> Result<Box<dyn LocalSink>>;

    /// Called when the local states of all workers are finished, and again after the tasks it gave
    /// have run, until it gives none.
    ///
    /// # Errors
    /// What keeps the result from being made.
    fn finish(&self) -> Result<Vec<Task>> {
        Ok(Vec::new())
    }

    /// Whether a batch of this morsel may be pushed now; false asks the worker to come back later.
    fn accepts(&self, _morsel: u32) -> bool {
        true
    }

    /// False once no further row is wanted: the pipeline ends early.
    fn wants_more(&self) -> bool {
        true
    }
}

/// One worker's state in a sink.
pub trait LocalSink: Send {
    /// Takes a batch.
    ///
    /// # Errors
    /// A row that fails, or a resource that ran out.
    fn push(&mut self, batch: Batch) -> Result<()>;

    /// Told when a morsel is over, also one that gave no batch.
    ///
    /// # Errors
    /// As for [`LocalSink::push`].
    fn end_morsel(&mut self, _morsel: u32) -> Result<()> {
        Ok(())
    }

    /// The evaluator of the operator's expressions, whose work is shown with the operator.
    fn evaluator(&self) -> Option<&Evaluator> {
        None
    }

    /// Hands the state over to the sink.
    ///
    /// # Errors
    /// As for [`LocalSink::push`].
    fn finish(self: Box<Self>) -> Result<()>;
}

/// A piece of work that any worker may run; it may leave further pieces.
pub struct Task(Box<dyn FnOnce() -> Result<Vec<Task>> + Send>);

impl Task {
    /// A task that runs `body`.
    pub fn new(body: impl FnOnce() -> Result<Vec<Task>> + Send + 'static) -> Self {
        Self(Box::new(body))
    }

    /// Runs it.
    ///
    /// # Errors
    /// What the body reports.
    pub fn run(self) -> Result<Vec<Task>> {
        (self.0)()
    }
}

/// What every operator of one run can see.
#[derive(Debug)]
pub struct RunContext {
    /// The session's functions, tables and settings.
    pub context: Arc<Context>,
    /// Values of the plan's parameters.
    pub parameters: Vec<Literal>,
    /// This query's share of the budget.
    pub memory: QueryMemory,
    /// Where spill files go; made on first use.
    pub spill: SpillDirectory,
    /// Set when the run is to stop.
    pub cancelled: AtomicBool,
}

impl RunContext {
    /// Most rows of a batch.
    pub fn batch_rows(&self) -> usize {
        self.context.configuration.batch_rows.max(1)
    }

    /// For loops that are longer than a step.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the run is to stop.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }
}

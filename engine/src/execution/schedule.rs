//! What the workers of one run share: the pipelines, which of them is running, and what is claimed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::pipeline::{End, Pipeline};
use crate::error::{Error, Result};
use crate::memory::Promise;
use crate::metrics::MetricsRegistry;
use crate::operator::ordered::OrderedSink;
use crate::operator::scan::HostInput;
use crate::operator::{Claim, RunContext, Task};
use crate::table::Reader;

/// Longest sleep of a worker that has nothing to do, in case a host forgets to wake it.
const IDLE_WAIT: Duration = Duration::from_millis(20);

/// Where a run stands.
pub(crate) struct Position {
    /// Index of the running pipeline; past the end when all are done.
    pub pipeline: usize,
    /// Index of its running phase.
    pub phase: usize,
    next_morsel: u32,
    /// Nothing more is claimed in this phase.
    exhausted: bool,
    /// Morsels claimed and not ended.
    in_flight: usize,
    /// Workers with a local state in the sink.
    locals: usize,
    /// All local states are in: the sink's tasks run.
    finishing: bool,
    tasks: VecDeque<Task>,
    tasks_running: usize,
    /// The error that ends the run, with the morsel it is from.
    failure: Option<(u32, Error)>,
    /// No worker does anything more.
    over: bool,
}

/// What of a run's readers holds most.
#[derive(Debug, Default)]
pub(crate) struct LargestReader {
    pub bytes: usize,
    /// What it reads.
    pub what: String,
}

/// State of one run.
pub(crate) struct Schedule {
    pub run: Arc<RunContext>,
    pub pipelines: Vec<Pipeline>,
    pub output: Arc<OrderedSink>,
    pub metrics: MetricsRegistry,
    pub input: Option<Arc<HostInput>>,
    largest_reader: LargestReader,
    /// Part of another run, which goes on when this ends.
    pub is_nested: bool,
    position: Mutex<Position>,
    /// Earliest morsel that failed, to be read without the lock, which is held while a morsel is claimed.
    earliest_failure: AtomicU64,
    changes: Mutex<u64>,
    changed: Condvar,
    waiting: AtomicUsize,
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schedule").field("pipelines", &self.pipelines.len()).finish_non_exhaustive()
    }
}

/// What a worker is to do next.
pub(crate) enum Assignment {
    /// Run this morsel of the phase.
    Morsel { pipeline: usize, phase: usize, morsel: u32, reader: Box<dyn Reader> },
    /// Hand the local state over to the sink.
    FinishLocal,
    /// Run a piece of the sink's finish.
    Task { pipeline: usize, task: Task },
    /// Ask the sink for (more) tasks.
    FinishSink { pipeline: usize },
    /// Nothing now.
    Idle,
    /// Nothing ever again.
    Over,
}

impl Schedule {
    pub fn new(
        run: Arc<RunContext>,
        pipelines: Vec<Pipeline>,
        output: Arc<OrderedSink>,
        metrics: MetricsRegistry,
        input: Option<Arc<HostInput>>,
        largest_reader: LargestReader,
    ) -> Self {
        Self {
            run,
            pipelines,
            output,
            metrics,
            input,
            largest_reader,
            is_nested: false,
            position: Mutex::new(Position {
                pipeline: 0,
                phase: 0,
                next_morsel: 0,
                exhausted: false,
                in_flight: 0,
                locals: 0,
                finishing: false,
                tasks: VecDeque::new(),
                tasks_running: 0,
                failure: None,
                over: false,
            }),
            earliest_failure: AtomicU64::new(u64::MAX),
            changes: Mutex::new(0),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Keeps free what the readers of the run take at least.
    pub fn promise(&self) -> Result<Promise> {
        let LargestReader { bytes, what } = &self.largest_reader;
        self.run.memory.budget().promise(*bytes, self.run.context.configuration.threads, what)
    }

    fn lock(&self) -> MutexGuard<'_, Position> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides what a worker does next. `has_local` says whether it holds a local state of the running pipeline's sink.
    pub fn assign(&self, has_local: bool) -> Result<Assignment> {
        let mut position = self.lock();
        if let Some((_, error)) = &position.failure {
            if position.in_flight > 0 || position.tasks_running > 0 {
                return Ok(Assignment::Idle);
            }
            let pipeline = self.pipelines.get(position.pipeline);
            let is_moot =
                !position.finishing && pipeline.is_some_and(|pipeline| !pipeline.sink().wants_more());
            if is_moot && !matches!(error, Error::Cancelled) {
                // All wanted rows came from morsels before it, so a single worker would not have read that far.
                position.failure = None;
                self.earliest_failure.store(u64::MAX, Ordering::Relaxed);
                drop(position);
                return self.assign(has_local);
            }
            let error = error.clone();
            if !std::mem::replace(&mut position.over, true) {
                drop(position);
                self.notify();
            }
            return Err(error);
        }
        if position.over {
            return Ok(Assignment::Over);
        }
        let Some(pipeline) = self.pipelines.get(position.pipeline) else {
            position.over = true;
            drop(position);
            self.notify();
            return Ok(Assignment::Over);
        };
        if position.finishing {
            return Ok(match position.tasks.pop_front() {
                Some(task) => {
                    position.tasks_running += 1;
                    Assignment::Task { pipeline: position.pipeline, task }
                }
                None => Assignment::Idle,
            });
        }
        if !position.exhausted {
            let stages = &pipeline.phases[position.phase].stages;
            let passes = !stages.iter().any(|link| link.stage.passes_nothing());
            let wanted = passes && pipeline.sink().wants_more();
            if wanted && !pipeline.sink().accepts(position.next_morsel) {
                return Ok(Assignment::Idle);
            }
            let claim = if wanted { self.claim(pipeline, &position) } else { Ok(Claim::End) };
            let claim = match claim {
                Ok(claim) => claim,
                Err(error) => {
                    let morsel = position.next_morsel;
                    position.in_flight += 1;
                    drop(position);
                    self.failed_morsel(morsel, error);
                    return self.assign(has_local);
                }
            };
            match claim {
                Claim::Morsel(reader) => {
                    let morsel = position.next_morsel;
                    position.next_morsel += 1;
                    position.in_flight += 1;
                    return Ok(Assignment::Morsel {
                        pipeline: position.pipeline,
                        phase: position.phase,
                        morsel,
                        reader,
                    });
                }
                Claim::Wait => return Ok(Assignment::Idle),
                Claim::End => position.exhausted = true,
            }
        }
        if position.in_flight > 0 {
            return Ok(Assignment::Idle);
        }
        if position.phase + 1 < pipeline.phases.len() {
            position.phase += 1;
            position.exhausted = false;
            drop(position);
            self.notify();
            return self.assign(has_local);
        }
        if has_local {
            return Ok(Assignment::FinishLocal);
        }
        if position.locals > 0 {
            return Ok(Assignment::Idle);
        }
        position.finishing = true;
        position.tasks_running = 1;
        Ok(Assignment::FinishSink { pipeline: position.pipeline })
    }

    fn claim(&self, pipeline: &Pipeline, position: &Position) -> Result<Claim> {
        let phase = &pipeline.phases[position.phase];
        let start = std::time::Instant::now();
        let claim = super::guard(|| phase.source.claim());
        phase.source_metrics.add_time(start.elapsed());
        claim
    }

    /// Counts a worker that opened a local state.
    pub fn opened_local(&self) {
        self.lock().locals += 1;
    }

    /// Counts a worker whose local state is in the sink.
    pub fn closed_local(&self) {
        self.lock().locals -= 1;
        self.notify();
    }

    /// A morsel is over.
    pub fn ended_morsel(&self) {
        self.lock().in_flight -= 1;
        self.notify();
    }

    /// A task is over and left these.
    pub fn ended_task(&self, tasks: Vec<Task>) -> Option<Assignment> {
        let mut position = self.lock();
        position.tasks.extend(tasks);
        position.tasks_running -= 1;
        let next = if position.tasks.is_empty() && position.tasks_running == 0 && position.failure.is_none() {
            position.tasks_running = 1;
            Some(Assignment::FinishSink { pipeline: position.pipeline })
        } else {
            None
        };
        drop(position);
        self.notify();
        next
    }

    /// The sink was asked for tasks and gave these; without any, the next pipeline starts.
    pub fn finished_sink(&self, tasks: Vec<Task>) {
        let mut position = self.lock();
        position.tasks_running -= 1;
        if tasks.is_empty() {
            if let Some(pipeline) = self.pipelines.get(position.pipeline) {
                pipeline.phases.iter().for_each(|phase| phase.source.close());
            }
            position.pipeline += 1;
            position.phase = 0;
            position.next_morsel = 0;
            position.exhausted = false;
            position.finishing = false;
            position.over = position.pipeline == self.pipelines.len();
        } else {
            position.tasks.extend(tasks);
        }
        drop(position);
        self.notify();
    }

    /// A task or the sink itself failed.
    pub fn failed_finish(&self, error: Error) {
        let mut position = self.lock();
        position.tasks_running -= 1;
        position.tasks.clear();
        position.failure.get_or_insert((0, error));
        drop(position);
        self.notify();
    }

    /// A morsel failed. The error of the earliest morsel is the one that is reported, so that it does not depend on
    /// the number of workers; in the output it waits for its turn, since a limit may end the run before it.
    pub fn failed_morsel(&self, morsel: u32, error: Error) {
        let mut position = self.lock();
        position.in_flight -= 1;
        position.exhausted = true;
        let pipeline = self.pipelines.get(position.pipeline);
        let is_final = matches!(error, Error::Cancelled);
        match pipeline.map(|pipeline| &pipeline.end) {
            Some(End::Output(output)) if !is_final => output.fail(morsel, error),
            _ => {
                if position.failure.as_ref().is_none_or(|(earliest, _)| morsel < *earliest) {
                    position.failure = Some((morsel, error));
                    self.earliest_failure.store(u64::from(morsel), Ordering::Relaxed);
                }
            }
        }
        drop(position);
        self.notify();
    }

    /// Ends the run with an error of no morsel.
    pub fn fail(&self, error: Error) {
        self.lock().failure.get_or_insert((0, error));
        self.notify();
    }

    /// Whether work on this morsel has become pointless: an earlier one failed.
    pub fn is_pointless(&self, morsel: u32) -> bool {
        self.earliest_failure.load(Ordering::Relaxed) < u64::from(morsel)
    }

    /// What a worker of a cancelled run answers: nothing if the run was over, else why it ended.
    pub fn cancelled(&self) -> Result<()> {
        let mut position = self.lock();
        match &position.failure {
            Some((_, error)) => Err(error.clone()),
            None if position.over => Ok(()),
            None => {
                position.failure = Some((0, Error::Cancelled));
                position.over = true;
                drop(position);
                self.notify();
                Err(Error::Cancelled)
            }
        }
    }

    /// True once nothing will happen any more.
    pub fn is_over(&self) -> bool {
        self.lock().over
    }

    /// Stops everything; used when the output gave an error or the run is dropped.
    pub fn stop(&self) {
        if !self.is_nested {
            self.run.cancelled.store(true, Ordering::Relaxed);
        }
        self.lock().over = true;
        self.notify();
    }

    /// Done and whole amounts over all sources, of whatever unit each counts in, as a fraction.
    pub fn progress(&self) -> f64 {
        let current = self.lock().pipeline;
        let (mut done, mut whole) = (0.0, 0.0);
        for (index, pipeline) in self.pipelines.iter().enumerate() {
            for phase in &pipeline.phases {
                let (part, all) = phase.source.progress();
                let weight = (all.max(1)) as f64;
                whole += weight;
                done += if index < current { weight } else { part.min(all) as f64 };
            }
        }
        if current >= self.pipelines.len() || whole == 0.0 { 1.0 } else { done / whole }
    }

    /// The number of changes so far, to be given to [`Schedule::wait`].
    pub fn changes(&self) -> u64 {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the workers that wait.
    pub fn notify(&self) {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_all();
        }
    }

    /// Sleeps until something has changed since `seen`.
    pub fn wait(&self, seen: u64) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if *changes == seen {
            changes = self
                .changed
                .wait_timeout(changes, IDLE_WAIT)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard);
        }
        drop(changes);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

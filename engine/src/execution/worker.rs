//! One worker: it takes what the schedule assigns, a step at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::guard;
use super::pipeline::{End, LinkInstance};
use super::schedule::{Assignment, Schedule};
use crate::batch::{Batch, Position};
use crate::error::{Error, Result};
use crate::metrics::OperatorMetrics;
use crate::operator::{Input, LocalSink, Step};
use crate::table::Reader;

/// What a step of a worker came to.
#[derive(Debug)]
pub enum Progress {
    /// Something was done; step again.
    Working,
    /// Nothing to do until another worker, the host's input or whoever takes the output has moved on.
    Idle,
    /// The next batch of the result, in order.
    Output(Batch),
    /// The run is over for this worker.
    Finished,
}

/// One of the workers of a run. It may be stepped from any thread, by one thread at a time.
pub struct Worker {
    schedule: Arc<Schedule>,
    /// Whether this worker takes batches of the result, or leaves them to others.
    takes_output: bool,
    chain: Option<Chain>,
    local: Option<(usize, Box<dyn LocalSink>)>,
    morsel: Option<Morsel>,
}

/// Instances of the stages of one phase.
struct Chain {
    pipeline: usize,
    phase: usize,
    links: Vec<LinkInstance>,
    source_metrics: Arc<OperatorMetrics>,
    sink_metrics: Arc<OperatorMetrics>,
}

/// The morsel at work.
struct Morsel {
    number: u32,
    reader: Option<Box<dyn Reader>>,
    rows: u64,
    /// The stages before this one have given out everything; `None` while the reader still reads.
    flushed: Option<usize>,
}

impl Worker {
    pub(crate) fn new(schedule: Arc<Schedule>, takes_output: bool) -> Self {
        Self { schedule, takes_output, chain: None, local: None, morsel: None }
    }

    /// Takes one step: at most one batch passes through the operators, or one piece of a breaker's finish runs.
    ///
    /// # Errors
    /// The error that ends the run; after it, every step says [`Progress::Finished`] or the same error.
    pub fn step(&mut self) -> Result<Progress> {
        if self.schedule.run.cancelled.load(Ordering::Relaxed) {
            self.abandon();
            return self.schedule.cancelled().map(|()| Progress::Finished);
        }
        if self.takes_output
            && let Some(batch) = self.schedule.output.pop()
        {
            if batch.is_err() {
                self.abandon();
                self.schedule.stop();
            }
            self.schedule.notify();
            return batch.map(Progress::Output);
        }
        if self.morsel.is_some() {
            return self.step_morsel();
        }
        let assignment = self.schedule.assign(self.local.is_some()).inspect_err(|_| self.abandon())?;
        self.carry_out(assignment)
    }

    fn carry_out(&mut self, assignment: Assignment) -> Result<Progress> {
        match assignment {
            Assignment::Morsel { pipeline, phase, morsel, reader } => {
                self.morsel = Some(Morsel { number: morsel, reader: Some(reader), rows: 0, flushed: None });
                if let Err(error) = guard(|| self.open(pipeline, phase)) {
                    self.fail_morsel(error);
                }
            }
            Assignment::FinishLocal => {
                // The stages report their work before the pipeline counts as over.
                self.chain = None;
                if let Some((pipeline, local)) = self.local.take() {
                    if let Some(evaluator) = local.evaluator() {
                        self.schedule.pipelines[pipeline].sink_metrics.add_expressions(evaluator);
                    }
                    let result = guard(|| local.finish());
                    if let Err(error) = result {
                        self.schedule.fail(error);
                    }
                    self.schedule.closed_local();
                }
            }
            Assignment::Task { pipeline, task } => {
                let start = Instant::now();
                let result = guard(|| task.run());
                self.schedule.pipelines[pipeline].sink_metrics.add_time(start.elapsed());
                match result {
                    Ok(tasks) => {
                        if let Some(next) = self.schedule.ended_task(tasks) {
                            return self.carry_out(next);
                        }
                    }
                    Err(error) => self.schedule.failed_finish(error),
                }
            }
            Assignment::FinishSink { pipeline } => {
                let pipeline = &self.schedule.pipelines[pipeline];
                let start = Instant::now();
                match guard(|| pipeline.sink().finish()) {
                    Ok(tasks) => self.schedule.finished_sink(tasks),
                    Err(error) => self.schedule.failed_finish(error),
                }
                pipeline.sink_metrics.add_time(start.elapsed());
            }
            Assignment::Idle => return Ok(Progress::Idle),
            Assignment::Over => {
                self.abandon();
                // The last batches may have been deposited by the step that ended the run.
                if self.takes_output
                    && let Some(batch) = self.schedule.output.pop()
                {
                    return batch.map(Progress::Output);
                }
                return Ok(Progress::Finished);
            }
        }
        Ok(Progress::Working)
    }

    /// Makes instances of the stages and the sink where this worker has none yet.
    fn open(&mut self, pipeline: usize, phase: usize) -> Result<()> {
        if self.chain.as_ref().is_none_or(|chain| (chain.pipeline, chain.phase) != (pipeline, phase)) {
            let plan = &self.schedule.pipelines[pipeline];
            self.chain = Some(Chain {
                pipeline,
                phase,
                links: plan.phases[phase].instantiate()?,
                source_metrics: Arc::clone(&plan.phases[phase].source_metrics),
                sink_metrics: Arc::clone(&plan.sink_metrics),
            });
        }
        if self.local.is_none() {
            self.local = Some((pipeline, self.schedule.pipelines[pipeline].sink().local()?));
            self.schedule.opened_local();
        }
        Ok(())
    }

    fn step_morsel(&mut self) -> Result<Progress> {
        let Some(number) = self.morsel.as_ref().map(|morsel| morsel.number) else {
            return Ok(Progress::Working);
        };
        let Some(pipeline) = self.chain.as_ref().map(|chain| chain.pipeline) else {
            return Err(Error::internal("a morsel without a chain"));
        };
        let sink = self.schedule.pipelines[pipeline].sink();
        if !sink.wants_more() || self.schedule.is_pointless(number) {
            // Stages that may hold rows of the morsel are made anew for the next one.
            self.chain = None;
            self.end_morsel();
            return Ok(Progress::Working);
        }
        if !sink.accepts(number) {
            return Ok(Progress::Idle);
        }
        match guard(|| self.drive()) {
            Ok(false) => {}
            Ok(true) => self.end_morsel(),
            Err(error) => self.fail_morsel(error),
        }
        Ok(Progress::Working)
    }

    /// Moves one batch from where it is furthest along; true when the morsel is over.
    fn drive(&mut self) -> Result<bool> {
        let (Some(chain), Some(morsel), Some((_, local))) =
            (&mut self.chain, &mut self.morsel, &mut self.local)
        else {
            return Err(Error::internal("a step without a morsel"));
        };
        let Some((mut index, mut input)) = morsel.next_input(chain)? else {
            local.end_morsel(morsel.number)?;
            return Ok(true);
        };
        while index < chain.links.len() {
            let link = &mut chain.links[index];
            let start = Instant::now();
            let step = link.transform.step(input)?;
            link.metrics.add_time(start.elapsed());
            link.has_more = matches!(step, Step::MoreOutput(_));
            let is_last = matches!(step, Step::LastOutput(_) | Step::Finished);
            if is_last {
                morsel.reader = None;
                chain.links[..=index].iter_mut().for_each(|link| link.has_more = false);
                restart(&mut chain.links[..=index])?;
                morsel.flushed = Some(index + 1);
            }
            match step {
                Step::NeedInput | Step::Finished => return Ok(false),
                Step::Output(batch) | Step::MoreOutput(batch) | Step::LastOutput(batch) => {
                    chain.links[index].metrics.add_output(batch.rows, batch.row_bytes());
                    input = Input::Batch(batch);
                }
            }
            index += 1;
        }
        if let Input::Batch(batch) = input {
            let start = Instant::now();
            local.push(batch)?;
            chain.sink_metrics.add_time(start.elapsed());
            if matches!(self.schedule.pipelines[chain.pipeline].end, End::Output(_)) {
                // Whoever takes the result may sleep, and this worker may have to pause before its morsel ends.
                self.schedule.notify();
            }
        }
        Ok(false)
    }

    fn fail_morsel(&mut self, error: Error) {
        if let Some(morsel) = self.morsel.take() {
            self.chain = None;
            self.schedule.failed_morsel(morsel.number, error);
        }
    }

    fn end_morsel(&mut self) {
        self.morsel = None;
        self.schedule.ended_morsel();
    }

    fn abandon(&mut self) {
        self.chain = None;
        self.local = None;
        self.morsel = None;
    }
}

/// Brings stages that are cut off in the middle of a morsel back to its start.
fn restart(links: &mut [LinkInstance]) -> Result<()> {
    for link in links {
        let mut input = Input::MorselEnd;
        while let Step::MoreOutput(_) = link.transform.step(input)? {
            input = Input::Continue;
        }
    }
    Ok(())
}

impl Morsel {
    /// What is fed to which stage next: more of the furthest stage that has more, a batch of the reader, or the end.
    fn next_input(&mut self, chain: &mut Chain) -> Result<Option<(usize, Input)>> {
        if let Some(index) = chain.links.iter().rposition(|link| link.has_more) {
            return Ok(Some((index, Input::Continue)));
        }
        if let Some(reader) = &mut self.reader {
            let start = Instant::now();
            let batch = reader.next()?;
            chain.source_metrics.add_time(start.elapsed());
            if let Some(batch) = batch {
                debug_assert!(batch.rows > 0, "a reader gave an empty batch");
                chain.source_metrics.add_output(batch.rows, batch.row_bytes());
                let position = Position { morsel: self.number, row: self.rows };
                self.rows += batch.rows as u64;
                return Ok(Some((0, Input::Batch(batch.at(position)))));
            }
            self.reader = None;
            self.flushed.get_or_insert(0);
        }
        let index = self.flushed.unwrap_or(0);
        self.flushed = Some(index + 1);
        Ok((index < chain.links.len()).then_some((index, Input::MorselEnd)))
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("has_morsel", &self.morsel.is_some()).finish_non_exhaustive()
    }
}

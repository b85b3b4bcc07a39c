//! The stream of one partition: the host's poll drives the input, the worker and nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use datafusion::physical_plan::metrics::BaselineMetrics;
use futures::{Stream, StreamExt};
use hypostyle::{EngineError, Progress, Run, Worker};

use crate::error::running;
use crate::features::BoundFeatures;
use crate::pool_memory::PoolMemory;

/// Steps without a batch after which others get the thread. A step handles at most one batch, or one piece of the end of an operator.
const STEPS_MAX: usize = 64;

/// The result of one partition.
pub(crate) struct FeatureStream {
    bound: Arc<BoundFeatures>,
    /// None once everything is over.
    running: Option<Running>,
    memory: Arc<PoolMemory>,
    metrics: BaselineMetrics,
}

/// The worker is dropped before its run, and that before its input.
struct Running {
    worker: Worker,
    run: Run,
    input: SendableRecordBatchStream,
    has_input: bool,
}

/// What steps of the worker came to.
enum Steps {
    Batch(RecordBatch),
    WantInput,
    Unfinished,
    Finished,
}

impl FeatureStream {
    pub(crate) fn new(
        bound: Arc<BoundFeatures>,
        input: SendableRecordBatchStream,
        memory: Arc<PoolMemory>,
        metrics: BaselineMetrics,
    ) -> Result<Self> {
        let run = bound.start(Arc::<PoolMemory>::clone(&memory))?;
        let running = Running { worker: run.worker(), run, input, has_input: true };
        Ok(Self { bound, running: Some(running), memory, metrics })
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        loop {
            let Some(running) = &mut self.running else { return Poll::Ready(None) };
            let timer = self.metrics.elapsed_compute().timer();
            let steps = running.steps(&self.bound, &self.memory);
            drop(timer);
            match steps {
                Ok(Steps::Batch(batch)) => return Poll::Ready(Some(Ok(batch))),
                Ok(Steps::Finished) => return self.end(None),
                Ok(Steps::Unfinished) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Ok(Steps::WantInput) => {}
                Err(error) => return self.end(Some(error)),
            }
            let fed = match running.input.poll_next_unpin(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => Err(error),
                Poll::Ready(Some(Ok(batch))) => {
                    let _timer = self.metrics.elapsed_compute().timer();
                    running.feed(&self.bound, &batch)
                }
                Poll::Ready(None) => running.finish(),
            };
            if let Err(error) = fed {
                return self.end(Some(error));
            }
        }
    }

    /// Nothing follows; memory and files of the run are given back at once.
    fn end(&mut self, error: Option<DataFusionError>) -> Poll<Option<Result<RecordBatch>>> {
        self.running = None;
        Poll::Ready(error.map(Err))
    }
}

impl Running {
    fn steps(&mut self, bound: &BoundFeatures, memory: &PoolMemory) -> Result<Steps> {
        for _ in 0..STEPS_MAX {
            match self.worker.step().map_err(|error| refused(error, memory))? {
                Progress::Working => {}
                Progress::Output(batch) => return Ok(Steps::Batch(bound.export(&batch)?)),
                Progress::Finished => return Ok(Steps::Finished),
                Progress::Idle if self.has_input => return Ok(Steps::WantInput),
                Progress::Idle => {
                    return Err(DataFusionError::Internal(
                        "a run without other workers waits for one".into(),
                    ));
                }
            }
        }
        Ok(Steps::Unfinished)
    }

    fn feed(&mut self, bound: &BoundFeatures, batch: &RecordBatch) -> Result<()> {
        self.run.push(bound.import(batch)?).map_err(running)
    }

    fn finish(&mut self) -> Result<()> {
        self.has_input = false;
        self.run.finish().map_err(running)
    }
}

/// An error of the run; where memory ran out, with what the pool had to say.
fn refused(error: EngineError, memory: &PoolMemory) -> DataFusionError {
    match (running(error), memory.refusal()) {
        (DataFusionError::ResourcesExhausted(text), Some(refusal)) => {
            DataFusionError::ResourcesExhausted(format!("{text}\n{refusal}"))
        }
        (error, _) => error,
    }
}

impl Stream for FeatureStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let poll = self.poll(context);
        self.metrics.record_poll(poll)
    }
}

impl RecordBatchStream for FeatureStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.bound.schema)
    }
}

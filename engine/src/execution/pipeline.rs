//! A pipeline: sources one after the other, each with its chain of stages, and one sink.

use std::sync::Arc;

use crate::error::Result;
use crate::metrics::OperatorMetrics;
use crate::operator::ordered::OrderedSink;
use crate::operator::{Sink, Source, Stage, Transform};

/// A stage with the counters of its plan node.
#[derive(Clone)]
pub(crate) struct Link {
    pub stage: Arc<dyn Stage>,
    pub metrics: Arc<OperatorMetrics>,
}

/// One source of a pipeline and the stages its rows go through. A phase starts when all morsels of the
/// one before are done, so that it sees what they left (which build rows of a join had no match).
pub(crate) struct Phase {
    pub source: Arc<dyn Source>,
    pub source_metrics: Arc<OperatorMetrics>,
    pub stages: Vec<Link>,
}

impl Phase {
    /// Instances of the stages for one worker.
    pub fn instantiate(&self) -> Result<Vec<LinkInstance>> {
        self.stages
            .iter()
            .map(|link| {
                let metrics = Arc::clone(&link.metrics);
                Ok(LinkInstance { transform: link.stage.instantiate()?, metrics, has_more: false })
            })
            .collect()
    }
}

/// A worker's instance of a stage.
pub(crate) struct LinkInstance {
    pub transform: Box<dyn Transform>,
    pub metrics: Arc<OperatorMetrics>,
    /// The last step left output behind.
    pub has_more: bool,
}

impl Drop for LinkInstance {
    fn drop(&mut self) {
        if let Some(evaluator) = self.transform.evaluator() {
            self.metrics.add_expressions(evaluator);
        }
    }
}

/// What ends a pipeline.
pub(crate) enum End {
    /// A breaker.
    Sink(Arc<dyn Sink>),
    /// The output of the run.
    Output(Arc<OrderedSink>),
}

pub(crate) struct Pipeline {
    pub phases: Vec<Phase>,
    pub end: End,
    /// Counters of the sink's node.
    pub sink_metrics: Arc<OperatorMetrics>,
}

impl Pipeline {
    pub fn sink(&self) -> &dyn Sink {
        match &self.end {
            End::Sink(sink) => sink.as_ref(),
            End::Output(output) => output,
        }
    }
}

//! TABLESAMPLE and USING SAMPLE.

use hypostyle_engine::plan::{SampleMethod, SampleSize};

use crate::bind::Binder;
use crate::logical::Relation;
use crate::tree::{self, Sample};

impl Binder<'_> {
    /// A part of the rows of a relation, chosen at random.
    pub(super) fn sampled(&mut self, relation: Relation, sample: Option<&Sample>) -> Relation {
        let Some(sample) = sample else { return relation };
        let size = match sample.size {
            tree::SampleSize::Percent(percent) => SampleSize::Percent(percent),
            tree::SampleSize::Rows(rows) => SampleSize::Rows(rows),
        };
        let method = match (sample.method, size) {
            (Some(tree::SampleMethod::Bernoulli), _) => SampleMethod::Bernoulli,
            (Some(tree::SampleMethod::Reservoir), _) | (_, SampleSize::Rows(_)) => SampleMethod::Reservoir,
            (Some(tree::SampleMethod::System) | None, SampleSize::Percent(_)) => SampleMethod::System,
        };
        Relation::Sample { input: Box::new(relation), method, size, seed: sample.seed }
    }
}

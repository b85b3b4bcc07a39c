//! The physical plan: a worker of the engine for each partition of the input.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Statistics, stats::Precision};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionMapping;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements,
    PlanProperties,
};

use crate::features::{BoundFeatures, Features, Rows};
use crate::pool_memory::PoolMemory;
use crate::stream::FeatureStream;

/// Runs features over the rows of a plan.
///
/// Each partition has a worker of its own, which runs on the thread that polls its stream and on no other, holds memory of DataFusion's
/// pool, and ends when the stream is dropped. Rows come out in the order in which they go in. Features whose rows depend on each other, such
/// as windows and groups, see all rows in one partition; all others keep the partitioning of the input, and the order and the statistics
/// of the columns that they pass on.
///
/// ```
/// use std::sync::Arc;
/// use datafusion::physical_plan::{ExecutionPlan, collect};
/// use datafusion::prelude::*;
/// use hypostyle_datafusion::HypostyleExec;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let context = SessionContext::new();
/// let input = context.sql("VALUES (1.5), (-2.0)").await?.create_physical_plan().await?;
/// let plan = HypostyleExec::try_new(input, "SELECT log1p(greatest(column1, 0)) AS price FROM input")?;
/// assert_eq!(plan.schema().field(0).name(), "price");
/// let batches = collect(Arc::new(plan), context.task_ctx()).await?;
/// assert_eq!(batches[0].num_rows(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HypostyleExec {
    input: Arc<dyn ExecutionPlan>,
    features: Features,
    bound: Arc<BoundFeatures>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl HypostyleExec {
    /// Features over the rows of a plan.
    ///
    /// # Errors
    /// A query that does not bind to the columns of the plan, with the place in its text, or a transform that was fitted on others.
    pub fn try_new(input: Arc<dyn ExecutionPlan>, features: impl Into<Features>) -> Result<Self> {
        let features = features.into();
        let bound = Arc::new(features.bind(&input.schema())?);
        Self::of_bound(input, features, bound)
    }

    /// The same of features that may have been bound to a schema like that of the plan.
    pub(crate) fn of_bound(
        input: Arc<dyn ExecutionPlan>,
        features: Features,
        bound: Arc<BoundFeatures>,
    ) -> Result<Self> {
        let bound = match same_columns(&bound.input, &input.schema()) {
            true => bound,
            false => Arc::new(features.bind(&input.schema())?),
        };
        let properties = Arc::new(properties(input.as_ref(), &bound)?);
        Ok(Self { input, features, bound, properties, metrics: ExecutionPlanMetricsSet::new() })
    }

    /// The plan whose rows are read.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// What is computed.
    pub fn features(&self) -> &Features {
        &self.features
    }
}

/// True if columns agree in names and types; whether they may be null and what is noted about them makes no difference.
pub(crate) fn same_columns(left: &SchemaRef, right: &SchemaRef) -> bool {
    let (left, right) = (left.fields(), right.fields());
    let same = |(left, right): (&Arc<arrow::datatypes::Field>, &Arc<arrow::datatypes::Field>)| {
        left.name() == right.name() && left.data_type() == right.data_type()
    };
    left.len() == right.len() && left.iter().zip(right).all(same)
}

/// What holds of the output because of what holds of the input.
fn properties(input: &dyn ExecutionPlan, bound: &BoundFeatures) -> Result<PlanProperties> {
    let schema = Arc::clone(&bound.schema);
    if !bound.is_row_wise() {
        let equivalences = EquivalenceProperties::new(schema);
        let partitioning = Partitioning::UnknownPartitioning(1);
        return Ok(PlanProperties::new(equivalences, partitioning, EmissionType::Both, input.boundedness()));
    }
    let mapping = passed_on(bound, &input.schema())?;
    let below = input.equivalence_properties();
    let partitioning = input.output_partitioning().project(&mapping, below);
    let equivalences = below.project(&mapping, schema);
    Ok(PlanProperties::new(equivalences, partitioning, EmissionType::Incremental, input.boundedness()))
}

/// Output columns and their places.
type Places = Vec<(Arc<dyn PhysicalExpr>, usize)>;

/// The input columns that come out unchanged, and the output columns that they are.
fn passed_on(bound: &BoundFeatures, input: &SchemaRef) -> Result<ProjectionMapping> {
    let mut targets: Vec<(Arc<dyn PhysicalExpr>, Places)> = Vec::new();
    for (position, origin) in bound.origins.iter().enumerate() {
        let Some(origin) = *origin else { continue };
        let source: Arc<dyn PhysicalExpr> = Arc::new(Column::new(input.field(origin).name(), origin));
        let target: Arc<dyn PhysicalExpr> =
            Arc::new(Column::new(bound.schema.field(position).name(), position));
        match targets.iter_mut().find(|(known, _)| known == &source) {
            Some((_, known)) => known.push((target, position)),
            None => targets.push((source, vec![(target, position)])),
        }
    }
    Ok(targets.into_iter().map(|(source, targets)| (source, targets.into())).collect())
}

impl DisplayAs for HypostyleExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::TreeRender => write!(f, "features={}", self.features),
            _ => write!(f, "HypostyleExec: {}", self.features),
        }
    }
}

impl ExecutionPlan for HypostyleExec {
    fn name(&self) -> &str {
        "HypostyleExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![match self.bound.is_row_wise() {
            true => Distribution::UnspecifiedDistribution,
            false => Distribution::SinglePartition,
        }])
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![self.bound.is_row_wise()]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return Err(DataFusionError::Internal("HypostyleExec has one input".into()));
        };
        match options.children_properties {
            ChildrenPropertiesMode::Keep => {
                let metrics = ExecutionPlanMetricsSet::new();
                Ok(Arc::new(Self { input, metrics, ..Self::clone(&self) }))
            }
            ChildrenPropertiesMode::Recompute => {
                Ok(Arc::new(Self::of_bound(input, self.features.clone(), Arc::clone(&self.bound))?))
            }
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let name = format!("HypostyleExec[{partition}]");
        // What holds rows writes them to disk when the pool refuses more.
        let memory = Arc::new(PoolMemory::new(name, !self.bound.is_row_wise(), context.memory_pool()));
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        Ok(Box::pin(FeatureStream::new(Arc::clone(&self.bound), input, memory, metrics)?))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![match self.bound.is_row_wise() {
            true => ChildStats::At(partition),
            false => ChildStats::Skip,
        }]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let unknown = || Statistics::new_unknown(&self.bound.schema);
        let (Some(input), true) = (inputs.first(), self.bound.rows <= Rows::AtMostOne) else {
            return Ok(Arc::new(unknown()));
        };
        let columns = self.bound.origins.iter().map(|origin| {
            let known = origin.and_then(|origin| input.column_statistics.get(origin));
            known.cloned().unwrap_or_else(ColumnStatistics::new_unknown)
        });
        let statistics = Statistics {
            num_rows: input.num_rows,
            total_byte_size: Precision::Absent,
            column_statistics: columns.collect(),
        };
        Ok(Arc::new(match self.bound.rows {
            Rows::One => statistics,
            _ => statistics.to_inexact(),
        }))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        match self.bound.rows {
            Rows::One => CardinalityEffect::Equal,
            Rows::AtMostOne => CardinalityEffect::LowerEqual,
            _ => CardinalityEffect::Unknown,
        }
    }

    fn supports_limit_pushdown(&self) -> bool {
        self.bound.rows == Rows::One
    }
}

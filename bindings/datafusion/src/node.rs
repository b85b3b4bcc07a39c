//! The logical node: features over the rows of a plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::exec::same_columns;
use crate::features::{BoundFeatures, Features, Rows};

/// Features over the rows of a logical plan. Only the columns that they read are asked of it, and conditions on columns that they
/// pass on are applied to it.
#[derive(Debug, Clone)]
pub struct FeaturesNode {
    input: LogicalPlan,
    features: Features,
    bound: Arc<BoundFeatures>,
    schema: DFSchemaRef,
}

impl FeaturesNode {
    /// Features over the rows of a plan.
    ///
    /// # Errors
    /// A query that does not bind to the columns of the plan, or a transform that was fitted on others.
    pub fn try_new(input: LogicalPlan, features: impl Into<Features>) -> Result<Self> {
        let features = features.into();
        let bound = Arc::new(features.bind(input.schema().as_arrow())?);
        let schema = Arc::new(DFSchema::try_from(Arc::clone(&bound.schema))?);
        Ok(Self { input, features, bound, schema })
    }

    /// The node as a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    pub(crate) fn bound(&self) -> &Arc<BoundFeatures> {
        &self.bound
    }

    /// The same over another input, which has at least the columns that are read.
    fn over(&self, input: LogicalPlan) -> Result<Self> {
        if same_columns(&self.bound.input, input.schema().inner()) {
            return Ok(Self { input, ..self.clone() });
        }
        let node = Self::try_new(input, &self.features)?;
        Ok(Self { schema: Arc::clone(&self.schema), ..node })
    }
}

impl UserDefinedLogicalNodeCore for FeaturesNode {
    fn name(&self) -> &str {
        "HypostyleFeatures"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    /// A condition on a column that is passed on under its name removes the same rows below.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let fields = self.bound.schema.fields().iter().zip(&self.bound.origins);
        let changed = fields.filter(|(field, origin)| {
            let passed_on =
                origin.is_some_and(|origin| self.bound.input.field(origin).name() == field.name());
            !passed_on || !self.bound.is_row_wise()
        });
        changed.map(|(field, _)| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HypostyleFeatures: {}", self.features)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => self.over(input),
            _ => Err(DataFusionError::Internal("features have one input".into())),
        }
    }

    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![self.bound.read()])
    }

    fn supports_limit_pushdown(&self) -> bool {
        self.bound.rows == Rows::One
    }
}

impl PartialEq for FeaturesNode {
    fn eq(&self, other: &Self) -> bool {
        self.features == other.features && self.input == other.input
    }
}

impl Eq for FeaturesNode {}

impl PartialOrd for FeaturesNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.features.partial_cmp(&other.features) {
            Some(Ordering::Equal) => self.input.partial_cmp(&other.input),
            decided => decided,
        }
    }
}

impl Hash for FeaturesNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.features.hash(state);
        self.input.hash(state);
    }
}

//! From the logical node to the physical plan.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use crate::exec::HypostyleExec;
use crate::node::FeaturesNode;

/// Plans [`FeaturesNode`]s, beside the other extensions of a query planner of one's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct FeaturesPlanner;

#[async_trait]
impl ExtensionPlanner for FeaturesPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _planning_context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<FeaturesNode>() else { return Ok(None) };
        let [input] = physical_inputs else {
            return Err(DataFusionError::Internal("features have one input".into()));
        };
        let plan =
            HypostyleExec::of_bound(Arc::clone(input), node.features().clone(), Arc::clone(node.bound()))?;
        Ok(Some(Arc::new(plan)))
    }
}

/// DataFusion's planner with [`FeaturesPlanner`].
#[derive(Debug, Clone, Copy, Default)]
pub struct FeaturesQueryPlanner;

#[async_trait]
impl QueryPlanner for FeaturesQueryPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(FeaturesPlanner)]);
        planner.create_physical_plan(plan, session).await
    }
}

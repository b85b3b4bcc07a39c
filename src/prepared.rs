//! A query made ready: bound and compiled once, run many times, also at the same time, and for one row.

use std::sync::{Arc, OnceLock};

use hypostyle_engine::Context;
use hypostyle_engine::execution::{Prepared as EnginePrepared, Run};
use hypostyle_engine::plan::Plan;
use hypostyle_functions::types::Schema;
use hypostyle_functions::value::{Literal, Value};
use hypostyle_planner::Parameter;

use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::input::host_input;
use crate::row::{RowEvaluator, RowPlan};

/// A query that is bound and compiled. Immutable; shared between threads as it is.
pub struct Prepared {
    prepared: EnginePrepared,
    parameters: Vec<Parameter>,
    context: Arc<Context>,
    /// Compiled when the first evaluator is asked for.
    row: OnceLock<Result<RowPlan>>,
}

impl Prepared {
    pub(crate) fn new(prepared: EnginePrepared, parameters: Vec<Parameter>, context: Arc<Context>) -> Self {
        Self { prepared, parameters, context, row: OnceLock::new() }
    }

    /// Columns of the result.
    pub fn schema(&self) -> &Schema {
        self.prepared.schema()
    }

    /// Parameters in the order in which values are given: names and the types their places ask for.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The physical plan, which is data: it can be shown, written to bytes and read back.
    pub fn plan(&self) -> &Plan {
        self.prepared.plan()
    }

    /// What the plan was made ready with.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Columns of the input whose rows a host pushes, as [`crate::input_batch`] makes them; `None` for a query that reads its own tables.
    pub fn input(&self) -> Option<Schema> {
        host_input(self.plan(), &self.context)
    }

    /// Starts a run with these parameters.
    ///
    /// # Errors
    /// A wrong number of parameters, or one that does not cast to its type.
    pub fn run(&self, parameters: &[Value]) -> Result<Answer> {
        Ok(Answer::of_run(self.start(parameters)?))
    }

    /// As [`Prepared::run`], for hosts that step the workers themselves or push batches in.
    ///
    /// # Errors
    /// As [`Prepared::run`].
    pub fn start(&self, parameters: &[Value]) -> Result<Run> {
        let literals = self.literals(parameters)?;
        Ok(self.prepared.start(&literals)?)
    }

    /// An evaluator for single rows, of a query that selects expressions over the columns of one table.
    /// The expressions are compiled once, however many evaluators are made.
    ///
    /// # Errors
    /// A query with a filter, join, grouping or order; otherwise as [`Prepared::run`].
    pub fn row(&self, parameters: &[Value]) -> Result<RowEvaluator> {
        let literals = self.literals(parameters)?;
        let plan = self
            .row
            .get_or_init(|| RowPlan::new(self.plan(), &self.context))
            .as_ref()
            .map_err(Error::clone)?;
        plan.evaluator(&literals)
    }

    fn literals(&self, parameters: &[Value]) -> Result<Vec<Literal>> {
        if parameters.len() != self.parameters.len() {
            return Err(Error::user(format!(
                "the statement takes {} parameters; {} were given",
                self.parameters.len(),
                parameters.len()
            )));
        }
        parameters
            .iter()
            .zip(&self.parameters)
            .map(|(value, parameter)| self.coerce(value, parameter))
            .collect()
    }

    fn coerce(&self, value: &Value, parameter: &Parameter) -> Result<Literal> {
        if value.is_null() {
            return Ok(Literal::null(parameter.data_type.clone()));
        }
        let given = Literal::new(value.clone());
        if given.data_type == parameter.data_type {
            return Ok(given);
        }
        let given = hypostyle_engine::plan::Expression::Literal(given);
        let cast = hypostyle_engine::plan::Expression::cast(given, parameter.data_type.clone());
        Ok(hypostyle_engine::expression::evaluate_constant(&cast, &self.context)?)
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("schema", self.schema()).finish_non_exhaustive()
    }
}

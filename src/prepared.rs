//! A query made ready: bound and compiled once, run many times, also at the same time, and for one row.

use std::sync::{Arc, OnceLock};

use hypostyle_engine::Context;
use hypostyle_engine::execution::{Prepared as EnginePrepared, Run};
use hypostyle_engine::memory::{Budget, HostMemory};
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

    /// As [`Prepared::start`], inside a host that counts memory itself: what this run holds is asked of it and not of the session,
    /// whose limit holds for the run alone. Files that the query reads by itself stay with the session.
    ///
    /// # Errors
    /// As [`Prepared::run`].
    pub fn start_within(&self, parameters: &[Value], host: Arc<dyn HostMemory>) -> Result<Run> {
        let literals = self.literals(parameters)?;
        let memory = Budget::within(self.context.configuration.memory_limit_bytes, Some(host));
        Ok(self.prepared.start_within(&literals, &memory)?)
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use hypostyle_functions::types::{Field, Type};

    use super::*;
    use crate::{Session, input_batch};

    /// A host that counts what it lends.
    #[derive(Default)]
    struct Pool {
        held: AtomicUsize,
        most: AtomicUsize,
    }

    impl HostMemory for Pool {
        fn try_take(&self, bytes: usize) -> bool {
            self.take(bytes);
            true
        }
        fn take(&self, bytes: usize) {
            let held = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
            self.most.fetch_max(held, Ordering::Relaxed);
        }
        fn give(&self, bytes: usize) {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    #[test]
    fn parameters_with_numbers_stand_in_their_order_and_open_ones_are_texts() {
        let session = Session::new();
        let named = |prepared: &Prepared| -> Vec<(String, Type)> {
            let parameters = prepared.parameters().iter();
            parameters.map(|known| (known.name.clone(), known.data_type.clone())).collect()
        };
        let one = |prepared: &Prepared, values: &[Value]| {
            let batches = prepared.run(values).unwrap().collect_all().unwrap();
            crate::row_texts(&batches[0]).unwrap().remove(0)
        };
        let prepared = session.prepare("SELECT $3::DATE AS d, $1::INTEGER + 1 AS i, $2 || '!' AS t").unwrap();
        let expected = [("1", Type::Int32), ("2", Type::Text), ("3", Type::Date)];
        assert_eq!(named(&prepared), expected.map(|(name, data_type)| (name.to_owned(), data_type)));
        let found = one(&prepared, &[Value::Int32(1), Value::text("a"), Value::Date(0)]);
        assert_eq!(found, ["1970-01-01", "2", "a!"].map(|text| Some(text.to_owned())));
        let prepared = session.prepare("SELECT ? || ? AS s").unwrap();
        assert!(named(&prepared).iter().all(|(_, data_type)| *data_type == Type::Text));
        assert_eq!(one(&prepared, &[Value::text("a"), Value::text("b")]), [Some("ab".to_owned())]);
    }

    #[test]
    fn a_run_within_a_host_takes_its_memory_and_leaves_the_session_alone() {
        let session = Session::new();
        session.sql("CREATE TABLE names AS SELECT 7 AS x, 'seven' AS name").unwrap().drain().unwrap();
        let input = Schema::new(vec![Field::new("x", Type::Int64)]);
        let sql =
            "SELECT input.x, name FROM input LEFT JOIN names ON input.x = names.x ORDER BY input.x DESC";
        let prepared = session.prepare_over(sql, input.clone()).unwrap();
        assert!(session.catalog().table("input").is_none());
        let pool = Arc::new(Pool::default());
        let mut run = prepared.start_within(&[], Arc::clone(&pool) as Arc<dyn HostMemory>).unwrap();
        let before = prepared.context().memory.used_bytes();
        let column: ArrayRef = Arc::new(Int64Array::from((0..10_000).collect::<Vec<i64>>()));
        let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
        run.push(input_batch(&batch, &input).unwrap()).unwrap();
        run.finish().unwrap();
        let mut rows = 0;
        while let Some(batch) = run.next().unwrap() {
            rows += batch.rows;
        }
        assert_eq!(rows, 10_000);
        assert!(pool.most.load(Ordering::Relaxed) >= 80_000);
        assert_eq!(prepared.context().memory.used_bytes(), before);
        drop(run);
        assert_eq!(pool.held.load(Ordering::Relaxed), 0);
    }
}

//! Serving: the expressions of a prepared query for one row, with the kernels and the bits of batches.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::expression::{ExpressionSet, RowEvaluator as EngineRowEvaluator};
use hypostyle_engine::plan::{Expression, Node, Plan};
use hypostyle_functions::types::Schema;
use hypostyle_functions::value::Literal;
use hypostyle_planner::transform::FittedWindow;

use crate::error::{Error, Result};
use crate::served::{Features, Served};

/// The expressions of a feature query, compiled for rows. Immutable; any number of evaluators share it.
#[derive(Clone)]
pub(crate) struct RowPlan {
    set: Arc<ExpressionSet>,
    inputs: Schema,
    outputs: Schema,
}

impl RowPlan {
    /// The row form of a plan that only projects columns of one table.
    pub(crate) fn new(plan: &Plan, context: &Arc<Context>) -> Result<Self> {
        let Projection { expressions, inputs, windows } = projection(plan)?;
        let outputs = plan.schema.clone();
        Self::of_features(Features { expressions, inputs, windows, outputs }, context)
    }

    /// The row form of features.
    pub(crate) fn of_features(features: Features, context: &Arc<Context>) -> Result<Self> {
        let Served { expressions, inputs, outputs, context } = features.served(context)?;
        let set = ExpressionSet::compile(&expressions, &inputs, &context)?;
        Ok(Self { set, inputs, outputs })
    }

    pub(crate) fn evaluator(&self, parameters: &[Literal]) -> Result<RowEvaluator> {
        Ok(RowEvaluator {
            evaluator: EngineRowEvaluator::new(Arc::clone(&self.set), parameters)?,
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
        })
    }
}

/// Expressions over the columns of one table, and behind these the values of windows over them.
struct Projection {
    expressions: Vec<Expression>,
    inputs: Schema,
    windows: Vec<FittedWindow>,
}

/// The expressions of a plan over the one table below.
fn projection(plan: &Plan) -> Result<Projection> {
    match &plan.node {
        Node::Project { input, expressions } => {
            let below = projection(input)?;
            let substitute = |expression| substitute(expression, &below.expressions);
            Ok(Projection { expressions: expressions.iter().map(substitute).collect(), ..below })
        }
        Node::Window { input, window } => {
            let mut below = projection(input)?;
            let mut window = window.clone();
            window.expressions_mut().into_iter().for_each(|part| replace(part, &below.expressions));
            let width = below.inputs.fields.len();
            if window.expressions().into_iter().flat_map(Expression::columns).any(|column| column >= width) {
                return Err(Error::user(
                    "a query is not evaluated row by row where a window reads the value of another one",
                ));
            }
            let known: usize = below.windows.iter().map(|window| window.window.calls.len()).sum();
            let (windows, places) = FittedWindow::of_plan(&window, &below.inputs, &below.windows);
            for (place, call) in places.into_iter().zip(&window.calls) {
                let value = width + known + place;
                below.expressions.push(Expression::column(value, call.data_type.clone()));
            }
            below.windows.extend(windows);
            Ok(below)
        }
        Node::Scan { .. } => {
            let columns = plan.schema.fields.iter().enumerate();
            let columns = columns.map(|(index, field)| Expression::column(index, field.data_type.clone()));
            Ok(Projection {
                expressions: columns.collect(),
                inputs: plan.schema.clone(),
                windows: Vec::new(),
            })
        }
        _ => Err(Error::user(
            "a query is evaluated row by row if it selects expressions over the columns of one table, without filter, \
             join, grouping or order",
        )),
    }
}

fn substitute(expression: &Expression, columns: &[Expression]) -> Expression {
    let mut expression = expression.clone();
    replace(&mut expression, columns);
    expression
}

fn replace(expression: &mut Expression, columns: &[Expression]) {
    if let Expression::Column { index, .. } = expression {
        if let Some(value) = columns.get(*index) {
            *expression = value.clone();
        }
        return;
    }
    expression.children_mut().into_iter().for_each(|child| replace(child, columns));
}

/// Evaluates a feature query for one row, or a micro-batch of up to 256.
///
/// Fields are set by position in [`RowEvaluator::inputs`]; a field that is not set is null. After
/// the first few rows nothing is allocated. One evaluator belongs to one thread; a prepared query makes any number of them.
///
/// ```
/// use hypostyle::Session;
/// let session = Session::new();
/// session.sql("CREATE TABLE items AS SELECT 1.5::DOUBLE AS price, 'book' AS kind")?.drain()?;
/// let prepared = session.prepare("SELECT log1p(price) AS price, upper(kind) AS kind FROM items")?;
/// let mut row = prepared.row(&[])?;
/// let (price, kind) = (row.input("price")?, row.input("kind")?);
/// row.start(1)?;
/// row.set_f64(price, 0.0)?;
/// row.set_text(kind, "toy")?;
/// row.evaluate()?;
/// assert_eq!((row.get_f64(0, 0), row.get_text(1, 0)), (Some(0.0), Some("TOY")));
/// # Ok::<(), hypostyle::Error>(())
/// ```
pub struct RowEvaluator {
    evaluator: EngineRowEvaluator,
    inputs: Schema,
    outputs: Schema,
}

impl RowEvaluator {
    /// Columns that are set.
    pub fn inputs(&self) -> &Schema {
        &self.inputs
    }

    /// Columns that are read.
    pub fn outputs(&self) -> &Schema {
        &self.outputs
    }

    /// Position of the input column of this name.
    ///
    /// # Errors
    /// A column that the query does not read.
    pub fn input(&self, name: &str) -> Result<usize> {
        self.inputs.index_of(name).ok_or_else(|| unknown("input", name, &self.inputs))
    }

    /// Position of the output column of this name.
    ///
    /// # Errors
    /// A column that the query does not give.
    pub fn output(&self, name: &str) -> Result<usize> {
        self.outputs.index_of(name).ok_or_else(|| unknown("output", name, &self.outputs))
    }
}

fn unknown(what: &str, name: &str, schema: &Schema) -> Error {
    let names: Vec<_> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    Error::user(format!("no {what} column \"{name}\"; there are {}", names.join(", ")))
}

impl Deref for RowEvaluator {
    type Target = EngineRowEvaluator;
    fn deref(&self) -> &EngineRowEvaluator {
        &self.evaluator
    }
}

impl DerefMut for RowEvaluator {
    fn deref_mut(&mut self) -> &mut EngineRowEvaluator {
        &mut self.evaluator
    }
}

impl std::fmt::Debug for RowEvaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowEvaluator")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

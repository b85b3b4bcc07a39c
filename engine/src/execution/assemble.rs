//! Cuts a plan into pipelines: streaming nodes become stages, and each breaker ends a pipeline and starts another.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::ArrayRef;
use hypostyle_functions::types::{Schema, Type};
use hypostyle_functions::value::Literal;

use super::bindings::Bindings;
use super::distinct_steps::distinct_steps;
use super::pipeline::{End, Link, Phase, Pipeline};
use super::schedule::{LargestReader, Schedule};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::expression::ExpressionSet;
use crate::key_filter::KeyCell;
use crate::memory::Budget;
use crate::metrics::{MetricsRegistry, OperatorMetrics};
use crate::operator::aggregate::{AggregateShape, AggregateSource, HashAggregate};
use crate::operator::asof::Spine;
use crate::operator::filter::Filter;
use crate::operator::limit::MorselLimit;
use crate::operator::ordered::{Consumer, OrderedSink, Window as RowWindow};
use crate::operator::project::{Pick, Project};
use crate::operator::recursive::WorkTable;
use crate::operator::repeat::Repeat;
use crate::operator::scan::{BatchesSource, HostInput};
use crate::operator::shared::{Share, SharedRows, SharedSource};
use crate::operator::sort::{KeyOrder, Sort, SortSource};
use crate::operator::unnest::Unnest;
use crate::operator::values::Values;
use crate::operator::window::{WindowOperator, WindowShape, WindowSource};
use crate::operator::write::{Collect, SingleRow, writer};
use crate::operator::{RunContext, Sink, Source, Stage};
use crate::plan::{AggregateCall, Expression, Node, Plan, SortKey, Window, WriteTarget};
use crate::spill::SpillDirectory;

/// What the operators of a new run see.
pub(super) fn run_context(
    context: &Arc<Context>,
    parameters: Vec<Literal>,
    memory: &Arc<Budget>,
) -> Arc<RunContext> {
    Arc::new(RunContext {
        context: Arc::clone(context),
        parameters,
        memory: memory.query(),
        spill: SpillDirectory::new(context.configuration.temp_directory.as_deref()),
        cancelled: AtomicBool::new(false),
    })
}

/// The pipelines of a run.
pub(super) fn assemble(plan: &Plan, run: &Arc<RunContext>, bindings: &mut Bindings) -> Result<Schedule> {
    let metrics = MetricsRegistry::new(crate::plan::count_nodes(plan));
    assemble_part(plan, run, bindings, metrics, WorkTables::new())
}

/// The pipelines of a plan that may stand inside another, and reads the work tables of recursions around it.
pub(super) fn assemble_part(
    plan: &Plan,
    run: &Arc<RunContext>,
    bindings: &mut Bindings,
    metrics: MetricsRegistry,
    work_tables: WorkTables,
) -> Result<Schedule> {
    let mut assembler = Assembler {
        run: Arc::clone(run),
        bindings,
        pipelines: Vec::new(),
        metrics,
        input: None,
        largest_reader: LargestReader::default(),
        order_shows: true,
        key_cells: HashMap::new(),
        work_tables,
        spines: HashMap::new(),
        shared: HashMap::new(),
    };
    let (phases, window) = assembler.ordered(plan, 0)?;
    let output = OrderedSink::output(window, &run.memory.account("output"));
    assembler.end(phases, End::Output(Arc::clone(&output)), Arc::default());
    let Assembler { pipelines, metrics, input, largest_reader, .. } = assembler;
    Ok(Schedule::new(Arc::clone(run), pipelines, output, metrics, input, largest_reader))
}

/// Work tables by number.
pub(super) type WorkTables = HashMap<u32, Arc<WorkTable>>;

pub(super) struct Assembler<'a> {
    pub(super) run: Arc<RunContext>,
    pub(super) bindings: &'a mut Bindings,
    pipelines: Vec<Pipeline>,
    pub(super) metrics: MetricsRegistry,
    pub(super) input: Option<Arc<HostInput>>,
    pub(super) largest_reader: LargestReader,
    /// Whether the order of the rows at work can be seen in the result.
    pub(super) order_shows: bool,
    /// By the position of a scan in the plan: its columns whose keys a join leaves.
    pub(super) key_cells: HashMap<usize, Vec<(usize, Arc<KeyCell>)>>,
    pub(super) work_tables: WorkTables,
    /// As-of joins whose left side is indexed, by the number of their node.
    pub(super) spines: HashMap<usize, Arc<Spine>>,
    /// Shared rows by their number.
    shared: HashMap<u32, Arc<SharedRows>>,
}

/// Types of a schema's columns.
pub(super) fn types(schema: &Schema) -> Vec<Type> {
    schema.fields.iter().map(|field| field.data_type.clone()).collect()
}

/// A null for each column that is not read.
fn blanks(schema: &Schema, read: &HashSet<usize>) -> Vec<Option<ArrayRef>> {
    let blank = |(column, data_type): (usize, &Type)| {
        (!read.contains(&column)).then(|| arrow::array::new_null_array(&data_type.to_arrow(), 1))
    };
    types(schema).iter().enumerate().map(blank).collect()
}

impl Assembler<'_> {
    /// The phases that give the rows of a plan whose consumer takes them in order, and which of them it wants. `id` is
    /// the position of the node in the plan, a node coming before its inputs.
    pub(super) fn ordered(&mut self, plan: &Plan, id: usize) -> Result<(Vec<Phase>, RowWindow)> {
        match &plan.node {
            Node::Limit { input, offset, count } => {
                let mut phases = self.with_order(true, |assembler| assembler.phases(input, id + 1))?;
                let window = RowWindow { offset: *offset, count: *count };
                self.limit(&mut phases, window, id);
                Ok((phases, window))
            }
            // The rows of a projection are those of its input, one for one.
            Node::Project { input, expressions } => {
                let (mut phases, window) = match &input.node {
                    Node::Filter { .. } | Node::Window { .. } => {
                        (self.phases_read_by(input, expressions, id + 1)?, RowWindow::default())
                    }
                    Node::Scan { .. } => {
                        (self.scan_projected(input, expressions, id + 1)?, RowWindow::default())
                    }
                    _ => self.ordered(input, id + 1)?,
                };
                self.project(&mut phases, expressions, &input.schema, id)?;
                Ok((phases, window))
            }
            Node::Shared { table, definition, input } => {
                self.share(*table, definition, id)?;
                self.ordered(input, id + 1 + crate::plan::count_nodes(definition))
            }
            _ => Ok((self.phases(plan, id)?, RowWindow::default())),
        }
    }

    /// Gathers the rows of a plan, for the nodes that are assembled after it.
    fn share(&mut self, table: u32, definition: &Plan, id: usize) -> Result<()> {
        let (phases, window) = self.with_order(true, |assembler| assembler.ordered(definition, id + 1))?;
        let rows = Arc::new(SharedRows::default());
        let consumer = Box::new(Share::new(&self.run, &self.metrics.of(id), &rows));
        let account = self.run.memory.account("ordered rows");
        self.break_at(phases, OrderedSink::new(window, &account, consumer), id);
        self.shared.insert(table, rows);
        Ok(())
    }

    fn shared_rows(&mut self, table: u32, projection: &[usize], id: usize) -> Result<Vec<Phase>> {
        match self.shared.get(&table) {
            Some(rows) => Ok(vec![self.source(SharedSource::new(rows, projection), id)]),
            None => Err(Error::user(format!("plan node SharedRows: nothing is shared under number {table}"))),
        }
    }

    /// The phases that give the rows of a plan.
    pub(super) fn phases(&mut self, plan: &Plan, id: usize) -> Result<Vec<Phase>> {
        match &plan.node {
            Node::Scan { .. } => self.scan(plan, id, &[]),
            Node::Values { rows } => self.values(plan, rows, id),
            Node::Filter { input, predicate } => self.filter(input, predicate, (Vec::new(), None), id),
            Node::Project { input, expressions } => {
                let mut phases = self.phases_read_by(input, expressions, id + 1)?;
                self.project(&mut phases, expressions, &input.schema, id)?;
                Ok(phases)
            }
            Node::Limit { input, offset, count } => {
                let mut phases = self.with_order(true, |assembler| assembler.phases(input, id + 1))?;
                let window = RowWindow { offset: *offset, count: *count };
                self.limit(&mut phases, window, id);
                let result = Arc::new(BatchesSource::default());
                let consumer = Collect::new(&self.run, &self.metrics.of(id), &result);
                Ok(self.consume(phases, window, Box::new(consumer), result, id))
            }
            Node::Sort { input, keys, limit } => self.sort(input, keys, *limit, id),
            Node::Aggregate { input, keys, sets, aggregates } => {
                self.aggregate(input, keys, sets, aggregates, id)
            }
            Node::HashJoin { left, right, kind, keys, residual } => {
                self.join(left, right, *kind, keys, residual.as_ref(), id)
            }
            Node::CrossJoin { left, right, kind, condition } => {
                self.join(left, right, *kind, &[], condition.as_ref(), id)
            }
            Node::AsofJoin(join) => self.as_of(join, None, id),
            Node::RangeJoin(join) => self.range_join(join, id),
            Node::Union { inputs } => {
                let mut next = id + 1;
                let mut phases = Vec::new();
                for input in inputs {
                    phases.extend(self.phases(input, next)?);
                    next += crate::plan::count_nodes(input);
                }
                Ok(phases)
            }
            Node::Unnest { input, lists, outer } => {
                let mut phases = self.phases(input, id + 1)?;
                let types = lists.iter().map(Expression::data_type).collect();
                let lists = self.set(lists, &input.schema)?;
                self.push(
                    &mut phases,
                    id,
                    Unnest { lists, types, outer: *outer, run: Arc::clone(&self.run) },
                );
                Ok(phases)
            }
            Node::Window { input, window } => self.window(input, window, (Vec::new(), None), id),
            Node::Sample { input, method, size, seed } => self.sample(input, *method, *size, *seed, id),
            Node::ComputedLimit { input, amounts } => self.computed_limit(input, amounts, id),
            Node::PositionalJoin { left, right } => self.positional_join(left, right, id),
            Node::Recursive { .. } => self.recursive(plan, id),
            Node::WorkTable { table, all } => self.work_table(*table, *all, id),
            Node::Repeat { input, count } => {
                let mut phases = self.phases(input, id + 1)?;
                let count = self.set(std::slice::from_ref(count), &input.schema)?;
                self.push(&mut phases, id, Repeat { count, run: Arc::clone(&self.run) });
                Ok(phases)
            }
            Node::SingleRow { input } => {
                let (phases, window) = self.ordered(input, id + 1)?;
                let result = Arc::new(BatchesSource::default());
                let consumer = Box::new(SingleRow::new(&input.schema, &result));
                Ok(self.consume(phases, window, consumer, result, id))
            }
            Node::Shared { table, definition, input } => {
                self.share(*table, definition, id)?;
                self.phases(input, id + 1 + crate::plan::count_nodes(definition))
            }
            Node::SharedRows { table, projection } => self.shared_rows(*table, projection, id),
            Node::Write { input, target } => self.write(input, target, id),
        }
    }

    /// The phases that give the rows of a plan of whose columns only these expressions read.
    fn phases_read_by(&mut self, plan: &Plan, readers: &[Expression], id: usize) -> Result<Vec<Phase>> {
        let read: HashSet<usize> = readers.iter().flat_map(Expression::columns).collect();
        self.phases_read(plan, read, id)
    }

    /// The phases that give the rows of a plan of whose columns only these are read.
    fn phases_read(&mut self, plan: &Plan, mut read: HashSet<usize>, id: usize) -> Result<Vec<Phase>> {
        match &plan.node {
            Node::Filter { input, predicate } => {
                let blanks = blanks(&input.schema, &read);
                read.extend(predicate.columns());
                self.filter(input, predicate, (blanks, Some(read)), id)
            }
            Node::Window { input, window } => {
                let blanks = blanks(&input.schema, &read);
                read.extend(window.expressions().into_iter().flat_map(Expression::columns));
                self.window(input, window, (blanks, Some(read)), id)
            }
            Node::AsofJoin(join) => self.as_of(join, Some(&read), id),
            _ => self.phases(plan, id),
        }
    }

    fn filter(
        &mut self,
        input: &Plan,
        predicate: &Expression,
        (blanks, read): (Vec<Option<ArrayRef>>, Option<HashSet<usize>>),
        id: usize,
    ) -> Result<Vec<Phase>> {
        let mut phases = match (&input.node, read) {
            (Node::Scan { .. }, _) => self.scan(input, id + 1, &conjuncts(predicate))?,
            (Node::Window { .. }, Some(read)) => self.phases_read(input, read, id + 1)?,
            _ => self.phases(input, id + 1)?,
        };
        let predicate = self.set(std::slice::from_ref(predicate), &input.schema)?;
        self.push(&mut phases, id, Filter { predicate, columns: None, blanks, run: Arc::clone(&self.run) });
        Ok(phases)
    }

    /// Assembles a part of the plan whose order shows or not.
    pub(super) fn with_order<T>(
        &mut self,
        order_shows: bool,
        body: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let before = std::mem::replace(&mut self.order_shows, order_shows);
        let result = body(self);
        self.order_shows = before;
        result
    }

    /// An expression set, compiled once per plan.
    pub(super) fn set(&mut self, expressions: &[Expression], schema: &Schema) -> Result<Arc<ExpressionSet>> {
        let context = Arc::clone(&self.run.context);
        let set = self.bindings.part(|| ExpressionSet::compile(expressions, schema, &context))?;
        Ok(Arc::clone(&*set))
    }

    /// Adds a stage to every phase.
    pub(super) fn push(&self, phases: &mut [Phase], id: usize, stage: impl Stage + 'static) {
        self.push_link(phases, Arc::new(stage), self.metrics.of(id));
    }

    pub(super) fn push_link(
        &self,
        phases: &mut [Phase],
        stage: Arc<dyn Stage>,
        metrics: Arc<OperatorMetrics>,
    ) {
        for phase in phases {
            phase.stages.push(Link { stage: Arc::clone(&stage), metrics: Arc::clone(&metrics) });
        }
    }

    /// A source as the only phase.
    pub(super) fn source(&self, source: impl Source + 'static, id: usize) -> Phase {
        Phase { source: Arc::new(source), source_metrics: self.metrics.of(id), stages: Vec::new() }
    }

    fn end(&mut self, phases: Vec<Phase>, end: End, sink_metrics: Arc<OperatorMetrics>) {
        self.pipelines.push(Pipeline { phases, end, sink_metrics });
    }

    pub(super) fn break_at(&mut self, phases: Vec<Phase>, sink: impl Sink + 'static, id: usize) {
        let metrics = self.metrics.of(id);
        self.end(phases, End::Sink(Arc::new(sink)), metrics);
    }

    /// Ends a pipeline in a consumer that takes rows in order and leaves its result as batches.
    fn consume(
        &mut self,
        phases: Vec<Phase>,
        window: RowWindow,
        consumer: Box<dyn Consumer>,
        result: Arc<BatchesSource>,
        id: usize,
    ) -> Vec<Phase> {
        let account = self.run.memory.account("ordered rows");
        self.break_at(phases, OrderedSink::new(window, &account, consumer), id);
        vec![self.source(result, id)]
    }

    fn limit(&self, phases: &mut [Phase], window: RowWindow, id: usize) {
        if let Some(rows) = window.morsel_rows() {
            self.push(phases, id, MorselLimit { rows });
        }
    }

    fn project(
        &mut self,
        phases: &mut [Phase],
        expressions: &[Expression],
        schema: &Schema,
        id: usize,
    ) -> Result<()> {
        let picked = |expression: &Expression| match expression {
            Expression::Column { index, .. } => Some(*index),
            _ => None,
        };
        if let Some(columns) = expressions.iter().map(picked).collect() {
            self.push(phases, id, Pick { columns });
            return Ok(());
        }
        let expressions = self.set(expressions, schema)?;
        self.push(phases, id, Project { expressions, run: Arc::clone(&self.run) });
        Ok(())
    }

    fn values(&mut self, plan: &Plan, rows: &[Vec<Expression>], id: usize) -> Result<Vec<Phase>> {
        let all: Vec<Expression> = rows.iter().flatten().cloned().collect();
        let values = Values {
            expressions: self.set(&all, &Schema::default())?,
            rows: rows.len(),
            columns: plan.schema.fields.len(),
            run: Arc::clone(&self.run),
            claimed: AtomicBool::new(false),
        };
        Ok(vec![self.source(values, id)])
    }

    fn sort(&mut self, input: &Plan, keys: &[SortKey], limit: Option<u64>, id: usize) -> Result<Vec<Phase>> {
        // Ties keep the order of the input, and a limit chooses between them.
        let order_shows = self.order_shows || limit.is_some();
        let phases = self.with_order(order_shows, |assembler| assembler.phases(input, id + 1))?;
        let expressions: Vec<Expression> = keys.iter().map(|key| key.expression.clone()).collect();
        let set = self.set(&expressions, &input.schema)?;
        let orders = keys.iter().map(KeyOrder::of).collect();
        let sort =
            Sort::new(set, orders, limit, types(&input.schema), Arc::clone(&self.run), self.metrics.of(id));
        self.break_at(phases, Arc::clone(&sort), id);
        Ok(vec![self.source(SortSource(sort), id)])
    }

    fn aggregate(
        &mut self,
        input: &Plan,
        keys: &[Expression],
        sets: &[Vec<usize>],
        calls: &[AggregateCall],
        id: usize,
    ) -> Result<Vec<Phase>> {
        let node_expressions: Vec<Expression> = aggregate_expressions(keys, calls);
        let sensitive = |call: &AggregateCall| {
            self.run
                .context
                .registry
                .aggregate(&call.function)
                .is_none_or(|function| function.order_sensitive)
        };
        let order_shows = self.order_shows && calls.iter().any(sensitive);
        let phases = self.with_order(order_shows, |assembler| {
            assembler.phases_read_by(input, &node_expressions, id + 1)
        })?;
        let steps = distinct_steps(keys, calls, &self.run.context.registry).filter(|_| sets.is_empty());
        match steps {
            Some(steps) => {
                let mut phases =
                    self.aggregate_phases(phases, &input.schema, &steps.first_keys, &[], &[], id)?;
                // The rows between the steps are not those of the node.
                phases.iter_mut().for_each(|phase| phase.source_metrics = Arc::default());
                self.aggregate_phases(phases, &steps.schema, &steps.keys, &[], &steps.calls, id)
            }
            None => self.aggregate_phases(phases, &input.schema, keys, sets, calls, id),
        }
    }

    fn aggregate_phases(
        &mut self,
        phases: Vec<Phase>,
        schema: &Schema,
        keys: &[Expression],
        sets: &[Vec<usize>],
        calls: &[AggregateCall],
        id: usize,
    ) -> Result<Vec<Phase>> {
        let context = Arc::clone(&self.run.context);
        let bound = self.bindings.part(|| {
            let (shape, expressions) = AggregateShape::bind(keys, sets, calls, &context)?;
            let set = ExpressionSet::compile(&expressions, schema, &context)?;
            Ok((Arc::new(shape), set))
        })?;
        let (shape, set) = (Arc::clone(&bound.0), Arc::clone(&bound.1));
        let (run, metrics) = (Arc::clone(&self.run), self.metrics.of(id));
        let aggregate = HashAggregate::new(shape, set, run, metrics, self.order_shows);
        self.break_at(phases, Arc::clone(&aggregate), id);
        Ok(vec![self.source(AggregateSource(aggregate), id)])
    }

    /// `blanks` are nulls for the columns of the input that nobody reads behind the window, `read` is all that is read of
    /// its input.
    fn window(
        &mut self,
        input: &Plan,
        window: &Window,
        (blanks, read): (Vec<Option<ArrayRef>>, Option<HashSet<usize>>),
        id: usize,
    ) -> Result<Vec<Phase>> {
        // Ties and frames of rows depend on the order of the input.
        let phases = self.with_order(true, |assembler| match read {
            Some(read) => assembler.phases_read(input, read, id + 1),
            None => assembler.phases(input, id + 1),
        })?;
        let context = Arc::clone(&self.run.context);
        let bound = self.bindings.part(|| {
            let (shape, expressions) = WindowShape::bind(window, &context)?;
            let set = ExpressionSet::compile(&expressions, &input.schema, &context)?;
            Ok((Arc::new(shape), set))
        })?;
        let (shape, set) = (Arc::clone(&bound.0), Arc::clone(&bound.1));
        let run = Arc::clone(&self.run);
        let types = types(&input.schema);
        let operator = WindowOperator::new(shape, set, types, blanks, run, self.metrics.of(id));
        self.break_at(phases, Arc::clone(&operator), id);
        Ok(vec![self.source(WindowSource(operator), id)])
    }

    fn write(&mut self, input: &Plan, target: &WriteTarget, id: usize) -> Result<Vec<Phase>> {
        let (phases, window) = self.ordered(input, id + 1)?;
        let result = Arc::new(BatchesSource::default());
        let consumer = writer(target, &input.schema, &self.run, &result)?;
        Ok(self.consume(phases, window, consumer, result, id))
    }
}

/// Everything that an aggregation evaluates.
fn aggregate_expressions(keys: &[Expression], calls: &[AggregateCall]) -> Vec<Expression> {
    let of_calls = calls.iter().flat_map(|call| {
        call.arguments.iter().chain(&call.filter).chain(call.order.iter().map(|key| &key.expression))
    });
    keys.iter().chain(of_calls).cloned().collect()
}

/// The conjuncts of a predicate.
fn conjuncts(predicate: &Expression) -> Vec<&Expression> {
    match predicate {
        Expression::And(operands) => operands.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

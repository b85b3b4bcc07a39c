//! Tables, contexts and results of the tests.

use std::sync::Arc;

use bumpalo::Bump;
use hypostyle_engine::plan::{AggregateCall, Expression, Node, Plan, SortKey, TableReference};
use hypostyle_engine::{Batch, Catalog, Configuration, Context, MemoryTable, Prepared, Result};
use hypostyle_functions::Registry;
use hypostyle_functions::column::{Column, Output, value_at};
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::types::{Field, Schema, Type};
use hypostyle_functions::value::{Literal, Value};

/// Rows of a result.
pub type Rows = Vec<Vec<Value>>;

/// How a query is run.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub batch_rows: usize,
    pub threads: usize,
    pub memory_limit_bytes: Option<usize>,
}

/// Batch sizes and numbers of workers at which every result must be the same.
pub const SETTINGS: [Setting; 5] = [
    Setting { batch_rows: 2048, threads: 1, memory_limit_bytes: None },
    Setting { batch_rows: 1, threads: 1, memory_limit_bytes: None },
    Setting { batch_rows: 3, threads: 1, memory_limit_bytes: None },
    Setting { batch_rows: 3, threads: 2, memory_limit_bytes: None },
    Setting { batch_rows: 2048, threads: 2, memory_limit_bytes: None },
];

/// A table of a test: name, columns, rows.
pub struct Table {
    pub name: &'static str,
    pub fields: Vec<(&'static str, Type)>,
    pub rows: Rows,
}

/// A row of values.
#[macro_export]
macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$($crate::setting::ToValue::to_value($value)),*] };
}

/// Rust values as SQL values; `()` is null.
pub trait ToValue {
    fn to_value(self) -> Value;
}
impl ToValue for () {
    fn to_value(self) -> Value {
        Value::Null
    }
}
impl ToValue for i64 {
    fn to_value(self) -> Value {
        Value::Int64(self)
    }
}
impl ToValue for i32 {
    fn to_value(self) -> Value {
        Value::Int64(i64::from(self))
    }
}
impl ToValue for f64 {
    fn to_value(self) -> Value {
        Value::float64(self)
    }
}
impl ToValue for &str {
    fn to_value(self) -> Value {
        Value::text(self)
    }
}
impl ToValue for bool {
    fn to_value(self) -> Value {
        Value::Boolean(self)
    }
}
impl ToValue for Value {
    fn to_value(self) -> Value {
        self
    }
}

pub fn schema(fields: &[(&str, Type)]) -> Schema {
    Schema::new(fields.iter().map(|(name, data_type)| Field::new(*name, data_type.clone())).collect())
}

pub fn batch(schema: &Schema, rows: &[Vec<Value>]) -> Batch {
    let columns = schema.fields.iter().enumerate().map(|(index, field)| {
        let mut output = Output::new(field.data_type.clone());
        output.prepare(rows.len());
        for (row, values) in rows.iter().enumerate() {
            output.set_value(row, &values[index]).unwrap();
        }
        Column::Flat(output.freeze().unwrap())
    });
    Batch::new(columns.collect(), rows.len())
}

pub fn context(tables: &[&Table], setting: Setting) -> Arc<Context> {
    context_with(tables, setting, |_| ())
}

/// As [`context`], with a change to its configuration.
pub fn context_with(
    tables: &[&Table],
    setting: Setting,
    change: impl FnOnce(&mut Configuration),
) -> Arc<Context> {
    let catalog = Catalog::default();
    for table in tables {
        let schema = schema(&table.fields);
        // Uneven batches, so that morsels and batches cut through groups.
        let batches = table.rows.chunks(1000).map(|rows| batch(&schema, rows)).collect();
        catalog.add_table(table.name, Arc::new(MemoryTable::new(schema, batches).unwrap()));
    }
    let mut configuration = Configuration {
        threads: setting.threads,
        batch_rows: setting.batch_rows,
        memory_limit_bytes: setting.memory_limit_bytes,
        ..Configuration::default()
    };
    change(&mut configuration);
    Arc::new(Context::new(
        Arc::new(Registry::builtin()),
        Arc::new(catalog),
        Settings::default(),
        configuration,
    ))
}

pub fn rows_of(batch: &Batch, schema: &Schema) -> Rows {
    let bump = Bump::new();
    let views: Vec<_> = batch
        .columns
        .iter()
        .zip(&schema.fields)
        .map(|(column, field)| column.view(&field.data_type, &bump))
        .collect();
    (0..batch.rows).map(|row| views.iter().map(|view| value_at(view, row)).collect()).collect()
}

/// All rows of a plan, in order.
pub fn collect(plan: &Plan, context: &Arc<Context>, parameters: &[Literal]) -> Result<Rows> {
    let prepared = Prepared::new(plan.clone(), Arc::clone(context))?;
    let mut run = prepared.start(parameters)?;
    let mut rows = Vec::new();
    while let Some(batch) = run.next()? {
        assert!(batch.rows > 0, "an empty batch came out");
        rows.extend(rows_of(&batch, prepared.schema()));
    }
    assert!(run.is_finished());
    drop(run);
    // Tables stay charged to the session; nothing else does.
    Ok(rows)
}

/// Runs a plan in every setting; all must give these rows in this order.
#[track_caller]
pub fn check(tables: &[&Table], plan: &Plan, expected: &[Vec<Value>]) {
    for setting in SETTINGS {
        let rows = collect(plan, &context(tables, setting), &[])
            .unwrap_or_else(|error| panic!("{setting:?}: {error}"));
        assert_eq!(rows, expected, "{setting:?}");
    }
}

/// The rows that a plan gives in every setting.
#[track_caller]
pub fn same_everywhere(tables: &[&Table], plan: &Plan) -> Rows {
    let mut first: Option<Rows> = None;
    for setting in SETTINGS {
        let rows = collect(plan, &context(tables, setting), &[])
            .unwrap_or_else(|error| panic!("{setting:?}: {error}"));
        match &first {
            Some(first) => {
                assert!(&rows == first, "{setting:?} differs: {} rows, {} before", rows.len(), first.len())
            }
            None => first = Some(rows),
        }
    }
    first.unwrap()
}

/// The error that a plan gives in every setting.
#[track_caller]
pub fn error_everywhere(tables: &[&Table], plan: &Plan) -> String {
    let mut first: Option<String> = None;
    for setting in SETTINGS {
        let error = collect(plan, &context(tables, setting), &[]).expect_err("it must fail").to_string();
        match &first {
            Some(first) => assert_eq!(&error, first, "{setting:?}"),
            None => first = Some(error),
        }
    }
    first.unwrap()
}

// Plans, in the order a reader would build them.

pub fn scan(table: &Table) -> Plan {
    let node = Node::Scan {
        table: TableReference::Named(table.name.into()),
        projection: (0..table.fields.len()).collect(),
        filters: Vec::new(),
        limit: None,
    };
    Plan::new(node, schema(&table.fields))
}

/// A column of a plan.
pub fn column(plan: &Plan, index: usize) -> Expression {
    Expression::column(index, plan.schema.fields[index].data_type.clone())
}

pub fn literal(value: impl ToValue) -> Expression {
    Expression::Literal(Literal::new(value.to_value()))
}

pub fn compare(operator: &str, left: Expression, right: Expression) -> Expression {
    Expression::call(operator, vec![left, right], Type::Boolean)
}

pub fn filter(input: Plan, predicate: Expression) -> Plan {
    let schema = input.schema.clone();
    Plan::new(Node::Filter { input: Box::new(input), predicate }, schema)
}

pub fn project(input: Plan, expressions: Vec<Expression>) -> Plan {
    let fields = expressions.iter().enumerate();
    let fields = fields.map(|(index, expression)| Field::new(format!("c{index}"), expression.data_type()));
    let schema = Schema::new(fields.collect());
    Plan::new(Node::Project { input: Box::new(input), expressions }, schema)
}

pub fn limit(input: Plan, offset: u64, count: Option<u64>) -> Plan {
    let schema = input.schema.clone();
    Plan::new(Node::Limit { input: Box::new(input), offset, count }, schema)
}

pub fn ascending(expression: Expression) -> SortKey {
    SortKey { expression, descending: false, nulls_first: false }
}

pub fn descending(expression: Expression) -> SortKey {
    SortKey { expression, descending: true, nulls_first: false }
}

pub fn sort(input: Plan, keys: Vec<SortKey>, limit: Option<u64>) -> Plan {
    let schema = input.schema.clone();
    Plan::new(Node::Sort { input: Box::new(input), keys, limit }, schema)
}

pub fn call(function: &str, arguments: Vec<Expression>, data_type: Type) -> AggregateCall {
    AggregateCall {
        function: function.into(),
        version: 1,
        arguments,
        distinct: false,
        filter: None,
        order: Vec::new(),
        phase: Default::default(),
        data_type,
    }
}

pub fn aggregate(input: Plan, keys: Vec<Expression>, aggregates: Vec<AggregateCall>) -> Plan {
    let types =
        keys.iter().map(Expression::data_type).chain(aggregates.iter().map(|call| call.data_type.clone()));
    let fields =
        types.enumerate().map(|(index, data_type)| Field::new(format!("c{index}"), data_type)).collect();
    let node = Node::Aggregate { input: Box::new(input), keys, sets: Vec::new(), aggregates };
    Plan::new(node, Schema::new(fields))
}

/// As [`aggregate`], once per grouping set and with the grouping id.
pub fn aggregate_sets(
    input: Plan,
    keys: Vec<Expression>,
    sets: Vec<Vec<usize>>,
    aggregates: Vec<AggregateCall>,
) -> Plan {
    let mut plan = aggregate(input, keys, aggregates);
    plan.schema.fields.push(Field::new("grouping_id", Type::Int64));
    if let Node::Aggregate { sets: own, .. } = &mut plan.node {
        *own = sets;
    }
    plan
}

/// Numbers from a fixed seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Rows in an order of their own, for results whose order is not stated.
pub fn sorted(mut rows: Rows) -> Rows {
    rows.sort_by_cached_key(|row| format!("{row:?}"));
    rows
}

//! Features: a query over the rows of a host's plan, or a fitted transform, and what they become for the columns of one input.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema as ArrowSchema, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use engine_arrow::datatypes as engine_types;
use hypostyle::column::{Column, import};
use hypostyle::plan::{Expression, Node, Plan, TableReference};
use hypostyle::{Batch, Configuration, Field, HostMemory, Prepared, Run, Schema, Session, Transform, Type};

use crate::border;
use crate::error::{planning, planning_text, running};

/// Name of the table that stands for the input.
const INPUT: &str = "input";

/// What is computed of the rows of an input: one SQL query whose table `input` they are, or a fitted transform. Clones are equal to
/// each other.
///
/// ```
/// use hypostyle_datafusion::Features;
/// use hypostyle_datafusion::hypostyle::Session;
/// let query = Features::from("SELECT id, log1p(price) AS price FROM input");
/// let session = Session::new();
/// session.sql("CREATE TABLE train AS SELECT i::DOUBLE AS price FROM range(9) t(i)")?.drain()?;
/// let scaled = Features::from(session.fit("SELECT standard_scale(price) AS price FROM input", "train")?);
/// assert_ne!(query, scaled);
/// # Ok::<(), hypostyle_datafusion::hypostyle::Error>(())
/// ```
#[derive(Clone)]
pub struct Features(Arc<Program>);

enum Program {
    Query { session: Session, sql: String },
    Transform(Transform),
}

impl Features {
    /// A query with the functions, tables and settings of a session.
    pub fn query(session: &Session, sql: impl Into<String>) -> Self {
        Self(Arc::new(Program::Query { session: session.clone(), sql: sql.into() }))
    }

    /// A fitted transform of a file, as `EXPORT TRANSFORM`, `hypostyle fit` and [`Transform::save`] write it.
    ///
    /// # Errors
    /// A file that is not there, or is no transform that this release reads.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::from(single_threaded().load_transform(path).map_err(planning)?))
    }

    /// The query, or the definition of the transform.
    pub fn sql(&self) -> &str {
        match &*self.0 {
            Program::Query { sql, .. } => sql,
            Program::Transform(transform) => transform.sql(),
        }
    }

    /// The features over an input of these columns.
    pub(crate) fn bind(&self, input: &ArrowSchema) -> Result<BoundFeatures> {
        match &*self.0 {
            Program::Query { session, sql } => bind_query(session, sql, input),
            Program::Transform(transform) => bind_transform(transform, input),
        }
    }
}

impl From<&str> for Features {
    /// A query with the built-in functions.
    fn from(sql: &str) -> Self {
        Self::query(&single_threaded(), sql)
    }
}

impl From<String> for Features {
    /// A query with the built-in functions.
    fn from(sql: String) -> Self {
        Self::query(&single_threaded(), sql)
    }
}

impl From<Transform> for Features {
    fn from(transform: Transform) -> Self {
        Self(Arc::new(Program::Transform(transform)))
    }
}

impl From<&Features> for Features {
    fn from(features: &Features) -> Self {
        features.clone()
    }
}

/// A session that leaves threads to the host.
pub(crate) fn single_threaded() -> Session {
    Session::with_configuration(Configuration { threads: 1, ..Configuration::default() })
}

impl PartialEq for Features {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Features {}

impl PartialOrd for Features {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(Arc::as_ptr(&self.0).cmp(&Arc::as_ptr(&other.0)))
    }
}

impl Hash for Features {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Features({self})")
    }
}

/// One line, as plans show it.
impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Program::Transform(transform) = &*self.0 {
            write!(f, "{}: ", transform.name())?;
        }
        f.write_str(&self.sql().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// How many rows come of one row of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rows {
    /// Exactly one.
    One,
    /// None or one, as of a filter.
    AtMostOne,
    /// Any number, none of which depends on other rows.
    Any,
    /// Rows depend on each other: groups, windows, order.
    Together,
}

/// A column of the table that the plan reads.
enum InputColumn {
    /// The column of the host's input at this position, of this type in either Arrow and in the engine.
    Read { index: usize, host: DataType, engine: engine_types::DataType, logical: Type },
    /// A column that the query does not look at.
    Unread(Column),
}

/// Features bound to the columns of one input, ready to run any number of times.
pub(crate) struct BoundFeatures {
    prepared: Prepared,
    columns: Vec<InputColumn>,
    /// The input's schema.
    pub(crate) input: SchemaRef,
    /// The schema of the result.
    pub(crate) schema: SchemaRef,
    engine_schema: engine_types::SchemaRef,
    /// What becomes of a row.
    pub(crate) rows: Rows,
    /// For each column of the result the position of the input column that it is, unchanged and in the same Arrow type.
    pub(crate) origins: Vec<Option<usize>>,
}

impl BoundFeatures {
    /// Whether partitions can be computed one by one.
    pub(crate) fn is_row_wise(&self) -> bool {
        self.rows != Rows::Together
    }

    /// Positions of the input columns that are read, ascending.
    pub(crate) fn read(&self) -> Vec<usize> {
        let read = self.columns.iter().filter_map(|column| match column {
            InputColumn::Read { index, .. } => Some(*index),
            InputColumn::Unread(_) => None,
        });
        let mut read: Vec<usize> = read.collect();
        read.sort_unstable();
        read.dedup();
        read
    }

    pub(crate) fn start(&self, memory: Arc<dyn HostMemory>) -> Result<Run> {
        self.prepared.start_within(&[], memory).map_err(running)
    }

    /// A batch of the host for the run; its values are shared.
    pub(crate) fn import(&self, batch: &RecordBatch) -> Result<Batch> {
        let rows = batch.num_rows();
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            columns.push(match column {
                InputColumn::Unread(Column::Constant { value, .. }) => {
                    Column::Constant { value: Arc::clone(value), length: rows }
                }
                InputColumn::Unread(other) => other.clone(),
                InputColumn::Read { index, host, engine, logical } => {
                    let array = batch.column(*index);
                    // The border reads the buffers by this type.
                    if array.data_type() != host {
                        return Err(DataFusionError::Internal(format!(
                            "column {index} of a batch has type {}; the plan's schema says {host}",
                            array.data_type()
                        )));
                    }
                    let array = border::array_into_engine(array, engine)?;
                    import(&array, logical).map_err(running)?
                }
            });
        }
        Ok(Batch { columns, rows, position: Default::default() })
    }

    /// A batch of the run for the host.
    pub(crate) fn export(&self, batch: &Batch) -> Result<RecordBatch> {
        let batch = batch.export(&self.engine_schema).map_err(running)?;
        border::batch_from_engine(&batch, &self.schema)
    }
}

impl fmt::Debug for BoundFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundFeatures")
            .field("rows", &self.rows)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

fn bind_query(session: &Session, sql: &str, input: &ArrowSchema) -> Result<BoundFeatures> {
    let mut fields = Vec::new();
    let mut positions = Vec::new();
    let mut left_out = Vec::new();
    for (index, field) in input.fields().iter().enumerate() {
        match border::logical_type(field.data_type()) {
            Ok(data_type) => {
                fields.push(Field::new(field.name(), data_type));
                positions.push(index);
            }
            Err(_) => left_out.push(format!("\"{}\" {}", field.name(), field.data_type())),
        }
    }
    let prepared = session.prepare_over(sql, Schema::new(fields.clone())).map_err(|error| {
        match (planning_text(&error, sql), left_out.as_slice()) {
            (DataFusionError::Plan(text), [_, ..]) => {
                let left_out = left_out.join(", ");
                DataFusionError::Plan(format!("{text}\ncolumns left out because of their types: {left_out}"))
            }
            (error, _) => error,
        }
    })?;
    let mut read = vec![false; fields.len()];
    mark_read(prepared.plan(), &mut read);
    let mut columns = Vec::with_capacity(fields.len());
    for ((field, index), read) in fields.iter().zip(positions).zip(read) {
        if !read {
            columns.push(InputColumn::Unread(Column::nulls(&field.data_type, 0)));
            continue;
        }
        only_of_its_name(input, &field.name)?;
        columns.push(read_column(input, index, field)?);
    }
    bound(prepared, columns, input)
}

fn bind_transform(transform: &Transform, input: &ArrowSchema) -> Result<BoundFeatures> {
    let mut columns = Vec::new();
    for wanted in transform.inputs().fields {
        let index = only_of_its_name(input, &wanted.name)?;
        let found = border::logical_type(input.field(index).data_type())?;
        if found != wanted.data_type {
            return Err(DataFusionError::Plan(format!(
                "column \"{}\" of the input has type {found}; transform \"{}\" was fitted on {}",
                wanted.name,
                transform.name(),
                wanted.data_type
            )));
        }
        columns.push(read_column(input, index, &wanted)?);
    }
    bound(transform.prepare().map_err(planning)?, columns, input)
}

/// The position of the column of this name, case ignored.
fn only_of_its_name(input: &ArrowSchema, name: &str) -> Result<usize> {
    let mut found =
        input.fields().iter().enumerate().filter(|(_, field)| field.name().eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => Err(DataFusionError::Plan(format!(
            "the input has several columns \"{name}\" (case is ignored); give them different names"
        ))),
        (None, _) => {
            let names: Vec<&str> = input.fields().iter().map(|field| field.name().as_str()).collect();
            Err(DataFusionError::Plan(format!(
                "the input has no column \"{name}\"; it has {}",
                names.join(", ")
            )))
        }
    }
}

fn read_column(input: &ArrowSchema, index: usize, field: &Field) -> Result<InputColumn> {
    let host = input.field(index).data_type().clone();
    let engine = border::type_into_engine(&host)?;
    Ok(InputColumn::Read { index, host, engine, logical: field.data_type.clone() })
}

fn bound(prepared: Prepared, columns: Vec<InputColumn>, input: &ArrowSchema) -> Result<BoundFeatures> {
    if prepared.input().is_none() {
        let message = format!("the query does not read the rows of the plan; select from the table {INPUT}");
        return Err(DataFusionError::Plan(message));
    }
    if let Some(parameter) = prepared.parameters().first() {
        let message = format!("parameter ${} has no value; write it into the query", parameter.name);
        return Err(DataFusionError::Plan(message));
    }
    let schema = border::exported_schema(prepared.schema())?;
    let (rows, origins) = shape(prepared.plan());
    let origins =
        origins.into_iter().zip(schema.fields()).map(|(origin, field)| match columns.get(origin?) {
            Some(InputColumn::Read { index, host, .. }) if host == field.data_type() => Some(*index),
            _ => None,
        });
    Ok(BoundFeatures {
        origins: origins.collect(),
        rows,
        engine_schema: Arc::new(prepared.schema().to_arrow()),
        input: Arc::new(input.clone()),
        schema,
        columns,
        prepared,
    })
}

/// Marks the columns of the input that scans of the plan read.
fn mark_read(plan: &Plan, read: &mut [bool]) {
    if let Node::Scan { table: TableReference::Named(name), projection, filters, .. } = &plan.node
        && name.eq_ignore_ascii_case(INPUT)
    {
        let conditions = filters.iter().flat_map(Expression::columns);
        for column in projection.iter().copied().chain(conditions) {
            if let Some(read) = read.get_mut(column) {
                *read = true;
            }
        }
    }
    plan.inputs().into_iter().for_each(|input| mark_read(input, read));
}

/// What becomes of a row, and which columns of the table below each output is.
fn shape(plan: &Plan) -> (Rows, Vec<Option<usize>>) {
    match &plan.node {
        Node::Scan { table: TableReference::Named(name), projection, limit: None, .. }
            if name.eq_ignore_ascii_case(INPUT) =>
        {
            (Rows::One, projection.iter().map(|&column| Some(column)).collect())
        }
        Node::Project { input, expressions } => {
            let (rows, below) = shape(input);
            let origin = |expression: &Expression| match expression {
                Expression::Column { index, .. } => below.get(*index).copied().flatten(),
                _ => None,
            };
            (rows, expressions.iter().map(origin).collect())
        }
        Node::Filter { input, .. } => {
            let (rows, below) = shape(input);
            (rows.max(Rows::AtMostOne), below)
        }
        Node::Unnest { input, .. } | Node::Repeat { input, .. } => {
            let (rows, mut below) = shape(input);
            below.resize(plan.schema.fields.len(), None);
            (rows.max(Rows::Any), below)
        }
        _ => (Rows::Together, vec![None; plan.schema.fields.len()]),
    }
}

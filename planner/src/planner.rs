//! From a statement to what a session does with it.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::execution::RunHandle;
use hypostyle_engine::plan::{Plan, WriteTarget};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::{Binder, Parameter};
use crate::definitions::Definitions;
use crate::error::{Error, ErrorKind, Result};
use crate::logical::{Column, Relation};
use crate::lower::lower;
use crate::nearest::nearest;
use crate::rewrite::{self, Reading};
use crate::span::Span;
use crate::transform::{Fitted, Transform};
use crate::tree::{
    Argument, CopyStatement, CreateMacro, CreateTable, CreateTransform, CreateView, DropKind, ExplainFormat,
    Expression, FitTransform, MacroBody, Name, Query, Statement, StatementKind,
};

/// A plan with the parameters it leaves open.
#[derive(Debug, Clone)]
pub struct PlannedQuery {
    /// The plan.
    pub plan: Plan,
    /// Parameters by position.
    pub parameters: Vec<Parameter>,
    /// Whether the plan holds what analyzers found in the data that was there while it was made.
    pub fits_data: bool,
}

/// What a session does with a statement.
// One value per statement: its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Planned {
    /// Runs a plan and shows its rows.
    Query(PlannedQuery),
    /// Shows a plan; with `analyze` after running it.
    Explain {
        /// Whether the plan is run.
        analyze: bool,
        /// Form of the answer.
        format: ExplainFormat,
        /// The plan.
        query: PlannedQuery,
    },
    /// Shows a query as a plan that other engines read, before physical choices.
    ExplainRelation {
        /// The rewritten query.
        relation: Relation,
        /// The columns that come out, in order.
        columns: Vec<Column>,
    },
    /// Changes a setting.
    Set {
        /// Its name as written.
        name: String,
        /// Its place, for the error of a name that is no setting.
        span: Span,
        /// Its value.
        value: Literal,
    },
    /// Puts a setting back to its default.
    Reset {
        /// Its name as written.
        name: String,
        /// Its place.
        span: Span,
    },
    /// Shows one setting or all.
    ShowSettings(Option<String>),
    /// Changes what SQL has defined: hand it to [`Definitions::apply`].
    Define(Definition),
    /// Fits a transform or a piece of its rows: hand it to [`crate::transform`].
    Fit {
        /// The transform.
        transform: Arc<Transform>,
        /// What is fitted, and where it goes.
        fit: Box<FitTransform>,
    },
    /// Writes a fitted transform to a file.
    ExportTransform {
        /// The transform.
        transform: Arc<Transform>,
        /// The file.
        path: String,
        /// Place of the statement.
        span: Span,
    },
    /// Reads a fitted transform from a file.
    ImportTransform {
        /// Its name here; without one, its name in the file.
        name: Option<Name>,
        /// The file.
        path: String,
        /// Whether it takes the place of one of that name.
        replace: bool,
        /// Place of the statement.
        span: Span,
    },
    /// Removes a table of the catalog.
    DropTable(String),
    /// Nothing: `IF EXISTS` or `IF NOT EXISTS` found it so.
    Nothing,
}

/// A change of a session's [`Definitions`].
#[derive(Debug, Clone)]
pub enum Definition {
    /// A view.
    View(CreateView),
    /// A macro.
    Macro(CreateMacro),
    /// A transform.
    Transform(Transform),
    /// The end of a transform.
    DropTransform(String),
    /// A prepared statement.
    Prepared(String, Statement),
    /// The end of a view.
    DropView(String),
    /// The end of a macro.
    DropMacro(String),
    /// The end of a prepared statement.
    Deallocate(String),
}

impl Definitions {
    /// Makes a change.
    pub fn apply(&mut self, definition: Definition) {
        match definition {
            Definition::View(view) => self.add_view(view),
            Definition::Macro(definition) => self.add_macro(definition),
            Definition::Transform(transform) => self.add_transform(transform),
            Definition::DropTransform(name) => drop(self.remove_transform(&name)),
            Definition::Prepared(name, statement) => self.add_prepared(&name, statement),
            Definition::DropView(name) => drop(self.remove_view(&name)),
            Definition::DropMacro(name) => drop(self.remove_macro(&name)),
            Definition::Deallocate(name) => drop(self.remove_prepared(&name)),
        }
    }
}

/// Plans statements over a session's tables, functions and definitions.
#[derive(Debug, Clone, Copy)]
pub struct Planner<'a> {
    context: &'a Arc<Context>,
    definitions: &'a Definitions,
    values: Option<&'a [(String, Literal)]>,
    /// Where EXECUTE names the prepared statement that is planned.
    executed_at: Option<Span>,
    observer: Option<Observer<'a>>,
}

/// Sees the runs that planning needs when they start: to show their progress and to stop them.
#[derive(Clone, Copy)]
pub struct Observer<'a>(pub &'a (dyn Fn(RunHandle) + Send + Sync));

impl std::fmt::Debug for Observer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

impl<'a> Planner<'a> {
    /// A planner over these.
    pub fn new(context: &'a Arc<Context>, definitions: &'a Definitions) -> Self {
        Self { context, definitions, values: None, executed_at: None, observer: None }
    }

    /// Shows the runs that planning needs to an observer.
    #[must_use]
    pub fn observed(self, observer: Observer<'a>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Gives parameters these values, by name; `$1` and the first `?` have the name `1`.
    #[must_use]
    pub fn with_values(self, values: &'a [(String, Literal)]) -> Self {
        Self { values: Some(values), ..self }
    }

    /// Plans one statement.
    ///
    /// # Errors
    /// What is wrong with it, with its place in the text it was parsed from.
    pub fn plan(&self, statement: &Statement) -> Result<Planned> {
        match &statement.kind {
            StatementKind::Explain { analyze, format: ExplainFormat::Substrait, statement: inner } => {
                self.relation_of(inner, *analyze)
            }
            StatementKind::Explain { format: ExplainFormat::Leakage, statement: inner, .. } => {
                self.query(|binder| binder.leakage(inner))
            }
            StatementKind::Explain { format: ExplainFormat::Consistency, statement: inner, .. } => {
                self.query(|binder| binder.consistency(inner))
            }
            StatementKind::Explain { analyze, format, statement: inner } => match self.plan(inner)? {
                Planned::Query(query) => Ok(Planned::Explain { analyze: *analyze, format: *format, query }),
                _ => Err(Error::invalid("EXPLAIN takes a statement that has a plan", inner.span)),
            },
            StatementKind::CreateTable(create) => self.create_table(create),
            StatementKind::CreateView(create) => self.create_view(create),
            StatementKind::CreateMacro(create) => self.create_macro(create),
            StatementKind::Drop { kind, name, if_exists } => self.drop_statement(*kind, name, *if_exists),
            StatementKind::Prepare { name, statement } => {
                // Planned once now, so that a wrong statement is refused here and not at each execution.
                Planner { values: None, ..*self }.plan(statement)?;
                Ok(Planned::Define(Definition::Prepared(name.text.clone(), (**statement).clone())))
            }
            StatementKind::Execute { name, arguments } => self.execute(name, arguments),
            StatementKind::Deallocate(name) => match self.definitions.prepared(&name.text) {
                Some(_) => Ok(Planned::Define(Definition::Deallocate(name.text.clone()))),
                None => Err(self.unknown_prepared(name)),
            },
            StatementKind::Set { name, value } => {
                let value = self.constant(value)?;
                Ok(Planned::Set { name: name.text.clone(), span: name.span, value })
            }
            StatementKind::Reset(name) => Ok(Planned::Reset { name: name.text.clone(), span: name.span }),
            StatementKind::ShowSettings(name) => {
                Ok(Planned::ShowSettings(name.as_ref().map(|name| name.text.clone())))
            }
            StatementKind::CreateTransform(create) => self.create_transform(create),
            StatementKind::FitTransform(fit) => {
                Ok(Planned::Fit { transform: self.transform(&fit.name)?, fit: Box::new(fit.clone()) })
            }
            StatementKind::ExportTransform { name, path } => Ok(Planned::ExportTransform {
                transform: self.transform(name)?,
                path: path.clone(),
                span: statement.span,
            }),
            StatementKind::ImportTransform { name, path, replace } => Ok(Planned::ImportTransform {
                name: name.clone(),
                path: path.clone(),
                replace: *replace,
                span: statement.span,
            }),
            StatementKind::Copy(copy) => self.query(|binder| self.copy(copy, binder)),
            _ => self.query(|binder| binder.statement_rows(statement)),
        }
    }

    /// Plans all outputs of a transform over the rows of a query.
    ///
    /// # Errors
    /// What is wrong with the query, or a column that it lacks.
    pub fn apply(&self, name: &str, fitted: &Fitted, source: &Query, training: bool) -> Result<PlannedQuery> {
        let planned = self.query(|binder| {
            let relation = binder.query(source)?;
            let relation = binder.applied(name, fitted, relation, training, source.span)?;
            for column in relation.columns() {
                binder.check_present(column.id, source.span)?;
            }
            Ok(relation)
        })?;
        match planned {
            Planned::Query(query) => Ok(query),
            _ => Err(Error::internal("a transform became another statement")),
        }
    }

    fn binder(&self) -> Binder<'a> {
        let binder = Binder::new(self.context, self.definitions).observed(self.observer);
        let binder = match self.values {
            Some(values) => binder.with_values(values),
            None => binder,
        };
        match self.executed_at {
            Some(span) => binder.expanded_from(span),
            None => binder,
        }
    }

    /// Binds, rewrites and lowers.
    fn query(&self, bind: impl FnOnce(&mut Binder<'a>) -> Result<Relation>) -> Result<Planned> {
        let (mut relation, result, mut binder) = self.rewritten(Reading::Fields, bind)?;
        binder.order_parameters(&mut relation);
        let plan = lower(&relation, &result)?;
        let fits_data = binder.fits_data();
        Ok(Planned::Query(PlannedQuery { plan, parameters: binder.into_parameters(), fits_data }))
    }

    /// Binds and rewrites; the relation, its columns in order, and the binder that knows the parameters that are open.
    fn rewritten(
        &self,
        reading: Reading,
        bind: impl FnOnce(&mut Binder<'a>) -> Result<Relation>,
    ) -> Result<(Relation, Vec<Column>, Binder<'a>)> {
        let mut binder = self.binder();
        let relation = bind(&mut binder)?;
        let relation = binder.with_shared(relation);
        let result = relation.columns();
        let relation = rewrite::rewrite_reading(relation, &result, self.context, reading);
        Ok((relation, result, binder))
    }

    /// What EXPLAIN shows of a query in a form that tells no physical choices.
    fn relation_of(&self, statement: &Statement, analyze: bool) -> Result<Planned> {
        if analyze {
            let message = "a Substrait plan has no place for figures: write EXPLAIN without ANALYZE";
            return Err(Error::invalid(message, statement.span));
        }
        if !matches!(statement.kind, StatementKind::Query(_) | StatementKind::Summarize(_)) {
            return Err(Error::invalid("a Substrait plan is made of a query", statement.span));
        }
        let (relation, columns, _) =
            self.rewritten(Reading::Columns, |binder| binder.statement_rows(statement))?;
        Ok(Planned::ExplainRelation { relation, columns })
    }

    fn constant(&self, expression: &Expression) -> Result<Literal> {
        self.binder().constant_value(expression)
    }

    fn execute(&self, name: &Name, arguments: &[Argument]) -> Result<Planned> {
        let Some(statement) = self.definitions.prepared(&name.text) else {
            return Err(self.unknown_prepared(name));
        };
        let mut values = Vec::with_capacity(arguments.len());
        for (position, argument) in arguments.iter().enumerate() {
            let parameter =
                argument.name.as_ref().map_or_else(|| (position + 1).to_string(), |name| name.text.clone());
            values.push((parameter, self.constant(&argument.value)?));
        }
        let planner =
            Planner { values: Some(&values), executed_at: self.executed_at.or(Some(name.span)), ..*self };
        planner.plan(statement).map_err(|error| {
            let message = format!("in prepared statement \"{}\": {}", name.text, error.message());
            Error::invalid(message, name.span)
        })
    }

    fn unknown_prepared(&self, name: &Name) -> Error {
        let near = nearest(&name.text, self.definitions.prepared_names());
        Error::unknown("prepared statement", &name.text, near, name.span)
    }

    fn exists(&self, name: &str) -> Option<&'static str> {
        if self.context.catalog.table(name).is_some() {
            return Some("table");
        }
        self.definitions.view(name).map(|_| "view")
    }

    fn create_table(&self, create: &CreateTable) -> Result<Planned> {
        let name = &create.name;
        match self.exists(&name.text) {
            Some(_) if create.if_not_exists => return Ok(Planned::Nothing),
            Some("table") if create.replace => {}
            Some(kind) => return Err(already(kind, name)),
            None => {}
        }
        self.query(|binder| {
            let relation = binder.query(&create.query)?;
            let relation = binder.renamed(relation, &create.columns, name)?;
            let relation = binder.typed_nulls(relation);
            Ok(write(relation, table_target(create), binder))
        })
    }

    fn create_view(&self, create: &CreateView) -> Result<Planned> {
        let name = &create.name;
        match self.exists(&name.text) {
            Some(_) if create.if_not_exists => return Ok(Planned::Nothing),
            Some("view") if create.replace => {}
            Some(kind) => return Err(already(kind, name)),
            None => {}
        }
        let mut binder = self.binder();
        let relation = binder.query(&create.query)?;
        binder.renamed(relation, &create.columns, name)?;
        if binder.reads_data() {
            let message = "a view cannot hold a PIVOT whose columns come from the data; give it an IN list";
            return Err(Error::invalid(message, create.query.span));
        }
        if binder.fits_data() {
            let message = "a view cannot hold an analyzer OVER (), which is fitted when a query is planned; use CREATE TRANSFORM";
            return Err(Error::invalid(message, create.query.span));
        }
        Ok(Planned::Define(Definition::View(create.clone())))
    }

    fn create_macro(&self, create: &CreateMacro) -> Result<Planned> {
        let name = &create.name;
        if self.definitions.find_macro(&name.text).is_some() {
            if create.if_not_exists {
                return Ok(Planned::Nothing);
            }
            if !create.replace {
                return Err(already("macro", name));
            }
        }
        if let MacroBody::Scalar(body) = &create.body {
            let calls_itself = body.any(&mut |part| {
                matches!(&part.kind, crate::tree::ExpressionKind::Call(call) if call.name.is(&name.text))
            });
            if calls_itself {
                return Err(Error::invalid(format!("macro \"{}\" calls itself", name.text), name.span));
            }
        }
        Ok(Planned::Define(Definition::Macro(create.clone())))
    }

    fn transform(&self, name: &Name) -> Result<Arc<Transform>> {
        self.definitions.transform(&name.text).cloned().ok_or_else(|| {
            let near = self.definitions.nearest_transform(&name.text);
            Error::unknown("transform", &name.text, near, name.span)
        })
    }

    fn create_transform(&self, create: &CreateTransform) -> Result<Planned> {
        let name = &create.name;
        if self.definitions.transform(&name.text).is_some() {
            if create.if_not_exists {
                return Ok(Planned::Nothing);
            }
            if !create.replace {
                return Err(already("transform", name));
            }
        }
        crate::transform::check_definition(&create.query)?;
        Ok(Planned::Define(Definition::Transform(Transform {
            name: name.clone(),
            query: Some(create.query.clone()),
            sql: create.text.clone(),
            fitted: None,
        })))
    }

    fn drop_statement(&self, kind: DropKind, name: &Name, if_exists: bool) -> Result<Planned> {
        let (what, found) = match kind {
            DropKind::Table => ("table", self.exists(&name.text) == Some("table")),
            DropKind::View => ("view", self.exists(&name.text) == Some("view")),
            DropKind::Macro => ("macro", self.definitions.find_macro(&name.text).is_some()),
            DropKind::Transform => ("transform", self.definitions.transform(&name.text).is_some()),
        };
        if found {
            return Ok(match kind {
                DropKind::Table => Planned::DropTable(name.text.clone()),
                DropKind::View => Planned::Define(Definition::DropView(name.text.clone())),
                DropKind::Macro => Planned::Define(Definition::DropMacro(name.text.clone())),
                DropKind::Transform => Planned::Define(Definition::DropTransform(name.text.clone())),
            });
        }
        match (self.exists(&name.text), kind) {
            (Some("view"), DropKind::Table) => {
                Err(Error::invalid(format!("\"{}\" is a view; use DROP VIEW", name.text), name.span))
            }
            (Some("table"), DropKind::View) => {
                Err(Error::invalid(format!("\"{}\" is a table; use DROP TABLE", name.text), name.span))
            }
            _ if if_exists => Ok(Planned::Nothing),
            _ => {
                let tables = self.context.catalog.table_names();
                let views = self.definitions.view_names();
                let macros =
                    self.definitions.macros().map(|definition| definition.name.text.clone()).collect();
                let known: Vec<String> = match kind {
                    DropKind::Table => tables,
                    DropKind::View => views,
                    DropKind::Macro => macros,
                    DropKind::Transform => {
                        self.definitions.transforms().map(|transform| transform.name.text.clone()).collect()
                    }
                };
                let near = nearest(&name.text, known.iter().map(String::as_str));
                Err(Error::unknown(what, &name.text, near, name.span))
            }
        }
    }

    fn copy(&self, copy: &CopyStatement, binder: &mut Binder<'a>) -> Result<Relation> {
        let mut options = Vec::with_capacity(copy.options.len());
        let mut format = None;
        for (name, value) in &copy.options {
            let literal = match value {
                Some(value) => binder.constant_value(value)?,
                None => Literal::new(Value::Boolean(true)),
            };
            if name.is("format") {
                let text = literal.value.as_text().map(str::to_lowercase);
                format = Some(text.ok_or_else(|| Error::invalid("FORMAT takes a name", name.span))?);
            } else {
                options.push((name.text.to_lowercase(), literal));
            }
        }
        let format = match format {
            Some(format) => format,
            None => format_of(&copy.target).to_owned(),
        };
        if self.context.catalog.writer(&format).is_none() {
            let known = self.context.catalog.writer_names();
            let suggestion = nearest(&format, known.iter().map(String::as_str));
            let kind = ErrorKind::Unknown { what: "format", name: format, suggestion };
            return Err(Error::new(kind, copy.target_span));
        }
        let relation = binder.query(&copy.query)?;
        Ok(write(relation, WriteTarget::File { path: copy.target.clone(), format, options }, binder))
    }
}

fn already(kind: &str, name: &Name) -> Error {
    Error::invalid(format!("{kind} \"{}\" is there already; use CREATE OR REPLACE", name.text), name.span)
}

fn table_target(create: &CreateTable) -> WriteTarget {
    WriteTarget::Table { name: create.name.text.to_lowercase(), replace: create.replace }
}

fn write(input: Relation, target: WriteTarget, binder: &mut Binder<'_>) -> Relation {
    let count: Column = binder.new_column("Count", Type::Int64);
    let columns = input.columns();
    Relation::Write { input: Box::new(input), columns, target, count }
}

/// The format that a path's extension names; CSV where it names none, as in DuckDB.
fn format_of(path: &str) -> &'static str {
    let lower = path.to_lowercase();
    let plain =
        [".gz", ".zst", ".zstd"].iter().find_map(|suffix| lower.strip_suffix(suffix)).unwrap_or(&lower);
    match plain.rsplit_once('.').map(|(_, extension)| extension) {
        Some("parquet" | "parq" | "pq") => "parquet",
        Some("json" | "ndjson" | "jsonl") => "json",
        Some("arrow" | "arrows" | "feather" | "ipc") => "arrow",
        _ => "csv",
    }
}

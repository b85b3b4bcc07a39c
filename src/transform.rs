//! Fitted transforms from Rust: fit, apply to queries, pushed batches and rows, save and load.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use hypostyle_engine::execution::Prepared as EnginePrepared;
use hypostyle_engine::memory_table::HostTable;
use hypostyle_engine::plan::{Node, Plan, TableReference};
use hypostyle_engine::{Catalog, Context};
use hypostyle_functions::types::Schema;
use hypostyle_functions::value::Literal;
use hypostyle_planner::transform::{self, Fitted};
use hypostyle_planner::tree::{Name, Statement, StatementKind};
use hypostyle_planner::{Definition, Error as PlanError, Observer, Planner, Span, parse};

use crate::answer::Answer;
use crate::artifact;
use crate::error::{Error, Result};
use crate::input::input_batch;
use crate::prepared::Prepared;
use crate::row::{RowEvaluator, RowPlan};
use crate::served::{Features, Served};
use crate::session::Session;
use crate::statement::closed;

/// The table that a transform reads in its own plan.
pub(crate) const INPUT: &str = "input";

/// A transform whose analyzers have their parameters: plain data and expressions, without aggregates. Cheap to clone, shared between
/// threads as it is.
///
/// ```
/// use hypostyle::Session;
/// let session = Session::new();
/// session.sql("CREATE TABLE train AS SELECT i::DOUBLE AS x FROM range(5) t(i)")?.drain()?;
/// let transform = session.fit("SELECT standard_scale(x) AS x FROM input", "train")?;
///
/// let batches = transform.apply("(SELECT 2.0::DOUBLE AS x)")?.collect_all()?;
/// assert_eq!(batches[0].num_rows(), 1);
///
/// let mut row = transform.row()?;
/// let x = row.input("x")?;
/// row.start(1)?;
/// row.set_f64(x, 2.0)?;
/// row.evaluate()?;
/// assert_eq!(row.get_f64(0, 0), Some(0.0));
/// # Ok::<(), hypostyle::Error>(())
/// ```
#[derive(Clone)]
pub struct Transform {
    session: Session,
    name: String,
    sql: String,
    fitted: Arc<Fitted>,
}

impl std::fmt::Debug for Transform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transform")
            .field("name", &self.name)
            .field("outputs", &self.outputs())
            .finish_non_exhaustive()
    }
}

/// The transform that a text defines: one statement, or a query alone, which has no name.
pub(crate) fn defined(definition: &str) -> Result<transform::Transform> {
    let statements = parse::parse_statements(definition);
    let (name, query, sql) = match statements.as_deref() {
        Ok([Statement { kind: StatementKind::CreateTransform(create), .. }]) => {
            (create.name.clone(), create.query.clone(), create.text.clone())
        }
        Ok(_) => (unnamed(), parse::parse_source(definition)?, definition.trim().to_owned()),
        Err(error) => return Err(error.clone().into()),
    };
    transform::check_definition(&query)?;
    Ok(transform::Transform { name, query: Some(query), sql, fitted: None })
}

fn unnamed() -> Name {
    Name::new("transform", Span::NONE)
}

impl Session {
    /// Fits a definition, `CREATE TRANSFORM name AS SELECT .. FROM input` or its query alone, on a source: a table, a path in
    /// quotes or a query.
    ///
    /// # Errors
    /// A text that is no such definition or source, or what the fit reports.
    pub fn fit(&self, definition: &str, source: &str) -> Result<Transform> {
        let defined = defined(definition)?;
        let definitions = self.definitions().clone();
        let context = self.context();
        let query = parse::parse_source(source)?;
        let observer = self.fit_observer();
        let observer = Observer(&observer);
        let fitted = transform::fit(&context, &definitions, &defined, &query, source.trim(), observer)?;
        Ok(Transform::new(self.clone(), defined, fitted))
    }

    /// The fitted transform of this name, as CREATE TRANSFORM and FIT TRANSFORM made it.
    ///
    /// # Errors
    /// A name that is no transform's, or one that is not fitted.
    pub fn transform(&self, name: &str) -> Result<Transform> {
        let definitions = self.definitions();
        let Some(transform) = definitions.transform(name) else {
            let near = definitions.nearest_transform(name);
            return Err(PlanError::unknown("transform", name, near, Span::NONE).into());
        };
        let Some(fitted) = &transform.fitted else {
            return Err(Error::user(format!(
                "transform \"{name}\" is not fitted; run FIT TRANSFORM {name} FROM .. first"
            )));
        };
        Ok(Transform {
            session: self.clone(),
            name: transform.name.text.clone(),
            sql: transform.sql.clone(),
            fitted: Arc::clone(fitted),
        })
    }

    /// Reads a transform from a file that [`Transform::save`] or EXPORT TRANSFORM wrote, and verifies it. Members above 64 MiB are
    /// mapped into memory and not verified: the file must not be changed while the transform lives.
    ///
    /// # Errors
    /// A file that is not there, is no transform, is damaged, comes from a later release, needs a function that this
    /// session does not have, or whose golden rows give other values here.
    pub fn load_transform(&self, path: impl AsRef<Path>) -> Result<Transform> {
        self.loaded(path.as_ref(), artifact::LARGE_BYTES)
    }

    /// As [`Session::load_transform`], with the digest of every member verified, and the whole file read into memory: for files
    /// that others may change, and for finding out whether a large one is damaged.
    ///
    /// # Errors
    /// As [`Session::load_transform`].
    pub fn load_transform_verified(&self, path: impl AsRef<Path>) -> Result<Transform> {
        self.loaded(path.as_ref(), usize::MAX)
    }

    fn loaded(&self, path: &Path, large_bytes: usize) -> Result<Transform> {
        let (manifest, fitted) = artifact::read(path, large_bytes, &self.context())?;
        Ok(Transform {
            session: self.clone(),
            name: manifest.name,
            sql: manifest.sql,
            fitted: Arc::new(fitted),
        })
    }

    /// As [`Session::load_transform`], of the bytes of a file.
    ///
    /// # Errors
    /// As [`Session::load_transform`].
    pub fn load_transform_bytes(&self, bytes: &[u8]) -> Result<Transform> {
        let (manifest, fitted) = artifact::from_bytes(bytes, &self.context()).map_err(Error::user)?;
        Ok(Transform {
            session: self.clone(),
            name: manifest.name,
            sql: manifest.sql,
            fitted: Arc::new(fitted),
        })
    }

    /// Gives a transform a name in this session, under which SQL applies it; replaces one of that name.
    pub fn register_transform(&self, name: &str, transform: &Transform) {
        self.definitions().apply(Definition::Transform(transform::Transform {
            name: hypostyle_planner::tree::Name::new(name, Span::NONE),
            query: None,
            sql: transform.sql.clone(),
            fitted: Some(Arc::clone(&transform.fitted)),
        }));
    }
}

impl Transform {
    pub(crate) fn new(session: Session, defined: transform::Transform, fitted: Fitted) -> Self {
        Self { session, name: defined.name.text, sql: defined.sql, fitted: Arc::new(fitted) }
    }

    /// The same transform under another name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its definition.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Columns that a row brings, when the transform is served by row or pushed: those that it reads, and, for windows, lists of
    /// the rows before it, oldest first, as DESCRIBE TRANSFORM tells them. Columns that only the fit has read, such as labels, are
    /// not among them.
    pub fn inputs(&self) -> Schema {
        self.features().row_inputs()
    }

    /// Columns that it reads of a table that it is applied to.
    pub fn table_inputs(&self) -> Schema {
        self.features().inputs
    }

    fn features(&self) -> Features {
        Features::of(&self.fitted, &(0..self.fitted.outputs.len()).collect::<Vec<_>>())
    }

    /// Columns that it gives.
    pub fn outputs(&self) -> Schema {
        self.fitted.schema()
    }

    /// What was fitted: outputs, calls of analyzers with their parameters, and where they come from.
    pub fn fitted(&self) -> &Arc<Fitted> {
        &self.fitted
    }

    /// The parameters of all analyzers: the analyzer, the name of the parameter, its value.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str, &Literal)> {
        self.fitted.calls.iter().flat_map(|call| {
            call.parameters.iter().map(|(name, literal)| (call.analyzer.as_str(), name.as_str(), literal))
        })
    }

    /// All outputs over a table, a path in quotes or a query.
    ///
    /// # Errors
    /// A source that is wrong or lacks a column, or what starting it reports.
    pub fn apply(&self, source: &str) -> Result<Answer> {
        self.applied(source, false)
    }

    /// As [`Transform::apply`], for the rows that were fitted on: target encodings leave the fold of a row out.
    ///
    /// # Errors
    /// As [`Transform::apply`].
    pub fn apply_training(&self, source: &str) -> Result<Answer> {
        self.applied(source, true)
    }

    fn applied(&self, source: &str, training: bool) -> Result<Answer> {
        let query = parse::parse_source(source)?;
        let context = self.session.context();
        let definitions = self.session.definitions().clone();
        let observer = self.session.fit_observer();
        let planner = Planner::new(&context, &definitions).observed(Observer(&observer));
        let planned = planner.apply(&self.name, &self.fitted, &query, training)?;
        Ok(Answer::of_run(closed(planned, &context)?.start(&[])?))
    }

    /// All outputs over batches, which together are the rows of a table with the columns of [`Transform::table_inputs`].
    ///
    /// # Errors
    /// A batch without a column that is read, or with one of another type.
    pub fn apply_batches(&self, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
        let features = self.features();
        let inputs = features.inputs.clone();
        let prepared = self.pushed(features, &self.session.context())?;
        let mut run = prepared.start(&[])?;
        let schema = Arc::new(prepared.schema().to_arrow());
        let mut outputs = Vec::new();
        let mut take = |run: &mut crate::Run| -> Result<()> {
            while let Some(batch) = run.next()? {
                outputs.push(batch.export(&schema)?);
            }
            Ok(())
        };
        for batch in batches {
            run.push(input_batch(batch, &inputs)?)?;
            take(&mut run)?;
        }
        run.finish()?;
        take(&mut run)?;
        Ok(outputs)
    }

    /// The transform as a query over an input that a host pushes, with the columns of [`Transform::inputs`]: started any number of
    /// times, each run fed with [`crate::Run::push`]. Each row stands for itself, so that it can be pushed with any others.
    ///
    /// # Errors
    /// A function that the session does not have any more, or a window that looks at rows after the current one.
    pub fn prepare(&self) -> Result<Prepared> {
        let Served { expressions, inputs, outputs, context } =
            self.features().served(&self.session.context())?;
        self.pushed(Features { expressions, inputs, windows: Vec::new(), outputs }, &context)
    }

    /// A query of these features over an input that is pushed.
    fn pushed(&self, features: Features, context: &Arc<Context>) -> Result<Prepared> {
        self.check_zone(&(0..self.fitted.outputs.len()).collect::<Vec<_>>())?;
        let catalog = Catalog::default();
        catalog.add_table(INPUT, Arc::new(HostTable::new(features.inputs.clone())));
        let context = context.with_catalog(catalog);
        let scan = Node::Scan {
            table: TableReference::Named(INPUT.to_owned()),
            projection: (0..features.inputs.fields.len()).collect(),
            filters: Vec::new(),
            limit: None,
        };
        let input = Box::new(features.over_table(Plan::new(scan, features.inputs.clone())));
        let node = Node::Project { input, expressions: features.expressions };
        let plan = Plan::new(node, features.outputs);
        Ok(Prepared::new(EnginePrepared::new(plan, Arc::clone(&context))?, Vec::new(), context))
    }

    /// An evaluator of all outputs for single rows and micro-batches.
    ///
    /// # Errors
    /// A function that the session does not have any more.
    pub fn row(&self) -> Result<RowEvaluator> {
        self.row_plan(None)?.evaluator(&[])
    }

    /// As [`Transform::row`], of the outputs of these names; only the columns that they read are inputs.
    ///
    /// # Errors
    /// A name that is no output's.
    pub fn row_of(&self, outputs: &[&str]) -> Result<RowEvaluator> {
        self.row_plan(Some(outputs))?.evaluator(&[])
    }

    fn row_plan(&self, chosen: Option<&[&str]>) -> Result<RowPlan> {
        let all = self.outputs();
        let positions: Vec<usize> = match chosen {
            None => (0..all.fields.len()).collect(),
            Some(names) => names
                .iter()
                .map(|name| {
                    let position = all.fields.iter().position(|field| field.name.eq_ignore_ascii_case(name));
                    position.ok_or_else(|| {
                        Error::user(format!("transform \"{}\" has no output \"{name}\"", self.name))
                    })
                })
                .collect::<Result<_>>()?,
        };
        self.check_zone(&positions)?;
        RowPlan::of_features(Features::of(&self.fitted, &positions), &self.session.context())
    }

    /// Refuses outputs that take instants apart in another zone than that of the fit.
    fn check_zone(&self, positions: &[usize]) -> Result<()> {
        let zone = &self.session.context().settings.time_zone;
        for output in positions.iter().filter_map(|position| self.fitted.outputs.get(*position)) {
            if let Some(problem) = self.fitted.zone_problem(&output.expression, zone) {
                let name = &self.name;
                return Err(Error::user(format!(
                    "column \"{}\" of transform \"{name}\" {problem}",
                    output.name
                )));
            }
        }
        Ok(())
    }

    /// Writes the transform to a file, which has its name once it is whole.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        artifact::write(path.as_ref(), &self.name, &self.sql, &self.fitted, &self.session.context())
    }
}

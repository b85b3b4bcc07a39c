//! A session: tables, functions, views and settings, and the statements that use them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::RecordBatch;
use hypostyle_engine::execution::RunHandle;
use hypostyle_engine::memory::{Budget, HostMemory};
use hypostyle_engine::memory_table::{HostTable, MemoryTable};
use hypostyle_engine::table::TableProvider;
use hypostyle_engine::{Batch, Catalog, Configuration, Context};
use hypostyle_functions::Registry;
use hypostyle_functions::aggregate::AggregateFunction;
use hypostyle_functions::scalar::ScalarFunction;
use hypostyle_functions::types::Schema;
use hypostyle_functions::value::{Literal, Value};
use hypostyle_planner::{Definitions, Parameter, parse};

use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::prepared::Prepared;
use crate::settings::{SessionSettings, Setting};
use crate::statement;

/// Tables, functions, views and settings by name. Cheap to clone: clones are the same session. There is no
/// global state; two sessions know nothing of each other.
///
/// ```
/// use hypostyle::Session;
/// let session = Session::new();
/// let mut answer = session.sql("SELECT 40 + 2 AS answer")?;
/// let batch = answer.next_batch()?.unwrap();
/// assert_eq!(batch.schema().field(0).name(), "answer");
/// # Ok::<(), hypostyle::Error>(())
/// ```
#[derive(Clone)]
pub struct Session {
    state: Arc<State>,
}

struct State {
    registry: RwLock<Arc<Registry>>,
    catalog: Arc<Catalog>,
    definitions: Mutex<Definitions>,
    settings: Mutex<SessionSettings>,
    /// Byte budget of all statements; another one takes its place when the limit is set anew.
    memory: Mutex<Arc<Budget>>,
    /// Whom that budget asks beside its own limit.
    host_memory: Option<Arc<dyn HostMemory>>,
    /// Is handed each pass of a fit when it starts.
    fit_observer: Mutex<Option<FitObserver>>,
}

/// Sees the passes of fits, to show their progress and to stop them.
pub type FitObserver = Arc<dyn Fn(RunHandle) + Send + Sync>;

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("catalog", &self.state.catalog).finish_non_exhaustive()
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// A session with the built-in functions, the file formats and default settings.
    pub fn new() -> Self {
        Self::with_configuration(Configuration::default())
    }

    /// A session with these limits and sizes.
    pub fn with_configuration(configuration: Configuration) -> Self {
        Self::made(configuration, None)
    }

    /// As [`Session::with_configuration`], inside a host that counts memory itself: what queries hold is also asked of it.
    pub fn with_host_memory(configuration: Configuration, host: Arc<dyn HostMemory>) -> Self {
        Self::made(configuration, Some(host))
    }

    fn made(configuration: Configuration, host_memory: Option<Arc<dyn HostMemory>>) -> Self {
        let catalog = Arc::new(Catalog::default());
        hypostyle_connectors::register(&catalog);
        hypostyle_engine::series::register(&catalog);
        let memory = Mutex::new(Budget::within(configuration.memory_limit_bytes, host_memory.clone()));
        let settings = SessionSettings { configuration, ..SessionSettings::default() };
        let registry = Registry::builtin();
        registry.lend_files(Arc::new(hypostyle_connectors::function_files::LocalFunctionFiles));
        Self {
            state: Arc::new(State {
                registry: RwLock::new(Arc::new(registry)),
                catalog,
                definitions: Mutex::default(),
                settings: Mutex::new(settings),
                memory,
                host_memory,
                fit_observer: Mutex::default(),
            }),
        }
    }

    /// Runs every statement of `sql`; the answer is that of the last one.
    ///
    /// # Errors
    /// The first error; its place in the text is shown by [`Error::render`].
    pub fn sql(&self, sql: &str) -> Result<Answer> {
        let statements = parse::parse_statements(sql)?;
        let Some((last, before)) = statements.split_last() else {
            return Err(Error::user("there is no statement in the text"));
        };
        for statement in before {
            statement::run(self, statement)?.drain()?;
        }
        statement::run(self, last)
    }

    /// The statements of `sql`, each run when its answer is asked for. The caller drains an answer before it
    /// asks for the next, if later statements depend on it.
    ///
    /// # Errors
    /// The first error of syntax, before anything runs.
    pub fn script(&self, sql: &str) -> Result<impl Iterator<Item = Result<Answer>> + use<>> {
        let statements = parse::parse_statements(sql)?;
        let session = self.clone();
        Ok(statements.into_iter().map(move |statement| statement::run(&session, &statement)))
    }

    /// Makes one query ready: bound and compiled once, run many times with other parameters, `$1` or `?`.
    ///
    /// ```
    /// use hypostyle::{Session, Value};
    /// let session = Session::new();
    /// let prepared = session.prepare("SELECT $1::BIGINT * 2 AS twice")?;
    /// let batches = prepared.run(&[Value::from(21i64)])?.collect_all()?;
    /// assert_eq!(batches[0].num_rows(), 1);
    /// # Ok::<(), hypostyle::Error>(())
    /// ```
    ///
    /// # Errors
    /// A text that is not one query, or what binding reports. A query with analyzers OVER () is refused: it would go on with the
    /// statistics of the rows that are there now (see [`Session::prepare_fitted`]).
    pub fn prepare(&self, sql: &str) -> Result<Prepared> {
        statement::prepare(self, sql, false)
    }

    /// As [`Session::prepare`], also for queries with analyzers OVER (), whose statistics are those of the rows that are there now,
    /// whatever the tables hold when the query is run. PREPARE and EXECUTE fit them each time.
    ///
    /// # Errors
    /// As [`Session::prepare`].
    pub fn prepare_fitted(&self, sql: &str) -> Result<Prepared> {
        statement::prepare(self, sql, true)
    }

    /// Makes one query ready whose table `input` has these columns and gets its rows from a host, with [`crate::Run::push`] and
    /// [`crate::Run::finish`]. The other tables are those of this session, which does not change.
    ///
    /// ```
    /// use hypostyle::{Field, Schema, Session, Type};
    /// let columns = Schema::new(vec![Field::new("price", Type::Float64)]);
    /// let prepared = Session::new().prepare_over("SELECT log1p(price) AS price FROM input", columns)?;
    /// assert_eq!(prepared.input().map(|input| input.fields.len()), Some(1));
    /// # Ok::<(), hypostyle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Session::prepare`].
    pub fn prepare_over(&self, sql: &str, input: Schema) -> Result<Prepared> {
        let context = self.context();
        let catalog = context.catalog.with_table(crate::transform::INPUT, Arc::new(HostTable::new(input)));
        statement::prepare_within(self, sql, false, context.with_catalog(catalog))
    }

    /// Makes a physical plan ready: one that another process or planner made, or that was read back with
    /// [`crate::plan::Plan::from_bytes`]. Its tables and functions are those of this session.
    ///
    /// # Errors
    /// A plan that does not verify, or that needs what this session does not have.
    pub fn prepare_plan(&self, plan: crate::plan::Plan) -> Result<Prepared> {
        let context = self.context();
        let prepared = hypostyle_engine::execution::Prepared::new(plan, Arc::clone(&context))?;
        let types = prepared.parameters().iter().enumerate();
        let parameters = types.map(|(position, data_type)| Parameter {
            name: (position + 1).to_string(),
            data_type: data_type.clone(),
        });
        let parameters = parameters.collect();
        Ok(Prepared::new(prepared, parameters, context))
    }

    /// The Substrait plan of one query: bytes that other engines read, and that [`Session::substrait`] runs. `EXPLAIN (FORMAT
    /// SUBSTRAIT)` gives the same as a BLOB.
    ///
    /// # Errors
    /// A text that is not one query, what binding reports, or a relation that the format has no words for, by its name.
    pub fn substrait_plan(&self, sql: &str) -> Result<Vec<u8>> {
        statement::substrait_plan(self, sql)
    }

    /// Runs a Substrait plan, of this engine or another planner. Its tables and functions are those of this session.
    ///
    /// ```
    /// use hypostyle::Session;
    /// let session = Session::new();
    /// let plan = session.substrait_plan("SELECT x * 2 AS twice FROM range(3) t(x)")?;
    /// let batches = session.substrait(&plan)?.collect_all()?;
    /// assert_eq!(batches[0].num_rows(), 3);
    /// # Ok::<(), hypostyle::Error>(())
    /// ```
    ///
    /// # Errors
    /// Bytes that are no plan, or what a plan holds and this engine does not have, by its name.
    pub fn substrait(&self, plan: &[u8]) -> Result<Answer> {
        self.prepare_substrait(plan)?.run(&[])
    }

    /// Makes a Substrait plan ready: optimized and compiled once, run many times with values for what it leaves open.
    ///
    /// # Errors
    /// As [`Session::substrait`].
    pub fn prepare_substrait(&self, plan: &[u8]) -> Result<Prepared> {
        statement::prepare_substrait(self, plan)
    }

    /// Adds Arrow batches as a table; replaces one of that name. Batches are not copied.
    ///
    /// # Errors
    /// Batches of different schemas, or a type that the engine does not hold.
    pub fn register(&self, name: &str, batches: Vec<RecordBatch>) -> Result<()> {
        let Some(first) = batches.first() else {
            return Err(Error::user(format!(
                "table \"{name}\" needs at least one batch, which may be empty"
            )));
        };
        let schema = Schema::from_arrow(&first.schema())?;
        let mut imported = Vec::with_capacity(batches.len());
        for (position, batch) in batches.iter().enumerate() {
            let own = Schema::from_arrow(&batch.schema())?;
            if own != schema {
                return Err(Error::user(format!(
                    "batch {} of table \"{name}\" has another schema than batch 0",
                    position
                )));
            }
            imported.push(Batch::import(batch, &schema)?);
        }
        self.register_table(name, Arc::new(MemoryTable::new(schema, imported)?));
        Ok(())
    }

    /// Adds a table; replaces one of that name.
    pub fn register_table(&self, name: &str, table: Arc<dyn TableProvider>) {
        self.state.catalog.add_table(name, table);
    }

    /// Adds an input whose rows a host pushes: a query over it is prepared once and fed batch by batch with
    /// [`crate::Run::push`] and [`crate::Run::finish`].
    pub fn register_input(&self, name: &str, schema: Schema) {
        self.register_table(name, Arc::new(HostTable::new(schema)));
    }

    /// Adds a file, a pattern or a list as a table: what `FROM 'path'` would read.
    ///
    /// # Errors
    /// A path that is not there or not readable.
    pub fn register_file(&self, name: &str, path: &str) -> Result<()> {
        let function = hypostyle_connectors::function_for_path(path).ok_or_else(|| {
            Error::user(format!("the format of \"{path}\" is not known from its name or its first bytes"))
        })?;
        let context = self.context();
        let function =
            context.catalog.function(function).ok_or_else(|| Error::user("this session reads no files"))?;
        let table = function.bind(&[Literal::new(Value::text(path))], &[], &context)?;
        self.register_table(name, table);
        Ok(())
    }

    /// Adds a scalar function; replaces one of that name. See [`crate::closure`] for the short way.
    pub fn register_scalar(&self, function: ScalarFunction) {
        self.change_registry(|registry| registry.register_scalar(function));
    }

    /// Adds an aggregate function; replaces one of that name. See [`crate::closure`] for the short way.
    pub fn register_aggregate(&self, function: AggregateFunction) {
        self.change_registry(|registry| registry.register_aggregate(function));
    }

    /// Adds a pack of functions, as those of the project's extensions: `session.extend(hypostyle_media::register)`.
    pub fn extend(&self, pack: impl FnOnce(&mut Registry)) {
        self.change_registry(pack);
    }

    fn change_registry(&self, change: impl FnOnce(&mut Registry)) {
        let mut held = self.state.registry.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut held));
    }

    /// The functions of this session.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.state.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The tables, table functions and writers of this session.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.state.catalog
    }

    /// Names of all views, sorted.
    pub fn view_names(&self) -> Vec<String> {
        lock(&self.state.definitions).view_names()
    }

    /// Limits and sizes.
    pub fn configuration(&self) -> Configuration {
        lock(&self.state.settings).configuration.clone()
    }

    /// All settings with their values.
    pub fn settings(&self) -> Vec<Setting> {
        lock(&self.state.settings).list()
    }

    /// Changes a setting, as `SET name = value` does.
    ///
    /// # Errors
    /// An unknown setting, or a value it does not take.
    pub fn set(&self, name: &str, value: &Value) -> Result<()> {
        self.change_settings(|settings| settings.set(name, value))
    }

    /// Puts a setting back to its default.
    ///
    /// # Errors
    /// An unknown setting.
    pub fn reset(&self, name: &str) -> Result<()> {
        self.change_settings(|settings| settings.reset(name))
    }

    fn change_settings(&self, change: impl FnOnce(&mut SessionSettings) -> Result<()>) -> Result<()> {
        let mut settings = lock(&self.state.settings);
        let limit = settings.configuration.memory_limit_bytes;
        change(&mut settings)?;
        if settings.configuration.memory_limit_bytes != limit {
            let host = self.state.host_memory.clone();
            *lock(&self.state.memory) = Budget::within(settings.configuration.memory_limit_bytes, host);
        }
        Ok(())
    }

    /// Hands each pass of a later fit, OVER () included, to `observer` when it starts, so that another thread can show its progress or stop it.
    pub fn observe_fits(&self, observer: FitObserver) {
        *lock(&self.state.fit_observer) = Some(observer);
    }

    pub(crate) fn fit_observer(&self) -> impl Fn(RunHandle) + Send + Sync + use<> {
        let observer = lock(&self.state.fit_observer).clone();
        move |handle| {
            if let Some(observer) = &observer {
                observer(handle);
            }
        }
    }

    /// What a statement that starts now sees.
    pub(crate) fn context(&self) -> Arc<Context> {
        let settings = lock(&self.state.settings).clone();
        let mut functions = settings.functions;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        functions.now_microseconds = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        Arc::new(Context {
            registry: self.registry(),
            catalog: Arc::clone(&self.state.catalog),
            settings: functions,
            configuration: settings.configuration,
            memory: Arc::clone(&lock(&self.state.memory)),
            found: hypostyle_engine::FoundTables::default(),
        })
    }

    /// Views, macros and prepared statements, locked.
    pub(crate) fn definitions(&self) -> MutexGuard<'_, Definitions> {
        lock(&self.state.definitions)
    }
}

//! What every part of a run can see: functions, tables, settings and limits of one session.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use hypostyle_functions::Registry;
use hypostyle_functions::scalar::Settings;

use crate::catalog::Catalog;
use crate::error::Result;
use crate::memory::Budget;
use crate::plan::TableReference;
use crate::table::TableProvider;

/// Limits and sizes of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// Workers of a query; 1 runs everything on the caller's thread.
    pub threads: usize,
    /// Rows of a batch.
    pub batch_rows: usize,
    /// Byte budget of the session; `None` leaves it unlimited.
    pub memory_limit_bytes: Option<usize>,
    /// Where spill files go; `None` takes the system's temporary directory.
    pub temp_directory: Option<PathBuf>,
    /// Whether chains of fixed-width functions are fused into programs. Off gives the same bits, slower.
    pub fuse: bool,
    /// How workers group rows before their tables are merged. It changes no result.
    pub aggregation: Aggregation,
    /// When the tables of joins are given up for others. It changes no result.
    pub join_tables: GivenUp,
}

/// When the finished table of a join goes to spill files: no setting changes a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GivenUp {
    /// When others need its memory.
    #[default]
    WhenAsked,
    /// Always, before it is probed.
    WhileWaiting,
    /// Always, where it can be, before the first row is probed.
    WhileProbed,
}

/// How workers group rows before their tables are merged: no setting changes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregation {
    /// Size from which on a worker's table has to put rows together to be kept.
    pub table_bytes: usize,
    /// Whether rows go to partitions without being looked up; `None` decides by what the keys turn out to be.
    pub raw: Option<bool>,
}

impl Default for Aggregation {
    fn default() -> Self {
        Self { table_bytes: 1 << 20, raw: None }
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            batch_rows: 2048,
            memory_limit_bytes: None,
            temp_directory: None,
            fuse: true,
            aggregation: Aggregation::default(),
            join_tables: GivenUp::default(),
        }
    }
}

/// Functions, tables and settings of one query or session; shared by its workers.
#[derive(Debug)]
pub struct Context {
    /// Functions.
    pub registry: Arc<Registry>,
    /// Tables.
    pub catalog: Arc<Catalog>,
    /// Settings that functions see.
    pub settings: Settings,
    /// Limits and sizes.
    pub configuration: Configuration,
    /// The session's byte budget.
    pub memory: Arc<Budget>,
    /// Tables that functions have made so far.
    pub found: FoundTables,
}

/// The tables that table functions have made for one statement: what the planner opened is what runs, so that a file is
/// opened and its schema inferred once, and standard input, which can be read once, is not lost between the two.
#[derive(Default)]
pub struct FoundTables(Mutex<Vec<(TableReference, Arc<dyn TableProvider>)>>);

impl FoundTables {
    /// The table of a reference, made by `make` if it is the first time that it is asked for.
    ///
    /// # Errors
    /// What `make` reports.
    pub fn table(
        &self,
        reference: &TableReference,
        make: impl FnOnce() -> Result<Arc<dyn TableProvider>>,
    ) -> Result<Arc<dyn TableProvider>> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().iter().find(|(known, _)| known == reference).map(|(_, table)| Arc::clone(table));
        if let Some(table) = known {
            return Ok(table);
        }
        let table = make()?;
        lock().push((reference.clone(), Arc::clone(&table)));
        Ok(table)
    }
}

impl std::fmt::Debug for FoundTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundTables").finish_non_exhaustive()
    }
}

impl Context {
    /// A context with a budget of its own, of [`Configuration::memory_limit_bytes`].
    pub fn new(
        registry: Arc<Registry>,
        catalog: Arc<Catalog>,
        settings: Settings,
        configuration: Configuration,
    ) -> Self {
        let memory = Budget::new(configuration.memory_limit_bytes);
        Self { registry, catalog, settings, configuration, memory, found: FoundTables::default() }
    }

    /// The same with other functions.
    #[must_use]
    pub fn with_registry(&self, registry: Registry) -> Arc<Self> {
        Arc::new(Self {
            registry: Arc::new(registry),
            catalog: Arc::clone(&self.catalog),
            settings: self.settings.clone(),
            configuration: self.configuration.clone(),
            memory: Arc::clone(&self.memory),
            found: FoundTables::default(),
        })
    }

    /// The same with other tables, for one statement.
    #[must_use]
    pub fn with_catalog(&self, catalog: Catalog) -> Arc<Self> {
        Arc::new(Self {
            registry: Arc::clone(&self.registry),
            catalog: Arc::new(catalog),
            settings: self.settings.clone(),
            configuration: self.configuration.clone(),
            memory: Arc::clone(&self.memory),
            found: FoundTables::default(),
        })
    }
}

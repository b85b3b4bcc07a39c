//! What a session knows by name: tables, functions that make tables, and writers of formats.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::plan::TableReference;
use crate::table::{TableFunction, TableProvider, WriterFactory};

/// Tables, table functions and writers of one session. Names are kept in lower case.
#[derive(Default)]
pub struct Catalog {
    tables: RwLock<BTreeMap<String, Arc<dyn TableProvider>>>,
    functions: RwLock<BTreeMap<String, Arc<dyn TableFunction>>>,
    writers: RwLock<BTreeMap<String, Arc<dyn WriterFactory>>>,
    reader: RwLock<Option<PathReader>>,
}

/// Names the table function that reads a path, from its name or its first bytes; `None` if neither tells.
pub type PathReader = fn(&str) -> Option<&'static str>;

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("tables", &self.table_names()).finish_non_exhaustive()
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Catalog {
    /// The same tables, functions and writers in a catalog of their own, and this table, which hides one of its name.
    #[must_use]
    pub fn with_table(&self, name: &str, table: Arc<dyn TableProvider>) -> Self {
        let catalog = Self {
            tables: RwLock::new(read(&self.tables).clone()),
            functions: RwLock::new(read(&self.functions).clone()),
            writers: RwLock::new(read(&self.writers).clone()),
            reader: RwLock::new(*read(&self.reader)),
        };
        catalog.add_table(name, table);
        catalog
    }

    /// Adds a table; replaces one of that name and returns it.
    pub fn add_table(&self, name: &str, table: Arc<dyn TableProvider>) -> Option<Arc<dyn TableProvider>> {
        write(&self.tables).insert(name.to_ascii_lowercase(), table)
    }

    /// Removes a table and returns it.
    pub fn remove_table(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        write(&self.tables).remove(&name.to_ascii_lowercase())
    }

    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        read(&self.tables).get(&name.to_ascii_lowercase()).cloned()
    }

    /// Names of all tables, sorted.
    pub fn table_names(&self) -> Vec<String> {
        read(&self.tables).keys().cloned().collect()
    }

    /// Adds a table function under its name.
    pub fn add_function(&self, function: Arc<dyn TableFunction>) {
        write(&self.functions).insert(function.name().to_ascii_lowercase(), function);
    }

    /// The table function of this name.
    pub fn function(&self, name: &str) -> Option<Arc<dyn TableFunction>> {
        read(&self.functions).get(&name.to_ascii_lowercase()).cloned()
    }

    /// Names of all table functions, sorted.
    pub fn function_names(&self) -> Vec<String> {
        read(&self.functions).keys().cloned().collect()
    }

    /// Adds a writer under its format.
    pub fn add_writer(&self, writer: Arc<dyn WriterFactory>) {
        write(&self.writers).insert(writer.format().to_ascii_lowercase(), writer);
    }

    /// The writer of this format.
    pub fn writer(&self, format: &str) -> Option<Arc<dyn WriterFactory>> {
        read(&self.writers).get(&format.to_ascii_lowercase()).cloned()
    }

    /// Sets what finds the table function for a path in FROM.
    pub fn set_path_reader(&self, reader: PathReader) {
        *write(&self.reader) = Some(reader);
    }

    /// The table function that reads this path, as [`Catalog::set_path_reader`] knows it.
    pub fn path_reader(&self, path: &str) -> Option<&'static str> {
        (*read(&self.reader)).and_then(|reader| reader(path))
    }

    /// Names of all formats that can be written, sorted.
    pub fn writer_names(&self) -> Vec<String> {
        read(&self.writers).keys().cloned().collect()
    }

    /// The table that a plan refers to.
    ///
    /// # Errors
    /// A table or function that this session does not have, or what the function reports.
    pub fn resolve(
        &self,
        reference: &TableReference,
        context: &Arc<Context>,
    ) -> Result<Arc<dyn TableProvider>> {
        match reference {
            TableReference::Named(name) => {
                self.table(name).ok_or_else(|| Error::user(format!("no table \"{name}\" in this session")))
            }
            TableReference::Function { name, arguments, options } => {
                let function = self
                    .function(name)
                    .ok_or_else(|| Error::user(format!("no table function \"{name}\" in this session")))?;
                context.found.table(reference, || function.bind(arguments, options, context))
            }
        }
    }
}

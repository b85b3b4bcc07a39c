//! What is bound once per plan and used by all its runs: compiled expressions, tables, aggregates.
//!
//! Assembling a plan asks for these in an order that depends on the plan alone. The first assembly
//! makes them; every later one is given the same ones again.

use std::any::Any;
use std::sync::Arc;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::plan::TableReference;
use crate::table::TableProvider;

/// Bound parts in the order of assembly.
#[derive(Default, Clone)]
pub(crate) struct Bindings {
    parts: Vec<Arc<dyn Any + Send + Sync>>,
    next: usize,
    is_bound: bool,
    tables: Vec<(TableReference, Arc<dyn TableProvider>)>,
}

impl Bindings {
    /// The next part, made by `make` on the first assembly.
    pub fn part<T: Any + Send + Sync>(&mut self, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        if self.is_bound {
            let part = self.parts.get(self.next).cloned();
            self.next += 1;
            let part = part.and_then(|part| part.downcast::<T>().ok());
            return part.ok_or_else(|| Error::internal("a plan was assembled in another order than before"));
        }
        let part = Arc::new(make()?);
        self.parts.push(Arc::clone(&part) as Arc<dyn Any + Send + Sync>);
        Ok(part)
    }

    /// The table of a reference; found once, since finding it may open files.
    pub fn table(
        &mut self,
        reference: &TableReference,
        context: &Arc<Context>,
    ) -> Result<Arc<dyn TableProvider>> {
        if let Some((_, table)) = self.tables.iter().find(|(known, _)| known == reference) {
            return Ok(Arc::clone(table));
        }
        let table = context.catalog.resolve(reference, context)?;
        self.tables.push((reference.clone(), Arc::clone(&table)));
        Ok(table)
    }

    /// No parts yet, but the tables found so far: for a plan inside this one that is assembled on its own.
    pub fn nested(&self) -> Self {
        Self { tables: self.tables.clone(), ..Self::default() }
    }

    /// Ready to be given out again.
    pub fn rewound(self) -> Self {
        Self { next: 0, is_bound: true, ..self }
    }
}

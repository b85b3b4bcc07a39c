//! What becomes of rows that are taken in order: written to a file, kept as a table, or handed to the next pipeline.

use std::sync::Arc;

use arrow::array::Int64Array;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Schema;
use hypostyle_functions::value::Literal;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::{Keeper, Reservation};
use crate::memory_table::MemoryTable;
use crate::metrics::OperatorMetrics;
use crate::operator::RunContext;
use crate::operator::ordered::Consumer;
use crate::operator::scan::BatchesSource;
use crate::plan::WriteTarget;
use crate::spill::RowStore;
use crate::table::TableWriter;

/// One row with the number of rows written.
fn count_row(rows: u64) -> Result<Vec<Batch>> {
    let rows = i64::try_from(rows).map_err(|_| Error::internal("more than 2^63 rows"))?;
    Ok(vec![Batch::new(vec![Column::Flat(Arc::new(Int64Array::from(vec![rows])))], 1)])
}

/// The consumer for a target; the count of rows goes to `result`.
///
/// # Errors
/// A format that cannot be written, or a table that is there already.
pub fn writer(
    target: &WriteTarget,
    schema: &Schema,
    run: &Arc<RunContext>,
    result: &Arc<BatchesSource>,
) -> Result<Box<dyn Consumer>> {
    let result = Arc::clone(result);
    match target {
        WriteTarget::File { path, format, options } => Ok(Box::new(FileConsumer {
            path: path.clone(),
            format: format.clone(),
            options: options.clone(),
            schema: schema.clone(),
            run: Arc::clone(run),
            writer: None,
            rows: 0,
            result,
        })),
        WriteTarget::Table { name, replace } => {
            let account = run.memory.account(&format!("table {name}"));
            let (name, schema) = (name.clone(), schema.clone());
            let kept = Kept {
                batches: Vec::new(),
                keeper: Keeper::default(),
                bytes: 0,
                reservation: account.reserve(),
            };
            Ok(Box::new(TableConsumer {
                name,
                replace: *replace,
                schema,
                run: Arc::clone(run),
                kept,
                result,
            }))
        }
    }
}

struct FileConsumer {
    path: String,
    format: String,
    options: Vec<(String, Literal)>,
    schema: Schema,
    run: Arc<RunContext>,
    writer: Option<Box<dyn TableWriter>>,
    rows: u64,
    result: Arc<BatchesSource>,
}

impl FileConsumer {
    fn open(&mut self) -> Result<&mut Box<dyn TableWriter>> {
        if self.writer.is_none() {
            let catalog = &self.run.context.catalog;
            let factory = catalog.writer(&self.format).ok_or_else(|| {
                let known = catalog.writer_names().join(", ");
                Error::user(format!("no writer for format \"{}\"; there are: {known}", self.format))
            })?;
            self.writer = Some(factory.open(&self.path, &self.schema, &self.options, &self.run.context)?);
        }
        self.writer.as_mut().ok_or_else(|| Error::internal("a file was not opened"))
    }
}

impl Consumer for FileConsumer {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        self.rows += batch.rows as u64;
        self.open()?.write(&batch)
    }

    fn finish(&mut self) -> Result<()> {
        self.open()?;
        if let Some(writer) = self.writer.take() {
            writer.finish()?;
        }
        self.result.extend([count_row(self.rows)?]);
        Ok(())
    }
}

/// Batches that are held, with what they are charged.
struct Kept {
    batches: Vec<Batch>,
    keeper: Keeper,
    bytes: usize,
    reservation: Reservation,
}

impl Kept {
    fn add(&mut self, batch: Batch) -> Result<()> {
        let (batch, bytes) = self.keeper.keep(batch);
        self.bytes += bytes;
        self.batches.push(batch);
        self.reservation.resize(self.bytes)
    }
}

struct TableConsumer {
    name: String,
    replace: bool,
    schema: Schema,
    run: Arc<RunContext>,
    kept: Kept,
    result: Arc<BatchesSource>,
}

impl Consumer for TableConsumer {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        self.kept.add(batch)
    }

    fn finish(&mut self) -> Result<()> {
        let catalog = &self.run.context.catalog;
        if !self.replace && catalog.table(&self.name).is_some() {
            return Err(Error::user(format!(
                "table \"{}\" exists; CREATE OR REPLACE TABLE replaces it",
                self.name
            )));
        }
        let account = Arc::clone(self.kept.reservation.account());
        let reservation = std::mem::replace(&mut self.kept.reservation, account.reserve());
        let table = MemoryTable::new(self.schema.clone(), std::mem::take(&mut self.kept.batches))?
            .charged(reservation);
        let rows = table.rows() as u64;
        catalog.add_table(&self.name, Arc::new(table));
        self.result.extend([count_row(rows)?]);
        Ok(())
    }
}

/// Keeps rows for the next pipeline.
pub struct Collect {
    keeper: Keeper,
    store: RowStore,
    result: Arc<BatchesSource>,
}

impl Collect {
    /// A consumer that hands its rows to `result` as one morsel.
    pub fn new(run: &Arc<RunContext>, metrics: &Arc<OperatorMetrics>, result: &Arc<BatchesSource>) -> Self {
        let account = run.memory.account("limit");
        let store = RowStore::new(run, &account, metrics, "limit");
        Self { keeper: Keeper::default(), store, result: Arc::clone(result) }
    }
}

impl Consumer for Collect {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        let (batch, _) = self.keeper.keep(batch);
        self.store.add(batch)
    }

    fn finish(&mut self) -> Result<()> {
        let reader = self.store.take_reader()?;
        if reader.rows() > 0 {
            self.result.add_reader(Box::new(reader));
        }
        Ok(())
    }
}

/// Expects at most one row, and makes a row of nulls of none.
pub struct SingleRow {
    schema: Schema,
    row: Option<Batch>,
    result: Arc<BatchesSource>,
}

impl SingleRow {
    /// A consumer of rows of this schema.
    pub fn new(schema: &Schema, result: &Arc<BatchesSource>) -> Self {
        Self { schema: schema.clone(), row: None, result: Arc::clone(result) }
    }
}

impl Consumer for SingleRow {
    fn consume(&mut self, batch: Batch) -> Result<()> {
        if self.row.is_some() || batch.rows > 1 {
            return Err(Error::user(
                "a subquery that is used as a value gave more than one row; limit it to one",
            ));
        }
        self.row = Some(batch);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let nulls = || self.schema.fields.iter().map(|field| Column::nulls(&field.data_type, 1)).collect();
        let row = self.row.take().unwrap_or_else(|| Batch::new(nulls(), 1));
        self.result.extend([vec![row]]);
        Ok(())
    }
}

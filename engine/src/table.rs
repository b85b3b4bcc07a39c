//! Tables as the engine sees them: providers that are scanned by morsels, writers, and functions that make tables.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hypostyle_functions::types::{Schema, Type};
use hypostyle_functions::value::{Literal, Value};

use crate::batch::Batch;
use crate::context::Context;
use crate::error::Result;
use crate::key_filter::KeyFilter;
use crate::plan::Expression;

/// What is known of a table without reading it.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Number of rows.
    pub rows: Option<u64>,
    /// Bytes in storage.
    pub bytes: Option<u64>,
    /// Per column, in the order of the schema; may be empty.
    pub columns: Vec<ColumnStatistics>,
}

/// What is known of a column without reading it.
#[derive(Debug, Clone, Default)]
pub struct ColumnStatistics {
    /// Least value, or a lower bound.
    pub minimum: Option<Value>,
    /// Greatest value, or an upper bound.
    pub maximum: Option<Value>,
    /// Number of nulls.
    pub nulls: Option<u64>,
    /// Estimated number of distinct values.
    pub distinct: Option<u64>,
}

/// Whether a scan applies a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterSupport {
    /// Not at all.
    None,
    /// It prunes by it; rows that do not match may still come.
    Inexact,
    /// Every row that comes matches.
    Exact,
}

/// What is asked of a scan.
#[derive(Debug, Clone)]
pub struct ScanRequest {
    /// Columns of the table, in the order they are wanted. May be empty: only rows are counted.
    pub projection: Vec<usize>,
    /// Columns of which only some fields are wanted, each with the type that holds those. Projection and filters see it
    /// in the place of the column's own. Only asked of tables that say [`TableProvider::reads_fields`].
    pub narrowed: Vec<(usize, Type)>,
    /// Columns of the table that may come as codes of a dictionary whatever their type: what reads one of them reads no other, and
    /// so is computed for the values that the codes stand for.
    pub coded: Vec<usize>,
    /// Conjuncts over the table's columns (column indexes are those of the table, not of the projection).
    pub filters: Vec<Expression>,
    /// Keys that a join will look for: rows whose value is not among them may be left out, or not. Their columns need
    /// not be in the projection.
    pub key_filters: Vec<Arc<KeyFilter>>,
    /// Rows after which the consumer stops.
    pub limit: Option<u64>,
    /// Most rows of a batch.
    pub batch_rows: usize,
    /// Where the scan counts the bytes that it takes from files, without footers and indexes.
    pub read_bytes: Arc<AtomicU64>,
}

/// A table that can be scanned.
pub trait TableProvider: Send + Sync {
    /// Columns.
    fn schema(&self) -> &Schema;

    /// What is known without reading.
    fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    /// Whether a scan would apply this conjunct over the table's columns.
    fn filter_support(&self, _filter: &Expression) -> FilterSupport {
        FilterSupport::None
    }

    /// Whether a scan can be asked for some fields of structs only ([`ScanRequest::narrowed`]).
    fn reads_fields(&self) -> bool {
        false
    }

    /// Whether a host pushes the rows into each run, instead of a scan reading them.
    fn is_host_driven(&self) -> bool {
        false
    }

    /// Bytes that one reader of such a scan holds, by an upper bound where it is known; a run does not start without
    /// them. Zero where little is held.
    fn reader_bytes(&self, _request: &ScanRequest) -> usize {
        0
    }

    /// What is read, for messages.
    fn description(&self) -> String {
        "a table".into()
    }

    /// Starts a scan. Called once per run; cheap.
    ///
    /// # Errors
    /// What keeps the table from being read.
    fn scan(&self, request: ScanRequest, context: &Arc<Context>) -> Result<Arc<dyn Scan>>;
}

/// A scan that workers share: it hands out morsels.
pub trait Scan: Send + Sync {
    /// The next morsel, with its ordinal in [`crate::Position::morsel`] of the batches it gives; `None` at the end.
    /// Ordinals ascend in the order of the table.
    ///
    /// # Errors
    /// What keeps the morsel from being opened.
    fn claim(&self) -> Result<Option<Box<dyn Reader>>>;

    /// Whether a further reader has to wait until one that is open ends, for lack of memory. Never true while none is open.
    ///
    /// # Errors
    /// As for [`Scan::claim`].
    fn must_wait(&self) -> Result<bool> {
        Ok(false)
    }

    /// Whether the scan has left out the rows that [`ScanRequest::key_filters`] exclude; if not, this is done behind it for
    /// the columns that are projected.
    fn applies_key_filters(&self) -> bool {
        false
    }

    /// Bytes read and bytes in all, for progress.
    fn progress(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// Reads one morsel, batch by batch, on one worker.
pub trait Reader: Send {
    /// The next batch of the projected columns; never an empty one; `None` at the end of the morsel.
    ///
    /// # Errors
    /// Damaged input, with its place.
    fn next(&mut self) -> Result<Option<Batch>>;
}

/// Receives the rows of `COPY ... TO` or `CREATE TABLE AS`. Dropped before [`TableWriter::finish`], it leaves nothing behind.
pub trait TableWriter: Send {
    /// Adds a batch; batches come in the order of the query.
    ///
    /// # Errors
    /// A full disk, or a type that the format does not hold.
    fn write(&mut self, batch: &Batch) -> Result<()>;

    /// Makes what was written visible, whole.
    ///
    /// # Errors
    /// As for [`TableWriter::write`].
    fn finish(self: Box<Self>) -> Result<()>;
}

/// A function that makes a table: `read_parquet('x.parquet')`.
pub trait TableFunction: Send + Sync {
    /// Lower-case SQL name.
    fn name(&self) -> &str;

    /// Makes the table. Arguments and options are constants.
    ///
    /// # Errors
    /// A file that is not there or not readable, an unknown option (with the nearest name).
    fn bind(
        &self,
        arguments: &[Literal],
        options: &[(String, Literal)],
        context: &Arc<Context>,
    ) -> Result<Arc<dyn TableProvider>>;
}

/// Opens files for writing, by format.
pub trait WriterFactory: Send + Sync {
    /// Lower-case name of the format: `parquet`, `csv`, `json`, `arrow`.
    fn format(&self) -> &str;

    /// Opens `path` for rows of `schema`; options as in `COPY ... (OPTION value)`.
    ///
    /// # Errors
    /// A path that cannot be written, an unknown option (with the nearest name), a type the format does not hold.
    fn open(
        &self,
        path: &str,
        schema: &Schema,
        options: &[(String, Literal)],
        context: &Arc<Context>,
    ) -> Result<Box<dyn TableWriter>>;
}

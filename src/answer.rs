//! The answer to a statement: a stream of Arrow record batches, pulled on the caller's thread.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use hypostyle_engine::Batch;
use hypostyle_engine::execution::{Run, RunHandle};
use hypostyle_engine::metrics::Metrics;
use hypostyle_engine::plan::Node;
use hypostyle_functions::column::Recycled;
use hypostyle_functions::types::Schema;

use crate::error::Result;

/// What a statement gives: rows, in order, as they are made.
///
/// An iterator of record batches. Dropped in the middle, it stops the run and removes its files.
#[derive(Debug)]
pub struct Answer {
    schema: Schema,
    arrow_schema: SchemaRef,
    rows: Rows,
    /// Room of batches that were handed on.
    recycled: Recycled,
}

/// Most buffers of batches that were handed on and are looked at for room.
const RECYCLED_MAX: usize = 512;

#[derive(Debug)]
enum Rows {
    Run(Box<Run>),
    Ready(std::vec::IntoIter<RecordBatch>),
    Failed,
}

impl Answer {
    /// The answer of a run.
    pub(crate) fn of_run(run: Run) -> Self {
        let schema = run.plan().schema.clone();
        run.decode_output();
        Self::of_rows(schema, Rows::Run(Box::new(run)))
    }

    /// An answer that is there already: SHOW, DESCRIBE, EXPLAIN, or the empty answer of a SET.
    pub(crate) fn ready(schema: Schema, batches: Vec<RecordBatch>) -> Self {
        Self::of_rows(schema, Rows::Ready(batches.into_iter()))
    }

    fn of_rows(schema: Schema, rows: Rows) -> Self {
        let recycled = Recycled::of_at_most((schema.fields.len() * 2).min(RECYCLED_MAX));
        Self { arrow_schema: Arc::new(schema.to_arrow()), schema, rows, recycled }
    }

    /// The answer of a statement that gives no rows.
    pub(crate) fn nothing() -> Self {
        Self::ready(Schema::default(), Vec::new())
    }

    /// Columns and their logical types.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Columns and their Arrow types: flat arrays, text as views.
    pub fn arrow_schema(&self) -> &SchemaRef {
        &self.arrow_schema
    }

    /// True if the rows only count what the statement wrote, as those of `COPY` and `CREATE TABLE AS` do.
    pub fn counts_writes(&self) -> bool {
        matches!(&self.rows, Rows::Run(run) if matches!(run.plan().node, Node::Write { .. }))
    }

    /// A handle with which another thread can stop the run and watch its progress; `None` if nothing runs.
    pub fn handle(&self) -> Option<RunHandle> {
        match &self.rows {
            Rows::Run(run) => Some(run.handle()),
            _ => None,
        }
    }

    /// Figures per operator so far; `None` if nothing runs.
    pub fn metrics(&self) -> Option<Metrics> {
        self.handle().map(|handle| handle.metrics())
    }

    /// The next batch; `None` at the end.
    ///
    /// # Errors
    /// The error that ended the run; after it there is nothing more.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        self.next_batch_unless(&mut || false)
    }

    /// As [`Answer::next_batch`]; `stop` is asked between the steps of the run, on this thread, and cancels it.
    ///
    /// # Errors
    /// As [`Answer::next_batch`]; after `stop` one for which [`crate::Error::is_cancelled`] holds.
    pub fn next_batch_unless(&mut self, stop: &mut dyn FnMut() -> bool) -> Result<Option<RecordBatch>> {
        if let Rows::Ready(batches) = &mut self.rows {
            return Ok(batches.next());
        }
        let schema = Arc::clone(&self.arrow_schema);
        self.next_of_run(stop, |batch, recycled| batch.decoded(recycled)?.export(&schema))
    }

    /// Goes past the next batch, whose values are computed and let go of: the number of its rows, and `None` at the end. Lists that
    /// share the elements of others need none of their own for that.
    ///
    /// # Errors
    /// As [`Answer::next_batch`].
    pub fn skip_batch(&mut self) -> Result<Option<usize>> {
        if let Rows::Ready(batches) = &mut self.rows {
            return Ok(batches.next().map(|batch| batch.num_rows()));
        }
        self.next_of_run(&mut || false, |batch, recycled| batch.decoded(recycled).map(|batch| batch.rows))
    }

    /// What `take` makes of the next batch of the run; after an error there is nothing more.
    fn next_of_run<T>(
        &mut self,
        stop: &mut dyn FnMut() -> bool,
        take: impl FnOnce(Batch, &mut Recycled) -> hypostyle_engine::error::Result<T>,
    ) -> Result<Option<T>> {
        let Rows::Run(run) = &mut self.rows else { return Ok(None) };
        let result = run
            .next_unless(stop)
            .and_then(|batch| batch.map(|batch| take(batch, &mut self.recycled)).transpose());
        if result.is_err() {
            self.rows = Rows::Failed;
        }
        Ok(result?)
    }

    /// All batches.
    ///
    /// # Errors
    /// As [`Answer::next_batch`].
    pub fn collect_all(mut self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next_batch()? {
            batches.push(batch);
        }
        Ok(batches)
    }

    /// Runs to the end and forgets the rows; their number.
    ///
    /// # Errors
    /// As [`Answer::next_batch`].
    pub fn drain(mut self) -> Result<u64> {
        let mut rows = 0;
        while let Some(count) = self.skip_batch()? {
            rows += count as u64;
        }
        Ok(rows)
    }
}

impl Iterator for Answer {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().map_err(|error| ArrowError::ExternalError(Box::new(error))).transpose()
    }
}

impl RecordBatchReader for Answer {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.arrow_schema)
    }
}

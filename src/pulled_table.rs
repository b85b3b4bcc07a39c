//! Tables whose rows a host gives as queries ask for them, batch by batch.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use hypostyle_engine::table::{Reader, Scan, ScanRequest, TableProvider};
use hypostyle_engine::{Batch, Context, Error as EngineError};
use hypostyle_functions::types::Schema;

use crate::input::input_batch;

/// Batches of a table in their order, made as they are asked for; the first error ends them.
pub type Batches = Box<dyn Iterator<Item = std::result::Result<RecordBatch, String>> + Send>;

/// A table that `open` reads. It is called once for each scan, with the names of the columns that are read, and gives batches that have
/// at least these, in any order; without names only the number of rows counts. A batch is asked for when a worker has need of it, from one
/// thread at a time, so a query that stops early leaves the rest unmade.
///
/// ```
/// use std::sync::Arc;
/// use hypostyle::arrow::array::{Int64Array, RecordBatch};
/// use hypostyle::pulled_table::{Batches, PulledTable};
/// use hypostyle::{Field, Schema, Session, Type};
/// let numbers = |_: &[&str]| -> Result<Batches, String> {
///     let batch = |start: i64| RecordBatch::try_from_iter([("x", Arc::new(Int64Array::from_iter_values(start..start + 10)) as _)]);
///     Ok(Box::new((0..).map(move |number| batch(number * 10).map_err(|error| error.to_string()))))
/// };
/// let session = Session::new();
/// let schema = Schema::new(vec![Field::new("x", Type::Int64)]);
/// session.register_table("numbers", Arc::new(PulledTable::new(schema, "all numbers", numbers)));
/// let batches = session.sql("SELECT x FROM numbers WHERE x % 2 = 1 LIMIT 3")?.collect_all()?;
/// assert_eq!(batches[0].num_rows(), 3);
/// # Ok::<(), hypostyle::Error>(())
/// ```
pub struct PulledTable<O> {
    schema: Schema,
    description: String,
    open: Arc<O>,
}

impl<O> PulledTable<O>
where
    O: Fn(&[&str]) -> std::result::Result<Batches, String> + Send + Sync + 'static,
{
    /// A table of these columns; the description names it in messages.
    pub fn new(schema: Schema, description: impl Into<String>, open: O) -> Self {
        Self { schema, description: description.into(), open: Arc::new(open) }
    }
}

impl<O> TableProvider for PulledTable<O>
where
    O: Fn(&[&str]) -> std::result::Result<Batches, String> + Send + Sync + 'static,
{
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    fn scan(&self, request: ScanRequest, _: &Arc<Context>) -> Result<Arc<dyn Scan>, EngineError> {
        let fields = request.projection.iter().filter_map(|&column| self.schema.fields.get(column).cloned());
        Ok(Arc::new(PulledScan {
            schema: Schema::new(fields.collect()),
            description: self.description.clone(),
            batch_rows: request.batch_rows.max(1),
            open: Arc::clone(&self.open),
            batches: Mutex::new(State::Closed),
        }))
    }
}

enum State {
    Closed,
    Open(Batches),
    Ended,
}

/// Workers share the batches: each takes the next one.
struct PulledScan<O> {
    schema: Schema,
    description: String,
    batch_rows: usize,
    open: Arc<O>,
    batches: Mutex<State>,
}

impl<O> Scan for PulledScan<O>
where
    O: Fn(&[&str]) -> std::result::Result<Batches, String> + Send + Sync + 'static,
{
    fn claim(&self) -> Result<Option<Box<dyn Reader>>, EngineError> {
        let failed = |problem: String| EngineError::input(&self.description, problem);
        let mut state = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Closed) {
            // A scan that could not be opened is not opened again by the next worker.
            *state = State::Ended;
            let names: Vec<&str> = self.schema.fields.iter().map(|field| field.name.as_str()).collect();
            *state = State::Open((self.open)(&names).map_err(failed)?);
        }
        let State::Open(batches) = &mut *state else { return Ok(None) };
        for batch in batches {
            let batch =
                batch.and_then(|batch| input_batch(&batch, &self.schema).map_err(|error| error.to_string()));
            match batch {
                Ok(batch) if batch.rows == 0 => {}
                Ok(batch) => {
                    return Ok(Some(Box::new(Parts { batch, start: 0, batch_rows: self.batch_rows })));
                }
                Err(problem) => {
                    *state = State::Ended;
                    return Err(failed(problem));
                }
            }
        }
        *state = State::Ended;
        Ok(None)
    }
}

/// A batch in parts of the size that the run works in.
struct Parts {
    batch: Batch,
    start: usize,
    batch_rows: usize,
}

impl Reader for Parts {
    fn next(&mut self) -> Result<Option<Batch>, EngineError> {
        let length = self.batch_rows.min(self.batch.rows - self.start);
        if length == 0 {
            return Ok(None);
        }
        let part = self.batch.slice(self.start, length);
        self.start += length;
        Ok(Some(part))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
    use arrow::datatypes::Int64Type;
    use hypostyle_functions::types::{Field, Type};

    use super::*;
    use crate::{Configuration, Session};

    fn batch(start: i64, rows: i64) -> RecordBatch {
        let numbers = Int64Array::from_iter_values(start..start + rows);
        let texts = StringArray::from_iter_values((start..start + rows).map(|number| format!("t{number}")));
        RecordBatch::try_from_iter([("t", Arc::new(texts) as ArrayRef), ("x", Arc::new(numbers))]).unwrap()
    }

    fn schema() -> Schema {
        Schema::new(vec![Field::new("x", Type::Int64), Field::new("t", Type::Text)])
    }

    fn numbers(session: &Session, sql: &str) -> Vec<i64> {
        let batches = session.sql(sql).unwrap().collect_all().unwrap();
        let values = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        batches.iter().flat_map(values).collect()
    }

    #[test]
    fn rows_keep_their_order_at_any_batch_size_and_number_of_threads() {
        for (threads, batch_rows) in [(1, 1), (2, 3), (2, 2048)] {
            let session = Session::with_configuration(Configuration {
                threads,
                batch_rows,
                ..Configuration::default()
            });
            let open = |_: &[&str]| -> std::result::Result<Batches, String> {
                Ok(Box::new([batch(0, 5), batch(5, 0), batch(5, 4)].into_iter().map(Ok)))
            };
            session.register_table("t", Arc::new(PulledTable::new(schema(), "t", open)));
            assert_eq!(numbers(&session, "SELECT x FROM t"), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
            assert_eq!(numbers(&session, "SELECT x FROM t ORDER BY t DESC LIMIT 2"), [8, 7]);
            assert_eq!(numbers(&session, "SELECT count(*)::BIGINT FROM t a JOIN t b USING (t)"), [9]);
        }
    }

    #[test]
    fn a_query_names_its_columns_and_stops_asking() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let open = move |columns: &[&str]| -> std::result::Result<Batches, String> {
            assert_eq!(columns, ["x"]);
            let counter = Arc::clone(&counter);
            Ok(Box::new((0..1_000_000).map(move |number| {
                counter.fetch_add(1, Ordering::Relaxed);
                Ok(batch(number * 10, 10))
            })))
        };
        let session = Session::with_configuration(Configuration { threads: 1, ..Configuration::default() });
        session.register_table("t", Arc::new(PulledTable::new(schema(), "t", open)));
        assert_eq!(numbers(&session, "SELECT x FROM t LIMIT 3"), [0, 1, 2]);
        assert!(asked.load(Ordering::Relaxed) < 1_000);
    }

    #[test]
    fn errors_say_which_table_and_end_the_rows() {
        let session = Session::new();
        let fails = |_: &[&str]| -> std::result::Result<Batches, String> {
            Ok(Box::new([Ok(batch(0, 3)), Err("the disk is gone".to_owned())].into_iter()))
        };
        session.register_table("t", Arc::new(PulledTable::new(schema(), "shop", fails)));
        let error = session.sql("SELECT sum(x) FROM t").unwrap().collect_all().unwrap_err().to_string();
        assert!(error.contains("shop") && error.contains("the disk is gone"), "{error}");
        let closed = |_: &[&str]| -> std::result::Result<Batches, String> { Err("no connection".to_owned()) };
        session.register_table("t", Arc::new(PulledTable::new(schema(), "shop", closed)));
        let error = session.sql("SELECT sum(x) FROM t").unwrap().collect_all().unwrap_err().to_string();
        assert!(error.contains("no connection"), "{error}");
        let other = |_: &[&str]| -> std::result::Result<Batches, String> {
            let column: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
            Ok(Box::new(std::iter::once(Ok(RecordBatch::try_from_iter([("x", column)]).unwrap()))))
        };
        session.register_table("t", Arc::new(PulledTable::new(schema(), "shop", other)));
        let error = session.sql("SELECT sum(x) FROM t").unwrap().collect_all().unwrap_err().to_string();
        assert!(error.contains("column \"x\" of the batch has type VARCHAR; expected BIGINT"), "{error}");
    }
}

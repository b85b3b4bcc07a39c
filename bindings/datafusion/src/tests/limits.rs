//! Memory of DataFusion's pool, and streams that are given up.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{FairSpillPool, GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::{Stream, StreamExt};

use super::digest::digest;
use super::events::{add_events, batches, events};
use super::native;
use crate::{FeatureFrame, register_all};

fn limited(pool: Arc<dyn MemoryPool>, rows: usize) -> SessionContext {
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().unwrap();
    let config = SessionConfig::new().with_target_partitions(1);
    let context = SessionContext::new_with_config_rt(config, runtime);
    add_events(&context, vec![batches(rows, 1_000)]);
    context
}

#[tokio::test]
async fn what_the_pool_does_not_have_is_its_error_and_everything_is_given_back() {
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(20_000));
    let context = limited(Arc::clone(&pool), 20_000);
    // One list of everything: no part of it can be written to disk.
    let frame =
        context.table("events").await.unwrap().features("SELECT list(note) AS all_notes FROM input").unwrap();
    let error = frame.collect().await.unwrap_err();
    assert!(matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("out of memory") && text.contains("HypostyleExec[0]"), "{text}");
    assert_eq!(pool.reserved(), 0);
}

#[tokio::test]
async fn groups_that_do_not_fit_the_pool_are_spilled_with_equal_results() {
    let sql = "SELECT note, count(*) AS n, sum(price) AS total FROM input GROUP BY note ORDER BY note";
    let expected = digest(&native::query(sql, &batches(50_000, 1_000)));
    for pool in [
        Arc::new(GreedyMemoryPool::new(3 << 20)) as Arc<dyn MemoryPool>,
        Arc::new(FairSpillPool::new(3 << 20)),
    ] {
        let context = limited(Arc::clone(&pool), 50_000);
        let frame = context.table("events").await.unwrap().features(sql).unwrap();
        assert_eq!(digest(&frame.collect().await.unwrap()), expected);
        assert_eq!(pool.reserved(), 0);
    }
}

/// Batches without end; counts how many were asked for.
#[derive(Debug)]
struct Endless {
    batch: RecordBatch,
    schema: SchemaRef,
    given: Arc<AtomicUsize>,
    /// Streams that are alive.
    alive: Arc<AtomicUsize>,
}

struct EndlessStream {
    batch: RecordBatch,
    given: Arc<AtomicUsize>,
    alive: Arc<AtomicUsize>,
}

impl PartitionStream for Endless {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Box::pin(EndlessStream {
            batch: self.batch.clone(),
            given: Arc::clone(&self.given),
            alive: Arc::clone(&self.alive),
        })
    }
}

impl Stream for EndlessStream {
    type Item = Result<RecordBatch>;
    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.given.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(self.batch.clone())))
    }
}

impl RecordBatchStream for EndlessStream {
    fn schema(&self) -> SchemaRef {
        self.batch.schema()
    }
}

impl Drop for EndlessStream {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_dropped_stream_ends_its_run_and_its_input() {
    let (given, alive) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let batch = events(0, 100);
    let endless =
        Endless { schema: batch.schema(), batch, given: Arc::clone(&given), alive: Arc::clone(&alive) };
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 30));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(&pool)).build_arc().unwrap();
    let context = SessionContext::new_with_config_rt(SessionConfig::new().with_target_partitions(1), runtime);
    register_all(&context).unwrap();
    let table = StreamingTable::try_new(Arc::clone(&endless.schema), vec![Arc::new(endless)]).unwrap();
    context.register_table("endless", Arc::new(table.with_infinite_table(true))).unwrap();

    // Row by row: batches come while the input goes on.
    let frame = context.table("endless").await.unwrap().features("SELECT id + 1 AS next FROM input").unwrap();
    let mut stream = frame.execute_stream().await.unwrap();
    for _ in 0..3 {
        assert_eq!(stream.next().await.unwrap().unwrap().num_rows(), 100);
    }
    drop(stream);
    assert_eq!((alive.load(Ordering::SeqCst), pool.reserved()), (0, 0));
    let asked = given.load(Ordering::SeqCst);
    tokio::task::yield_now().await;
    assert_eq!(given.load(Ordering::SeqCst), asked);

    // Together: nothing comes before the end, which never is; others get the thread, and giving up frees what is held.
    let sorted =
        context.table("endless").await.unwrap().features("SELECT id FROM input ORDER BY price").unwrap();
    let plan = sorted.create_physical_plan().await.unwrap();
    let mut stream = plan.execute(0, context.task_ctx()).unwrap();
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), stream.next()).await;
    assert!(waited.is_err(), "a sort gave rows before its input ended");
    assert!(pool.reserved() > 0);
    drop(stream);
    assert_eq!((alive.load(Ordering::SeqCst), pool.reserved()), (0, 0));
}

#[tokio::test]
async fn an_error_of_the_input_is_passed_on() {
    let context = SessionContext::new();
    add_events(&context, vec![batches(100, 10)]);
    let failing = context.sql("SELECT arrow_cast(note, 'Int64') AS n FROM events").await.unwrap();
    let error = failing.features("SELECT n + 1 AS n FROM input").unwrap().collect().await.unwrap_err();
    assert!(error.to_string().contains("order"), "{error}");
}

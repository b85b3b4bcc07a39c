//! Features run on the threads that poll them: no other thread comes to be.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use hypostyle_datafusion::{FeatureFrame, register_all};

/// Threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn batch(start: i64) -> RecordBatch {
    let ids: ArrayRef = Arc::new((start..start + 4_096).collect::<Int64Array>());
    let prices: ArrayRef =
        Arc::new((start..start + 4_096).map(|i| Some(i as f64 / 3.0)).collect::<Float64Array>());
    RecordBatch::try_from_iter([("id", ids), ("price", prices)]).unwrap()
}

// One test, so that no other one starts threads meanwhile.
#[tokio::test(flavor = "current_thread")]
async fn features_start_no_thread() {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    register_all(&context).unwrap();
    let table =
        MemTable::try_new(batch(0).schema(), vec![(0..40).map(|i| batch(i * 4_096)).collect()]).unwrap();
    context.register_table("events", Arc::new(table)).unwrap();
    let before = threads();
    let most = AtomicUsize::new(before);
    for sql in [
        "SELECT id, log1p(price) AS price, sigrid_hash(id, 1000, 7) AS bucket FROM input",
        "SELECT id // 7 AS part, sum(price) AS total, count(*) AS n FROM input GROUP BY id // 7 ORDER BY total DESC",
        "SELECT id, avg(price) OVER (PARTITION BY id % 5 ORDER BY id ROWS 9 PRECEDING) AS recent FROM input",
    ] {
        let frame = context.table("events").await.unwrap().features(sql).unwrap();
        let mut stream = frame.execute_stream().await.unwrap();
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            rows += batch.unwrap().num_rows();
            most.fetch_max(threads(), Ordering::Relaxed);
        }
        assert!(rows > 20_000, "{sql}");
    }
    assert_eq!(most.load(Ordering::Relaxed), before);
}

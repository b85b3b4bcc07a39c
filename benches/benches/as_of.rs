//! As-of and range joins over tables in memory, in rows of the larger side a second on one thread.
//!
//! Events and labels have random keys and times, in the order of time or in none; `HYPOSTYLE_BENCH_ROWS` events (4 million
//! unless told) meet a tenth as many labels. Groups vary which side is the left one (and so which is indexed), the order
//! of the rows and the number of keys. The rows that come out are counted, and the count is checked before it is timed.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle::{Configuration, Session};
use hypostyle_benches::FlameGraph;

fn events() -> u64 {
    std::env::var("HYPOSTYLE_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000_000)
}

/// A session with events and labels of this many keys.
fn session(keys: u64, sorted: bool) -> Session {
    let session = Session::with_configuration(Configuration { threads: 1, ..Configuration::default() });
    let order = if sorted { "ORDER BY time" } else { "" };
    for (name, rows, seed) in [("events", events(), 1), ("labels", events() / 10, 2)] {
        let sql = format!(
            "CREATE TABLE {name} AS SELECT hash_bucket(i * 2 + {seed}, {keys}) AS key, \
             TIMESTAMP '2024-01-01' + to_seconds(hash_bucket(i * 3 + {seed}, 7776000)) AS time, i / 7 AS value \
             FROM range({rows}) t(i) {order}"
        );
        session.sql(&sql).expect("a table");
    }
    session
}

/// Runs a query to its end; the number of rows.
fn run(session: &Session, sql: &str) -> usize {
    let batches = session.sql(sql).expect("a query");
    batches.map(|batch| black_box(batch.expect("a batch")).num_rows()).sum()
}

fn as_of(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("as_of");
    group.sample_size(10).throughput(Throughput::Elements(events()));
    for keys in [1, 1_000, 100_000] {
        for sorted in [true, false] {
            let session = session(keys, sorted);
            for (left, right) in [("labels", "events"), ("events", "labels")] {
                let sql = format!(
                    "SELECT l.value, r.value FROM {left} l ASOF LEFT JOIN {right} r ON l.key = r.key AND l.time >= r.time"
                );
                let rows = if left == "events" { events() } else { events() / 10 };
                assert_eq!(run(&session, &sql) as u64, rows);
                let order = if sorted { "sorted" } else { "unsorted" };
                let name = BenchmarkId::new(format!("{left}_with_{right}/{order}"), keys);
                group.bench_function(name, |bencher| bencher.iter(|| run(&session, &sql)));
            }
        }
    }
    group.finish();
}

fn range(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("range_join");
    group.sample_size(10).throughput(Throughput::Elements(events() / 10));
    let session = session(1_000, false);
    let sql = "SELECT count(*) FROM labels l JOIN (SELECT time AS low, time + INTERVAL '20 seconds' AS high FROM \
               labels) r ON l.time >= low AND l.time < high";
    assert_eq!(run(&session, sql), 1);
    group.bench_function("points_in_spans", |bencher| bencher.iter(|| run(&session, sql)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_profiler(FlameGraph::default());
    targets = as_of, range
}
criterion_main!(benches);

//! Windows over a log of many users in memory, in rows a second on one thread.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle::{Configuration, Session};
use hypostyle_benches::FlameGraph;

const ROWS: u64 = 1_000_000;

/// A hundred events a user, in the order of time.
const LOG: &str = "CREATE TABLE log AS SELECT i, i * 7919 % 10000 AS k, TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS ts, \
                   (i * 104729 % 1000)::DOUBLE / 8 AS v, i * 31 % 1000 AS n FROM range(1000000) t(i)";

const OVER: &str =
    "OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 2 DAYS PRECEDING AND CURRENT ROW)";

fn windows(criterion: &mut Criterion) {
    let session = Session::with_configuration(Configuration { threads: 1, ..Configuration::default() });
    session.sql(LOG).and_then(|answer| answer.drain()).expect("the log is made");
    let cases = [
        ("row_number", "row_number() OVER (PARTITION BY k ORDER BY ts)".to_owned()),
        ("running_sum", "sum(n) OVER (PARTITION BY k ORDER BY ts)".to_owned()),
        ("whole_sum", "sum(v) OVER (PARTITION BY k)".to_owned()),
        ("rolling_count", format!("count(*) {OVER}")),
        ("rolling_integer_sum", format!("sum(n) {OVER}")),
        ("rolling_float_sum", format!("sum(v) {OVER}")),
        ("rolling_min", format!("min(v) {OVER}")),
        ("rolling_blocks", format!("bool_or(n > 900) {OVER}")),
        ("rolling_distinct", format!("count(DISTINCT n) {OVER}")),
    ];
    let mut group = criterion.benchmark_group("window");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    for (name, call) in cases {
        let query = format!("SELECT i, {call} AS w FROM log");
        let prepared = session.prepare(&query).expect("a query");
        let rows = prepared.run(&[]).and_then(|answer| answer.drain()).expect("an answer");
        assert_eq!(rows, ROWS, "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| prepared.run(&[]).and_then(|answer| answer.drain()).expect("an answer"));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_profiler(FlameGraph::default());
    targets = windows
}
criterion_main!(benches);

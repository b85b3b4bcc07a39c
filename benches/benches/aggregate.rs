//! Hash aggregation of a table in memory: rows a second by number of groups and form of the keys, and distinct counts.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle::{Configuration, Session};
use hypostyle_benches::FlameGraph;

const ROWS: u64 = 2_000_000;

/// Keys that repeat in no order, values, and text of both short and long form.
fn session(threads: usize) -> Session {
    let session = Session::with_configuration(Configuration { threads, ..Configuration::default() });
    let table = format!(
        "CREATE TABLE t AS SELECT x,
            (x * 7919) % 8 AS few, (x * 7919) % 20011 AS thousands, (x * 7919) % 1000003 AS million,
            ((x * 7919) % 1000003) * 1000000007 AS wide,
            'k' || ((x * 7919) % 20011) AS short, 'a key of some length ' || ((x * 7919) % 20011) AS long,
            ((x * 31) % 10007)::DECIMAL(15, 2) AS amount, (x % 1013)::DOUBLE AS score
        FROM range({ROWS}) r(x)"
    );
    session.sql(&table).and_then(|answer| answer.drain()).expect("a table");
    session
}

/// Each query gives one row, so that its result costs nothing.
const QUERIES: [(&str, &str); 11] = [
    ("no_key", "SELECT sum(amount), sum(score), count(*), max(x) FROM t"),
    ("correlation", "SELECT corr(score, amount::DOUBLE) FROM t"),
    (
        "few",
        "SELECT count(*), max(a) FROM (SELECT sum(amount) AS a, avg(score), count(*) FROM t GROUP BY few)",
    ),
    ("thousands", "SELECT max(a) FROM (SELECT sum(amount) AS a FROM t GROUP BY thousands)"),
    ("million", "SELECT max(a) FROM (SELECT sum(amount) AS a FROM t GROUP BY million)"),
    ("million_wide", "SELECT max(a) FROM (SELECT sum(amount) AS a FROM t GROUP BY wide)"),
    ("unique", "SELECT max(a) FROM (SELECT sum(amount) AS a FROM t GROUP BY x, wide)"),
    ("short_text", "SELECT max(a) FROM (SELECT sum(amount) AS a FROM t GROUP BY short)"),
    ("long_text", "SELECT max(a) FROM (SELECT sum(amount) AS a FROM t GROUP BY long)"),
    ("two_keys", "SELECT max(a) FROM (SELECT sum(amount) AS a FROM t GROUP BY thousands, few)"),
    ("count_distinct", "SELECT max(a) FROM (SELECT count(DISTINCT million) AS a FROM t GROUP BY few)"),
];

fn aggregate(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let session = session(threads);
        let mut group = criterion.benchmark_group(format!("aggregate/{threads}_threads"));
        group.throughput(Throughput::Elements(ROWS)).sample_size(10);
        for (name, query) in QUERIES {
            let prepared = session.prepare(query).expect("a query");
            let rows = prepared.run(&[]).and_then(|answer| answer.drain()).expect("an answer");
            assert_eq!(rows, 1, "{name}");
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter(|| prepared.run(&[]).and_then(|answer| answer.drain()).expect("an answer"));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = groups;
    config = Criterion::default().with_profiler(FlameGraph::default());
    targets = aggregate
}
criterion_main!(groups);

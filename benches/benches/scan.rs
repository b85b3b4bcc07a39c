//! Scans of a Parquet file, in rows a second: each layout of a column alone, and kept shares of rows.
//!
//! The file has `HYPOSTYLE_BENCH_ROWS` rows (one million unless told). Each answer is checked once before it is timed.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle::{Configuration, Session};
use hypostyle_benches::FlameGraph;

fn rows() -> u64 {
    std::env::var("HYPOSTYLE_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

/// A file of columns whose names say how they are stored.
struct File {
    session: Session,
    path: String,
    _folder: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("scan.parquet").display().to_string();
        let session = Session::with_configuration(Configuration { threads: 1, ..Configuration::default() });
        let sql = format!(
            "COPY (SELECT x AS plain, (x * 7919 % 1000)::INTEGER AS coded, x // 1000 AS runs,
                CASE WHEN x % 10 = 0 THEN NULL ELSE x * 31 % 5000 END AS nulls, (x * 17 % 100000 / 100)::DECIMAL(12, 2) AS decimal,
                'kind ' || x * 31 % 50 AS kind, 'a text of its own ' || x * 7919 % 1000003 AS own
            FROM range({}) t(x)) TO '{path}'",
            rows()
        );
        session.sql(&sql).and_then(|answer| answer.drain()).expect("the file is written");
        Self { session, path, _folder: folder }
    }

    fn run(&self, select: &str) -> u64 {
        let sql = select.replace("FROM file", &format!("FROM '{}'", self.path));
        self.session.sql(&sql).and_then(|answer| answer.drain()).expect("the query runs")
    }
}

fn scans(criterion: &mut Criterion) {
    let file = File::new();
    let mut columns = criterion.benchmark_group("scan_column");
    columns.throughput(Throughput::Elements(rows())).sample_size(20);
    for column in ["plain", "coded", "runs", "nulls", "decimal", "kind", "own"] {
        let query = format!("SELECT max({column}) FROM file");
        assert_eq!(file.run(&query), 1);
        columns.bench_function(BenchmarkId::from_parameter(column), |bencher| {
            bencher.iter(|| black_box(file.run(&query)));
        });
    }
    columns.finish();
    let mut kept = criterion.benchmark_group("scan_kept");
    kept.throughput(Throughput::Elements(rows())).sample_size(20);
    for share in [0, 1, 10, 500, 999, 1000] {
        let query = format!("SELECT max(plain), max(decimal), max(own) FROM file WHERE coded < {share}");
        assert_eq!(file.run(&query), 1);
        kept.bench_function(BenchmarkId::from_parameter(format!("{share}_in_1000")), |bencher| {
            bencher.iter(|| black_box(file.run(&query)));
        });
    }
    kept.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_profiler(FlameGraph::default());
    targets = scans
}
criterion_main!(benches);

//! Joins over tables in memory, in probe rows a second on one thread.
//!
//! The probe side has `HYPOSTYLE_BENCH_ROWS` rows (4 million unless told). Groups vary the size of the build side
//! (inside and beyond the caches), the keys (dense whole numbers, scattered ones, text, two columns), the share of probe
//! rows that find a match, and the number of matches of a key. The rows that come out are counted, and the count is
//! checked once before it is timed.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringViewArray};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle_benches::FlameGraph;
use hypostyle_engine::plan::{Expression, JoinKey, JoinKind, Node, Plan, TableReference};
use hypostyle_engine::{Batch, Catalog, Configuration, Context, MemoryTable, Prepared};
use hypostyle_functions::column::Column;
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Field, Registry, Schema, Type};

const BATCH_ROWS: usize = 2048;

fn probe_rows() -> usize {
    std::env::var("HYPOSTYLE_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000_000)
}

/// Numbers below `limit` from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.0 >> 16) * u128::from(limit)) >> 48) as u64
    }
}

/// What the keys of both sides look like.
#[derive(Clone, Copy)]
enum Keys {
    Dense,
    Scattered,
    Text,
    Pair,
}

impl Keys {
    fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Scattered => "scattered",
            Self::Text => "text",
            Self::Pair => "pair",
        }
    }

    fn types(self) -> Vec<Type> {
        match self {
            Self::Dense | Self::Scattered => vec![Type::Int64],
            Self::Text => vec![Type::Text],
            Self::Pair => vec![Type::Int64, Type::Int64],
        }
    }

    fn columns(self, numbers: &[u64]) -> Vec<ArrayRef> {
        let integers = |value: fn(u64) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(numbers.iter().map(|&number| value(number))))
        };
        match self {
            Self::Dense => vec![integers(|number| number as i64)],
            Self::Scattered => {
                vec![integers(|number| (number as i64).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64))]
            }
            Self::Text => {
                let texts = numbers.iter().map(|number| format!("customer number {number:09}"));
                vec![Arc::new(StringViewArray::from_iter_values(texts))]
            }
            Self::Pair => {
                vec![integers(|number| (number / 4) as i64), integers(|number| (number % 4) as i64)]
            }
        }
    }
}

/// A table of keys and one payload column.
fn table(keys: Keys, numbers: &[u64]) -> Arc<MemoryTable> {
    let mut fields: Vec<Field> = keys
        .types()
        .into_iter()
        .enumerate()
        .map(|(key, data_type)| Field::new(format!("k{key}"), data_type))
        .collect();
    fields.push(Field::new("payload", Type::Int64));
    let batch = |numbers: &[u64]| {
        let mut columns: Vec<Column> = keys.columns(numbers).into_iter().map(Column::Flat).collect();
        let payload = Int64Array::from_iter_values(numbers.iter().map(|&number| number as i64));
        columns.push(Column::Flat(Arc::new(payload)));
        Batch::new(columns, numbers.len())
    };
    let batches = numbers.chunks(BATCH_ROWS).map(batch).collect();
    Arc::new(MemoryTable::new(Schema::new(fields), batches).expect("a table"))
}

/// A join of `probe` and `build` on all their keys.
fn join(keys: Keys, kind: JoinKind) -> Plan {
    let scan = |name: &str| {
        let mut fields: Vec<Field> =
            keys.types().into_iter().map(|data_type| Field::new("k", data_type)).collect();
        fields.push(Field::new("payload", Type::Int64));
        let projection = (0..fields.len()).collect();
        let table = TableReference::Named(name.into());
        Plan::new(Node::Scan { table, projection, filters: Vec::new(), limit: None }, Schema::new(fields))
    };
    let (left, right) = (scan("probe"), scan("build"));
    let key = |(index, data_type): (usize, Type)| JoinKey {
        left: Expression::column(index, data_type.clone()),
        right: Expression::column(index, data_type),
        nulls_match: false,
    };
    let pairs = keys.types().into_iter().enumerate().map(key).collect();
    let mut fields = left.schema.fields.clone();
    if matches!(kind, JoinKind::Inner | JoinKind::Left) {
        fields.extend(right.schema.fields.iter().cloned());
    }
    let node =
        Node::HashJoin { left: Box::new(left), right: Box::new(right), kind, keys: pairs, residual: None };
    Plan::new(node, Schema::new(fields))
}

/// A prepared join over these tables, and a run of it that counts rows.
fn prepared(keys: Keys, kind: JoinKind, probe: &[u64], build: &[u64]) -> Prepared {
    let catalog = Catalog::default();
    catalog.add_table("probe", table(keys, probe));
    catalog.add_table("build", table(keys, build));
    let configuration = Configuration { threads: 1, batch_rows: BATCH_ROWS, ..Configuration::default() };
    let registry = Arc::new(Registry::builtin());
    let context = Context::new(registry, Arc::new(catalog), Settings::default(), configuration);
    Prepared::new(join(keys, kind), Arc::new(context)).expect("the plan is right")
}

fn count(prepared: &Prepared) -> usize {
    let mut run = prepared.start(&[]).expect("a run");
    let mut rows = 0;
    while let Some(batch) = run.next().expect("no row fails") {
        rows += batch.rows;
    }
    rows
}

fn measure(
    c: &mut Criterion,
    group: &str,
    parameter: String,
    prepared: &Prepared,
    probe: usize,
    expected: usize,
) {
    assert_eq!(count(prepared), expected, "{group}/{parameter}");
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(probe as u64)).sample_size(10);
    group.bench_function(BenchmarkId::from_parameter(parameter), |bencher| {
        bencher.iter(|| black_box(count(prepared)));
    });
    group.finish();
}

/// Every probe row finds its one match; the build side grows beyond the caches.
fn unique_keys(c: &mut Criterion) {
    let mut random = Random(7);
    for build in [1_000u64, 100_000, 2_000_000] {
        let probe: Vec<u64> = (0..probe_rows()).map(|_| random.below(build)).collect();
        let rows: Vec<u64> = (0..build).collect();
        for keys in [Keys::Dense, Keys::Scattered, Keys::Text, Keys::Pair] {
            let prepared = prepared(keys, JoinKind::Inner, &probe, &rows);
            let parameter = format!("{}/{build}", keys.name());
            measure(c, "join_unique", parameter, &prepared, probe.len(), probe.len());
        }
    }
}

/// One probe row in a hundred finds a match.
fn few_matches(c: &mut Criterion) {
    let mut random = Random(8);
    let build: Vec<u64> = (0..500_000).collect();
    let probe: Vec<u64> = (0..probe_rows()).map(|_| random.below(50_000_000)).collect();
    let expected = probe.iter().filter(|&&number| number < 500_000).count();
    for keys in [Keys::Scattered, Keys::Text] {
        let prepared = prepared(keys, JoinKind::Inner, &probe, &build);
        measure(c, "join_few_matches", keys.name().into(), &prepared, probe.len(), expected);
    }
}

/// Each key of the build side is there eight times.
fn many_matches(c: &mut Criterion) {
    let mut random = Random(9);
    let build: Vec<u64> = (0..800_000).map(|row| row % 100_000).collect();
    let probe: Vec<u64> = (0..probe_rows() / 4).map(|_| random.below(100_000)).collect();
    for keys in [Keys::Dense, Keys::Scattered] {
        let prepared = prepared(keys, JoinKind::Inner, &probe, &build);
        measure(c, "join_many_matches", keys.name().into(), &prepared, probe.len(), probe.len() * 8);
    }
}

/// Kinds that give rows of the probe side only.
fn choices(c: &mut Criterion) {
    let mut random = Random(10);
    let build: Vec<u64> = (0..600_000).map(|row| row / 3 * 5).collect();
    let probe: Vec<u64> = (0..probe_rows()).map(|_| random.below(1_000_000)).collect();
    let found = probe.iter().filter(|&&number| number % 5 == 0).count();
    for (kind, name, expected) in [
        (JoinKind::LeftSemi, "semi", found),
        (JoinKind::LeftAnti, "anti", probe.len() - found),
        (JoinKind::Left, "left", probe.len() + 2 * found),
    ] {
        let prepared = prepared(Keys::Scattered, kind, &probe, &build);
        measure(c, "join_kind", name.into(), &prepared, probe.len(), expected);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_profiler(FlameGraph::default());
    targets = unique_keys, few_matches, many_matches, choices
}
criterion_main!(benches);

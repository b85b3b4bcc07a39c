//! Expressions over long arrays, in bytes moved a second, next to a copy in the same run.
//!
//! Arrays take `HYPOSTYLE_BENCH_BYTES` (64 MiB unless told); four times the last-level cache is what
//! the bars are stated for. Each result is checked once before it is timed.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Float64Array, StringViewArray};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle_benches::FlameGraph;
use hypostyle_engine::expression::{Evaluator, ExpressionSet};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Batch, Catalog, Configuration, Context};
use hypostyle_functions::column::Column;
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Field, Literal, Registry, Schema, Type, Value};

/// Bytes of a column of the batches that a host pushes.
const BATCH_BYTES: usize = 128 << 10;

fn bytes() -> usize {
    std::env::var("HYPOSTYLE_BENCH_BYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(64 << 20)
}

/// Uniform in `-1 .. 1` from a seed.
fn uniform(seed: u64, length: usize) -> impl Iterator<Item = f64> {
    let mut state = seed;
    (0..length).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    })
}

/// Columns `a`, `b` and `c` of one float type.
struct Arrays {
    data_type: Type,
    batch: Batch,
    width: usize,
}

impl Arrays {
    fn new(data_type: Type) -> Self {
        let width = if data_type == Type::Float32 { 4 } else { 8 };
        let rows = bytes() / width;
        let columns = (1..=3).map(|seed| {
            let array: ArrayRef = match data_type {
                Type::Float32 => {
                    Arc::new(Float32Array::from_iter_values(uniform(seed, rows).map(|x| x as f32)))
                }
                _ => Arc::new(Float64Array::from_iter_values(uniform(seed, rows))),
            };
            Column::Flat(array)
        });
        let batch = Batch::new(columns.collect(), rows);
        Self { data_type, batch, width }
    }

    /// The batches that a host would push, of this many rows; only the first `columns` columns, and constants for the others.
    fn batches(&self, columns: usize, rows: usize) -> Vec<Batch> {
        let unread = Column::nulls(&self.data_type, self.batch.rows);
        let read = |index: usize| if index < columns { &self.batch.columns[index] } else { &unread };
        let batch = Batch::new((0..3).map(|index| read(index).clone()).collect(), self.batch.rows);
        let starts = (0..batch.rows).step_by(rows);
        starts.map(|start| batch.slice(start, rows.min(batch.rows - start))).collect()
    }

    fn column(&self, index: usize) -> Expression {
        Expression::column(index, self.data_type.clone())
    }

    fn constant(&self, value: f64) -> Expression {
        let value = if self.width == 4 { Value::float32(value as f32) } else { Value::float64(value) };
        Expression::Literal(Literal::new(value))
    }

    fn call(&self, function: &str, a: Expression, b: Expression) -> Expression {
        Expression::call(function, vec![a, b], self.data_type.clone())
    }

    fn evaluator(&self, expression: Expression) -> Evaluator {
        let fields = ["a", "b", "c"].map(|name| Field::new(name, self.data_type.clone()));
        let context = Context::new(
            Arc::new(Registry::builtin()),
            Arc::new(Catalog::default()),
            Settings::default(),
            Configuration::default(),
        );
        let set = ExpressionSet::compile(&[expression], &Schema::new(fields.into()), &Arc::new(context));
        set.and_then(|set| Evaluator::new(set, &[])).expect("the expression compiles")
    }

    fn name(&self) -> &'static str {
        if self.width == 4 { "f32" } else { "f64" }
    }
}

fn greater(a: Expression, b: Expression) -> Expression {
    Expression::call(">", vec![a, b], Type::Boolean)
}

fn copy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copy");
    let rows = bytes() / 8;
    let source: Vec<f64> = uniform(1, rows).collect();
    let mut target = vec![0.0f64; rows];
    group.throughput(Throughput::Bytes(2 * bytes() as u64));
    group.bench_function("memory", |bencher| {
        bencher.iter(|| {
            target.copy_from_slice(black_box(&source));
            black_box(&mut target);
        });
    });
    group.finish();
}

fn computed(criterion: &mut Criterion) {
    for data_type in [Type::Float32, Type::Float64] {
        let arrays = Arrays::new(data_type);
        let (a, b, c) = (arrays.column(0), arrays.column(1), arrays.column(2));
        let call = |name: &str, x: Expression, y: Expression| arrays.call(name, x, y);
        let multiply_add = call("+", call("*", a.clone(), b.clone()), c.clone());
        let clamp = Expression::call(
            "clamp",
            vec![a.clone(), arrays.constant(-0.5), arrays.constant(0.5)],
            arrays.data_type.clone(),
        );
        let affine = call("+", call("*", a.clone(), arrays.constant(3.0)), arrays.constant(0.25));
        let chain = Expression::Case {
            branches: vec![(
                greater(affine.clone(), arrays.constant(0.5)),
                call("*", call("-", affine.clone(), b.clone()), arrays.constant(0.125)),
            )],
            otherwise: Some(Box::new(affine)),
            data_type: arrays.data_type.clone(),
        };
        // Columns read and written once each.
        for (name, expression, moved) in
            [("multiply_add", multiply_add, 4), ("clamp", clamp, 2), ("chain_of_five", chain, 3)]
        {
            let mut group = criterion.benchmark_group(name);
            let mut evaluator = arrays.evaluator(expression);
            group.throughput(Throughput::Bytes((moved * bytes()) as u64));
            group.bench_function(BenchmarkId::new(arrays.name(), "whole"), |bencher| {
                bencher.iter(|| evaluator.evaluate(black_box(&arrays.batch)).expect("no row fails"));
            });
            let batches = arrays.batches(moved - 1, BATCH_BYTES / arrays.width);
            group.bench_function(BenchmarkId::new(arrays.name(), "batches"), |bencher| {
                bencher.iter(|| {
                    for batch in &batches {
                        black_box(evaluator.evaluate(batch).expect("no row fails"));
                    }
                });
            });
            group.finish();
        }
    }
}

fn filter(criterion: &mut Criterion) {
    for data_type in [Type::Float32, Type::Float64] {
        let arrays = Arrays::new(data_type);
        for (kept, border) in [("half", 0.0), ("1_in_100", 0.98)] {
            let mut evaluator = arrays.evaluator(greater(arrays.column(0), arrays.constant(border)));
            let count = evaluator.select(&arrays.batch).expect("no row fails").count();
            let mut group = criterion.benchmark_group(format!("filter_kept_{kept}"));
            group.throughput(Throughput::Bytes((bytes() + count * arrays.width) as u64));
            group.bench_function(BenchmarkId::new(arrays.name(), "whole"), |bencher| {
                bencher.iter(|| {
                    let keep = evaluator.select(black_box(&arrays.batch)).expect("no row fails");
                    arrays.batch.columns[0].filter(keep.bits(), keep.count()).expect("a filter of floats")
                });
            });
            let batches = arrays.batches(1, BATCH_BYTES / arrays.width);
            group.bench_function(BenchmarkId::new(arrays.name(), "batches"), |bencher| {
                bencher.iter(|| {
                    for batch in &batches {
                        let keep = evaluator.select(batch).expect("no row fails");
                        black_box(
                            batch.columns[0].filter(keep.bits(), keep.count()).expect("a filter of floats"),
                        );
                    }
                });
            });
            group.finish();
        }
    }
}

/// Two conditions on text, the one that keeps all rows written first or last: the order is learnt, so both take the same time.
fn conjuncts(criterion: &mut Criterion) {
    const ROWS: usize = 1 << 20;
    let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(
        (0..ROWS).map(|row| format!("a text of some length {row}")),
    ));
    let batch = Batch::new(vec![Column::Flat(texts)], ROWS);
    let condition = |function: &str, part: &str| {
        let part = Expression::Literal(Literal::new(Value::text(part)));
        Expression::call(function, vec![Expression::column(0, Type::Text), part], Type::Boolean)
    };
    let keeps_all = condition("contains", "gth");
    let keeps_few = condition("ends_with", "777");
    let context = Context::new(
        Arc::new(Registry::builtin()),
        Arc::new(Catalog::default()),
        Settings::default(),
        Configuration::default(),
    );
    let (context, schema) = (Arc::new(context), Schema::new(vec![Field::new("s", Type::Text)]));
    let mut group = criterion.benchmark_group("conjuncts");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, parts) in [
        ("selective_last", [keeps_all.clone(), keeps_few.clone()]),
        ("selective_first", [keeps_few, keeps_all]),
    ] {
        let set = ExpressionSet::compile(&[Expression::And(parts.to_vec())], &schema, &context);
        let mut evaluator = set.and_then(|set| Evaluator::new(set, &[])).expect("the expression compiles");
        let size = Configuration::default().batch_rows;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut kept = 0;
                for start in (0..ROWS).step_by(size) {
                    kept += evaluator.select(&batch.slice(start, size)).expect("no row fails").count();
                }
                assert_eq!(kept, ROWS / 1000 + usize::from(ROWS % 1000 > 777));
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = expression;
    config = Criterion::default().sample_size(10).with_profiler(FlameGraph::default());
    targets = copy, computed, filter, conjuncts
}
criterion_main!(expression);

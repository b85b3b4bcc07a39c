//! Feature functions through the evaluator, in values a second: plain columns and the elements of lists, in memory
//! larger than the caches and in batches of the default size.
//!
//! `arithmetic` is what a kernel does with values that are in registers already, at each CPU level: the bound that memory and
//! the engine take from.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int64Array, ListArray, StringViewArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field as ArrowField};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle_benches::FlameGraph;
use hypostyle_engine::expression::{Evaluator, ExpressionSet};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Batch, Catalog, Configuration, Context};
use hypostyle_functions::column::Column;
use hypostyle_functions::kernel::hash::sigrid::{SigridHash, sigrid_hash_at, sigrid_sum_at};
use hypostyle_functions::kernel::level::Level;
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Field, Literal, Registry, Schema, Type, Value};

/// Values of a column: 32 MiB of ids.
const VALUES: usize = 1 << 22;
/// Ids of a list, as sparse features of recommenders have them.
const LIST: usize = 20;
/// Slots of the table that ids are hashed into.
const TABLE: i64 = 1_000_003;

/// Numbers below 2^53 from a fixed seed.
fn numbers(count: usize) -> impl Iterator<Item = u64> {
    let mut state = 42u64;
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    })
}

fn ids() -> Arc<Int64Array> {
    Arc::new(Int64Array::from_iter_values(numbers(VALUES).map(|number| number as i64)))
}

fn floats() -> Arc<Float32Array> {
    let share = 1e6 / (1u64 << 53) as f64;
    Arc::new(Float32Array::from_iter_values(numbers(VALUES).map(|number| (number as f64 * share) as f32)))
}

fn lists(elements: ArrayRef) -> ArrayRef {
    let rows = elements.len() / LIST;
    let field = Arc::new(ArrowField::new("item", elements.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(LIST, rows));
    Arc::new(ListArray::new(field, offsets, elements.slice(0, rows * LIST), None))
}

fn type_of(data_type: &DataType) -> Type {
    Type::from_arrow(data_type).expect("a type that columns have")
}

fn constant(value: impl Into<Value>) -> Expression {
    Expression::Literal(Literal::new(value.into()))
}

/// Times a call over a column, batch by batch; the first argument is the column.
fn call(
    criterion: &mut Criterion,
    name: &str,
    shape: &str,
    column: ArrayRef,
    function: &str,
    rest: Vec<Expression>,
    result: Type,
) {
    let rows = column.len();
    let data_type = type_of(column.data_type());
    let mut arguments = vec![Expression::column(0, data_type.clone())];
    arguments.extend(rest);
    let context = Context::new(
        Arc::new(Registry::builtin()),
        Arc::new(Catalog::default()),
        Settings::default(),
        Configuration::default(),
    );
    let schema = Schema::new(vec![Field::new("x", data_type)]);
    let set =
        ExpressionSet::compile(&[Expression::call(function, arguments, result)], &schema, &Arc::new(context));
    let mut evaluator = set.and_then(|set| Evaluator::new(set, &[])).expect("the expression compiles");
    let batch = Batch::new(vec![Column::Flat(column)], rows);
    let size = if shape == "list" { 8192 / LIST * 4 } else { Configuration::default().batch_rows };
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(VALUES as u64));
    group.bench_function(BenchmarkId::from_parameter(shape), |bencher| {
        bencher.iter(|| {
            for start in (0..rows).step_by(size) {
                let part = batch.slice(start, size.min(rows - start));
                black_box(evaluator.evaluate(&part).expect("no row fails"));
            }
        });
    });
    group.finish();
}

fn sigrid(criterion: &mut Criterion) {
    let hash = SigridHash::new(7, TABLE).expect("a table with slots");
    let held = numbers(1024).map(|number| number as i64).collect::<Vec<_>>();
    let mut output = vec![0; held.len()];
    let mut group = criterion.benchmark_group("sigrid_hash");
    group.throughput(Throughput::Elements(held.len() as u64));
    for level in Level::available() {
        group.bench_function(BenchmarkId::new("arithmetic", level), |bencher| {
            bencher.iter(|| sigrid_sum_at(level, &hash, black_box(1), held.len()));
        });
        group.bench_function(BenchmarkId::new("in_cache", level), |bencher| {
            bencher.iter(|| sigrid_hash_at(level, &hash, black_box(&held), &mut output));
        });
    }
    group.finish();
    let rest = || vec![constant(7i64), constant(TABLE)];
    call(criterion, "sigrid_hash", "column", ids(), "sigrid_hash", rest(), Type::Int64);
    let result = Type::list(Type::Int64);
    call(criterion, "sigrid_hash", "list", lists(ids()), "sigrid_hash", rest(), result);
}

fn bucketize(criterion: &mut Criterion) {
    for count in [1024usize, 4096] {
        let borders = (1..=count).map(|at| Value::float64(at as f64 * 1e6 / count as f64)).collect();
        let text = |text: &str| constant(Value::from(text));
        let rest = || {
            let borders = Value::List(Type::Float64, Vec::clone(&borders));
            vec![constant(borders), text("left"), text("last"), text("null")]
        };
        let name = format!("bucketize/{count}");
        call(criterion, &name, "column", floats(), "bucketize", rest(), Type::Int32);
        call(criterion, &name, "list", lists(floats()), "bucketize", rest(), Type::list(Type::Int32));
    }
}

fn scaling(criterion: &mut Criterion) {
    let single = |value: f32| constant(Value::float32(value));
    let compat = || constant(Value::from("sklearn"));
    let standard = vec![single(5e5), single(3e5), compat()];
    call(criterion, "standard_scale", "column", floats(), "standard_scale", standard.clone(), Type::Float32);
    let list = Type::list(Type::Float32);
    call(criterion, "standard_scale", "list", lists(floats()), "standard_scale", standard, list);
    call(criterion, "log1p_clip", "column", floats(), "log1p_clip", vec![], Type::Float32);
    call(criterion, "boxcox", "column", floats(), "boxcox", vec![single(0.3)], Type::Float32);
    call(criterion, "yeo_johnson", "column", floats(), "yeo_johnson", vec![single(0.3)], Type::Float32);
}

fn texts(criterion: &mut Criterion) {
    let names: StringViewArray = numbers(VALUES).map(|number| Some(format!("{number:08x}"))).collect();
    let names: ArrayRef = Arc::new(names);
    for algorithm in ["xxhash64", "farm", "murmur3"] {
        let rest = vec![
            constant(TABLE),
            constant(0i64),
            constant(Value::from(algorithm)),
            constant(Value::from("null")),
        ];
        let name = format!("hash_bucket/{algorithm}");
        call(criterion, &name, "text", Arc::clone(&names), "hash_bucket", rest, Type::Int64);
    }
}

/// Features of one example of a large recommender: numbers, lists of ids, and buckets that are made of numbers.
const DENSE: usize = 504;
const SPARSE: usize = 42;
const GENERATED: usize = 42;
/// Borders of each generated feature.
const BORDERS: usize = 4096;
/// Rows of a batch.
const ROWS: usize = 8192;

/// Numbers of which one in twenty is missing.
fn dense_column(seed: usize) -> Column {
    let share = 1e4 / (1u64 << 53) as f64;
    let value = |number: u64| (!number.is_multiple_of(20)).then_some((number as f64 * share) as f32);
    Column::Flat(Arc::new(numbers(ROWS + seed).skip(seed).map(value).collect::<Float32Array>()))
}

/// Lists of up to 40 ids, 20 on average.
fn sparse_column(seed: usize) -> Column {
    let lengths: Vec<usize> = numbers(ROWS + seed).skip(seed).map(|number| (number % 41) as usize).collect();
    let ids = numbers(lengths.iter().sum()).map(|number| number as i64);
    let field = Arc::new(ArrowField::new("item", DataType::Int64, true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
    Column::Flat(Arc::new(ListArray::new(field, offsets, ids, None)))
}

/// The transforms of all features in one expression set: fill, log and scale of numbers; cut and hash of lists; buckets.
fn transforms() -> Vec<Expression> {
    let single = |value: f32| constant(Value::float32(value));
    let text = |text: &str| constant(Value::from(text));
    let list = Type::list(Type::Int64);
    let borders = (1..=BORDERS).map(|at| Value::float64(at as f64 * 1e4 / BORDERS as f64)).collect();
    let borders = constant(Value::List(Type::Float64, borders));
    let dense = (0..DENSE).map(|column| {
        let filled = Expression::Coalesce {
            arguments: vec![Expression::column(column, Type::Float32), single(0.0)],
            data_type: Type::Float32,
        };
        let logarithm = Expression::call("log1p_clip", vec![filled], Type::Float32);
        let arguments = vec![logarithm, single(8.2), single(0.9), text("sklearn")];
        Expression::call("standard_scale", arguments, Type::Float32)
    });
    let sparse = (0..SPARSE).map(|column| {
        let ids = Expression::column(DENSE + column, list.clone());
        let cut = Expression::call("firstx", vec![ids, constant(20i64)], list.clone());
        Expression::call("sigrid_hash", vec![cut, constant(column as i64), constant(TABLE)], list.clone())
    });
    let generated = (0..GENERATED).map(|column| {
        let x = Expression::column(column, Type::Float32);
        let arguments = vec![x, borders.clone(), text("left"), text("last"), text("null")];
        Expression::call("bucketize", arguments, Type::Int32)
    });
    dense.chain(sparse).chain(generated).collect()
}

/// Examples a second of one core, from columns in memory to columns in memory.
fn recommender(criterion: &mut Criterion) {
    let columns: Vec<Column> = (0..DENSE).map(dense_column).chain((0..SPARSE).map(sparse_column)).collect();
    let list = Type::list(Type::Int64);
    let fields = (0..DENSE + SPARSE).map(|column| {
        let data_type = if column < DENSE { Type::Float32 } else { list.clone() };
        Field::new(format!("f{column}"), data_type)
    });
    let schema = Schema::new(fields.collect());
    let context = Context::new(
        Arc::new(Registry::builtin()),
        Arc::new(Catalog::default()),
        Settings::default(),
        Configuration::default(),
    );
    let set = ExpressionSet::compile(&transforms(), &schema, &Arc::new(context));
    let mut evaluator = set.and_then(|set| Evaluator::new(set, &[])).expect("the expressions compile");
    let batch = Batch::new(columns, ROWS);
    let mut group = criterion.benchmark_group("recommender");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("504_dense_42_lists_42_buckets", |bencher| {
        bencher.iter(|| evaluator.evaluate(black_box(&batch)).expect("no row fails"));
    });
    group.finish();
}

criterion_group! {
    name = feature;
    config = Criterion::default().sample_size(10).with_profiler(FlameGraph::default());
    targets = sigrid, bucketize, scaling, texts, recommender
}
criterion_main!(feature);

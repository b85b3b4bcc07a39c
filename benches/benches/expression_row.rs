//! Single rows: the time of one evaluation of twenty expressions, set and read included.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hypostyle_benches::FlameGraph;
use hypostyle_engine::expression::{ExpressionSet, RowEvaluator};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Catalog, Configuration, Context};
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Field, Literal, Registry, Schema, Type, Value};

fn constant(value: f64) -> Expression {
    Expression::Literal(Literal::new(Value::float64(value)))
}

fn call(function: &str, arguments: Vec<Expression>) -> Expression {
    Expression::call(function, arguments, Type::Float64)
}

fn greater(a: Expression, b: Expression) -> Expression {
    Expression::call(">", vec![a, b], Type::Boolean)
}

/// Twenty features of ten numbers: scaled, clipped, combined and bucketed by CASE.
fn numeric() -> (Schema, Vec<Expression>) {
    let fields = (0..10).map(|index| Field::new(format!("x{index}"), Type::Float64)).collect();
    let column = |index: usize| Expression::column(index, Type::Float64);
    let scaled = |index: usize| {
        call("*", vec![call("-", vec![column(index), constant(0.5)]), constant(index as f64 + 1.5)])
    };
    let features = (0..10).flat_map(|index| {
        let clipped =
            call("least", vec![call("greatest", vec![scaled(index), constant(-3.0)]), constant(3.0)]);
        let bucket = Expression::Case {
            branches: vec![
                (greater(column(index), constant(0.9)), constant(2.0)),
                (greater(column(index), column((index + 1) % 10)), scaled(index)),
            ],
            otherwise: Some(Box::new(constant(0.0))),
            data_type: Type::Float64,
        };
        [clipped, bucket]
    });
    (Schema::new(fields), features.collect())
}

/// Twenty features of texts: lengths, cases, comparisons and defaults.
fn textual() -> (Schema, Vec<Expression>) {
    let fields = (0..5).map(|index| Field::new(format!("t{index}"), Type::Text)).collect();
    let column = |index: usize| Expression::column(index, Type::Text);
    let text = |value: &str| Expression::Literal(Literal::new(Value::text(value)));
    let features = (0..5).flat_map(|index| {
        let length = Expression::call("length", vec![column(index)], Type::Int64);
        let lower = Expression::call("lower", vec![column(index)], Type::Text);
        let equal = Expression::call("=", vec![lower.clone(), text("red")], Type::Boolean);
        let default =
            Expression::Coalesce { arguments: vec![lower.clone(), text("none")], data_type: Type::Text };
        [length, lower, equal, default]
    });
    (Schema::new(fields), features.collect())
}

fn evaluator((schema, expressions): (Schema, Vec<Expression>)) -> RowEvaluator {
    let context = Context::new(
        Arc::new(Registry::builtin()),
        Arc::new(Catalog::default()),
        Settings::default(),
        Configuration::default(),
    );
    let set = ExpressionSet::compile(&expressions, &schema, &Arc::new(context));
    set.and_then(|set| RowEvaluator::new(set, &[])).expect("the expressions compile")
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("row_of_20");
    group.throughput(Throughput::Elements(1));
    let mut numbers = evaluator(numeric());
    let mut value = 0.0;
    group.bench_function("numbers", |bencher| {
        bencher.iter(|| {
            value = if value > 1.0 { 0.0 } else { value + 0.013 };
            numbers.start(1).expect("one row");
            (0..10)
                .for_each(|column| numbers.set_f64(column, value + column as f64 / 20.0).expect("a float"));
            numbers.evaluate().expect("no row fails");
            (0..20).map(|output| numbers.get_f64(output, 0).unwrap_or(0.0)).sum::<f64>()
        });
    });
    let mut texts = evaluator(textual());
    let words = ["Red", "a rather long description of a thing", "", "GREEN", "blue"];
    let mut turn = 0;
    group.bench_function("texts", |bencher| {
        bencher.iter(|| {
            turn += 1;
            texts.start(1).expect("one row");
            (0..5).for_each(|column| texts.set_text(column, words[(turn + column) % 5]).expect("a text"));
            texts.evaluate().expect("no row fails");
            black_box(texts.get_text(1, 0).map(str::len))
        });
    });
    group.finish();
}

criterion_group! {
    name = expression_row;
    config = Criterion::default().with_profiler(FlameGraph::default());
    targets = rows
}
criterion_main!(expression_row);

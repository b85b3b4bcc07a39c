//! Tokenizers in bytes of text a second: cutting into pieces, whole encodings over text that the process has not seen and over text
//! that it has, other models, and the way back.
//!
//! The text is prose of this repository, some 5,000 different pieces: "first" has nothing remembered when it begins, so that it is
//! mostly merging, as the first kilobytes of every text are.
#![allow(clippy::expect_used)] // A bench that cannot be set up stops.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, ListArray, StringViewArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field as ArrowField};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle_benches::FlameGraph;
use hypostyle_engine::expression::{Evaluator, ExpressionSet};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Batch, Catalog, Configuration, Context};
use hypostyle_functions::column::Column;
use hypostyle_functions::kernel::pretokenize::Pretokenizer;
use hypostyle_functions::kernel::token::Encoded;
use hypostyle_functions::kernel::token::unigram::{Unigram, UnigramScratch};
use hypostyle_functions::kernel::token::word_piece::WordPiece;
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Field, Literal, Registry, Schema, Type, Value};

const TEXT: &str = concat!(
    include_str!("../../ARCHITECTURE.md"),
    include_str!("../../README.md"),
    include_str!("../../CHANGELOG.md"),
    include_str!("../../benches/README.md")
);

/// Rows of about two hundred bytes.
fn rows() -> Vec<&'static str> {
    let mut rows = Vec::new();
    let mut rest = TEXT;
    while !rest.is_empty() {
        let (row, behind) = rest.split_at(rest.floor_char_boundary(200));
        rows.push(row);
        rest = behind;
    }
    rows
}

/// A call over one column, compiled.
fn set(column: &Type, function: &str, rest: Vec<Expression>, result: Type) -> Arc<ExpressionSet> {
    let context = Context::new(
        Arc::new(Registry::builtin()),
        Arc::new(Catalog::default()),
        Settings::default(),
        Configuration::default(),
    );
    let schema = Schema::new(vec![Field::new("x", column.clone())]);
    let arguments = [vec![Expression::column(0, column.clone())], rest].concat();
    let call = Expression::call(function, arguments, result);
    ExpressionSet::compile(&[call], &schema, &Arc::new(context)).expect("the expression compiles")
}

fn evaluator(set: &Arc<ExpressionSet>) -> Evaluator {
    Evaluator::new(Arc::clone(set), &[]).expect("there are no parameters")
}

fn text(value: &str) -> Expression {
    Expression::Literal(Literal::new(Value::text(value)))
}

fn unset(data_type: Type) -> Expression {
    Expression::Literal(Literal::null(data_type))
}

fn no() -> Expression {
    Expression::Literal(Literal::new(Value::Boolean(false)))
}

fn split(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("token_split");
    group.throughput(Throughput::Bytes(TEXT.len() as u64));
    for (name, pretokenizer) in
        [("r50k", Pretokenizer::R50k), ("cl100k", Pretokenizer::Cl100k), ("o200k", Pretokenizer::O200k)]
    {
        group.bench_function(BenchmarkId::new("windows", name), |bencher| {
            bencher.iter(|| pretokenizer.count(black_box(TEXT)));
        });
        group.bench_function(BenchmarkId::new("characters", name), |bencher| {
            bencher.iter(|| pretokenizer.pieces(black_box(TEXT)).count());
        });
    }
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let rows = rows();
    let column: ArrayRef = Arc::new(StringViewArray::from_iter_values(rows.iter().copied()));
    let batch = Batch::new(vec![Column::Flat(column)], rows.len());
    let mut group = criterion.benchmark_group("tokenize");
    group.throughput(Throughput::Bytes(TEXT.len() as u64));
    for encoding in ["cl100k_base", "o200k_base"] {
        let rest = vec![text(encoding), no(), unset(Type::Int64), unset(Type::Boolean)];
        let set = set(&Type::Text, "tokenize", rest, Type::list(Type::Int32));
        group.bench_function(BenchmarkId::new("first", encoding), |bencher| {
            bencher.iter_batched_ref(
                || evaluator(&set),
                |evaluator| black_box(evaluator.evaluate(&batch).expect("no row fails")),
                BatchSize::PerIteration,
            );
        });
        let mut warm = evaluator(&set);
        group.bench_function(BenchmarkId::new("warm", encoding), |bencher| {
            bencher.iter(|| black_box(warm.evaluate(&batch).expect("no row fails")));
        });
    }
    let set =
        set(&Type::Text, "token_count", vec![text("cl100k_base"), no(), unset(Type::Boolean)], Type::Int64);
    let mut warm = evaluator(&set);
    group.bench_function(BenchmarkId::new("count", "cl100k_base"), |bencher| {
        bencher.iter(|| black_box(warm.evaluate(&batch).expect("no row fails")));
    });
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    let tokens: Vec<i32> = (0..100_000).map(|at| at * 7919 % 100_000).collect();
    let field = Arc::new(ArrowField::new("item", DataType::Int32, true));
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(50, tokens.len() / 50));
    let rows = tokens.len() / 50;
    let column: ArrayRef = Arc::new(ListArray::new(field, offsets, Arc::new(Int32Array::from(tokens)), None));
    let batch = Batch::new(vec![Column::Flat(column)], rows);
    let set = set(&Type::list(Type::Int32), "detokenize", vec![text("cl100k_base"), no()], Type::Text);
    let mut evaluator = evaluator(&set);
    let mut group = criterion.benchmark_group("detokenize");
    group.throughput(Throughput::Elements(100_000));
    group.bench_function("cl100k_base", |bencher| {
        bencher.iter(|| black_box(evaluator.evaluate(&batch).expect("every number is a token")));
    });
    group.finish();
}

/// Models over words, without what remembers them.
fn models(criterion: &mut Criterion) {
    let words: Vec<&str> = TEXT.split_whitespace().collect();
    let bytes: usize = words.iter().map(|word| word.len()).sum();
    // Words of the first half, and short endings.
    let known = &words[..words.len() / 2];
    let ends = |word: &'static str| word.char_indices().rev().take(4).map(move |(at, _)| &word[at..]);
    let endings: Vec<String> =
        known.iter().flat_map(|word| ends(word)).map(|end| format!("##{end}")).collect();
    let tokens = || known.iter().copied().chain(endings.iter().map(String::as_str)).zip(0u32..);
    let word_piece = WordPiece::new(tokens(), "##", 0, 100);
    let scored: Vec<(String, f64)> = tokens()
        .map(|(token, _)| token.trim_start_matches("##").to_owned())
        .map(|token| (token.clone(), -(20.0 / token.len() as f64)))
        .collect();
    let unigram = Unigram::new(&scored, Some(0), false);
    let mut group = criterion.benchmark_group("token_model");
    group.throughput(Throughput::Bytes(bytes as u64));
    let mut encoded = Encoded::default();
    group.bench_function("word_piece", |bencher| {
        bencher.iter(|| {
            encoded.clear();
            words.iter().for_each(|word| word_piece.encode(word, &mut encoded));
            encoded.ids.len()
        });
    });
    let mut scratch = UnigramScratch::default();
    group.bench_function("unigram", |bencher| {
        bencher.iter(|| {
            encoded.clear();
            words.iter().all(|word| unigram.encode(word, &mut scratch, &mut encoded));
            encoded.ids.len()
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_profiler(FlameGraph::default());
    targets = split, encode, decode, models
}
criterion_main!(benches);

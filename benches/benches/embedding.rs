//! Embeddings: measures of columns of vectors beyond the last-level cache and in it, pooling and codes, in bytes a second.
//!
//! `HYPOSTYLE_BENCH_BYTES` sets the size of the large column; take four times the last-level cache.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle_benches::FlameGraph;
use hypostyle_functions::kernel::level::Level;
use hypostyle_functions::kernel::vector::columns::{self, Columns};
use hypostyle_functions::kernel::vector::rows::Side;
use hypostyle_functions::kernel::vector::{int8, pool, rows};

const DIMENSION: usize = 768;
/// Vectors that fit the second-level cache.
const SMALL_ROWS: usize = 256;
/// Dimension of short vectors.
const SHORT_DIMENSION: usize = 128;
/// Elements of a part of a product code, and centroids of a part.
const PART: usize = 8;
const CENTROIDS: usize = 256;
/// Dimension and length of the lists that are pooled.
const POOLED_DIMENSION: usize = 64;
const LIST: usize = 20;
const SCALE: f32 = 0.01;

/// Numbers in -1 .. 1 from a fixed seed.
fn vectors(count: usize) -> Vec<f32> {
    let mut state = 42u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Bytes of a long array.
fn long_bytes() -> usize {
    std::env::var("HYPOSTYLE_BENCH_BYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(64 << 20)
}

/// The sizes of columns: name and rows.
fn sizes() -> [(&'static str, usize); 2] {
    [("in_cache", SMALL_ROWS), ("large", long_bytes() / (4 * DIMENSION))]
}

/// The sizes of columns that are measured: name, rows and dimension.
fn measured() -> [(&'static str, usize, usize); 3] {
    let [(cached, small), (large, rows)] = sizes();
    [
        (cached, small, DIMENSION),
        ("short_in_cache", SMALL_ROWS * 6, SHORT_DIMENSION),
        (large, rows, DIMENSION),
    ]
}

type Measure = fn(Level, Side<'_, f32>, Side<'_, f32>, usize, &mut [f32]);

fn measures(criterion: &mut Criterion) {
    let kernels: [(&str, Measure); 3] =
        [("dot", rows::dot_f32_at), ("cosine", rows::cosine_f32_at), ("l2", rows::l2_f32_at)];
    for (size, count, dimension) in measured() {
        let column = vectors(count * dimension);
        let query = vectors(dimension);
        let mut results = vec![0.0; count];
        for (name, kernel) in kernels {
            let mut group = criterion.benchmark_group(format!("{name}_f32/{size}"));
            group.throughput(Throughput::Bytes(4 * column.len() as u64));
            for level in Level::available() {
                let side = Side::adjoining(&column, dimension);
                group.bench_function(BenchmarkId::new("constant", level), |bencher| {
                    bencher.iter(|| {
                        kernel(level, black_box(side), Side::same(&query), dimension, &mut results);
                    });
                });
                group.bench_function(BenchmarkId::new("two_columns", level), |bencher| {
                    bencher.iter(|| kernel(level, black_box(side), side, dimension, &mut results));
                });
            }
            group.finish();
        }
    }
}

fn pools(criterion: &mut Criterion) {
    for (size, count) in sizes() {
        let values = vectors(count * DIMENSION);
        let list = LIST * POOLED_DIMENSION;
        let mut sums = vec![0.0; POOLED_DIMENSION];
        let mut means = vec![0.0; POOLED_DIMENSION];
        let mut group = criterion.benchmark_group(format!("mean_pool_f32/{size}"));
        group.throughput(Throughput::Bytes(4 * values.len() as u64));
        for level in Level::available() {
            group.bench_function(BenchmarkId::from_parameter(level), |bencher| {
                bencher.iter(|| {
                    for start in (0..values.len() / list).map(|row| row * list) {
                        sums.fill(0.0);
                        pool::sum_f32_at(level, &values[start..], list, &mut sums);
                        pool::divide_f32_at(level, &sums, LIST as f32, &mut means);
                        black_box(&means);
                    }
                });
            });
        }
        group.finish();
    }
}

fn codes(criterion: &mut Criterion) {
    for (size, count) in sizes() {
        let values = vectors(count * DIMENSION);
        let mut codes = vec![0; values.len()];
        let mut group = criterion.benchmark_group(format!("quantize_i8/{size}"));
        group.throughput(Throughput::Bytes(4 * values.len() as u64));
        for level in Level::available() {
            group.bench_function(BenchmarkId::from_parameter(level), |bencher| {
                bencher.iter(|| int8::quantize_at(level, black_box(&values), SCALE, 0, &mut codes));
            });
        }
        group.finish();
    }
}

/// The nearest centroid of each part of short vectors.
fn product_codes(criterion: &mut Criterion) {
    let rows = 1000;
    let parts = rows * SHORT_DIMENSION / PART;
    let (values, centroids) = (vectors(parts * PART), Columns::new(&vectors(CENTROIDS * PART), PART));
    let mut distances = centroids.room();
    let mut group = criterion.benchmark_group("product_code");
    group.throughput(Throughput::Elements(rows as u64));
    for level in Level::available() {
        group.bench_function(BenchmarkId::from_parameter(level), |bencher| {
            bencher.iter(|| {
                values.chunks_exact(PART).fold(0, |sum, part| {
                    columns::distances_f32_at(level, part, &centroids, &mut distances);
                    sum + columns::first_least_f32_at(level, &distances)
                })
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = embedding;
    config = Criterion::default().sample_size(10).with_profiler(FlameGraph::default());
    targets = measures, pools, codes, product_codes
}
criterion_main!(embedding);

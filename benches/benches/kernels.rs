//! Kernels over slices that fit the second-level cache, and over lists that do not: elements a second at each CPU level.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle_functions::kernel::bucketize::{Borders, Closed, bucketize_f32_at};
use hypostyle_functions::kernel::eigen::eigen;
use hypostyle_functions::kernel::embedding;
use hypostyle_functions::kernel::hash::row::hash_bytes;
use hypostyle_functions::kernel::hash::sigrid::{SigridHash, sigrid_hash_at};
use hypostyle_functions::kernel::level::Level;
use hypostyle_functions::kernel::reproducible::Sum;
use hypostyle_functions::kernel::snappy::{expand, expanded_length};
use hypostyle_functions::kernel::span::Span;
use hypostyle_functions::kernel::span::gather::Gathered;
use hypostyle_functions::kernel::span::keyed::{KeyTable, places_i64_at};
use hypostyle_functions::kernel::span::order::ascending_i64_at;
use hypostyle_functions::kernel::span::part::{End, parts_at};
use hypostyle_functions::kernel::span::recall::{
    Recall, common_i64_at, count_distinct_i64_at, distinct_i64_at, has_any_i64_at,
};
use hypostyle_functions::kernel::span::sought::Sought;
use hypostyle_functions::kernel::span::{Stretches, total};
use hypostyle_functions::kernel::transcendental as math;
use hypostyle_functions::kernel::whole_arithmetic::{self, Add, Multiply, Subtract};

const ELEMENTS: usize = 65_536;

/// Uniform doubles in `low .. high` from a fixed seed.
fn uniform(low: f64, high: f64) -> Vec<f64> {
    let mut state = 42u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..ELEMENTS).map(|_| low + (high - low) * next()).collect()
}

fn transcendental(criterion: &mut Criterion) {
    type Kernel = fn(Level, &[f64], &mut [f64]);
    let kernels: [(&str, Kernel, f64, f64); 6] = [
        ("ln", math::ln_at, 1e-3, 1e6),
        ("log1p", math::log1p_at, 0.0, 1e4),
        ("exp", math::exp_at, -20.0, 20.0),
        ("sigmoid", math::sigmoid_at, -10.0, 10.0),
        ("tanh", math::tanh_at, -3.0, 3.0),
        ("sin", math::sin_at, -100.0, 100.0),
    ];
    let mut output = vec![0.0; ELEMENTS];
    for (name, kernel, low, high) in kernels {
        let input = uniform(low, high);
        let mut group = criterion.benchmark_group(format!("{name}_f64"));
        group.throughput(Throughput::Elements(ELEMENTS as u64));
        for level in Level::available() {
            group.bench_function(BenchmarkId::from_parameter(level.tier().name()), |bencher| {
                bencher.iter(|| kernel(level, black_box(&input), &mut output));
            });
        }
    }
}

fn bucketize(criterion: &mut Criterion) {
    let input: Vec<f32> = uniform(0.0, 1e6).into_iter().map(|value| value as f32).collect();
    let mut output = vec![0; ELEMENTS];
    let even = |share: f64| share * 1e6;
    let skewed = |share: f64| (share * 1e6f64.ln()).exp();
    type Kind<'a> = (&'a str, &'a dyn Fn(f64) -> f64);
    let kinds: [Kind<'_>; 2] = [("even", &even), ("skewed", &skewed)];
    let counts = [16usize, 256, 1024, 4096];
    for ((kind, border), count) in kinds.into_iter().flat_map(|kind| counts.map(|count| (kind, count))) {
        let borders: Vec<f64> = (1..=count).map(|at| border(at as f64 / count as f64)).collect();
        let Ok(borders) = Borders::<f32>::new(&borders, Closed::Left) else { return };
        let mut group = criterion.benchmark_group(format!("bucketize_f32/{kind}_{count}"));
        group.throughput(Throughput::Elements(ELEMENTS as u64));
        for level in Level::available() {
            group.bench_function(BenchmarkId::from_parameter(level.tier().name()), |bencher| {
                bencher.iter(|| bucketize_f32_at(level, &borders, black_box(&input), &mut output));
            });
        }
    }
}

/// Lists of up to 40 ids from a skewed vocabulary, as places in one slice.
fn id_lists() -> (Vec<i64>, Vec<Span>) {
    let ids = uniform(0.0, 1.0).into_iter().map(|place| (place.powi(3) * 1e4) as i64).collect();
    let mut spans: Vec<Span> = Vec::new();
    let mut start = 0;
    for length in (0..=40u32).cycle().map(|step| step * 17 % 41) {
        if start + length > ELEMENTS as u32 {
            break;
        }
        spans.push((start, start + length));
        start += length;
    }
    (ids, spans)
}

/// What list functions do with the elements of all lists at once, in elements a second.
fn spans(criterion: &mut Criterion) {
    let (ids, spans) = id_lists();
    let others: Vec<i64> = ids.iter().rev().copied().collect();
    let (lists, other_lists) = ((ids.as_slice(), spans.as_slice()), (others.as_slice(), spans.as_slice()));
    let mut results = vec![0; ELEMENTS + 1];
    let (mut counts, mut wide_counts) = (vec![0; spans.len()], vec![0; spans.len()]);
    let mut truths = vec![false; spans.len()];
    let mut recall = Recall::default();
    let table = KeyTable::new(&(0..64).map(|key| key * 3).collect::<Vec<u64>>());
    let mut places = vec![0; spans.len() * table.stride()];
    let offsets: Vec<i32> = std::iter::once(0).chain(spans.iter().map(|span| span.1 as i32)).collect();
    let (mut starts, mut sizes) = (vec![0; spans.len()], vec![0; spans.len()]);
    let (mut sums, mut found) = (vec![0; spans.len()], vec![0; spans.len().div_ceil(64)]);
    let mut group = criterion.benchmark_group("spans_i64");
    group.throughput(Throughput::Elements(ELEMENTS as u64));
    for level in Level::available() {
        let name = |kernel: &str| BenchmarkId::new(kernel, level.tier().name());
        group.bench_function(name("sort"), |bencher| {
            bencher.iter(|| ascending_i64_at(level, black_box(&ids), &spans, &mut results));
        });
        group.bench_function(name("distinct"), |bencher| {
            bencher.iter(|| distinct_i64_at(level, black_box(lists), &mut recall, &mut results, &mut counts));
        });
        group.bench_function(name("count_distinct"), |bencher| {
            bencher.iter(|| count_distinct_i64_at(level, black_box(lists), &mut recall, &mut wide_counts));
        });
        group.bench_function(name("common"), |bencher| {
            bencher.iter(|| {
                common_i64_at(level, black_box(lists), other_lists, &mut recall, &mut results, &mut counts)
            });
        });
        group.bench_function(name("has_any"), |bencher| {
            bencher.iter(|| has_any_i64_at(level, black_box(lists), other_lists, &mut recall, &mut truths));
        });
        group.bench_function(name("sum"), |bencher| {
            let stretches = Stretches::Adjoining(&offsets);
            bencher.iter(|| total::sum(level, black_box(&ids), stretches, &mut sums));
        });
        if i64::found(level, &ids, &offsets, 17, &mut found) {
            group.bench_function(name("contains"), |bencher| {
                bencher.iter(|| i64::found(level, black_box(&ids), &offsets, 17, &mut found));
            });
        }
        group.bench_function(name("first_10"), |bencher| {
            let (begin, end) = (End::Start(0), End::Start(10));
            bencher.iter(|| parts_at(level, black_box(&offsets), begin, end, &mut starts, &mut sizes));
        });
        group.bench_function(name("places_of_64_keys"), |bencher| {
            bencher.iter(|| places_i64_at(level, &table, black_box(&ids), &spans, &mut places));
        });
    }
}

/// What totals, searches and moves of lists take that are read from memory, a batch at a time: 128 MiB of ids, at the level of the machine.
fn spans_beyond_caches(criterion: &mut Criterion) {
    const COPIES: usize = 256;
    const BATCH: usize = 2048;
    let (ids, spans) = id_lists();
    let end = spans.last().map_or(0, |span| span.1);
    let all_ids: Vec<i64> = ids[..end as usize].repeat(COPIES);
    let all_spans: Vec<Span> = (0..COPIES as u32)
        .flat_map(|copy| spans.iter().map(move |&(start, stop)| (copy * end + start, copy * end + stop)))
        .collect();
    let offsets: Vec<i32> = std::iter::once(0).chain(all_spans.iter().map(|span| span.1 as i32)).collect();
    let level = Level::current();
    let (mut sums, mut most, mut found) = (vec![0; BATCH], vec![0; BATCH], vec![0; BATCH / 64]);
    let mut moved = vec![0; BATCH * 40];
    let batches =
        || (0..all_spans.len()).step_by(BATCH).map(|first| first..all_spans.len().min(first + BATCH));
    let mut group = criterion.benchmark_group("spans_beyond_caches");
    group.throughput(Throughput::Elements(all_ids.len() as u64)).sample_size(20);
    group.bench_function("sum", |bencher| {
        bencher.iter(|| {
            for rows in batches() {
                let own = Stretches::Adjoining(&offsets[rows.start..=rows.end]);
                total::sum(level, black_box(&all_ids), own, &mut sums[..rows.len()]);
            }
        });
    });
    group.bench_function("greatest", |bencher| {
        bencher.iter(|| {
            for rows in batches() {
                let own = Stretches::Adjoining(&offsets[rows.start..=rows.end]);
                total::greatest(level, black_box(&all_ids), own, &mut most[..rows.len()]);
            }
        });
    });
    if i64::found(level, &all_ids, &offsets[..=64], 17, &mut found) {
        group.bench_function("contains", |bencher| {
            bencher.iter(|| {
                for rows in batches() {
                    i64::found(level, black_box(&all_ids), &offsets[rows.start..=rows.end], 17, &mut found);
                }
            });
        });
    }
    group.bench_function("reverse", |bencher| {
        bencher.iter(|| {
            for rows in batches() {
                let own = &all_spans[rows.clone()];
                let elements = (offsets[rows.end] - offsets[rows.start]) as usize;
                i64::reverse(black_box(&all_ids), own, &mut moved[..elements]);
            }
        });
    });
}

/// All eigenvectors of covariances, as `principal_components` finds them.
fn eigenvectors(criterion: &mut Criterion) {
    let draws = uniform(-1.0, 1.0);
    let mut group = criterion.benchmark_group("eigen");
    group.sample_size(10);
    for size in [64, 256] {
        let element = |row: usize, column: usize| draws[row.min(column) * size + row.max(column)];
        let matrix: Vec<f64> = (0..size * size).map(|place| element(place / size, place % size)).collect();
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| eigen(black_box(matrix.clone()), size));
        });
    }
}

fn whole_numbers(criterion: &mut Criterion) {
    type Kernel = fn(&[i64], &[i64], &mut [i64]) -> bool;
    let kernels: [(&str, Kernel); 3] = [
        ("add", whole_arithmetic::run::<Add, i64>),
        ("subtract", whole_arithmetic::run::<Subtract, i64>),
        ("multiply", whole_arithmetic::run::<Multiply, i64>),
    ];
    let numbers: Vec<i64> = uniform(-1e6, 1e6).into_iter().map(|value| value as i64).collect();
    let mut results = vec![0; ELEMENTS];
    let mut group = criterion.benchmark_group("checked_i64");
    group.throughput(Throughput::Elements(ELEMENTS as u64));
    for (name, kernel) in kernels {
        for (shape, other) in [("column", &numbers[..]), ("constant", &[7][..])] {
            group.bench_function(BenchmarkId::new(name, shape), |bencher| {
                bencher.iter(|| kernel(black_box(&numbers), black_box(other), &mut results));
            });
        }
    }
    group.finish();
}

fn hashes(criterion: &mut Criterion) {
    let ids: Vec<i64> = uniform(0.0, 1e15).into_iter().map(|value| value as i64).collect();
    let mut output = vec![0i64; ELEMENTS];
    let Some(hash) = SigridHash::new(7, 1_000_003) else { return };
    let mut group = criterion.benchmark_group("sigrid_hash");
    group.throughput(Throughput::Elements(ELEMENTS as u64));
    for level in Level::available() {
        group.bench_function(BenchmarkId::from_parameter(level.tier().name()), |bencher| {
            bencher.iter(|| sigrid_hash_at(level, &hash, black_box(&ids), &mut output));
        });
    }
    group.finish();
    let text = vec![b'x'; 4096];
    let mut group = criterion.benchmark_group("hash_bytes");
    for length in [8usize, 24, 4096] {
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
            bencher.iter(|| hash_bytes(black_box(&text[..length]), 1));
        });
    }
}

fn vectors(criterion: &mut Criterion) {
    let left: Vec<f32> = uniform(-1.0, 1.0).into_iter().map(|value| value as f32).collect();
    let right: Vec<f32> = left.iter().rev().copied().collect();
    for dimension in [64usize, 768] {
        let mut group = criterion.benchmark_group(format!("vector_f32/{dimension}"));
        group.throughput(Throughput::Bytes(8 * ELEMENTS as u64));
        let pairs = || left.chunks_exact(dimension).zip(right.chunks_exact(dimension));
        group.bench_function("dot", |bencher| {
            bencher.iter(|| pairs().map(|(a, b)| embedding::dot_f32(a, b)).sum::<f32>());
        });
        group.bench_function("cosine", |bencher| {
            bencher.iter(|| pairs().map(|(a, b)| embedding::cosine_f32(a, b)).sum::<f32>());
        });
    }
}

fn sums(criterion: &mut Criterion) {
    let values = uniform(-1e6, 1e6);
    let mut group = criterion.benchmark_group("sum_f64");
    group.throughput(Throughput::Bytes(8 * ELEMENTS as u64));
    group.bench_function("reproducible", |bencher| {
        bencher.iter(|| {
            let mut sum = Sum::default();
            sum.add_slice(black_box(&values));
            sum.finish()
        });
    });
    group.bench_function("plain", |bencher| bencher.iter(|| black_box(&values).iter().sum::<f64>()));
}

/// Blocks of a mebibyte as Parquet holds them, beside the crate that the format's other readers use.
fn snappy(criterion: &mut Criterion) {
    let draws = uniform(0.0, 1.0);
    let bytes_of = |value: &dyn Fn(f64) -> u64| -> Vec<u8> {
        draws.iter().flat_map(|&draw| value(draw).to_le_bytes()).collect()
    };
    let mut time = 1_704_067_200_000_000u64;
    let times: Vec<u8> = draws
        .iter()
        .flat_map(|&draw| {
            time += (draw * 1.5e6) as u64;
            time.to_le_bytes()
        })
        .collect();
    let inputs = [
        ("times in order", times),
        ("keys", bytes_of(&|draw| (draw * 1e5) as u64)),
        ("random", bytes_of(&|draw| draw.to_bits())),
    ];
    let mut group = criterion.benchmark_group("snappy");
    for (name, plain) in inputs {
        let Ok(block) = snap::raw::Encoder::new().compress_vec(&plain) else { return };
        let Ok((length, head)) = expanded_length(&block) else { return };
        let mut output = vec![0; length];
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("expand", name), |bencher| {
            bencher.iter(|| expand(black_box(&block[head..]), &mut output));
        });
        let mut decoder = snap::raw::Decoder::new();
        group.bench_function(BenchmarkId::new("snap", name), |bencher| {
            bencher.iter(|| decoder.decompress(black_box(&block), &mut output));
        });
    }
}

criterion_group!(
    kernels,
    transcendental,
    bucketize,
    spans,
    spans_beyond_caches,
    eigenvectors,
    whole_numbers,
    hashes,
    vectors,
    sums,
    snappy
);
criterion_main!(kernels);

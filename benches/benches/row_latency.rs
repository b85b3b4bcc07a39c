//! Latency of serving: twenty features of mixed kind for one row after another, each row measured by itself.
//!
//! A transform is fitted on generated clicks; 100,000 distinct rows are then served in random order. What is measured of each is
//! setting 20 inputs, evaluating, and reading 20 outputs. Nothing is remembered from one row to the next.
//!
//! A server has taken its request apart when it sets inputs, so each row is copied out of the many before its time begins. The second
//! line leaves that out: then a row's texts, lists and embeddings lie anywhere in 130 MB, and waiting for them is part of its time.
#![allow(clippy::expect_used, clippy::print_stdout)] // A bench that cannot be set up stops, and says what it found.

use std::hint::black_box;
use std::time::Instant;

use hypostyle::{RowEvaluator, Session};

const ROWS: usize = 100_000;

/// Elements of the embeddings.
const DIMENSION: usize = 64;

/// Rows before any is measured.
const WARM_UP: usize = 10_000;

const SOURCE: &str = "(SELECT i % 997 / 7.0 AS n0, i % 991 / 3.0 AS n1, sin(i) * 40 AS n2, cos(i) * 9 AS n3, i % 13 / 13.0 AS n4, i % 17 * 1.5::DOUBLE AS n5, \
    i % 5000 AS i0, i * 37 % 100000 AS i1, i % 24 AS i2, 'agent ' || i % 700 AS t0, 'city ' || i % 3000 AS t1, 'brand ' || i % 90 AS t2, \
    'item-' || i AS t3, [i, i + 1, i + 2] AS l0, [i, i + 2, i + 9] AS l1, [i % 50] AS l2, \
    TIMESTAMP '2024-01-01' + to_seconds(i * 977) AS s0, TIMESTAMP '2024-02-01' + to_seconds(i * 577) AS s1, \
    list_resize([0.5::FLOAT], 64, 0.25::FLOAT)::FLOAT[64] AS e0, list_resize([0.25::FLOAT], 64, 0.5::FLOAT)::FLOAT[64] AS e1 \
    FROM range(20000) t(i))";

const DEFINITION: &str = "SELECT standard_scale(n0) AS f0, log1p(greatest(n1, 0)) AS f1, n2 * n3 + n4 AS f2, n5 / (1 + abs(n2)) AS f3, \
    min_max_scale(n3, clip => true) AS f4, quantile_bucketize(n1, 32)::BIGINT AS f5, bucketize(n0, [1.0, 5.0, 20.0, 80.0])::BIGINT AS f6, \
    hash_bucket(t0, 1000000) AS f7, vocab_encode(t1, oov => 8) AS f8, target_encode(t2, n4) AS f9, hash_bucket(t3, 4096) AS f10, \
    count_encode(i0) AS f11, id_overlap_count(l0, l1)::BIGINT AS f12, len(l2)::BIGINT AS f13, list_has_any(l1, l2) AS f14, \
    date_part('hour', s0)::BIGINT AS f15, date_part('dow', s1)::BIGINT AS f16, cosine_similarity(e0, e1)::DOUBLE AS f17, \
    CASE WHEN i2 BETWEEN 8 AND 18 THEN n0 ELSE -n0 END AS f18, sigmoid(n2 / 10) + i1 % 7 AS f19 FROM input";

/// The values of one row.
#[derive(Default)]
struct Row {
    numbers: [f64; 6],
    integers: [i64; 3],
    texts: [String; 4],
    lists: [Vec<i64>; 3],
    instants: [i64; 2],
    embeddings: [Vec<f32>; 2],
}

impl Row {
    /// Takes the values of another row.
    fn take(&mut self, other: &Self) {
        (self.numbers, self.integers, self.instants) = (other.numbers, other.integers, other.instants);
        self.texts.clone_from(&other.texts);
        self.lists.clone_from(&other.lists);
        self.embeddings.clone_from(&other.embeddings);
    }
}

/// Numbers that look random, one after another.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

fn row(state: &mut u64) -> Row {
    let mut below = |limit: u64| next(state) % limit;
    Row {
        numbers: std::array::from_fn(|_| below(100_000) as f64 / 700.0 - 30.0),
        integers: [below(6_000) as i64, below(100_000) as i64, below(24) as i64],
        texts: [
            format!("agent {}", below(1_000)),
            format!("city {}", below(4_000)),
            format!("brand {}", below(100)),
            format!("item-{}", below(u64::MAX)),
        ],
        lists: std::array::from_fn(|_| (0..below(12)).map(|_| below(200) as i64).collect()),
        instants: std::array::from_fn(|_| 1_700_000_000_000_000 + below(1 << 45) as i64),
        embeddings: std::array::from_fn(|_| {
            (0..DIMENSION).map(|_| below(2_000) as f32 / 1_000.0 - 1.0).collect()
        }),
    }
}

/// Sets the inputs, which stand in this order, evaluates, and reads what came out.
fn serve(evaluator: &mut RowEvaluator, places: &[usize; 20], row: &Row) -> f64 {
    evaluator.start(1).expect("one row");
    let mut places = places.iter().copied();
    let mut place = || places.next().expect("twenty inputs");
    row.numbers.iter().for_each(|number| evaluator.set_f64(place(), *number).expect("a number"));
    row.integers.iter().for_each(|integer| evaluator.set_i64(place(), *integer).expect("an integer"));
    row.texts.iter().for_each(|text| evaluator.set_text(place(), text).expect("a text"));
    row.lists.iter().for_each(|list| evaluator.set_list_i64(place(), list).expect("a list"));
    row.instants.iter().for_each(|instant| evaluator.set_i64(place(), *instant).expect("an instant"));
    row.embeddings
        .iter()
        .for_each(|embedding| evaluator.set_fixed_list_f32(place(), embedding).expect("an embedding"));
    evaluator.evaluate().expect("no row fails");
    let mut sum = 0.0;
    for output in 0..20 {
        sum += match output {
            0..=4 | 9 | 17..=19 => evaluator.get_f64(output, 0).unwrap_or(0.0),
            14 => f64::from(u8::from(evaluator.get_bool(output, 0).unwrap_or(false))),
            _ => evaluator.get_i64(output, 0).unwrap_or(0) as f64,
        };
    }
    sum
}

fn main() {
    let session = Session::new();
    let transform = session.fit(DEFINITION, SOURCE).expect("the transform is fitted");
    let mut evaluator = transform.row().expect("its outputs are evaluated row by row");
    let names = [
        "n0", "n1", "n2", "n3", "n4", "n5", "i0", "i1", "i2", "t0", "t1", "t2", "t3", "l0", "l1", "l2", "s0",
        "s1", "e0", "e1",
    ];
    let places = names.map(|name| evaluator.input(name).expect("an input of this name"));
    let mut state = 7;
    let rows: Vec<Row> = (0..ROWS).map(|_| row(&mut state)).collect();
    let mut order: Vec<usize> = (0..ROWS).collect();
    (1..ROWS).rev().for_each(|last| order.swap(last, next(&mut state) as usize % (last + 1)));
    for &place in order.iter().take(WARM_UP) {
        black_box(serve(&mut evaluator, &places, &rows[place]));
    }
    let mut request = Row::default();
    let mut decoded = Vec::with_capacity(ROWS);
    for &place in &order {
        request.take(&rows[place]);
        decoded.push(timed(&mut evaluator, &places, black_box(&request)));
    }
    show("one row of 20 features", decoded);
    let far = order.iter().map(|&place| timed(&mut evaluator, &places, black_box(&rows[place])));
    show("with its values far away", far.collect());
}

/// Nanoseconds that a row takes.
fn timed(evaluator: &mut RowEvaluator, places: &[usize; 20], row: &Row) -> u64 {
    let started = Instant::now();
    black_box(serve(evaluator, places, row));
    started.elapsed().as_nanos() as u64
}

fn show(what: &str, mut nanoseconds: Vec<u64>) {
    nanoseconds.sort_unstable();
    let share = |share: f64| nanoseconds[(share * (ROWS - 1) as f64) as usize] as f64 / 1000.0;
    println!(
        "{what}: p50 {:.2} us, p90 {:.2} us, p99 {:.2} us, p99.9 {:.2} us, over {ROWS} rows",
        share(0.5),
        share(0.9),
        share(0.99),
        share(0.999)
    );
}

//! The fuzz cases on seeded bytes for a few seconds each: mutations of good inputs, and noise.
//!
//! `FUZZ_SEED` and `FUZZ_SECONDS` change the seed and the time of each case. A case that fails prints its input's seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../fuzz/cases/mod.rs"]
mod cases;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use hypostyle::Session;

/// Seconds of each case unless the environment says otherwise.
const SECONDS: u64 = 3;

/// A small generator of random numbers (splitmix64), so that a seed gives the same bytes everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

fn environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// A good input with some bytes changed, removed, doubled or cut off.
fn mutated(good: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 if !bytes.is_empty() => {
                let end = (at + random.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let piece = bytes[at..(at + random.below(16)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            4 if random.below(8) == 0 => bytes.truncate(at),
            _ => {
                let noise: Vec<u8> = (0..random.below(4)).map(|_| random.next() as u8).collect();
                bytes.splice(at..at, noise);
            }
        }
    }
    bytes
}

/// Runs a case on the good inputs themselves, and then on mutations of them until the time is over.
fn replay(case: fn(&[u8]), good: &[Vec<u8>]) {
    let seed = environment("FUZZ_SEED", 1);
    let end = Instant::now() + Duration::from_secs(environment("FUZZ_SECONDS", SECONDS));
    good.iter().for_each(|bytes| case(bytes));
    let mut number = 0;
    while Instant::now() < end {
        number += 1;
        let mut random = Random(seed.wrapping_mul(0x1_0001).wrapping_add(number));
        let bytes = if good.is_empty() || random.below(20) == 0 {
            (0..random.below(300)).map(|_| random.next() as u8).collect()
        } else {
            mutated(&good[random.below(good.len())], &mut random)
        };
        if catch_unwind(AssertUnwindSafe(|| case(&bytes))).is_err() {
            let path = std::env::temp_dir().join(format!("hypostyle-fuzz-{seed}-{number}"));
            std::fs::write(&path, &bytes).unwrap();
            panic!("input {number} of seed {seed} fails; it is kept at {}", path.display());
        }
    }
}

/// A file of the given kind, as the engine itself writes it.
fn written(extension: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("good.{extension}"));
    let rows = "SELECT x AS id, 'name ' || x AS name, x / 3 AS f, [x, NULL] AS l, {'a': x, 'b': 'y'} AS s,
        CASE WHEN x % 3 = 0 THEN NULL ELSE x * 1.5 END AS n, DATE '2024-01-01' + x::INTEGER AS d FROM range(40) t(x)";
    let flat = "SELECT x AS id, 'na,me \"' || x AS name, x / 3 AS f, DATE '2024-01-01' + x::INTEGER AS d FROM range(40) t(x)";
    let query = if extension == "csv" { flat } else { rows };
    Session::new().sql(&format!("COPY ({query}) TO '{}'", path.display())).unwrap().drain().unwrap();
    std::fs::read(path).unwrap()
}

fn texts_of(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn sql_text_is_planned_or_refused() {
    let good = [texts_of("tests/plans", "sql"), texts_of("tests/tpch", "sql")].concat();
    replay(cases::sql_text::run, &good);
}

#[test]
fn expressions_agree_with_themselves() {
    replay(cases::expression::run, &[]);
}

#[test]
fn csv_is_read_or_refused() {
    replay(cases::csv::run, &[written("csv"), b"a,b\n1,2\n".to_vec(), b"\"x\ny\";2\r\n\"\"\"\";3".to_vec()]);
}

#[test]
fn ndjson_is_read_or_refused() {
    replay(
        cases::ndjson::run,
        &[written("ndjson"), b"{\"a\": [1, {\"b\": null}]}\n{\"a\": \"x\"}\n".to_vec()],
    );
}

#[test]
fn parquet_is_read_or_refused() {
    replay(cases::parquet::run, &[written("parquet")]);
}

#[test]
fn arrow_ipc_is_read_or_refused() {
    replay(cases::arrow_ipc::run, &[written("arrow")]);
}

#[test]
fn plan_bytes_are_run_or_refused() {
    let session = Session::new();
    let queries = [
        "SELECT x + 1 AS y FROM range(10) t(x) WHERE x > 3",
        "SELECT x % 3 AS k, sum(x) AS s FROM range(10) t(x) GROUP BY k ORDER BY k LIMIT 2",
        "SELECT list_transform([1, 2], e -> e + x) AS l FROM range(3) t(x)",
    ];
    let good = queries.map(|sql| session.prepare(sql).unwrap().plan().to_bytes().unwrap());
    replay(cases::plan::run, &good);
}

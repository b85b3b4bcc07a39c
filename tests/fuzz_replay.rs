//! The fuzz cases without the nightly compiler: all inputs that once failed (`fuzz/regressions`), and for a few seconds
//! each mutations of good inputs, and noise.
//!
//! `FUZZ_SEED` and `FUZZ_SECONDS` change the seed and the time of each case, `FUZZ_FIRST` starts at a later input. A case that
//! fails prints its input's seed.
//! `FUZZ_SEEDS=folder cargo test --test fuzz_replay -- --ignored` writes the good inputs, for the fuzzer to start from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../fuzz/cases/mod.rs"]
mod cases;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use hypostyle::Session;

/// Seconds of each case unless the environment says otherwise.
const SECONDS: u64 = 3;

/// The targets under `fuzz/fuzz_targets`.
const TARGETS: [&str; 9] =
    ["sql_text", "expression", "csv", "ndjson", "parquet", "arrow_ipc", "plan", "substrait", "transform"];

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

/// Runs a case on the inputs that once failed, on the good inputs, and then on mutations of both until the time is over.
fn replay(target: &str, case: fn(&[u8])) {
    let seed = environment("FUZZ_SEED", 1);
    let end = Instant::now() + Duration::from_secs(environment("FUZZ_SECONDS", SECONDS));
    let mut known = regressions(target);
    known.extend(
        good(target).into_iter().enumerate().map(|(number, bytes)| (format!("good {number}"), bytes)),
    );
    for (name, bytes) in &known {
        assert!(catch_unwind(|| case(bytes)).is_ok(), "{target}: {name} fails");
    }
    let mut number = environment("FUZZ_FIRST", 1).saturating_sub(1);
    while Instant::now() < end {
        number += 1;
        let mut random = Random(seed.wrapping_mul(0x1_0001).wrapping_add(number));
        let bytes = if known.is_empty() || random.below(20) == 0 {
            (0..random.below(300)).map(|_| random.next() as u8).collect()
        } else {
            mutated(&known[random.below(known.len())].1, &mut random)
        };
        if catch_unwind(AssertUnwindSafe(|| case(&bytes))).is_err() {
            let path = std::env::temp_dir().join(format!("hypostyle-fuzz-{seed}-{number}"));
            std::fs::write(&path, &bytes).unwrap();
            panic!("input {number} of seed {seed} fails; it is kept at {}", path.display());
        }
    }
}

/// Inputs that made a case fail before what was wrong was corrected, with their names.
fn regressions(target: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(Path::new("fuzz/regressions").join(target)) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

/// Inputs that are read to their end.
fn good(target: &str) -> Vec<Vec<u8>> {
    match target {
        "sql_text" => [texts_of("tests/plans", "sql"), texts_of("tests/tpch", "sql")].concat(),
        "csv" => vec![written("csv"), b"a,b\n1,2\n".to_vec(), b"\"x\ny\";2\r\n\"\"\"\";3".to_vec()],
        "ndjson" => vec![written("ndjson"), b"{\"a\": [1, {\"b\": null}]}\n{\"a\": \"x\"}\n".to_vec()],
        "parquet" => vec![written("parquet")],
        "arrow_ipc" => vec![written("arrow")],
        "plan" => plans(),
        "substrait" => cases::substrait::good(),
        "transform" => cases::transform::good(),
        _ => Vec::new(),
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

fn plans() -> Vec<Vec<u8>> {
    let session = Session::new();
    let queries = [
        "SELECT x + 1 AS y FROM range(10) t(x) WHERE x > 3",
        "SELECT x % 3 AS k, sum(x) AS s FROM range(10) t(x) GROUP BY k ORDER BY k LIMIT 2",
        "SELECT list_transform([1, 2], e -> e + x) AS l FROM range(3) t(x)",
        "SELECT a.x, upper('t' || b.x) AS t FROM range(5) a(x) JOIN range(4) b(x) ON a.x = b.x ORDER BY t",
        "SELECT unnest([x, 2]) AS u, CASE WHEN x > 1 THEN sqrt(x) END AS r FROM range(3) t(x)",
    ];
    queries.map(|sql| session.prepare(sql).unwrap().plan().to_bytes().unwrap()).into()
}

#[test]
#[ignore = "writes the good inputs to the folder FUZZ_SEEDS"]
fn good_inputs_are_written() {
    let folder = std::env::var_os("FUZZ_SEEDS").expect("FUZZ_SEEDS names a folder");
    for target in TARGETS {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, bytes) in good(target).iter().enumerate() {
            std::fs::write(folder.join(format!("good-{number}")), bytes).unwrap();
        }
    }
}

#[test]
fn sql_text_is_planned_or_refused() {
    replay("sql_text", cases::sql_text::run);
}

#[test]
fn expressions_agree_with_themselves() {
    replay("expression", cases::expression::run);
}

#[test]
fn csv_is_read_or_refused() {
    replay("csv", cases::csv::run);
}

#[test]
fn ndjson_is_read_or_refused() {
    replay("ndjson", cases::ndjson::run);
}

#[test]
fn parquet_is_read_or_refused() {
    replay("parquet", cases::parquet::run);
}

#[test]
fn arrow_ipc_is_read_or_refused() {
    replay("arrow_ipc", cases::arrow_ipc::run);
}

#[test]
fn plan_bytes_are_run_or_refused() {
    replay("plan", cases::plan::run);
}

#[test]
fn substrait_bytes_are_run_or_refused() {
    replay("substrait", cases::substrait::run);
}

#[test]
fn transforms_are_read_or_refused() {
    assert_eq!(good("transform").len(), 2);
    replay("transform", cases::transform::run);
}

#[test]
fn a_dictionary_that_promises_more_than_it_holds_is_refused_before_room_is_made() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/regressions/parquet/dictionary-that-promises-too-much");
    let answer = hypostyle::Session::new().sql(&format!("SELECT s FROM read_parquet('{path}')"));
    let error = answer.and_then(hypostyle::Answer::drain).unwrap_err().to_string();
    assert!(error.contains("whose header promises values of"), "{error}");
}

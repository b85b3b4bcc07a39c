//! What goes wrong on a user's machine: each is a clear error with its exit status, and nothing half-written is left.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hypostyle"));
    command.args(arguments).env("NO_COLOR", "1");
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Names of all files in a folder, hidden ones as well, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Waits for something that a running program does; fails after a minute.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A query that is wrong, parts of what standard error must say, and whether the place in the text is shown.
struct Wrong {
    sql: &'static str,
    said: &'static [&'static str],
    shows_place: bool,
}

const fn at_place(sql: &'static str, said: &'static [&'static str]) -> Wrong {
    Wrong { sql, said, shows_place: true }
}

const fn in_data(sql: &'static str, said: &'static [&'static str]) -> Wrong {
    Wrong { sql, said, shows_place: false }
}

const WRONG: [Wrong; 27] = [
    at_place("SELEC 1", &["line 1, column 1", "unexpected \"SELEC\""]),
    at_place("SELECT 1 +", &["column 11", "the text ends"]),
    at_place("SELECT 'abc", &["unterminated string"]),
    at_place("SELECT price,\n  (x FROM t", &["line 2"]),
    at_place("SELECT prise FROM (SELECT 1 AS price)", &["no column \"prise\"", "did you mean \"price\""]),
    at_place("SELECT a FROM 'good.csv' t WHERE t.c = 1", &["column 36", "no column \"c\""]),
    at_place("SELECT * FROM no_such_table", &["no table \"no_such_table\""]),
    at_place("SELECT * FROM good.csv", &["no table \"good.csv\"", "in quotes: 'good.csv'"]),
    at_place("SELECT sqrtt(4)", &["no function \"sqrtt\"", "did you mean \"sqrt\""]),
    at_place("SELECT sqrt('x', 2)", &["sqrt", "expected sqrt(x DOUBLE)"]),
    at_place("SELECT 'abc' + 1", &["cannot cast \"abc\" from VARCHAR to INTEGER"]),
    at_place("SELECT [1] + {'a': 1}", &["no form takes"]),
    at_place("SELECT * FROM 'nope.csv'", &["nope.csv", "there is no such file"]),
    at_place("SELECT * FROM 'nope-*.parquet'", &["nope-*.parquet"]),
    at_place("SELECT * FROM 'cut.parquet'", &["cut.parquet", "not valid Parquet"]),
    at_place("SELECT * FROM 'text.parquet'", &["text.parquet", "not valid Parquet"]),
    at_place("SELECT * FROM 'empty.parquet'", &["empty.parquet", "not valid Parquet"]),
    at_place("SELECT * FROM 'cut.arrow'", &["cut.arrow", "not valid Arrow IPC"]),
    at_place("SELECT count(*) FROM 'cut.csv.gz'", &["cut.csv.gz"]),
    at_place("SELECT * FROM 'cut.ndjson'", &["cut.ndjson, line 2", "not valid JSON"]),
    in_data("SELECT sum(x) FROM 'damaged.parquet'", &["damaged.parquet"]),
    in_data("SELECT * FROM 'bytes.csv'", &["bytes.csv, line 2, column \"b\"", "not valid UTF-8"]),
    in_data(
        "SELECT * FROM read_csv('mixed.csv', columns = {'a': 'INTEGER', 'b': 'VARCHAR'})",
        &["mixed.csv, line 3, column \"a\"", "\"foo\"", "INTEGER"],
    ),
    at_place("SELECT a // (a - 1) FROM 'good.csv'", &["division by zero"]),
    at_place("SELECT a % (a - 1) FROM 'good.csv'", &["division by zero"]),
    at_place("SELECT 9223372036854775807 + a FROM 'good.csv'", &["out of range for BIGINT"]),
    at_place("SELECT b::INTEGER FROM 'good.csv'", &["column 8", "cannot cast \"x\" from VARCHAR to INTEGER"]),
];

fn write_inputs(folder: &Path) {
    let at = |name: &str| folder.join(name);
    std::fs::write(at("good.csv"), "a,b\n1,x\n2,y\n").unwrap();
    std::fs::write(at("text.parquet"), "a,b\n1,x\n2,y\n").unwrap();
    std::fs::write(at("empty.parquet"), "").unwrap();
    std::fs::write(at("mixed.csv"), "a,b\n1,x\nfoo,y\n").unwrap();
    std::fs::write(at("bytes.csv"), b"a,b\n1,\xff\xfe\n").unwrap();
    std::fs::write(at("cut.ndjson"), "{\"a\":1}\n{\"a\":").unwrap();
    let sql = "COPY (SELECT x, 'n' || x AS s FROM range(20000) t(x)) TO";
    for (whole, cut) in [("w.parquet", "cut.parquet"), ("w.arrow", "cut.arrow"), ("w.csv.gz", "cut.csv.gz")] {
        let output = run(&["query", &format!("{sql} '{}'", at(whole).display())]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let bytes = std::fs::read(at(whole)).unwrap();
        std::fs::write(at(cut), &bytes[..bytes.len() / 2]).unwrap();
    }
    let mut damaged = std::fs::read(at("w.parquet")).unwrap();
    // Behind the magic number stands the header of the first page.
    damaged[4..40].fill(0xAA);
    std::fs::write(at("damaged.parquet"), damaged).unwrap();
}

#[test]
fn wrong_queries_and_wrong_data_are_told_apart_and_named() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path());
    let before = names(folder.path());
    for Wrong { sql, said, shows_place } in &WRONG {
        for arguments in [&["query", sql][..], &["query", sql, "--output", "out.parquet"]] {
            let output = program(arguments).current_dir(folder.path()).output().unwrap();
            let error = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{sql}: {error}");
            assert!(error.starts_with("hypostyle: "), "{sql}: {error}");
            for part in *said {
                assert!(error.contains(part), "{sql}: {part:?} is not in {error}");
            }
            assert_eq!(error.contains('^'), *shows_place, "{sql}: {error}");
            assert!(!error.contains("panicked"), "{sql}: {error}");
            assert_eq!(names(folder.path()), before, "{sql}");
        }
    }
}

#[test]
fn a_query_beyond_its_budget_says_what_held_the_memory() {
    let output = run(&["query", "SELECT list(x) AS l FROM range(20000000) t(x)", "--memory-limit", "32MB"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.starts_with("hypostyle: out of memory: ") && error.contains("32000000 bytes"), "{error}");
}

/// Runs a shell script in which `$disk` is a disk of 2 MiB of its own; `None` where the system does not let us.
fn on_small_disk(script: &str) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    let mounted = format!("mount -t tmpfs -o size=2m tmpfs '{0}' && disk='{0}'", folder.path().display());
    let shell = |script: &str| {
        Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .env("hypostyle", env!("CARGO_BIN_EXE_hypostyle"))
            .env("NO_COLOR", "1")
            .output()
    };
    match shell(&mounted) {
        Ok(output) if output.status.success() => Some(shell(&format!("{mounted} && {script}")).unwrap()),
        _ => {
            println!("skipped: a disk of its own cannot be mounted here");
            None
        }
    }
}

#[test]
fn a_full_disk_is_a_clear_error_and_leaves_no_part_of_a_file() {
    let query = "SELECT x, md5(x::VARCHAR) AS m FROM range(400000) t(x)";
    for name in ["t.parquet", "t.csv", "t.csv.gz", "t.ndjson", "t.json", "t.arrow"] {
        let copy = format!("\"$hypostyle\" query \"COPY ({query}) TO '$disk/{name}'\"");
        let output = format!("\"$hypostyle\" query \"{query}\" --output \"$disk/{name}\"");
        for command in [copy, output] {
            let script = format!("{command}; status=$?; ls -A \"$disk\"; exit $status");
            let Some(output) = on_small_disk(&script) else { return };
            let error = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{command}: {error}");
            assert!(error.contains(name) && error.contains("No space left"), "{command}: {error}");
            assert_eq!(text(&output.stdout), "", "{command}");
        }
    }
}

#[test]
fn a_full_disk_leaves_an_old_file_as_it_was() {
    let query = "SELECT x, md5(x::VARCHAR) AS m FROM range(400000) t(x)";
    let script = format!(
        "echo old > \"$disk/t.csv\" && \"$hypostyle\" query \"COPY ({query}) TO '$disk/t.csv'\"; \
         ls -A \"$disk\"; cat \"$disk/t.csv\""
    );
    let Some(output) = on_small_disk(&script) else { return };
    assert_eq!(text(&output.stdout), "t.csv\nold\n", "{}", text(&output.stderr));
}

#[test]
fn a_full_disk_under_a_spill_is_a_clear_error_and_leaves_nothing() {
    let queries = [
        "SELECT count(*) FROM (SELECT x * 7919 % 3000017 AS k, count(*) AS n FROM range(3000000) t(x) GROUP BY k)",
        "SELECT md5(x::VARCHAR) AS m FROM range(1500000) t(x) ORDER BY m",
        "SELECT count(*) FROM range(1500000) a(x) JOIN range(1500000) b(y) ON md5(x::VARCHAR) = md5(y::VARCHAR)",
        "SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY md5(x::VARCHAR)) AS r FROM range(1500000) t(x))",
        "SELECT count(*) FROM (SELECT DISTINCT md5(x::VARCHAR) FROM range(1500000) t(x))",
    ];
    for query in queries {
        let script = format!(
            "\"$hypostyle\" query \"SET temp_directory = '$disk/spill'; {query}\" --memory-limit 32MB --threads 1; \
             status=$?; ls -A \"$disk/spill\"; exit $status"
        );
        let Some(output) = on_small_disk(&script) else { return };
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{query}: {error}{}", text(&output.stdout));
        assert!(error.contains("the disk is full"), "{query}: {error}");
        assert_eq!(text(&output.stdout), "", "{query}");
    }
}

const ENDLESS: &str = "SELECT a.x * b.x AS y FROM range(1000000) a(x), range(1000000) b(x)";

fn start_copy(path: &Path) -> Child {
    let sql = format!("COPY ({ENDLESS}) TO '{}'", path.display());
    program(&["query", &sql]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_cancelled_copy_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["t.parquet", "t.csv", "t.ndjson", "t.arrow"] {
        let child = start_copy(&folder.path().join(name));
        wait_until("the start of the copy", || !names(folder.path()).is_empty());
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{name}");
        assert_eq!(text(&output.stderr), "hypostyle: interrupted\n", "{name}");
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }
}

#[test]
fn a_killed_copy_leaves_the_old_file_and_the_next_copy_clears_its_remains() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "old").unwrap();
    let mut child = start_copy(&path);
    wait_until("the start of the copy", || names(folder.path()).len() > 1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    let remains = names(folder.path());
    assert!(remains.len() == 2 && remains.iter().any(|name| name.ends_with(".partial")), "{remains:?}");
    // Remains are told from files just begun by their age.
    std::thread::sleep(Duration::from_millis(1200));
    let mut other = start_copy(&folder.path().join("t.csv.other"));
    wait_until("the start of the other copy", || names(folder.path()).len() > 2);
    let output = run(&["query", &format!("COPY (SELECT 1 AS x) TO '{}'", path.display())]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "x\n1\n");
    let left: Vec<_> = names(folder.path()).into_iter().filter(|name| *name != "t.csv").collect();
    assert!(left.len() == 1 && left[0].starts_with(".t.csv.other."), "{left:?}");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn what_a_killed_partitioned_copy_leaves_is_cleared_by_the_next_copy() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let copy = |rows: &str| {
        format!(
            "COPY (SELECT x, x % 3 AS p FROM {rows} r(x)) TO '{}' (FORMAT parquet, PARTITION_BY (p), OVERWRITE)",
            target.display()
        )
    };
    let mut child = program(&["query", &copy("range(100000000000)")])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let partitions = || files_below(folder.path());
    wait_until("the start of the copy", || partitions().len() >= 3);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(partitions().iter().all(|name| name.ends_with(".partial")), "{:?}", partitions());
    // Remains are told from files just begun by their age.
    std::thread::sleep(Duration::from_millis(1200));
    let output = run(&["query", &copy("range(30)")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let left = partitions();
    assert!(left.len() == 3 && left.iter().all(|name| name.ends_with(".parquet")), "{left:?}");
    let count = format!("SELECT count(*) AS n, sum(x) AS s FROM '{}/*/*.parquet'", target.display());
    assert_eq!(text(&run(&["query", &count]).stdout), "n,s\n30,435\n");
}

/// Names of all files in a folder and the folders in it, sorted.
fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_below(&entry.path())),
            _ => found.extend(entry.file_name().into_string()),
        }
    }
    found.sort();
    found
}

/// Statements that spill for a long time, each in another operator.
const SPILLING: [&str; 4] = [
    "SELECT md5(x::VARCHAR) AS m FROM range(100000000) t(x) ORDER BY m",
    "SELECT k, count(*) AS n FROM (SELECT md5(x::VARCHAR) AS k FROM range(100000000) t(x)) GROUP BY k",
    "SELECT count(*) AS n FROM range(100000000) a(x) JOIN range(100000000) b(y) ON md5(x::VARCHAR) = md5(y::VARCHAR)",
    "SELECT row_number() OVER (PARTITION BY x % 7 ORDER BY md5(x::VARCHAR)) AS r FROM range(100000000) t(x)",
];

#[test]
fn what_a_killed_spill_leaves_is_gone_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    for sql in SPILLING {
        let mut child = program(&["query", sql, "--memory-limit", "32MB"])
            .env("TMPDIR", folder.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("a spill", || !names(folder.path()).is_empty());
        // Somewhere in the middle of it.
        std::thread::sleep(Duration::from_millis(300));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = names(folder.path());
        assert!(left.len() == 1 && left[0].starts_with("hypostyle-spill-"), "{sql}: {left:?}");
        let output = program(&["query", "SELECT 1 AS x"]).env("TMPDIR", folder.path()).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", text(&output.stderr));
        assert_eq!(names(folder.path()), Vec::<String>::new(), "{sql}");
    }
}

#[test]
fn a_killed_fit_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.state");
    std::fs::write(&path, "old").unwrap();
    let sql = format!(
        "CREATE TRANSFORM t AS SELECT vocab_encode(c) AS c FROM input; FIT TRANSFORM t PARTIAL TO '{}' FROM (SELECT md5(i::VARCHAR) AS c FROM range(100000000) t(i))",
        path.display()
    );
    let mut child = program(&["query", &sql]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    assert!(child.try_wait().unwrap().is_none(), "the fit is still at it");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(folder.path()), ["t.state"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn a_killed_export_leaves_the_old_transform_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.hyp");
    let export = |entries: usize| {
        format!(
            "CREATE TRANSFORM t AS SELECT vocab_encode(c) AS c FROM input; FIT TRANSFORM t FROM (SELECT 'entry ' || i AS c FROM range({entries}) t(i)); \
             EXPORT TRANSFORM t TO '{}'",
            path.display()
        )
    };
    assert!(run(&["query", &export(3)]).status.success());
    let old = std::fs::read(&path).unwrap();
    for delay in [0, 2, 10] {
        let mut child = program(&["query", &export(20_000)])
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let is_written = || names(folder.path()).len() > 1 || std::fs::read(&path).unwrap() != old;
        wait_until("the export", is_written);
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let output = run(&["inspect", path.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

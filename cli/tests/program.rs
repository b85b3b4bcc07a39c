//! The program as a user runs it: results, formats, errors, exit statuses, files that appear whole or not at all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hypostyle"));
    command.args(arguments).env("NO_COLOR", "1");
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn run_with_input(arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    let mut child = program(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_ref()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Standard output of a run that succeeds silently.
fn answer(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout).to_owned()
}

const ROWS: &str =
    "SELECT * FROM (VALUES (1, 'a,b', [1, NULL]), (2, NULL, [])) t(id, name, list) ORDER BY id";

#[test]
fn a_result_is_csv_where_nobody_watches() {
    assert_eq!(answer(&["query", ROWS]), "id,name,list\n1,\"a,b\",\"[1, NULL]\"\n2,,[]\n");
}

#[test]
fn each_format_has_its_form() {
    let formatted = |format: &str| answer(&["query", ROWS, "--format", format]);
    assert_eq!(formatted("tsv"), "id\tname\tlist\n1\ta,b\t[1, NULL]\n2\t\t[]\n");
    assert_eq!(
        formatted("ndjson"),
        "{\"id\":1,\"name\":\"a,b\",\"list\":[1,null]}\n{\"id\":2,\"name\":null,\"list\":[]}\n"
    );
    let document = formatted("json");
    let rows: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(rows[0]["list"][0], 1);
    assert!(rows[1]["name"].is_null());
    assert!(formatted("markdown").starts_with("| id | name | list |\n| ---: | --- | --- |\n| 1 | a,b |"));
    assert!(formatted("table").ends_with("2 rows\n"));
    assert_eq!(formatted("none"), "");
}

#[test]
fn decimals_are_numbers_of_json() {
    let query = "SELECT 0.5::DECIMAL(1,1) a, [-0.05::DECIMAL(2,2), 1.5] b, 0.0::DECIMAL(3,3) c";
    let row = answer(&["query", query, "--format", "ndjson"]);
    assert_eq!(row, "{\"a\":0.5,\"b\":[-0.05,1.50],\"c\":0.000}\n");
    let row: serde_json::Value = serde_json::from_str(&row).unwrap();
    assert_eq!(row["b"][0], -0.05);
}

#[test]
fn arrow_on_standard_output_is_a_stream() {
    let output = run(&["query", ROWS, "--format", "arrow"]);
    let mut reader = arrow::ipc::reader::StreamReader::try_new(&output.stdout[..], None).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 2);
}

#[test]
fn an_empty_result_still_has_a_header_and_is_a_whole_document() {
    assert_eq!(answer(&["query", "SELECT 1 AS x WHERE false"]), "x\n");
    let document = answer(&["query", "SELECT 1 AS x WHERE false", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 0);
}

#[test]
fn sql_comes_from_arguments_files_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.sql");
    std::fs::write(&file, "SET threads = 1;\nSELECT 41 + 1 AS answer; -- the end\n").unwrap();
    let file = file.to_str().unwrap();
    for arguments in [&["query", "-f", file][..], &["run", file]] {
        assert_eq!(answer(arguments), "answer\n42\n");
    }
    for arguments in [&["query", "-"][..], &["run", "-"], &["shell"]] {
        let output = run_with_input(arguments, "SELECT 41 + 1\n AS answer;\n");
        assert_eq!(text(&output.stdout), "answer\n42\n", "{arguments:?}");
    }
}

#[test]
fn files_are_tables_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in put.csv");
    std::fs::write(&path, "x,y\n1,a\n2,b\n").unwrap();
    let table = format!("t={}", path.display());
    assert_eq!(answer(&["query", "SELECT sum(x) AS s FROM t", "--table", &table]), "s\n3\n");
    let described = answer(&["describe", path.to_str().unwrap()]);
    assert!(described.contains("x,BIGINT") && described.contains("y,VARCHAR"), "{described}");
}

#[test]
fn the_output_file_decides_the_format_and_appears_whole() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["r.parquet", "r.csv", "r.json", "r.ndjson", "r.arrow", "r.tsv", "r.csv.gz"] {
        let path = folder.path().join(name);
        let path = path.to_str().unwrap();
        assert_eq!(answer(&["query", "SELECT x FROM range(10) t(x)", "--output", path]), "");
        assert_eq!(answer(&["query", &format!("SELECT sum(x) AS s FROM '{path}'")]), "s\n45\n", "{name}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 7);
}

#[test]
fn an_error_in_the_middle_leaves_an_old_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    std::fs::write(&path, "old").unwrap();
    let sql = "SELECT 10 // (x - 50000) AS y FROM range(100000) t(x)";
    let output = run(&["query", sql, "--output", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_error_shows_the_line_and_the_place() {
    let output = run(&["query", "SELECT 1 AS price;\nSELECT prise FROM (SELECT 1 AS price)"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.starts_with("hypostyle: line 2, column 8: no column \"prise\"; did you mean \"price\"?"),
        "{error}"
    );
    assert!(error.contains("2 | SELECT prise FROM") && error.contains("|        ^^^^^"), "{error}");
}

#[test]
fn exit_statuses_tell_wrong_queries_from_wrong_usage() {
    assert_eq!(run(&["query", "SELECT"]).status.code(), Some(1));
    assert_eq!(run(&["query", "SELECT * FROM 'no/such.parquet'"]).status.code(), Some(1));
    assert_eq!(run(&["query"]).status.code(), Some(2));
    assert_eq!(run(&["query", "SELECT 1", "--format", "xml"]).status.code(), Some(2));
    assert_eq!(run(&["query", "SELECT 1", "--memory-limit", "lots"]).status.code(), Some(2));
    assert_eq!(run(&["run", "no/such.sql"]).status.code(), Some(1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder.csv");
    let output = run(&["query", "SELECT 1", "--output", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("folder.csv"), "{}", text(&output.stderr));
}

#[test]
fn a_reader_that_goes_away_ends_the_program_silently() {
    let sql = "SELECT x, 'some text to fill the pipe' AS filler FROM range(10000000) t(x)";
    let mut child = program(&["query", sql]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success(), "{:?}", output.status);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_query_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.parquet");
    let sql = "SELECT a.x * b.x AS y FROM range(1000000) a(x), range(1000000) b(x)";
    let child =
        program(&["query", sql, "--output", path.to_str().unwrap()]).stderr(Stdio::piped()).spawn().unwrap();
    // The file under construction shows that the query runs.
    while std::fs::read_dir(folder.path()).unwrap().count() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(text(&output.stderr), "hypostyle: interrupted\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn only_the_last_result_goes_to_a_format_that_holds_one() {
    assert_eq!(answer(&["query", "SELECT 1 AS a; SELECT 2 AS b"]), "a\n1\nb\n2\n");
    let document = answer(&["query", "SELECT 1 AS a; SELECT 2 AS b", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(rows[0]["b"], 2);
}

#[test]
fn statements_that_write_print_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let sql = format!("CREATE TABLE t AS SELECT 1 AS x; COPY t TO '{}'; SELECT x FROM t", path.display());
    assert_eq!(answer(&["query", &sql]), "x\n1\n");
}

#[test]
fn an_explained_query_shows_its_plan_and_with_analyze_its_figures() {
    let plan = answer(&["explain", "SELECT sum(x) FROM range(10) t(x) WHERE x > 3"]);
    assert!(plan.contains("Aggregate") && plan.contains("Filter"), "{plan}");
    let analyzed = answer(&["explain", "--analyze", "SELECT sum(x) FROM range(10) t(x) WHERE x > 3"]);
    assert!(analyzed.contains("Filter (range > 3)") || analyzed.contains("Filter (x > 3)"), "{analyzed}");
    assert!(analyzed.contains("(rows 6, batches 1, "), "{analyzed}");
    let of_predicate = analyzed.lines().find(|line| line.trim_start().starts_with("- "));
    assert!(of_predicate.is_some_and(|line| line.contains(" ms  (") && line.ends_with("> 3)")), "{analyzed}");
}

#[test]
fn a_plan_is_written_as_json_and_as_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "SELECT x * 2 AS y FROM range(10) t(x) WHERE x > 3";
    let json = answer(&["explain", "--analyze", "--format", "json", sql]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["node"], "Project");
    assert_eq!(json["figures"]["rows"], 6);
    let expression = &json["figures"]["expressions"][0];
    assert_eq!(
        (expression["expression"].as_str(), expression["rows"].as_u64()),
        (Some("(range * 2)"), Some(6))
    );
    let path = folder.path().join("plan.html");
    let path = path.to_str().unwrap();
    assert_eq!(answer(&["explain", "--format", "html", "--output", path, sql]), "");
    let page = std::fs::read_to_string(path).unwrap();
    assert!(
        page.starts_with("<!doctype html>") && page.contains("(range * 2)") && page.contains("</svg>"),
        "{page}"
    );
    let nowhere = run(&["explain", "--output", "/no/such/folder/plan.html", "--format", "html", sql]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("/no/such/folder/plan.html"));
}

#[test]
fn functions_are_listed_and_explained() {
    assert!(answer(&["functions"]).lines().count() > 100);
    let reference = answer(&["functions", "log1p"]);
    assert!(reference.contains("log1p (scalar, ") && reference.contains("> log1p("), "{reference}");
    let by_alias = answer(&["functions", "gen_random_uuid"]);
    assert!(by_alias.starts_with("uuid (scalar") && by_alias.contains("also: gen_random_uuid"), "{by_alias}");
    let output = run(&["functions", "no_such_function"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn timing_goes_to_standard_error() {
    let output = run(&["query", "SELECT 1 AS x", "--timing"]);
    assert_eq!(text(&output.stdout), "x\n1\n");
    assert!(text(&output.stderr).starts_with("time: 0."), "{}", text(&output.stderr));
}

#[test]
fn a_shell_over_a_pipe_goes_on_after_an_error() {
    let output = run_with_input(&["shell"], "SELECT nope;\nSELECT 2 AS x;\n");
    assert_eq!(text(&output.stdout), "x\n2\n");
    assert!(text(&output.stderr).contains("no column \"nope\""));
}

#[test]
fn the_demo_builds_its_tables_and_keeps_them_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["demo", "--rows", "2000", "--keep", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("rows/s"));
    for name in ["criteo.parquet", "events.parquet", "training.parquet", "behaviour.parquet"] {
        assert!(Path::new(&folder.path().join(name)).exists(), "{name}");
    }
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    if !Path::new("/dev/full").exists() {
        println!("skipped: there is no /dev/full");
        return;
    }
    let output =
        run(&["query", "SELECT x FROM range(1000000) t(x)", "--output", "/dev/full", "--format", "csv"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("/dev/full") && error.contains("No space left"), "{error}");
}

/// A program that ends with the test, whatever comes.
#[cfg(target_os = "linux")]
struct Killed(std::process::Child);

#[cfg(target_os = "linux")]
impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell on a terminal, which writes the number of its process into a file; `None` where there is no `script` to make
/// a terminal.
#[cfg(target_os = "linux")]
fn shell_on_a_terminal(process: &Path) -> Option<std::process::Child> {
    let command =
        format!("echo $$ > '{}'; exec '{}' shell", process.display(), env!("CARGO_BIN_EXE_hypostyle"));
    Command::new("script")
        .args(["-qfec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .env("XDG_STATE_HOME", process.with_extension("state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_stops_a_statement_of_the_shell_and_not_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let process = folder.path().join("process");
    let Some(child) = shell_on_a_terminal(&process) else {
        println!("skipped: there is no script(1)");
        return;
    };
    let mut child = Killed(child);
    let mut keys = child.0.stdin.take().unwrap();
    let (sender, seen) = std::sync::mpsc::channel();
    let mut screen = child.0.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut bytes) {
            if sender.send(String::from_utf8_lossy(&bytes[..count]).into_owned()).is_err() {
                return;
            }
        }
    });
    let wait_for = |part: &str| {
        let start = std::time::Instant::now();
        let mut shown = String::new();
        while !shown.contains(part) {
            shown += &seen.recv_timeout(std::time::Duration::from_secs(60)).unwrap_or_default();
            assert!(
                start.elapsed().as_secs() < 60,
                "{part:?} is not in {:?}",
                &shown[..shown.len().min(2000)]
            );
        }
    };
    wait_for("hypostyle>");
    keys.write_all(b"SELECT count(*) FROM range(100000000000) t(x) WHERE x % 7 = 3;\r").unwrap();
    // The bar shows that the statement runs.
    wait_for("0%");
    let number = std::fs::read_to_string(&process).unwrap();
    assert!(Command::new("kill").args(["-INT", number.trim()]).status().unwrap().success());
    wait_for("interrupted");
    keys.write_all(b"SELECT 40 + 2 AS answer;\r").unwrap();
    wait_for("1 row");
    keys.write_all(b"\x04").unwrap();
    drop(keys);
    assert!(child.0.wait().unwrap().success());
    reading.join().unwrap();
}

#[test]
fn standard_input_is_read_in_every_format_that_is_a_stream() {
    let query =
        |path: &str| format!("SELECT count(*) AS n, max(a) AS m, min(b) AS l FROM {path} WHERE a > 0");
    let rows = "SELECT x AS a, 'b' || x AS b FROM range(4) t(x)";
    for (format, read) in
        [("csv", "read_csv"), ("ndjson", "read_json"), ("json", "read_json"), ("arrow", "read_arrow")]
    {
        let written = run(&["query", rows, "--format", format]).stdout;
        for path in [format!("{read}('-')"), format!("{read}('/dev/stdin')")] {
            let output = run_with_input(&["query", &query(&path)], &written);
            assert_eq!(text(&output.stdout), "n,m,l\n3,3,b1\n", "{format}: {}", text(&output.stderr));
        }
    }
    let output = run_with_input(&["query", &query("'-'")], "a,b\n1,x\n2,y\n0,z\n");
    assert_eq!(text(&output.stdout), "n,m,l\n2,2,x\n");
    let output = run_with_input(&["--table", "t=-", "query", &query("t")], "a,b\n1,x\n");
    assert_eq!(text(&output.stdout), "n,m,l\n1,1,x\n");
}

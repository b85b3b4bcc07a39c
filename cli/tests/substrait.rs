//! Substrait plans through the program: all queries of TPC-H written as plans and run from them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TABLES: [&str; 8] =
    ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"];

/// Runs the program over the tables of a folder; its output if it succeeds.
fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hypostyle"));
    command.args(arguments);
    for table in TABLES {
        command.arg("--table").arg(format!("{table}={}", folder.join(format!("{table}.parquet")).display()));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that reads no input may end before it is written.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn answer(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run(folder, arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn queries_of_tpch_give_the_same_rows_from_their_plans() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let generate = ["generate", "tpch", "--scale", "0.01", "--output", path];
    let generated = Command::new(env!("CARGO_BIN_EXE_hypostyle")).args(generate).output().unwrap();
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    for number in 1..=22 {
        let file = format!("{}/../tests/tpch/q{number:02}.sql", env!("CARGO_MANIFEST_DIR"));
        let expected = answer(folder.path(), &["query", "-f", &file], &[]);
        let plan = answer(folder.path(), &["explain", "-f", &file, "--format", "substrait"], &[]);
        let found = answer(folder.path(), &["substrait", "-"], &plan);
        assert_eq!(
            String::from_utf8_lossy(&found),
            String::from_utf8_lossy(&expected),
            "query {number} differs"
        );
    }
}

#[test]
fn a_plan_goes_to_a_file_and_comes_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.bin");
    let program =
        |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_hypostyle")).args(arguments).output().unwrap();
    let file = file.to_str().unwrap();
    let written =
        program(&["explain", "SELECT x * 2 AS y FROM range(3) t(x)", "--format", "substrait", "-o", file]);
    assert!(written.status.success() && written.stdout.is_empty());
    assert_eq!(program(&["substrait", file]).stdout, b"y\n0\n2\n4\n");
    std::fs::write(file, "no plan").unwrap();
    let refused = program(&["substrait", file]);
    assert!(!refused.status.success());
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.starts_with("hypostyle: the bytes are not a Substrait plan"), "{message}");
}

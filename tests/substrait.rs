//! Queries written as Substrait plans and read back give what they give directly.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod logic_test;

use hypostyle::{Session, Type, Value, row_texts};
use logic_test::{Setting, run_folder_by_substrait};

/// Part of the queries of all sqllogictest files that have a plan.
const SHARE_MIN: f64 = 0.87;

fn rows(session: &Session, plan: &[u8]) -> Vec<Vec<Option<String>>> {
    let batches = session.substrait(plan).unwrap().collect_all().unwrap();
    batches.iter().flat_map(|batch| row_texts(batch).unwrap()).collect()
}

fn cells(rows: &[Vec<Option<String>>]) -> Vec<Vec<&str>> {
    rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect()).collect()
}

#[test]
fn sqllogictest_files_hold_by_way_of_plans() {
    let detours = run_folder_by_substrait("tests/slt", Setting { batch_rows: None, threads: 1 });
    let refused: usize = detours.refused.values().sum();
    let share = detours.taken as f64 / (detours.taken + refused) as f64;
    let mut reasons: Vec<_> = detours.refused.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    println!("{} queries by way of plans, {refused} refused: {reasons:#?}", detours.taken);
    assert!(share > SHARE_MIN || std::env::var_os("SLT").is_some(), "{share} of the queries have plans");
}

#[test]
fn names_and_types_of_columns_survive() {
    let session = Session::new();
    let sql = "SELECT 1::UTINYINT AS a, 2.5::DECIMAL(5, 2) AS \"b c\", {'x': 1, 'y': [NULL, 'z']} AS s, [1, 2]::FLOAT[2] AS e,
        INTERVAL '1 month 2 days 3 seconds' AS i, TIMESTAMP_NS '2024-01-02 03:04:05.123456789' AS t, 1.5::HALF AS h, NULL AS n";
    let plan = session.substrait_plan(sql).unwrap();
    let direct = session.sql(sql).unwrap();
    let read = session.substrait(&plan).unwrap();
    assert_eq!(read.schema(), direct.schema());
    let direct: Vec<_> =
        direct.collect_all().unwrap().iter().flat_map(|batch| row_texts(batch).unwrap()).collect();
    assert_eq!(rows(&session, &plan), direct);
}

#[test]
fn explain_gives_the_plan_as_bytes() {
    let session = Session::new();
    let answer = session.sql("EXPLAIN (FORMAT SUBSTRAIT) SELECT 1 AS x").unwrap();
    assert_eq!(answer.schema().fields[0].data_type, Type::Binary);
    let error = session.sql("EXPLAIN (ANALYZE, FORMAT SUBSTRAIT) SELECT 1").unwrap_err().to_string();
    assert!(error.contains("no place for figures"), "{error}");
    let error = session.sql("EXPLAIN (FORMAT SUBSTRAIT) CREATE TABLE t AS SELECT 1").unwrap_err().to_string();
    assert!(error.contains("made of a query"), "{error}");
}

#[test]
fn parameters_stay_open() {
    let session = Session::new();
    let plan = session.substrait_plan("SELECT x FROM range(10) t(x) WHERE x > $1::BIGINT").unwrap();
    let prepared = session.prepare_substrait(&plan).unwrap();
    let batches = prepared.run(&[Value::from(7i64)]).unwrap().collect_all().unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 2);
}

#[test]
fn rows_that_differ_each_time_are_shared() {
    let session = Session::new();
    let sql = "WITH t AS MATERIALIZED (SELECT random() AS r FROM range(100)) SELECT count(*) FROM t a JOIN t b ON a.r = b.r";
    let plan = session.substrait_plan(sql).unwrap();
    assert_eq!(cells(&rows(&session, &plan)), [["100"]]);
}

#[test]
fn what_has_no_place_in_a_plan_is_named() {
    let session = Session::new();
    let refused = [
        ("SELECT unnest([1, 2])", "UNNEST"),
        ("SELECT * FROM range(10) USING SAMPLE 3 ROWS", "a sample"),
        ("FROM range(3) LIMIT (SELECT 2)", "a LIMIT that is computed"),
        ("FROM range(3) a POSITIONAL JOIN range(2) b", "POSITIONAL JOIN"),
        (
            "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 3) FROM t",
            "a recursive table of WITH",
        ),
        ("SELECT x FROM range(3) t(x) GROUP BY GROUPING SETS (x, x)", "a grouping set that stands twice"),
        ("SELECT first_value(x IGNORE NULLS) OVER () FROM range(3) t(x)", "IGNORE NULLS"),
    ];
    for (sql, what) in refused {
        let error = session.substrait_plan(sql).unwrap_err().to_string();
        assert_eq!(error, format!("{what} is not supported"), "{sql}");
    }
}

#[test]
fn bytes_that_are_no_plan_are_refused() {
    let session = Session::new();
    for bytes in [&b""[..], b"SELECT 1", &[0xff; 40], b"\x1a\x02\x12\x00"] {
        let error = session.substrait(bytes).unwrap_err().to_string();
        assert!(error.contains("Substrait plan") || error.contains("the plan has no"), "{error}");
    }
    let plan = session.substrait_plan("SELECT sum(x) FROM range(10) t(x) GROUP BY x % 3").unwrap();
    for end in 0..plan.len() {
        // A plan that was cut off is refused, or is a smaller plan.
        let _ = session.substrait(&plan[..end]).map(|answer| answer.drain());
    }
}

#[test]
fn a_table_that_the_session_lacks_is_named() {
    let session = Session::new();
    session.sql("CREATE TABLE things AS SELECT 1 AS x, 2 AS y").unwrap().drain().unwrap();
    let plan = session.substrait_plan("SELECT y FROM things").unwrap();
    let error = Session::new().substrait(&plan).unwrap_err().to_string();
    assert_eq!(error, "no table \"things\", in a Substrait read relation");
    let other = Session::new();
    other.sql("CREATE TABLE things AS SELECT 1 AS x, 2 AS yy").unwrap().drain().unwrap();
    let error = other.substrait(&plan).unwrap_err().to_string();
    assert_eq!(error, "the table has no column \"y\"; did you mean \"yy\"?, in a Substrait read relation");
}

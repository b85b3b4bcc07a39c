//! Errors of rows name the call or cast of the text that gave them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hypostyle::Session;

/// The message of the error that the last statement ends with, and the text under its carets.
fn failed(statements: &[&str]) -> (String, String) {
    let session = Session::new();
    let (last, before) = statements.split_last().expect("a statement");
    for statement in before {
        session.sql(statement).and_then(|answer| answer.collect_all()).expect("the statement runs");
    }
    let error = session.sql(last).and_then(|answer| answer.collect_all()).expect_err("the statement fails");
    let shown = error.render(last);
    let lines: Vec<&str> = shown.lines().collect();
    let marked = match lines.as_slice() {
        [.., line, carets] if carets.contains('^') => {
            let first = carets.find('^').expect("a caret");
            line.chars().skip(first).take(carets.matches('^').count()).collect()
        }
        _ => String::new(),
    };
    (error.to_string(), marked)
}

const NUMBERS: &str =
    "CREATE TABLE t AS SELECT i, CASE WHEN i = 7 THEN 'seven' ELSE i::text END AS s FROM range(10) r(i)";

#[test]
fn a_cast_is_marked_at_its_operand() {
    let (message, marked) = failed(&[NUMBERS, "SELECT i,\n  CAST(s AS INTEGER) + 1 FROM t"]);
    assert!(message.starts_with("line 2, column 8: ") && message.contains("seven"), "{message}");
    assert_eq!(marked, "s");
}

#[test]
fn an_operator_is_marked_with_its_operands() {
    let (message, marked) = failed(&[NUMBERS, "SELECT 1 + i % (i - 7) FROM t"]);
    assert!(message.contains("division by zero"), "{message}");
    assert_eq!(marked, "i % (i - 7");
    // Fused with other operations, in a filter, below an aggregate and in a lambda.
    for statement in [
        "SELECT (i % (i - 7)) * 2 + i FROM t",
        "SELECT i FROM t WHERE i % (i - 7) = 1",
        "SELECT sum(i % (i - 7)) FROM t",
        "SELECT list_transform([7, i], i -> i % (i - 7)) FROM t",
        "SELECT DISTINCT i % (i - 7) FROM t ORDER BY 1",
    ] {
        assert_eq!(failed(&[NUMBERS, statement]).1, "i % (i - 7", "{statement}");
    }
}

#[test]
fn text_of_a_definition_is_marked_where_it_is_used() {
    let view = "CREATE VIEW v AS SELECT i, s::integer AS n FROM t";
    assert_eq!(failed(&[NUMBERS, view, "SELECT max(n) FROM v"]).1, "v");
    let definition = "CREATE FUNCTION number(x) AS CAST(x AS INTEGER)";
    assert_eq!(failed(&[NUMBERS, definition, "SELECT number(s) FROM t"]).1, "number(s");
    let prepared = "PREPARE p AS SELECT s::integer + $1 FROM t";
    assert_eq!(failed(&[NUMBERS, prepared, "EXECUTE p(1)"]).1, "p");
    let again = "PREPARE q AS EXECUTE p(2)";
    assert_eq!(failed(&[NUMBERS, prepared, again, "EXECUTE  q"]).1, "q");
}

#[test]
fn questions_to_one_json_text_are_marked() {
    let table = "CREATE TABLE j AS SELECT '{\"a\":' AS s";
    let marked = failed(&[table, "SELECT json_extract(s, '$.a'), json_extract(s, '$.b') FROM j"]).1;
    assert!(marked.starts_with("json_extract(s, '$.a'"), "{marked}");
}

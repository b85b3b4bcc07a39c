//! Windows over one partition that does not fit into memory: equal to the bit to what comes out where it does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use hypostyle::{Answer, Configuration, Error, Session, row_texts};

const ROWS: usize = 20_000;
/// A small part of what the rows take while they are evaluated.
const LIMIT_BYTES: usize = 1 << 19;

fn session(threads: usize, batch_rows: usize, memory_limit_bytes: Option<usize>) -> Session {
    Session::with_configuration(Configuration {
        threads,
        batch_rows,
        memory_limit_bytes,
        ..Configuration::default()
    })
}

/// Two small partitions around a long one, if there are partitions; nulls, ties, long runs of nulls and out of order.
fn query(call: &str) -> String {
    format!(
        "SELECT {call} FROM (
           SELECT x AS id, CASE WHEN x % 500 = 3 THEN 0 WHEN x % 700 = 5 THEN 2 ELSE 1 END AS k,
             x * 7919 % {ROWS} AS t, x * 7919 % {ROWS} // 4 AS u,
             CASE WHEN x % 11 <> 0 THEN x * 104729 % 1009 END AS v,
             CASE WHEN x * 7919 % {ROWS} BETWEEN 4000 AND 16000 THEN NULL ELSE x % 97 END AS w,
             (x * 15485863 % 1000 - 500) / 7.0::DOUBLE AS f, 's' || (x % 13) AS s
           FROM range({ROWS}) r(x))"
    )
}

type Rows = Vec<Vec<Option<String>>>;

/// The rows of an answer, and the bytes that were spilled for it.
fn rows(mut answer: Answer) -> Result<(Rows, u64), Error> {
    let mut rows = Vec::new();
    while let Some(batch) = answer.next_batch()? {
        rows.extend(row_texts(&batch).unwrap());
    }
    let spilled =
        answer.metrics().map_or(0, |metrics| metrics.operators.iter().map(|node| node.spilled_bytes).sum());
    Ok((rows, spilled))
}

/// Calls, each also with these windows cut into partitions.
fn calls() -> Vec<String> {
    let ranks = [
        "row_number()",
        "rank()",
        "dense_rank()",
        "percent_rank()",
        "cume_dist()",
        "ntile(7)",
        "ntile(50000)",
    ];
    let orders = ["", "ORDER BY t", "ORDER BY u DESC", "ORDER BY u, t"];
    let mut calls: Vec<String> = ranks
        .iter()
        .flat_map(|rank| orders.map(|order| format!("{rank} OVER (PARTITION BY k {order})")))
        .collect();
    let aggregates = [
        "count(*)",
        "count(v)",
        "sum(v)",
        "avg(f)",
        "sum(f)",
        "min(s)",
        "max(v) FILTER (s <> 's3')",
        "stddev(f)",
        "first(v)",
        "last(s)",
        "arg_max(id, f)",
        "bool_or(v > 1000)",
        "count(DISTINCT v)",
    ];
    let frames = [
        "PARTITION BY k",
        "ORDER BY t ROWS UNBOUNDED PRECEDING",
        "PARTITION BY k ORDER BY u",
        "ORDER BY u DESC RANGE BETWEEN UNBOUNDED PRECEDING AND 5 PRECEDING",
        "ORDER BY t ROWS BETWEEN 20 PRECEDING AND 3 FOLLOWING",
        "PARTITION BY k ORDER BY u RANGE BETWEEN 10 PRECEDING AND 4 FOLLOWING",
        "ORDER BY u GROUPS BETWEEN 3 PRECEDING AND 2 FOLLOWING EXCLUDE TIES",
        "ORDER BY t ROWS BETWEEN 9 PRECEDING AND 2 PRECEDING",
    ];
    for aggregate in aggregates {
        calls.extend(frames.map(|frame| format!("{aggregate} OVER ({frame})")));
    }
    let endings = [
        "ORDER BY t ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
        "PARTITION BY k ORDER BY u RANGE BETWEEN 7 PRECEDING AND UNBOUNDED FOLLOWING",
        "ORDER BY t ROWS BETWEEN 4 FOLLOWING AND UNBOUNDED FOLLOWING",
        "ORDER BY t ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW",
    ];
    for aggregate in aggregates.iter().filter(|aggregate| !aggregate.contains("DISTINCT")) {
        // `first` and `last` are values of a frame, and those of a cut frame are not looked for ahead.
        let is_value = ["first(v)", "last(s)"].contains(aggregate);
        let frames = endings.iter().filter(|frame| !is_value || !frame.contains("EXCLUDE"));
        calls.extend(frames.map(|frame| format!("{aggregate} OVER ({frame})")));
    }
    let values = ["first_value(w)", "last_value(w)", "nth_value(w, 3)"];
    for value in values {
        calls.extend(frames.iter().chain(&endings[..3]).map(|frame| format!("{value} OVER ({frame})")));
        let ignoring = value.replace(')', " IGNORE NULLS)");
        calls.extend(frames.map(|frame| format!("{ignoring} OVER ({frame})")));
    }
    calls.push(format!("last_value(w IGNORE NULLS) OVER ({})", endings[1]));
    for shifted in
        ["lag(v)", "lag(v, 30, -1)", "lead(v, 30)", "lag(w, 2 IGNORE NULLS)", "lead(v, 3 IGNORE NULLS)"]
    {
        calls.push(format!("{shifted} OVER (ORDER BY t)"));
        calls.push(format!("{shifted} OVER (PARTITION BY k ORDER BY u)"));
    }
    calls.push("list(id) OVER (PARTITION BY k ORDER BY t ROWS 2 PRECEDING)".into());
    calls.push("median(v) OVER (PARTITION BY k)".into());
    calls
}

#[test]
fn a_partition_that_does_not_fit_gives_the_bits_of_one_that_does() {
    // Several calls share the passes over one order.
    for calls in calls().chunks(6) {
        let query = query(&calls.join(", "));
        let (expected, spilled) = rows(session(1, 2048, None).sql(&query).unwrap()).unwrap();
        assert_eq!((expected.len(), spilled), (ROWS, 0));
        let (actual, spilled) = match session(2, 1000, Some(LIMIT_BYTES)).sql(&query).and_then(rows) {
            Ok(found) => found,
            Err(error) => panic!("{calls:#?}: {error}"),
        };
        assert!(spilled > 0, "{query}");
        for (row, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
            assert_eq!(actual, expected, "row {row} of {query}");
        }
        assert_eq!(actual.len(), ROWS);
    }
}

#[test]
fn frames_that_reach_too_far_are_an_error_that_says_so() {
    for (call, text) in [
        ("sum(v) OVER (ORDER BY t ROWS BETWEEN 15000 PRECEDING AND CURRENT ROW)", "narrow the frames"),
        ("lead(v, 15000) OVER (ORDER BY t)", "narrow the frames"),
        (
            "median(v) OVER (ORDER BY t ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
            "an aggregate without small states up to the last row cannot be computed piece by piece",
        ),
        ("first_value(v ORDER BY f) OVER (ORDER BY t)", "ORDER BY among the arguments"),
    ] {
        let error = session(1, 1000, Some(LIMIT_BYTES)).sql(&query(call)).and_then(rows).unwrap_err();
        assert!(error.to_string().contains(text), "{call}: {error}");
    }
}

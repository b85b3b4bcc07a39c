//! Statements over thousands of columns with thousands of expressions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use hypostyle::{Session, arrow};

const COLUMNS: usize = 4_000;

fn session() -> Session {
    let values: ArrayRef = Arc::new(Float64Array::from_iter_values([1.5, 2.5]));
    let columns = (0..COLUMNS).map(|number| (format!("f{number}"), Arc::clone(&values)));
    let session = Session::new();
    session.register("wide", vec![RecordBatch::try_from_iter(columns).unwrap()]).unwrap();
    session
}

/// A projection of feature expressions of several forms, each over other columns.
fn projection(expressions: usize) -> String {
    let expression = |number: usize| {
        let (a, b) = (number * 7 % COLUMNS, (number * 13 + 1) % COLUMNS);
        match number % 6 {
            0 => format!("ln(1 + f{a})"),
            1 => format!("(f{a} - 127.5) / 73.9"),
            2 => format!("CASE WHEN f{a} > f{b} THEN f{a} ELSE f{b} * 2 END"),
            3 => format!("least(greatest(f{a}, 10), 200)"),
            4 => format!("f{a} * f{b} + {number}"),
            _ => format!("coalesce(f{a}, 0) + floor(f{b} / 16)"),
        }
    };
    let list: Vec<String> =
        (0..expressions).map(|number| format!("{} AS e{number}", expression(number))).collect();
    format!("SELECT {} FROM wide", list.join(", "))
}

/// The shortest of several times of planning and compiling a statement, which other work on the machine disturbs least.
fn time_to_prepare(session: &Session, sql: &str) -> Duration {
    let once = || {
        let start = Instant::now();
        session.prepare(sql).unwrap();
        start.elapsed()
    };
    (0..4).map(|_| once()).min().unwrap()
}

#[test]
fn planning_takes_time_in_proportion_to_the_number_of_expressions() {
    let session = session();
    let (few, many) = (projection(300), projection(2_400));
    let (short, long) = (time_to_prepare(&session, &few), time_to_prepare(&session, &many));
    // Eight times the expressions: work in proportion gives 8, work in proportion to the square 64.
    assert!(long < short * 24, "300 expressions took {short:?}, 2400 took {long:?}");
}

#[test]
fn conditions_and_aggregates_of_wide_statements_are_planned_in_proportion_too() {
    let session = session();
    let filter = |terms: usize| {
        let terms: Vec<String> = (0..terms).map(|number| format!("f{number} > {number} / 8")).collect();
        format!("SELECT f0 FROM wide WHERE {}", terms.join(" AND "))
    };
    let sums = |calls: usize| {
        let calls: Vec<String> = (0..calls).map(|number| format!("sum(f{number}) AS s{number}")).collect();
        format!("SELECT {} FROM wide", calls.join(", "))
    };
    for (few, many) in [(filter(150), filter(1_200)), (sums(150), sums(1_200))] {
        let (short, long) = (time_to_prepare(&session, &few), time_to_prepare(&session, &many));
        assert!(long < short * 24, "{short:?} and {long:?} for eight times the terms of {}", &few[..40]);
    }
}

#[test]
fn a_wide_projection_gives_every_value_and_its_figures() {
    let session = session();
    let mut answer = session.sql(&projection(2_400)).unwrap();
    let batch = answer.next_batch().unwrap().unwrap();
    assert_eq!((batch.num_columns(), batch.num_rows()), (2_400, 2));
    assert!(answer.next_batch().unwrap().is_none());
    let metrics = answer.metrics().unwrap();
    let expressions: usize = metrics.operators.iter().map(|figures| figures.expressions.len()).sum();
    assert_eq!(expressions, 2_400);
}

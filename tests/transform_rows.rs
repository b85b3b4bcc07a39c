//! A fitted transform row by row: the bits of batches, micro-batches of any size, and no allocation after warm-up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod counting_allocator;

use counting_allocator::allocations;
use hypostyle::arrow::array::{Array, ArrayRef, AsArray};
use hypostyle::arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use hypostyle::{RowEvaluator, Session, Transform};

const SOURCE: &str = "(SELECT CASE WHEN i % 11 = 0 THEN NULL WHEN i % 29 = 0 THEN 'nan'::DOUBLE ELSE sin(i) * i END AS x, i % 300 AS k, \
                      CASE WHEN i % 13 = 0 THEN NULL ELSE 'category ' || (i * i) % 57 END AS c, (i % 3)::DOUBLE AS y FROM range(2000) t(i))";

const DEFINITION: &str = "
    SELECT standard_scale(x) AS a, standard_scale(log1p(abs(impute(x)))) AS b, robust_scale(k) AS c, min_max_scale(x, clip => true) AS d,
           target_encode(c, y) AS e, quantile_bucketize(x, 32)::BIGINT AS f, uniform_bucketize(k, 10)::BIGINT AS g,
           vocab_encode(c, oov => 5) AS h, count_encode(c) AS i, label_encode(k) AS j
    FROM input";

fn transform() -> (Session, Transform) {
    let session = Session::new();
    let transform = session.fit(DEFINITION, SOURCE).unwrap();
    (session, transform)
}

/// Inputs of so many rows, some of them unknown to the fit.
fn inputs(rows: usize) -> Vec<(Option<f64>, i64, Option<String>)> {
    let row = |i: usize| {
        let x = match i % 7 {
            0 => None,
            1 => Some(f64::NAN),
            _ => Some((i as f64).cos() * 500.0),
        };
        (x, (i * 37 % 400) as i64, (!i.is_multiple_of(5)).then(|| format!("category {}", i % 80)))
    };
    (0..rows).map(row).collect()
}

/// The bits of all outputs of the rows from `at` on.
fn evaluate(
    row: &mut RowEvaluator,
    rows: &[(Option<f64>, i64, Option<String>)],
    bits: &mut Vec<Option<u64>>,
) {
    let (x, k, c) = (row.input("x").unwrap(), row.input("k").unwrap(), row.input("c").unwrap());
    row.start(rows.len()).unwrap();
    for (at, (number, integer, text)) in rows.iter().enumerate() {
        row.at(at).unwrap();
        if let Some(number) = number {
            row.set_f64(x, *number).unwrap();
        }
        row.set_i64(k, *integer).unwrap();
        if let Some(text) = text {
            row.set_text(c, text).unwrap();
        }
    }
    row.evaluate().unwrap();
    for at in 0..rows.len() {
        for output in 0..5 {
            bits.push(row.get_f64(output, at).map(f64::to_bits));
        }
        for output in 5..10 {
            bits.push(row.get_i64(output, at).map(|value| value as u64));
        }
    }
}

fn batch_bits(
    session: &Session,
    transform: &Transform,
    rows: &[(Option<f64>, i64, Option<String>)],
) -> Vec<Option<u64>> {
    use hypostyle::arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray};
    let _ = session;
    let x: ArrayRef = std::sync::Arc::new(rows.iter().map(|row| row.0).collect::<Float64Array>());
    let k: ArrayRef = std::sync::Arc::new(rows.iter().map(|row| Some(row.1)).collect::<Int64Array>());
    let c: ArrayRef = std::sync::Arc::new(rows.iter().map(|row| row.2.as_deref()).collect::<StringArray>());
    let batch =
        RecordBatch::try_from_iter_with_nullable([("x", x, true), ("k", k, true), ("c", c, true)]).unwrap();
    let outputs = transform.apply_batches(&[batch.slice(0, 3), batch.slice(3, rows.len() - 3)]).unwrap();
    let mut bits = Vec::new();
    for batch in outputs {
        for at in 0..batch.num_rows() {
            for column in batch.columns() {
                let value = match column.data_type() {
                    hypostyle::arrow::datatypes::DataType::Float64 => {
                        column.as_primitive::<Float64Type>().value(at).to_bits()
                    }
                    hypostyle::arrow::datatypes::DataType::Int32 => {
                        column.as_primitive::<Int32Type>().value(at) as i64 as u64
                    }
                    _ => column.as_primitive::<Int64Type>().value(at) as u64,
                };
                bits.push(column.is_valid(at).then_some(value));
            }
        }
    }
    bits
}

#[test]
fn rows_and_micro_batches_have_the_bits_of_batches() {
    let (session, transform) = transform();
    let rows = inputs(700);
    let wanted = batch_bits(&session, &transform, &rows);
    for size in [1, 7, 256] {
        let mut row = transform.row().unwrap();
        let mut found = Vec::new();
        rows.chunks(size).for_each(|part| evaluate(&mut row, part, &mut found));
        assert!(wanted == found, "micro-batches of {size} rows differ");
    }
}

#[test]
fn nothing_is_allocated_after_the_first_rows() {
    let (_, transform) = transform();
    let rows = inputs(300);
    let mut row = transform.row().unwrap();
    let mut bits = Vec::with_capacity(100_000);
    for size in [1, 16] {
        rows.chunks(size).for_each(|part| evaluate(&mut row, part, &mut bits));
        bits.clear();
        let before = allocations();
        rows.chunks(size).for_each(|part| evaluate(&mut row, part, &mut bits));
        assert_eq!(allocations() - before, 0, "rows in parts of {size}");
        bits.clear();
    }
}

#[test]
fn chosen_outputs_ask_for_their_inputs_alone() {
    let (_, transform) = transform();
    let row = transform.row_of(&["h", "i"]).unwrap();
    let inputs: Vec<&str> = row.inputs().fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(inputs, ["c"]);
    assert!(transform.row_of(&["z"]).unwrap_err().to_string().contains("has no output \"z\""));
}

#[test]
fn a_saved_transform_is_the_same_when_it_is_loaded() {
    let (session, transform) = transform();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("features.hyp");
    transform.save(&path).unwrap();
    let other = Session::new().load_transform(&path).unwrap();
    let rows = inputs(50);
    assert!(transform.fitted() == other.fitted());
    assert!(batch_bits(&session, &transform, &rows) == batch_bits(&session, &other, &rows));
}

/// Calls over windows whose frames and values need every part of what is evaluated for a served row.
const WINDOWED: &str = "
    SELECT sum(x) OVER (w ROWS 20 PRECEDING) AS a, avg(log1p(abs(x))) OVER w AS b, count(*) OVER w AS c, lag(x, 2) OVER w AS d,
           count(DISTINCT c) OVER (w ROWS 30 PRECEDING) AS e, max(c) OVER w AS f, rank() OVER w AS g, dense_rank() OVER w AS h,
           list(c) OVER (w ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING) AS i, string_agg(c, ',') OVER (w ROWS 3 PRECEDING) AS j,
           stddev(x) FILTER (WHERE k % 2 = 0) OVER (w RANGE BETWEEN 40 PRECEDING AND CURRENT ROW) AS k, min(x) OVER w AS l,
           last_value(c IGNORE NULLS) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS m, row_number() OVER w AS n,
           sum(k) OVER (w GROUPS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS o, lag(c, 1, 'none') IGNORE NULLS OVER w AS p,
           arg_max(c, x) OVER w AS q, any_value(x) OVER (w ROWS 2 PRECEDING EXCLUDE CURRENT ROW) AS r, bool_or(x > 0) OVER w AS s,
           standard_scale(x) - lag(standard_scale(x)) OVER w AS t
    FROM input WINDOW w AS (ORDER BY k)";

#[test]
fn windows_of_a_served_row_allocate_nothing_after_warm_up() {
    use hypostyle_functions::{Type, Value};
    let session = Session::new();
    let transform = session.fit(WINDOWED, SOURCE).unwrap();
    let mut row = transform.row().unwrap();
    let inputs = row.inputs().clone();
    let place = |name: &str| inputs.index_of(name).unwrap();
    let (x, k, c, history) = (place("x"), place("k"), place("c"), place("history"));
    let Type::List(element) = &inputs.fields[history].data_type else { panic!("{inputs:?}") };
    let Type::Struct(fields) = element.as_ref() else { panic!("{inputs:?}") };
    let value = |name: &str, i: usize| match name {
        "x" if i.is_multiple_of(7) => Value::Null,
        "x" => Value::float64((i as f64).sin() * 100.0),
        "k" => Value::Int64(i as i64 / 3),
        _ if i.is_multiple_of(5) => Value::Null,
        _ => Value::text(format!("a category of many letters, number {}", i * i % 57)),
    };
    let types: Vec<Type> = fields.iter().map(|field| field.data_type.clone()).collect();
    let event = |i: usize| {
        let values = fields.iter().map(|field| (field.name.clone(), value(&field.name, i)));
        Value::Struct(values.collect(), types.clone())
    };
    let served = |rows: usize| {
        let before = Value::List(element.as_ref().clone(), (0..rows).map(event).collect());
        (rows, value("x", rows), value("k", rows), value("c", rows), before)
    };
    let served: Vec<_> = [0, 1, 3, 40, 300, 700].map(served).into();
    let pass = |row: &mut RowEvaluator| {
        for (rows, own_x, own_k, own_c, before) in &served {
            row.start(1).unwrap();
            row.set_value(x, own_x).unwrap();
            row.set_value(k, own_k).unwrap();
            row.set_value(c, own_c).unwrap();
            row.set_value(history, before).unwrap();
            row.evaluate().unwrap();
            assert_eq!(row.get_i64(2, 0), Some(*rows as i64 + 1));
        }
    };
    pass(&mut row);
    pass(&mut row);
    let before = allocations();
    pass(&mut row);
    assert_eq!(allocations() - before, 0);
}

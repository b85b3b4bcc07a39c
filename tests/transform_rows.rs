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

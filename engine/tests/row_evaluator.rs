//! Facts of evaluation row by row: the bits of batches, and no allocation after warm-up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test stops at the first surprise.

#[path = "../../tests/counting_allocator/mod.rs"]
mod counting_allocator;
mod sample;

use std::sync::Arc;

use counting_allocator::allocations;
use hypostyle_engine::expression::{Evaluator, ExpressionSet, RowEvaluator};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Batch, Result};
use hypostyle_functions::column::{Column, literal_array, value_at};
use hypostyle_functions::{Field, Literal, Place, Schema, Type, Value};
use sample::{call, case, context, float, int, null, text_of};

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("i", Type::Int64),
        Field::new("x", Type::Float64),
        Field::new("t", Type::Text),
        Field::new("l", Type::list(Type::Int64)),
        Field::new("e", Type::fixed_list(Type::Float32, 3)),
    ])
}

fn expressions() -> Vec<Expression> {
    let i = || Expression::column(0, Type::Int64);
    let x = || Expression::column(1, Type::Float64);
    let t = || Expression::column(2, Type::Text);
    let l = || Expression::column(3, Type::list(Type::Int64));
    let e = || Expression::column(4, Type::fixed_list(Type::Float32, 3));
    let f64s = |name: &str, a, b| call(name, vec![a, b], Type::Float64);
    let less = |a, b| call("less", vec![a, b], Type::Boolean);
    let length = || call("length", vec![t()], Type::Int64);
    let element = || Expression::Variable { id: 7, data_type: Type::Int64 };
    let lambda = Expression::Lambda {
        parameters: vec![(7, Type::Int64)],
        body: Box::new(call(
            "plus",
            vec![element(), call("plus", vec![i(), length()], Type::Int64)],
            Type::Int64,
        )),
    };
    let transformed = || call("list_transform", vec![l(), lambda.clone()], Type::list(Type::Int64));
    let parsed = || Expression::Try(Box::new(call("parse", vec![t()], Type::Int64)));
    let divided = || Expression::Try(Box::new(call("divide", vec![int(100), i()], Type::Int64)));
    vec![
        f64s("add", f64s("multiply", x(), float(2.5)), float(1.0)),
        f64s("add", f64s("multiply", x(), x()), call("double", vec![i()], Type::Float64)),
        call("clamp", vec![x(), float(-1.0), float(1.0)], Type::Float64),
        less(x(), float(0.5)),
        Expression::And(vec![less(x(), float(0.5)), less(i(), int(10))]),
        Expression::Or(vec![
            less(length(), int(5)),
            less(i(), int(10)),
            call("is_null", vec![x()], Type::Boolean),
        ]),
        case(vec![(less(i(), int(0)), float(-1.0)), (less(i(), int(100)), x())], Some(float(1.0))),
        case(
            vec![(less(length(), int(4)), text_of("short")), (less(i(), int(0)), t())],
            Some(call("upper", vec![t()], Type::Text)),
        ),
        Expression::Coalesce { arguments: vec![x(), float(0.0)], data_type: Type::Float64 },
        Expression::Coalesce {
            arguments: vec![t(), text_of("a default text, not short")],
            data_type: Type::Text,
        },
        call("concat", vec![t(), text_of(" and "), call("upper", vec![t()], Type::Text)], Type::Text),
        length(),
        call("plus", vec![length(), int(1)], Type::Int64),
        parsed(),
        Expression::Coalesce { arguments: vec![parsed(), divided(), int(-1)], data_type: Type::Int64 },
        divided(),
        transformed(),
        call("list_sum", vec![transformed()], Type::Int64),
        call("list_sum", vec![l()], Type::Int64),
        call("embedding_sum", vec![e()], Type::Float64),
        Expression::cast(i(), Type::Text),
        Expression::Cast { input: Box::new(x()), to: Type::Float32, is_try: true, place: Place::NONE },
        null(Type::Int64),
        t(),
    ]
}

/// Those without a form that computes some of its operands for some rows only.
fn straight_expressions() -> Vec<Expression> {
    let is_lazy = |expression: &Expression| {
        use Expression::{And, Case, Coalesce, Or};
        matches!(expression, And(_) | Or(_) | Case { .. } | Coalesce { .. })
    };
    let parameter = Expression::Parameter { index: 0, data_type: Type::Int64 };
    let fixed = call("plus", vec![parameter, int(3)], Type::Int64);
    let shifted = call("plus", vec![Expression::column(0, Type::Int64), fixed.clone()], Type::Int64);
    let all = expressions().into_iter().filter(|expression| !is_lazy(expression));
    all.chain([fixed, shifted]).collect()
}

/// Fields of one row; the values repeat with a period that is not one of the sizes below.
fn fields(row: usize) -> Vec<Value> {
    let texts = ["12", "a longer text than the twelve bytes", "", "x", "-7"];
    let is_null = |column: usize| (row + column).is_multiple_of(7);
    let embedding = (0..3).map(|k| Value::float32((row * k) as f32)).collect();
    let list =
        (0..row % 4).map(|k| if k == 2 { Value::Null } else { Value::Int64((row + k) as i64) }).collect();
    let values = vec![
        Value::Int64(row as i64 % 11 - 5),
        Value::float64(row as f64 / 4.0 - 2.0),
        Value::text(texts[row % texts.len()]),
        Value::List(Type::Int64, list),
        Value::FixedList(Type::Float32, embedding),
    ];
    values
        .into_iter()
        .enumerate()
        .map(|(column, value)| if is_null(column) { Value::Null } else { value })
        .collect()
}

fn set_fields(evaluator: &mut RowEvaluator, fields: &[Value]) -> Result<()> {
    let mut integers = [0i64; 4];
    let mut floats = [0f32; 3];
    for (column, value) in fields.iter().enumerate() {
        match value {
            Value::Null => {}
            Value::Int64(value) => evaluator.set_i64(column, *value)?,
            Value::Float64(bits) => evaluator.set_f64(column, f64::from_bits(bits.0))?,
            Value::Text(text) => evaluator.set_text(column, text)?,
            Value::List(_, values) if values.iter().all(|value| !value.is_null()) => {
                for (to, value) in integers.iter_mut().zip(values) {
                    *to = value.as_i64().unwrap_or_default();
                }
                evaluator.set_list_i64(column, &integers[..values.len()])?;
            }
            Value::FixedList(_, values) => {
                for (to, value) in floats.iter_mut().zip(values) {
                    *to = value.as_f64().unwrap_or_default() as f32;
                }
                evaluator.set_fixed_list_f32(column, &floats)?;
            }
            other => evaluator.set_value(column, other)?,
        }
    }
    Ok(())
}

/// All rows as one batch.
fn batch(rows: usize) -> Batch {
    let schema = schema();
    let columns = schema.fields.iter().enumerate().map(|(column, field)| {
        let values: Vec<_> = (0..rows).map(|row| fields(row).swap_remove(column)).collect();
        let list = Literal::new(Value::List(field.data_type.clone(), values));
        let list =
            literal_array(&Literal { data_type: Type::list(field.data_type.clone()), ..list }).unwrap();
        let list =
            list.as_any().downcast_ref::<hypostyle_functions::arrow::array::ListArray>().unwrap().clone();
        Column::Flat(Arc::clone(list.values()))
    });
    Batch::new(columns.collect(), rows)
}

fn parameters() -> [Literal; 1] {
    [Literal::new(Value::Int64(40))]
}

fn expected(set: &Arc<ExpressionSet>, rows: usize) -> Vec<Vec<Value>> {
    let columns = Evaluator::new(Arc::clone(set), &parameters()).unwrap().evaluate(&batch(rows)).unwrap();
    let bump = bumpalo::Bump::new();
    let views: Vec<_> = columns.iter().zip(set.types()).map(|(column, ty)| column.view(ty, &bump)).collect();
    (0..rows).map(|row| views.iter().map(|view| value_at(view, row)).collect()).collect()
}

#[test]
fn rows_have_the_bits_of_batches() {
    const ROWS: usize = 97;
    for (fuse, expressions) in
        [true, false].into_iter().flat_map(|fuse| [(fuse, expressions()), (fuse, straight_expressions())])
    {
        let set = ExpressionSet::compile(&expressions, &schema(), &context(fuse)).unwrap();
        let expected = expected(&set, ROWS);
        let mut evaluator = RowEvaluator::new(Arc::clone(&set), &parameters()).unwrap();
        for (row, expected) in expected.iter().enumerate() {
            evaluator.start(1).unwrap();
            set_fields(&mut evaluator, &fields(row)).unwrap();
            evaluator.evaluate().unwrap();
            for (output, expected) in expected.iter().enumerate() {
                assert_eq!(evaluator.value(output, 0), *expected, "row {row}, output {output}, fuse {fuse}");
            }
        }
        for size in [3, 64, 96] {
            evaluator.start(size).unwrap();
            for row in 0..size {
                evaluator.at(row).unwrap();
                set_fields(&mut evaluator, &fields(row)).unwrap();
            }
            evaluator.evaluate().unwrap();
            for row in 0..size {
                for (output, expected) in expected[row].iter().enumerate() {
                    assert_eq!(
                        evaluator.value(output, row),
                        *expected,
                        "row {row} of {size}, output {output}"
                    );
                }
            }
        }
    }
}

#[test]
fn nothing_is_allocated_after_warm_up() {
    let rows: Vec<_> = (0..64).map(fields).collect();
    for (fuse, expressions, text) in [true, false]
        .into_iter()
        .flat_map(|fuse| [(fuse, expressions(), 10), (fuse, straight_expressions(), 4)])
    {
        let set = ExpressionSet::compile(&expressions, &schema(), &context(fuse)).unwrap();
        let mut evaluator = RowEvaluator::new(Arc::clone(&set), &parameters()).unwrap();
        let pass = |evaluator: &mut RowEvaluator| {
            for fields in &rows {
                evaluator.start(1).unwrap();
                set_fields(evaluator, fields).unwrap();
                evaluator.evaluate().unwrap();
                assert!(evaluator.get_text(text, 0).map_or(0, str::len) >= 5);
                assert!(evaluator.get_f64(0, 0).is_some() || evaluator.is_null(0, 0));
            }
        };
        pass(&mut evaluator);
        pass(&mut evaluator);
        let before = allocations();
        pass(&mut evaluator);
        assert_eq!(allocations() - before, 0, "fuse {fuse}");
    }
}

#[test]
fn wrong_fields_are_refused_with_both_types() {
    let set = ExpressionSet::compile(&expressions(), &schema(), &context(true)).unwrap();
    let mut evaluator = RowEvaluator::new(set, &[]).unwrap();
    let message = |result: Result<()>| result.map_err(|error| error.to_string()).err();
    assert_eq!(
        message(evaluator.set_i64(2, 1)).as_deref(),
        Some("input column 2 has type VARCHAR; it does not take an integer")
    );
    assert_eq!(
        message(evaluator.set_fixed_list_f32(4, &[1.0])).as_deref(),
        Some("input column 4 has type FLOAT[3]; it does not take an embedding of dimension 1")
    );
    assert_eq!(message(evaluator.set_null(9)).as_deref(), Some("there is no input column 9; there are 5"));
    assert!(evaluator.start(0).is_err());
    assert!(evaluator.start(257).is_err());
}

#[test]
fn a_failed_row_is_raised_and_the_next_row_is_clean() {
    let divided = call("divide", vec![int(100), Expression::column(0, Type::Int64)], Type::Int64);
    let set = ExpressionSet::compile(&[divided], &schema(), &context(true)).unwrap();
    let mut evaluator = RowEvaluator::new(set, &[]).unwrap();
    evaluator.set_i64(0, 0).unwrap();
    assert_eq!(evaluator.evaluate().map_err(|error| error.to_string()), Err("//: division by zero".into()));
    evaluator.start(1).unwrap();
    evaluator.set_i64(0, 7).unwrap();
    evaluator.evaluate().unwrap();
    assert_eq!(evaluator.get_i64(0, 0), Some(14));
}

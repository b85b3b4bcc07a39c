//! Facts of expression evaluation over batches.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test stops at the first surprise.

mod sample;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hypostyle_engine::expression::{Evaluator, ExpressionSet, evaluate_constant};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Batch, Catalog, Configuration, Context, Result};
use hypostyle_functions::arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, StringViewArray};
use hypostyle_functions::arrow::datatypes::Int64Type;
use hypostyle_functions::column::{Column, value_at};
use hypostyle_functions::scalar::{Bound, ScalarFunction, Settings};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Field, Literal, Schema, Type, Value};
use sample::{call, case, context, float, int, null, text_of};

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("i", Type::Int64),
        Field::new("x", Type::Float64),
        Field::new("t", Type::Text),
        Field::new("l", Type::list(Type::Int64)),
    ])
}

fn batch() -> Batch {
    let i: ArrayRef = Arc::new(Int64Array::from(vec![Some(0), Some(1), None, Some(-4), Some(5)]));
    let x: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.5), None, Some(2.5), Some(-1.0), Some(1e300)]));
    let t: ArrayRef = Arc::new(StringViewArray::from(vec![
        Some("12"),
        Some("a longer text than twelve"),
        None,
        Some(""),
        Some("-7"),
    ]));
    let l: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![
        Some(vec![Some(1), Some(2)]),
        Some(vec![]),
        None,
        Some(vec![None, Some(9)]),
        Some(vec![Some(3)]),
    ]));
    Batch::new(vec![Column::Flat(i), Column::Flat(x), Column::Flat(t), Column::Flat(l)], 5)
}

fn i() -> Expression {
    Expression::column(0, Type::Int64)
}

fn x() -> Expression {
    Expression::column(1, Type::Float64)
}

fn t() -> Expression {
    Expression::column(2, Type::Text)
}

fn l() -> Expression {
    Expression::column(3, Type::list(Type::Int64))
}

fn values(column: &Column, data_type: &Type) -> Vec<Value> {
    let bump = bumpalo::Bump::new();
    let view = column.view(data_type, &bump);
    (0..column.len()).map(|row| value_at(&view, row)).collect()
}

fn evaluate_over(expression: &Expression, batch: &Batch, fuse: bool) -> Result<Vec<Value>> {
    let set = ExpressionSet::compile(std::slice::from_ref(expression), &schema(), &context(fuse))?;
    let mut evaluator = Evaluator::new(Arc::clone(&set), &[])?;
    let columns = evaluator.evaluate(batch)?;
    Ok(values(&columns[0], &set.types()[0]))
}

fn evaluate(expression: &Expression) -> Result<Vec<Value>> {
    let fused = evaluate_over(expression, &batch(), true);
    let plain = evaluate_over(expression, &batch(), false);
    match (&fused, &plain) {
        (Ok(a), Ok(b)) => assert_eq!(a, b, "fused and unfused differ"),
        (a, b) => assert_eq!(
            a.as_ref().map_err(ToString::to_string).err(),
            b.as_ref().map_err(ToString::to_string).err()
        ),
    }
    fused
}

fn ints(values: &[Option<i64>]) -> Vec<Value> {
    values.iter().map(|value| value.map_or(Value::Null, Value::Int64)).collect()
}

fn bools(values: &[Option<bool>]) -> Vec<Value> {
    values.iter().map(|value| value.map_or(Value::Null, Value::Boolean)).collect()
}

fn divide(a: Expression, b: Expression) -> Expression {
    call("divide", vec![a, b], Type::Int64)
}

fn plus(a: Expression, b: Expression) -> Expression {
    call("plus", vec![a, b], Type::Int64)
}

fn less(a: Expression, b: Expression) -> Expression {
    call("less", vec![a, b], Type::Boolean)
}

#[test]
fn strict_chains_are_null_where_an_operand_is() {
    let chain = call(
        "add",
        vec![
            call("multiply", vec![x(), float(2.0)], Type::Float64),
            call("double", vec![i()], Type::Float64),
        ],
        Type::Float64,
    );
    let result = evaluate(&chain).unwrap();
    assert_eq!(
        result,
        vec![Value::float64(1.0), Value::Null, Value::Null, Value::float64(-6.0), Value::float64(2e300)]
    );
}

#[test]
fn an_error_is_raised_for_the_first_row() {
    let error = evaluate(&divide(int(1), i())).unwrap_err();
    assert_eq!(error.to_string(), "//: division by zero");
    let error = evaluate(&plus(plus(i(), int(i64::MAX)), int(0))).unwrap_err();
    assert_eq!(error.to_string(), "+: 1 + 9223372036854775807 is out of range for BIGINT");
    let error = evaluate(&call("parse", vec![t()], Type::Int64)).unwrap_err();
    assert_eq!(error.to_string(), "\"a longer text than twelve\" is no number");
}

#[test]
fn try_turns_errors_into_nulls() {
    let result = evaluate(&Expression::Try(Box::new(plus(divide(int(20), i()), int(1))))).unwrap();
    assert_eq!(result, ints(&[None, Some(21), None, Some(-4), Some(5)]));
    let parsed = evaluate(&Expression::Try(Box::new(call("parse", vec![t()], Type::Int64)))).unwrap();
    assert_eq!(parsed, ints(&[Some(12), None, None, None, Some(-7)]));
}

#[test]
fn branches_that_are_not_taken_do_not_fail() {
    let is_zero = Expression::And(vec![less(i(), int(1)), less(int(-1), i())]);
    let guarded = case(vec![(is_zero, int(-1))], Some(divide(int(20), i())));
    assert_eq!(evaluate(&guarded).unwrap(), ints(&[Some(-1), Some(20), None, Some(-5), Some(4)]));
    let text = case(vec![(less(call("length", vec![t()], Type::Int64), int(1)), int(0))], Some(int(3)));
    assert_eq!(evaluate(&text).unwrap(), ints(&[Some(3), Some(3), Some(3), Some(0), Some(3)]));
}

#[test]
fn a_failing_constant_fails_only_where_it_is_used() {
    let lazy = case(vec![(less(i(), int(-100)), divide(int(1), int(0)))], Some(int(7)));
    assert_eq!(evaluate(&lazy).unwrap(), ints(&[Some(7); 5]));
    assert_eq!(evaluate(&divide(int(1), int(0))).unwrap_err().to_string(), "//: division by zero");
    let tried = Expression::Try(Box::new(divide(int(1), int(0))));
    assert_eq!(evaluate(&tried).unwrap(), ints(&[None; 5]));
}

#[test]
fn and_and_or_follow_three_valued_logic_in_any_order() {
    let small = less(i(), int(1));
    let positive = less(float(0.0), x());
    for swap in [false, true] {
        let mut pair = vec![small.clone(), positive.clone()];
        if swap {
            pair.reverse();
        }
        assert_eq!(
            evaluate(&Expression::And(pair.clone())).unwrap(),
            bools(&[Some(true), Some(false), None, Some(false), Some(false)])
        );
        assert_eq!(
            evaluate(&Expression::Or(pair)).unwrap(),
            bools(&[Some(true), None, Some(true), Some(true), Some(true)])
        );
    }
}

#[test]
fn an_operand_that_decides_hides_the_errors_of_others() {
    let fails = less(divide(int(20), i()), int(100));
    let not_zero =
        call("not", vec![Expression::And(vec![less(i(), int(1)), less(int(-1), i())])], Type::Boolean);
    for pair in [vec![fails.clone(), not_zero.clone()], vec![not_zero.clone(), fails.clone()]] {
        assert_eq!(
            evaluate(&Expression::And(pair)).unwrap(),
            bools(&[Some(false), Some(true), None, Some(true), Some(true)])
        );
    }
    let text_fails = less(call("parse", vec![t()], Type::Int64), int(0));
    let is_number = less(call("length", vec![t()], Type::Int64), int(3));
    let guarded =
        Expression::And(vec![text_fails, is_number, less(int(0), call("length", vec![t()], Type::Int64))]);
    assert_eq!(
        evaluate(&guarded).unwrap(),
        bools(&[Some(false), Some(false), None, Some(false), Some(true)])
    );
}

#[test]
fn coalesce_takes_the_first_value() {
    let coalesce = Expression::Coalesce {
        arguments: vec![call("positive", vec![i()], Type::Int64), i(), int(9)],
        data_type: Type::Int64,
    };
    assert_eq!(evaluate(&coalesce).unwrap(), ints(&[Some(0), Some(1), Some(9), Some(-4), Some(5)]));
    let text = Expression::Coalesce { arguments: vec![t(), text_of("none")], data_type: Type::Text };
    assert_eq!(evaluate(&text).unwrap()[2], Value::text("none"));
}

#[test]
fn a_case_without_else_is_null() {
    let numbers = case(vec![(less(i(), int(1)), i())], None);
    assert_eq!(evaluate(&numbers).unwrap(), ints(&[Some(0), None, None, Some(-4), None]));
    let texts = case(vec![(less(i(), int(1)), call("upper", vec![text_of("low")], Type::Text))], None);
    assert_eq!(evaluate(&texts).unwrap()[..2], [Value::text("LOW"), Value::Null]);
}

fn transform(body: Expression, data_type: Type) -> Expression {
    let lambda = Expression::Lambda { parameters: vec![(1, Type::Int64)], body: Box::new(body) };
    call("list_transform", vec![l(), lambda], data_type)
}

#[test]
fn a_lambda_reads_its_parameter_and_outer_columns() {
    let element = Expression::Variable { id: 1, data_type: Type::Int64 };
    let body = plus(plus(element, i()), int(100));
    let result = evaluate(&transform(body, Type::list(Type::Int64))).unwrap();
    let list = |values: &[Option<i64>]| Value::List(Type::Int64, ints(values));
    assert_eq!(
        result,
        vec![
            list(&[Some(101), Some(102)]),
            list(&[]),
            Value::Null,
            list(&[None, Some(105)]),
            list(&[Some(108)])
        ]
    );
}

#[test]
fn lambdas_nest_and_fail_by_row() {
    let element = || Expression::Variable { id: 1, data_type: Type::Int64 };
    let inner = Expression::Lambda {
        parameters: vec![(2, Type::Int64)],
        body: Box::new(plus(Expression::Variable { id: 2, data_type: Type::Int64 }, plus(element(), i()))),
    };
    let inner = call("list_transform", vec![l(), inner], Type::list(Type::Int64));
    let body = call("list_sum", vec![inner], Type::Int64);
    let result = evaluate(&transform(body, Type::list(Type::Int64))).unwrap();
    assert_eq!(result[0], Value::List(Type::Int64, ints(&[Some(5), Some(7)])));
    let failing = transform(divide(int(6), element()), Type::list(Type::Int64));
    assert_eq!(evaluate(&failing).unwrap()[0], Value::List(Type::Int64, ints(&[Some(6), Some(3)])));
    let failing = transform(divide(int(6), plus(element(), int(-2))), Type::list(Type::Int64));
    assert_eq!(evaluate(&failing).unwrap_err().to_string(), "//: division by zero");
    assert_eq!(evaluate(&Expression::Try(Box::new(failing))).unwrap()[0], Value::Null);
}

#[test]
fn equal_subtrees_are_evaluated_once_and_a_dictionary_once_per_value() {
    let length = || call("length", vec![t()], Type::Int64);
    let expressions = [plus(length(), int(1)), plus(length(), i()), length()];
    let set = ExpressionSet::compile(&expressions, &schema(), &context(true)).unwrap();
    let mut evaluator = Evaluator::new(Arc::clone(&set), &[]).unwrap();
    let words: ArrayRef =
        Arc::new(StringViewArray::from(vec![Some("one"), None, Some("three"), Some("unused")]));
    let mut dictionary = batch();
    dictionary.columns[2] =
        Column::Dictionary { indices: vec![0, 2, 0, 1, 2].into(), validity: None, values: words };
    let before = sample::LENGTH_CALLS.load(Ordering::Relaxed);
    for _ in 0..3 {
        let columns = evaluator.evaluate(&dictionary).unwrap();
        assert_eq!(values(&columns[0], &Type::Int64), ints(&[Some(4), Some(6), Some(4), None, Some(6)]));
        assert_eq!(values(&columns[1], &Type::Int64), ints(&[Some(3), Some(6), None, None, Some(10)]));
        assert!(matches!(columns[0], Column::Dictionary { .. }));
    }
    let calls = sample::LENGTH_CALLS.load(Ordering::Relaxed) - before;
    assert!(calls <= 3, "{calls} calls for two values referred to and one more");
    assert!(evaluator.memory_bytes() > 0);
    evaluator.release();
    assert_eq!(evaluator.memory_bytes(), 0);
}

#[test]
fn values_that_no_row_refers_to_do_not_fail() {
    let words: ArrayRef = Arc::new(StringViewArray::from(vec![Some("1"), Some("bad"), Some("3")]));
    let mut dictionary = batch();
    dictionary.columns[2] =
        Column::Dictionary { indices: vec![0, 2, 0, 2, 2].into(), validity: None, values: words };
    let parsed = evaluate_over(&call("parse", vec![t()], Type::Int64), &dictionary, true).unwrap();
    assert_eq!(parsed, ints(&[Some(1), Some(3), Some(1), Some(3), Some(3)]));
}

#[test]
fn constant_columns_give_constant_columns() {
    let mut constant = batch();
    constant.columns[0] = Column::Constant { value: Arc::new(Int64Array::from(vec![41])), length: 5 };
    let set = ExpressionSet::compile(&[plus(i(), int(1))], &schema(), &context(true)).unwrap();
    let columns = Evaluator::new(set, &[]).unwrap().evaluate(&constant).unwrap();
    assert!(matches!(columns[0], Column::Constant { length: 5, .. }));
    assert_eq!(values(&columns[0], &Type::Int64), ints(&[Some(42); 5]));
}

#[test]
fn volatile_calls_are_made_for_each_row_and_each_place() {
    let ticket = || call("ticket", vec![], Type::Int64);
    let set = ExpressionSet::compile(&[ticket(), ticket()], &schema(), &context(true)).unwrap();
    let columns = Evaluator::new(set, &[]).unwrap().evaluate(&batch()).unwrap();
    let mut all = values(&columns[0], &Type::Int64);
    all.extend(values(&columns[1], &Type::Int64));
    assert_eq!(all, (0..10).map(Value::Int64).collect::<Vec<_>>());
}

#[test]
fn a_predicate_selects_the_rows_where_it_is_true() {
    let set = ExpressionSet::compile(&[less(int(0), i())], &schema(), &context(true)).unwrap();
    let mut evaluator = Evaluator::new(set, &[]).unwrap();
    let selection = evaluator.select(&batch()).unwrap();
    assert_eq!(selection.count(), 2);
    assert_eq!(selection.bits().set_indices().collect::<Vec<_>>(), [1, 4]);
    assert_eq!(evaluator.metrics().next().unwrap().rows, 5);
}

#[test]
fn parameters_are_given_when_an_evaluator_is_made() {
    let parameter = Expression::Parameter { index: 0, data_type: Type::Int64 };
    let set = ExpressionSet::compile(&[plus(i(), parameter)], &schema(), &context(true)).unwrap();
    let mut evaluator = Evaluator::new(Arc::clone(&set), &[Literal::new(Value::Int64(10))]).unwrap();
    let columns = evaluator.evaluate(&batch()).unwrap();
    assert_eq!(values(&columns[0], &Type::Int64), ints(&[Some(10), Some(11), None, Some(6), Some(15)]));
    let error = Evaluator::new(set, &[]).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("parameter $1 has no value; 0 were given"));
}

#[test]
fn constants_fold() {
    let sum = plus(int(1), plus(int(2), null(Type::Int64)));
    assert_eq!(evaluate_constant(&sum, &context(true)).unwrap(), Literal::null(Type::Int64));
    assert_eq!(evaluate_constant(&plus(int(1), int(2)), &context(true)).unwrap().value, Value::Int64(3));
    assert!(evaluate_constant(&divide(int(1), int(0)), &context(true)).is_err());
}

#[test]
fn every_call_is_bound_with_the_value_of_a_constant_expression() {
    let mut registry = sample::registry();
    registry.register_scalar(ScalarFunction::new("is_known", "test", "").overload(
        [exact("a", Type::Int64), exact("b", Type::Int64)],
        |arguments| {
            let is_known = i64::from(arguments.known(1).is_some());
            Ok(Bound::null_aware(Type::Int64, move |_, rows, output, _| {
                let values = output.fixed::<i64>();
                rows.for_each(|row| values[row] = is_known);
                Ok(())
            }))
        },
    ));
    let (catalog, settings) = (Arc::new(Catalog::default()), Settings::default());
    let context = Arc::new(Context::new(Arc::new(registry), catalog, settings, Configuration::default()));
    let is_known = |first| call("is_known", vec![first, plus(int(1), int(2))], Type::Int64);
    let set =
        ExpressionSet::compile(&[is_known(i()), is_known(plus(i(), i()))], &schema(), &context).unwrap();
    let columns = Evaluator::new(set, &[]).unwrap().evaluate(&batch()).unwrap();
    for column in &columns {
        assert_eq!(values(column, &Type::Int64), ints(&[Some(1); 5]));
    }
}

#[test]
fn an_empty_batch_gives_empty_columns() {
    let empty = batch().slice(0, 0);
    assert_eq!(evaluate_over(&plus(i(), int(1)), &empty, true).unwrap(), Vec::new());
}

//! Every type goes through output, freeze, import, view and back, and comes out as it went in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, LargeListArray, RunArray, StringArray};
use arrow::datatypes::{Int32Type, Int64Type};
use bumpalo::Bump;

use super::*;
use crate::types::{Field, TimeUnit, Type};
use crate::value::{DecimalDigits, Value};

/// Three values of each type: one, a null, another.
fn samples() -> Vec<(Type, [Value; 3])> {
    let long = "a text that does not fit a view";
    let numbers = Type::list(Type::Int64);
    let list =
        |values: &[i64]| Value::List(Type::Int64, values.iter().map(|&value| Value::Int64(value)).collect());
    let fields = vec![Field::new("a", Type::Int32), Field::new("b", numbers.clone())];
    let row = |a: Value, b: Value| {
        Value::Struct(vec![("a".into(), a), ("b".into(), b)], vec![Type::Int32, numbers.clone()])
    };
    let entry = |key: &str, value: i64| (Value::text(key), Value::Int64(value));
    let embedding =
        |a: f32, b: f32| Value::FixedList(Type::Float32, vec![Value::float32(a), Value::float32(b)]);
    vec![
        (Type::Boolean, [Value::Boolean(true), Value::Null, Value::Boolean(false)]),
        (Type::Int8, [Value::Int8(-1), Value::Null, Value::Int8(7)]),
        (Type::UInt64, [Value::UInt64(u64::MAX), Value::Null, Value::UInt64(0)]),
        (Type::Float16, [Value::Float16(0x3c00), Value::Null, Value::Float16(0x7e00)]),
        (Type::Float64, [Value::float64(f64::NAN), Value::Null, Value::float64(-0.0)]),
        (
            Type::Decimal(20, 3),
            [Value::Decimal(DecimalDigits(-5), 20, 3), Value::Null, Value::Decimal(DecimalDigits(9), 20, 3)],
        ),
        (Type::Text, [Value::text(long), Value::Null, Value::text("short")]),
        (Type::Binary, [Value::Binary(vec![0xff; 20]), Value::Null, Value::Binary(vec![])]),
        (Type::Date, [Value::Date(1), Value::Null, Value::Date(-1)]),
        (Type::Time, [Value::Time(1), Value::Null, Value::Time(2)]),
        (
            Type::Timestamp(TimeUnit::Nanosecond),
            [
                Value::Timestamp(1, TimeUnit::Nanosecond),
                Value::Null,
                Value::Timestamp(2, TimeUnit::Nanosecond),
            ],
        ),
        (Type::TimestampTz, [Value::TimestampTz(1), Value::Null, Value::TimestampTz(2)]),
        (Type::Interval, [Value::Interval(1, 2, 3), Value::Null, Value::Interval(0, 0, -1)]),
        (numbers.clone(), [list(&[1, 2, 3]), Value::Null, list(&[])]),
        (
            Type::fixed_list(Type::Float32, 2),
            [embedding(1.0, 2.0), Value::Null, embedding(-0.0, f32::INFINITY)],
        ),
        (
            Type::Struct(fields),
            [row(Value::Int32(1), list(&[4])), Value::Null, row(Value::Null, Value::Null)],
        ),
        (
            Type::map(Type::Text, Type::Int64),
            [
                Value::Map(Type::Text, Type::Int64, vec![entry("x", 1), entry(long, 2)]),
                Value::Null,
                Value::Map(Type::Text, Type::Int64, vec![]),
            ],
        ),
    ]
}

fn array_of(data_type: &Type, values: &[Value]) -> ArrayRef {
    let mut output = Output::new(data_type.clone());
    output.prepare(values.len());
    for (row, value) in values.iter().enumerate() {
        output.set_value(row, value).unwrap();
    }
    output.freeze().unwrap()
}

fn values_of(column: &Column, data_type: &Type) -> Vec<Value> {
    let bump = Bump::new();
    let view = column.view(data_type, &bump);
    (0..view.length).map(|row| value_at(&view, row)).collect()
}

#[test]
fn every_type_survives_freeze_and_import() {
    for (data_type, values) in samples() {
        let array = array_of(&data_type, &values);
        assert_eq!(array.data_type(), &data_type.to_arrow(), "{data_type}");
        let column = import(&array, &data_type).unwrap();
        assert_eq!(values_of(&column, &data_type), values, "{data_type}");
    }
}

#[test]
fn slices_dictionaries_and_constants_show_the_same_values() {
    for (data_type, values) in samples() {
        let array = array_of(&data_type, &values);
        let slice = Column::Flat(array.slice(1, 2));
        assert_eq!(values_of(&slice, &data_type), values[1..], "{data_type}");
        let dictionary = Column::Dictionary {
            indices: vec![2, 0, 1, 2].into(),
            validity: None,
            values: Arc::clone(&array),
        };
        let expected = [2, 0, 1, 2].map(|row: usize| values[row].clone());
        assert_eq!(values_of(&dictionary, &data_type), expected, "{data_type}");
        assert_eq!(
            values_of(&Column::Flat(dictionary.to_array().unwrap()), &data_type),
            expected,
            "{data_type}"
        );
        let constant = Column::Constant { value: array.slice(0, 1), length: 3 };
        assert_eq!(
            values_of(&constant, &data_type),
            [0; 3].map(|row: usize| values[row].clone()),
            "{data_type}"
        );
    }
}

#[test]
fn rows_written_out_of_order_and_copied_freeze_in_order() {
    for (data_type, values) in samples() {
        let source = Column::Flat(array_of(&data_type, &values));
        let bump = Bump::new();
        let view = source.view(&data_type, &bump);
        for copying in [false, true] {
            let mut output =
                if copying { Output::copying(data_type.clone()) } else { Output::new(data_type.clone()) };
            output.prepare(3);
            [2, 0, 1].into_iter().for_each(|row| output.copy(row, &view, row));
            output.push_range(&view, 0..3);
            let frozen = Column::Flat(output.freeze().unwrap());
            assert_eq!(values_of(&frozen, &data_type), [&values[..], &values[..]].concat(), "{data_type}");
        }
    }
}

#[test]
fn rows_copied_together_are_those_copied_one_by_one() {
    for (data_type, values) in samples() {
        let long: Vec<Value> = (0..150).map(|row| values[row * row % 11 % 3].clone()).collect();
        let array = array_of(&data_type, &long);
        for (start, rows) in [(0, 150), (5, 64), (3, 130), (1, 1)] {
            let source = Column::Flat(array.slice(start, rows));
            let bump = Bump::new();
            let view = source.view(&data_type, &bump);
            for copying in [false, true] {
                let mut output =
                    if copying { Output::copying(data_type.clone()) } else { Output::new(data_type.clone()) };
                output.prepare(rows);
                output.copy_rows(&view, &Rows::All(rows));
                let frozen = Column::Flat(output.freeze().unwrap());
                assert_eq!(values_of(&frozen, &data_type), long[start..start + rows], "{data_type}");
            }
        }
    }
}

#[test]
fn an_output_is_reused_after_a_freeze() {
    for (data_type, values) in samples() {
        let mut output = Output::new(data_type.clone());
        for _ in 0..3 {
            output.prepare(3);
            values.iter().enumerate().for_each(|(row, value)| output.set_value(row, value).unwrap());
            let frozen = Column::Flat(output.freeze().unwrap());
            assert_eq!(values_of(&frozen, &data_type), values, "{data_type}");
        }
    }
}

#[test]
fn order_equality_and_hash_agree() {
    for (data_type, values) in samples() {
        let flat = Column::Flat(array_of(&data_type, &values));
        let codes = Column::Dictionary {
            indices: vec![0, 1, 2].into(),
            validity: None,
            values: flat.to_array().unwrap(),
        };
        let bump = Bump::new();
        let (a, b) = (flat.view(&data_type, &bump), codes.view(&data_type, &bump));
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            assert_eq!(equal(&a, i, &b, j), i == j, "{data_type} {i} {j}");
            assert_eq!(compare(&a, i, &b, j), compare(&b, j, &a, i).reverse(), "{data_type} {i} {j}");
            assert_eq!(hash(&a, i, 1) == hash(&b, j, 1), i == j, "{data_type} {i} {j}");
        }
    }
}

#[test]
fn zeros_are_equal_and_nan_is_greatest() {
    let array =
        array_of(&Type::Float64, &[0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY].map(Value::float64));
    let (bump, column) = (Bump::new(), Column::Flat(array));
    let view = column.view(&Type::Float64, &bump);
    assert!(equal(&view, 0, &view, 1) && hash(&view, 0, 0) == hash(&view, 1, 0));
    assert!(equal(&view, 2, &view, 3) && hash(&view, 2, 0) == hash(&view, 3, 0));
    assert!(compare(&view, 2, &view, 4).is_gt());
}

#[test]
fn foreign_layouts_are_imported() {
    let dictionary: DictionaryArray<Int32Type> =
        [Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    let column = import(&(Arc::new(dictionary) as ArrayRef), &Type::Text).unwrap();
    assert!(matches!(column, Column::Dictionary { .. }));
    assert_eq!(
        values_of(&column, &Type::Text),
        [Value::text("a"), Value::Null, Value::text("b"), Value::text("a")]
    );

    let runs =
        RunArray::<Int32Type>::try_new(&Int32Array::from(vec![2, 3]), &StringArray::from(vec!["x", "y"]))
            .unwrap();
    let column = import(&(Arc::new(runs.slice(1, 2)) as ArrayRef), &Type::Text).unwrap();
    assert_eq!(values_of(&column, &Type::Text), [Value::text("x"), Value::text("y")]);

    let large = LargeListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None]);
    let data_type = Type::from_arrow(large.data_type()).unwrap();
    let column = import(&(Arc::new(large) as ArrayRef), &data_type).unwrap();
    let expected = [Value::List(Type::Int64, vec![Value::Int64(1), Value::Null]), Value::Null];
    assert_eq!(values_of(&column, &data_type), expected);
}

#[test]
fn failed_rows_read_as_null_and_keep_their_errors() {
    let mut output = Output::new(Type::Int32);
    output.prepare(3);
    output.fail(1, || crate::Error::user("bad"));
    assert!(output.has_failed(1) && !output.has_failed(0) && !output.is_valid(1));
    assert_eq!(output.errors().len(), 1);
    output.set_quiet(true);
    output.prepare(3);
    output.fail(2, || unreachable!("nobody sees the text under TRY"));
    assert!(output.has_failed(2) && output.errors().is_empty());
}

#[test]
fn words_of_bits_start_anywhere() {
    let mut bits = BitsMut::default();
    (0..200).for_each(|index| bits.push(index % 3 == 0));
    for start in [0, 1, 63, 64, 65, 130] {
        let slice = bits.as_bits().slice(start, 200 - start);
        for word in 0..slice.words() {
            let expected = (0..64).filter(|bit| word * 64 + bit < slice.len() && slice.get(word * 64 + bit));
            assert_eq!(slice.word(word), expected.fold(0, |held, bit| held | 1 << bit), "{start} {word}");
        }
    }
}

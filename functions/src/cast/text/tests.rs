//! Text forms, with DuckDB's answers as the expected ones.

use bumpalo::Bump;

use super::*;
use crate::column::{borrow, literal_array};
use crate::types::Field;
use crate::value::{DecimalDigits, Literal, Value};

fn text(value: Value) -> String {
    text_in(value, Zone::UTC)
}

fn text_in(value: Value, zone: Zone) -> String {
    let literal = Literal::new(value);
    let array = literal_array(&literal).unwrap();
    let (bump, mut text) = (Bump::new(), String::new());
    format_value_in(&borrow(&array, &literal.data_type, &bump), 0, zone, &mut text).unwrap();
    text
}

#[test]
fn floats_are_shortest_and_switch_to_exponents_at_the_same_places() {
    let cases = [
        (1.0, "1.0"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (1.5e300, "1.5e+300"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (f64::NAN, "nan"),
        (-f64::NAN, "nan"),
        (f64::NEG_INFINITY, "-inf"),
        (0.1, "0.1"),
        (123456789012345678.0, "1.2345678901234568e+17"),
        (-0.0, "-0.0"),
        (-1234.5678, "-1234.5678"),
        (100.0, "100.0"),
        (0.00123, "0.00123"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
    ];
    for (value, expected) in cases {
        assert_eq!(text(Value::float64(value)), expected);
    }
    for (value, expected) in
        [(0.1_f32, "0.1"), (16777216.0, "16777216.0"), (1e10, "10000000000.0"), (1e-7, "1e-07")]
    {
        assert_eq!(text(Value::float32(value)), expected);
    }
}

#[test]
fn shortest_texts_read_back_to_the_same_bits() {
    let mut state = 88172645463325252u64;
    for _ in 0..20_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let value = f64::from_bits(state);
        if value.is_finite() {
            assert_eq!(text(Value::float64(value)).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}

#[test]
fn decimals_keep_their_scale() {
    let decimal = |value, precision, scale| text(Value::Decimal(DecimalDigits(value), precision, scale));
    assert_eq!(decimal(150, 4, 2), "1.50");
    assert_eq!(decimal(-5, 4, 2), "-0.05");
    assert_eq!(decimal(0, 4, 2), "0.00");
    assert_eq!(decimal(50, 2, 2), ".50");
    assert_eq!(decimal(-7, 38, 0), "-7");
}

#[test]
fn dates_and_timestamps_count_years_before_one_backwards() {
    for (days, expected) in
        [(0, "1970-01-01"), (-735_160, "0044-03-15 (BC)"), (2_932_897, "10000-01-01"), (i32::MAX, "infinity")]
    {
        assert_eq!(text(Value::Date(days)), expected);
    }
    assert_eq!(text(Value::Timestamp(-500_000, TimeUnit::Microsecond)), "1969-12-31 23:59:59.5");
    assert_eq!(text(Value::Timestamp(1, TimeUnit::Nanosecond)), "1970-01-01 00:00:00.000000001");
    assert_eq!(text(Value::Timestamp(-i64::MAX, TimeUnit::Second)), "-infinity");
    assert_eq!(text(Value::TimestampTz(1_704_164_645_120_000)), "2024-01-02 03:04:05.12+00");
    let kolkata = Zone::of_name("Asia/Kolkata").unwrap();
    assert_eq!(text_in(Value::TimestampTz(0), kolkata), "1970-01-01 05:30:00+05:30");
    assert_eq!(text(Value::Time(86_399_500_000)), "23:59:59.5");
}

#[test]
fn intervals_leave_out_zero_parts() {
    let hour = 3_600_000_000_000;
    assert_eq!(text(Value::Interval(14, 3, 4 * hour)), "1 year 2 months 3 days 04:00:00");
    assert_eq!(text(Value::Interval(0, -1, 0)), "-1 day");
    assert_eq!(text(Value::Interval(0, 0, 0)), "00:00:00");
    assert_eq!(text(Value::Interval(-1, -1, -hour)), "-1 month -1 day -01:00:00");
    assert_eq!(text(Value::Interval(0, 1, 90_000_500_000_000)), "1 day 25:00:00.5");
}

#[test]
fn nested_text_is_quoted_only_where_it_could_be_misread() {
    let list = Value::List(Type::Int32, vec![Value::Int32(1), Value::Null, Value::Int32(3)]);
    assert_eq!(text(list), "[1, NULL, 3]");
    let words = ["a", "b c", "null", "", "x'y", "a\"b", "a,b", "[x", " y", "a\\b"];
    let list = Value::List(Type::Text, words.map(Value::from).to_vec());
    assert_eq!(text(list), r#"[a, b c, 'null', '', 'x\'y', 'a"b', 'a,b', '[x', ' y', 'a\\b']"#);
    let inner = Type::Struct(vec![Field::new("c", Type::Text)]);
    let nested = Value::Struct(vec![("c".into(), Value::from("x"))], vec![Type::Text]);
    let value =
        Value::Struct(vec![("a b".into(), Value::Int32(1)), ("b".into(), nested)], vec![Type::Int32, inner]);
    assert_eq!(text(value), "{'a b': 1, 'b': {'c': x}}");
    let map = Value::Map(
        Type::Text,
        Type::Int32,
        vec![("a".into(), Value::Int32(1)), ("b c".into(), Value::Int32(2))],
    );
    assert_eq!(text(map), "{a=1, b c=2}");
    assert_eq!(text(Value::List(Type::Time, vec![Value::Time(0)])), "['00:00:00']");
}

#[test]
fn bytes_outside_printable_ascii_are_escaped() {
    assert_eq!(text(Value::Binary(b"\x00a\xff\\".to_vec())), "\\x00a\\xFF\\x5C");
}

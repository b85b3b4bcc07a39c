//! Text forms, with DuckDB's answers as the expected ones.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    IntervalMonthDayNanoArray, ListArray, NullArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, IntervalMonthDayNano};

use super::ValueText;

fn texts(array: ArrayRef) -> Vec<String> {
    let column = ValueText::new(&array).expect("the type has a text form");
    (0..array.len()).map(|row| column.text(row).unwrap_or_else(|| "NULL".into())).collect()
}

#[test]
fn floats_are_shortest_and_switch_to_exponents_at_the_same_places() {
    let values = vec![
        1.0,
        1e15,
        1e16,
        1.5e300,
        1e-4,
        1e-5,
        f64::NAN,
        f64::NEG_INFINITY,
        0.1,
        123456789012345678.0,
        -0.0,
    ];
    let expected = [
        "1.0",
        "1000000000000000.0",
        "1e+16",
        "1.5e+300",
        "0.0001",
        "1e-05",
        "nan",
        "-inf",
        "0.1",
        "1.2345678901234568e+17",
        "-0.0",
    ];
    assert_eq!(texts(Arc::new(Float64Array::from(values))), expected);
    let values = vec![0.1_f32, 16777216.0, 1e10, 1e-7];
    assert_eq!(texts(Arc::new(Float32Array::from(values))), ["0.1", "16777216.0", "10000000000.0", "1e-07"]);
}

#[test]
fn decimals_keep_their_scale() {
    let values =
        Decimal128Array::from(vec![Some(150), Some(-5), Some(0), None]).with_precision_and_scale(4, 2);
    assert_eq!(texts(Arc::new(values.expect("fits"))), ["1.50", "-0.05", "0.00", "NULL"]);
}

#[test]
fn dates_and_timestamps_count_years_before_one_backwards() {
    let dates = Date32Array::from(vec![0, -735_160, 2_932_897, i32::MAX]);
    assert_eq!(texts(Arc::new(dates)), ["1970-01-01", "0044-03-15 (BC)", "10000-01-01", "infinity"]);
    let timestamps = TimestampMicrosecondArray::from(vec![-500_000, 1_704_164_645_120_000]);
    assert_eq!(texts(Arc::new(timestamps.clone())), ["1969-12-31 23:59:59.5", "2024-01-02 03:04:05.12"]);
    assert_eq!(texts(Arc::new(timestamps.with_timezone("UTC")))[0], "1969-12-31 23:59:59.5+00");
}

#[test]
fn intervals_leave_out_zero_parts() {
    let values = IntervalMonthDayNanoArray::from(vec![
        IntervalMonthDayNano::new(14, 3, 4 * 3_600_000_000_000),
        IntervalMonthDayNano::new(0, -1, 0),
        IntervalMonthDayNano::new(0, 0, 0),
        IntervalMonthDayNano::new(-1, -1, -3_600_000_000_000),
        IntervalMonthDayNano::new(0, 1, 90_000_500_000_000),
    ]);
    let expected = [
        "1 year 2 months 3 days 04:00:00",
        "-1 day",
        "00:00:00",
        "-1 month -1 day -01:00:00",
        "1 day 25:00:00.5",
    ];
    assert_eq!(texts(Arc::new(values)), expected);
}

#[test]
fn nested_text_is_quoted_only_where_it_could_be_misread() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None, Some(3)]),
        Some(vec![]),
        None,
    ]);
    assert_eq!(texts(Arc::new(list)), ["[1, NULL, 3]", "[]", "NULL"]);
    let names: ArrayRef = Arc::new(StringArray::from(vec!["x y", "it's", "NULL", "", "a:b", " lead"]));
    let record = StructArray::from(vec![(Arc::new(Field::new("b", DataType::Utf8, true)), names)]);
    assert_eq!(
        texts(Arc::new(record)),
        ["{'b': x y}", "{'b': 'it\\'s'}", "{'b': 'NULL'}", "{'b': ''}", "{'b': 'a:b'}", "{'b': ' lead'}"]
    );
}

#[test]
fn bytes_outside_printable_ascii_are_escaped() {
    let values = BinaryArray::from(vec![b"\x00a\xff\\".as_slice()]);
    assert_eq!(texts(Arc::new(values)), ["\\x00a\\xFF\\x5C"]);
}

#[test]
fn sliced_and_all_null_columns_are_read_from_their_own_start() {
    let values = Int64Array::from(vec![Some(1), None, Some(-3)]).slice(1, 2);
    assert_eq!(texts(Arc::new(values)), ["NULL", "-3"]);
    assert_eq!(texts(Arc::new(NullArray::new(2))), ["NULL", "NULL"]);
}

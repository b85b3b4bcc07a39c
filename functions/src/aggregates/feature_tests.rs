//! Feature aggregates, with the values that OpenMLDB, pandas and DuckDB publish or give.

use bumpalo::Bump;

use super::tests::{GROUPS, bind, column, feed, finish};
use crate::cast::format_value;
use crate::column::{View, borrow, literal_array};
use crate::types::Type;
use crate::value::{Literal, Value};

/// An argument: its values in each row, or a constant.
enum Argument {
    Column(Type, Vec<Value>),
    Constant(Value),
}

fn integers<const N: usize>(values: [i32; N]) -> Argument {
    Argument::Column(Type::Int32, values.map(Value::Int32).to_vec())
}

fn optional<const N: usize>(values: [Option<i32>; N]) -> Argument {
    Argument::Column(Type::Int32, values.map(|value| value.map_or(Value::Null, Value::Int32)).to_vec())
}

fn floats<const N: usize>(values: [f64; N]) -> Argument {
    Argument::Column(Type::Float64, values.map(Value::float64).to_vec())
}

/// Text of one letter a row; a blank is a null.
fn letters(letters: &str) -> Argument {
    let value = |letter: char| if letter == ' ' { Value::Null } else { Value::text(letter) };
    Argument::Column(Type::Text, letters.chars().map(value).collect())
}

/// Conditions of one letter a row, t or f; a blank is a null.
fn truths(letters: &str) -> Argument {
    let value = |letter: char| if letter == ' ' { Value::Null } else { Value::Boolean(letter == 't') };
    Argument::Column(Type::Boolean, letters.chars().map(value).collect())
}

fn number(number: i64) -> Argument {
    Argument::Constant(Value::Int64(number))
}

fn word(word: &str) -> Argument {
    Argument::Constant(Value::text(word))
}

/// The result of one group of these arguments, as text.
fn over(name: &str, arguments: Vec<Argument>) -> String {
    let rows = arguments.iter().find_map(|argument| match argument {
        Argument::Column(_, values) => Some(values.len()),
        Argument::Constant(_) => None,
    });
    let rows = rows.unwrap();
    let (mut types, mut constants, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for argument in arguments {
        match argument {
            Argument::Column(data_type, column) => {
                types.push(data_type);
                constants.push(None);
                values.push(column);
            }
            Argument::Constant(value) => {
                types.push(value.data_type());
                constants.push(Some(Literal::new(value.clone())));
                values.push(vec![value; rows]);
            }
        }
    }
    let (bound, coerced) = bind(name, &types, &constants).unwrap_or_else(|| panic!("{name} binds {types:?}"));
    let columns: Vec<_> =
        values.iter().zip(&types).map(|(values, data_type)| column(data_type, values)).collect();
    assert!(coerced.iter().zip(&types).all(|(a, b)| a == b), "the test gives the types {coerced:?}");
    let bump = Bump::new();
    let views: Vec<View<'_>> =
        columns.iter().zip(&types).map(|(column, data_type)| column.view(data_type, &bump)).collect();
    let mut held = (bound.make)();
    held.resize(GROUPS as usize);
    feed(&bound, &mut *held, &views, 0..rows as u32, &vec![0; rows]);
    let literal =
        Literal { data_type: bound.result.clone(), value: finish(&bound, &mut *held).swap_remove(0) };
    let (array, mut text) = (literal_array(&literal).unwrap(), String::new());
    format_value(&borrow(&array, &literal.data_type, &bump), 0, &mut text).unwrap();
    text
}

#[test]
fn conditions_choose_rows_as_in_openmldb() {
    let values = || optional([Some(4), Some(5), Some(6), None]);
    assert_eq!(over("sum_where", vec![integers([4, 5, 6]), truths("tft")]), "10");
    assert_eq!(over("sum_where", vec![values(), truths("tt f")]), "9");
    assert_eq!(over("count_where", vec![integers([4, 5, 6]), truths("tft")]), "2");
    assert_eq!(over("count_where", vec![letters("123"), truths("tft")]), "2");
    assert_eq!(over("count_where", vec![values(), truths("tf t")]), "1");
    assert_eq!(over("avg_where", vec![integers([4, 5, 6]), truths("tft")]), "5.0");
    assert_eq!(over("avg_where", vec![integers([4, 5, 6, 7]), truths("tf t")]), "5.5");
    assert_eq!(over("min_where", vec![integers([7, 5, 4, 8]), truths("tf t")]), "7");
    assert_eq!(over("max_where", vec![integers([1, 5, 4, 0]), truths("tf t")]), "1");
    assert_eq!(over("max_where", vec![integers([1]), truths("f")]), "NULL");
}

#[test]
fn categories_are_aggregated_as_in_openmldb() {
    let (values, categories) =
        (|| optional([Some(1), Some(2), Some(3), Some(4), Some(5), None]), || letters("xyxy x"));
    let text = |name: &str| over(name, vec![values(), categories(), word("text")]);
    assert_eq!(text("sum_cate"), "x:4,y:6");
    assert_eq!(text("count_cate"), "x:2,y:2");
    assert_eq!(text("min_cate"), "x:1,y:2");
    assert_eq!(text("max_cate"), "x:3,y:4");
    assert_eq!(text("avg_cate"), "x:2.000000,y:3.000000");
    assert_eq!(over("sum_cate", vec![values(), categories(), word("map")]), "{x=4, y=6}");
    assert_eq!(over("avg_cate", vec![values(), categories(), word("map")]), "{x=2.0, y=3.0}");
    let where_text = |name: &str| over(name, vec![values(), truths("f tttt"), categories(), word("text")]);
    assert_eq!(where_text("sum_cate_where"), "x:3,y:4");
    assert_eq!(where_text("count_cate_where"), "x:1,y:1");
    assert_eq!(where_text("max_cate_where"), "x:3,y:4");
    assert_eq!(where_text("min_cate_where"), "x:3,y:4");
    assert_eq!(where_text("avg_cate_where"), "x:3.000000,y:4.000000");
    let none =
        |format: &str| over("sum_cate_where", vec![integers([1]), truths("f"), letters("x"), word(format)]);
    assert_eq!(none("text"), "");
    assert_eq!(none("map"), "NULL");
    let dates = Argument::Column(Type::Date, [0, 1, 0, 1].map(Value::Date).to_vec());
    assert_eq!(
        over("sum_cate", vec![integers([1, 2, 3, 4]), dates, word("text")]),
        "1970-01-01:4,1970-01-02:6"
    );
}

#[test]
fn top_categories_are_those_of_openmldb() {
    let top = |name: &str| {
        let values = integers([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        over(name, vec![values, truths("ttttttfff"), letters("xyzxyzxyz"), number(2), word("text")])
    };
    assert_eq!(top("top_n_key_count_cate_where"), "z:2,y:2");
    assert_eq!(top("top_n_key_sum_cate_where"), "z:9,y:7");
    assert_eq!(top("top_n_key_min_cate_where"), "z:3,y:2");
    assert_eq!(top("top_n_key_max_cate_where"), "z:6,y:5");
    assert_eq!(top("top_n_key_avg_cate_where"), "z:4.500000,y:3.500000");
    assert_eq!(top("top_n_value_sum_cate_where"), "z:9,y:7");
    let some = |name: &str| {
        let values = optional([Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), None]);
        over(name, vec![values, truths("f ttttt"), letters("xyzxy x"), number(2), word("text")])
    };
    assert_eq!(some("top_n_key_count_cate_where"), "z:1,y:1");
    assert_eq!(some("top_n_key_sum_cate_where"), "z:3,y:5");
    assert_eq!(some("top_n_key_min_cate_where"), "z:3,y:5");
    assert_eq!(some("top_n_key_max_cate_where"), "z:3,y:5");
    assert_eq!(some("top_n_key_avg_cate_where"), "z:3.000000,y:5.000000");
    assert_eq!(some("top_n_value_sum_cate_where"), "y:5,x:4");
    // Rows (0..4; t f f t t; x y x y x) with (5, t, z) and (6, f, z).
    let averages =
        vec![integers([0, 1, 2, 3, 4, 5, 6]), truths("tffttt "), letters("xyxyxzz"), number(2), word("map")];
    assert_eq!(over("top_n_key_avg_cate_where", averages), "{z=5.0, y=3.0}");
    let counts = vec![integers([1, 1, 1, 1]), truths("tttt"), letters("aabc"), number(2), word("map")];
    assert_eq!(over("top_n_value_count_cate_where", counts), "{a=2, c=1}");
}

#[test]
fn frequencies_are_those_of_openmldb() {
    assert_eq!(over("top1_ratio", vec![optional([Some(1), Some(2), None])]), "0.5");
    assert_eq!(over("top1_ratio", vec![optional([None])]), "0.0");
    assert_eq!(over("entropy", vec![integers([1, 1, 2, 3])]), "1.5");
    assert_eq!(over("distinct_count", vec![integers([0, 0, 2, 2, 4])]), "3");
    let frequent =
        |format: &str| over("top_n_frequency", vec![integers([3, 1, 2, 2, 1, 9]), number(3), word(format)]);
    assert_eq!(frequent("list"), "[1, 2, 3]");
    assert_eq!(frequent("text"), "1,2,3");
    assert_eq!(over("top_n_frequency", vec![integers([5, 5]), number(3), word("text")]), "5,NULL,NULL");
    assert_eq!(over("approx_top_k", vec![integers([1, 2, 2, 3, 3]), number(2), word("list")]), "[2, 3]");
}

#[test]
fn sequences_are_read_in_order() {
    let values = || optional([Some(1), None, Some(3), Some(4)]);
    assert_eq!(over("first_k", vec![values(), number(2)]), "[1, 3]");
    assert_eq!(over("last_k", vec![values(), number(2)]), "[3, 4]");
    assert_eq!(over("last_k", vec![values(), number(9)]), "[1, 3, 4]");
    assert_eq!(over("nth_value_where", vec![values(), number(2), truths("tttt")]), "3");
    assert_eq!(over("nth_value_where", vec![values(), number(-1), truths("ttft")]), "4");
    assert_eq!(over("nth_value_where", vec![values(), number(5), truths("tttt")]), "NULL");
    assert_eq!(over("drawdown", vec![floats([1.0, 8.0, 5.0, 2.0, 10.0, 4.0])]), "0.75");
    assert_eq!(over("drawdown", vec![floats([1.0, 2.0, 3.0])]), "0.0");
    assert_eq!(over("drawdown", vec![floats([-1.0, -2.0])]), "0.0");
    let average = |alpha: f64| {
        over("ew_avg", vec![floats([0.0, 1.0, 2.0, 3.0, 4.0]), Argument::Constant(Value::float64(alpha))])
    };
    // pandas.Series(range(5)).ewm(alpha=0.5, adjust=True, ignore_na=True).mean().iloc[-1]
    assert_eq!(average(0.5), "3.161290322580645");
    assert_eq!(average(0.0), "2.0");
    assert_eq!(average(1.0), "4.0");
}

#[test]
fn values_decay_with_age() {
    let times = || Argument::Column(Type::Int64, [0, 10, 20, 30].map(Value::Int64).to_vec());
    let half_life = |value: f64| Argument::Constant(Value::float64(value));
    let decayed = |values| over("decayed_sum", vec![values, times(), number(20), half_life(10.0)]);
    assert_eq!(decayed(floats([8.0, 4.0, 1.0, 100.0])), "5.0");
    assert_eq!(over("decayed_sum", vec![floats([1.0]), number(21), number(20), half_life(1.0)]), "NULL");
}

#[test]
fn histograms_have_borders_as_in_duckdb() {
    let borders = |values: &[i32]| {
        Argument::Constant(Value::List(Type::Int32, values.iter().copied().map(Value::Int32).collect()))
    };
    let values = || integers([0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(over("histogram", vec![values(), borders(&[1, 3, 5])]), "{1=2, 3=2, 5=2, 2147483647=1}");
    assert_eq!(
        over("histogram", vec![integers([0, 1, 2, 9]), borders(&[5, 1, 3, 3])]),
        "{1=2, 3=1, 5=0, 2147483647=1}"
    );
    assert_eq!(over("histogram", vec![integers([1, 2]), borders(&[1, 3, 5])]), "{1=1, 3=1, 5=0}");
    assert_eq!(over("histogram", vec![optional([None]), borders(&[1])]), "NULL");
    let nan = vec![
        floats([1.0, f64::NAN]),
        Argument::Constant(Value::List(Type::Float64, vec![Value::float64(1.5)])),
    ];
    assert_eq!(over("histogram", nan), "{1.5=1, inf=1}");
}

#[test]
fn embeddings_and_maps_are_combined() {
    let vector = |values: [f32; 2]| Value::FixedList(Type::Float32, values.map(Value::float32).to_vec());
    let vectors = || {
        let values = vec![vector([0.1, 2.0]), Value::Null, vector([0.2, -2.0]), vector([0.3, 1.0])];
        vec![Argument::Column(Type::fixed_list(Type::Float32, 2), values)]
    };
    assert_eq!(over("vector_sum", vectors()), "[0.6, 1.0]");
    assert_eq!(over("vector_mean", vectors()), "[0.2, 0.33333334]");
    assert_eq!(over("vector_min", vectors()), "[0.1, -2.0]");
    assert_eq!(over("vector_max", vectors()), "[0.3, 2.0]");
    let map = |entries: &[(&str, Option<i32>)]| {
        let entries =
            entries.iter().map(|(key, value)| (Value::text(*key), value.map_or(Value::Null, Value::Int32)));
        Value::Map(Type::Text, Type::Int32, entries.collect())
    };
    let maps = || {
        let values = vec![
            map(&[("b", Some(1)), ("a", Some(2))]),
            Value::Null,
            map(&[]),
            map(&[("a", Some(5)), ("c", None)]),
        ];
        vec![Argument::Column(Type::map(Type::Text, Type::Int32), values)]
    };
    assert_eq!(over("map_sum", maps()), "{a=7, b=1}");
    assert_eq!(over("map_count", maps()), "{a=2, b=1}");
    assert_eq!(over("map_avg", maps()), "{a=3.5, b=1.0}");
    assert_eq!(over("map_max", maps()), "{a=5, b=1}");
    assert_eq!(over("map_union", maps()), "{b=1, a=5, c=NULL}");
    let list = |values: &[i32]| Value::List(Type::Int32, values.iter().copied().map(Value::Int32).collect());
    let lists = || {
        let values = vec![list(&[2, 1]), Value::Null, list(&[]), list(&[1, 3])];
        vec![Argument::Column(Type::list(Type::Int32), values)]
    };
    assert_eq!(over("list_merge", lists()), "[2, 1, 1, 3]");
    assert_eq!(over("set_union", lists()), "[2, 1, 3]");
}

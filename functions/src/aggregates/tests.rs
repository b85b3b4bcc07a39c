//! Every aggregate gives the same bits for one accumulator and for parts merged through their states,
//! in any order; and the values its definition gives.

use bumpalo::Bump;

use crate::aggregate::{Accumulator, BoundAggregate};
use crate::column::{Column, Output, Rows, View, value_at};
use crate::registry::Registry;
use crate::scalar::{Arguments, Settings};
use crate::signature::Given;
use crate::types::Type;
use crate::value::{Literal, Value};

pub(super) const GROUPS: u32 = 4;

pub(super) fn column(data_type: &Type, values: &[Value]) -> Column {
    let mut output = Output::new(data_type.clone());
    output.prepare(values.len());
    values.iter().enumerate().for_each(|(row, value)| output.set_value(row, value).unwrap());
    Column::Flat(output.freeze().unwrap())
}

pub(super) fn bind(
    name: &str,
    types: &[Type],
    constants: &[Option<Literal>],
) -> Option<(BoundAggregate, Vec<Type>)> {
    let registry = Registry::builtin();
    let function = registry.aggregate(name)?;
    let given: Vec<Given<'_>> = types.iter().map(Given::Typed).collect();
    let (overload, fit) = function.resolve(&given).ok()?;
    let settings = Settings::default();
    let arguments = Arguments { function: name, types: &fit.types, constants, settings: &settings };
    Some(((overload.bind)(&arguments).ok()?, fit.types))
}

/// Feeds rows `range` of the columns to an accumulator, skipping null rows where it is strict.
pub(super) fn feed(
    bound: &BoundAggregate,
    held: &mut dyn Accumulator,
    views: &[View<'_>],
    range: std::ops::Range<u32>,
    groups: &[u32],
) {
    let rows: Vec<u32> =
        range.filter(|&row| !bound.strict || views.iter().all(|view| view.is_valid(row as usize))).collect();
    held.update(views, Rows::Selected(&rows), groups, 1000).unwrap();
}

pub(super) fn finish(bound: &BoundAggregate, held: &mut dyn Accumulator) -> Vec<Value> {
    let groups: Vec<u32> = (0..GROUPS).collect();
    let mut output = Output::new(bound.result.clone());
    output.prepare(groups.len());
    held.finish(&groups, &mut output).unwrap();
    let bump = Bump::new();
    let view = output.view(&bump);
    (0..groups.len()).map(|row| value_at(&view, row)).collect()
}

fn numbers(seed: u64, count: usize) -> Vec<Value> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    };
    let value = |bits: u64| match bits % 11 {
        0 => Value::Null,
        1 => Value::float64(0.1),
        kind => Value::float64((bits as f64 / 977.0 - 1e6) * 10f64.powi(kind as i32 - 5)),
    };
    (0..count).map(|_| value(next())).collect()
}

/// A value of any type, made of a number.
fn value_of(data_type: &Type, value: f64) -> Value {
    let several = |element: &Type, count: usize| {
        (0..count).map(|at| value_of(element, [value, value / 3.0, 0.1][at % 3])).collect::<Vec<_>>()
    };
    match data_type {
        Type::Int64 => Value::Int64(value as i64 % 100),
        Type::Text => Value::text(format!("text {:.0} long enough", value % 10.0)),
        Type::Interval => Value::Interval(value as i32 % 100, value as i32 % 50, value as i64 * 1000),
        Type::Boolean => Value::Boolean(value > 0.0),
        Type::Float32 => Value::float32(value as f32),
        Type::List(element) => Value::List(Type::clone(element), several(element, 3)),
        Type::FixedList(element, size) => Value::FixedList(Type::clone(element), several(element, *size)),
        Type::Map(key, element) => {
            let entry = |at: i64| {
                let key = format!("key {}", (value as i64 % 7 + at) % 5);
                (Value::text(key), Value::float64(value * at as f64))
            };
            Value::Map(Type::clone(key), Type::clone(element), (0..3).map(entry).collect())
        }
        _ => Value::float64(value),
    }
}

/// Constants for the parameters that must be constant.
fn constants(name: &str, types: &[Type]) -> Vec<Option<Literal>> {
    let mut constants = vec![None; types.len()];
    let number = |number: i64| Some(Literal::new(Value::Int64(number)));
    if name.ends_with("_cate") || name.ends_with("_cate_where") || name == "top_n_frequency" {
        let last = types.len().saturating_sub(1);
        for (position, data_type) in types.iter().enumerate() {
            constants[position] = match data_type {
                Type::Int64 if position > 0 => number(3),
                Type::Text if position == last => Some(Literal::new(Value::text("text"))),
                _ => None,
            };
        }
    } else if name == "nth_value_where" && types.len() == 3 {
        constants[1] = number(3);
    } else if name == "count_min" && types.len() == 3 {
        constants[1..].fill(number(17));
    } else if name == "ew_avg" && types.len() == 2 {
        constants[1] = Some(Literal::new(Value::float64(0.3)));
    } else if types.last() == Some(&Type::list(Type::Float64)) && types.len() == 2 {
        let borders = [-1e3, 0.1, 1e4].into_iter().map(Value::float64).collect();
        constants[1] = Some(Literal::new(Value::List(Type::Float64, borders)));
    } else if name.contains("quantile") && types.len() == 2 {
        constants[1] = Some(Literal::new(Value::float64(0.3)));
    } else if name == "string_agg" && types.len() == 2 {
        constants[1] = Some(Literal::new(Value::text("-")));
    } else if types.last() == Some(&Type::Int64) && types.len() > 1 {
        constants[types.len() - 1] = Some(Literal::new(Value::Int64(3)));
    }
    constants
}

#[test]
fn parts_merge_to_the_bits_of_the_whole() {
    let registry = Registry::builtin();
    let groups: Vec<u32> = (0..300).map(|row| (row * 7 + row / 5) % (GROUPS - 1)).collect();
    let mut tested = 0;
    for function in registry.aggregates() {
        for types in [
            vec![],
            vec![Type::Float64],
            vec![Type::Int64],
            vec![Type::Text],
            vec![Type::Boolean],
            vec![Type::Float64; 2],
            vec![Type::Text; 2],
            vec![Type::Interval],
            vec![Type::Float64, Type::Int64],
            vec![Type::Text, Type::Float64, Type::Int64],
            vec![Type::Float64, Type::Boolean],
            vec![Type::Float64, Type::Text, Type::Text],
            vec![Type::Int64, Type::Boolean, Type::Text, Type::Text],
            vec![Type::Float64, Type::Boolean, Type::Text, Type::Int64, Type::Text],
            vec![Type::Text, Type::Int64, Type::Text],
            vec![Type::Float64, Type::Int64, Type::Boolean],
            vec![Type::Text, Type::Int64, Type::Int64],
            vec![Type::Float64, Type::list(Type::Float64)],
            vec![Type::list(Type::Float64)],
            vec![Type::fixed_list(Type::Float32, 3)],
            vec![Type::map(Type::Text, Type::Float64)],
        ] {
            let Some((bound, types)) = bind(&function.name, &types, &constants(&function.name, &types))
            else {
                continue;
            };
            if function.name == "product" {
                continue; // Rounding depends on the order, as its reference says.
            }
            let columns: Vec<Column> = types
                .iter()
                .enumerate()
                .map(|(at, data_type)| {
                    let values = numbers(at as u64 + 1, 300)
                        .into_iter()
                        .map(|value| value.as_f64().map_or(Value::Null, |value| value_of(data_type, value)));
                    column(data_type, &values.collect::<Vec<_>>())
                })
                .collect();
            let bump = Bump::new();
            let views: Vec<View<'_>> =
                columns.iter().zip(&types).map(|(column, ty)| column.view(ty, &bump)).collect();

            let mut whole = (bound.make)();
            whole.resize(GROUPS as usize);
            feed(&bound, &mut *whole, &views, 0..300, &groups);
            let expected = finish(&bound, &mut *whole);

            let mut merged = (bound.make)();
            merged.resize(GROUPS as usize);
            for range in [200..300, 0..1, 120..200, 1..120] {
                let mut part = (bound.make)();
                part.resize(GROUPS as usize);
                feed(&bound, &mut *part, &views, range, &groups);
                let all: Vec<u32> = (0..GROUPS).rev().collect();
                let mut states: Vec<Output> = bound.states.iter().cloned().map(Output::new).collect();
                states.iter_mut().for_each(|state| state.prepare(all.len()));
                part.state(&all, &mut states).unwrap();
                let frozen: Vec<Column> =
                    states.iter_mut().map(|state| Column::Flat(state.freeze().unwrap())).collect();
                let bump = Bump::new();
                let views: Vec<View<'_>> =
                    frozen.iter().zip(&bound.states).map(|(state, ty)| state.view(ty, &bump)).collect();
                merged.merge(&views, &all).unwrap();
            }
            assert_eq!(finish(&bound, &mut *merged), expected, "{}({types:?})", function.name);
            tested += 1;
        }
    }
    assert!(tested > 150, "only {tested} forms were tested");
}

/// The result of one group over these values.
fn over(name: &str, data_type: Type, values: &[Value], constant: Option<Value>) -> Value {
    let types: Vec<Type> = [data_type].into_iter().chain(constant.iter().map(Value::data_type)).collect();
    let constants = [None].into_iter().chain(constant.iter().map(|value| Some(Literal::new(value.clone()))));
    let (bound, types) = bind(name, &types, &constants.collect::<Vec<_>>()).unwrap();
    let columns = [column(&types[0], values)];
    let bump = Bump::new();
    let mut views = vec![columns[0].view(&types[0], &bump)];
    let share =
        constant.map(|value| Column::Flat(crate::column::literal_array(&Literal::new(value)).unwrap()));
    if let Some(share) = &share {
        views.push(View {
            length: values.len(),
            encoding: crate::column::Encoding::Constant,
            ..share.view(&types[1], &bump)
        });
    }
    let mut held = (bound.make)();
    held.resize(GROUPS as usize);
    feed(&bound, &mut *held, &views, 0..values.len() as u32, &vec![0; values.len()]);
    finish(&bound, &mut *held).swap_remove(0)
}

fn floats(values: &[f64]) -> Vec<Value> {
    values.iter().copied().map(Value::float64).collect()
}

#[test]
fn values_follow_the_definitions() {
    let values = floats(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
    let of = |name: &str| over(name, Type::Float64, &values, None).as_f64().unwrap();
    assert_eq!(of("sum"), 40.0);
    assert_eq!(of("avg"), 5.0);
    assert_eq!(of("var_pop"), 4.0);
    assert_eq!(of("stddev_pop"), 2.0);
    assert_eq!(of("var_samp"), 32.0 / 7.0);
    assert_eq!(of("median"), 4.5);
    assert_eq!(of("mode"), 4.0);
    assert_eq!(of("mad"), 0.5);
    assert!((of("skewness") - 0.818487553356).abs() < 1e-9);
    assert!((of("kurtosis") - 0.940624999999).abs() < 1e-9);
    assert_eq!(
        over("quantile_disc", Type::Float64, &values, Some(Value::float64(0.25))),
        Value::float64(4.0)
    );
    assert_eq!(over("quantile_cont", Type::Float64, &values, Some(Value::float64(1.0))), Value::float64(9.0));
    assert_eq!(
        over("max", Type::Float64, &floats(&[1.0, f64::NAN, 2.0]), None).as_f64().map(f64::is_nan),
        Some(true)
    );
    assert_eq!(over("min", Type::Float64, &floats(&[f64::NAN, 2.0]), None), Value::float64(2.0));
    assert_eq!(
        over("sum", Type::Int64, &[Value::Int64(i64::MAX), Value::Int64(i64::MAX)], None),
        Value::hugeint(i64::MAX as i128 * 2)
    );
    assert_eq!(over("first", Type::Int64, &[Value::Null, Value::Int64(1)], None), Value::Null);
    assert_eq!(over("any_value", Type::Int64, &[Value::Null, Value::Int64(1)], None), Value::Int64(1));
    assert_eq!(over("count", Type::Int64, &[Value::Null, Value::Int64(1)], None), Value::Int64(1));
    let distinct: Vec<Value> = (0..50_000).map(|value| Value::Int64(value % 10_000)).collect();
    let estimate = over("approx_count_distinct", Type::Int64, &distinct, None).as_i64().unwrap();
    assert!((estimate - 10_000).abs() < 500, "{estimate}");
    let quantile =
        over("approx_quantile", Type::Int64, &distinct, Some(Value::float64(0.5))).as_i64().unwrap();
    assert!((quantile - 5_000).abs() < 60, "{quantile}");
}

#[test]
fn variance_survives_a_large_mean() {
    let values: Vec<f64> = (0..1000).map(|at| 1e9 + f64::from(at % 10)).collect();
    assert_eq!(over("var_pop", Type::Float64, &floats(&values), None), Value::float64(8.25));
}

#[test]
fn empty_groups_give_null_or_zero() {
    for (name, expected) in [
        ("sum", Value::Null),
        ("max", Value::Null),
        ("list", Value::Null),
        ("count", Value::Int64(0)),
        ("median", Value::Null),
    ] {
        assert_eq!(over(name, Type::Float64, &[], None), expected, "{name}");
    }
}

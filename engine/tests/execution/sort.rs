//! Sort and top-n.

use std::cmp::Ordering;

use hypostyle_engine::plan::SortKey;
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Value;

use crate::row;
use crate::setting::*;

fn mixed(count: u64) -> Table {
    let mut random = Random(3);
    let rows = (0..count)
        .map(|id| {
            let number = match random.below(12) {
                0 => Value::Null,
                1 => Value::float64(f64::NAN),
                2 => Value::float64(f64::NEG_INFINITY),
                3 => Value::float64(-0.0),
                4 => Value::float64(0.0),
                n => Value::float64((n as f64 - 7.0) * 1.5),
            };
            let text = match random.below(5) {
                0 => Value::Null,
                1 => Value::text(""),
                2 => Value::text("a\0b"),
                n => Value::text("ab".repeat(n as usize * 4)),
            };
            row![id as i64, number, text, random.below(4) as i64]
        })
        .collect();
    let fields =
        vec![("id", Type::Int64), ("number", Type::Float64), ("text", Type::Text), ("group", Type::Int64)];
    Table { name: "mixed", fields, rows }
}

/// The definition: nulls by place, NaN greatest, zeros equal, text by bytes.
fn by_definition(left: &Value, right: &Value, key: &SortKey) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return if key.nulls_first { Ordering::Less } else { Ordering::Greater },
        (false, true) => return if key.nulls_first { Ordering::Greater } else { Ordering::Less },
        (false, false) => {}
    }
    let order = match (left, right) {
        (Value::Float64(a), Value::Float64(b)) => {
            let (a, b) = (f64::from_bits(a.0), f64::from_bits(b.0));
            a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        }
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => left.as_i64().cmp(&right.as_i64()),
    };
    if key.descending { order.reverse() } else { order }
}

#[test]
fn every_direction_and_null_place_matches_the_definition_and_ties_keep_their_order() {
    let table = mixed(400);
    let plan = scan(&table);
    for (descending, nulls_first) in [(false, false), (false, true), (true, false), (true, true)] {
        for columns in [vec![1], vec![2], vec![3, 1], vec![2, 3]] {
            let keys: Vec<SortKey> = columns
                .iter()
                .map(|&index| SortKey { expression: column(&plan, index), descending, nulls_first })
                .collect();
            let mut expected = table.rows.clone();
            expected.sort_by(|left, right| {
                columns
                    .iter()
                    .zip(&keys)
                    .map(|(&index, key)| by_definition(&left[index], &right[index], key))
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            });
            for limit in [None, Some(17)] {
                let expected = &expected[..limit.map_or(expected.len(), |limit| limit as usize)];
                let rows = same_everywhere(&[&table], &sort(plan.clone(), keys.clone(), limit));
                assert!(rows == expected, "{columns:?} {descending} {nulls_first} {limit:?}");
            }
        }
    }
}

#[test]
fn nothing_sorts_to_nothing() {
    let table = mixed(0);
    let plan = scan(&table);
    let key = ascending(column(&plan, 0));
    check(&[&table], &sort(plan.clone(), vec![key.clone()], None), &[]);
    let table = mixed(5);
    check(&[&table], &sort(plan, vec![key], Some(0)), &[]);
}

#[test]
fn a_limit_above_a_sort_takes_its_first_rows() {
    let table = mixed(2000);
    let plan = scan(&table);
    let key = descending(column(&plan, 0));
    let expected: Rows = table.rows.iter().rev().skip(5).take(10).cloned().collect();
    check(&[&table], &limit(sort(plan.clone(), vec![key.clone()], None), 5, Some(10)), &expected);
    check(&[&table], &limit(sort(plan, vec![key], Some(15)), 5, Some(10)), &expected);
}

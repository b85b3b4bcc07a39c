//! Grouping and aggregating.

use std::collections::BTreeMap;

use hypostyle_engine::Aggregation;
use hypostyle_engine::plan::{AggregateCall, Expression};
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Value;

use crate::row;
use crate::setting::*;

fn sales(count: u64) -> Table {
    let mut random = Random(7);
    let cities = ["Rome", "Oslo", "a city with a long name", "another city with a long name"];
    let rows = (0..count)
        .map(|id| {
            let city = match random.below(6) {
                5 => Value::Null,
                n => Value::text(cities[n as usize % 4]),
            };
            let amount =
                if random.below(10) == 0 { Value::Null } else { Value::Int64(random.below(1000) as i64) };
            row![id as i64, city, amount, random.below(100_000) as i64, random.below(2) == 0]
        })
        .collect();
    let fields = vec![
        ("id", Type::Int64),
        ("city", Type::Text),
        ("amount", Type::Int64),
        ("customer", Type::Int64),
        ("flag", Type::Boolean),
    ];
    Table { name: "sales", fields, rows }
}

fn count_all() -> AggregateCall {
    call("count", vec![], Type::Int64)
}

fn sum(expression: Expression) -> AggregateCall {
    call("sum", vec![expression], Type::HUGEINT)
}

#[test]
fn groups_leave_in_the_order_of_their_first_row_and_nulls_are_one_group() {
    let table = sales(4000);
    let plan = scan(&table);
    let (city, amount) = (column(&plan, 1), column(&plan, 2));
    let calls = vec![count_all(), call("count", vec![amount.clone()], Type::Int64), sum(amount)];
    let mut groups: Vec<(Value, i64, i64, i128)> = Vec::new();
    for row in &table.rows {
        let at = groups.iter().position(|group| group.0 == row[1]).unwrap_or_else(|| {
            groups.push((row[1].clone(), 0, 0, 0));
            groups.len() - 1
        });
        groups[at].1 += 1;
        if let Some(amount) = row[2].as_i64() {
            groups[at].2 += 1;
            groups[at].3 += i128::from(amount);
        }
    }
    let expected: Rows = groups
        .into_iter()
        .map(|(city, all, valid, sum)| {
            vec![city, Value::Int64(all), Value::Int64(valid), Value::hugeint(sum)]
        })
        .collect();
    check(&[&table], &aggregate(plan, vec![city], calls), &expected);
}

#[test]
fn without_keys_there_is_one_group_also_over_no_rows() {
    let table = sales(0);
    let plan = scan(&table);
    let amount = column(&plan, 2);
    let plan = aggregate(plan, vec![], vec![count_all(), sum(amount)]);
    check(&[&table], &plan, &[row![0, ()]]);
    let table = sales(100);
    let total: i128 = table.rows.iter().filter_map(|row| row[2].as_i64()).map(i128::from).sum();
    check(&[&table], &plan, &[row![100, Value::hugeint(total)]]);
}

#[test]
fn with_keys_no_rows_give_no_group() {
    let table = sales(0);
    let plan = scan(&table);
    let city = column(&plan, 1);
    check(&[&table], &aggregate(plan, vec![city], vec![count_all()]), &[]);
}

#[test]
fn several_keys_of_any_type_group_together() {
    let table = sales(3000);
    let plan = scan(&table);
    let keys = vec![column(&plan, 4), column(&plan, 1), column(&plan, 2)];
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for row in &table.rows {
        *expected.entry(format!("{:?}", [&row[4], &row[1], &row[2]])).or_default() += 1;
    }
    let rows = same_everywhere(&[&table], &aggregate(plan, keys, vec![count_all()]));
    assert_eq!(rows.len(), expected.len());
    for row in rows {
        assert_eq!(expected.get(&format!("{:?}", [&row[0], &row[1], &row[2]])), row[3].as_i64().as_ref());
    }
}

#[test]
fn floats_group_by_value_with_one_nan_and_one_zero() {
    let values = [0.0, -0.0, f64::NAN, -f64::NAN, 1.5, 1.5];
    let table = Table {
        name: "floats",
        fields: vec![("x", Type::Float64)],
        rows: values.iter().map(|&value| row![value]).collect(),
    };
    let plan = scan(&table);
    let key = column(&plan, 0);
    let rows = same_everywhere(&[&table], &aggregate(plan, vec![key], vec![count_all()]));
    let counts: Vec<_> = rows.iter().map(|row| row[1].as_i64().unwrap()).collect();
    assert_eq!(counts, [2, 2, 2]);
}

#[test]
fn a_filter_limits_the_rows_of_one_aggregate_and_not_the_groups() {
    let table = sales(1000);
    let plan = scan(&table);
    let (city, flag, id) = (column(&plan, 1), column(&plan, 4), column(&plan, 0));
    let mut flagged = count_all();
    flagged.filter = Some(flag);
    let mut never = call("max", vec![id.clone()], Type::Int64);
    never.filter = Some(compare("<", id, literal(0)));
    let rows = same_everywhere(&[&table], &aggregate(plan, vec![city], vec![flagged, never]));
    assert_eq!(rows.len(), 5);
    let expected = table.rows.iter().filter(|row| row[4] == Value::Boolean(true)).count() as i64;
    assert_eq!(rows.iter().map(|row| row[1].as_i64().unwrap()).sum::<i64>(), expected);
    assert!(rows.iter().all(|row| row[2].is_null()));
}

#[test]
fn distinct_counts_each_argument_once_per_group() {
    let table = sales(5000);
    let plan = scan(&table);
    let (city, amount) = (column(&plan, 1), column(&plan, 2));
    let mut distinct_count = call("count", vec![amount.clone()], Type::Int64);
    distinct_count.distinct = true;
    let mut distinct_sum = sum(amount);
    distinct_sum.distinct = true;
    let mut expected: BTreeMap<String, std::collections::BTreeSet<i64>> = BTreeMap::new();
    for row in &table.rows {
        let set = expected.entry(format!("{:?}", row[1])).or_default();
        set.extend(row[2].as_i64());
    }
    let rows = same_everywhere(&[&table], &aggregate(plan, vec![city], vec![distinct_count, distinct_sum]));
    assert_eq!(rows.len(), 5);
    for row in rows {
        let set = &expected[&format!("{:?}", row[0])];
        assert_eq!(row[1], Value::Int64(set.len() as i64));
        assert_eq!(row[2], Value::hugeint(set.iter().map(|&value| i128::from(value)).sum()));
    }
}

fn list_of(rows: impl Iterator<Item = i64>) -> Value {
    Value::List(Type::Int64, rows.map(Value::Int64).collect())
}

#[test]
fn an_order_sensitive_aggregate_sees_the_input_order_and_with_order_by_that_order() {
    let table = sales(3000);
    let plan = scan(&table);
    let (flag, id, amount, customer) =
        (column(&plan, 4), column(&plan, 0), column(&plan, 2), column(&plan, 3));
    let in_order = call("list", vec![id.clone()], Type::list(Type::Int64));
    let mut ordered = in_order.clone();
    ordered.order = vec![descending(amount.clone()), ascending(customer)];
    let mut distinct = call("list", vec![amount.clone()], Type::list(Type::Int64));
    distinct.distinct = true;
    let mut both = distinct.clone();
    both.order = vec![ascending(amount)];
    let rows =
        same_everywhere(&[&table], &aggregate(plan, vec![flag], vec![in_order, ordered, distinct, both]));
    assert_eq!(rows.len(), 2);
    for row in rows {
        let own: Vec<&Vec<Value>> = table.rows.iter().filter(|given| given[4] == row[0]).collect();
        assert_eq!(row[1], list_of(own.iter().map(|row| row[0].as_i64().unwrap())));
        let mut by_amount = own.clone();
        by_amount.sort_by_key(|row| {
            (row[2].is_null(), row[2].as_i64().map(|amount| -amount), row[3].as_i64(), row[0].as_i64())
        });
        assert_eq!(row[2], list_of(by_amount.iter().map(|row| row[0].as_i64().unwrap())));
        let mut seen = std::collections::BTreeSet::new();
        let firsts: Vec<Value> =
            own.iter().filter(|row| seen.insert(row[2].as_i64())).map(|row| row[2].clone()).collect();
        assert_eq!(row[3], Value::List(Type::Int64, firsts.clone()));
        let mut by_value = firsts;
        by_value.sort_by_key(|value| (value.is_null(), value.as_i64()));
        assert_eq!(row[4], Value::List(Type::Int64, by_value));
    }
}

#[test]
fn many_groups_are_the_same_with_one_and_two_workers() {
    let count = 150_000u64;
    let rows = (0..count * 2).map(|row| row![(row * 7919 % count) as i64, row as i64]).collect();
    let table = Table { name: "many", fields: vec![("key", Type::Int64), ("x", Type::Int64)], rows };
    let plan = scan(&table);
    let (key, x) = (column(&plan, 0), column(&plan, 1));
    let plan =
        aggregate(plan, vec![key], vec![count_all(), sum(x.clone()), call("first", vec![x], Type::Int64)]);
    let run = |threads| {
        let setting = Setting { batch_rows: 2048, threads, memory_limit_bytes: None };
        collect(&plan, &context(&[&table], setting), &[]).unwrap()
    };
    let one = run(1);
    assert_eq!(one.len(), count as usize);
    assert!(one.iter().all(|row| row[1] == Value::Int64(2)));
    assert!(one == run(2));
}

#[test]
fn an_error_in_an_aggregate_ends_the_query() {
    let rows = (0..5000).map(|_| row![i64::MAX]).collect();
    let table = Table { name: "large", fields: vec![("x", Type::Int64)], rows };
    let plan = scan(&table);
    let x = column(&plan, 0);
    let squared = Expression::call("*", vec![x.clone(), x], Type::Int64);
    let error = error_everywhere(&[&table], &aggregate(plan, vec![], vec![sum(squared)]));
    assert!(error.contains("out of range"), "{error}");
}

/// Groups and counts by hand, once per set: the keys, the count and the grouping id, as text.
fn grouped_by_hand(rows: &Rows, keys: &[usize], sets: &[Vec<usize>]) -> Vec<String> {
    let mut lines = Vec::new();
    for set in sets {
        let mut groups: BTreeMap<String, i64> = BTreeMap::new();
        let id: i64 =
            (0..keys.len()).map(|key| i64::from(!set.contains(&key)) << (keys.len() - 1 - key)).sum();
        for row in rows {
            let key: Vec<Value> = (0..keys.len())
                .map(|key| if set.contains(&key) { row[keys[key]].clone() } else { Value::Null })
                .collect();
            *groups.entry(format!("{key:?}")).or_default() += 1;
        }
        if set.is_empty() && rows.is_empty() {
            groups.insert(format!("{:?}", vec![Value::Null; keys.len()]), 0);
        }
        lines.extend(groups.into_iter().map(|(key, count)| format!("{key} {count} {id}")));
    }
    lines.sort();
    lines
}

#[test]
fn each_grouping_set_groups_all_rows_by_its_own_keys_and_names_the_keys_it_lacks() {
    for count in [0, 1, 3000] {
        let table = sales(count);
        let plan = scan(&table);
        let keys = vec![column(&plan, 1), column(&plan, 4), column(&plan, 2)];
        let sets = vec![vec![0, 1, 2], vec![1], vec![], vec![0, 2], vec![1]];
        let plan = aggregate_sets(plan, keys, sets.clone(), vec![count_all()]);
        let rows = same_everywhere(&[&table], &plan);
        let mut lines: Vec<String> = rows
            .iter()
            .map(|row| format!("{:?} {} {}", &row[..3], row[3].as_i64().unwrap(), row[4].as_i64().unwrap()))
            .collect();
        lines.sort();
        assert_eq!(lines, grouped_by_hand(&table.rows, &[1, 4, 2], &sets));
    }
}

#[test]
fn an_argument_keeps_its_value_in_sets_that_lack_it_as_a_key() {
    let table = sales(500);
    let plan = scan(&table);
    let amount = column(&plan, 2);
    let total: i128 = table.rows.iter().filter_map(|row| row[2].as_i64()).map(i128::from).sum();
    let plan = aggregate_sets(plan, vec![amount.clone()], vec![vec![]], vec![sum(amount)]);
    check(&[&table], &plan, &[row![(), Value::hugeint(total), 1]]);
}

#[test]
fn a_grouping_set_over_a_key_that_is_not_there_is_refused() {
    let table = sales(1);
    let plan = scan(&table);
    let key = column(&plan, 1);
    let plan = aggregate_sets(plan, vec![key], vec![vec![1]], vec![]);
    let error = error_everywhere(&[&table], &plan);
    assert!(error.contains("a grouping set names key 1; there are 1"), "{error}");
}

#[test]
fn neither_the_size_of_tables_nor_raw_rows_change_a_group_or_the_order_of_groups() {
    let table = sales(9_000);
    let input = scan(&table);
    let [id, city, amount, customer, flag] = [0, 1, 2, 3, 4].map(|index| column(&input, index));
    let mut distinct = call("count", vec![amount.clone()], Type::Int64);
    distinct.distinct = true;
    let calls = vec![
        count_all(),
        sum(amount.clone()),
        call("min", vec![customer.clone()], Type::Int64),
        call("max", vec![city.clone()], Type::Text),
        call("first", vec![id.clone()], Type::Int64),
        call("list", vec![city.clone()], Type::list(Type::Text)),
        distinct,
    ];
    let wide = Expression::call("*", vec![customer.clone(), literal(1_000_003)], Type::Int64);
    let all_keys = [
        vec![amount.clone()],
        vec![customer.clone()],
        vec![wide],
        vec![city.clone()],
        vec![flag.clone(), amount.clone()],
        vec![city.clone(), customer.clone()],
        vec![id],
    ];
    for keys in all_keys {
        let plan = aggregate(input.clone(), keys.clone(), calls.clone());
        let sets = (0..keys.len()).map(|key| vec![key]).chain([vec![]]).collect();
        for plan in [plan, aggregate_sets(input.clone(), keys, sets, calls.clone())] {
            let expected = collect(&plan, &context(&[&table], SETTINGS[0]), &[]).unwrap();
            for (table_bytes, raw) in [(1, Some(false)), (1, None), (1 << 20, Some(true))] {
                for setting in [SETTINGS[0], SETTINGS[4]] {
                    let context = context_with(&[&table], setting, |configuration| {
                        configuration.aggregation = Aggregation { table_bytes, raw };
                    });
                    let rows = collect(&plan, &context, &[]).unwrap();
                    assert!(rows == expected, "{table_bytes} {raw:?} {setting:?}:\n{plan}");
                }
            }
        }
    }
}

#[test]
fn whole_numbers_of_a_widening_range_group_as_others_do() {
    // Keys that grow, jump, and return; with nulls between them, at both ends of the type.
    let key = |row: i64| match row % 7 {
        0 => Value::Null,
        1 => Value::Int64(row / 9),
        2 => Value::Int64(-row / 5),
        3 if row > 6_000 => Value::Int64(i64::MAX - row % 3),
        4 if row > 8_000 => Value::Int64(i64::MIN + row % 3),
        _ => Value::Int64(row % 50),
    };
    for rows in [10, 5_000, 7_000, 12_000] {
        let table = Table {
            name: "numbers",
            fields: vec![("key", Type::Int64), ("small", Type::Int64)],
            rows: (0..rows).map(|row| row![key(row), row % 4]).collect(),
        };
        for columns in [vec![0], vec![0, 1], vec![1, 0]] {
            let plan = scan(&table);
            let keys: Vec<Expression> = columns.iter().map(|&index| column(&plan, index)).collect();
            let mut expected: Vec<(Vec<Value>, i64)> = Vec::new();
            let mut places = BTreeMap::new();
            for row in &table.rows {
                let key: Vec<Value> = columns.iter().map(|&index| row[index].clone()).collect();
                let place = *places.entry(format!("{key:?}")).or_insert_with(|| {
                    expected.push((key, 0));
                    expected.len() - 1
                });
                expected[place].1 += 1;
            }
            let expected: Rows = expected
                .into_iter()
                .map(|(key, count)| key.into_iter().chain([Value::Int64(count)]).collect())
                .collect();
            check(&[&table], &aggregate(plan, keys, vec![count_all()]), &expected);
        }
    }
}

#[test]
fn distinct_aggregates_of_one_argument_are_divided_into_two_steps_with_the_same_result() {
    let table = sales(6_000);
    let input = scan(&table);
    let (city, amount, flag) = (column(&input, 1), column(&input, 2), column(&input, 4));
    let distinct = |function: &str, data_type: Type| {
        let mut call = call(function, vec![amount.clone()], data_type);
        call.distinct = true;
        call
    };
    let calls = vec![distinct("count", Type::Int64), distinct("sum", Type::HUGEINT)];
    let mut expected: BTreeMap<String, std::collections::BTreeSet<i64>> = BTreeMap::new();
    for row in &table.rows {
        expected.entry(format!("{:?}", [&row[1], &row[4]])).or_default().extend(row[2].as_i64());
    }
    let plan = aggregate(input.clone(), vec![city, flag], calls.clone());
    let rows = same_everywhere(&[&table], &plan);
    assert_eq!(rows.len(), expected.len());
    for row in rows {
        let values = &expected[&format!("{:?}", [&row[0], &row[1]])];
        assert_eq!(row[2], Value::Int64(values.len() as i64));
        assert_eq!(row[3], Value::hugeint(values.iter().map(|&value| i128::from(value)).sum()));
    }
    let empty = sales(0);
    let plan = aggregate(scan(&empty), vec![], calls);
    check(&[&empty], &plan, &[row![0, ()]]);
}
